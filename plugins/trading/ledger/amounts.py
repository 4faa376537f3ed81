"""From what a caller wrote of money to what is booked: Refused names the field and says what would pass. Pure."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from gateway.core.matching.rounding import ceil_to, plain, quantum_of
from plugins.trading.accounts.rules import LARGEST
from plugins.trading.ledger.chart import EXACT, shown
from plugins.trading.rows import AccountRow
from schema.currencies import decimals_of
from schema.names import BadName, read_name
from schema.words.orders import AccountKind
from schema.words.problems import Refused

LONGEST_MEMO = 300


def read_amount(amount: Decimal, currency: str, field: str = "amount") -> Decimal:
    """Above zero, with no more digits than the currency has."""
    if not 0 < amount <= LARGEST:
        raise Refused("AMOUNT_INVALID", f"{field} must be above 0 and at most {LARGEST:,}.", field)
    step = Decimal(1).scaleb(-decimals_of(currency))
    below = amount.quantize(step, rounding=ROUND_DOWN, context=EXACT)
    if below != amount:
        near = " or ".join(shown(each) for each in (below, EXACT.add(below, step)) if each)
        raise Refused("AMOUNT_INVALID", f"{currency} has {decimals_of(currency)} decimals: write {near}.", field)
    return below


def least_given(rate: Decimal, give: str, take: str) -> Decimal:
    """The least amount of a currency for which any of another is received."""
    return plain(ceil_to(EXACT.divide(quantum_of(take), rate), quantum_of(give)))


def read_memo(text: str | None, field: str = "memo") -> str | None:
    """Trimmed; None for none."""
    if text is None or not text.strip():
        return None
    try:
        return read_name(text, longest=LONGEST_MEMO)
    except BadName as bad:
        raise Refused("MEMO_INVALID", str(bad).replace("name", field), field) from None


def check_paper(account: AccountRow) -> None:
    """Refused where the money is a broker's."""
    if account.kind == AccountKind.LIVE:
        told = "The money of a LIVE account moves at its broker, and is booked here as the broker tells it."
        raise Refused("LIVE_ACCOUNT", told)
