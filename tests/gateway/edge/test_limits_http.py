"""Limits as HTTP clients see them: status, headers, batches, addresses behind proxies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import ip_network

import httpx
import pytest

from gateway.app import create_app
from tests.gateway.edge.shop import Shop, open_shop

GRAPHQL = "application/graphql-response+json"


@pytest.fixture
def shop(tmp_path) -> Shop:
    return open_shop(tmp_path, anonymous_points=3, trusted_proxies=(ip_network("127.0.0.1"),))


@pytest.fixture
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_app(shop.gateway.settings, gateway=shop.gateway))
    async with httpx.AsyncClient(transport=transport, base_url="http://edge.test") as made:
        yield made


@pytest.mark.parametrize("accepted", ["application/json", GRAPHQL])
async def test_the_limit_is_told_in_headers_and_when_it_is_used_up_by_the_status(client, accepted):
    found = [await client.post("/graphql", json={"query": "{ plain }"}, headers={"accept": accepted}) for _ in range(4)]

    assert [reply.status_code for reply in found] == [200, 200, 200, 429]
    assert [reply.headers["RateLimit"] for reply in found] == [f'"points";r={r};t={t}' for r, t in (
        (2, 20), (1, 50), (0, 60), (0, 60),
    )]  # fmt: skip
    assert {reply.headers["RateLimit-Policy"] for reply in found} == {'"points";q=3;w=60'}
    assert [reply.headers.get("Retry-After") for reply in found] == [None, None, None, "21"]
    assert "data" not in found[3].json()


async def test_a_batch_tells_what_its_tightest_answer_leaves(client):
    batch = [{"query": query} for query in ("{ plain }", "{ a: plain b: plain }", "{ plain }", "{ nothing }")]

    reply = await client.post("/graphql", json=batch)

    assert reply.status_code == 200
    assert reply.headers["RateLimit"] == '"points";r=0;t=60'
    assert [answer.get("data") for answer in reply.json()] == [
        {"plain": "plain"}, {"a": "plain", "b": "plain"}, None, None,
    ]  # fmt: skip


async def test_a_batch_of_which_nothing_may_run_now_is_refused_as_a_single_operation_is(client, shop):
    batch = [{"query": query} for query in ("{ plain }", "{ a: plain b: plain }", "{ dear }")]
    await client.post("/graphql", json={"query": "{ a: plain b: plain c: plain }"})

    reply = await client.post("/graphql", json=batch)
    never = await client.post("/graphql", json=[{"query": "{ dear }"}] * 2)

    waits = [answer["errors"][0]["extensions"].get("retryAfterMs") for answer in reply.json()]
    assert (reply.status_code, reply.headers["Retry-After"], waits) == (429, "41", [20010, 40010, None])
    assert (never.status_code, never.headers.get("Retry-After")) == (429, None)
    assert shop.doings.done == ["plain"] * 3


async def test_callers_behind_a_trusted_proxy_are_told_apart(client):
    async def ask(address: str) -> int:
        headers = {"x-forwarded-for": f"1.1.1.1, {address}"}
        reply = await client.post("/graphql", json={"query": "{ a: plain b: plain c: plain }"}, headers=headers)
        return int(reply.status_code)

    assert [await ask(address) for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2")] == [200, 429, 200]


async def test_a_price_alone_comes_without_data(client, shop):
    reply = await client.post("/graphql", json={"query": "{ plain dear }"}, headers={"Marketgate-Cost": "only"})

    body = reply.json()
    assert (reply.status_code, sorted(body)) == (200, ["extensions"])
    assert body["extensions"]["cost"]["fields"] == {"plain": 1, "dear": 50}
    assert shop.doings.done == []


async def test_another_word_than_only_executes_nothing_and_names_the_header(client, shop):
    replies = [
        await client.post("/graphql", json={"query": "{ plain dear }"}, headers={"Marketgate-Cost": value})
        for value in ("foo", "")
    ]

    for reply in replies:
        (error,) = reply.json()["errors"]
        assert (reply.status_code, error["extensions"]["code"]) == (400, "BAD_REQUEST")
        assert error["message"].startswith("the header Marketgate-Cost knows one value, 'only'")
    assert shop.doings.done == []


async def test_who_may_not_is_told_by_the_status(client):
    found = [
        await client.post("/graphql", json={"query": query}, headers=headers)
        for query, headers in (
            ("{ keys }", {}),
            ("{ keys }", {"x-api-key": "member"}),
            ("{ free }", {"x-api-key": "no"}),
        )
    ]

    assert [reply.status_code for reply in found] == [401, 403, 401]
    assert [reply.headers.get("WWW-Authenticate") is not None for reply in found] == [True, False, True]
