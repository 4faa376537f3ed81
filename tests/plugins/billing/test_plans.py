"""Plans: the built-in ones, the operator's, what the gate is told of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from gateway.core.identity import ANONYMOUS, Role
from gateway.core.ports import Plans
from plugins.billing.plans.catalog import BUILT_IN, FREE
from plugins.billing.plans.desk import PlanDesk
from tests.house import House
from tests.plugins.billing.people import (
    AUDITOR,
    DEFINE,
    GOLD,
    OPERATOR,
    acts,
    ask,
    count,
    data,
    define,
    found,
    member,
    put_on,
)

PLANS = "{ plans { name builtIn pointsPerMinute pointsPerMonth providers monthlyPrice currency } }"
REMOVE = """
mutation Remove($name: String!) {
  planRemove(input: {name: $name}) { plan { name } userErrors { field code message } }
}"""


async def test_free_is_small_and_hard(house: House) -> None:
    limits = await house.host.service(Plans).limits_of("ten_a", "free")

    assert (limits.points_per_minute, limits.concurrency, limits.streams, limits.webhooks) == (60, 4, 2, 1)
    assert (limits.history_days, limits.points_per_month, limits.providers) == (365, 100_000, None)


async def test_built_in_plans_grow_and_cost_nothing() -> None:
    minutes = [plan.points_per_minute for plan in BUILT_IN.values()]

    assert list(BUILT_IN) == ["free", "developer", "pro", "unlimited"]
    assert minutes == sorted(minutes)
    assert {plan.monthly_price for plan in BUILT_IN.values()} == {Decimal(0)}
    assert {plan.point_price for plan in BUILT_IN.values()} == {None}


async def test_members_and_the_operator_see_all_plans_and_strangers_none(house: House) -> None:
    await define(house, providers=["kraken"])

    seen = (await data(house, member("ten_a", Role.VIEWER), PLANS))["plans"]

    assert [plan["name"] for plan in seen] == ["free", "developer", "pro", "unlimited", "gold"]
    assert seen[-1] == {
        "name": "gold", "builtIn": False, "pointsPerMinute": 500, "pointsPerMonth": None, "providers": ["kraken"],
        "monthlyPrice": "30.00", "currency": "USD",
    }  # fmt: skip
    assert (await data(house, AUDITOR, PLANS))["plans"] == seen
    refused = await ask(house, ANONYMOUS, PLANS)
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["UNAUTHENTICATED"]


async def test_only_the_operator_defines_and_removes_plans(house: House) -> None:
    body = await ask(house, member("ten_a"), DEFINE, input=GOLD)
    removed = await ask(house, AUDITOR, REMOVE, name="gold")

    for refused in (body, removed):
        assert [e["extensions"]["code"] for e in refused["errors"]] == ["FORBIDDEN"]
        assert refused["errors"][0]["extensions"]["missingScope"] == "operator:write"
    assert await count(house, "billing_plans") == 0


async def test_a_defined_plan_limits_and_a_new_definition_holds_at_once(house: House) -> None:
    plans = house.host.service(Plans)
    await define(house, providers=["kraken", "okx"], historyDays=30, pointsPerMonth=10, softPointsPerMonth=5)
    first = await plans.limits_of("ten_a", "gold")

    await define(house, pointsPerMinute=7, upstreamCallsPerMinute=30, upstreamWeight=4)
    second = await plans.limits_of("ten_a", "gold")

    assert (first.plan, first.points_per_minute, first.providers) == ("gold", 500, frozenset({"kraken", "okx"}))
    assert (first.history_days, first.points_per_month, first.soft_points_per_month) == (30, 10, 5)
    assert (first.upstream_calls_per_minute, first.upstream_weight) == (None, 1)
    assert (second.upstream_calls_per_minute, second.upstream_weight) == (30, 4)
    assert (second.points_per_minute, second.providers, second.points_per_month) == (7, None, None)
    assert await acts(house, "plan.defined") == [("", "plan.defined")] * 2


async def test_limits_are_held_for_ten_seconds_where_no_message_comes(house: House) -> None:
    desk = house.host.service(PlanDesk)
    await define(house)
    await desk.limits_of("ten_a", "gold")
    async with house.store.write() as tx:
        row = await desk.find(tx, "gold")
        assert row is not None
        await desk._rows.remove(tx, "gold")

    held = await desk.limits_of("ten_a", "gold")
    house.clock.turn(10)
    gone = await desk.limits_of("ten_a", "gold")

    assert held == row.limits
    assert gone == FREE.limits


IMPOSSIBLE: list[tuple[dict[str, Any], str, str]] = [
    ({"name": "free"}, "BUILT_IN", "name"),
    ({"name": "G"}, "NAME_INVALID", "name"),
    ({"name": "=gold"}, "NAME_INVALID", "name"),
    ({"name": "g" * 41}, "NAME_INVALID", "name"),
    ({"name": "gold\n"}, "NAME_INVALID", "name"),
    ({"pointsPerMinute": 0}, "LIMIT_INVALID", "pointsPerMinute"),
    ({"concurrency": -1}, "LIMIT_INVALID", "concurrency"),
    ({"pointsPerMonth": 10, "softPointsPerMonth": 11}, "LIMIT_INVALID", "softPointsPerMonth"),
    ({"includedPoints": -1}, "LIMIT_INVALID", "includedPoints"),
    ({"upstreamCallsPerMinute": 0}, "LIMIT_INVALID", "upstreamCallsPerMinute"),
    ({"upstreamWeight": 0}, "LIMIT_INVALID", "upstreamWeight"),
    ({"upstreamWeight": 1001}, "LIMIT_INVALID", "upstreamWeight"),
    ({"providers": ["nobody"]}, "UNKNOWN_PROVIDER", "providers"),
    ({"providers": []}, "UNKNOWN_PROVIDER", "providers"),
    ({"currency": "BTC"}, "CURRENCY_INVALID", "currency"),
    ({"monthlyPrice": "-1"}, "PRICE_INVALID", "monthlyPrice"),
    ({"monthlyPrice": "1.001"}, "PRICE_INVALID", "monthlyPrice"),
    ({"monthlyPrice": "1.5", "currency": "JPY"}, "PRICE_INVALID", "monthlyPrice"),
    ({"monthlyPrice": "1000000000.01"}, "PRICE_INVALID", "monthlyPrice"),
    ({"pointPrice": "0.0000000000001"}, "PRICE_INVALID", "pointPrice"),
]


async def test_a_plan_that_cannot_be_is_refused_by_name(house: House) -> None:
    for changed, code, field in IMPOSSIBLE:
        answer = await define(house, **changed)

        assert [(error["code"], error["field"]) for error in answer["userErrors"]] == [(code, ["input", field])]
        assert answer["plan"] is None
    assert await count(house, "billing_plans") == 0
    assert await acts(house, "plan.defined") == []


async def test_a_plan_in_use_stays(house: House) -> None:
    await define(house)
    tenant = await found(house, "Ada", "gold")

    refused = (await data(house, OPERATOR, REMOVE, name="gold"))["planRemove"]
    await put_on(house, tenant, "free")
    removed = (await data(house, OPERATOR, REMOVE, name="gold"))["planRemove"]

    assert refused["userErrors"] == [
        {
            "field": ["input", "name"], "code": "PLAN_IN_USE",
            "message": "1 organisation is on gold: choose another plan there first.",
        }
    ]  # fmt: skip
    assert removed == {"plan": {"name": "gold"}, "userErrors": []}
    assert await count(house, "billing_plans") == 0
    assert await acts(house, "plan.removed") == [("", "plan.removed")]


async def test_what_is_not_there_and_what_is_built_in_cannot_be_removed(house: House) -> None:
    codes = []
    for name in ("gold", "pro"):
        removed = (await data(house, OPERATOR, REMOVE, name=name))["planRemove"]
        codes += [error["code"] for error in removed["userErrors"]]

    assert codes == ["NOT_FOUND", "BUILT_IN"]


async def test_a_plan_is_there_or_not(house: House) -> None:
    plans = house.host.service(Plans)
    await define(house)

    async with house.store.write() as tx:
        there = [await plans.exists(tx, name) for name in ("free", "gold", "silver")]

    assert there == [True, True, False]


async def test_strangers_have_the_points_of_the_setting(house: House) -> None:
    limits = house.host.service(Plans).anonymous()

    assert (limits.plan, limits.points_per_minute, limits.webhooks) == ("anonymous", 120, 0)
