"""GraphQL types of invoices."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import strawberry

from plugins.billing.invoices.arithmetic import LineKind
from plugins.billing.invoices.store import InvoiceRow, LineRow
from schema.model import choices, described, model
from schema.paging import PageInfo
from schema.refusals import refusals
from schema.scalars import Cursor
from schema.words.problems import UserError


@choices(
    "Where an invoice stands.",
    OPEN="It is to be paid.",
    PAID="It was paid; final.",
    VOID="It is not to be paid; final.",
)
class InvoiceStatus(StrEnum):
    """An open one becomes paid or void; both are final."""

    OPEN = "OPEN"
    PAID = "PAID"
    VOID = "VOID"


@model("A line of an invoice: `quantity` / `per` times `unitPrice`, rounded half to even to the currency's minor unit.")
class InvoiceLine:
    """Exact."""

    kind: LineKind = described("The plan itself, or points.")
    description: str = described("In words.")
    plan: str = described("The plan that was in force.")
    first_day: date = described("First day, UTC.")
    end_day: date = described("The day after the last one.")
    quantity: Decimal = described("Days, or points.")
    per: int = described("What `unitPrice` is for: the days of the month, or 1,000 points.")
    unit_price: Decimal = described("Price of `per`.")
    amount: Decimal = described("What is to pay.")


@model("What a tenant has to pay for one month.")
class Invoice:
    """One for each month and currency; never changed but in its status."""

    id: strawberry.ID = described("Its id.")
    number: str = described("Its number in the gateway's one series without gaps.")
    organisation_id: strawberry.ID = described("Whose it is.")
    month: str = described("The month, such as `2026-11`.")
    currency: str = described("ISO 4217 code.")
    total: Decimal = described("The sum of the lines.")
    status: InvoiceStatus = described("Where it stands.")
    issued_at: datetime = described("When it was made.")
    paid_at: datetime | None = described("When it was paid.")
    voided_at: datetime | None = described("When it was declared void.")
    lines: list[InvoiceLine] = described("What it is made of.")


@model("An invoice and its position in the list.")
class InvoiceEdge:
    """Relay's edge."""

    node: Invoice = described("The invoice.")
    cursor: Cursor = described("Its position.")


@model("A page of invoices.")
class InvoiceConnection:
    """Relay's connection with `nodes` beside `edges`."""

    nodes: list[Invoice] = described("The invoices, the newest first.")
    edges: list[InvoiceEdge] = described("The invoices with their positions.")
    page_info: PageInfo = described("Where this page stands.")


def shown(row: InvoiceRow, lines: list[LineRow]) -> Invoice:
    """Rows as GraphQL shows them."""
    return Invoice(
        id=strawberry.ID(row.id), number=row.number, organisation_id=strawberry.ID(row.tenant_id), month=row.month,
        currency=row.currency, total=row.total, status=InvoiceStatus(row.status), issued_at=row.issued_at,
        paid_at=row.paid_at, voided_at=row.voided_at, lines=[_line(line) for line in lines],
    )  # fmt: skip


def _line(row: LineRow) -> InvoiceLine:
    return InvoiceLine(
        kind=LineKind(row.kind), description=row.description, plan=row.plan, first_day=row.first_day,
        end_day=row.end_day, quantity=Decimal(row.quantity), per=row.per, unit_price=row.unit_price,
        amount=row.amount,
    )  # fmt: skip


@strawberry.input(description="The month to invoice.")
class InvoiceRunInput:
    """For all tenants."""

    month: str = strawberry.field(description="Such as `2026-11`; it must be over for an hour.")


@refusals("Why a month is not invoiced.", MONTH_INVALID="It is no month.", MONTH_NOT_OVER="The month is not over.")
class InvoiceRunErrorCode(StrEnum):
    """Codes of `invoiceRun`."""

    MONTH_INVALID = "MONTH_INVALID"
    MONTH_NOT_OVER = "MONTH_NOT_OVER"


@model("What the run did.")
class InvoiceRunPayload:
    """Answer of `invoiceRun`."""

    issued: int | None = described("Invoices that were made.", default=None)
    standing: int | None = described("Invoices of the month that were there before.", default=None)
    user_errors: list[UserError[InvoiceRunErrorCode]] = described("Why nothing was done; empty when it was.")


@choices("How an invoice is settled.", PAID="It was paid.", VOID="It is not to be paid.")
class InvoiceOutcome(StrEnum):
    """Both are final."""

    PAID = "PAID"
    VOID = "VOID"


@strawberry.input(description="What became of an invoice outside the payment provider.")
class InvoiceSettleInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The invoice.")
    outcome: InvoiceOutcome = strawberry.field(description="Paid, or void.")


@refusals(
    "Why an invoice stays as it is.",
    ALREADY_SETTLED="It is paid or void already.",
    AT_PAYMENT_PROVIDER="The payment provider has it, and settles it.",
)
class InvoiceSettleErrorCode(StrEnum):
    """Codes of `invoiceSettle`."""

    NOT_FOUND = "NOT_FOUND"
    ALREADY_SETTLED = "ALREADY_SETTLED"
    AT_PAYMENT_PROVIDER = "AT_PAYMENT_PROVIDER"


@model("The invoice, or why it stays as it is.")
class InvoiceSettlePayload:
    """Answer of `invoiceSettle`."""

    invoice: Invoice | None = described("The invoice as it is now.", default=None)
    user_errors: list[UserError[InvoiceSettleErrorCode]] = described("Why it stays; empty when it is settled.")
