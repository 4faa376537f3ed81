"""A body that was read before is known again: what it asks for, and nothing of who asked or what they may."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from starlette.types import Message

from gateway.core.identity import Scope
from gateway.edge import http
from gateway.edge.documents import DocumentStore, digest_of
from gateway.edge.http import GraphQLEndpoint, facts_of
from gateway.edge.limits import EdgeSettings
from gateway.edge.replies import Reply
from tests.gateway.edge.shop import CALLERS, KEY, MEMBER, Accounts, Shop, open_shop, points


@pytest.fixture
def shop(tmp_path) -> Shop:
    return open_shop(tmp_path, Accounts(callers=dict(CALLERS)), anonymous_points=20)


@pytest.fixture
def endpoint(shop) -> GraphQLEndpoint:
    return GraphQLEndpoint(shop.executor, EdgeSettings())


async def post(endpoint: GraphQLEndpoint, payload: Any, who: str = "member") -> tuple[int, dict[str, Any]]:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {"content-type": "application/json", "x-api-key": who}
    scope = {"type": "http", "method": "POST", "client": ("192.0.2.1", 1), "headers": [], "query_string": b""}

    async def receive() -> Message:
        raise AssertionError("the body is there already")

    reply: Reply = await endpoint.reply(scope, receive, headers, facts_of(scope, headers), body)
    return reply.status, json.loads(reply.body)


async def test_the_same_body_is_read_once_and_charged_each_time(shop, endpoint, monkeypatch):
    read: list[bytes] = []

    def parse(text: bytes, what: str) -> object:
        read.append(text)
        return json.loads(text)

    monkeypatch.setattr(http, "parse_json", parse)

    answers = [await post(endpoint, {"query": "{ plain }"}) for _ in range(3)]

    assert [(status, answer["data"]) for status, answer in answers] == [(200, {"plain": "plain"})] * 3
    assert read == [b'{"query": "{ plain }"}']
    assert await points(shop) == 97


async def test_a_known_body_says_nothing_of_what_its_sender_may_do(shop, endpoint):
    shop.accounts.callers["owner"] = replace(MEMBER, scopes=frozenset(Scope))
    document = {"query": "{ keys }"}
    _, allowed = await post(endpoint, document, "owner")
    _, refused = await post(endpoint, document)

    assert len(endpoint._known) == 1
    assert allowed["data"] == {"keys": "plain"}
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["FORBIDDEN"]


@pytest.mark.parametrize("more", [{"variables": {}}, {"extensions": {}}, {"variables": {"a": 1}}])
async def test_bodies_with_variables_or_extensions_are_read_each_time(endpoint, more):
    await post(endpoint, {"query": "{ plain }", **more})

    assert endpoint._known == {}


async def test_what_is_refused_is_not_known_and_few_short_bodies_are(endpoint, monkeypatch):
    monkeypatch.setattr(http, "MOST_KNOWN", 2)
    await post(endpoint, {"query": "{ nothing }"})
    await post(endpoint, [{"query": "{ plain }"}])
    await post(endpoint, b'{"query": "{ plain }"' + b" " * 17_000 + b"}")
    assert endpoint._known == {}

    for name in "abc":
        await post(endpoint, {"query": f"{{ {name}: plain }}"})

    assert list(endpoint._known) == [b'{"query": "{ c: plain }"}']


@pytest.mark.parametrize("document", ["{ keys }", "{ own }"])
async def test_what_its_sender_may_not_ask_is_not_known_afterwards(shop, endpoint, document):
    shop.accounts.callers["bare"] = replace(KEY, scopes=frozenset())
    status, _ = await post(endpoint, {"query": document}, "bare")

    assert (status, endpoint._known) == (403, {})
    assert shop.executor.recall(digest_of(document), None) is None


async def test_a_body_whose_document_was_dropped_is_read_again(shop, endpoint, monkeypatch):
    await post(endpoint, {"query": "{ plain }"})
    monkeypatch.setattr(shop.executor._reader, "_store", DocumentStore(0))

    status, answer = await post(endpoint, {"query": "{ plain }"})

    assert (status, answer["data"]) == (200, {"plain": "plain"})
    assert shop.executor.recall(digest_of("{ plain }"), None) is None
