"""From what a caller wrote of an account to what is kept: Refused names the field and says what would pass. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from gateway.core.matching.model import ExecutionModel
from gateway.core.quant.lots import LotMethod
from plugins.trading.rows import AccountRow
from schema.currencies import decimals_of, read_currency
from schema.errors import BadInput
from schema.names import BadName, read_name
from schema.words.orders import AccountKind, MarginType
from schema.words.problems import Refused

SIMULATOR = "simulator"
"""The broker of paper accounts that fill on the gateway's own prices."""
MOST_LEVERAGE = Decimal(100)
LARGEST = Decimal(1_000_000_000_000)
USUAL_INTEREST = Decimal("0.05")
"""A year, of cash that is owed."""
FINEST_INTEREST = Decimal("0.000001")
LONGEST_REASON = 300
ONE = Decimal(1)


def is_valued(account: AccountRow) -> bool:
    """Whether its orders are judged by what all that it holds is worth: for its margin, or its greatest daily loss."""
    return account.margin == MarginType.MARGIN or account.max_daily_loss is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the caller wants of a new account, unread."""

    name: str
    kind: AccountKind = AccountKind.PAPER
    broker: str | None = None
    currency: str = "USD"
    initial_balance: Decimal = Decimal(0)
    margin: MarginType = MarginType.CASH
    leverage: Decimal = ONE
    margin_interest_rate: Decimal | None = None
    max_daily_loss: Decimal | None = None
    method: LotMethod = LotMethod.AVERAGE_COST
    shared: bool = False
    model: ExecutionModel
    confirm: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the caller wants otherwise; None leaves it as it is."""

    name: str | None = None
    leverage: Decimal | None = None
    margin_interest_rate: Decimal | None = None
    max_daily_loss: Decimal | None = None
    without_max_daily_loss: bool = False
    without_broker_account: bool = False
    method: LotMethod | None = None
    shared: bool | None = None
    model: ExecutionModel | None = None
    version: int | None = None


def name_of(text: str) -> str:
    """Trimmed."""
    try:
        return read_name(text)
    except BadName as bad:
        raise Refused("NAME_INVALID", str(bad), "name") from None


def reason_of(text: str) -> str:
    """Why something was halted, trimmed."""
    try:
        return read_name(text, longest=LONGEST_REASON)
    except BadName as bad:
        raise Refused("REASON_INVALID", str(bad).replace("name", "reason"), "reason") from None


def currency_of(text: str, field: str = "currency") -> str:
    """A code that is known, upper-cased."""
    try:
        return read_currency(field, text)
    except BadInput as bad:
        told = bad.message.removeprefix(f"{bad.field}: ")
        raise Refused("CURRENCY_INVALID", f"{told}.", field) from None


def balance_of(wish: Wish, currency: str) -> Decimal:
    """What a paper account begins with."""
    amount = wish.initial_balance
    if wish.kind is AccountKind.LIVE and amount:
        raise Refused("BALANCE_INVALID", "The balance of a LIVE account is its broker's: give 0.", "initialBalance")
    if not 0 <= amount <= LARGEST:
        raise Refused("BALANCE_INVALID", f"initialBalance must be 0 to {LARGEST:,}.", "initialBalance")
    step = ONE.scaleb(-decimals_of(currency))
    near = amount.quantize(step, rounding=ROUND_HALF_EVEN)
    if near != amount:
        told = f"{currency} has {decimals_of(currency)} decimals: initialBalance may be {near:f}, not {amount:f}."
        raise Refused("BALANCE_INVALID", told, "initialBalance")
    return near


def leverage_of(leverage: Decimal, margin: MarginType) -> Decimal:
    """1 in a CASH account; up to 100, in hundredths, in a MARGIN account."""
    if margin is MarginType.CASH and leverage != 1:
        told = "A CASH account borrows nothing: its leverage is 1. For more give margin MARGIN."
        raise Refused("LEVERAGE_INVALID", told, "leverage")
    if not 1 <= leverage <= MOST_LEVERAGE or leverage != leverage.quantize(Decimal("0.01")):
        told = f"leverage must be 1 to {MOST_LEVERAGE}, with at most 2 decimals."
        raise Refused("LEVERAGE_INVALID", told, "leverage")
    return leverage


