"""GraphQL types of plans."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import strawberry

from plugins.billing.plans.catalog import BUILT_IN, PlanRow
from schema.model import described, model
from schema.refusals import refusals
from schema.words.problems import UserError


@model("What a plan allows and costs.")
class Plan:
    """Null means without limit."""

    name: str = described("Its name.")
    built_in: bool = described("Whether every gateway has it; else the operator of this one defined it.")
    points_per_minute: int = described("Points a minute.")
    concurrency: int = described("Operations at one time.")
    streams: int = described("Subscriptions at one time.")
    webhooks: int = described("Webhook endpoints.")
    history_days: int | None = described("How far back market data may be asked; null for all of it.")
    providers: list[str] | None = described("Ids of the providers that may be asked; null for all.")
    points_per_month: int | None = described("Hard quota: beyond it operations are refused until the next month.")
    soft_points_per_month: int | None = described("Soft quota: beyond it operations go on and a notice is written.")
    upstream_calls_per_minute: int | None = described(
        "Requests a minute to upstreams with the platform's keys; cached answers and own keys cost none."
    )
    upstream_weight: int = described("Share of an upstream's quota against others who wait for it.")
    monthly_price: Decimal = described("Price of a whole month.")
    currency: str = described("ISO 4217 code of the prices.")
    point_price: Decimal | None = described("Price of 1,000 points beyond `includedPoints`; null where they are free.")
    included_points: int = described("Points a month that the monthly price pays for.")


def shown(row: PlanRow) -> Plan:
    """A row as GraphQL shows it."""
    return Plan(
        name=row.name, built_in=row.name in BUILT_IN, points_per_minute=row.points_per_minute,
        concurrency=row.concurrency, streams=row.streams, webhooks=row.webhooks, history_days=row.history_days,
        providers=None if row.providers is None else list(row.providers), points_per_month=row.points_per_month,
        soft_points_per_month=row.soft_points_per_month, monthly_price=row.monthly_price, currency=row.currency,
        point_price=row.point_price, included_points=row.included_points,
        upstream_calls_per_minute=row.upstream_calls_per_minute, upstream_weight=row.upstream_weight,
    )  # fmt: skip


@strawberry.input(description="A plan as the operator defines it; one of the same name is replaced.")
class PlanDefineInput:
    """Limits and prices."""

    name: str = strawberry.field(description="2 to 40 of a-z, 0-9 and `-`, beginning with a letter.")
    points_per_minute: int = strawberry.field(description="Points a minute.")
    concurrency: int = strawberry.field(description="Operations at one time.")
    streams: int = strawberry.field(description="Subscriptions at one time.")
    webhooks: int = strawberry.field(description="Webhook endpoints.")
    history_days: int | None = strawberry.field(description="How far back data may be asked.", default=None)
    providers: list[str] | None = strawberry.field(description="Ids of providers; by default all.", default=None)
    points_per_month: int | None = strawberry.field(description="Hard quota.", default=None)
    soft_points_per_month: int | None = strawberry.field(description="Soft quota.", default=None)
    monthly_price: Decimal = strawberry.field(description="Price of a whole month.")
    currency: str = strawberry.field(description="ISO 4217 code of the prices.")
    point_price: Decimal | None = strawberry.field(
        description="Price of 1,000 points beyond `includedPoints`.", default=None
    )
    included_points: int = strawberry.field(description="Points a month that the price pays for.", default=0)
    upstream_calls_per_minute: int | None = strawberry.field(
        description="Requests a minute to upstreams with the platform's keys; by default without limit.", default=None
    )
    upstream_weight: int = strawberry.field(
        description="Share of an upstream's quota against others who wait for it, 1 to 1000.", default=1
    )


@refusals(
    "Why a plan is not defined.",
    LIMIT_INVALID="A limit is out of range.",
    CURRENCY_INVALID="It is no code of a currency.",
)
class PlanDefineErrorCode(StrEnum):
    """Codes of `planDefine`."""

    NAME_INVALID = "NAME_INVALID"
    BUILT_IN = "BUILT_IN"
    LIMIT_INVALID = "LIMIT_INVALID"
    UNKNOWN_PROVIDER = "UNKNOWN_PROVIDER"
    PRICE_INVALID = "PRICE_INVALID"
    CURRENCY_INVALID = "CURRENCY_INVALID"


@model("The defined plan, or why it is not.")
class PlanDefinePayload:
    """Answer of `planDefine`."""

    plan: Plan | None = described("The plan as it is now.", default=None)
    user_errors: list[UserError[PlanDefineErrorCode]] = described("What to mend; empty when it is done.")


@strawberry.input(description="The plan to remove.")
class PlanRemoveInput:
    """By name."""

    name: str = strawberry.field(description="Name of one of the operator's plans.")


@refusals("Why a plan is not removed.", PLAN_IN_USE="Tenants have the plan.")
class PlanRemoveErrorCode(StrEnum):
    """Codes of `planRemove`."""

    NOT_FOUND = "NOT_FOUND"
    BUILT_IN = "BUILT_IN"
    PLAN_IN_USE = "PLAN_IN_USE"


@model("The removed plan, or why it stays.")
class PlanRemovePayload:
    """Answer of `planRemove`."""

    plan: Plan | None = described("The plan as it was.", default=None)
    user_errors: list[UserError[PlanRemoveErrorCode]] = described("Why it stays; empty when it is gone.")
