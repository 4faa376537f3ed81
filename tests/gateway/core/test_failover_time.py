"""How the time of one operation is shared out among providers that are silent."""

from __future__ import annotations

import asyncio

import pytest

from schema.errors import (
    FailureCode,
)
from schema.symbols import parse_instrument
from tests.gateway.doubles import (
    failing,
    fallen,
    late,
    priced,
    silent,
    venue,
    world,
)


async def test_a_silent_provider_leaves_half_of_the_time_for_the_next() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers["alpha"] = silent()

    found = await w.quote(timeout=4.0)

    assert asyncio.get_running_loop().time() == pytest.approx(2.0)
    assert fallen(found) == [("alpha", "UPSTREAM_UNAVAILABLE")]
    assert found.provenance.fallback_from[0].message == "no answer within 2000 ms"


async def test_of_many_providers_the_last_has_more_than_a_moment() -> None:
    names = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
    w = world(*(venue(name, priority=n) for n, name in enumerate(names)))
    w.wire.handlers.update({name: silent() for name in names[:-1]}, zeta=late(0.2, priced("7")))

    found = await w.quote(timeout=3.0)

    assert found.provenance.provider == "zeta"
    assert asyncio.get_running_loop().time() < 3.0


async def test_no_time_is_kept_for_a_provider_that_would_refuse_at_once() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers.update(alpha=late(3.0, priced("7")), beta=failing(429, retry_after="60"))
    await w.refused(parse_instrument("crypto:ETH/USD"), providers=("beta",))

    found = await w.quote(timeout=4.0)

    assert (found.provenance.provider, fallen(found)) == ("alpha", [])


async def test_silence_of_all_ends_at_the_deadline() -> None:
    w = world(*(venue(name, priority=n) for n, name in enumerate(("alpha", "beta", "gamma"))))
    w.wire.handlers.update(alpha=silent(), beta=silent(), gamma=silent())

    error = await w.refused(timeout=4.0)

    assert asyncio.get_running_loop().time() == pytest.approx(4.0)
    assert error.code is FailureCode.DEADLINE_EXCEEDED
    assert [attempt.provider for attempt in error.attempts] == ["alpha", "beta", "gamma"]
    assert error.message == (
        "no quotes for crypto:BTC/USD: time ran out; alpha: no answer within 1333 ms; "
        "beta: no answer within 1333 ms; gamma: no answer within 1333 ms"
    )


async def test_no_time_at_all_says_so_unless_nobody_covers_it_anyway() -> None:
    some, none = world(venue("alpha")), world(venue("alpha", covers=lambda ask: False))

    assert (await some.refused(timeout=0.0)).message == (
        "no quotes for crypto:BTC/USD: time ran out before anybody was asked"
    )
    assert (await none.refused(timeout=0.0)).code is FailureCode.NOT_COVERED
    assert some.wire.requests == []
