"""From a hedge ratio to contracts, basis and cost: exact money. Nothing here needs numpy."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from gateway.core.quant.refusals import NotComputable
from schema.errors import BadInput

YEAR = Decimal(365)
ZERO = Decimal(0)
MOST_STEPS = Decimal(10) ** 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """An instrument to hedge with. `price` and money are in the position's currency."""

    price: Decimal
    size: Decimal = Decimal(1)
    """Units of the underlying in one contract; 1 for shares and coins."""
    step: Decimal = Decimal(1)
    """The smallest change of the number of contracts."""
    fee_rate: Decimal = Decimal(0)
    """Of the value traded, each way."""
    spread_rate: Decimal = Decimal(0)
    """Ask less bid, as a share of the price."""
    funding_rate: Decimal = Decimal(0)
    """A day, of the value; over 0 the long side pays the short side (perpetuals), and borrowing costs are under 0."""

    @property
    def value(self) -> Decimal:
        return self.price * self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to hold: contracts under 0 are sold."""

    contracts: Decimal
    exact: Decimal
    value: Decimal
    """Of the rounded contracts, signed."""
    ratio: Decimal
    """What the rounding leaves of the ratio: -value / position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of opening, holding and closing; under 0 it is an income."""

    fees: Decimal
    spread: Decimal
    funding: Decimal

    @property
    def total(self) -> Decimal:
        return self.fees + self.spread + self.funding


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Spot less futures price, absolute, as a share of the spot, and a year (actual/365, simple) until the expiry."""

    absolute: Decimal
    relative: Decimal
    annual: Decimal | None


def order(ratio: Decimal, position: Decimal, contract: Contract) -> Order:
    """N = −h V / (price × size), rounded to the step (half to even); NotComputable where it is beyond all contracts."""
    for field, value in (("price", contract.price), ("size", contract.size), ("step", contract.step)):
        if not value.is_finite() or value <= 0:
            raise BadInput(field, f"must be above 0, not {value}")
    if not position.is_finite() or position == 0:
        raise BadInput("value", "must not be 0: there is nothing to hedge")
    exact = -ratio * position / contract.value
    steps = exact / contract.step
    if not abs(steps) <= MOST_STEPS:
        raise NotComputable(f"it takes more than {MOST_STEPS:f} steps of {contract.step} contracts")
    contracts = steps.to_integral_value(rounding=ROUND_HALF_EVEN) * contract.step
    if not contracts:
        return Order(contracts=ZERO, exact=exact, value=ZERO, ratio=ZERO)
    value = contracts * contract.value
    return Order(contracts=contracts, exact=exact, value=value, ratio=-value / position)


def cost(placed: Order, contract: Contract, days: Decimal) -> Cost:
    """Fees 2 f |V|, spread |V| s (half each way), funding V × rate × days (a short receives a positive rate)."""
    for field, given in (("fee_rate", contract.fee_rate), ("spread_rate", contract.spread_rate), ("days", days)):
        if given < 0:
            raise BadInput(field, f"must not be under 0, and is {given}")
    size = abs(placed.value)
    return Cost(
        fees=2 * contract.fee_rate * size,
        spread=contract.spread_rate * size,
        funding=placed.value * contract.funding_rate * days or Decimal(0),
    )


def basis(spot: Decimal, future: Decimal, days_to_expiry: Decimal | None = None) -> Basis:
    """b = S − F; b / S; (b / S) × 365 / days where there is an expiry.

    Source: Hull, Options, Futures, and Other Derivatives, basis risk.
    """
    if spot <= 0:
        raise BadInput("spot_price", f"must be above 0, not {spot}")
    if days_to_expiry is not None and days_to_expiry <= 0:
        raise BadInput("days_to_expiry", f"must be above 0, not {days_to_expiry}")
    relative = (spot - future) / spot
    annual = None if days_to_expiry is None else relative * YEAR / days_to_expiry
    return Basis(absolute=spot - future, relative=relative, annual=annual)
