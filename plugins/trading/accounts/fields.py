"""The root fields of accounts."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.trading.accounts import inputs as given
from plugins.trading.accounts.desk import AccountDesk
from plugins.trading.accounts.execution import model_of
from plugins.trading.accounts.rules import Change, Wish
from plugins.trading.accounts.switches import SwitchDesk, Switched
from plugins.trading.accounts.types import (
    AccountId,
    TradingAccount,
    TradingAccountConnection,
    TradingAccountMember,
    TradingSwitches,
)
from plugins.trading.rows import AccountRow
from schema.arguments import After, PageSize, says
from schema.facts import PROTECTING, facts
from schema.pages import Position, cut, page_length, page_size, position_of
from schema.scopes import Scope
from schema.words.problems import Refused
from schema.words.quotes import QUOTES

KIND = "tacc"
Made = Annotated[given.TradingAccountCreateInput, says("What to make.")]
Changed = Annotated[given.TradingAccountUpdateInput, says("What to change.")]
Deleted = Annotated[given.TradingAccountDeleteInput, says("What to delete.")]
Halted = Annotated[given.TradingAccountHaltInput, says("What to halt.")]
Resumed = Annotated[given.TradingAccountResumeInput, says("What to resume.")]
Member = Annotated[given.TradingAccountMemberSetInput, says("Who, and as what.")]
Reason = Annotated[given.TradingHaltInput, says("Why.")]
Consent = Annotated[given.TradingLiveOptInInput, says("Whether, and the words for it.")]


async def resolve_account(info: Ctx, id: AccountId) -> TradingAccount | None:
    """One."""
    return await find_account(info.context, id)


async def resolve_accounts(info: Ctx, first: PageSize = 20, after: After = None) -> TradingAccountConnection:
    """Those that the caller may see."""
    size, behind = page_size(first), position_of(KIND, after)
    rows = await info.context.service(AccountDesk).page(info.context, size + 1, behind)
    shown, page = cut(rows, kind=KIND, size=size, after=after, position=_position)
    return TradingAccountConnection(nodes=[TradingAccount.of(row) for row in shown], page_info=page)


async def resolve_switches(info: Ctx) -> TradingSwitches:
    """How they stand."""
    return TradingSwitches.of(await info.context.service(SwitchDesk).stand(info.context))


async def resolve_create(info: Ctx, input: Made) -> given.TradingAccountCreatePayload:
    """A new one."""
    try:
        model = model_of(given.plain_of(input.model), info.context.market.providers(QUOTES.name))
        wish = Wish(
            name=input.name, kind=input.kind, broker=input.broker, currency=input.currency,
            initial_balance=input.initial_balance, margin=input.margin, leverage=input.leverage,
            max_daily_loss=input.max_daily_loss, method=input.method, shared=input.shared, model=model,
            confirm=input.confirm, margin_interest_rate=input.margin_interest_rate,
        )  # fmt: skip
        row = await info.context.service(AccountDesk).create(info.context, wish, input.idempotency_key)
    except Refused as refused:
        return given.TradingAccountCreatePayload(user_errors=[refused.error(given.TradingAccountCreateErrorCode)])
    return given.TradingAccountCreatePayload(account=TradingAccount.of(row), user_errors=[])


async def resolve_update(info: Ctx, input: Changed) -> given.TradingAccountUpdatePayload:
    """All of the change, or nothing."""
    try:
        model = None
        if input.model is not None:
            model = model_of(given.plain_of(input.model), info.context.market.providers(QUOTES.name))
        change = Change(
            name=input.name, leverage=input.leverage, max_daily_loss=input.max_daily_loss,
            without_max_daily_loss=input.without_max_daily_loss, method=input.method, shared=input.shared, model=model,
            version=input.version, margin_interest_rate=input.margin_interest_rate,
            without_broker_account=input.without_broker_account,
        )  # fmt: skip
        row = await info.context.service(AccountDesk).update(info.context, input.id, change)
    except Refused as refused:
        return given.TradingAccountUpdatePayload(user_errors=[refused.error(given.TradingAccountUpdateErrorCode)])
    return given.TradingAccountUpdatePayload(account=TradingAccount.of(row), user_errors=[])


async def resolve_delete(info: Ctx, input: Deleted) -> given.TradingAccountDeletePayload:
    """It shows no more."""
    try:
        deleted = await info.context.service(AccountDesk).delete(info.context, input.id)
    except Refused as refused:
        return given.TradingAccountDeletePayload(user_errors=[refused.error(given.TradingAccountDeleteErrorCode)])
    return given.TradingAccountDeletePayload(account_id=strawberry.ID(deleted), user_errors=[])


async def resolve_account_halt(info: Ctx, input: Halted) -> given.TradingAccountHaltPayload:
    """No orders are taken."""
    return await _halted(info.context.service(AccountDesk).halt(info.context, input.id, input.reason))


async def resolve_account_resume(info: Ctx, input: Resumed) -> given.TradingAccountHaltPayload:
    """They are again."""
    return await _halted(info.context.service(AccountDesk).resume(info.context, input.id))


async def resolve_member_set(info: Ctx, input: Member) -> given.TradingAccountMemberSetPayload:
    """Who takes part."""
    desk = info.context.service(AccountDesk)
    try:
        rows = await desk.set_member(info.context, input.account_id, input.user_id, input.role)
    except Refused as refused:
        error = refused.error(given.TradingAccountMemberSetErrorCode)
        return given.TradingAccountMemberSetPayload(user_errors=[error])
    members = [TradingAccountMember.of(row) for row in rows]
    return given.TradingAccountMemberSetPayload(members=members, user_errors=[])


async def resolve_halt(info: Ctx, input: Reason) -> given.TradingSwitchPayload:
    """All accounts of the organisation."""
    return await _switched(info.context.service(SwitchDesk).halt(info.context, input.reason))


async def resolve_resume(info: Ctx) -> given.TradingSwitchPayload:
    """All accounts of the organisation."""
    return await _switched(info.context.service(SwitchDesk).resume(info.context))


async def resolve_opt_in(info: Ctx, input: Consent) -> given.TradingSwitchPayload:
    """Of the organisation."""
    desk = info.context.service(SwitchDesk)
    return await _switched(desk.opt_in(info.context, live=input.live, confirm=input.confirm))


async def resolve_fleet_halt(info: Ctx, input: Reason) -> given.TradingSwitchPayload:
    """All accounts of everybody."""
    return await _switched(info.context.service(SwitchDesk).halt_all(info.context, input.reason))


async def resolve_fleet_resume(info: Ctx) -> given.TradingSwitchPayload:
    """All accounts of everybody."""
    return await _switched(info.context.service(SwitchDesk).resume_all(info.context))


async def find_account(context: Context, id: str) -> TradingAccount | None:
    """By its id, for `node`; None for who may not see it."""
    if not context.principal.may(Scope.TRADING_READ):
        return None
    row = await context.service(AccountDesk).find(context, id)
    return TradingAccount.of(row) if row else None


async def _halted(doing: Awaitable[AccountRow]) -> given.TradingAccountHaltPayload:
    try:
        row = await doing
    except Refused as refused:
        return given.TradingAccountHaltPayload(user_errors=[refused.error(given.TradingAccountHaltErrorCode)])
    return given.TradingAccountHaltPayload(account=TradingAccount.of(row), user_errors=[])


async def _switched(doing: Awaitable[Switched]) -> given.TradingSwitchPayload:
    try:
        found = await doing
    except Refused as refused:
        return given.TradingSwitchPayload(user_errors=[refused.error(given.TradingSwitchErrorCode)])
    return given.TradingSwitchPayload(switches=TradingSwitches.of(found), user_errors=[])


def _position(row: AccountRow) -> Position:
    return row.created_at, row.id


@strawberry.type(description="Trading accounts.")
class AccountQuery:
    """Root fields."""

    trading_account: TradingAccount | None = strawberry.field(
        resolver=resolve_account,
        description="One trading account; null where the caller has none with this id.",
        metadata=facts(needs=Scope.TRADING_READ),
    )
    trading_accounts: TradingAccountConnection = strawberry.field(
        resolver=resolve_accounts,
        description="The trading accounts that the caller may see, the oldest first.",
        metadata=facts(times=page_length, needs=Scope.TRADING_READ),
    )
    trading_switches: TradingSwitches = strawberry.field(
        resolver=resolve_switches,
        description="Kill switches over all accounts, and whether live accounts may be made.",
        metadata=facts(needs=Scope.TRADING_READ),
    )


_WRITES = facts(cost=2, needs=Scope.TRADING_WRITE)
_PROTECTS = facts(cost=0, needs=Scope.TRADING_WRITE, per_minute=PROTECTING)
_PROTECTS_ALL = facts(cost=0, needs=Scope.OPERATOR_WRITE, per_minute=PROTECTING)


@strawberry.type(description="Changes of trading accounts.")
class AccountMutation:
    """Root fields. What halts costs nothing: whoever must stop trading may have spent all points."""

    trading_account_create: given.TradingAccountCreatePayload = strawberry.field(
        resolver=resolve_create, description="Make a trading account, with its first deposit.", metadata=_WRITES
    )
    trading_account_update: given.TradingAccountUpdatePayload = strawberry.field(
        resolver=resolve_update, description="Change a trading account.", metadata=_WRITES
    )
    trading_account_delete: given.TradingAccountDeletePayload = strawberry.field(
        resolver=resolve_delete,
        description="Delete a trading account that holds nothing and waits for nothing.",
        metadata=_WRITES,
    )
    trading_account_halt: given.TradingAccountHaltPayload = strawberry.field(
        resolver=resolve_account_halt,
        description="The kill switch of an account: it takes no orders until it is resumed.",
        metadata=_PROTECTS,
    )
    trading_account_resume: given.TradingAccountHaltPayload = strawberry.field(
        resolver=resolve_account_resume, description="Let an account take orders again.", metadata=_WRITES
    )
    trading_account_member_set: given.TradingAccountMemberSetPayload = strawberry.field(
        resolver=resolve_member_set,
        description="Let somebody look at an account or trade with it, or neither.",
        metadata=_WRITES,
    )
    trading_halt: given.TradingSwitchPayload = strawberry.field(
        resolver=resolve_halt,
        description="The kill switch of the organisation: none of its accounts takes orders. For owners and admins.",
        metadata=_PROTECTS,
    )
    trading_resume: given.TradingSwitchPayload = strawberry.field(
        resolver=resolve_resume,
        description="Let the organisation's accounts take orders again. For owners and admins.",
        metadata=_WRITES,
    )
    trading_live_opt_in: given.TradingSwitchPayload = strawberry.field(
        resolver=resolve_opt_in,
        description="Say whether the organisation may have accounts that trade with money. For owners and admins.",
        metadata=_WRITES,
    )
    trading_fleet_halt: given.TradingSwitchPayload = strawberry.field(
        resolver=resolve_fleet_halt,
        description="The operator's kill switch: no account of anybody takes orders.",
        metadata=_PROTECTS_ALL,
    )
    trading_fleet_resume: given.TradingSwitchPayload = strawberry.field(
        resolver=resolve_fleet_resume,
        description="Let everybody's accounts take orders again.",
        metadata=facts(cost=2, needs=Scope.OPERATOR_WRITE),
    )
