"""Allowances: points, calls, operations under way, the month and the purse; what is refused does nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.core.ports import Allowances
from schema.errors import RateLimited
from tests.gateway.edge.shop import CALLERS, MEMBER, OPERATOR, Accounts, Shop, code_of, open_shop, points


@pytest.fixture
def shop(tmp_path) -> Shop:
    return open_shop(tmp_path, Accounts(callers=dict(CALLERS)), anonymous_points=20)


# --- Points


async def test_points_of_a_minute_run_out_for_the_tenant_and_come_back(shop):
    first = await shop.ask("{ dear }", "member")
    second = await shop.ask("{ dear }", "colleague")
    third = await shop.ask("{ plain }", "key")
    other = await shop.ask("{ plain }", "other")
    shop.clock.turn(140)
    later = await shop.ask("{ dear }", "member")

    assert (first.errors, second.errors, other.errors, later.errors) == (None, None, None, None)
    assert (code_of(third), third.status) == ("RATE_LIMITED", 429)
    assert third.headers == {
        "Retry-After": "21", "RateLimit": '"points";r=0;t=80', "RateLimit-Policy": '"points";q=100;w=60',
    }  # fmt: skip
    assert third.errors is not None
    assert third.errors[0]["message"] == (
        "The plan allows 100 points a minute, and this operation costs 1: 0 are left, try again in 21 s."
    )
    extensions = third.errors[0]["extensions"]
    assert (extensions["limit"], extensions["retryAfterMs"]) == ("pointsPerMinute", 20010)
    assert third.extensions["cost"] == {
        "requested": 1, "actual": 0, "remaining": 0, "resetsAt": "2026-11-20T12:01:20Z",
    }  # fmt: skip
    assert shop.doings.done == ["plain"] * 4


HELPLESS = "waiting does not help, ask for less at once."


@pytest.mark.parametrize(
    ("document", "caller", "limit", "words"),
    [
        ("{ a: dear b: dear c: dear }", "member", "pointsPerMinute",
         "The plan allows 100 points a minute, and this operation costs 150: "),
        ("{ dear }", None, "pointsPerMinute",
         "Callers without a credential have 20 points a minute, and this operation costs 50: "),
        ("{ a: login b: login c: login d: login e: login f: login }", "member", "login",
         "login may be asked 5 times a minute, never 6 times at once: "),
        ("{ dear }", "token", "maxPoints",
         "The access token may spend 10 points in its life, and this operation costs 50: "),
        (f"{{ {' '.join(f'a{n}: dear' for n in range(21))} }}", "quota", "pointsPerMonth",
         "The plan small has 1000 points a month, and this operation costs 1050: "),
    ],
)  # fmt: skip
async def test_what_can_never_fit_is_told_so_and_not_when_to_try_again(document, caller, limit, words, shop):
    result = await shop.ask(document, caller)

    assert result.errors is not None
    [error] = result.errors
    assert error["message"] == words + HELPLESS
    assert (result.status, error["extensions"]["limit"]) == (429, limit)
    assert "Retry-After" not in result.headers
    assert "retryAfterMs" not in error["extensions"]
    assert (shop.doings.done, shop.accounts.paid, await points(shop)) == ([], [], 100)


async def test_callers_without_a_credential_share_the_points_of_their_address(shop):
    document = "{ " + " ".join(f"a{n}: plain" for n in range(20)) + " }"

    first = await shop.ask(document, ip="2001:db8:1:2::1")
    same = await shop.ask("{ plain }", ip="2001:db8:1:2:ffff::9")
    near = await shop.ask("{ plain }", ip="2001:db8:1:3::1")
    mapped = await shop.ask(document, ip="::ffff:192.0.2.9")
    plain = await shop.ask("{ plain }", ip="192.0.2.9")

    assert (first.errors, near.errors, mapped.errors) == (None, None, None)
    assert (code_of(same), code_of(plain)) == ("RATE_LIMITED", "RATE_LIMITED")
    assert first.headers["RateLimit-Policy"] == '"points";q=20;w=60'


async def test_callers_without_a_tenant_have_their_own_points(shop):
    shop.accounts.callers["second"] = replace(OPERATOR, key="op_2")
    await shop.ask("{ a: dear b: dear }", "operator")

    assert code_of(await shop.ask("{ plain }", "operator")) == "RATE_LIMITED"
    assert (await shop.ask("{ plain }", "second")).errors is None
    assert shop.accounts.spent == []


async def test_an_operation_whose_variables_are_malformed_costs_a_point(shop):
    result = await shop.ask("query ($n: Int!) { coins(first: $n) { price } }", "member", {"n": "x"})

    assert code_of(result) == "BAD_USER_INPUT"
    assert result.extensions["cost"] == {
        "requested": 1, "actual": 1, "remaining": 99, "resetsAt": "2026-11-20T12:00:20Z",
    }  # fmt: skip


# --- Calls of a root field


async def test_a_fields_own_limit_counts_every_key_under_which_it_is_selected(shop):
    both = await shop.ask('{ a: login(name: "x") b: login(name: "y") }')
    third = await shop.ask("{ login }")
    elsewhere = await shop.ask("{ login }", ip="192.0.2.2")

    assert (both.errors, elsewhere.errors) == (None, None)
    assert (code_of(third), third.status) == ("RATE_LIMITED", 429)
    assert third.errors is not None
    assert third.errors[0]["message"] == "login may be asked 2 times a minute: try again in 21 s."
    assert third.errors[0]["extensions"]["limit"] == "login"
    assert shop.doings.done == ["login"] * 3


async def test_a_known_caller_has_the_fields_larger_limit_for_the_tenant(shop):
    found = [await shop.ask("{ login }", caller) for caller in ("member", "key", "colleague") * 2]

    assert [result.errors is None for result in found] == [True] * 5 + [False]
    assert (await shop.ask("{ login }", "other")).errors is None


async def test_more_calls_at_once_than_a_minute_allows_do_nothing(shop):
    result = await shop.ask("{ a: login b: login c: login }")

    assert (code_of(result), shop.doings.done) == ("RATE_LIMITED", [])


# --- Operations under way


async def test_operations_under_way_are_counted_and_given_back(shop):
    running = [asyncio.create_task(shop.ask("{ slow }", "member")) for _ in range(2)]
    for _ in running:
        await shop.doings.begun.get()
    third = await shop.ask("{ plain }", "colleague")
    other = await shop.ask("{ plain }", "other")
    shop.doings.gate.set()
    ended = await asyncio.gather(*running)
    after = await shop.ask("{ plain }", "member")

    assert (code_of(third), third.status, third.headers["Retry-After"]) == ("RATE_LIMITED", 429, "1")
    assert third.errors is not None
    assert third.errors[0]["extensions"]["limit"] == "concurrency"
    assert [result.errors for result in (*ended, other, after)] == [None] * 4


async def test_an_operation_that_is_cancelled_gives_its_place_back(shop):
    for _ in range(5):
        task = asyncio.create_task(shop.ask("{ slow }", "member"))
        await shop.doings.begun.get()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert (await shop.ask("{ plain }", "member")).errors is None


async def test_a_refused_operation_gives_its_place_back(shop):
    for _ in range(5):
        assert code_of(await shop.ask("{ a: dear b: dear c: dear }", "member")) == "RATE_LIMITED"

    assert (await shop.ask("{ plain }", "member")).errors is None


# --- The month, the purse


async def test_the_months_quota_refuses_until_the_first_of_the_next(shop):
    shop.accounts.used = 999

    last = await shop.ask("{ plain }", "quota")
    over = await shop.ask("{ a: plain b: plain }", "quota")

    assert last.errors is None
    assert (code_of(over), over.status) == ("QUOTA_EXCEEDED", 429)
    assert over.errors is not None
    assert over.errors[0]["message"] == ("The plan small has 1000 points a month: they are used up until 2026-12-01.")
    assert over.headers["Retry-After"] == str(10 * 86400 + 12 * 3600)
    assert (over.errors[0]["extensions"]["limit"], shop.doings.done) == ("pointsPerMonth", ["plain"])


async def test_a_token_pays_from_its_own_purse(shop):
    first = await shop.ask("{ a: plain b: plain c: plain }", "token")
    refused = await shop.ask("{ " + " ".join(f"a{n}: plain" for n in range(8)) + " }", "token")
    left = await points(shop)

    assert first.errors is None
    assert (code_of(refused), shop.accounts.paid, shop.accounts.purse) == ("QUOTA_EXCEEDED", [("tok_1", 3)], 7)
    assert refused.errors is not None
    assert refused.errors[0]["extensions"]["limit"] == "maxPoints"
    assert (left, shop.doings.done) == (97, ["plain"] * 3)


async def test_a_token_pays_nothing_for_what_the_minute_refuses(shop):
    await shop.ask("{ a: dear b: dear }", "member")

    assert code_of(await shop.ask("{ plain }", "token")) == "RATE_LIMITED"
    assert shop.accounts.paid == []


# --- What is left


async def test_each_limit_is_told_with_what_is_left_of_it(shop):
    shop.accounts.used = 400
    await shop.ask("{ dear }", "quota")
    caller = CALLERS["quota"]

    found = await shop.gateway.host.service(Allowances).remaining(caller)

    assert [(limit.name, limit.limit, limit.remaining) for limit in found] == [
        ("pointsPerMinute", 100, 50), ("pointsPerMonth", 1000, 600), ("concurrency", 2, 2), ("streams", 1, 1),
        ("webhooks", 3, 3),
    ]  # fmt: skip
    assert [limit.resets_at is None for limit in found] == [False, False, True, True, True]


async def test_upstream_calls_are_told_where_the_plan_has_a_number_of_them(shop):
    caller = replace(CALLERS["quota"], limits=replace(CALLERS["quota"].limits, upstream_calls_per_minute=5))

    found = await shop.gateway.host.service(Allowances).remaining(caller)

    told = next(limit for limit in found if limit.name == "upstreamCallsPerMinute")
    assert (told.limit, told.remaining, told.resets_at) == (5, 5, None)


def test_streams_are_counted_apart_from_operations(shop):
    allowances = shop.gateway.allowances
    leave = allowances.enter(MEMBER, "tenant:org_a", stream=True)

    with pytest.raises(RateLimited) as caught:
        allowances.enter(MEMBER, "tenant:org_a", stream=True)
    allowances.enter(MEMBER, "tenant:org_a", stream=False)
    leave()
    allowances.enter(MEMBER, "tenant:org_a", stream=True)

    assert (caught.value.limit, caught.value.message) == (
        "streams", "1 streams at a time are allowed, and as many are under way: wait for one to end.",
    )  # fmt: skip
