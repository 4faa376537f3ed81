"""What a plan must be before it is written: pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from decimal import Decimal

from plugins.billing.money import decimals_of, is_currency
from plugins.billing.plans.catalog import BUILT_IN
from plugins.billing.plans.types import PlanDefineErrorCode as Code
from plugins.billing.plans.types import PlanDefineInput
from schema.words.problems import UserError

LARGEST = 2_000_000_000
HEAVIEST = 1_000
DEAREST = Decimal(1_000_000_000)
FINEST = 12
"""Decimals of the price of points."""
_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}", re.ASCII)
Problem = UserError[Code]


def problems_of(asked: PlanDefineInput, providers: Collection[str]) -> list[Problem]:
    """Everything that is wrong with it."""
    return [*_name(asked), *_limits(asked), *_providers(asked, providers), *_prices(asked)]


def _problem(field: str, code: Code, message: str) -> Problem:
    return UserError(field=["input", field], code=code, message=message)


def _name(asked: PlanDefineInput) -> Iterator[Problem]:
    if asked.name in BUILT_IN:
        yield _problem("name", Code.BUILT_IN, f"{asked.name} is built in and stays as it is: take another name.")
    elif not _NAME.fullmatch(asked.name):
        told = "A name has 2 to 40 of a-z, 0-9 and -, and begins with a letter."
        yield _problem("name", Code.NAME_INVALID, told)


def _limits(asked: PlanDefineInput) -> Iterator[Problem]:
    least = {
        "pointsPerMinute": (asked.points_per_minute, 1), "concurrency": (asked.concurrency, 1),
        "streams": (asked.streams, 0), "webhooks": (asked.webhooks, 0), "historyDays": (asked.history_days, 1),
        "pointsPerMonth": (asked.points_per_month, 1), "softPointsPerMonth": (asked.soft_points_per_month, 1),
        "includedPoints": (asked.included_points, 0),
        "upstreamCallsPerMinute": (asked.upstream_calls_per_minute, 1), "upstreamWeight": (asked.upstream_weight, 1),
    }  # fmt: skip
    for field, (value, lowest) in least.items():
        if value is not None and not lowest <= value <= LARGEST:
            yield _problem(field, Code.LIMIT_INVALID, f"{field} must be {lowest} to {LARGEST}, not {value}.")
    if asked.upstream_weight > HEAVIEST:
        told = f"upstreamWeight must be 1 to {HEAVIEST}, not {asked.upstream_weight}."
        yield _problem("upstreamWeight", Code.LIMIT_INVALID, told)
    hard, soft = asked.points_per_month, asked.soft_points_per_month
    if hard is not None and soft is not None and soft > hard:
        told = f"A soft quota of {soft} is never reached behind a hard one of {hard}: make it smaller, or leave it out."
        yield _problem("softPointsPerMonth", Code.LIMIT_INVALID, told)


def _providers(asked: PlanDefineInput, known: Collection[str]) -> Iterator[Problem]:
    if asked.providers is None:
        return
    if not asked.providers:
        told = "A plan without any provider answers nothing: name one, or leave the field out to allow all."
        yield _problem("providers", Code.UNKNOWN_PROVIDER, told)
    for name in asked.providers:
        if name not in known:
            told = f"There is no provider {name[:40]!r}: `providers` lists them."
            yield _problem("providers", Code.UNKNOWN_PROVIDER, told)


def _prices(asked: PlanDefineInput) -> Iterator[Problem]:
    if not is_currency(asked.currency):
        told = f"{asked.currency[:10]!r} is no ISO 4217 code that can be billed in: write one such as USD or EUR."
        yield _problem("currency", Code.CURRENCY_INVALID, told)
        return
    decimals = decimals_of(asked.currency)
    for field, price, finest in (
        ("monthlyPrice", asked.monthly_price, decimals), ("pointPrice", asked.point_price, FINEST),
    ):  # fmt: skip
        if price is not None and not (0 <= price <= DEAREST and _decimals(price) <= finest):
            told = f"{field} must be 0 to {DEAREST} {asked.currency} with at most {finest} decimals."
            yield _problem(field, Code.PRICE_INVALID, told)


def _decimals(price: Decimal) -> int:
    """Digits behind the point; trailing zeros count for nothing."""
    digits = format(price, "f").partition(".")[2]
    return len(digits.rstrip("0"))
