"""What an instrument's market says, and what becomes of that while it grows old."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from gateway.core.matching.model import ExecutionModel, Tick
from plugins.trading.markets.marks import Mark, Marks
from plugins.trading.markets.ticks import age_of, runs_behind, stamp_of
from schema.currencies import FIATS
from schema.provenance import Conversion, DataMode, Provenance
from schema.words.venues import MarketState

LATELY = timedelta(seconds=1)
"""So old what was answered may be that orders are filled by, while nobody answers, or others were waited for."""
RATES_AGE = timedelta(hours=1)
"""Rates between currencies are told by the hour in many places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """What an instrument's market says now."""

    tick: Tick
    price: Decimal
    """The last price, or the middle of a book."""
    currency: str
    provenance: Provenance
    state: MarketState
    open: bool
    """Whether orders are filled now."""
    age: timedelta
    held_copy: bool = False
    """Whether it is our old copy, as everybody failed."""
    pushed: bool = False
    """Whether its provider sends each change by itself, and nobody asks it again and again."""

    looked_at: datetime | None = None
    """When it was found to be the newest still, where that was after it came."""

    @property
    def late(self) -> bool:
        """Whether its feed runs behind by design."""
        return runs_behind(self.provenance)

    def told_since(self, since: datetime) -> bool:
        """Whether it was the newest so lately; recordings always are."""
        return (self.looked_at or self.provenance.fetched_at) >= since or self.provenance.mode is DataMode.RECORDED

    def too_old(self, model: ExecutionModel) -> bool:
        """Whether the account takes no such price; of a closed market the last one is the newest."""
        return self.held_copy or (self.open and self.age > timedelta(milliseconds=model.max_age_ms))

    def told_old(self, model: ExecutionModel) -> str:
        """Why the account takes no such price, in words, and what helps."""
        told, age = f"The newest price of {self.tick.instrument} is", self.age.total_seconds()
        if self.held_copy:
            return f"{told} our old copy, as every provider failed, and nothing is filled by it: try again"
        most = model.max_age_ms / 1000
        shown = f"{int(age)}" if int(age) > most else f"{age:.6f}".rstrip("0")
        helps = "try again, or raise model.maxAgeMs"
        return f"{told} {shown} s old, and the account takes none older than {most:g} s: {helps}"


def made_at(priced: Priced) -> datetime:
    """When its market was so: by its own stamp, and at the latest when it came, less what its feed runs behind."""
    made = priced.provenance
    came = made.fetched_at - timedelta(seconds=made.delay_seconds or 0)
    return came if made.as_of is None else min(made.as_of, came)


def mark_of(priced: Priced, model: ExecutionModel, *, derivative: bool) -> Mark:
    """What values a position; *derivative* is whether only its gain counts."""
    return Mark(
        price=priced.price, currency=priced.currency, provenance=priced.provenance, stale=priced.too_old(model),
        open=priced.open, derivative=derivative, bid=priced.tick.bid, ask=priced.tick.ask, priced=priced,
    )  # fmt: skip


def aged(marks: Marks, model: ExecutionModel, now: datetime) -> Marks:
    """What was told a while ago, as old as it is now. Of rates those of coins age, whose markets never close; others
    take longer for it than an answer is kept."""
    prices = {name: _aged(mark, model, now) for name, mark in marks.prices.items()}
    past = {
        name
        for name, rate in marks.rates.items()
        if any(not is_fiat(leg) and is_past(leg, model, now) for leg in legs_of(rate))
    }
    return replace(marks, prices=prices, old_rates=marks.old_rates | past)


def _aged(mark: Mark, model: ExecutionModel, now: datetime) -> Mark:
    if mark.priced is None:
        return mark
    priced = replace(mark.priced, age=age_of(mark.priced.tick, now))
    return mark_of(priced, model, derivative=mark.derivative)


def legs_of(rate: Conversion) -> list[Conversion]:
    """A rate by way of a third currency is as old as either of the two behind it."""
    return [rate, rate.provenance.conversion] if rate.provenance.conversion else [rate]


def is_fiat(leg: Conversion) -> bool:
    return {leg.from_currency, leg.to_currency} <= FIATS


def is_past(leg: Conversion, model: ExecutionModel, now: datetime) -> bool:
    """Whether it is older than is taken while its market is open."""
    most = max(timedelta(milliseconds=model.max_age_ms), RATES_AGE if is_fiat(leg) else timedelta(0))
    stamp = stamp_of(leg.provenance)
    return stamp is not None and now - stamp > most
