"""What mutations of portfolios take, refuse and answer."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import strawberry

from gateway.core.quant.lots import LotMethod
from plugins.portfolio.shapes.portfolios import Portfolio, PortfolioTransaction
from plugins.portfolio.transactions import TransactionKind
from schema.facts import facts
from schema.model import described, model
from schema.refusals import refusals
from schema.scopes import Scope
from schema.words.problems import UserError

ERRORS = "Why nothing happened; empty where it did."
VERSION = "The portfolio's `version` as it was read: another one is a conflict."
KEY = "The same key with the same input is done once."
READ = facts(cost=0, needs=Scope.PORTFOLIO_READ)
"""Who may only write is not shown what there is."""
SYMBOL = "An id such as `crypto:BTC/USD`, or a short form."

WORDS = {
    "CURRENCY_INVALID": "It is no currency that is known.",
    "CURRENCY_NEEDED": "In which currency the instrument is priced is not known: give it.",
    "CURRENCY_MISMATCH": "The instrument is priced in another currency.",
    "WEIGHTS_INVALID": "The weights do not sum to 1, or one of them is none.",
    "NOTIONAL_INVALID": "Weights need a notional above 0; nothing else has one.",
    "VERSION_CONFLICT": "Somebody has changed the portfolio meanwhile.",
    "TIME_INVALID": "It is in the future, or before 1970.",
    "KIND_INVALID": "This portfolio has no such transactions.",
    "FIELD_MISSING": "The kind needs a field that is not given.",
    "FIELD_UNEXPECTED": "The kind has no such field.",
    "NUMBER_INVALID": "A number is out of range.",
    "NOTE_INVALID": "The note is too long, or has a character that cannot be kept.",
    "TOO_MANY_TRANSACTIONS": "The portfolio has as much as one may have.",
    "TOO_MANY_HOLDINGS": "More holdings than may be given at once.",
}


def _said(*names: str) -> dict[str, str]:
    return {name: WORDS[name] for name in names}


_DRAFT = (
    "CURRENCY_INVALID", "CURRENCY_NEEDED", "CURRENCY_MISMATCH", "TIME_INVALID", "KIND_INVALID", "FIELD_MISSING",
    "FIELD_UNEXPECTED", "NUMBER_INVALID", "NOTE_INVALID", "TOO_MANY_TRANSACTIONS", "VERSION_CONFLICT",
)  # fmt: skip


@refusals(
    "Why a portfolio was not made.", TOO_MANY_PORTFOLIOS="The organisation has as many as it may have.",
    **_said("CURRENCY_INVALID", "CURRENCY_NEEDED", "CURRENCY_MISMATCH", "WEIGHTS_INVALID", "NOTIONAL_INVALID",
            "NUMBER_INVALID", "TOO_MANY_HOLDINGS"),
)  # fmt: skip
class PortfolioCreateErrorCode(StrEnum):
    """Expected refusals."""

    NAME_INVALID = "NAME_INVALID"
    CURRENCY_INVALID = "CURRENCY_INVALID"
    CURRENCY_NEEDED = "CURRENCY_NEEDED"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    SYMBOL_INVALID = "SYMBOL_INVALID"
    SYMBOL_AMBIGUOUS = "SYMBOL_AMBIGUOUS"
    WEIGHTS_INVALID = "WEIGHTS_INVALID"
    NOTIONAL_INVALID = "NOTIONAL_INVALID"
    NUMBER_INVALID = "NUMBER_INVALID"
    TOO_MANY_HOLDINGS = "TOO_MANY_HOLDINGS"
    TOO_MANY_PORTFOLIOS = "TOO_MANY_PORTFOLIOS"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals(
    "Why a portfolio was not changed.",
    **_said("CURRENCY_INVALID", "WEIGHTS_INVALID", "NOTIONAL_INVALID", "VERSION_CONFLICT"),
)
class PortfolioUpdateErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NAME_INVALID = "NAME_INVALID"
    CURRENCY_INVALID = "CURRENCY_INVALID"
    SYMBOL_INVALID = "SYMBOL_INVALID"
    SYMBOL_AMBIGUOUS = "SYMBOL_AMBIGUOUS"
    WEIGHTS_INVALID = "WEIGHTS_INVALID"
    NOTIONAL_INVALID = "NOTIONAL_INVALID"
    VERSION_CONFLICT = "VERSION_CONFLICT"


@refusals("Why a portfolio was not deleted.", **_said("VERSION_CONFLICT"))
class PortfolioDeleteErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    VERSION_CONFLICT = "VERSION_CONFLICT"


@refusals("Why a transaction was not recorded.", **_said(*_DRAFT))
class PortfolioTransactionRecordErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    SYMBOL_INVALID = "SYMBOL_INVALID"
    SYMBOL_AMBIGUOUS = "SYMBOL_AMBIGUOUS"
    CURRENCY_INVALID = "CURRENCY_INVALID"
    CURRENCY_NEEDED = "CURRENCY_NEEDED"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    TIME_INVALID = "TIME_INVALID"
    KIND_INVALID = "KIND_INVALID"
    FIELD_MISSING = "FIELD_MISSING"
    FIELD_UNEXPECTED = "FIELD_UNEXPECTED"
    NUMBER_INVALID = "NUMBER_INVALID"
    NOTE_INVALID = "NOTE_INVALID"
    TOO_MANY_TRANSACTIONS = "TOO_MANY_TRANSACTIONS"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals("Why a transaction was not deleted.", **_said("VERSION_CONFLICT"))
class PortfolioTransactionDeleteErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    VERSION_CONFLICT = "VERSION_CONFLICT"


@refusals(
    "Why a file was not imported; what is wrong in its rows stands in `errors`.",
    CSV_INVALID="It is no file of transactions, or too long.",
    **_said("CURRENCY_MISMATCH", "TOO_MANY_TRANSACTIONS", "VERSION_CONFLICT"),
)
class PortfolioImportErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    CSV_INVALID = "CSV_INVALID"
    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    TOO_MANY_TRANSACTIONS = "TOO_MANY_TRANSACTIONS"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@strawberry.input(description="A share of a portfolio.")
class PortfolioWeightInput:
    """All of them and `cashWeight` sum to 1."""

    symbol: str = strawberry.field(description=SYMBOL)
    weight: Decimal = strawberry.field(description="A fraction such as 0.25; negative where it is short.")


@strawberry.input(description="Units that a portfolio begins with.")
class PortfolioHoldingInput:
    """Recorded as brought in when the portfolio is made."""

    symbol: str = strawberry.field(description=SYMBOL)
    quantity: Decimal = strawberry.field(description="Units, above 0.")
    price: Decimal = strawberry.field(description="What each has cost.")
    currency: str | None = strawberry.field(
        description="Currency of the price; of a pair its quote currency.", default=None
    )


@strawberry.input(description="A new portfolio: empty, with holdings, or by weights.")
class PortfolioCreateInput:
    """Of the organisation."""

    name: str = strawberry.field(description="1 to 100 characters.")
    currency: str = strawberry.field(description="In which it is valued: ISO 4217, a stablecoin, BTC or ETH.")
    benchmark: str | None = strawberry.field(description=f"What it is compared with. {SYMBOL}", default=None)
    method: LotMethod = strawberry.field(
        description="Which units a sale takes, where nothing else is asked.", default=LotMethod.AVERAGE_COST
    )
    tracks_cash: bool = strawberry.field(
        description="Whether it holds cash. If not, what is bought counts as brought in, what is sold as taken out.",
        default=True,
    )
    holdings: list[PortfolioHoldingInput] | None = strawberry.field(
        description="Units that it begins with, at most 500.", default=None
    )
    weights: list[PortfolioWeightInput] | None = strawberry.field(
        description="Shares that always hold, in the place of transactions.", default=None
    )
    cash_weight: Decimal = strawberry.field(description="What weights leave as cash.", default=Decimal(0))
    notional: Decimal | None = strawberry.field(
        description="What the whole of a portfolio of weights is worth.", default=None
    )
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="Changes of a portfolio; what is left out stays.")
class PortfolioUpdateInput:
    """Of the organisation."""

    id: strawberry.ID = strawberry.field(description="The portfolio's id.")
    name: str | None = strawberry.field(description="Another name.", default=None)
    currency: str | None = strawberry.field(description="In which it is valued from now on.", default=None)
    benchmark: str | None = strawberry.field(
        description="Another benchmark; null takes it away.", default=strawberry.UNSET
    )
    method: LotMethod | None = strawberry.field(description="Which units a sale takes.", default=None)
    weights: list[PortfolioWeightInput] | None = strawberry.field(description="All weights anew.", default=None)
    cash_weight: Decimal = strawberry.field(description="What new weights leave as cash.", default=Decimal(0))
    notional: Decimal | None = strawberry.field(description="What the whole is worth.", default=None)
    version: int | None = strawberry.field(description=VERSION, default=None)


@strawberry.input(description="Which portfolio to delete.")
class PortfolioDeleteInput:
    """Its transactions go with it."""

    id: strawberry.ID = strawberry.field(description="The portfolio's id.")
    version: int | None = strawberry.field(description=VERSION, default=None)


@strawberry.input(description="Something that happened in a portfolio; each kind has its own fields.")
class PortfolioTransactionRecordInput:
    """BUY, SELL and transfers have quantity and price, payments and income an amount, a split its ratio."""

    portfolio_id: strawberry.ID = strawberry.field(description="The portfolio's id.")
    kind: TransactionKind = strawberry.field(description="What happened.")
    at: datetime = strawberry.field(description="When; not in the future.")
    symbol: str | None = strawberry.field(description=SYMBOL, default=None)
    quantity: Decimal | None = strawberry.field(description="Units, above 0: the kind says which way.", default=None)
    price: Decimal | None = strawberry.field(description="Of a unit.", default=None)
    amount: Decimal | None = strawberry.field(description="Cash: the kind says which way.", default=None)
    fee: Decimal | None = strawberry.field(description="What it has cost beside.", default=None)
    ratio: Decimal | None = strawberry.field(
        description="Units for each one held: 4, or 0.1 where it is a reverse split.", default=None
    )
    currency: str | None = strawberry.field(
        description="Of price, amount and fee. By default a pair's quote currency, that of the instrument's earlier "
        "transactions, or for cash the portfolio's.",
        default=None,
    )
    note: str | None = strawberry.field(description="At most 500 characters.", default=None)
    version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@strawberry.input(description="Which transaction to delete.")
class PortfolioTransactionDeleteInput:
    """As if it had never been recorded."""

    portfolio_id: strawberry.ID = strawberry.field(description="The portfolio's id.")
    transaction_id: strawberry.ID = strawberry.field(description="The transaction's id.")
    version: int | None = strawberry.field(description=VERSION, default=None)


@strawberry.input(description="A file of transactions.")
class PortfolioImportInput:
    """All rows, or with an error none."""

    portfolio_id: strawberry.ID = strawberry.field(description="The portfolio's id.")
    csv: str = strawberry.field(
        description="Comma-separated values. The first line names the columns: `at`, `kind`, and those of `symbol`, "
        "`quantity`, `price`, `amount`, `fee`, `ratio`, `currency`, `note` that are needed. At most 5,000 rows."
    )
    dry_run: bool = strawberry.field(description="Only say what would happen.", default=False)
    partial: bool = strawberry.field(description="Import the rows that are good, whatever others are.", default=False)
    version: int | None = strawberry.field(description=VERSION, default=None)
    idempotency_key: str | None = strawberry.field(description=KEY, default=None)


@model("What is wrong in a line of a file.")
class PortfolioImportError:
    """The first line, with the names of the columns, is 1."""

    line: int = described("The line on which the row begins.")
    column: str | None = described("The column as the file names it; null for the whole row.", default=None)
    message: str = described("What is wrong, in words.")


@model("What came of `portfolioCreate`.")
class PortfolioCreatePayload:
    """The portfolio, or why there is none."""

    portfolio: Portfolio | None = described("The new portfolio.", default=None, metadata=READ)
    user_errors: list[UserError[PortfolioCreateErrorCode]] = described(ERRORS)


@model("What came of `portfolioUpdate`.")
class PortfolioUpdatePayload:
    """All of the change was made, or nothing."""

    portfolio: Portfolio | None = described("The portfolio as it is now.", default=None, metadata=READ)
    user_errors: list[UserError[PortfolioUpdateErrorCode]] = described(ERRORS)


@model("What came of `portfolioDelete`.")
class PortfolioDeletePayload:
    """It is gone for good."""

    portfolio_id: strawberry.ID | None = described("What was deleted.", default=None)
    user_errors: list[UserError[PortfolioDeleteErrorCode]] = described(ERRORS)


@model("What came of `portfolioTransactionRecord`.")
class PortfolioTransactionRecordPayload:
    """The transaction, or why there is none."""

    portfolio: Portfolio | None = described("The portfolio as it is now.", default=None, metadata=READ)
    transaction: PortfolioTransaction | None = described("What was recorded.", default=None, metadata=READ)
    user_errors: list[UserError[PortfolioTransactionRecordErrorCode]] = described(ERRORS)


@model("What came of `portfolioTransactionDelete`.")
class PortfolioTransactionDeletePayload:
    """It is gone for good."""

    portfolio: Portfolio | None = described("The portfolio as it is now.", default=None, metadata=READ)
    transaction_id: strawberry.ID | None = described("What was deleted.", default=None)
    user_errors: list[UserError[PortfolioTransactionDeleteErrorCode]] = described(ERRORS)


@model("What came of `portfolioImport`.")
class PortfolioImportPayload:
    """How many rows were imported (in a dry run: would be), and what is wrong with the others."""

    portfolio: Portfolio | None = described("The portfolio as it is now.", default=None, metadata=READ)
    imported: int = described("Rows that were imported, or would be.", default=0)
    error_count: int = described("How many errors there are.", default=0)
    errors: list[PortfolioImportError] = described("The first hundred of them.")
    user_errors: list[UserError[PortfolioImportErrorCode]] = described(ERRORS)
