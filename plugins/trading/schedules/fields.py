"""The root fields of schedules."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

import strawberry

from gateway.core.contract import Ctx
from plugins.trading.rows import ScheduleRow
from plugins.trading.schedules.desk import ScheduleDesk, ScheduleWish
from plugins.trading.schedules.times import OrderScheduleEvery
from schema.arguments import says
from schema.errors import BadInput
from schema.facts import facts
from schema.model import described, model
from schema.pages import Position, cut, page_length, page_size, position_of
from schema.paging import DEFAULT_PAGE, PageInfo
from schema.refusals import refusals
from schema.scalars import Cursor
from schema.scopes import Scope
from schema.words.problems import Refused, UserError
from schema.words.trades import Side

SCHEDULES = "schedule"
ERRORS = "Why nothing happened; empty where it did."

AccountId = Annotated[strawberry.ID, says("The account's id.")]
IsActive = Annotated[bool | None, says("Only those that go on, or only those that have ended.")]
First = Annotated[int | None, says("Rows of the page, 1 to 100.")]
After = Annotated[Cursor | None, says("Continue behind this cursor.")]


@refusals(
    "Why there is no schedule.",
    SCHEDULE_INVALID="It contradicts itself; the message names the field.",
    UNKNOWN_INSTRUMENT="Nobody knows the symbol, or it cannot be traded.",
    MARKET_CLOSED="The instrument is halted or delisted.",
    NO_PRICE="Nobody tells the currency of its price now.",
    MARGIN_ACCOUNT_REQUIRED="A derivative is traded in a MARGIN account.",
    SIZE_OFF_STEP="The quantity is no multiple of the instrument's step.",
    SIZE_BELOW_MINIMUM="The quantity is below the instrument's least.",
    SIZE_ABOVE_MAXIMUM="The quantity is above the instrument's greatest.",
    NOTIONAL_BELOW_MINIMUM="The order would be worth less than the instrument's least.",
    NOT_ALLOWED="You may look at the account, and not trade with it.",
    TOO_MANY_SCHEDULES="The account has as many schedules as it may have.",
)
class OrderScheduleCreateErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    SCHEDULE_INVALID = "SCHEDULE_INVALID"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    MARKET_CLOSED = "MARKET_CLOSED"
    NO_PRICE = "NO_PRICE"
    MARGIN_ACCOUNT_REQUIRED = "MARGIN_ACCOUNT_REQUIRED"
    SIZE_OFF_STEP = "SIZE_OFF_STEP"
    SIZE_BELOW_MINIMUM = "SIZE_BELOW_MINIMUM"
    SIZE_ABOVE_MAXIMUM = "SIZE_ABOVE_MAXIMUM"
    NOTIONAL_BELOW_MINIMUM = "NOTIONAL_BELOW_MINIMUM"
    NOT_ALLOWED = "NOT_ALLOWED"
    TOO_MANY_SCHEDULES = "TOO_MANY_SCHEDULES"


@refusals("Why it was not cancelled.", NOT_ALLOWED="You may look at the account, and not trade with it.")
class OrderScheduleCancelErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"


@strawberry.input(description="A market order to be placed at regular times.")
class OrderScheduleCreateInput:
    """Of a paper account."""

    account_id: strawberry.ID = strawberry.field(description="The account's id.")
    symbol: str = strawberry.field(description="An id such as `crypto:BTC/USD`, or a short form.")
    side: Side = strawberry.field(description="BUY or SELL.")
    every: OrderScheduleEvery = strawberry.field(description="How often.")
    quantity: Decimal | None = strawberry.field(description="How much each time; or give notional.", default=None)
    notional: Decimal | None = strawberry.field(description="For how much money each time.", default=None)
    start_at: datetime | None = strawberry.field(
        description="When the first one is due, and what the others are counted from; by default now. One that lies in "
        "the past begins with the next regular time.",
        default=None,
    )
    end_at: datetime | None = strawberry.field(description="None is placed after it.", default=None)
    most: int | None = strawberry.field(description="How many orders at most, 1 to 10,000.", default=None)
    strategy: str | None = strawberry.field(description="A tag of all its orders.", default=None)
    idempotency_key: str | None = strawberry.field(description="The same key is the same schedule.", default=None)

    def wish(self) -> ScheduleWish:
        """What is wanted."""
        return ScheduleWish(
            symbol=self.symbol, side=self.side, every=self.every, quantity=self.quantity, notional=self.notional,
            start_at=self.start_at, end_at=self.end_at, most=self.most, strategy=self.strategy,
        )  # fmt: skip


@strawberry.input(description="Which schedule.")
class OrderScheduleCancelInput:
    """What it has placed stays."""

    schedule_id: strawberry.ID = strawberry.field(description="The schedule's id.")


@model("A market order that is placed at regular times.")
class OrderSchedule:
    """After a pause one order is placed, and the next at its regular time: what was missed is not made up for."""

    id: strawberry.ID = described("Its orders' client ids begin with it, unless you have called an order so.")
    account_id: strawberry.ID = described("The account that it is of.")
    symbol: str = described("The instrument's id.")
    side: Side = described("To buy or to sell.")
    every: OrderScheduleEvery = described("How often.")
    quantity: Decimal | None = described("How much each time.", default=None)
    notional: Decimal | None = described("For how much money each time.", default=None)
    start_at: datetime = described("What its times are counted from.")
    next_at: datetime | None = described("When the next order is due; null once it has ended.", default=None)
    end_at: datetime | None = described("None is placed after it.", default=None)
    most: int | None = described("How many orders at most.", default=None)
    placed: int = described("How many orders were placed.")
    strategy: str | None = described("The tag of its orders.", default=None)
    active: bool = described("Whether it goes on.")
    problem: str | None = described(
        "Why the last order was refused or not placed, or why it ended before its time, as a code and words.",
        default=None,
    )
    last_order_id: strawberry.ID | None = described("The newest of its orders.", default=None)
    created_at: datetime = described("When it was made.")
    changed_at: datetime = described("When it changed last.")

    @classmethod
    def of(cls, row: ScheduleRow) -> Self:
        """From a row."""
        return cls(
            id=strawberry.ID(row.id), account_id=strawberry.ID(row.account_id), symbol=row.instrument,
            side=Side(row.side), every=OrderScheduleEvery(row.every), quantity=row.quantity, notional=row.notional,
            start_at=row.start_at, next_at=row.next_at, end_at=row.end_at, most=row.most, placed=row.placed,
            strategy=row.strategy, active=row.active, problem=row.problem,
            last_order_id=strawberry.ID(row.last_order_id) if row.last_order_id else None, created_at=row.created_at,
            changed_at=row.changed_at,
        )  # fmt: skip


@model("A page of schedules.")
class OrderScheduleConnection:
    """The newest first."""

    nodes: list[OrderSchedule] = described("The schedules.")
    page_info: PageInfo = described("Where this page stands.")


@model("What came of `orderScheduleCreate`.")
class OrderScheduleCreatePayload:
    """The schedule, or why there is none."""

    order_schedule: OrderSchedule | None = described("The schedule.", default=None)
    user_errors: list[UserError[OrderScheduleCreateErrorCode]] = described(ERRORS)


@model("What came of `orderScheduleCancel`.")
class OrderScheduleCancelPayload:
    """The schedule, ended."""

    order_schedule: OrderSchedule | None = described("The schedule as it is now.", default=None)
    user_errors: list[UserError[OrderScheduleCancelErrorCode]] = described(ERRORS)


async def resolve_schedules(
    info: Ctx, account_id: AccountId, active: IsActive = None, first: First = DEFAULT_PAGE, after: After = None
) -> OrderScheduleConnection:
    """Of one account."""
    size, behind = page_size(first), position_of(SCHEDULES, after)
    desk = info.context.service(ScheduleDesk)
    rows = await desk.page(info.context, account_id, size + 1, active=active, behind=behind)
    if rows is None:
        raise BadInput("accountId", "you have no trading account with this id: `tradingAccounts` lists yours")
    shown, page = cut(rows, kind=SCHEDULES, size=size, after=after, position=_position)
    return OrderScheduleConnection(nodes=[OrderSchedule.of(row) for row in shown], page_info=page)


def _position(row: ScheduleRow) -> Position:
    return row.created_at, row.id


async def resolve_create(
    info: Ctx, input: Annotated[OrderScheduleCreateInput, says("What to place, and when.")]
) -> OrderScheduleCreatePayload:
    """The first order is placed by the engine, once it is due."""
    desk = info.context.service(ScheduleDesk)
    try:
        row = await desk.create(info.context, input.account_id, input.wish(), input.idempotency_key)
    except Refused as refused:
        return OrderScheduleCreatePayload(user_errors=[refused.error(OrderScheduleCreateErrorCode)])
    return OrderScheduleCreatePayload(order_schedule=OrderSchedule.of(row), user_errors=[])


async def resolve_cancel(
    info: Ctx, input: Annotated[OrderScheduleCancelInput, says("Which.")]
) -> OrderScheduleCancelPayload:
    """No more orders."""
    try:
        row = await info.context.service(ScheduleDesk).cancel(info.context, input.schedule_id)
    except Refused as refused:
        return OrderScheduleCancelPayload(user_errors=[refused.error(OrderScheduleCancelErrorCode)])
    return OrderScheduleCancelPayload(order_schedule=OrderSchedule.of(row), user_errors=[])


@strawberry.type(description="Schedules of orders.")
class ScheduleQuery:
    """Root fields."""

    order_schedules: OrderScheduleConnection = strawberry.field(
        resolver=resolve_schedules,
        description="An account's schedules, the newest first.",
        metadata=facts(times=page_length, needs=Scope.TRADING_READ),
    )


@strawberry.type(description="Making and ending schedules of orders.")
class ScheduleMutation:
    """Root fields."""

    order_schedule_create: OrderScheduleCreatePayload = strawberry.field(
        resolver=resolve_create,
        description="Let a market order be placed at regular times, such as a sum every month.",
        metadata=facts(cost=10, needs=Scope.TRADING_WRITE, also=Scope.MARKET_READ),
    )
    order_schedule_cancel: OrderScheduleCancelPayload = strawberry.field(
        resolver=resolve_cancel,
        description="End a schedule; what it has placed stays.",
        metadata=facts(cost=2, needs=Scope.TRADING_WRITE),
    )
