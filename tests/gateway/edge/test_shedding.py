"""A process at its limit refuses operations, the busiest callers' first, before everybody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from gateway.core.identity import ANONYMOUS
from gateway.edge.allowances import payer_of
from gateway.edge.limits import EdgeSettings
from gateway.edge.shedding import EVERY_S, LEAST, MOST, SHED, Shedding
from tests.gateway.doubles import TurnedLoop
from tests.gateway.edge.sockets import KNOWN, Stage, dialled, serving, stage_app

LATE, CALM = 0.2, 0.0
SILENCE = "subscription { silence { number } }"


def made(limit: int) -> Shedding:
    """Bears so many operations; waits are exact."""
    shedding = Shedding(0.1, spread=lambda: 0.25)
    shedding.limit = limit
    return shedding


def entered(shedding: Shedding, payer: str, times: int) -> int:
    """How many of so many operations were let in."""
    return sum(shedding.enter(payer) is None for _ in range(times))


def late(shedding: Shedding) -> None:
    """Long enough for one step down."""
    for _ in range(2):
        shedding.note(LATE)


def test_a_loop_that_stays_late_lowers_the_bound_below_what_is_under_way():
    shedding = made(MOST)
    entered(shedding, "a", 100)

    shedding.note(LATE)
    before = shedding.limit
    shedding.note(LATE)

    assert (before, shedding.limit) == (MOST, 80)


def test_one_late_turn_lowers_nothing():
    shedding = made(MOST)
    entered(shedding, "a", 100)

    for lag in (LATE, *[CALM] * 20, LATE, CALM):
        shedding.note(lag)

    assert shedding.limit == MOST


def test_a_loop_that_is_late_with_hardly_anything_under_way_lowers_nothing():
    shedding = made(MOST)
    entered(shedding, "a", LEAST)

    for _ in range(10):
        late(shedding)

    assert shedding.limit == MOST


def test_the_bound_falls_step_by_step_never_below_the_least_and_grows_again_when_the_loop_is_calm():
    shedding = made(MOST)
    entered(shedding, "a", 100)
    falls = []
    for _ in range(8):
        late(shedding)
        falls.append(shedding.limit)

    for _ in range(20):
        shedding.note(CALM)

    assert falls == [80, 64, 51, 40, 32, 32, 32, 32]
    assert shedding.limit == 66


def test_a_bound_that_nobody_comes_near_does_not_grow():
    shedding = made(40)
    entered(shedding, "a", 19)

    shedding.note(CALM)
    before = shedding.limit
    entered(shedding, "a", 1)
    shedding.note(CALM)

    assert (before, shedding.limit) == (40, 42)


def test_a_loop_that_is_neither_late_nor_calm_changes_nothing():
    shedding = made(40)
    for _ in range(20):
        shedding.note(0.08)

    entered(shedding, "a", 40)
    for _ in range(50):
        shedding.note(0.08)

    assert shedding.limit == 40


def test_the_busiest_caller_is_refused_first_and_the_others_come_in():
    shedding = made(20)

    assert entered(shedding, "greedy", 100) == 20
    assert entered(shedding, "modest", 100) == 10
    assert entered(shedding, "third", 100) == 7
    assert shedding.under_way == 37
    assert entered(shedding, "greedy", 1) == 0


def test_however_many_callers_there_are_nobody_comes_in_beyond_twice_the_bound():
    shedding = made(20)

    assert sum(entered(shedding, f"caller {n}", 1) for n in range(100)) == 40


def test_whoever_has_little_under_way_comes_in_whatever_others_have_had_since_before_the_bound_fell():
    shedding = made(MOST)
    entered(shedding, "computing", 130)
    entered(shedding, "reading", 70)
    shedding.limit = LEAST

    assert [entered(shedding, payer, 1) for payer in ("computing", "reading")] == [0, 0]
    assert entered(shedding, "light", 10) == 10
    assert [entered(shedding, payer, 100) for payer in ("second", "third", "fourth")] == [8, 7, 6]
    # So many beyond the bound are as many as the bound: now it is one each for who has nothing.
    assert [entered(shedding, payer, 100) for payer in ("fifth", "sixth", "seventh")] == [1, 1, 1]
    assert shedding.look("eighth") is None

    for _ in range(10):
        shedding.leave("light")
    assert entered(shedding, "fifth", 100) == 3


def test_who_leaves_makes_room():
    shedding = made(20)
    entered(shedding, "a", 20)

    assert entered(shedding, "a", 1) == 0
    shedding.leave("a")
    assert entered(shedding, "a", 2) == 1
    for _ in range(20):
        shedding.leave("a")
    assert shedding.under_way == 0
    assert shedding._of == {}


def test_a_refusal_says_when_to_come_back_the_later_the_longer_it_lasts():
    shedding = made(MOST)
    entered(shedding, "a", 100)
    waits = []
    for _ in range(20):
        late(shedding)
        refused = shedding.enter("a")
        assert refused is not None
        (error,) = refused.errors
        assert (refused.status, error["extensions"]["code"]) == (503, "OVERLOADED")
        waits.append((error["extensions"]["retryAfterMs"], refused.headers["Retry-After"]))

    assert waits[:3] == [(1250, "2"), (2250, "3"), (3250, "4")]
    assert waits[-1] == (3250, "4")


def test_once_nobody_is_refused_any_more_the_wait_is_short_again():
    shedding = made(MOST)
    entered(shedding, "a", 100)
    for _ in range(5):
        late(shedding)
    shedding.enter("a")

    shedding.note(CALM)
    first = shedding.enter("a")
    for _ in range(10):
        shedding.note(CALM)
    second = shedding.enter("a")

    waits = [each.headers["Retry-After"] for each in (first, second) if each is not None]
    assert waits == ["4", "2"]


def test_switched_off_it_refuses_nobody():
    shedding = Shedding()
    shedding.limit = 1

    assert entered(shedding, "a", 1000) == 1000


def test_the_loop_is_looked_at_while_the_process_serves_and_no_longer():
    seen: list[float] = []

    class Noting(Shedding):
        def note(self, lag_s: float) -> None:
            seen.append(lag_s)

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, TurnedLoop)
        shedding = Noting(0.1)
        async with shedding.watching():
            await asyncio.sleep(0)
            # Work that holds the loop for a second.
            loop.reading += 1.0
            await asyncio.sleep(EVERY_S * 1.5)
        await asyncio.sleep(10)

    with asyncio.Runner(loop_factory=TurnedLoop) as runner:
        runner.run(serve())

    assert [round(lag, 6) for lag in seen] == [0.0, 1.0 - EVERY_S, 0.0]


@pytest.fixture
def stage() -> Stage:
    return Stage(principal=KNOWN)


def full(shedding: Shedding) -> Callable[[], None]:
    """Somebody takes all the places; the answer gives them back."""
    shedding.limit = 1
    entered(shedding, payer_of(KNOWN, None), 1)
    return lambda: shedding.leave(payer_of(KNOWN, None))


async def test_over_http_it_is_a_503_with_the_time_to_come_back_and_nothing_runs(stage, settings: EdgeSettings):
    shedding = made(MOST)
    empty = full(shedding)
    shed = SHED.value
    async with serving(stage_app(stage, settings, shedding)) as address, httpx.AsyncClient() as client:
        url = address.replace("ws:", "http:")
        refused = await client.post(url, json={"query": "{ hello }"}, headers={"accept": "application/json"})
        calls = list(stage.calls)
        alive = await client.get(url.replace("/graphql", "/livez"))
        empty()
        answered = await client.post(url, json={"query": "{ hello }"})

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert refused.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
    assert refused.json()["errors"][0]["extensions"]["retryAfterMs"] == 1250
    assert "data" not in refused.json()
    assert calls == []
    assert SHED.value == shed + 1
    assert alive.status_code == 200
    assert answered.json()["data"] == {"hello": "hello world"}
    assert shedding.under_way == 0


async def test_over_a_socket_operations_and_subscriptions_are_refused_and_open_streams_go_on(
    stage, settings: EdgeSettings
):
    shedding = made(MOST)
    async with serving(stage_app(stage, settings, shedding)) as address, dialled(address) as peer:
        await peer.initialise()
        await peer.ask(SILENCE, "open")
        await stage.begun.wait()
        counted = shedding.under_way
        full(shedding)

        codes = []
        for name, document in (("query", "{ hello }"), ("stream", "subscription { count(to: 1) { number } }")):
            await peer.ask(document, name)
            answer = await peer.hear()
            codes.append((answer["type"], answer["id"], answer["payload"][0]["extensions"]["code"]))

        assert counted == 0
        assert codes == [("error", "query", "OVERLOADED"), ("error", "stream", "OVERLOADED")]
        assert stage.open == 1


async def test_callers_without_a_tenant_are_told_apart_by_their_address(stage, settings: EdgeSettings):
    stage.principal = ANONYMOUS
    shedding = made(1)
    entered(shedding, payer_of(ANONYMOUS, "127.0.0.1"), 1)
    async with serving(stage_app(stage, settings, shedding)) as address, httpx.AsyncClient() as client:
        url = address.replace("ws:", "http:")
        refused = await client.post(url, json={"query": "{ hello }"})
        shedding.leave(payer_of(ANONYMOUS, "127.0.0.1"))
        entered(shedding, payer_of(ANONYMOUS, "192.0.2.1"), 1)
        answered = await client.post(url, json={"query": "{ hello }"})

    assert (refused.status_code, answered.status_code) == (503, 200)
