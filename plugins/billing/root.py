"""The root fields of billing."""

from __future__ import annotations

from typing import cast

import strawberry

from plugins.billing.invoices.fields import (
    resolve_invoice,
    resolve_invoice_csv,
    resolve_invoice_run,
    resolve_invoice_settle,
    resolve_invoices,
    resolve_operator_invoices,
)
from plugins.billing.invoices.types import Invoice, InvoiceConnection, InvoiceRunPayload, InvoiceSettlePayload
from plugins.billing.payments.fields import resolve_payment_setup
from plugins.billing.payments.types import PaymentSetupPayload
from plugins.billing.plans.fields import resolve_plan_define, resolve_plan_remove, resolve_plans
from plugins.billing.plans.types import Plan, PlanDefinePayload, PlanRemovePayload
from plugins.billing.usage.fields import QuotaNoticeConnection, resolve_quota_notices, resolve_usage_csv
from schema.facts import Arguments, facts
from schema.scopes import Scope

CSV = 10
"""Points of a whole table as text."""


def page_length(arguments: Arguments) -> int:
    """How often what is below may be asked."""
    return max(cast(int, arguments.get("first") or 1), 1)


@strawberry.type(description="Plans, usage, invoices.")
class BillingQuery:
    """Root fields."""

    plans: list[Plan] = strawberry.field(
        resolver=resolve_plans,
        description="The plans of this gateway: the built-in ones, then the operator's.",
        metadata=facts(needs=Scope.MARKET_READ),
    )
    quota_notices: QuotaNoticeConnection = strawberry.field(
        resolver=resolve_quota_notices,
        description="Thresholds of the plan's monthly quotas that were reached: 50, 80 and 100 % of the hard one, and "
        "the soft one.",
        metadata=facts(times=page_length, needs=Scope.USAGE_READ),
    )
    usage_csv: str = strawberry.field(
        resolver=resolve_usage_csv,
        description="Usage by hour, API key and root field as comma-separated values, at most 50,000 rows.",
        metadata=facts(cost=CSV, needs=Scope.USAGE_READ),
    )
    invoices: InvoiceConnection = strawberry.field(
        resolver=resolve_invoices,
        description="The organisation's invoices, the newest first.",
        metadata=facts(times=page_length, needs=Scope.BILLING_READ),
    )
    invoice: Invoice | None = strawberry.field(
        resolver=resolve_invoice,
        description="One of the organisation's invoices.",
        metadata=facts(needs=Scope.BILLING_READ),
    )
    invoice_csv: str | None = strawberry.field(
        resolver=resolve_invoice_csv,
        description="One of the organisation's invoices as comma-separated values: its lines, then the total.",
        metadata=facts(cost=CSV, needs=Scope.BILLING_READ),
    )
    operator_invoices: InvoiceConnection = strawberry.field(
        resolver=resolve_operator_invoices,
        description="Invoices of all organisations, the newest first.",
        metadata=facts(times=page_length, needs=Scope.OPERATOR_READ),
    )


@strawberry.type(description="Plans, invoices, payment.")
class BillingMutation:
    """Root fields."""

    plan_define: PlanDefinePayload = strawberry.field(
        resolver=resolve_plan_define,
        description="Define a plan, or define it anew: its organisations have the new limits within ten seconds.",
        metadata=facts(needs=Scope.OPERATOR_WRITE),
    )
    plan_remove: PlanRemovePayload = strawberry.field(
        resolver=resolve_plan_remove,
        description="Remove a plan that no organisation is on.",
        metadata=facts(needs=Scope.OPERATOR_WRITE),
    )
    invoice_run: InvoiceRunPayload = strawberry.field(
        resolver=resolve_invoice_run,
        description="Invoice a month that is over, for all organisations; what is there is left alone.",
        metadata=facts(cost=CSV, needs=Scope.OPERATOR_WRITE),
    )
    invoice_settle: InvoiceSettlePayload = strawberry.field(
        resolver=resolve_invoice_settle,
        description="Declare an open invoice paid or void, where no payment provider does.",
        metadata=facts(needs=Scope.OPERATOR_WRITE),
    )
    payment_setup: PaymentSetupPayload = strawberry.field(
        resolver=resolve_payment_setup,
        description="Say who gets the organisation's invoices from the payment provider.",
        metadata=facts(cost=CSV, needs=Scope.BILLING_WRITE),
    )
