"""GraphQL inputs of accounts, payloads, and the codes of refusals."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

import strawberry

from gateway.core.matching.model import ExecutionModel, Fees, Slippage
from gateway.core.quant.lots import LotMethod
from plugins.trading.accounts.access import TradingMemberRole
from plugins.trading.accounts.types import TradingAccount, TradingAccountMember, TradingSwitches
from schema.model import described, model
from schema.refusals import refusals
from schema.words.orders import AccountKind, FillSource, MarginType, SlippageKind
from schema.words.problems import UserError

ERRORS = "Why nothing happened; empty where it did."
_PLAIN, _SLIP, _FEES = ExecutionModel(), Slippage(), Fees()


def _given(description: str, default: Any) -> Any:
    return strawberry.field(description=description, default=default)


def _asked(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.input(description="How much worse than the market a taker's fill is.")
class TradingSlippageInput:
    """Fractions are of the price."""

    kind: SlippageKind = _given("By what rule.", _SLIP.kind)
    bps: Decimal = _given("Of BASIS_POINTS, and the base of SIZE: 0 to 1,000 basis points.", _SLIP.bps)
    per_unit: Decimal = _given("Of SIZE: a fraction for each unit of size, 0 to 1.", _SLIP.per_unit)
    jitter: Decimal = _given("Of SIZE: the greatest random part, either way, 0 to 0.1.", _SLIP.jitter)
    most: Decimal = _given("Of SIZE and VOLUME_SHARE: never more than this fraction, 0 to 0.5.", _SLIP.most)
    impact: Decimal = _given("Of VOLUME_SHARE: the fraction at a share of 1, 0 to 1.", _SLIP.impact)


@strawberry.input(description="What fills cost, in the currency of the price.")
class TradingFeesInput:
    """Rates are fractions of the notional."""

    maker: Decimal = _given("Where another order came to it while it rested, 0 to 0.1.", _FEES.maker)
    taker: Decimal = _given("Where it took what was there, 0 to 0.1.", _FEES.taker)
    per_unit: Decimal = _given("For each unit, 0 to 1,000.", _FEES.per_unit)
    fixed: Decimal = _given("For each order, with its first fill, 0 to 1,000.", _FEES.fixed)
    least: Decimal = _given(
        "Never less than this, 0 to 1,000. 0.01 is a cent: it counts where the price is in money of ISO 4217 or in a "
        "stablecoin, and not in coins such as BTC; any other counts in all.",
        _FEES.least,
    )


@strawberry.input(description="How a paper account's orders are filled; what is left out has its default.")
class TradingExecutionModelInput:
    """The same model and prices fill the same way."""

    provider: str | None = _given("Whose prices; by default whoever answers first.", None)
    source: FillSource = _given("What orders are matched against.", _PLAIN.source)
    participation: Decimal = _given("The greatest share of what is offered that one order takes, up to 1.", Decimal(1))
    slippage: TradingSlippageInput | None = _given("How much worse than the market a taker's fill is.", None)
    fees: TradingFeesInput | None = _given("What fills cost.", None)
    latency_ms: int = _given("How long an order takes to reach the venue, 0 to 60,000.", _PLAIN.latency_ms)
    seed: int = _given("Of what is random, 0 or more.", _PLAIN.seed)
    max_age_ms: int = _given(
        "Of a price: an older one fills nothing while its market is open; 1 to 86,400,000.", _PLAIN.max_age_ms
    )
    collar_bps: int | None = _given(
        "How far a limit may lie on the wrong side of the market, 1 to 10,000; null lets any pass.", _PLAIN.collar_bps
    )
    extended_hours: bool = _given("Whether orders are filled before and after regular hours too.", False)


def plain_of(given: TradingExecutionModelInput | None) -> dict[str, Any]:
    """As `ExecutionModel.read` takes it; what was left out is left out."""
    return {} if given is None else _plain(given)


def _plain(given: Any) -> dict[str, Any]:
    found = {each.name: getattr(given, each.name) for each in fields(given)}
    return {name: _told(value) for name, value in found.items()}


def _told(value: Any) -> Any:
    """Decimals as texts: a refusal repeats what was given."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return _plain(value) if is_dataclass(value) else value


