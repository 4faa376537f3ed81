"""Every request that leaves is reserved first: it waits in fair turn within its time, or another provider is asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.core.account import Account
from gateway.core.guards.quota import SLICES, Claim, OwnCount, Ticket, Windows
from gateway.core.guards.turnstile import Turnstile
from gateway.core.inventory import Inventory
from providers.contract import Limit, per_minute, per_second
from schema.errors import NoAnswer, Overloaded
from schema.provenance import DataMode
from schema.words.registry import BreakerState, UpstreamQuota
from tests.gateway.doubles import BTC, ETH, SOL, LoopClock, failing, venue, world

A_SECOND = (per_second(1),)


async def test_a_call_waits_for_room_within_its_time():
    venues = world(venue("alpha", limits=A_SECOND), clock=LoopClock())

    await venues.quote(BTC)
    found = await venues.quote(ETH)

    assert found.provenance.provider == "alpha"
    assert venues.clock.slept == [1.0]


async def test_a_call_that_has_no_room_in_time_goes_to_the_next_provider_at_once():
    venues = world(venue("alpha", limits=(per_minute(1),)), venue("beta", priority=20), clock=LoopClock())
    await venues.quote(BTC)

    found = await venues.quote(ETH)

    assert found.provenance.provider == "beta"
    [why] = found.provenance.fallback_from
    assert (why.provider, why.code, why.retry_after_ms) == ("alpha", "UPSTREAM_QUOTA", 60_000)
    assert venues.wire.asked("alpha") == [["BTC-USD"]]
    assert asyncio.get_running_loop().time() == 0.0


async def test_a_used_up_quota_neither_pauses_the_provider_nor_counts_for_its_breaker():
    venues = world(venue("alpha", limits=(per_minute(1),)), clock=LoopClock())
    await venues.quote(BTC)

    refusals = [await venues.refused(ETH) for _ in range(20)]
    await asyncio.sleep(60)
    found = await venues.quote(ETH)

    assert {refused.attempts[0].code for refused in refusals} == {"UPSTREAM_QUOTA"}
    assert found.provenance.provider == "alpha"
    assert venues.breaker("alpha").trips == 0


async def test_each_request_of_a_call_is_counted_and_one_that_has_no_room_is_not_sent():
    venues = world(venue("alpha", limits=(per_minute(5),), requests=3), clock=LoopClock())
    await venues.quote(BTC)

    refused = await venues.refused(ETH)

    assert refused.attempts[0].code == "UPSTREAM_QUOTA"
    assert len(venues.wire.requests) == 4  # a margin of 5 % leaves 4 of 5
    assert venues.breaker("alpha").trips == 0
    assert venues.pipeline.health.of("alpha").last_failure is None


async def test_a_profile_says_which_part_of_its_limits_is_left_unused():
    alpha = venue("alpha", limits=(per_minute(4),))
    alpha.profile = replace(alpha.profile, margin=0.5)
    venues = world(alpha, clock=LoopClock())

    await venues.quote(BTC)
    await venues.quote(ETH)
    refused = await venues.refused(SOL)

    assert (refused.attempts[0].code, len(venues.wire.requests)) == ("UPSTREAM_QUOTA", 2)


async def test_a_retry_is_a_request_of_its_own():
    venues = world(venue("alpha", limits=(per_minute(1),)), clock=LoopClock())
    venues.wire.handlers["alpha"] = failing(500)

    refused = await venues.refused(BTC)

    assert refused.attempts[0].code == "UPSTREAM_QUOTA"
    assert len(venues.wire.requests) == 1


async def test_an_open_breaker_takes_nothing_of_the_quota():
    venues = world(venue("alpha", limits=(per_minute(2),)), clock=LoopClock())
    lane = venues.registry.lanes_of("quotes")[0]
    for _ in range(10):
        lane.breaker.failed(lane.breaker.admit(), Overloaded("alpha", "HTTP 500"))
    assert lane.breaker.state is BreakerState.OPEN

    await venues.refused(BTC)

    assert venues.wire.requests == []
    turnstile = lane.access.turnstile
    assert turnstile is not None
    assert isinstance(turnstile.counter, OwnCount)
    assert turnstile.counter.windows.wait(1, venues.clock.monotonic()) == 0.0


@pytest.mark.parametrize("mode", [DataMode.RECORDED, DataMode.LIVE])
async def test_recorded_and_simulated_calls_are_counted_by_nobody(mode):
    simulated = DataMode.SIMULATED if mode is DataMode.LIVE else DataMode.LIVE
    venues = world(venue("alpha", limits=(per_minute(1),), mode=simulated), mode=mode, clock=LoopClock())

    for instrument in (BTC, ETH, SOL):
        await venues.quote(instrument, providers=("alpha",))

    assert len(venues.wire.requests) == 3


async def test_a_tenant_with_a_key_of_its_own_has_a_quota_of_its_own():
    venues = world(venue("alpha", limits=(per_minute(1),)), clock=LoopClock())
    own = Account(tenant="acme", keys={"alpha": {}})
    await venues.quote(BTC)

    found = await venues.quote(ETH, account=own)
    refused = await venues.refused(SOL)

    assert found.provenance.provider == "alpha"
    assert refused.attempts[0].code == "UPSTREAM_QUOTA"


async def test_who_leaves_the_queue_takes_nothing_along():
    turnstile = Turnstile("alpha", OwnCount(Windows([per_second(1)])), LoopClock())
    first = await turnstile.pass_(Claim("", 1, 1), lambda: 5.0)
    waiting = asyncio.create_task(turnstile.pass_(Claim("", 1, 1), lambda: 5.0))
    await asyncio.sleep(0.1)

    turnstile.end(first)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await asyncio.sleep(1)

    assert isinstance(await turnstile.pass_(Claim("", 1, 1), lambda: 0.0), Ticket)


async def test_tenants_who_wait_are_served_by_their_shares_and_what_one_leaves_is_lent():
    clock = LoopClock()
    turnstile = Turnstile("alpha", OwnCount(Windows([per_second(10)], margin=0)), clock)
    served: Counter[str] = Counter()

    async def ask(tenant: str, share: float) -> None:
        while True:
            turnstile.end(await turnstile.pass_(Claim(tenant, share, 1), lambda: 1e9))
            served[tenant] += 1

    greedy = [asyncio.create_task(ask("small", 1)) for _ in range(40)]
    await asyncio.sleep(10)
    alone = served["small"]
    greedy += [asyncio.create_task(ask("large", 3)) for _ in range(10)]
    await asyncio.sleep(1)
    served.clear()
    await asyncio.sleep(10)
    for task in greedy:
        task.cancel()

    assert alone == pytest.approx(100, abs=10)
    assert served["large"] + served["small"] == pytest.approx(100, abs=10)
    assert served["large"] / served.total() == pytest.approx(0.75, rel=0.1)


async def test_in_a_burst_of_room_who_waited_is_kept_its_turn_while_its_next_call_is_on_its_way():
    clock = LoopClock()
    turnstile = Turnstile("alpha", OwnCount(Windows([Limit(count=400, per=timedelta(seconds=5))], margin=0)), clock)
    served: Counter[str] = Counter()

    async def ask(tenant: str, share: float) -> None:
        while True:
            ticket = await turnstile.pass_(Claim(tenant, share, 1), lambda: 1e9)
            served[tenant] += 1
            await asyncio.sleep(0.02)
            turnstile.end(ticket)

    greedy = [asyncio.create_task(ask(*each)) for each in [("small", 1.0), ("large", 3.0)] * 8]
    await asyncio.sleep(6)
    served.clear()
    await asyncio.sleep(10)
    for task in greedy:
        task.cancel()

    assert served.total() == pytest.approx(800, rel=0.02)
    assert served["large"] / served.total() == pytest.approx(0.75, rel=0.1)


def test_what_is_remembered_of_a_large_window_is_bounded():
    windows = Windows([Limit(count=10_000, per=timedelta(minutes=10))])

    for moment in range(60_000):
        found = windows.reserve(1, moment / 10)
        if isinstance(found, Ticket):
            windows.ended(found, moment / 10 + 0.05)

    assert len(windows.windows[0].ended) <= SLICES + 2


async def test_a_plan_s_upstream_calls_are_counted_and_what_is_held_costs_none():
    venues = world(venue("alpha"), venue("beta", priority=20), clock=LoopClock())
    small = Account(tenant="small", upstream_calls=2)

    await venues.quote(BTC, account=small)
    await venues.quote(BTC, account=small)
    await venues.quote(ETH, account=small)
    with pytest.raises(NoAnswer) as refused:
        await venues.quote(SOL, account=small)

    assert refused.value.code == "RATE_LIMITED"
    assert [attempt.provider for attempt in refused.value.attempts] == ["alpha", "beta"]
    assert refused.value.extensions()["retryAfterMs"] == 60_000
    assert len(venues.wire.requests) == 2
    assert venues.breaker("alpha").trips == 0
    await venues.quote(SOL, account=Account(tenant="other", upstream_calls=2))
    await asyncio.sleep(60)
    await venues.quote(SOL, account=small)


async def test_a_refusal_of_the_upstream_s_quota_costs_nothing_of_the_budget():
    venues = world(venue("alpha", limits=(per_minute(1),)), clock=LoopClock())
    small = Account(tenant="small", upstream_calls=2)
    await venues.quote(BTC, account=small)

    codes = [(await venues.refused(ETH, account=small)).code for _ in range(3)]

    assert codes == ["UPSTREAM_QUOTA"] * 3


async def test_a_tenant_s_own_key_is_of_no_budget():
    venues = world(venue("alpha"), clock=LoopClock())
    own = Account(tenant="acme", keys={"alpha": {}}, upstream_calls=1)

    for instrument in (BTC, ETH, SOL):
        await venues.quote(instrument, account=own)

    assert len(venues.wire.requests) == 3


async def test_what_is_left_of_a_provider_s_quota_is_shown():
    venues = world(venue("alpha", limits=(per_second(10), per_minute(20))), venue("beta"), clock=LoopClock())
    inventory = Inventory(venues.data, {})

    def left(provider: str) -> list[UpstreamQuota]:
        found = inventory.find(provider)
        assert found is not None
        return found.quota

    before = left("alpha")
    await venues.quote(BTC, providers=("alpha",))
    await asyncio.sleep(0.25)
    after = left("alpha")

    assert [(each.unit, each.limit, each.remaining, each.resets_at) for each in before] == [
        ("requests", 10, 9, None), ("requests", 20, 19, None),
    ]  # fmt: skip
    assert [(each.remaining, each.resets_at) for each in after] == [
        (8, venues.clock.now() + timedelta(seconds=0.75)), (18, venues.clock.now() + timedelta(seconds=59.75)),
    ]  # fmt: skip
    assert left("beta") == []
