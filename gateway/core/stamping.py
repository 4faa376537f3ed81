"""Provenance is made here, once per upstream answer, and set when the answer is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from gateway.core.access import Lane
from gateway.core.callfacts import CallFacts
from gateway.core.clock import Clock
from schema.capability import Capability
from schema.provenance import DataMode, FeedDelay, Provenance
from schema.symbols import InstrumentId
from schema.words.quotes import PriceType, Quote
from schema.words.venues import MarketState


class Stamper:
    """Knows the clock; everything else comes with the call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def stamp(
        self, lane: Lane, capability: Capability[Any, Any], value: Any, facts: CallFacts
    ) -> tuple[Any, Provenance]:
        """The answer with provenance, and that provenance; items of one time stamp share one."""
        if isinstance(value, tuple | list):
            whole = self._make(lane, facts, capability.as_of(value) if capability.as_of else _newest(value), None)
            return tuple(self._item(lane, facts, each, whole) for each in value), whole
        as_of = getattr(value, "as_of", None)
        made = self._make(lane, facts, as_of, getattr(value, "delay_seconds", None))
        return _marked(value, made), made

    def blank(self, lane: Lane) -> Provenance:
        """For an entry that has no value."""
        return self._make(lane, CallFacts(), None, None)

    def _item(self, lane: Lane, facts: CallFacts, item: Any, whole: Provenance) -> Any:
        as_of = getattr(item, "as_of", whole.as_of)
        made = whole if as_of == whole.as_of else self._make(lane, facts, as_of, None)
        return _marked(item, made)

    def _make(self, lane: Lane, facts: CallFacts, as_of: datetime | None, delay_seconds: int | None) -> Provenance:
        profile, answer = lane.provider.profile, lane.answer
        delay = answer.delay or profile.delay
        seconds = answer.delay_seconds if answer.delay_seconds is not None else profile.delay_seconds
        if delay_seconds is not None:
            delay, seconds = (FeedDelay.DELAYED, delay_seconds) if delay_seconds else (FeedDelay.REALTIME, None)
        mode = profile.mode
        if facts.recorded is not None and mode is DataMode.LIVE:
            mode = DataMode.RECORDED
        return Provenance(
            provider=profile.id, mode=mode, as_of=as_of, fetched_at=facts.recorded_at or self._clock.now(),
            delay=delay, delay_seconds=seconds, latency_ms=facts.latency_ms,
            attribution=profile.licence.attribution, recorded_from=facts.recorded,
        )  # fmt: skip


def _newest(values: Any) -> datetime | None:
    return max((v.as_of for v in values if getattr(v, "as_of", None) is not None), default=None)


def _marked(value: Any, provenance: Provenance) -> Any:
    """A copy with another provenance; the value itself where it has none.

    `replace` would fill in again what was filled in when the value was made, at four times the cost.
    """
    kind = value.__class__
    names = _others(kind)
    if names is None:
        return value
    made = object.__new__(kind)
    put = object.__setattr__
    for name in names:
        put(made, name, getattr(value, name))
    put(made, "provenance", provenance)
    return made


@cache
def _others(kind: type) -> tuple[str, ...] | None:
    """Names of the fields besides the provenance; None for a kind of values that has none."""
    names = [each.name for each in fields(cast(Any, kind))] if is_dataclass(kind) else []
    return tuple(name for name in names if name != "provenance") if "provenance" in names else None


def remarked(value: Any, provenance: Provenance) -> Any:
    """The answer with another provenance: after a failover, or converted. Items keep their own time stamps."""
    if not isinstance(value, tuple):
        return _marked(value, provenance)
    by_stamp = {provenance.as_of: provenance}
    return tuple(_restamped(each, provenance, by_stamp) for each in value)


def _restamped(item: Any, whole: Provenance, by_stamp: dict[datetime | None, Provenance]) -> Any:
    own = getattr(item, "provenance", None)
    if own is None:
        return item
    if own.as_of not in by_stamp:
        by_stamp[own.as_of] = replace(whole, as_of=own.as_of)
    return _marked(item, by_stamp[own.as_of])


Newest = Callable[[InstrumentId, datetime], datetime | None]
"""While an instrument's regular session is over: when that session began. None while one runs, and where it is not
known."""


def not_known(instrument: InstrumentId, at: datetime) -> datetime | None:
    """`Newest` without a calendar."""
    return None


def age_of(value: Any, provenance: Provenance, now: datetime, newest: Newest = not_known) -> timedelta:
    """How old a value is for those who limit its age: since its own stamp, or since it was fetched where that was
    before, by a provider's clock that is ahead.

    Between sessions the newest value that there can be is as new as its fetching: a fixing, a close, a closed market's
    last price, a price of the last session by the calendar. One from before that session is old.
    """
    closed = provenance.delay is FeedDelay.END_OF_DAY
    if isinstance(value, Quote):
        fixed = value.price_type in (PriceType.FIXING, PriceType.CLOSE)
        closed = closed or fixed or value.market_state is MarketState.CLOSED
        if not closed and provenance.as_of is not None:
            began = newest(value.instrument, now)
            closed = began is not None and provenance.as_of >= began
    fetched = provenance.fetched_at
    return now - (fetched if closed or provenance.as_of is None else min(provenance.as_of, fetched))