@strawberry.input(description="A new trading account.")
class TradingAccountCreateInput:
    """Of the caller; `shared` opens it to all members."""

    name: str = _asked("1 to 100 characters.")
    kind: AccountKind = _given("Paper or live.", AccountKind.PAPER)
    broker: str | None = _given("Who fills its orders; by default the simulator. LIVE needs one.", None)
    currency: str = _given("The base currency, such as USD, EUR or USDT.", "USD")
    initial_balance: Decimal = _given("Its first deposit, in that currency; 0 for LIVE.", Decimal(0))
    margin: MarginType = _given("Whether it may borrow.", MarginType.CASH)
    leverage: Decimal = _given("How many times its equity a MARGIN account may hold, 1 to 100.", Decimal(1))
    margin_interest_rate: Decimal | None = _given(
        "What a MARGIN account pays a year for cash that it owes, 0 to 1: by default 0.05, which is 5 %.", None
    )
    max_daily_loss: Decimal | None = _given("What it may lose in a UTC day; by default there is no limit.", None)
    method: LotMethod = _given("Which units a sale takes.", LotMethod.AVERAGE_COST)
    shared: bool = _given("Whether every member may look and trade, as their role lets them.", False)
    model: TradingExecutionModelInput | None = _given("How its orders are filled.", None)
    confirm: str | None = _given("For LIVE: the account's name once more.", None)
    idempotency_key: str | None = _given("The same key with the same input makes no second one.", None)


@strawberry.input(description="Changes of an account; what is left out stays.")
class TradingAccountUpdateInput:
    """Kind, broker, currency and margin stay as they are."""

    id: strawberry.ID = _asked("The account's id.")
    name: str | None = _given("Another name.", None)
    leverage: Decimal | None = _given("Another leverage; less only while nothing is open.", None)
    margin_interest_rate: Decimal | None = _given("Another yearly interest on owed cash, 0 to 1.", None)
    max_daily_loss: Decimal | None = _given("Another limit of what it may lose in a UTC day.", None)
    without_max_daily_loss: bool = _given("No limit any more.", False)
    without_broker_account: bool = _given(
        "Of a LIVE account whose account at the broker is no more: it takes the one that the organisation's key is of.",
        False,
    )
    method: LotMethod | None = _given("Another method; only while nothing is open.", None)
    shared: bool | None = _given("Whether every member may look and trade, as their role lets them.", None)
    model: TradingExecutionModelInput | None = _given("Another model, in place of the whole former one.", None)
    version: int | None = _given("Refuse the change where the account is at another version by now.", None)


@strawberry.input(description="Which account.")
class TradingAccountDeleteInput:
    """It must hold nothing, and wait for nothing."""

    id: strawberry.ID = _asked("The account's id.")


@strawberry.input(description="Which account to halt, and why.")
class TradingAccountHaltInput:
    """Its kill switch."""

    id: strawberry.ID = _asked("The account's id.")
    reason: str = _asked("Why, in 1 to 300 characters: whoever is refused reads it.")


@strawberry.input(description="Which account takes orders again.")
class TradingAccountResumeInput:
    """Its kill switch is off then."""

    id: strawberry.ID = _asked("The account's id.")


@strawberry.input(description="Who takes part in an account, and as what.")
class TradingAccountMemberSetInput:
    """Its owner, and the organisation's owners and admins, take part without that."""

    account_id: strawberry.ID = _asked("The account's id.")
    user_id: str = _asked("The user's id.")
    role: TradingMemberRole | None = _given("What they may do; null for nothing any more.", None)


@strawberry.input(description="Why trading is halted.")
class TradingHaltInput:
    """For all accounts of the organisation, or of everybody."""

    reason: str = _asked("Why, in 1 to 300 characters: whoever is refused reads it.")


@strawberry.input(description="Whether the organisation may have accounts that trade with money.")
class TradingLiveOptInInput:
    """Accounts that are there already stay."""

    live: bool = _asked("Whether it may.")
    confirm: str | None = _given("Where it may: the words `live trading`.", None)


_NOT_ALLOWED = "The caller may look at it only, or is no owner or admin of the organisation in person."
_NOT_EMPTY = "It holds positions, has open orders or schedules, or pending entries."
_CONFIRM = "Money needs a second word."


@refusals(
    "Why an account was not made.",
    CURRENCY_INVALID="It is no currency that is known.",
    BALANCE_INVALID="The first deposit is out of range, has too many decimals, or is a LIVE account's.",
    LEVERAGE_INVALID="The leverage is out of range, or a CASH account's.",
    INTEREST_INVALID="The interest is out of range, or is not a paper MARGIN account's.",
    LOSS_INVALID="The greatest daily loss is out of range.",
    MODEL_INVALID="A field of the execution model is out of its bounds.",
    BROKER_INVALID="There is no such broker here, or a LIVE account has none.",
    BROKER_TAKEN="The organisation has an account at this broker, which has all of its money.",
    LIVE_NOT_ENABLED="The organisation has not opted in to live trading.",
    CONFIRMATION_NEEDED=_CONFIRM,
    TOO_MANY_ACCOUNTS="The organisation has as many accounts as it may have.",
)
class TradingAccountCreateErrorCode(StrEnum):
    """Expected refusals."""

    NAME_INVALID = "NAME_INVALID"
    CURRENCY_INVALID = "CURRENCY_INVALID"
    BALANCE_INVALID = "BALANCE_INVALID"
    LEVERAGE_INVALID = "LEVERAGE_INVALID"
    INTEREST_INVALID = "INTEREST_INVALID"
    LOSS_INVALID = "LOSS_INVALID"
    MODEL_INVALID = "MODEL_INVALID"
    BROKER_INVALID = "BROKER_INVALID"
    BROKER_TAKEN = "BROKER_TAKEN"
    LIVE_NOT_ENABLED = "LIVE_NOT_ENABLED"
    CONFIRMATION_NEEDED = "CONFIRMATION_NEEDED"
    TOO_MANY_ACCOUNTS = "TOO_MANY_ACCOUNTS"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"


