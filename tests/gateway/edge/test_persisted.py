"""Persisted documents over a real Redis: sent to one process, asked of another, and never taken on trust."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import redis.asyncio
from redis.asyncio import Redis
from starlette.applications import Starlette

from gateway.core.link import RedisLink
from gateway.edge.documents import digest_of
from gateway.edge.persisted import INDEX, LARGEST, LASTS_S, PREFIX, SharedDocuments
from tests.gateway.doubles import ManualClock
from tests.gateway.edge.conftest import World
from tests.gateway.edge.stall import HandGate

HELLO = "{ hello }"


def by_hash(text: str) -> dict[str, object]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest_of(text)}}}


@dataclass
class Process:
    """An edge, its client and its way to Redis."""

    app: Starlette
    client: httpx.AsyncClient
    documents: SharedDocuments

    async def send(self, text: str) -> Any:
        """A document with its hash."""
        return await self.ask({"query": text, **by_hash(text)})

    async def ask(self, body: object) -> Any:
        found = (await self.client.post("/graphql", json=body)).json()
        await self.documents.settle()
        return found


Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def start(build: Callable[..., Starlette], redis_url: str) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def make(url: str = redis_url, most: int = 2_000, **changes: object) -> Process:
            link = RedisLink(url, ManualClock(), wait_s=5.0)
            stack.push_async_callback(link.close)
            documents = SharedDocuments(link, most)
            app = build(persisted=documents, **changes)
            transport = httpx.ASGITransport(app=app)
            client = await stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url="http://edge.test")
            )
            return Process(app, client, documents)

        yield make


@pytest.fixture
async def server(redis_url: str) -> AsyncIterator[Redis]:
    client: Redis = redis.asyncio.from_url(redis_url)
    yield client
    await client.aclose()


def code_of(answer: Any) -> str:
    (error,) = answer["errors"]
    return str(error["extensions"]["code"])


async def test_a_document_that_one_process_was_sent_is_asked_of_another(start: Start, server: Redis) -> None:
    one, other = await start(), await start()
    await one.send(HELLO)

    by_post = await other.ask(by_hash(HELLO))
    await server.flushdb()
    again = await other.ask({"documentId": digest_of(HELLO)})

    assert by_post["data"] == again["data"] == {"hello": "hello world"}


@pytest.mark.parametrize("planted", [b'{ later(name: "evil") }', b"\xff\xfe", b""])
async def test_a_text_that_is_not_the_one_of_its_hash_is_not_executed(
    planted: bytes, start: Start, server: Redis, world: World
) -> None:
    await server.set(PREFIX + digest_of(HELLO), planted)

    answer = await (await start()).ask(by_hash(HELLO))

    assert code_of(answer) == "PERSISTED_QUERY_NOT_FOUND"
    assert world.calls == []


async def test_a_text_of_its_hash_that_the_schema_does_not_allow_is_refused_as_if_it_had_been_sent(
    start: Start, server: Redis, world: World
) -> None:
    await server.set(PREFIX + digest_of("{ nothing }"), b"{ nothing }")

    answer = await (await start()).ask(by_hash("{ nothing }"))

    assert code_of(answer) == "GRAPHQL_VALIDATION_FAILED"
    assert world.calls == []


async def test_what_is_shared_is_small_valid_sent_with_its_hash_and_gone_after_a_day(
    start: Start, server: Redis
) -> None:
    one = await start()
    await one.ask({"query": "{ a: hello }"})
    await one.send("{ nothing }")
    await one.send(HELLO + " " * LARGEST)

    await one.send(HELLO)

    text = PREFIX + digest_of(HELLO)
    assert sorted(await server.keys("*")) == sorted([text.encode(), INDEX.encode()])
    assert await server.get(text) == HELLO.encode()
    assert LASTS_S - 10 < await server.ttl(text) <= LASTS_S


async def test_who_may_not_run_a_document_shares_none(start: Start, server: Redis) -> None:
    poor = await start(gate=HandGate({}, left={"anonymous": 0}))

    answer = await poor.send(HELLO)

    assert code_of(answer) == "RATE_LIMITED"
    assert await server.dbsize() == 0


async def test_the_texts_that_were_sent_longest_ago_go_first(start: Start, server: Redis) -> None:
    one = await start(most=2)
    texts = [f"{{ a{number}: hello }}" for number in range(4)]

    for text in texts:
        await one.send(text)

    assert [await server.exists(PREFIX + digest_of(text)) for text in texts] == [0, 0, 1, 1]
    assert await server.zcard(INDEX) == 2


async def test_without_redis_a_process_knows_what_it_was_sent_itself(start: Start) -> None:
    alone = await start("redis://127.0.0.1:1/0")

    unknown = await alone.ask(by_hash(HELLO))
    await alone.send(HELLO)

    assert code_of(unknown) == "PERSISTED_QUERY_NOT_FOUND"
    assert (await alone.ask(by_hash(HELLO)))["data"] == {"hello": "hello world"}


async def test_in_allow_list_mode_nothing_comes_from_redis(start: Start, server: Redis, world: World) -> None:
    await server.set(PREFIX + digest_of(HELLO), HELLO)
    listed = await start(trusted={digest_of("{ row { number } }"): "{ row { number } }"}, trusted_only=True)

    answer = await listed.ask(by_hash(HELLO))

    assert code_of(answer) == "DOCUMENT_NOT_TRUSTED"
    assert world.calls == []


async def test_a_batch_asks_its_own_process_only(start: Start) -> None:
    one, other = await start(), await start()
    await one.send(HELLO)

    (answer,) = await other.ask([by_hash(HELLO)])

    assert code_of(answer) == "PERSISTED_QUERY_NOT_FOUND"
