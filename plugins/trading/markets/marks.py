"""Prices and rates by which an account is valued."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import TYPE_CHECKING

from schema.errors import NoAnswer
from schema.provenance import Conversion, DataMode, Provenance

if TYPE_CHECKING:
    from plugins.trading.markets.priced import Priced

EXACT = Context(prec=200)
"""More digits than any product of amounts, prices and rates has."""
ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A price of an instrument, and where it is from."""

    price: Decimal
    currency: str
    provenance: Provenance
    stale: bool = False
    """Older than the account takes prices while their market is open, or our old copy as everybody failed."""
    open: bool = True
    contract_size: Decimal = ONE
    """Base units of one unit of quantity: 1, see `spec_of`."""
    derivative: bool = False
    bid: Decimal | None = None
    ask: Decimal | None = None
    priced: Priced | None = None
    """What its market said, where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Prices by instrument, rates to one currency by currency; what is missing says why."""

    currency: str
    prices: Mapping[str, Mark] = field(default_factory=dict)
    rates: Mapping[str, Conversion] = field(default_factory=dict)
    old_rates: frozenset[str] = frozenset()
    """Currencies whose rate is our old copy, or older than is taken."""
    failures: Mapping[str, NoAnswer] = field(default_factory=dict)
    """By instrument or currency."""

    def rate(self, currency: str) -> Decimal | None:
        """Units of the one currency for one of another; None where nobody tells."""
        if currency == self.currency:
            return ONE
        found = self.rates.get(currency)
        return None if found is None else found.rate

    def asked(self, named: Collection[str]) -> bool:
        """Whether all of these instruments and currencies were asked for, be there an answer or none."""
        return {self.currency, *self.prices, *self.rates, *self.failures} >= {*named}

    def worth(self, amount: Decimal, currency: str) -> Decimal | None:
        """An amount in the one currency; None without a rate. Nothing is worth nothing in any."""
        rate = self.rate(currency)
        if rate is None:
            return None if amount else amount
        return EXACT.multiply(amount, rate)

    @property
    def modes(self) -> frozenset[DataMode]:
        """Whether what is told is live, recorded or simulated: of prices, and of rates."""
        prices = frozenset(each.provenance.mode for each in self.prices.values())
        return prices | frozenset(each.provenance.mode for each in self.rates.values())