@refusals(
    "Why an account was not changed.",
    NOT_ALLOWED=_NOT_ALLOWED,
    LEVERAGE_INVALID="The leverage is out of range, or a CASH account's.",
    INTEREST_INVALID="The interest is out of range, or is not a paper MARGIN account's.",
    LOSS_INVALID="The greatest daily loss is out of range.",
    MODEL_INVALID="A field of the execution model is out of its bounds.",
    ACCOUNT_NOT_EMPTY=_NOT_EMPTY,
    VERSION_CONFLICT="Somebody has changed it meanwhile.",
)
class TradingAccountUpdateErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    NAME_INVALID = "NAME_INVALID"
    LEVERAGE_INVALID = "LEVERAGE_INVALID"
    INTEREST_INVALID = "INTEREST_INVALID"
    LOSS_INVALID = "LOSS_INVALID"
    MODEL_INVALID = "MODEL_INVALID"
    ACCOUNT_NOT_EMPTY = "ACCOUNT_NOT_EMPTY"
    VERSION_CONFLICT = "VERSION_CONFLICT"


@refusals("Why an account was not deleted.", NOT_ALLOWED=_NOT_ALLOWED, ACCOUNT_NOT_EMPTY=_NOT_EMPTY)
class TradingAccountDeleteErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    ACCOUNT_NOT_EMPTY = "ACCOUNT_NOT_EMPTY"


@refusals("Why an account was not halted or resumed.", NOT_ALLOWED=_NOT_ALLOWED)
class TradingAccountHaltErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    REASON_INVALID = "REASON_INVALID"


@refusals(
    "Why nobody takes part in another way.",
    NOT_ALLOWED=_NOT_ALLOWED,
    MEMBER_INVALID="It is no user's id, or the owner's.",
    TOO_MANY_MEMBERS="The account has as many members as it may have.",
)
class TradingAccountMemberSetErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    MEMBER_INVALID = "MEMBER_INVALID"
    TOO_MANY_MEMBERS = "TOO_MANY_MEMBERS"


@refusals("Why nothing was switched.", NOT_ALLOWED=_NOT_ALLOWED, CONFIRMATION_NEEDED=_CONFIRM)
class TradingSwitchErrorCode(StrEnum):
    """Expected refusals."""

    NOT_ALLOWED = "NOT_ALLOWED"
    REASON_INVALID = "REASON_INVALID"
    CONFIRMATION_NEEDED = "CONFIRMATION_NEEDED"


@model("What came of `tradingAccountCreate`.")
class TradingAccountCreatePayload:
    """The account, or why there is none."""

    account: TradingAccount | None = described("The new account.", default=None)
    user_errors: list[UserError[TradingAccountCreateErrorCode]] = described(ERRORS)


@model("What came of `tradingAccountUpdate`.")
class TradingAccountUpdatePayload:
    """All of the change was made, or nothing."""

    account: TradingAccount | None = described("The account as it is now.", default=None)
    user_errors: list[UserError[TradingAccountUpdateErrorCode]] = described(ERRORS)


@model("What came of `tradingAccountDelete`.")
class TradingAccountDeletePayload:
    """It shows no more; its ledger stays in the organisation's export."""

    account_id: strawberry.ID | None = described("What was deleted.", default=None)
    user_errors: list[UserError[TradingAccountDeleteErrorCode]] = described(ERRORS)


@model("What came of `tradingAccountHalt` or `tradingAccountResume`.")
class TradingAccountHaltPayload:
    """The kill switch of one account."""

    account: TradingAccount | None = described("The account as it is now.", default=None)
    user_errors: list[UserError[TradingAccountHaltErrorCode]] = described(ERRORS)


@model("What came of `tradingAccountMemberSet`.")
class TradingAccountMemberSetPayload:
    """Who takes part now."""

    members: list[TradingAccountMember] | None = described("All of them.", default=None)
    user_errors: list[UserError[TradingAccountMemberSetErrorCode]] = described(ERRORS)


@model("What came of switching trading off or on.")
class TradingSwitchPayload:
    """For all accounts of the organisation, or of everybody."""

    switches: TradingSwitches | None = described("How they stand now.", default=None)
    user_errors: list[UserError[TradingSwitchErrorCode]] = described(ERRORS)
