"""The chart of ledgers of an account, and how amounts of them are rounded and summed."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal, localcontext
from enum import StrEnum

from schema.currencies import decimals_of
from schema.model import choices

ZERO = Decimal(0)
EXACT = Context(prec=300, rounding=ROUND_HALF_EVEN)
"""More digits than any sum of amounts has: nothing is ever rounded but where `money` says so."""


@choices(
    "A ledger of an account. Debits are above zero, credits below.",
    CASH="Money of the account, by currency.",
    COST="What its spot positions cost, by the currency of their prices; below zero where it is short.",
    UNITS="Units that it holds, by instrument.",
    MARKET="Where units come from and go to.",
    PNL="Realised, before fees: profits are credits.",
    FEES="Commission: a debit.",
    FUNDING="Funding of perpetuals: what is paid is a debit.",
    INTEREST="Interest: what is paid is a debit.",
    EXTERNAL="Where deposits come from and withdrawals go to.",
    ADJUSTMENT="The other side of corrections.",
    EXCHANGE="The other side of conversions, and of transfers between accounts.",
)
class Ledger(StrEnum):
    """What a line is about."""

    CASH = "cash"
    COST = "cost"
    UNITS = "units"
    MARKET = "market"
    PNL = "pnl"
    FEES = "fees"
    FUNDING = "funding"
    INTEREST = "interest"
    EXTERNAL = "external"
    ADJUSTMENT = "adjustment"
    EXCHANGE = "exchange"


JOURNAL = {
    Ledger.CASH: "Assets:Cash",
    Ledger.COST: "Assets:Positions:Cost",
    Ledger.UNITS: "Assets:Positions:Units",
    Ledger.MARKET: "Equity:Market",
    Ledger.PNL: "Income:Trading",
    Ledger.FEES: "Expenses:Fees",
    Ledger.FUNDING: "Expenses:Funding",
    Ledger.INTEREST: "Expenses:Interest",
    Ledger.EXTERNAL: "Equity:External",
    Ledger.ADJUSTMENT: "Equity:Adjustment",
    Ledger.EXCHANGE: "Equity:Exchange",
}
"""What a ledger is called in a journal of plain text, below the account."""


def money(amount: Decimal, currency: str) -> Decimal:
    """Rounded half to even to the currency's digits; never minus zero."""
    rounded = amount.quantize(Decimal(1).scaleb(-decimals_of(currency)), context=EXACT)
    return rounded if rounded else rounded.copy_abs()


def received(amount: Decimal, currency: str) -> Decimal:
    """Rounded down to the currency's digits: of what is given for something else, in many parts no more than in one."""
    return amount.quantize(Decimal(1).scaleb(-decimals_of(currency)), rounding=ROUND_DOWN, context=EXACT)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    with localcontext(EXACT):
        return sum(amounts, ZERO)


def times(one: Decimal, other: Decimal) -> Decimal:
    """The exact product."""
    return EXACT.multiply(one, other)


def minus(amount: Decimal) -> Decimal:
    """The same on the other side; never minus zero."""
    return EXACT.minus(amount) if amount else abs(amount)


def shown(amount: Decimal) -> str:
    """Without zeros behind the last digit that says anything: `100`, not `100.00000000`."""
    text = format(amount if amount else abs(amount), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
