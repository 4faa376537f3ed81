"""Commission of fills, in the currency of the price."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

from gateway.core.matching.model import A_CENT, Fees
from gateway.core.matching.rounding import EXACT, ZERO, ceil_to, money, quantum_of
from schema.currencies import FIATS, STABLES
from schema.words.orders import Liquidity


def commission(
    model: Fees, quantity: Decimal, price: Decimal, contract_size: Decimal, liquidity: Liquidity, *, first: bool
) -> Decimal:
    """`rate × quantity × contract size × price + per_unit × quantity`, and `fixed` with an order's first fill.

    The rate is the maker's or the taker's. Neither rounded nor brought up to the least: `commissions` does both.
    """
    with localcontext(EXACT):
        rate = model.maker if liquidity is Liquidity.MAKER else model.taker
        return rate * quantity * contract_size * price + model.per_unit * quantity + (model.fixed if first else ZERO)


def least_of(model: Fees, currency: str) -> Decimal:
    """The least commission in a currency. The usual one is a cent: of money, and of what stands in for it; a hundredth
    of a coin may be many times what is traded, and is no cent. Any other least counts as it is."""
    return model.least if model.least != A_CENT or currency in FIATS or currency in STABLES else ZERO


def commissions(model: Fees, raw: Sequence[Decimal], currency: str) -> tuple[Decimal, ...]:
    """What the fills of one message pay: each rounded to the currency, half to even, together at least `least_of`.

    The least is rounded up, so that it never comes to nothing; what is missing to it is charged with
    the first of them, so that levels of a book cost it once.
    """
    if not raw:
        return ()
    quantum = quantum_of(currency)
    with localcontext(EXACT):
        rounded = [money(each, quantum) for each in raw]
        missing = ceil_to(least_of(model, currency), quantum) - sum(rounded, ZERO)
        if missing > 0:
            rounded[0] += missing
        return tuple(rounded)
