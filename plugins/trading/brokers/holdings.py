"""What a broker holds against what our books say. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal

from plugins.trading.brokers.port import ZERO, Stock
from plugins.trading.brokers.wire import plain
from schema.symbols import InstrumentId, parse_instrument

_EXACT = Context(prec=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Of one asset: `more` is what the broker has above what we have, below zero where it has less."""

    asset: str
    more: Decimal
    theirs: Decimal
    ours: Decimal
    bookable: bool
    """Whether it is money, of which an entry can be made; units have a cost that nobody tells."""

    def told(self, broker: str) -> str:
        """In words."""
        return f"{broker} holds {plain(self.theirs)} {self.asset}, the books had {plain(self.ours)}"


def differences(
    stock: Stock,
    cash: Mapping[str, Decimal],
    units: Mapping[str, Decimal],
    currencies: Collection[str],
    asset_of: Callable[[InstrumentId], str],
) -> list[Difference]:
    """Assets of which the broker and we have different amounts; *currencies* are those that the account reckons in.

    Where a broker has one pot for an asset, what we hold as money and as units of any pair is that pot: what differs of
    one of *currencies* is money, of others that are held as units nobody tells.
    """
    ours_units: dict[str, Decimal] = {}
    for instrument, quantity in units.items():
        name = asset_of(parse_instrument(instrument))
        ours_units[name] = _EXACT.add(ours_units.get(name, ZERO), quantity)
    ours_cash = {asset: amount for asset, amount in cash.items() if amount}
    if stock.pooled:
        for name, quantity in ours_units.items():
            ours_cash[name] = _EXACT.add(ours_cash.get(name, ZERO), quantity)
        money = {*currencies, *(cash.keys() - ours_units.keys())}
        return _between(stock.cash, ours_cash, money)
    return [
        *_between(stock.cash, ours_cash, {*currencies, *cash, *stock.cash}),
        *_between(stock.units, ours_units, frozenset()),
    ]


def difference_of(
    stock: Stock, cash: Mapping[str, Decimal], units: Mapping[str, Decimal], name: str
) -> Difference:  # fmt: skip
    """Of one asset, of which *units* are held by instrument."""
    ours = cash.get(name, ZERO) if stock.pooled else ZERO
    for quantity in units.values():
        ours = _EXACT.add(ours, quantity)
    theirs = (stock.cash if stock.pooled else stock.units).get(name, ZERO)
    return Difference(asset=name, more=_EXACT.subtract(theirs, ours), theirs=theirs, ours=ours, bookable=False)


def _between(theirs: Mapping[str, Decimal], ours: Mapping[str, Decimal], money: Collection[str]) -> list[Difference]:
    found = []
    for asset in sorted({*theirs, *ours}):
        there, here = theirs.get(asset, ZERO), ours.get(asset, ZERO)
        if there != here:
            found.append(
                Difference(
                    asset=asset, more=_EXACT.subtract(there, here), theirs=there, ours=here, bookable=asset in money
                )
            )
    return found
