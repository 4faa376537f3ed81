"""The gate: permissions, prices and limits stand before every operation, and what is refused does nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.app import build_gateway, make_gate
from gateway.core.contract import Plugin
from gateway.core.identity import ANONYMOUS, LOCAL
from gateway.core.settings import Settings
from gateway.edge.execute import OperationRequest, RequestFacts
from gateway.edge.gate import OpenGate
from schema.scopes import Scope
from tests.gateway.edge.shop import CALLERS, MEMBER, Accounts, Query, Shop, code_of, open_shop, points


@pytest.fixture
def shop(tmp_path) -> Shop:
    return open_shop(tmp_path, Accounts(callers=dict(CALLERS)), anonymous_points=20)


# --- Permissions


async def test_without_a_credential_a_missing_scope_asks_for_one(shop):
    result = await shop.ask("{ free keys }")

    assert (code_of(result), result.status) == ("UNAUTHENTICATED", 401)
    assert result.errors is not None
    assert result.errors[0]["message"] == "Sign in, or send an API key: keys needs the scope keys:read."
    assert (shop.doings.done, [spent.points for spent in shop.accounts.spent]) == ([], [1])


@pytest.mark.parametrize(
    ("caller", "words"),
    [
        ("member", "keys needs the scope keys:read, which your role here does not have."),
        ("key", "keys needs the scope keys:read, which this API key does not carry."),
        ("token", "keys needs the scope keys:read, which this access token does not carry."),
        ("operator", "keys needs the scope keys:read, which this operator's key does not have."),
    ],
)
async def test_a_missing_scope_is_named_with_the_field_and_nothing_runs(shop, caller, words):
    result = await shop.ask("{ plain keys }", caller)

    assert (code_of(result), result.status, result.executed) == ("FORBIDDEN", 403, False)
    assert result.errors is not None
    assert result.errors[0]["message"] == words
    assert (result.errors[0]["extensions"]["missingScope"], result.errors[0]["extensions"]["field"]) == (
        "keys:read", "keys",
    )  # fmt: skip
    # The reading of a document that nobody sent before is charged; an operator has no tenant.
    assert (shop.doings.done, [spent.points for spent in shop.accounts.spent]) == ([], [1] * (caller != "operator"))
    assert await points(shop, CALLERS[caller]) == 99


async def test_a_nested_field_needs_its_scope_too(shop):
    result = await shop.ask("{ coin { id history } }", "member")

    assert result.errors is not None
    assert result.errors[0]["extensions"]["field"] == "coin.history"


async def test_a_skipped_field_needs_nothing(shop):
    document = "query ($all: Boolean!) { plain keys @include(if: $all) }"

    allowed = await shop.ask(document, "member", {"all": False})
    refused = await shop.ask(document, "member", {"all": True})

    assert (allowed.data, code_of(refused)) == ({"plain": "plain"}, "FORBIDDEN")


@pytest.mark.parametrize(
    ("caller", "code"),
    [(None, "UNAUTHENTICATED"), ("key", "FORBIDDEN"), ("token", "FORBIDDEN"), ("operator", "FORBIDDEN")],
)
async def test_what_is_for_people_is_refused_to_keys_and_tokens(shop, caller, code):
    result = await shop.ask("{ own }", caller)

    assert (code_of(result), shop.doings.done) == (code, [])
    assert (await shop.ask("{ own }", "member")).data == {"own": "plain"}


async def test_to_a_person_of_a_suspended_organisation_only_their_own_account_is_open(shop):
    shop.accounts.callers["closed"] = replace(MEMBER, suspended="The organisation is suspended.")

    market = await shop.ask("{ plain }", "closed")
    own = await shop.ask("{ own }", "closed")

    assert (code_of(market), market.status) == ("TENANT_SUSPENDED", 403)
    assert (own.data, shop.doings.done) == ({"own": "plain"}, ["plain"])


async def test_a_mutation_by_cookie_needs_the_header_and_a_query_does_not(shop):
    without = await shop.ask("mutation { change }", "browser")
    nothing_happened = list(shop.doings.done)
    right = await shop.ask("mutation { change }", "browser", headers={"x-csrf-token": "right"})
    query = await shop.ask("{ plain }", "browser")

    assert (code_of(without), without.status, nothing_happened) == ("CSRF_FAILED", 403, [])
    assert (right.data, query.data) == ({"change": "plain"}, {"plain": "plain"})


async def test_a_credential_that_is_not_valid_is_refused_before_anything_else(shop):
    result = await shop.ask("{ free }", "stranger")

    assert (code_of(result), result.status, shop.doings.done) == ("UNAUTHENTICATED", 401, [])


# --- Prices


async def test_every_answer_tells_what_it_cost_and_what_is_left(shop):
    result = await shop.ask("{ a: dear plain }", "member")

    assert result.extensions["cost"] == {
        "requested": 51, "actual": 51, "remaining": 49, "resetsAt": "2026-11-20T12:01:19Z",
    }  # fmt: skip
    assert result.headers == {"RateLimit": '"points";r=49;t=79', "RateLimit-Policy": '"points";q=100;w=60'}


async def test_a_price_alone_runs_and_charges_nothing(shop):
    for header in ("only", " Only "):
        result = await shop.ask("{ dear dear2: dear free }", "member", headers={"marketgate-cost": header})

        assert (result.executed, result.data, result.errors, result.status) == (False, None, None, 200)
        assert result.extensions["cost"] == {
            "requested": 100, "actual": 0, "remaining": 100, "resetsAt": "2026-11-20T12:00:00Z",
            "fields": {"dear": 100, "free": 0},
        }  # fmt: skip
    assert (shop.doings.done, shop.accounts.spent, await points(shop)) == ([], [], 100)


async def test_a_price_is_told_only_to_those_who_may_ask(shop):
    result = await shop.ask("{ keys }", "member", headers={"marketgate-cost": "only"})

    assert code_of(result) == "FORBIDDEN"


# --- The meter


async def test_what_ran_is_metered_with_its_fields_calls_and_hits(shop):
    await shop.ask("{ a: plain dear }", "key")

    (spent,) = shop.accounts.spent
    assert (spent.principal.key, spent.points, spent.fields, spent.failed) == (
        "key_1", 51, {"plain": 1, "dear": 50}, False,
    )  # fmt: skip
    assert (spent.at, spent.upstream_calls, spent.hits) == (shop.clock.now(), {}, {})


async def test_callers_without_a_credential_are_metered_together(shop):
    await shop.ask("{ plain }")

    assert [spent.principal.tenant for spent in shop.accounts.spent] == ["anonymous"]


async def test_an_operation_with_errors_is_metered_as_failed(shop):
    await shop.ask("query ($n: Int!) { coins(first: $n) { price } }", "member", {"n": "x"})

    assert [(spent.failed, spent.points) for spent in shop.accounts.spent] == [(True, 1)]


async def test_the_local_caller_is_neither_limited_nor_metered(shop):
    request = OperationRequest(query="{ a: dear b: dear c: dear keys }")
    facts = RequestFacts(request_id="cli", transport="cli")

    found = [await shop.executor.execute(request, facts, principal=LOCAL) for _ in range(3)]

    assert [result.errors for result in found] == [None] * 3
    assert (found[0].headers, found[0].extensions, shop.accounts.spent) == ({}, {"requestId": "cli"}, [])


def test_without_an_authenticator_the_gate_is_open(tmp_path):
    gateway = build_gateway(Settings(env="development", data_dir=tmp_path), found=[Plugin(name="shop", query=Query)])

    assert isinstance(make_gate(gateway), OpenGate)


def test_the_local_caller_reads_everything_and_changes_nothing():
    assert {scope.partition(":")[2] for scope in LOCAL.scopes} == {"read"}
    assert Scope.OPERATOR_READ not in LOCAL.scopes
    assert LOCAL.kind is ANONYMOUS.kind


# --- Documents that cannot be executed

WRONG = {
    "{ nonsense": "GRAPHQL_PARSE_FAILED",
    "{ nothing }": "GRAPHQL_VALIDATION_FAILED",
    f"{{ {'a' * 100_001} }}": "LIMIT_EXCEEDED",
}


@pytest.mark.parametrize("document", WRONG)
async def test_reading_a_document_that_cannot_be_executed_costs_a_point(document, shop):
    result = await shop.ask(document, "key")

    assert (code_of(result), await points(shop)) == (WRONG[document], 99)
    assert result.headers["RateLimit"].startswith('"points";r=99;')
    cost = result.extensions["cost"]
    assert isinstance(cost, dict)
    assert (cost["requested"], cost["actual"], cost["remaining"]) == (1, 1, 99)
    (spent,) = shop.accounts.spent
    assert (spent.points, spent.fields, spent.failed) == (1, {}, True)


async def test_who_has_no_points_left_is_told_that_instead(tmp_path):
    shop = open_shop(tmp_path, anonymous_points=2)

    found = [code_of(await shop.ask("{ nothing }")) for _ in range(3)]

    assert found == ["GRAPHQL_VALIDATION_FAILED", "GRAPHQL_VALIDATION_FAILED", "RATE_LIMITED"]


async def test_a_price_that_is_asked_of_a_wrong_document_costs_nothing(shop):
    result = await shop.ask("{ nothing }", "member", headers={"marketgate-cost": "only"})

    assert (code_of(result), await points(shop)) == ("GRAPHQL_VALIDATION_FAILED", 100)


async def test_a_request_without_a_document_costs_nothing(shop):
    request = OperationRequest(document_id="0" * 64)
    facts = RequestFacts(request_id="r", transport="http", headers={"x-api-key": "member"})

    result = await shop.executor.execute(request, facts)

    assert (code_of(result), await points(shop)) == ("PERSISTED_QUERY_NOT_FOUND", 100)