def rate_of(rate: Decimal | None, margin: MarginType, kind: AccountKind) -> Decimal:
    """What a year of owed cash costs, as a fraction; 0 where nothing is owed to us."""
    if margin is MarginType.CASH or kind is AccountKind.LIVE:
        if rate:
            told = "Only a PAPER account of margin MARGIN owes us cash: leave marginInterestRate out."
            raise Refused("INTEREST_INVALID", told, "marginInterestRate")
        return Decimal(0)
    if rate is None:
        return USUAL_INTEREST
    if not 0 <= rate <= 1 or rate != rate.quantize(FINEST_INTEREST):
        told = "marginInterestRate must be 0 to 1, with at most 6 decimals: 0.05 is 5 % a year."
        raise Refused("INTEREST_INVALID", told, "marginInterestRate")
    return rate


def loss_of(amount: Decimal | None) -> Decimal | None:
    """The greatest daily loss, above zero."""
    if amount is not None and not 0 < amount <= LARGEST:
        told = f"maxDailyLoss must be above 0 and at most {LARGEST:,}; leave it out for none."
        raise Refused("LOSS_INVALID", told, "maxDailyLoss")
    return amount


def broker_of(wish: Wish, brokers: Collection[str]) -> str:
    """Who fills the orders: the simulator, or a broker that is connected."""
    wanted = (wish.broker or SIMULATOR).strip().lower()
    if wanted != SIMULATOR and wanted not in brokers:
        known = f"write one of {', '.join(sorted(brokers))}" if brokers else "none is connected to this gateway"
        raise Refused("BROKER_INVALID", f"{wish.broker!r:.40} is no broker here: {known}.", "broker")
    if wish.kind is AccountKind.PAPER and wanted != SIMULATOR:
        told = f"A PAPER account is filled by the gateway's own simulator: for {wanted} give kind LIVE."
        raise Refused("BROKER_INVALID", told, "broker")
    if wish.kind is AccountKind.LIVE and wanted == SIMULATOR:
        known = f": {', '.join(sorted(brokers))}" if brokers else "; none is connected to this gateway"
        raise Refused("BROKER_INVALID", f"A LIVE account needs a broker{known}.", "broker")
    return wanted


def check_live(wish: Wish, name: str, *, opted_in: bool) -> None:
    """Money needs the organisation's consent, and the caller's twice."""
    if wish.kind is not AccountKind.LIVE:
        return
    if not opted_in:
        told = "Your organisation has not opted in to live trading: an owner or admin does so with `tradingLiveOptIn`."
        raise Refused("LIVE_NOT_ENABLED", told, "kind")
    if wish.confirm != name:
        told = f"A LIVE account trades with money: write its name once more, confirm: {name!r}."
        raise Refused("CONFIRMATION_NEEDED", told, "confirm")


def check_free(wanted: AccountRow, taken: AccountRow | None) -> None:
    """A broker's money is booked in one account: an organisation has one key for it, and so one account there."""
    if wanted.kind == AccountKind.LIVE and taken is not None:
        told = f"{taken.name!r} ({taken.id}) is your organisation's account at {taken.broker}, and has all of its money"
        raise Refused("BROKER_TAKEN", f"{told}: use it, or delete it first.", "broker")


def not_empty(used: dict[str, list[str]]) -> Refused | None:
    """What keeps an account from being deleted, by name; None where nothing does."""
    ways = {
        "positions": "close them with `positionClose`", "orders": "cancel them with `ordersCancelAll`",
        "entries": "post or void them with `ledgerEntryPost` or `ledgerEntryVoid`",
        "schedules": "end them with `orderScheduleCancel`",
    }  # fmt: skip
    names = {"positions": "positions", "orders": "open orders", "entries": "pending entries", "schedules": "schedules"}
    told = [f"{names[kind]} {_few(each)}: {ways[kind]}" for kind, each in used.items() if each]
    return Refused("ACCOUNT_NOT_EMPTY", f"The account has {'; '.join(told)}.", "id") if told else None


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" and more" if len(names) > 5 else "")
