"""Three calls in ten fail and one provider in three never answers: who asks for a quote hardly notices."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from gateway.core.upstream import RawReply, Request
from schema.errors import ConnectionFailed, NoAnswer, Timeout
from schema.symbols import parse_instrument
from tests.gateway.doubles import NOON, LoopClock, World, failing, priced, reply, silent, stamp, venue, world

QUERIES, PER_SECOND = 6_000, 20.0
MOST_UNANSWERED = QUERIES // 1000
FAILING_SHARE = 0.3
HOLES = ("beta", "epsilon")
VENUES = {"alpha": 10, "beta": 10, "gamma": 10, "delta": 10, "epsilon": 10, "zeta": 50}
PRICES = {name: str(100 + number) for number, name in enumerate(VENUES)}
DEADLINE = 5.0


def flaky(name: str, dice: random.Random) -> Callable[[Request], Awaitable[RawReply]]:
    """Answers after some milliseconds; of ten calls three fail, each in one of five ways."""

    async def handler(request: Request) -> RawReply:
        await asyncio.sleep(dice.uniform(0.01, 0.08))
        if dice.random() >= FAILING_SHARE:
            found = priced(PRICES[name], at=NOON)(request)
            assert isinstance(found, RawReply)
            return found
        way = dice.randrange(5)
        if way == 0:
            raise ConnectionFailed(name, "connection reset by peer")
        if way == 1:
            raise Timeout(name, "no answer in time")
        if way == 2:
            return reply(b"<html>busy</html>")
        broken = failing(500 if way == 3 else 503)(request)
        assert isinstance(broken, RawReply)
        return broken

    return handler


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_of_a_thousand_quotes_at_most_one_is_not_answered(seed: int) -> None:
    w = outage(seed)
    loop = asyncio.get_running_loop()
    found: Counter[str] = Counter()

    async def ask(number: int) -> None:
        await asyncio.sleep(number / PER_SECOND)
        begun = loop.time()
        try:
            answer = await w.quote(parse_instrument(f"crypto:C{number}X/USD"))
        except NoAnswer:
            found["unanswered"] += 1
        else:
            made = answer.provenance
            found[made.provider] += 1
            assert str(answer.value.price) == PRICES[made.provider]
            assert answer.value.as_of == NOON
            assert answer.value.provenance == made
            # Whoever stands before it in the order of priority was asked and failed, or was passed over, and is told.
            assert made.provider not in {failure.provider for failure in made.fallback_from}
        assert loop.time() - begun <= DEADLINE

    await asyncio.gather(*map(ask, range(QUERIES)))
    print(seed, found, Counter(e[2] for e in w.events))

    assert found["unanswered"] <= MOST_UNANSWERED
    assert not found.keys() & set(HOLES)
    assert found.total() == QUERIES


def outage(seed: int) -> World:
    random.seed(seed)
    dice = random.Random(seed)
    w = world(*(venue(name, priority=priority) for name, priority in VENUES.items()), clock=LoopClock())
    for name in VENUES:
        w.wire.handlers[name] = silent() if name in HOLES else flaky(name, dice)
    assert stamp(NOON)
    return w
