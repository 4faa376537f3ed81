"""What is told of invoices."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Self

import strawberry

from plugins.billing.invoices.arithmetic import LineKind
from plugins.billing.invoices.types import Invoice, InvoiceLine, InvoiceStatus
from schema.events import Event, event
from schema.model import described


@event("invoice.issued", "An invoice was made: one for each month and currency.")
class InvoiceIssued(Event):
    """As it was when it was made."""

    invoice: Invoice = described("The invoice.")

    @property
    def subject(self) -> str:
        """The invoice."""
        return str(self.invoice.id)

    @classmethod
    def sample(cls) -> Self:
        """A month of a plan."""
        line = InvoiceLine(
            kind=LineKind.BASE, description="Plan pro, November 2026", plan="pro", first_day=date(2026, 11, 1),
            end_day=date(2026, 12, 1), quantity=Decimal(30), per=30, unit_price=Decimal("49.00"),
            amount=Decimal("49.00"),
        )  # fmt: skip
        invoice = Invoice(
            id=strawberry.ID("invoice_5q2m8v0c4t7x1z3b6n9k"), number="MG-2026-11-000042",
            organisation_id=strawberry.ID("org_0h3k6n9q2t5w8z1c4f7j"), month="2026-11", currency="USD",
            total=Decimal("49.00"), status=InvoiceStatus.OPEN, issued_at=datetime(2026, 12, 1, 1, tzinfo=UTC),
            paid_at=None, voided_at=None, lines=[line],
        )  # fmt: skip
        return cls(invoice=invoice)
