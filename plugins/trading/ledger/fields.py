"""The root fields of the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from plugins.trading.brokers.adjusting import UnitsDesk
from plugins.trading.ledger import inputs as given
from plugins.trading.ledger.desk import LedgerDesk
from plugins.trading.ledger.store import Filter
from plugins.trading.ledger.types import LedgerBalance, LedgerEntry, LedgerEntryConnection
from schema.arguments import After, From, PageSize, Until, says
from schema.errors import BadInput
from schema.facts import Arguments, facts
from schema.pages import page_length, page_size
from schema.paging import NO_CURSOR, PageInfo, make_cursor, read_cursor
from schema.scalars import Cursor
from schema.scopes import Scope
from schema.words.orders import EntryKind
from schema.words.problems import Refused

CURSOR = "ledgerentry"
PRICED = 5
"""Points of what asks for rates, and in a margin account for the prices of what it holds."""
SUMMED = 10
_DIGITS = 9

AccountId = Annotated[strawberry.ID, says("The account's id.")]


async def resolve_entries(
    info: Ctx,
    account_id: AccountId,
    kind: Annotated[EntryKind | None, says("Only entries of this kind.")] = None,
    start: From = None,
    end: Until = None,
    first: PageSize = 20,
    after: After = None,
) -> LedgerEntryConnection:
    """Of an account that the caller may see."""
    size, wanted = page_size(first), Filter(kind=kind, start=start, end=end)
    desk = info.context.service(LedgerDesk)
    rows = await desk.page(info.context, account_id, wanted, size + 1, _number(after))
    shown = rows[:size]
    page = PageInfo(
        has_next_page=len(rows) > size, has_previous_page=after is not None,
        start_cursor=_cursor(shown[0].row.number) if shown else None,
        end_cursor=_cursor(shown[-1].row.number) if shown else None,
    )  # fmt: skip
    return LedgerEntryConnection(nodes=[LedgerEntry.of(each) for each in shown], page_info=page)


async def resolve_balances(
    info: Ctx,
    account_id: AccountId,
    at: Annotated[datetime | None, says("As they stood at this instant; by default as they stand.")] = None,
) -> list[LedgerBalance]:
    """Of an account that the caller may see."""
    rows = await info.context.service(LedgerDesk).balances(info.context, account_id, at)
    return [LedgerBalance.of(row) for row in rows]


async def resolve_deposit(
    info: Ctx, input: Annotated[given.AccountDepositInput, says("How much of what.")]
) -> given.AccountDepositPayload:
    """Once."""
    try:
        entry = await info.context.service(LedgerDesk).deposit(
            info.context, input.account_id, input.currency, input.amount, input.memo, input.idempotency_key
        )
    except Refused as refused:
        return given.AccountDepositPayload(user_errors=[refused.error(given.AccountDepositErrorCode)])
    return given.AccountDepositPayload(entry=LedgerEntry.of(entry), user_errors=[])


async def resolve_withdraw(
    info: Ctx, input: Annotated[given.AccountWithdrawInput, says("How much of what.")]
) -> given.AccountWithdrawPayload:
    """Once."""
    try:
        entry = await info.context.service(LedgerDesk).withdraw(
            info.context, input.account_id, input.currency, input.amount, input.memo, input.idempotency_key,
            pending=input.pending,
        )  # fmt: skip
    except Refused as refused:
        return given.AccountWithdrawPayload(user_errors=[refused.error(given.AccountWithdrawErrorCode)])
    return given.AccountWithdrawPayload(entry=LedgerEntry.of(entry), user_errors=[])


async def resolve_adjust(
    info: Ctx, input: Annotated[given.AccountAdjustInput, says("How much of what, and why.")]
) -> given.AccountAdjustPayload:
    """Once."""
    try:
        entry = await info.context.service(LedgerDesk).adjust(
            info.context, input.account_id, input.currency, input.amount, input.reason, input.idempotency_key
        )
    except Refused as refused:
        return given.AccountAdjustPayload(user_errors=[refused.error(given.AccountAdjustErrorCode)])
    return given.AccountAdjustPayload(entry=LedgerEntry.of(entry), user_errors=[])


async def resolve_units(
    info: Ctx, input: Annotated[given.PositionAdjustInput, says("Of what, and why.")]
) -> given.PositionAdjustPayload:
    """Once: then nothing differs any more."""
    try:
        entry = await info.context.service(UnitsDesk).adjust(
            info.context, input.account_id, input.symbol, input.reason
        )  # fmt: skip
    except Refused as refused:
        error = refused.within(given.PositionAdjustInput, "accountId").error(given.PositionAdjustErrorCode)
        return given.PositionAdjustPayload(user_errors=[error])
    return given.PositionAdjustPayload(entry=LedgerEntry.of(entry), user_errors=[])


async def resolve_convert(
    info: Ctx, input: Annotated[given.AccountConvertInput, says("How much of what, into what.")]
) -> given.AccountConvertPayload:
    """Once."""
    try:
        made = await info.context.service(LedgerDesk).convert(
            info.context, input.account_id, input.from_currency, input.amount, input.to_currency, input.memo,
            input.idempotency_key,
        )  # fmt: skip
    except Refused as refused:
        return given.AccountConvertPayload(user_errors=[refused.error(given.AccountConvertErrorCode)])
    return given.AccountConvertPayload(entry=LedgerEntry.of(made.entry), rate=made.rate, user_errors=[])


async def resolve_transfer(
    info: Ctx, input: Annotated[given.AccountTransferInput, says("How much of what, from where to where.")]
) -> given.AccountTransferPayload:
    """Once."""
    try:
        out, into = await info.context.service(LedgerDesk).transfer(
            info.context, input.from_account_id, input.to_account_id, input.currency, input.amount, input.memo,
            input.idempotency_key,
        )  # fmt: skip
    except Refused as refused:
        return given.AccountTransferPayload(user_errors=[refused.error(given.AccountTransferErrorCode)])
    return given.AccountTransferPayload(
        from_entry=LedgerEntry.of(out), to_entry=LedgerEntry.of(into), user_errors=[]
    )  # fmt: skip


async def resolve_post(
    info: Ctx, input: Annotated[given.LedgerEntryPostInput, says("Which one.")]
) -> given.LedgerEntryPostPayload:
    """Once."""
    try:
        entry = await info.context.service(LedgerDesk).post(
            info.context, input.account_id, input.entry_id, input.idempotency_key
        )
    except Refused as refused:
        error = refused.within(given.LedgerEntryPostInput, "entryId").error(given.LedgerEntryPostErrorCode)
        return given.LedgerEntryPostPayload(user_errors=[error])
    return given.LedgerEntryPostPayload(entry=LedgerEntry.of(entry), user_errors=[])


async def resolve_void(
    info: Ctx, input: Annotated[given.LedgerEntryVoidInput, says("Which one.")]
) -> given.LedgerEntryVoidPayload:
    """Once."""
    try:
        entry = await info.context.service(LedgerDesk).void(
            info.context, input.account_id, input.entry_id, input.idempotency_key
        )
    except Refused as refused:
        return given.LedgerEntryVoidPayload(user_errors=[refused.error(given.LedgerEntryVoidErrorCode)])
    return given.LedgerEntryVoidPayload(entry=LedgerEntry.of(entry), user_errors=[])


async def resolve_reverse(
    info: Ctx, input: Annotated[given.LedgerEntryReverseInput, says("Which one.")]
) -> given.LedgerEntryReversePayload:
    """Once."""
    try:
        entry = await info.context.service(LedgerDesk).reverse(
            info.context, input.account_id, input.entry_id, input.memo, input.idempotency_key
        )
    except Refused as refused:
        error = refused.within(given.LedgerEntryReverseInput, "entryId").error(given.LedgerEntryReverseErrorCode)
        return given.LedgerEntryReversePayload(user_errors=[error])
    return given.LedgerEntryReversePayload(entry=LedgerEntry.of(entry), user_errors=[])


def balances_cost(arguments: Arguments) -> int:
    """What stands is kept; what stood is summed from all entries until then."""
    return SUMMED if arguments.get("at") is not None else 2


def _cursor(number: int) -> Cursor:
    return make_cursor(CURSOR, str(number))


def _number(after: Cursor | None) -> int | None:
    """The entry behind which the page begins."""
    if after is None:
        return None
    text = read_cursor(CURSOR, after)
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise BadInput("after", NO_CURSOR)
    return int(text)


@strawberry.type(description="Ledgers.")
class LedgerQuery:
    """Root fields."""

    ledger_entries: LedgerEntryConnection = strawberry.field(
        resolver=resolve_entries,
        description="The entries of an account's ledger, the newest first.",
        metadata=facts(times=page_length, needs=Scope.TRADING_READ),
    )
    ledger_balances: list[LedgerBalance] = strawberry.field(
        resolver=resolve_balances,
        description="What the entries of an account sum to, now or at an instant.",
        metadata=facts(cost=balances_cost, needs=Scope.TRADING_READ),
    )


@strawberry.type(description="Changes of ledgers.")
class LedgerMutation:
    """Root fields."""

    account_deposit: given.AccountDepositPayload = strawberry.field(
        resolver=resolve_deposit,
        description="Put money into a paper account.",
        metadata=facts(cost=PRICED, needs=Scope.TRADING_WRITE, also=Scope.MARKET_READ),
    )
    account_withdraw: given.AccountWithdrawPayload = strawberry.field(
        resolver=resolve_withdraw,
        description="Take money out of a paper account, or hold it until that is decided.",
        metadata=facts(cost=PRICED, needs=Scope.TRADING_WRITE, also=Scope.MARKET_READ),
    )
    account_adjust: given.AccountAdjustPayload = strawberry.field(
        resolver=resolve_adjust,
        description="Correct the money of a paper account, with a reason. For owners and admins.",
        metadata=facts(cost=PRICED, needs=Scope.TRADING_WRITE, also=Scope.MARKET_READ),
    )
    position_adjust: given.PositionAdjustPayload = strawberry.field(
        resolver=resolve_units,
        description="Book the units of a live account that its broker has taken or brought without a trade. For "
        "owners and admins.",
        metadata=facts(cost=PRICED, needs=Scope.TRADING_WRITE, also=Scope.MARKET_READ),
    )
    account_convert: given.AccountConvertPayload = strawberry.field(
        resolver=resolve_convert,
        description="Change money of a paper account into another currency, at the rate of now.",
        metadata=facts(cost=PRICED, needs=Scope.TRADING_WRITE, also=Scope.MARKET_READ),
    )
    account_transfer: given.AccountTransferPayload = strawberry.field(
        resolver=resolve_transfer,
        description="Move money between two paper accounts of the organisation.",
        metadata=facts(cost=PRICED, needs=Scope.TRADING_WRITE, also=Scope.MARKET_READ),
    )
    ledger_entry_post: given.LedgerEntryPostPayload = strawberry.field(
        resolver=resolve_post,
        description="Let a pending entry count.",
        metadata=facts(cost=PRICED, needs=Scope.TRADING_WRITE, also=Scope.MARKET_READ),
    )
    ledger_entry_void: given.LedgerEntryVoidPayload = strawberry.field(
        resolver=resolve_void,
        description="Give a pending entry up.",
        metadata=facts(cost=2, needs=Scope.TRADING_WRITE),
    )
    ledger_entry_reverse: given.LedgerEntryReversePayload = strawberry.field(
        resolver=resolve_reverse,
        description="Take an entry back that was booked by hand: a deposit, a withdrawal or a correction.",
        metadata=facts(cost=PRICED, needs=Scope.TRADING_WRITE, also=Scope.MARKET_READ),
    )
