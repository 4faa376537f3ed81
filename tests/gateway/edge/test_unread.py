"""Documents of callers who may not run them: refused unread where that can be told, else charged, and never kept."""

from __future__ import annotations

import asyncio
import gc
import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from graphql import Location, Node, Token, parse
from starlette.types import Message as AsgiMessage

from gateway.core.identity import ANONYMOUS, Principal
from gateway.core.ports import Presented
from gateway.edge import documents
from gateway.edge.documents import digest_of
from gateway.edge.execute import RequestFacts
from gateway.edge.http import GraphQLEndpoint, facts_of
from gateway.edge.limits import EdgeSettings
from gateway.edge.messages import Kind, Message
from gateway.edge.operations import Operations
from tests.gateway.edge.shop import CALLERS, KEY, Accounts, Shop, code_of, open_shop, points

NOBODY = replace(ANONYMOUS, scopes=frozenset())
BARE = replace(KEY, scopes=frozenset(), limits=replace(KEY.limits, points_per_minute=5))


class Closed(Accounts):
    """Nobody does anything without a credential but what needs none."""

    async def authenticate(self, presented: Presented) -> Principal:
        return NOBODY if presented.api_key is None else await super().authenticate(presented)

    def recognise(self, presented: Presented) -> Principal | None:
        return NOBODY if presented.api_key is None else super().recognise(presented)


@pytest.fixture
def shop(tmp_path) -> Shop:
    return open_shop(tmp_path, Closed(callers={**CALLERS, "bare": BARE}), anonymous_points=20)


@pytest.fixture
def read(monkeypatch) -> list[str]:
    found: list[str] = []

    def counting(source: str, **limits: Any) -> object:
        found.append(source)
        return parse(source, **limits)

    monkeypatch.setattr(documents, "parse", counting)
    return found


def new(number: int, field: str = "plain") -> str:
    return f"{{ a{number}: {field} }}"


async def sent(shop: Shop, way: str, document: str, who: str | None = None) -> list[str]:
    """The codes of the answer."""
    headers = {"content-type": "application/json", **({"x-api-key": who} if who else {})}
    if way == "socket":
        return await sent_on_a_socket(shop, document, who)
    method = "GET" if way == "get" else "POST"
    scope = {
        "type": "http", "method": method, "client": ("192.0.2.1", 1), "headers": [],
        "query_string": f"query={quote(document)}".encode(),
    }  # fmt: skip
    payload: Any = {"query": document}

    async def receive() -> AsgiMessage:
        raise AssertionError("the body is there already")

    body = json.dumps([payload] if way == "batch" else payload).encode()
    endpoint = GraphQLEndpoint(shop.executor, EdgeSettings())
    reply = await endpoint.reply(scope, receive, headers, facts_of(scope, headers), body)
    answers = json.loads(reply.body)
    return [
        error["extensions"]["code"]
        for answer in (answers if way == "batch" else [answers])
        for error in answer.get("errors", [])
    ]


async def sent_on_a_socket(shop: Shop, document: str, who: str | None) -> list[str]:
    told: list[dict[str, Any]] = []

    async def send(message: dict[str, object]) -> None:
        told.append(message)

    known = RequestFacts(
        request_id="req_test", transport="websocket", client_ip="192.0.2.1", headers={"x-api-key": who} if who else {}
    )

    async def send_text(text: str) -> None:
        told.append(json.loads(text))

    operations = Operations(shop.executor, known, send, most=5, send_text=send_text)
    operations.admit(known, await shop.executor.identify(known))
    await operations.start(Message(kind=Kind.SUBSCRIBE, id="1", payload={"query": document}))
    await operations.ended()
    return [error["extensions"]["code"] for each in told if each["type"] == "error" for error in each["payload"]]


