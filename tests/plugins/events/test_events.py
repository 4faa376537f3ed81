"""An organisation's events by pages and as they come, on both databases."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from graphql import OperationType

from gateway.core.identity import Role
from gateway.core.ports import Outbox
from gateway.edge.execute import OperationRequest, RequestFacts
from schema.events import ProviderDegraded, ProviderRecovered
from tests.house import House
from tests.plugins.accounts.organisations.company import Company, found
from tests.plugins.accounts.sessions.people import sign_in

PAGE = """query($types: [String!], $first: Int, $after: Cursor) { events(types: $types, first: $first, after: $after) {
  nodes { id type version occurredAt sequence mode ... on ProviderDegraded { provider reason } }
  edges { cursor delivery node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
LIVE = """subscription($types: [String!], $after: Cursor) { events(types: $types, after: $after) {
  cursor delivery event { type sequence ... on ProviderDegraded { provider } } notices { code message } } }"""


@pytest.fixture
async def company(house: House) -> Company:
    """Ada's, where Bob is a viewer."""
    made = await found(house)
    await made.hire("bob", Role.VIEWER)
    await made.upgrade()
    return made


async def happen(company: Company, *providers: str) -> None:
    """A provider's trouble each, in one transaction."""
    outbox = company.house.host.service(Outbox)
    async with company.house.store.write() as tx:
        for provider in providers:
            outbox.emit_to(tx, replace(ProviderDegraded.sample(), provider=provider), [company.tenant])


async def recover(company: Company) -> None:
    async with company.house.store.write() as tx:
        company.house.host.service(Outbox).emit_to(tx, ProviderRecovered.sample(), [company.tenant])


async def page(company: Company, by: str = "ada", **variables: Any) -> dict[str, Any]:
    body = await company.house.ask(PAGE, variables, token=company.tokens[by])
    assert "errors" not in body, body
    found: dict[str, Any] = body["data"]["events"]
    return found


async def stream(company: Company, by: str = "ada", **variables: Any) -> AsyncGenerator[dict[str, Any]]:
    headers = {"authorization": f"Bearer {company.tokens[by]}"}
    facts = RequestFacts(request_id="req_test", transport="websocket", client_ip="127.0.0.1", headers=headers)
    executor = company.house.executor
    principal = await executor.identify(facts)
    prepared = executor.prepare(
        OperationRequest(query=LIVE, variables=variables), frozenset({OperationType.SUBSCRIPTION})
    )
    async with aclosing(executor.subscribe(prepared, facts, principal)) as results:
        async for result in results:
            yield result.body()


async def test_pages_show_the_log_from_its_oldest_entry_on(company: Company):
    await happen(company, "kraken", "okx")
    await recover(company)

    whole = await page(company)
    first = await page(company, first=2)
    rest = await page(company, first=2, after=first["pageInfo"]["endCursor"])

    assert [(each["type"], each["version"], each["mode"], each.get("provider")) for each in whole["nodes"]] == [
        ("provider.degraded", 1, "LIVE", "kraken"), ("provider.degraded", 1, "LIVE", "okx"),
        ("provider.recovered", 1, "LIVE", None),
    ]  # fmt: skip
    assert [each["node"]["id"] for each in whole["edges"]] == [each["id"] for each in whole["nodes"]]
    assert first["nodes"] + rest["nodes"] == whole["nodes"]
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)


async def test_types_are_names_or_patterns(company: Company):
    await happen(company, "kraken")
    await recover(company)

    assert [each["type"] for each in (await page(company, types=["provider.recovered"]))["nodes"]] == [
        "provider.recovered"
    ]
    assert len((await page(company, types=["provider.*"]))["nodes"]) == 2
    assert len((await page(company, types=["*"]))["nodes"]) == 2


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"types": []}, "types: is empty: leave it out for all types"),
        ({"types": ["provider.*", "provider.degrade"]}, "types.1: 'provider.degrade' is no type of event: did"),
        ({"types": ["Provider.*"]}, "types.0: 'Provider.*' is no type of event: write one such as"),
        ({"first": 101}, "first: must be 1 to 100, not 101"),
        ({"after": "bm9uZTo1"}, "after: is not a cursor of this list"),
        ({"after": "ZXZlbnRzOjk5"}, "after: is not a cursor of this list"),
        ({"after": "ZXZlbnRzOi0x"}, "after: is not a cursor of this list"),
    ],
)  # fmt: skip
async def test_a_wrong_argument_is_named(company: Company, variables: dict[str, Any], told: str):
    body = await company.house.ask(PAGE, variables, token=company.tokens["ada"])

    assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert told in body["errors"][0]["message"]


