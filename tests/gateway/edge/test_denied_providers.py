"""Who is denied a provider, by its own list or by its plan, gets nothing that others have from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.core.bus import LocalBus
from gateway.core.contract import Plugin
from gateway.core.identity import Principal
from gateway.core.preferences import NO_PREFERENCE, Preference, Preferences
from tests.gateway.doubles import Handler, failing, late, priced, venue
from tests.gateway.edge.stall import QUOTE, Stall, member, open_stall

PROVIDERS = (venue("alpha", priority=1), venue("beta", priority=2))
AFRESH = '{ quote(symbol: "crypto:BTC/USD") { price provenance { provider cacheStatus ageMs } } }'
BATCH = (
    '{ quotes(symbols: ["crypto:BTC/USD", "crypto:ETH/USD"]) '
    "{ nodes { price provenance { provider } } failures { code } } }"
)
TRUST = '{ consensus(symbol: "crypto:BTC/USD", quorum: 1) { sources { provider quote { price } } } }'
OLD = '{ quote(symbol: "crypto:BTC/USD", route: {staleIfErrorMs: 600000}) { price provenance { provider } } }'
PINNED = '{ quote(symbol: "crypto:BTC/USD", route: {providers: ["alpha"]}) { price } }'


@dataclass(frozen=True)
class Book:
    """Preferences by tenant."""

    wishes: dict[str, Preference]

    def held(self, tenant: str) -> Preference:
        return self.wishes.get(tenant, NO_PREFERENCE)

    async def of(self, tenant: str) -> Preference:
        return self.held(tenant)


DENIALS: dict[str, tuple[Principal, dict[str, Preference]]] = {
    "by its own list": (member("org_b"), {"org_b": Preference(denied=frozenset({"alpha"}))}),
    "by its plan": (member("org_b", providers=frozenset({"beta"})), {}),
}
Open = Callable[..., Awaitable[Stall]]


@pytest.fixture(params=DENIALS)
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """Processes where `a` may ask everybody and `b` is denied alpha; alpha's price is 1, beta's is 2."""
    denied, wishes = DENIALS[request.param]
    stalls: list[Stall] = []

    async def make(**settings: Any) -> Stall:
        book = Plugin(name="book", services=lambda _: {Preferences: Book(wishes)})
        callers = {"a": member("org_a"), "b": denied}
        made = open_stall(tmp_path, *PROVIDERS, callers=callers, bus=LocalBus(), more=(book,), **settings)
        made.wire.handlers["beta"] = priced("2")
        stalls.append(made)
        return made

    yield make
    for each in stalls:
        await each.gateway.close()


@asynccontextmanager
async def under_way(stall: Stall, handler: Handler) -> AsyncIterator[asyncio.Task[Any]]:
    """What `a` asks of alpha has gone out."""
    stall.wire.handlers["alpha"] = handler
    asking = asyncio.create_task(stall.ask(key="a"))
    async with asyncio.timeout(5):
        while not stall.wire.requests:  # noqa: ASYNC110 - the request goes through the whole application
            await asyncio.sleep(0.001)
    yield asking


async def of(stall: Stall, key: str, document: str = QUOTE) -> tuple[str, str]:
    """Price and provider of an answer."""
    found = (await stall.ask(document, key)).json()["data"]["quote"]
    return found["price"], found["provenance"]["provider"]


async def test_bytes_that_another_was_sent_are_not_sent(opened: Open) -> None:
    stall = await opened()

    found = [await of(stall, key) for key in ("a", "b", "a", "b")]

    assert found == [("1", "alpha"), ("2", "beta")] * 2
    assert stall.kept == 2


async def test_who_denies_a_provider_is_sent_nothing_of_it_from_then_on(tmp_path: Path) -> None:
    wishes: dict[str, Preference] = {}
    book = Plugin(name="book", services=lambda _: {Preferences: Book(wishes)})
    callers = {"a": member("org_a"), "b": member("org_b")}
    stall = open_stall(tmp_path, *PROVIDERS, callers=callers, more=(book,))
    stall.wire.handlers["beta"] = priced("2")
    before = [await of(stall, "b") for _ in range(3)]

    wishes["org_b"] = Preference(denied=frozenset({"alpha"}))
    stall.gateway.data.reroute("org_b")

    assert before == [("1", "alpha")] * 3
    assert [await of(stall, key) for key in ("b", "a", "b")] == [("2", "beta"), ("1", "alpha"), ("2", "beta")]


async def test_a_copy_in_memory_is_not_served(opened: Open) -> None:
    stall = await opened()
    await stall.ask(AFRESH, "a")

    answer = (await stall.ask(AFRESH, "b")).json()["data"]["quote"]

    assert answer == {"price": "2", "provenance": {"provider": "beta", "cacheStatus": "MISS", "ageMs": 0}}


async def test_nor_in_a_batch_a_consensus_by_name_or_when_all_others_fail(opened: Open) -> None:
    stall = await opened()
    for document in (QUOTE, BATCH, TRUST):
        await stall.ask(document, "a")
    stall.clock.turn(3)
    await stall.ask(QUOTE, "a")

    batch = (await stall.ask(BATCH, "b")).json()["data"]["quotes"]
    trust = (await stall.ask(TRUST, "b")).json()["data"]["consensus"]
    pinned = (await stall.ask(PINNED, "b")).json()
    stall.wire.handlers["beta"] = failing(500)
    stall.clock.turn(3)
    old = await of(stall, "b", OLD)

    assert {node["provenance"]["provider"] for node in batch["nodes"]} == {"beta"}
    assert [each["provider"] for each in trust["sources"] if each["quote"]] == ["beta"]
    assert pinned["data"]["quote"] is None
    assert old == ("2", "beta")


async def test_a_question_that_is_under_way_is_not_waited_for(opened: Open) -> None:
    stall = await opened()
    async with under_way(stall, late(0.3, priced("1"))) as asking:
        found = await of(stall, "b")

        assert (found, asking.done()) == (("2", "beta"), False)
        assert (await asking).json()["data"]["quote"]["price"] == "1"


async def test_a_copy_of_another_process_is_not_served(opened: Open, redis_url: str) -> None:
    one, two = await opened(redis_url=redis_url), await opened(redis_url=redis_url)
    await of(one, "a")
    fleet = one.gateway.data.pipeline.fleet
    assert fleet is not None
    await fleet.shared.settle()

    assert [await of(two, key) for key in ("b", "a")] == [("2", "beta"), ("1", "alpha")]
    assert [request.provider for request in two.wire.requests] == ["beta"]


async def test_a_question_that_another_process_has_under_way_is_not_waited_for(opened: Open, redis_url: str) -> None:
    one, two = await opened(redis_url=redis_url), await opened(redis_url=redis_url)
    async with under_way(one, late(0.5, priced("1"))) as asking:
        found = await of(two, "b")

        assert (found, asking.done()) == (("2", "beta"), False)
        await asking
