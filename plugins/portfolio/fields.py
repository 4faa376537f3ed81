"""The root fields of portfolios."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.portfolio.desk import Change, PortfolioDesk, Wish
from plugins.portfolio.recording import TransactionDesk
from plugins.portfolio.shapes import inputs as given
from plugins.portfolio.shapes.portfolios import Portfolio, PortfolioConnection, PortfolioTransaction
from plugins.portfolio.transactions import Draft
from plugins.portfolio.wishes import Opening, Weighted
from schema.arguments import After, PageSize, says
from schema.facts import facts
from schema.pages import cut, page_length, page_size, position_of
from schema.scopes import Scope
from schema.words.problems import Refused

IMPORTED = 20
"""Points of an import."""

Id = Annotated[strawberry.ID, says("The portfolio's id.")]


async def find_portfolio(context: Context, id: str) -> Portfolio | None:
    """By its id, for `node`; None for who may not read portfolios."""
    if not context.principal.may(Scope.PORTFOLIO_READ):
        return None
    row = await context.service(PortfolioDesk).find(context, id)
    return Portfolio.of(row) if row else None


async def resolve_portfolio(info: Ctx, id: Id) -> Portfolio | None:
    """One of the organisation's."""
    return await find_portfolio(info.context, id)


async def resolve_portfolios(info: Ctx, first: PageSize = 20, after: After = None) -> PortfolioConnection:
    """The organisation's."""
    size, behind = page_size(first), position_of("portfolio", after)
    rows = await info.context.service(PortfolioDesk).page(info.context, size + 1, behind=behind)
    shown, page = cut(rows, kind="portfolio", size=size, after=after, position=lambda row: (row.created_at, row.id))
    return PortfolioConnection(nodes=[Portfolio.of(row) for row in shown], page_info=page)


async def resolve_create(
    info: Ctx, input: Annotated[given.PortfolioCreateInput, says("What to make.")]
) -> given.PortfolioCreatePayload:
    """A new one."""
    holdings = [
        Opening(symbol=each.symbol, quantity=each.quantity, price=each.price, currency=each.currency)
        for each in input.holdings or ()
    ]
    wish = Wish(
        name=input.name, currency=input.currency, benchmark=input.benchmark, method=input.method.value,
        tracks_cash=input.tracks_cash, weights=_weights(input.weights), cash_weight=input.cash_weight,
        notional=input.notional, holdings=holdings,
    )  # fmt: skip
    try:
        row = await info.context.service(PortfolioDesk).create(info.context, wish, input.idempotency_key)
    except Refused as refused:
        return given.PortfolioCreatePayload(user_errors=[refused.error(given.PortfolioCreateErrorCode)])
    return given.PortfolioCreatePayload(portfolio=Portfolio.of(row), user_errors=[])


async def resolve_update(
    info: Ctx, input: Annotated[given.PortfolioUpdateInput, says("What to change.")]
) -> given.PortfolioUpdatePayload:
    """All of the change, or nothing."""
    benchmark: Any = input.benchmark
    change = Change(
        name=input.name, currency=input.currency, method=input.method and input.method.value, version=input.version,
        benchmark=None if benchmark is strawberry.UNSET else benchmark, without_benchmark=benchmark is None,
        weights=_weights(input.weights), cash_weight=input.cash_weight, notional=input.notional,
    )  # fmt: skip
    try:
        row = await info.context.service(PortfolioDesk).update(info.context, input.id, change)
    except Refused as refused:
        return given.PortfolioUpdatePayload(user_errors=[refused.error(given.PortfolioUpdateErrorCode)])
    return given.PortfolioUpdatePayload(portfolio=Portfolio.of(row), user_errors=[])


async def resolve_delete(
    info: Ctx, input: Annotated[given.PortfolioDeleteInput, says("What to delete.")]
) -> given.PortfolioDeletePayload:
    """For good."""
    try:
        deleted = await info.context.service(PortfolioDesk).delete(info.context, input.id, input.version)
    except Refused as refused:
        return given.PortfolioDeletePayload(user_errors=[refused.error(given.PortfolioDeleteErrorCode)])
    return given.PortfolioDeletePayload(portfolio_id=strawberry.ID(deleted), user_errors=[])


