"""Inputs, refusals and payloads of the ledger's mutations."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import strawberry

from plugins.trading.ledger.types import LedgerEntry
from schema.model import described, model
from schema.provenance import Conversion
from schema.refusals import refusals
from schema.words.problems import UserError

ERRORS = "Why nothing happened; empty where it did."
ACCOUNT = "The account's id."
AMOUNT = "Above 0, with no more digits than the currency has."
CURRENCY = "A code such as USD, EUR or USDT."
MEMO = "What to write about it, 1 to 300 characters."
KEY = "The same key with the same input is the same entry again; another input is refused. Keys belong to an account."
_WORDS = {
    "NOT_ALLOWED": "The caller may look at the account, and not trade with it.",
    "LIVE_ACCOUNT": "The account's money is a broker's.",
    "INSUFFICIENT_FUNDS": "That much is not there, or it is held or reserved.",
    "NO_PRICE": "A price or a rate that is needed is not known now.",
}
_GIVEN = {
    "CURRENCY_INVALID": "It is no currency that is known.",
    "AMOUNT_INVALID": "The amount is out of range, or has more digits than its currency.",
    "MEMO_INVALID": "The memo is too long, or has characters that it may not have.",
}


@refusals("Why no money came in.", **{k: v for k, v in _WORDS.items() if k != "INSUFFICIENT_FUNDS"}, **_GIVEN)
class AccountDepositErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    LIVE_ACCOUNT = "LIVE_ACCOUNT"
    CURRENCY_INVALID = "CURRENCY_INVALID"
    AMOUNT_INVALID = "AMOUNT_INVALID"
    MEMO_INVALID = "MEMO_INVALID"
    NO_PRICE = "NO_PRICE"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals("Why no money went out.", **_WORDS, **_GIVEN)
class AccountWithdrawErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    LIVE_ACCOUNT = "LIVE_ACCOUNT"
    CURRENCY_INVALID = "CURRENCY_INVALID"
    AMOUNT_INVALID = "AMOUNT_INVALID"
    MEMO_INVALID = "MEMO_INVALID"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    NO_PRICE = "NO_PRICE"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals("Why nothing was converted.", STALE_PRICE="The newest rate is old.", **_WORDS, **_GIVEN)
class AccountConvertErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    LIVE_ACCOUNT = "LIVE_ACCOUNT"
    CURRENCY_INVALID = "CURRENCY_INVALID"
    AMOUNT_INVALID = "AMOUNT_INVALID"
    MEMO_INVALID = "MEMO_INVALID"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    NO_PRICE = "NO_PRICE"
    STALE_PRICE = "STALE_PRICE"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals(
    "Why nothing was transferred.", TRANSFER_INVALID="It contradicts itself; the message names the field.", **_WORDS,
    **_GIVEN,
)  # fmt: skip
class AccountTransferErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    TRANSFER_INVALID = "TRANSFER_INVALID"
    NOT_ALLOWED = "NOT_ALLOWED"
    LIVE_ACCOUNT = "LIVE_ACCOUNT"
    CURRENCY_INVALID = "CURRENCY_INVALID"
    AMOUNT_INVALID = "AMOUNT_INVALID"
    MEMO_INVALID = "MEMO_INVALID"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    NO_PRICE = "NO_PRICE"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals(
    "Why nothing was corrected.",
    **_WORDS | {"NOT_ALLOWED": "The caller is no owner or admin of the organisation in person."},
    **_GIVEN,
)
class AccountAdjustErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    LIVE_ACCOUNT = "LIVE_ACCOUNT"
    CURRENCY_INVALID = "CURRENCY_INVALID"
    AMOUNT_INVALID = "AMOUNT_INVALID"
    MEMO_INVALID = "MEMO_INVALID"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    NO_PRICE = "NO_PRICE"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals(
    "Why no units were booked.",
    NOT_ALLOWED="The caller is no owner or admin of the organisation in person.",
    PAPER_ACCOUNT="The account is at no broker.",
    UNKNOWN_INSTRUMENT="Nobody knows the symbol, or the broker does not trade it.",
    MARKET_CLOSED="The instrument is halted or delisted.",
    MEMO_INVALID="The reason is empty, too long, or has characters that it may not have.",
    ORDERS_OPEN="Open orders, or one that had ended here and is at the broker still, may change what is held.",
    NOTHING_DIFFERS="The broker holds what the books have.",
    BROKER_UNAVAILABLE="The broker cannot be reached now, or the account has changed meanwhile.",
)
class PositionAdjustErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    PAPER_ACCOUNT = "PAPER_ACCOUNT"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    MARKET_CLOSED = "MARKET_CLOSED"
    MEMO_INVALID = "MEMO_INVALID"
    ORDERS_OPEN = "ORDERS_OPEN"
    NOTHING_DIFFERS = "NOTHING_DIFFERS"
    BROKER_UNAVAILABLE = "BROKER_UNAVAILABLE"


_PENDING = {
    "ENTRY_NOT_PENDING": "The entry counts already.",
    "ENTRY_RESOLVED": "The entry was posted or voided before.",
}


@refusals("Why the entry was not posted.", **_WORDS, **_PENDING)
class LedgerEntryPostErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    LIVE_ACCOUNT = "LIVE_ACCOUNT"
    ENTRY_NOT_PENDING = "ENTRY_NOT_PENDING"
    ENTRY_RESOLVED = "ENTRY_RESOLVED"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    NO_PRICE = "NO_PRICE"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals(
    "Why the entry was not voided.", NOT_ALLOWED=_WORDS["NOT_ALLOWED"], LIVE_ACCOUNT=_WORDS["LIVE_ACCOUNT"], **_PENDING
)
class LedgerEntryVoidErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    LIVE_ACCOUNT = "LIVE_ACCOUNT"
    ENTRY_NOT_PENDING = "ENTRY_NOT_PENDING"
    ENTRY_RESOLVED = "ENTRY_RESOLVED"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals(
    "Why the entry was not reversed.",
    MEMO_INVALID=_GIVEN["MEMO_INVALID"],
    ENTRY_PENDING="The entry moved nothing: it can be voided.",
    ENTRY_REVERSED="The entry was reversed before.",
    ENTRY_NOT_REVERSIBLE="The entry is a reversal itself, or an order, a position or another account goes with it.",
    **_WORDS,
)
class LedgerEntryReverseErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    LIVE_ACCOUNT = "LIVE_ACCOUNT"
    MEMO_INVALID = "MEMO_INVALID"
    ENTRY_PENDING = "ENTRY_PENDING"
    ENTRY_REVERSED = "ENTRY_REVERSED"
    ENTRY_NOT_REVERSIBLE = "ENTRY_NOT_REVERSIBLE"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    NO_PRICE = "NO_PRICE"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@strawberry.input(description="Money into a paper account.")
class AccountDepositInput:
    """Of play money."""

    account_id: strawberry.ID = strawberry.field(description=ACCOUNT)
    currency: str = strawberry.field(description=CURRENCY)
    amount: Decimal = strawberry.field(description=AMOUNT)
    memo: str | None = strawberry.field(description=MEMO, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="Money out of a paper account.")
class AccountWithdrawInput:
    """Of play money."""

    account_id: strawberry.ID = strawberry.field(description=ACCOUNT)
    currency: str = strawberry.field(description=CURRENCY)
    amount: Decimal = strawberry.field(description=AMOUNT)
    pending: bool = strawberry.field(
        description="Only hold it: `ledgerEntryPost` moves it, `ledgerEntryVoid` lets it go.", default=False
    )
    memo: str | None = strawberry.field(description=MEMO, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="One currency into another, at the rate of now.")
class AccountConvertInput:
    """Within an account."""

    account_id: strawberry.ID = strawberry.field(description=ACCOUNT)
    from_currency: str = strawberry.field(description=f"What is given. {CURRENCY}", name="from")
    amount: Decimal = strawberry.field(description=f"Of what is given. {AMOUNT}")
    to_currency: str = strawberry.field(description=f"What is wanted. {CURRENCY}", name="to")
    memo: str | None = strawberry.field(description=f"{MEMO} The rate is written behind it.", default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="Money from one account of the organisation to another.")
class AccountTransferInput:
    """Both or neither."""

    from_account_id: strawberry.ID = strawberry.field(description="The account that it leaves.")
    to_account_id: strawberry.ID = strawberry.field(description="The account that gets it.")
    currency: str = strawberry.field(description=CURRENCY)
    amount: Decimal = strawberry.field(description=AMOUNT)
    memo: str | None = strawberry.field(description=f"{MEMO} By default the other account's id.", default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="A correction of a paper account's money.")
class AccountAdjustInput:
    """By an owner or admin."""

    account_id: strawberry.ID = strawberry.field(description=ACCOUNT)
    currency: str = strawberry.field(description=CURRENCY)
    amount: Decimal = strawberry.field(
        description="Above 0 it comes in, below 0 it goes out; with no more digits than the currency has."
    )
    reason: str = strawberry.field(description="Why, in 1 to 300 characters: the entry's memo.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="Of what a live account shall hold what its broker does.")
class PositionAdjustInput:
    """By an owner or admin."""

    account_id: strawberry.ID = strawberry.field(description=ACCOUNT)
    symbol: str = strawberry.field(description="The instrument; how many units it is the broker says.")
    reason: str = strawberry.field(description="Why, in 1 to 300 characters: the entry's memo begins with it.")


@strawberry.input(description="Which pending entry shall count.")
class LedgerEntryPostInput:
    """Once."""

    account_id: strawberry.ID = strawberry.field(description=ACCOUNT)
    entry_id: strawberry.ID = strawberry.field(description="The pending entry's id.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="Which pending entry is given up.")
class LedgerEntryVoidInput:
    """Once."""

    account_id: strawberry.ID = strawberry.field(description=ACCOUNT)
    entry_id: strawberry.ID = strawberry.field(description="The pending entry's id.")
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="Which entry is taken back.")
class LedgerEntryReverseInput:
    """Once."""

    account_id: strawberry.ID = strawberry.field(description=ACCOUNT)
    entry_id: strawberry.ID = strawberry.field(description="The entry's id: a deposit, a withdrawal or a correction.")
    memo: str | None = strawberry.field(description=MEMO, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@model("What came of `accountDeposit`.")
class AccountDepositPayload:
    """The entry, or why there is none."""

    entry: LedgerEntry | None = described("The entry.", default=None)
    user_errors: list[UserError[AccountDepositErrorCode]] = described(ERRORS)


@model("What came of `accountWithdraw`.")
class AccountWithdrawPayload:
    """The entry, or why there is none."""

    entry: LedgerEntry | None = described("The entry: PENDING where it only holds the money.", default=None)
    user_errors: list[UserError[AccountWithdrawErrorCode]] = described(ERRORS)


@model("What came of `accountAdjust`.")
class AccountAdjustPayload:
    """The entry, or why there is none."""

    entry: LedgerEntry | None = described("The entry.", default=None)
    user_errors: list[UserError[AccountAdjustErrorCode]] = described(ERRORS)


@model("What came of `positionAdjust`.")
class PositionAdjustPayload:
    """The entry, or why there is none."""

    entry: LedgerEntry | None = described("The entry.", default=None)
    user_errors: list[UserError[PositionAdjustErrorCode]] = described(ERRORS)


@model("What came of `accountConvert`.")
class AccountConvertPayload:
    """The entry, or why there is none."""

    entry: LedgerEntry | None = described("The entry; its memo keeps the rate and where that came from.", default=None)
    rate: Conversion | None = described(
        "The rate that it was made at; null where the idempotency key had made it before.", default=None
    )
    user_errors: list[UserError[AccountConvertErrorCode]] = described(ERRORS)


@model("What came of `accountTransfer`.")
class AccountTransferPayload:
    """Both entries, or why there are none."""

    from_entry: LedgerEntry | None = described("The entry of the account that it leaves.", default=None)
    to_entry: LedgerEntry | None = described("The entry of the account that gets it.", default=None)
    user_errors: list[UserError[AccountTransferErrorCode]] = described(ERRORS)


@model("What came of `ledgerEntryPost`.")
class LedgerEntryPostPayload:
    """The new entry, or why there is none."""

    entry: LedgerEntry | None = described("The entry that counts now, in the place of the pending one.", default=None)
    user_errors: list[UserError[LedgerEntryPostErrorCode]] = described(ERRORS)


@model("What came of `ledgerEntryVoid`.")
class LedgerEntryVoidPayload:
    """The new entry, or why there is none."""

    entry: LedgerEntry | None = described("The entry that gives the pending one up.", default=None)
    user_errors: list[UserError[LedgerEntryVoidErrorCode]] = described(ERRORS)


@model("What came of `ledgerEntryReverse`.")
class LedgerEntryReversePayload:
    """The new entry, or why there is none."""

    entry: LedgerEntry | None = described("The entry that takes the other one back.", default=None)
    user_errors: list[UserError[LedgerEntryReverseErrorCode]] = described(ERRORS)