@pytest.mark.parametrize("way", ["post", "get", "batch", "socket"])
async def test_nobodys_documents_are_refused_unread_and_charged_until_no_point_is_left(shop, read, way):
    codes = [await sent(shop, way, new(number)) for number in range(22)]

    assert codes == [["UNAUTHENTICATED"]] * 20 + [["RATE_LIMITED"]] * 2
    assert read == []


@pytest.mark.parametrize("way", ["post", "get", "batch", "socket"])
async def test_what_names_something_open_is_read_charged_and_not_kept(shop, read, way):
    codes = [await sent(shop, way, f"{{ __typename a{number}: plain }}") for number in range(22)]

    assert codes == [["UNAUTHENTICATED"]] * 20 + [["RATE_LIMITED"]] * 2
    assert len(read) == 22
    assert len(shop.executor._reader._store) == len(shop.executor._reader._refused) == 0


@pytest.mark.parametrize("way", ["post", "get", "batch", "socket"])
@pytest.mark.parametrize("field", ["plain", "own"])
async def test_a_key_without_the_scope_pays_for_the_reading_of_a_new_document(shop, read, way, field):
    codes = [await sent(shop, way, new(number, field), "bare") for number in range(7)]

    assert codes == [["FORBIDDEN"]] * 5 + [["RATE_LIMITED"]] * 2
    assert len(shop.executor._reader._store) == 0
    assert (len(shop.accounts.spent), {spent.failed for spent in shop.accounts.spent}) == (5, {True})


@pytest.mark.parametrize("way", ["post", "get", "batch", "socket"])
async def test_a_known_document_is_looked_at_for_nothing(shop, read, way):
    await sent(shop, "post", "{ plain }", "member")

    codes = [await sent(shop, way, "{ plain }", who) for who in (None, "bare")]

    assert codes == [["UNAUTHENTICATED"], ["FORBIDDEN"]]
    assert read == ["{ plain }"]
    assert (await points(shop), await points(shop, NOBODY)) == (99, 20)


@pytest.mark.parametrize("document", ["{ login }", "{ free }", "{ __typename }"])
@pytest.mark.parametrize("way", ["post", "get", "batch", "socket"])
async def test_what_needs_no_credential_is_read_for_everybody(shop, way, document):
    assert await sent(shop, way, document) == []
    assert shop.executor._reader.knows(digest_of(document))


async def test_an_open_name_in_a_text_opens_nothing(shop):
    result = await shop.ask("{ plain } # free")

    assert (code_of(result), shop.doings.done) == ("UNAUTHENTICATED", [])


async def test_the_same_new_document_several_times_in_a_batch_is_read_once(shop, read):
    items = [{"query": "{ plain }"}] * 5
    headers = {"content-type": "application/json", "x-api-key": "member"}
    scope = {"type": "http", "method": "POST", "client": ("192.0.2.1", 1), "headers": [], "query_string": b""}
    endpoint = GraphQLEndpoint(shop.executor, EdgeSettings())

    async def receive() -> AsgiMessage:
        await asyncio.Event().wait()
        raise AssertionError

    body = json.dumps(items).encode()
    reply = await endpoint.reply(scope, receive, headers, facts_of(scope, headers), body)

    assert [answer["data"] for answer in json.loads(reply.body)] == [{"plain": "plain"}] * 5
    assert read == ["{ plain }"]


@pytest.mark.parametrize("who", ["bare", "nobody"])
async def test_hardly_a_part_of_what_its_sender_may_not_run_waits_for_the_collector(shop, who):
    def nodes() -> int:
        return sum(isinstance(each, Node | Token | Location) for each in gc.get_objects())

    fields = " ".join(f"a{number}: plain" for number in range(240))
    await shop.ask(f"{{ __typename b: plain {fields} }}", "bare")
    gc.collect()
    gc.disable()
    try:
        before = nodes()
        result = await shop.ask(f"{{ __typename {fields} }}", None if who == "nobody" else who)
        assert code_of(result) in ("UNAUTHENTICATED", "FORBIDDEN")
        del result
        assert nodes() - before < 100
    finally:
        gc.enable()
