"""What an account had when the day began, by its ledger: of one that held nothing then, whenever it is asked. Pure.

What it held at midnight has a price that nobody tells later: such an account is valued once, as soon as it can be.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from plugins.trading.ledger.chart import EXACT, ZERO, Ledger
from plugins.trading.ledger.store import Sum
from plugins.trading.rows import BalanceRow, PositionRow

FLOWS = frozenset({Ledger.CASH, Ledger.EXTERNAL, Ledger.EXCHANGE, Ledger.ADJUSTMENT})
"""Together they are what was gained or lost: what was paid in or out, converted or corrected cancels out."""


def opening(
    cash: Iterable[BalanceRow], positions: Iterable[PositionRow], since: Iterable[Sum]
) -> dict[str, Decimal] | None:  # fmt: skip
    """Its money at the beginning, by currency, and what was paid in or out since; None where it held units then.

    *cash* and *positions* are those of now, *since* is what was booked since the beginning.
    """
    units = {row.instrument: row.quantity for row in positions}
    amounts = {row.asset: row.posted for row in cash}
    for each in since:
        if each.ledger == Ledger.UNITS:
            units[each.asset] = EXACT.subtract(units.get(each.asset, ZERO), each.amount)
        elif each.ledger in FLOWS:
            amounts[each.asset] = EXACT.subtract(amounts.get(each.asset, ZERO), each.amount)
    return None if any(units.values()) else amounts