async def test_events_are_the_organisations_own_and_need_a_scope(company: Company):
    await happen(company, "kraken")
    await company.guest("eve", "Eve and Sons")

    refused = await company.house.ask(PAGE, {}, token=company.tokens["bob"])

    assert (await page(company, "eve"))["nodes"] == []
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_stream_begins_at_once_with_a_cursor_and_then_each_event_comes_once(company: Company):
    await happen(company, "before")

    async with aclosing(stream(company)) as messages:
        first = (await anext(messages))["data"]["events"]
        await happen(company, "kraken", "okx")
        second, third = [(await anext(messages))["data"]["events"] for _ in range(2)]

    pages = await page(company)
    assert (first["event"], first["delivery"], first["notices"]) == (None, None, [])
    assert [each["delivery"] for each in (second, third)] == [each["delivery"] for each in pages["edges"][1:]]
    told = json.loads(second["delivery"])
    assert list(told) == ["type", "timestamp", "data"]
    assert (told["type"], told["data"]["provider"]) == ("provider.degraded", "kraken")
    assert told["timestamp"] == told["data"]["occurredAt"]
    assert [each["event"]["provider"] for each in (second, third)] == ["kraken", "okx"]
    assert [each["event"]["sequence"] for each in (second, third)] == ["2", "3"]


async def test_who_comes_back_with_a_cursor_gets_what_was_missed_and_pages_have_the_same_cursors(company: Company):
    async with aclosing(stream(company)) as messages:
        first = (await anext(messages))["data"]["events"]
    await happen(company, "kraken", "okx", "bybit")

    async with aclosing(stream(company, after=first["cursor"])) as messages:
        heard = [(await anext(messages))["data"]["events"] for _ in range(4)]
    cursors = [each["cursor"] for each in (await page(company))["edges"]]
    async with aclosing(stream(company, after=cursors[1])) as messages:
        last = [(await anext(messages))["data"]["events"] for _ in range(2)]

    assert [each["cursor"] for each in heard[1:]] == cursors
    assert [each["event"]["provider"] for each in heard[1:]] == ["kraken", "okx", "bybit"]
    assert last[1]["event"]["provider"] == "bybit"


async def test_a_stream_shows_the_types_that_it_was_asked_for(company: Company):
    async with aclosing(stream(company, types=["provider.recovered"])) as messages:
        await anext(messages)
        await happen(company, "kraken")
        await recover(company)
        found = (await anext(messages))["data"]["events"]

    assert (found["event"]["type"], found["event"]["sequence"]) == ("provider.recovered", "2")


async def test_what_is_not_kept_any_more_is_a_gap(company: Company):
    async with aclosing(stream(company)) as messages:
        first = (await anext(messages))["data"]["events"]
    await happen(company, "kraken", "okx")
    company.house.clock.turn(timedelta(days=31).total_seconds())
    await happen(company, "bybit")
    await company.house.gateway.outbox.forget()
    company.tokens["ada"] = (await sign_in(company.house, company.people["ada"])).access_token

    async with aclosing(stream(company, after=first["cursor"])) as messages:
        gap, event = [(await anext(messages))["data"]["events"] for _ in range(2)]

    assert [each["code"] for each in gap["notices"]] == ["GAP"]
    assert gap["notices"][0]["message"].startswith("2 events behind this cursor")
    assert event["event"]["provider"] == "bybit"


async def test_a_foreign_cursor_ends_the_stream_before_it_begins(company: Company):
    async with aclosing(stream(company, after="ZXZlbnRzOjk5")) as messages:
        body = await anext(messages)

    assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    assert body["errors"][0]["message"] == (
        "after: is not a cursor of this subscription; give back the `cursor` of one of its messages"
    )


async def test_the_catalogue_shows_each_type_with_a_schema_that_its_sample_fits(company: Company):
    body = await company.house.ask(
        "{ eventTypes { name version description marketWide graphqlType jsonSchema sample } }",
        token=company.tokens["ada"],
    )

    by_name = {each["name"]: each for each in body["data"]["eventTypes"]}
    degraded = by_name["provider.degraded"]
    schema, sample = json.loads(degraded["jsonSchema"]), json.loads(degraded["sample"])
    assert list(by_name) == sorted(company.house.host.service(Outbox).catalog)
    assert (degraded["version"], degraded["marketWide"], degraded["graphqlType"]) == (1, True, "ProviderDegraded")
    assert sorted(schema["required"]) == sorted(sample)
    assert (sample["type"], sample["provider"], sample["occurredAt"]) == (
        "provider.degraded", "kraken", "2026-11-20T12:00:00Z",
    )  # fmt: skip
