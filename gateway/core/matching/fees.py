"""Commission of fills, in the currency of the price."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext

from gateway.core.matching.model import Fees
from gateway.core.matching.rounding import EXACT, ZERO, money
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


def commissions(model: Fees, raw: Sequence[Decimal], quantum: Decimal | None) -> tuple[Decimal, ...]:
    """What the fills of one message pay: each rounded to the currency, half to even, together at least `least`.

    What is missing to the least is charged with the first of them, so that levels of a book cost it once.
    """
    if not raw:
        return ()
    with localcontext(EXACT):
        rounded = [money(each, quantum) for each in raw]
        missing = money(model.least, quantum) - sum(rounded, ZERO)
        if missing > 0:
            rounded[0] += missing
        return tuple(rounded)
