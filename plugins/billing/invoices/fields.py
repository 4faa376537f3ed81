"""Root fields of invoices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from gateway.core.ports import Audit
from plugins.billing.arguments import After, First
from plugins.billing.calendar import Month
from plugins.billing.invoices.desk import GRACE, InvoiceDesk
from plugins.billing.invoices.store import InvoiceDirectory, InvoiceRow, InvoiceRows, LineRow
from plugins.billing.invoices.types import (
    Invoice,
    InvoiceConnection,
    InvoiceEdge,
    InvoiceRunErrorCode,
    InvoiceRunInput,
    InvoiceRunPayload,
    InvoiceSettleErrorCode,
    InvoiceSettleInput,
    InvoiceSettlePayload,
    shown,
)
from plugins.billing.spreadsheet import Cell, csv_of
from schema.arguments import says
from schema.errors import BadInput
from schema.names import could_be_id
from schema.paging import PageInfo, check_page_size, make_cursor, read_cursor
from schema.words.problems import UserError

KIND = "invoice"
HEADER = (
    "number", "month", "status", "kind", "description", "plan", "firstDay", "endDay", "quantity", "per", "unitPrice",
    "amount", "currency",
)  # fmt: skip

Id = Annotated[strawberry.ID, strawberry.argument(description="The invoice's id.")]
Whose = Annotated[strawberry.ID | None, strawberry.argument(description="Only of this organisation.")]
InMonth = Annotated[str | None, strawberry.argument(description="Only of this month, such as `2026-11`.")]


async def resolve_invoices(info: Ctx, first: First = 20, after: After = None) -> InvoiceConnection:
    """The caller's own."""
    tenant, rows, before = info.context.tenant, InvoiceRows(), _before(first, after)
    async with info.context.host.store.read() as tx:
        found = await rows.page(tx, tenant, before, first + 1)
        lines = await rows.lines(tx, tenant, [row.id for row in found[:first]])
    return _connection(found, lines, first, before)


async def resolve_operator_invoices(
    info: Ctx, organisation_id: Whose = None, month: InMonth = None, first: First = 20, after: After = None
) -> InvoiceConnection:
    """Everybody's."""
    if month is not None and Month.parse(month) is None:
        raise BadInput("month", f"{month[:20]!r} is no month: write it as 2026-11")
    rows, before = InvoiceDirectory(), _before(first, after)
    async with info.context.host.store.read() as tx:
        found = await rows.page(tx, organisation_id, month, before, first + 1)
        lines = await rows.lines(tx, [row.id for row in found[:first]])
    return _connection(found, lines, first, before)


def _before(first: int, after: str | None) -> int | None:
    check_page_size(first)
    if after is None:
        return None
    position = read_cursor(KIND, after)
    if not position.isdecimal() or len(position) > 18:
        raise BadInput("after", "is not a cursor of this list; give back what `pageInfo` or an edge gave")
    return int(position)


def _connection(found: list[InvoiceRow], lines: list[LineRow], first: int, before: int | None) -> InvoiceConnection:
    edges = [
        InvoiceEdge(
            node=shown(row, [line for line in lines if line.invoice_id == row.id]),
            cursor=make_cursor(KIND, str(row.sequence)),
        )
        for row in found[:first]
    ]
    info = PageInfo(
        has_next_page=len(found) > first, has_previous_page=before is not None and bool(found),
        start_cursor=edges[0].cursor if edges else None, end_cursor=edges[-1].cursor if edges else None,
    )  # fmt: skip
    return InvoiceConnection(nodes=[edge.node for edge in edges], edges=edges, page_info=info)


async def _own(info: Ctx, id: str) -> tuple[InvoiceRow, list[LineRow]] | None:
    tenant, rows = info.context.tenant, InvoiceRows()
    if not could_be_id(id):
        return None
    async with info.context.host.store.read() as tx:
        row = await rows.find(tx, tenant, id)
        return None if row is None else (row, await rows.lines(tx, tenant, [row.id]))


