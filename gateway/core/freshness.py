"""How far the answers of live feeds lie behind the present: measured at each call, never typed.

The lag of an answer is the time from its own stamp (`asOf`) to its arrival; a negative one says that the provider's
clock is ahead of ours. Of a batch the newest item counts: how long ago the others traded says nothing about the feed.
Only capabilities whose answers are of the present are measured, only while their instruments trade, and only feeds
that declare how late they are. Recorded and simulated answers never count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from schema.provenance import DataMode, FeedDelay, Provenance
from schema.symbols import AssetClass, InstrumentId
from schema.words.quotes import PriceType, Quote
from schema.words.venues import MarketState

if TYPE_CHECKING:
    from gateway.core.access import Lane
    from gateway.core.guards.cache import Stored

WINDOW = 200
"""Lags that are held of a provider's capability; the oldest go first."""
LASTING_S = 86_400.0
"""What was measured longer ago says nothing about now."""
ENOUGH = 30
"""Answers from which on a feed is judged."""
LATEST = timedelta(seconds=60)
"""How far behind its declared delay an answer may be: prices are stamped with their last trade."""
TRADING = frozenset({MarketState.PRE, MarketState.REGULAR, MarketState.POST})

Trading = Callable[[InstrumentId, datetime], bool]
"""Whether an instrument is known to trade at an instant, without waiting for a calendar."""


class Lag(NamedTuple):
    """One answer: when (monotonic seconds), how late, and whether that is within what its feed declares."""

    at: float
    ms: int
    within: bool


@dataclass(slots=True)
class Lags:
    """Of one provider's capability, with one key."""

    held: deque[Lag] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def of_late(self, now: float) -> list[Lag]:
        """Those that still say something, the smallest first."""
        return sorted((lag for lag in self.held if now - lag.at < LASTING_S), key=lambda lag: lag.ms)


class Measured(NamedTuple):
    """What was measured of a capability; times in milliseconds."""

    samples: int
    median: int
    p95: int
    fresh: bool
    """Whether enough answers were measured, and half of them or more are within what their feed declares."""


def measure(lags: Lags, now: float) -> Measured | None:
    """None where nothing was measured of late."""
    found = lags.of_late(now)
    if not found:
        return None
    count = len(found)
    within = sum(lag.within for lag in found)
    return Measured(
        samples=count, median=found[(count - 1) // 2].ms, p95=found[min(count - 1, int(0.95 * count))].ms,
        fresh=count >= ENOUGH and 2 * within >= count,
    )  # fmt: skip


def proves(measured: Collection[Measured]) -> bool:
    """Whether a provider's freshness is proven: of one capability at least, and refuted by none."""
    judged = [each.fresh for each in measured if each.samples >= ENOUGH]
    return bool(judged) and all(judged)


def lag_of(lane: Lane, found: Mapping[Any, Any], trading: Trading, now: float) -> Lag | None:
    """Of one call's answers by item, as the pipeline stored them; None where they say nothing about the feed."""
    if not lane.answer.capability.current or lane.provider.profile.mode is not DataMode.LIVE:
        return None
    lags = [lag for item, stored in found.items() if (lag := _lag(item, stored, trading, now)) is not None]
    return min(lags, key=lambda lag: lag.ms, default=None)


def _lag(item: Any, stored: Stored, trading: Trading, now: float) -> Lag | None:
    provenance = getattr(stored, "provenance", None)  # an error has none
    if provenance is None or provenance.as_of is None or provenance.mode is not DataMode.LIVE:
        return None
    allowed = _allowed(provenance)
    if allowed is None or not _trades(item, stored.value, provenance.fetched_at, trading):
        return None
    lag = provenance.fetched_at - provenance.as_of
    return Lag(now, round(lag.total_seconds() * 1000), abs(lag) <= allowed)


def _allowed(provenance: Provenance) -> timedelta | None:
    """None for a feed that does not say how late it is, and for one that only comes when the day is over."""
    if provenance.delay is FeedDelay.REALTIME:
        return LATEST
    if provenance.delay is FeedDelay.DELAYED and provenance.delay_seconds is not None:
        return LATEST + timedelta(seconds=provenance.delay_seconds)
    return None


def _trades(item: Any, value: Any, at: datetime, trading: Trading) -> bool:
    if isinstance(value, Quote):
        if value.price_type in (PriceType.FIXING, PriceType.CLOSE):
            return False
        if value.market_state is not MarketState.UNKNOWN:
            return value.market_state in TRADING
    instrument = item if isinstance(item, InstrumentId) else getattr(item, "instrument", None)
    return isinstance(instrument, InstrumentId) and trading(instrument, at)


def never_closing(instrument: InstrumentId, at: datetime) -> bool:
    """`Trading` without a calendar."""
    return instrument.asset_class in (AssetClass.CRYPTO, AssetClass.DEX)
