"""The page on plans says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.billing.plans.catalog import BUILT_IN, PlanRow

PAGE = (Path(__file__).parents[3] / "docs" / "plans.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("plan", BUILT_IN.values(), ids=BUILT_IN)
def test_the_page_has_the_figures_of_every_plan(plan: PlanRow) -> None:
    numbers = (plan.points_per_minute, plan.concurrency, plan.streams, plan.webhooks)
    history = "all" if plan.history_days is None else f"{plan.history_days:,}"
    quotas = ("-" if quota is None else f"{quota:,}" for quota in (plan.points_per_month, plan.soft_points_per_month))

    calls = "-" if plan.upstream_calls_per_minute is None else f"{plan.upstream_calls_per_minute:,}"

    row = " | ".join(
        [plan.name, *(f"{number:,}" for number in numbers), history, *quotas, calls, f"{plan.upstream_weight:,}"]
    )

    assert f"| {row} |" in PAGE
