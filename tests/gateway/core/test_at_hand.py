"""The short way answers what the long one would, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.core.account import NOBODY, Account, Reach
from gateway.core.batches import MOST_BATCHES
from gateway.core.fetchlog import FetchLog
from schema.capability import DEFAULT_TERMS
from schema.errors import NoAnswer
from schema.provenance import CacheStatus
from schema.words.quotes import QUOTES, QuotesAsk
from tests.gateway.doubles import BTC, ETH, SOL, World, fallen, pairs, price_of, priced, venue, world


async def test_a_copy_is_a_hit_with_the_provenance_that_was_stored() -> None:
    w = world(venue("alpha"))
    first = await w.quote()

    found, log = await w.logged()

    assert found.value is first.value
    assert log.status(found.provenance) is CacheStatus.HIT
    assert (log.hits, log.calls) == ({"alpha": 1}, {})
    assert log.fresh_until == w.clock.monotonic() + 2


async def test_what_is_not_there_is_asked_for_and_joined_in_the_order_of_the_ask() -> None:
    w = world(venue("alpha"))
    await w.quotes(ETH)

    found = await w.quotes(BTC, ETH, SOL)

    assert list(found) == [BTC, ETH, SOL]
    assert w.wire.asked("alpha") == [["ETH-USD"], ["BTC-USD", "SOL-USD"]]


async def test_what_appears_twice_in_an_ask_is_answered_twice_over() -> None:
    w = world(venue("alpha"))
    await w.quote()

    found = await w.data.fetch_many(QUOTES, QuotesAsk(instruments=(BTC, ETH, BTC)))

    assert list(found) == [BTC, ETH]
    assert [price_of(each) for each in found.values()] == [1, 1]


async def test_a_copy_of_one_who_fails_of_late_does_not_come_before_the_others() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers["beta"] = priced("2")
    await w.quote()
    for _ in range(12):
        w.pipeline.health.pulse("alpha", "quotes").failed(w.clock.monotonic())

    found = await w.quote()

    assert (int(price_of(found)), fallen(found)) == (2, [("alpha", "UPSTREAM_UNAVAILABLE")])


async def test_a_limit_of_age_is_never_passed_over() -> None:
    w = world(venue("alpha"))
    await w.quote()
    w.clock.turn(1)

    await w.quote(max_age=timedelta(seconds=0.5))

    assert len(w.wire.requests) == 2


async def test_a_provider_that_is_disabled_answers_nothing_that_was_remembered() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers["beta"] = priced("2")
    await w.quote()

    w.registry.disable({"alpha": "disabled by the operator"})

    assert price_of(await w.quote()) == 2


async def test_a_tenant_whose_licence_forbids_sharing_gets_no_copy_of_another() -> None:
    w = world(venue("alpha", shareable=False))
    one, other = Account(tenant="org_a"), Account(tenant="org_b")
    await w.quote(account=one)

    await w.quote(account=other)
    await w.quote(account=other)

    assert len(w.wire.requests) == 2


async def test_a_hundred_copies_cost_no_call() -> None:
    w, many, log = world(venue("alpha")), pairs(100), FetchLog()
    await w.quotes(*many)

    found = await w.data.fetch_many(QUOTES, QuotesAsk(instruments=many), DEFAULT_TERMS, log)

    assert list(found) == list(many)
    assert (log.hits, len(w.wire.requests)) == ({"alpha": 100}, 1)


MANY = tuple(replace(BTC, base=f"C{number}") for number in range(20))


async def asked_for(w: World, log: FetchLog | None = None, account: Account = NOBODY) -> Mapping[Any, Any]:
    return await w.data.fetch_many(QUOTES, QuotesAsk(instruments=MANY), DEFAULT_TERMS, log, account)


async def test_a_batch_that_is_there_as_a_whole_is_answered_and_noted_as_its_items_are() -> None:
    w = world(venue("alpha"))
    await asked_for(w)
    w.clock.turn(0.5)

    logs = [FetchLog(), FetchLog()]
    found = [await asked_for(w, log) for log in logs]

    assert found[0] == found[1]
    assert list(found[1]) == list(MANY)
    assert [log.hits for log in logs] == [{"alpha": 20}, {"alpha": 20}]
    assert [{log.status(each.provenance) for each in found[1].values()} for log in logs] == [{CacheStatus.HIT}] * 2
    assert [log.fresh_until for log in logs] == [w.clock.monotonic() + 1.5] * 2
    assert len(w.wire.requests) == 1


async def test_a_batch_ends_with_the_window_of_its_copies_and_is_asked_for_anew() -> None:
    w = world(venue("alpha"))
    for _ in range(3):
        await asked_for(w)
    w.wire.handlers["alpha"] = priced("2")
    w.clock.turn(2)

    found = await asked_for(w)

    assert {price_of(each) for each in found.values()} == {2}


async def test_a_batch_shows_what_was_put_or_dropped_since() -> None:
    w = world(venue("alpha"))
    for _ in range(3):
        await asked_for(w)
    w.wire.handlers["alpha"] = priced("2")
    w.pipeline.drop("alpha", symbol=str(MANY[3]))

    found = await asked_for(w)

    assert [price_of(each) for each in found.values()] == [2 if each == MANY[3] else 1 for each in MANY]


async def test_a_batch_of_one_who_was_disabled_or_fails_of_late_is_not_answered_from_memory() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers["beta"] = priced("2")
    for _ in range(3):
        await asked_for(w)
    for _ in range(12):
        w.pipeline.health.pulse("alpha", "quotes").failed(w.clock.monotonic())

    failing = await asked_for(w)
    w.registry.disable({"beta": "switched off"})
    disabled = await asked_for(w)

    assert {price_of(each) for each in failing.values()} == {2}
    assert {price_of(each) for each in disabled.values()} == {1}


async def test_a_batch_is_kept_for_those_who_share_everything_only() -> None:
    w = world(venue("alpha"))
    await asked_for(w)
    bounded = Account(tenant="acme", reach=Reach(allowed=frozenset({"beta"})))
    await asked_for(w)

    found = await asked_for(w, account=bounded)

    assert all(isinstance(each, NoAnswer) for each in found.values())


async def test_a_batch_that_all_share_is_one_mapping_for_nobody_to_change_until_a_copy_changes() -> None:
    w = world(venue("alpha"))
    await asked_for(w)

    first, again = [await asked_for(w) for _ in range(2)]
    equal = await w.data.fetch_many(QUOTES, QuotesAsk(instruments=(*MANY,)), DEFAULT_TERMS)
    await w.quote(ETH)
    changed = await asked_for(w)

    assert again is first
    assert equal is first
    assert changed is not first
    assert changed == first
    with pytest.raises(TypeError):
        changed[BTC] = 1  # type: ignore[index]


async def test_batches_beyond_the_bound_are_forgotten_with_all_that_leads_to_them() -> None:
    w = world(venue("alpha"))
    await asked_for(w)
    asks = [QuotesAsk(instruments=MANY[start:] + MANY[:start]) for start in range(MOST_BATCHES + 2)]

    for ask in asks:
        await w.data.fetch_many(QUOTES, ask, DEFAULT_TERMS)

    kept = w.data.batches
    assert (len(kept._kept), len(kept._same)) == (MOST_BATCHES, MOST_BATCHES)
    assert [batch.parts for batch in kept._kept.values()] == [ask.instruments for ask in asks[2:]]