async def resolve_record(
    info: Ctx, input: Annotated[given.PortfolioTransactionRecordInput, says("What happened.")]
) -> given.PortfolioTransactionRecordPayload:
    """A new one."""
    draft = Draft(
        kind=input.kind, at=input.at, symbol=input.symbol, quantity=input.quantity, price=input.price,
        amount=input.amount, fee=input.fee, ratio=input.ratio, currency=input.currency, note=input.note,
    )  # fmt: skip
    desk, codes = info.context.service(TransactionDesk), given.PortfolioTransactionRecordErrorCode
    try:
        row, made = await desk.record(info.context, input.portfolio_id, draft, input.version, input.idempotency_key)
    except Refused as refused:
        return given.PortfolioTransactionRecordPayload(user_errors=[refused.error(codes)])
    return given.PortfolioTransactionRecordPayload(
        portfolio=Portfolio.of(row), transaction=PortfolioTransaction.of(made), user_errors=[]
    )


async def resolve_unrecord(
    info: Ctx, input: Annotated[given.PortfolioTransactionDeleteInput, says("What to delete.")]
) -> given.PortfolioTransactionDeletePayload:
    """As if it had never been recorded."""
    desk, codes = info.context.service(TransactionDesk), given.PortfolioTransactionDeleteErrorCode
    try:
        row, gone = await desk.delete(info.context, input.portfolio_id, input.transaction_id, input.version)
    except Refused as refused:
        return given.PortfolioTransactionDeletePayload(user_errors=[refused.error(codes)])
    return given.PortfolioTransactionDeletePayload(
        portfolio=Portfolio.of(row), transaction_id=strawberry.ID(gone), user_errors=[]
    )


async def resolve_import(
    info: Ctx, input: Annotated[given.PortfolioImportInput, says("The file.")]
) -> given.PortfolioImportPayload:
    """All rows, or with an error none."""
    try:
        found = await info.context.service(TransactionDesk).import_csv(
            info.context, input.portfolio_id, input.csv, dry=input.dry_run, partial=input.partial,
            version=input.version, key=input.idempotency_key,
        )  # fmt: skip
    except Refused as refused:
        error = refused.error(given.PortfolioImportErrorCode)
        return given.PortfolioImportPayload(errors=[], user_errors=[error])
    errors = [
        given.PortfolioImportError(line=each.line, column=each.column, message=each.message) for each in found.errors
    ]
    return given.PortfolioImportPayload(
        portfolio=Portfolio.of(found.portfolio), imported=found.imported, error_count=found.error_count,
        errors=errors, user_errors=[],
    )  # fmt: skip


def _weights(told: list[given.PortfolioWeightInput] | None) -> list[Weighted] | None:
    return None if told is None else [Weighted(symbol=each.symbol, weight=each.weight) for each in told]


@strawberry.type(description="Portfolios.")
class PortfolioQuery:
    """Root fields."""

    portfolio: Portfolio | None = strawberry.field(
        resolver=resolve_portfolio,
        description="One of the organisation's portfolios; null where there is none with this id.",
        metadata=facts(needs=Scope.PORTFOLIO_READ),
    )
    portfolios: PortfolioConnection = strawberry.field(
        resolver=resolve_portfolios,
        description="The organisation's portfolios, the oldest first.",
        metadata=facts(times=page_length, needs=Scope.PORTFOLIO_READ),
    )


@strawberry.type(description="Changes of portfolios.")
class PortfolioMutation:
    """Root fields."""

    portfolio_create: given.PortfolioCreatePayload = strawberry.field(
        resolver=resolve_create,
        description="Make a portfolio: empty, with holdings, or by weights.",
        metadata=facts(cost=2, needs=Scope.PORTFOLIO_WRITE),
    )
    portfolio_update: given.PortfolioUpdatePayload = strawberry.field(
        resolver=resolve_update,
        description="Change a portfolio.",
        metadata=facts(cost=2, needs=Scope.PORTFOLIO_WRITE),
    )
    portfolio_delete: given.PortfolioDeletePayload = strawberry.field(
        resolver=resolve_delete,
        description="Delete a portfolio with all its transactions.",
        metadata=facts(cost=2, needs=Scope.PORTFOLIO_WRITE),
    )
    portfolio_transaction_record: given.PortfolioTransactionRecordPayload = strawberry.field(
        resolver=resolve_record,
        description="Record what happened in a portfolio, also of a day long past.",
        metadata=facts(cost=2, needs=Scope.PORTFOLIO_WRITE),
    )
    portfolio_transaction_delete: given.PortfolioTransactionDeletePayload = strawberry.field(
        resolver=resolve_unrecord,
        description="Delete a transaction, as if it had never been recorded.",
        metadata=facts(cost=2, needs=Scope.PORTFOLIO_WRITE),
    )
    portfolio_import: given.PortfolioImportPayload = strawberry.field(
        resolver=resolve_import,
        description="Import transactions from CSV: all rows, or with an error none, each error with line and column.",
        metadata=facts(cost=IMPORTED, needs=Scope.PORTFOLIO_WRITE),
    )
