"""An upstream's limits over one real Redis: processes together never exceed them, share them fairly, and survive it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import redis

from gateway.core.clock import SystemClock
from gateway.core.guards import members, quotafleet, quotapart
from gateway.core.guards.members import Members
from gateway.core.guards.quota import Claim, Ticket
from gateway.core.guards.quotafleet import FleetCount
from gateway.core.guards.sharedquotas import SharedQuotas
from gateway.core.guards.turnstile import Turnstile
from gateway.core.link import RedisLink
from providers.contract import Limit, Provider, Usage, per_minute, per_second
from schema.errors import QuotaReached
from tests.gateway.doubles import BTC, failing, reply, venue, world
from tests.servers import restartable_valkey

PLACE = "marketgate:{alpha}:quota:"
TENTH = timedelta(milliseconds=100)


class Fleet:
    """Turnstiles of processes with one key, and when each call of theirs reached the upstream."""

    def __init__(self) -> None:
        self.turnstiles: list[Turnstile] = []
        self.counts: list[FleetCount] = []
        self.members: list[Members] = []
        self.arrived: list[tuple[float, int]] = []
        self.served: Counter[str] = Counter()

    async def call(self, process: int, tenant: str = "", share: float = 1, weight: int = 1, left: float = 5.0) -> None:
        """Reaches the upstream a little after it was reserved, ends a little after that."""
        turnstile = self.turnstiles[process]
        ticket = await turnstile.pass_(Claim(tenant, share, weight), lambda: left)
        try:
            await asyncio.sleep(0.001)
            self.arrived.append((time.monotonic(), weight))
            await asyncio.sleep(0.001)
        finally:
            turnstile.end(ticket)
        self.served[tenant] += 1

    async def flood(self, process: int, seconds: float, tenant: str = "", share: float = 1, width: int = 8) -> None:
        """As many as pass, so many at a time."""
        until = time.monotonic() + seconds

        async def one() -> None:
            while time.monotonic() < until:
                try:
                    await self.call(process, tenant, share, left=min(until - time.monotonic(), 0.5))
                except QuotaReached:
                    await asyncio.sleep(0.01)

        await asyncio.gather(*(one() for _ in range(width)))

    def most_in(self, seconds: float) -> int:
        """The most units that reached the upstream within so long, wherever that began."""
        return max(
            sum(units for at, units in self.arrived if start <= at < start + seconds) for start, _ in self.arrived
        )


@asynccontextmanager
async def fleet(url: str, *limits: Limit, count: int = 2, place: str = PLACE) -> AsyncIterator[Fleet]:
    made, clock, links = Fleet(), SystemClock(), []
    for number in range(count):
        link = RedisLink(url, clock, wait_s=5.0)
        links.append(link)
        made.members.append(Members(link, clock, f"process {number}"))
        made.counts.append(FleetCount(place, limits, link, clock, made.members[-1], margin=0))
        made.members[-1].tell = made.counts[-1].tell
        made.turnstiles.append(Turnstile("alpha", made.counts[-1], clock))
    for _ in range(3):
        for member in made.members:
            await member.report()
    try:
        yield made
    finally:
        for each in made.counts:
            await each.settle()
        for link in links:
            await link.close()


async def test_two_processes_together_never_exceed_a_limit(redis_url):
    async with fleet(redis_url, Limit(count=20, per=TENTH), Limit(count=70, per=5 * TENTH)) as two:
        await asyncio.gather(two.flood(0, 1.6), two.flood(1, 1.6))

    assert two.most_in(0.1) <= 20
    assert two.most_in(0.5) <= 70
    assert len(two.arrived) > 70


async def test_what_one_process_took_the_other_has_not(redis_url):
    async with fleet(redis_url, per_minute(3, "weight")) as two:
        await two.call(0, weight=2)
        with pytest.raises(QuotaReached) as refused:
            await two.call(1, weight=2)
        await two.call(1, weight=1)

    assert refused.value.retry_after == pytest.approx(60, abs=1)
    assert sum(weight for _, weight in two.arrived) == 3


async def test_a_call_under_way_counts_until_it_ends_and_one_that_was_not_sent_does_not_count(redis_url):
    async with fleet(redis_url, per_minute(2)) as two:
        kept = await two.turnstiles[0].pass_(Claim("", 1, 1), lambda: 5.0)
        unsent = await two.turnstiles[0].pass_(Claim("", 1, 1), lambda: 5.0)
        with pytest.raises(QuotaReached):
            await two.call(1)

        two.turnstiles[0].give_back(unsent)
        await two.counts[0].settle()
        await two.call(1)

        assert isinstance(kept, Ticket)
        with pytest.raises(QuotaReached):
            await two.call(1)


async def test_another_key_has_a_count_of_its_own(redis_url):
    async with fleet(redis_url, per_minute(1)) as platform, fleet(redis_url, per_minute(1), place=f"{PLACE}own") as own:
        await platform.call(0)
        await own.call(0)

        with pytest.raises(QuotaReached):
            await own.call(1)


async def test_tenants_get_their_shares_whichever_process_they_ask(redis_url):
    async with fleet(redis_url, Limit(count=10, per=TENTH)) as two:
        floods = (two.flood(0, 3.0, "small", 1, 12), two.flood(1, 3.0, "large", 3, 12))
        await asyncio.gather(*floods)

    assert two.served["large"] / two.served.total() == pytest.approx(0.75, rel=0.1)
    assert two.most_in(0.1) <= 10
    assert two.served.total() > 40


async def test_a_share_that_nobody_wants_is_lent(redis_url):
    async with fleet(redis_url, Limit(count=10, per=TENTH)) as two:
        await two.flood(0, 1.0, "small", 1)

    assert two.served["small"] > 25


async def test_a_limit_of_large_numbers_is_held_in_few_fields(redis_url):
    async with fleet(redis_url, Limit(count=100_000, per=64 * TENTH)) as two:
        await asyncio.gather(two.flood(0, 1.0), two.flood(1, 1.0))
    client = redis.Redis.from_url(redis_url)

    fields: dict[bytes, bytes] = client.hgetall(PLACE)  # type: ignore[assignment]
    client.close()

    assert sum(int(units) for name, units in fields.items() if name[:1] == b"w") == len(two.arrived)
    assert len(fields) < 40


async def test_without_redis_each_keeps_to_its_part_and_together_they_never_exceed_the_limit(monkeypatch):
    for name, seconds in (("SILENT_S", 0.3), ("FRESH_S", 0.2), ("LATEST_S", 0.2), ("WAIT_S", 0.1)):
        monkeypatch.setattr(members, name, seconds)
    monkeypatch.setattr(quotafleet, "FRESH_S", 0.2)
    monkeypatch.setattr(quotapart, "LATE_S", 0.1)
    with restartable_valkey() as server:
        async with fleet(server.url, Limit(count=21, per=3 * TENTH)) as two:
            floods = [asyncio.create_task(two.flood(process, 7.0)) for process in (0, 1)]
            await asyncio.sleep(0.5)
            server.stop()
            gone = time.monotonic()
            await asyncio.sleep(3.0)
            alone = len([at for at, _ in two.arrived if gone + 1.5 <= at < gone + 2.5])
            server.start()
            await asyncio.gather(*floods)
            parted = [each._part.in_use for each in two.counts]

    assert two.most_in(0.3) <= 21
    assert alone > 10
    assert parted == [False, False]


async def test_a_redis_that_forgot_is_told_what_was_sent(redis_url):
    async with fleet(redis_url, per_minute(4)) as two:
        await two.call(0)
        await two.call(1)
        client = redis.Redis.from_url(redis_url)
        client.flushdb()
        client.close()
        with pytest.raises(QuotaReached):
            await two.call(0, left=0.1)
        for member in two.members * 2:
            await member.report()
        assert [member.count for member in two.members] == [2, 2]

        for _ in range(6):
            for process in (0, 1):
                try:
                    await two.call(process)
                except QuotaReached:
                    continue

    assert len(two.arrived) == 4


async def test_one_process_alone_goes_on_with_half_at_once_without_redis():
    with restartable_valkey() as server:
        async with fleet(server.url, per_minute(4), count=1) as one:
            await one.call(0)
            server.stop()

            await one.call(0)
            with pytest.raises(QuotaReached):
                await one.call(0)

    assert len(one.arrived) == 2


async def test_a_pause_that_one_process_was_told_holds_all_of_them_and_only_with_this_key(redis_url):
    async with fleet(redis_url, per_second(100)) as two, fleet(redis_url, per_second(9), place=f"{PLACE}own") as own:
        two.counts[0].pause(30.0)
        await two.counts[0].settle()

        with pytest.raises(QuotaReached) as refused:
            await two.call(1)
        await own.call(1)

    assert refused.value.retry_after == pytest.approx(30, abs=1)


async def test_what_one_process_was_told_of_the_upstream_s_count_all_know(redis_url):
    async with fleet(redis_url, per_minute(10)) as two:
        two.counts[0].seen([(0, 9)], 0.0)
        await two.counts[0].settle()

        await two.call(1)
        with pytest.raises(QuotaReached):
            await two.call(0)


class Worlds:
    """Two processes that ask one provider, each from a pipeline of its own."""

    def __init__(self, url: str, provider: type[Provider]) -> None:
        clock = SystemClock()
        self.one, self.other = self.both = world(provider), world(provider)
        self.quotas = [SharedQuotas(RedisLink(url, clock, wait_s=5.0), clock) for _ in self.both]
        for each, shared in zip(self.both, self.quotas, strict=True):
            [lane] = each.registry.lanes_of("quotes")
            lane.access.turnstile = shared.turnstile(provider.profile, "")

    async def told(self) -> None:
        """What the first one has to tell."""
        await asyncio.gather(*(count.settle() for count in self.quotas[0]._counts))

    async def close(self) -> None:
        for each in self.quotas:
            await each.close()


@pytest.mark.parametrize("status", [429, 418])
async def test_a_refusal_that_one_process_saw_holds_the_other_one_before_it_asks(redis_url, status):
    two = Worlds(redis_url, venue("alpha", limits=(per_minute(100),)))
    two.one.wire.handlers["alpha"] = failing(status, retry_after="30")

    await two.one.refused(BTC)
    await two.told()
    refused = await two.other.refused(BTC)
    await two.close()

    assert (refused.attempts[0].code, two.other.wire.requests) == ("UPSTREAM_QUOTA", [])
    assert refused.attempts[0].retry_after_ms == pytest.approx(30_000, abs=1_000)


@pytest.mark.parametrize("headers", [{"x-used": "99"}, {"x-ratelimit-remaining": "1"}])
async def test_what_the_upstream_told_one_process_of_its_count_binds_the_other_one(redis_url, headers):
    minute = per_minute(100)
    usage = (Usage(header="x-used", limit=minute), Usage(header="x-ratelimit-remaining", limit=minute, remaining=True))
    two = Worlds(redis_url, venue("alpha", limits=(minute,), usage=usage))
    two.one.wire.handlers["alpha"] = lambda _: reply({"BTC-USD": {"price": "1"}}, headers=headers)

    await two.one.quote(BTC)
    await two.told()
    refused = await two.other.refused(BTC)
    await two.close()

    assert (refused.attempts[0].code, two.other.wire.requests) == ("UPSTREAM_QUOTA", [])
