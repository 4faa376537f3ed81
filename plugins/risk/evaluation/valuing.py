"""Positions times live prices, in the portfolio's currency. Pure.

A position is worth its price times a factor that its valuation gave: quantity, multiplier and rate of exchange. The
factor is as old as the valuation, the price is live.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, Self

from gateway.core.ports import Flows, Holdings
from plugins.risk.limits.kinds import Snapshot
from schema.provenance import DataMode, FeedDelay
from schema.symbols import InstrumentId, parse_instrument
from schema.words.quotes import PriceType, Quote

_PARTS = ("factors", "prices", "splits", "waiting", "units")
FRESH = timedelta(seconds=60)
"""How old a price may be when it comes, beyond its feed's own delay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Valued:
    """Holdings, ready to be valued anew with each price."""

    factors: Mapping[InstrumentId, Decimal]
    prices: Mapping[InstrumentId, Decimal]
    cash: Decimal
    same: str
    """A digest of units, cash and flows: it changes only where somebody has traded, paid, moved or split something."""
    splits: Mapping[InstrumentId, Decimal] = field(default_factory=dict)
    """The product of the ratios of all splits that are recorded, where it is not 1."""
    waiting: Mapping[InstrumentId, Decimal] = field(default_factory=dict)
    """Ratios of splits that are recorded though prices are still those of before: `prices` are divided by them."""
    units: Mapping[InstrumentId, Decimal] = field(default_factory=dict)
    flows: Flows | None = None

    def snapshot(self, prices: Mapping[InstrumentId, Decimal]) -> Snapshot:
        """At these prices; where there is none, at that of the valuation."""
        values = {each: factor * prices.get(each, self.prices[each]) for each, factor in self.factors.items()}
        return Snapshot(values=values, cash=self.cash)

    def marked(self, prices: Mapping[InstrumentId, Decimal]) -> Self:
        """The same by live prices, where there are any."""
        return replace(self, prices={each: prices.get(each, price) for each, price in self.prices.items()})

    def plain(self) -> dict[str, Any]:
        """As it is stored."""
        parts: dict[str, Mapping[Any, Decimal]] = {name: getattr(self, name) for name in _PARTS}
        told: dict[str, Any] = {name: _texts(part) for name, part in parts.items()}
        if self.flows is not None:
            told["flows"] = {name: _texts(getattr(self.flows, name)) for name in ("cash", "units", "rates")}
        return {**told, "cash": str(self.cash), "same": self.same}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """What `plain` made."""
        parts = {name: _by_instrument(stored.get(name, {})) for name in _PARTS}
        told = stored.get("flows")
        flows = None if told is None else Flows(
            cash={each: Decimal(amount) for each, amount in told["cash"].items()},
            units=_by_instrument(told["units"]),
            rates={each: Decimal(rate) for each, rate in told["rates"].items()},
        )  # fmt: skip
        return cls(**parts, cash=Decimal(stored["cash"]), same=stored["same"], flows=flows)


def valued(holdings: Holdings) -> Valued | str:
    """Why they cannot be valued, where a position has no price."""
    lacking = [str(each.instrument) for each in holdings.positions if each.price is None or each.value is None]
    if lacking or holdings.value is None:
        return f"no price of {', '.join(sorted(lacking)[:5]) or 'the cash'}: the portfolio cannot be valued"
    factors: dict[InstrumentId, Decimal] = {}
    prices: dict[InstrumentId, Decimal] = {}
    units: dict[InstrumentId, Decimal] = {}
    for each in holdings.positions:
        price, value = each.price or Decimal(0), each.value or Decimal(0)
        factors[each.instrument] = factors.get(each.instrument, Decimal(0)) + (
            value / price if price else each.quantity
        )
        prices[each.instrument] = price
        units[each.instrument] = units.get(each.instrument, Decimal(0)) + each.quantity
    invested = sum((each.value or Decimal(0) for each in holdings.positions), Decimal(0))
    quantities = tuple(sorted((str(each.instrument), each.quantity) for each in holdings.positions))
    cash = tuple(sorted((currency, amount) for currency, amount in holdings.cash.items() if amount))
    flows = holdings.flows
    came = () if flows is None else (sorted(flows.cash.items()), sorted(_texts(flows.units).items()))
    known = factors.keys() | (flows.units.keys() if flows else set())
    return Valued(
        factors=factors, prices=prices, cash=holdings.value - invested, units=units, flows=flows,
        same=sha256(repr((quantities, cash, *came)).encode()).hexdigest(),
        splits={each: ratio for each, ratio in holdings.splits.items() if each in known and ratio != 1},
    )  # fmt: skip


def rebased(peak: Decimal, before: Valued, after: Valued) -> Decimal:
    """The peak of the value behind a payment or a transfer: what came in or went out is neither gain nor loss.

    `peak · (V + F) / V`, V what was held before, at the prices of now, F what has come in since, less what has gone: as
    units of a fund are reckoned. What trades and fees cost is a fall. Units that were split since count as what they
    became; what is held no more counts by the price that was last seen. Of weights nothing tells what came in: all
    that has changed counts as such.
    """
    old, new = before.cash, after.snapshot({}).value
    for each, factor in before.factors.items():
        if each in after.prices:
            old += factor * _split(each, before, after) * after.prices[each]
        else:
            old += factor * before.prices[each]
    flow = _came(before, after)
    due = new if flow is None else old + flow
    if old <= 0 or due <= 0:
        return max(new, Decimal(0))
    return peak if old == due else peak * due / old


