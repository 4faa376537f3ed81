"""Three calls in ten fail and one provider in three never answers: who asks for a quote hardly notices."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from decimal import Decimal

from gateway.core.upstream import RawReply, Request
from schema.errors import ConnectionFailed, NoAnswer, Timeout
from schema.symbols import parse_instrument
from tests.gateway.doubles import NOON, LoopClock, TurnedLoop, World, failing, reply, silent, stamp, venue, world

QUERIES = 3_000
RATES, SEEDS = (20.0, 200.0), (1, 2)
FAILING_SHARE, DEADLINE = 0.3, 5.0
HOLES = {"beta", "epsilon"}
PRIORITIES = {"alpha": 10, "beta": 10, "gamma": 10, "delta": 10, "epsilon": 10, "zeta": 50}
PRICES = {name: Decimal(100 + number) for number, name in enumerate(PRIORITIES)}


def flaky(name: str, dice: random.Random) -> Callable[[Request], Awaitable[RawReply]]:
    """Answers after some milliseconds; of ten calls three fail, each in one of five ways."""

    async def handler(request: Request) -> RawReply:
        await asyncio.sleep(dice.uniform(0.01, 0.08))
        if dice.random() >= FAILING_SHARE:
            return reply({dict(request.params)["symbols"]: {"price": str(PRICES[name]), "at": stamp(NOON)}})
        way = dice.randrange(5)
        if way == 0:
            raise ConnectionFailed(name, "connection reset by peer")
        if way == 1:
            raise Timeout(name, "no answer in time")
        broken = reply(b"<html>busy</html>") if way == 2 else failing(500 + way)(request)
        assert isinstance(broken, RawReply)
        return broken

    return handler


def outage(seed: int) -> World:
    random.seed(seed)
    dice = random.Random(seed)
    w = world(*(venue(name, priority=priority) for name, priority in PRIORITIES.items()), clock=LoopClock())
    for name in PRIORITIES:
        w.wire.handlers[name] = silent() if name in HOLES else flaky(name, dice)
    return w


async def ask_often(seed: int, per_second: float) -> Counter[str]:
    """How often which provider answered, what it said being right; "" is nobody."""
    w, loop = outage(seed), asyncio.get_running_loop()
    found: Counter[str] = Counter()

    async def ask(number: int) -> None:
        await asyncio.sleep(number / per_second)
        begun = loop.time()
        try:
            answer = await w.quote(parse_instrument(f"crypto:C{number}X/USD"))
        except NoAnswer:
            found[""] += 1
        else:
            made = answer.provenance
            found[made.provider] += 1
            assert (answer.value.price, answer.value.as_of) == (PRICES[made.provider], NOON)
            assert answer.value.provenance == made
            assert made.provider not in {failure.provider for failure in made.fallback_from}
        assert loop.time() - begun <= DEADLINE

    await asyncio.gather(*map(ask, range(QUERIES)))
    return found


def test_of_a_thousand_quotes_at_most_one_is_not_answered() -> None:
    found: Counter[str] = Counter()

    for seed in SEEDS:
        for per_second in RATES:
            with asyncio.Runner(loop_factory=TurnedLoop) as runner:
                found += runner.run(ask_often(seed, per_second))

    assert found.total() == QUERIES * len(SEEDS) * len(RATES)
    assert found[""] <= found.total() // 1000
    assert found.keys() - {""} == PRIORITIES.keys() - HOLES
