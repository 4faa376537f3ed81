"""One instrument, as one message tells of it to one account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from gateway.core.matching.model import ExecutionModel, Spec, Tick
from plugins.trading.markets.ticks import middle_of
from schema.currencies import UNKNOWN
from schema.provenance import DataMode

UNDER_WAY = timedelta(seconds=5)
"""How long a message may be under way from its provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What one message told of one instrument, for one account."""

    spec: Spec
    model: ExecutionModel
    tick: Tick | None
    open: bool

    @property
    def price(self) -> Decimal | None:
        """The last one that it tells, else the middle of its sides, else the close of a bar; None without any."""
        tick = self.tick
        if tick is None or tick.last is not None:
            return tick.last if tick else None
        middle = middle_of(tick)
        return middle if middle is not None or tick.bar is None else tick.bar.close

    @property
    def mode(self) -> DataMode | None:
        """Of its price."""
        return self.tick.mode if self.tick else None


def tells(spec: Spec, currency: str) -> bool:
    """Whether a price in a currency is one of what the instrument is traded in, as far as both are known."""
    return currency in ("", UNKNOWN, spec.currency) or spec.currency == UNKNOWN


def is_before(tick: Tick, since: datetime) -> bool:
    """Whether a message is from before an instant: it came before, or its provider's stamp is older.

    A stamp counts for so long only as messages may be under way: a clock that is behind must keep nobody waiting.
    """
    return tick.at < since or (tick.at < since + UNDER_WAY and tick.as_of is not None and tick.as_of < since)