def _came(before: Valued, after: Valued) -> Decimal | None:
    """What came in between them, less what went, in the portfolio's currency; None where nobody can tell."""
    if before.flows is None or after.flows is None:
        return None
    one, other, total = before.flows, after.flows, Decimal(0)
    for currency in one.cash.keys() | other.cash.keys():
        amount = other.cash.get(currency, Decimal(0)) - one.cash.get(currency, Decimal(0))
        rate = other.rates.get(currency, one.rates.get(currency))
        if amount and rate is None:
            return None
        total += amount * (rate or Decimal(0))
    for each in one.units.keys() | other.units.keys():
        moved = other.units.get(each, Decimal(0)) - one.units.get(each, Decimal(0)) * _split(each, before, after)
        worth = _worth_of_unit(each, before, after)
        if moved and worth is None:
            return None
        total += moved * (worth or Decimal(0))
    return total


def _worth_of_unit(each: InstrumentId, before: Valued, after: Valued) -> Decimal | None:
    """Of a unit of now; of what is held no more by the price that was last seen."""
    if after.units.get(each):
        return after.factors[each] / after.units[each] * after.prices[each]
    if before.units.get(each):
        return before.factors[each] / before.units[each] * before.prices[each] / _split(each, before, after)
    return None


def settled(before: Valued, after: Valued, peak: Decimal) -> Valued:
    """By prices of the units of now, though a split may have been recorded before its price has moved.

    A price that is nearer to that of before than to what the split makes of it has not moved; whether it will, or had
    moved before the split was recorded, is told by the peak: the value that is nearer to it counts.
    """
    if before.splits == after.splits and not before.waiting:
        return after
    prices, waiting = dict(after.prices), dict[InstrumentId, Decimal]()
    for each, price in after.prices.items():
        ratio = _split(each, before, after)
        due = ratio * before.waiting.get(each, Decimal(1))
        if due != 1 and each in before.prices and _stands(price, before.prices[each] / ratio, due):
            prices[each], waiting[each] = price / due, due
    moved = replace(after, prices=prices, waiting=waiting)
    if waiting.keys() <= before.waiting.keys():
        return moved
    return moved if _nearer(peak, moved.snapshot({}).value, after.snapshot({}).value) else after


@dataclass(slots=True, kw_only=True, eq=False)
class Course:
    """The highest value of a portfolio so far, and the holdings that it belongs to, by the prices last seen."""

    peak: Decimal | None = None
    basis: Valued | None = None

    def settled(self, valued: Valued) -> Valued:
        """The holdings by prices of their units of now."""
        return valued if self.basis is None else settled(self.basis, valued, self.peak or Decimal(0))

    def risen(self, valued: Valued) -> Valued:
        """Go on to these, behind what was paid, moved or split since; by prices of their units of now."""
        peak, valued = self.peak or Decimal(0), self.settled(valued)
        if self.basis is not None and self.basis.same != valued.same:
            peak = rebased(peak, self.basis, valued)
        self.peak, self.basis = max(peak, valued.snapshot({}).value), valued
        return valued


def without_waiting(holdings: Holdings, waiting: Mapping[InstrumentId, Decimal]) -> Holdings:
    """Holdings whose prices are still those of before a split, by those of the units of now."""
    if not waiting or holdings.value is None:
        return holdings
    positions, less = [], Decimal(0)
    for each in holdings.positions:
        ratio = waiting.get(each.instrument)
        if ratio is not None and each.price is not None and each.value is not None:
            less += each.value - each.value / ratio
            each = replace(each, price=each.price / ratio, value=each.value / ratio)
        positions.append(each)
    return replace(holdings, positions=tuple(positions), value=holdings.value - less)


def _texts(part: Mapping[Any, Decimal]) -> dict[str, str]:
    return {str(each): str(number) for each, number in part.items()}


def _by_instrument(stored: Mapping[str, str]) -> dict[InstrumentId, Decimal]:
    return {parse_instrument(each): Decimal(number) for each, number in stored.items()}


def _split(each: InstrumentId, before: Valued, after: Valued) -> Decimal:
    """What a unit of before has become."""
    return after.splits.get(each, Decimal(1)) / before.splits.get(each, Decimal(1))


def _stands(price: Decimal, expected: Decimal, ratio: Decimal) -> bool:
    """Whether a price is nearer to `expected · ratio` than to `expected`, as logarithms."""
    middle = expected * expected * ratio
    return price * price > middle if ratio > 1 else price * price < middle


def _nearer(peak: Decimal, one: Decimal, other: Decimal) -> bool:
    """Whether one is nearer to the peak than the other, as logarithms."""
    if min(peak, one, other) <= 0:
        return False
    return max(one / peak, peak / one) < max(other / peak, peak / other)


def is_fresh(quote: Quote, now: datetime) -> bool:
    """Whether it tells of now: what is fixed once a day, and a recording, is as new as it can be."""
    made = quote.provenance
    if made.mode is DataMode.RECORDED or made.delay is FeedDelay.END_OF_DAY or made.as_of is None:
        return True
    if quote.price_type in (PriceType.FIXING, PriceType.CLOSE):
        return True
    return now - made.as_of <= FRESH + timedelta(seconds=made.delay_seconds or 0)
