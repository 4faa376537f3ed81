"""A second question where the first takes long, within a budget; and no question that nobody could wait for."""

from __future__ import annotations

import asyncio

from gateway.core.fetchlog import FetchLog
from gateway.core.guards.budget import HedgeBudget
from schema.capability import DEFAULT_TERMS
from schema.words.quotes import QUOTES, QuotesAsk
from tests.gateway.doubles import BTC, ETH, World, codes, failing, fallen, late, pairs, price_of, priced, venue, world


def duel(earned: int = 40) -> World:
    """Two venues, and a budget that has a hedge or two."""
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers["beta"] = priced("2")
    for _ in range(earned):
        w.pipeline.hedges.earn()
    return w


def asked(w: World) -> list[str]:
    return [request.provider for request in w.wire.requests]


async def test_the_next_one_is_asked_too_where_the_first_takes_longer_than_usual() -> None:
    w = duel()
    w.wire.handlers["alpha"] = late(1.0, priced("1"))

    found = await w.quote(hedge=True)

    assert (int(price_of(found)), found.provenance.provider, fallen(found)) == (2, "beta", [])
    assert asked(w) == ["alpha", "beta"]


async def test_nobody_else_is_asked_where_the_first_is_as_quick_as_ever() -> None:
    w = duel()
    w.wire.handlers["alpha"] = late(0.2, priced("1"))

    found = await w.quote(hedge=True)

    assert (int(price_of(found)), asked(w)) == (1, ["alpha"])


async def test_without_being_asked_to_nobody_hedges() -> None:
    w = duel()
    w.wire.handlers["alpha"] = late(1.0, priced("1"))

    found = await w.quote()

    assert (int(price_of(found)), asked(w)) == (1, ["alpha"])


async def test_the_first_answer_counts_and_the_late_one_fills_the_cache() -> None:
    w = duel()
    w.wire.handlers["alpha"] = late(0.4, priced("1"))
    w.wire.handlers["beta"] = late(1.0, priced("2"))

    found = await w.quote(hedge=True)
    await asyncio.sleep(2.0)

    assert (int(price_of(found)), fallen(found)) == (1, [])
    assert price_of(await w.quote(providers=("beta",))) == 2
    assert asked(w) == ["alpha", "beta"]


async def test_where_the_quick_one_fails_the_slow_one_is_waited_for() -> None:
    w = duel()
    w.wire.handlers["alpha"] = late(0.5, priced("1"))
    w.wire.handlers["beta"] = failing(404, {"message": "no"})

    found = await w.quote(hedge=True)

    assert (int(price_of(found)), found.provenance.provider) == (1, "alpha")


async def test_where_both_fail_both_are_told_and_neither_is_asked_again() -> None:
    w = duel()
    w.wire.handlers["alpha"] = late(0.5, failing(404, {"message": "no"}))
    w.wire.handlers["beta"] = late(0.1, failing(404, {"message": "no"}))

    error = await w.refused(hedge=True)

    assert sorted(codes(error)) == [("alpha", "UNKNOWN_INSTRUMENT"), ("beta", "UNKNOWN_INSTRUMENT")]
    assert asked(w) == ["alpha", "beta"]


async def test_one_call_in_twenty_at_most_is_a_second_one() -> None:
    w = duel(earned=0)
    w.wire.handlers["alpha"] = late(1.0, priced("1"))

    for instrument in pairs(200):
        await w.quote(instrument, hedge=True)

    hedged = asked(w).count("beta")
    assert hedged == 10
    assert hedged <= 0.05 * len(asked(w))


def test_the_budget_has_a_hedge_for_twenty_calls_and_no_more_than_twenty() -> None:
    budget = HedgeBudget()
    assert not budget.spend()

    for _ in range(21):
        budget.earn()
    assert (budget.spend(), budget.spend()) == (True, False)

    for _ in range(10_000):
        budget.earn()
    assert [budget.spend() for _ in range(21)] == [True] * 20 + [False]


async def test_who_would_refuse_at_once_is_no_hedge() -> None:
    w = duel()
    w.wire.handlers["alpha"] = late(1.0, priced("1"))
    w.breaker("beta").trip("for the test")

    found = await w.quote(hedge=True)

    assert (int(price_of(found)), asked(w)) == (1, ["alpha"])
    assert w.pipeline.hedges.spend()


async def test_only_what_is_outstanding_is_asked_twice() -> None:
    w = duel()
    await w.quote(BTC)
    w.wire.handlers["alpha"] = late(1.0, priced("1"))

    found = await w.quotes(BTC, ETH, hedge=True)

    assert [price_of(each) for each in found.values()] == [1, 2]
    assert w.wire.asked("beta") == [["ETH-USD"]]


async def test_the_operation_s_deadline_ends_every_fetch_of_it() -> None:
    w = duel()
    w.wire.handlers["alpha"] = w.wire.handlers["beta"] = late(9.0, priced("1"))
    loop = asyncio.get_running_loop()
    ask, begun = QuotesAsk(instruments=(BTC,)), loop.time()

    found = await w.data.fetch_many(QUOTES, ask, DEFAULT_TERMS, FetchLog(), deadline=begun + 1.0)

    assert loop.time() - begun == 1.0
    assert "time ran out" in str(found[BTC])


async def test_nothing_is_sent_that_could_not_be_waited_for() -> None:
    w = duel()
    for _ in range(20):
        w.pipeline.health.succeeded("alpha", 400, "quotes")
        w.pipeline.health.succeeded("beta", 400, "quotes")
    deadline = asyncio.get_running_loop().time() + 0.09

    found = await w.data.fetch_many(QUOTES, QuotesAsk(instruments=(BTC,)), DEFAULT_TERMS, FetchLog(), deadline=deadline)

    assert "too little to be worth a call" in str(found[BTC])
    assert asked(w) == []