async def resolve_invoice(info: Ctx, id: Id) -> Invoice | None:
    """Null where the caller has none of this id."""
    found = await _own(info, id)
    return None if found is None else shown(*found)


async def resolve_invoice_csv(info: Ctx, id: Id) -> str | None:
    """Null where the caller has none of this id."""
    found = await _own(info, id)
    return None if found is None else csv_of(HEADER, _cells(*found))


def _cells(row: InvoiceRow, lines: list[LineRow]) -> Iterator[tuple[Cell, ...]]:
    for line in lines:
        yield (
            row.number, row.month, row.status, line.kind, line.description, line.plan, line.first_day, line.end_day,
            line.quantity, line.per, line.unit_price, line.amount, row.currency,
        )  # fmt: skip
    total = (row.number, row.month, row.status, "TOTAL", None, None, None, None, None, None, None, row.total)
    yield (*total, row.currency)


async def resolve_invoice_run(info: Ctx, input: Annotated[InvoiceRunInput, says("Which month.")]) -> InvoiceRunPayload:
    """As the gateway does by itself after the end of a month; run again it makes what is missing, nothing twice."""
    context, month = info.context, Month.parse(input.month)
    desk = context.service(InvoiceDesk)
    if month is None:
        told = f"{input.month[:20]!r} is no month: write one such as 2026-11."
        return _not_run(InvoiceRunErrorCode.MONTH_INVALID, told)
    if not desk.is_over(month):
        told = f"{month} can be invoiced from {month.end + GRACE:%Y-%m-%d %H:%M} UTC on: usage may still come in."
        return _not_run(InvoiceRunErrorCode.MONTH_NOT_OVER, told)
    done = await desk.close(month, context.act("invoices.run", str(month)))
    return InvoiceRunPayload(issued=done.issued, standing=done.standing, user_errors=[])


def _not_run(code: InvoiceRunErrorCode, message: str) -> InvoiceRunPayload:
    return InvoiceRunPayload(user_errors=[UserError(field=["input", "month"], code=code, message=message)])


async def resolve_invoice_settle(
    info: Ctx, input: Annotated[InvoiceSettleInput, says("Which invoice, and what became of it.")]
) -> InvoiceSettlePayload:
    """For invoices that are not at the payment provider, which tells by itself what becomes of its own."""
    context, rows = info.context, InvoiceDirectory()
    async with context.host.store.write() as tx:
        row = await rows.lock(tx, input.id)
        refused = _unsettled(row, input)
        if row is None or refused is not None:
            return InvoiceSettlePayload(user_errors=[refused] if refused else [])
        await rows.settle(tx, row.id, input.outcome.value, context.now)
        act = context.act(
            "invoice.settled", row.id, tenant=row.tenant_id, before={"status": row.status},
            after={"status": input.outcome.value},
        )  # fmt: skip
        await context.service(Audit).record(tx, act)
        settled, lines = await rows.lock(tx, row.id), await rows.lines(tx, [row.id])
    return InvoiceSettlePayload(invoice=shown(settled, lines) if settled else None, user_errors=[])


def _unsettled(row: InvoiceRow | None, asked: InvoiceSettleInput) -> UserError[InvoiceSettleErrorCode] | None:
    if row is None:
        code, told = InvoiceSettleErrorCode.NOT_FOUND, f"There is no invoice {asked.id[:40]!r}."
    elif row.status != "OPEN":
        code, told = InvoiceSettleErrorCode.ALREADY_SETTLED, f"{row.number} is {row.status}, which is final."
    elif row.send_attempts:
        code = InvoiceSettleErrorCode.AT_PAYMENT_PROVIDER
        told = f"{row.number} was sent to the payment provider: settle it there, its status comes by itself."
    else:
        return None
    return UserError(field=["input", "id"], code=code, message=told)
