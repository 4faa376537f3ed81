"""Two processes and a real Redis: one has the upstream's stream, both hear it; leases, epochs, holes, outages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import redis.asyncio

from gateway.core.account import NOBODY
from gateway.core.clock import SystemClock
from gateway.core.link import RedisLink
from gateway.core.live import cursors
from gateway.core.live.asking import upstreams
from gateway.core.live.fleet import LiveFleet
from gateway.core.live.frames import frames_of
from gateway.core.live.hub import Hub, key_of
from gateway.core.live.listening import Listening
from gateway.core.live.mailbox import Delivery
from gateway.core.live.messages import Message, Position
from schema.capability import Terms
from schema.errors import Overloaded
from schema.words.candles import CANDLES, CandlesAsk
from schema.words.intervals import Interval
from schema.words.trades import TRADES, Trade
from tests.doubles.tape import Tape
from tests.gateway.core.processes import until
from tests.gateway.doubles import BTC, World, venue, world
from tests.gateway.live.handlines import HandLines, quotes_of
from tests.servers import restartable_valkey


class StoppableClock(SystemClock):
    """A clock of a process that can be stopped: its sleepers do not wake up, its time stands still."""

    def __init__(self) -> None:
        self.going = asyncio.Event()
        self.going.set()
        self._stopped = 0.0
        self.ahead = timedelta()
        """Of the other processes' clocks."""

    def now(self) -> datetime:
        """See `Clock`."""
        return super().now() + self.ahead

    def stop(self) -> None:
        """SIGSTOP."""
        self._stopped = super().monotonic()
        self.going.clear()

    def monotonic(self) -> float:
        """See `Clock`."""
        return super().monotonic() if self.going.is_set() else self._stopped

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await super().sleep(seconds)
        await self.going.wait()


@dataclass
class Process:
    """One of the fleet."""

    world: World
    lines: HandLines
    clock: StoppableClock
    link: RedisLink
    fleet: LiveFleet
    listening: Listening
    hub: Hub


@asynccontextmanager
async def process(url: str) -> AsyncGenerator[Process]:
    clock = StoppableClock()
    w, lines = world(venue("alpha"), venue("beta", priority=20), Tape), HandLines()
    link, listening = RedisLink(url, clock, wait_s=5.0), Listening(url)
    fleet = LiveFleet(link, listening, clock, wait_s=5.0)
    hub = Hub(lines, clock, fleet=fleet, grace_s=0.2)
    fleet.start()
    try:
        yield Process(w, lines, clock, link, fleet, listening, hub)
    finally:
        clock.going.set()
        await hub.close()
        await fleet.close()
        await link.close()


@asynccontextmanager
async def two(url: str) -> AsyncGenerator[tuple[Process, Process]]:
    async with process(url) as one, process(url) as other:
        yield one, other


class Reader:
    """Reads all the time, and checks that nothing goes back."""

    def __init__(self, deliveries: AsyncIterator[Delivery]) -> None:
        self.heard: list[Delivery] = []
        self.positions: list[Position] = []
        self._task = asyncio.create_task(self._read(deliveries))

    async def _read(self, deliveries: AsyncIterator[Delivery]) -> None:
        async for delivery in deliveries:
            self.heard.append(delivery)
            self.positions.extend(cursors.read(delivery.cursor).values())

    @property
    def prices(self) -> list[str]:
        return [str(value.price) for delivery in self.heard for item in delivery.items for value in item.values]

    @property
    def notices(self) -> list[str]:
        return [notice.code.value for delivery in self.heard for notice in delivery.notices]

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def reading(at: Process) -> AsyncGenerator[Reader]:
    async with at.hub.subscribe({"BTC/USD": quotes_of(at.world)[:1]}) as deliveries:
        reader = Reader(deliveries)
        try:
            yield reader
        finally:
            await reader.stop()


async def leader_of(one: Process, other: Process) -> tuple[Process, Process]:
    await until(lambda: len(one.hub.leading()) + len(other.hub.leading()) == 1)
    return (one, other) if one.hub.leading() else (other, one)


async def test_one_process_has_the_stream_from_upstream_and_the_subscribers_of_both_hear_it(redis_url) -> None:
    async with two(redis_url) as (one, other), reading(one) as a, reading(other) as b:
        leader, follower = await leader_of(one, other)
        for price in range(100, 150):
            leader.lines.price("alpha", str(price))
            await asyncio.sleep(0)
        await until(lambda: a.prices[-1:] == b.prices[-1:] == ["149"])

        assert (leader.lines.opened, follower.lines.opened) == (["alpha"], [])
        for reader in (a, b):
            assert reader.positions == sorted(set(reader.positions))
            assert sum(len(d.items) + d.skipped for d in reader.heard) == 50
        assert b.heard[-1].items[0].values[0].provenance.provider == "alpha"


async def test_who_comes_later_to_another_process_begins_with_a_snapshot(redis_url) -> None:
    async with two(redis_url) as (one, other), reading(one) as a:
        one.lines.price("alpha", "100")
        await until(lambda: a.prices == ["100"])
        async with reading(other) as b:
            await until(lambda: b.prices == ["100"])

        assert b.heard[0].snapshot
        assert other.lines.opened == []


async def test_what_a_leader_said_that_is_gone_is_shown_with_a_notice_and_not_before(redis_url) -> None:
    async with two(redis_url) as (one, other):
        async with reading(one) as a:
            one.lines.price("alpha", "100")
            await until(lambda: a.prices == ["100"])
        await until(lambda: one.hub.streams == 0)
        async with reading(other) as b:
            await until(lambda: bool(b.heard) and bool(other.hub.leading()))
            other.lines.price("alpha", "200")
            await until(lambda: b.prices[-1:] == ["200"])

    told = [[notice.code.value for notice in delivery.notices] for delivery in b.heard]
    assert (b.prices, told, b.heard[0].snapshot) == (["100", "200"], [["RECONNECTING"], []], True)


async def test_who_comes_back_to_what_a_leader_said_that_is_gone_misses_nothing(redis_url) -> None:
    async with two(redis_url) as (one, other):
        async with reading(one) as a:
            one.lines.price("alpha", "100")
            await until(lambda: a.prices == ["100"])
            cursor = cursors.read(a.heard[-1].cursor)
        await until(lambda: one.hub.streams == 0)
        async with other.hub.subscribe({"BTC/USD": quotes_of(other.world)[:1]}, after=cursor) as deliveries:
            b = Reader(deliveries)
            await until(lambda: "RECONNECTING" in b.notices)
            other.lines.price("alpha", "200")
            await until(lambda: b.prices[-1:] == ["200"])
            await b.stop()

    assert (b.notices, b.prices) == (["RECONNECTING"], ["100", "200"])


async def test_a_cursor_of_one_process_is_good_at_the_other_beyond_what_that_one_has_heard(redis_url) -> None:
    async with two(redis_url) as (one, other), reading(one) as a:
        one.lines.price("alpha", "100")
        await until(lambda: a.prices == ["100"])
        cursor = cursors.read(a.heard[-1].cursor)
        one.lines.price("alpha", "101", "102")
        await until(lambda: a.prices[-1] == "102")
        async with other.hub.subscribe({"BTC/USD": quotes_of(other.world)[:1]}, after=cursor) as back:
            found = await anext(back)

        assert ([str(v.price) for v in found.items[0].values], found.snapshot, found.skipped) == (["102"], False, 1)
        assert found.notices == ()


async def test_the_follower_takes_over_within_five_seconds_when_the_leader_dies_and_says_so(redis_url) -> None:
    async with two(redis_url) as (one, other), reading(one) as a, reading(other) as b:
        leader, follower = await leader_of(one, other)
        leader.lines.price("alpha", "100")
        await until(lambda: a.prices == b.prices == ["100"])
        # As after kill -9: nothing is released, nothing is said any more.
        leader.clock.stop()
        died = asyncio.get_running_loop().time()
        follower.lines.price("alpha", "200")
        survivor = a if follower is one else b
        await until(lambda: survivor.prices[-1] == "200")

        assert asyncio.get_running_loop().time() - died < 5
        assert survivor.notices == ["RECONNECTING"]


async def test_a_leader_that_was_stopped_and_wakes_up_is_not_heard_any_more(redis_url) -> None:
    async with two(redis_url) as (one, other), reading(one) as a, reading(other) as b:
        leader, follower = await leader_of(one, other)
        leader.lines.price("alpha", "100")
        await until(lambda: a.prices == b.prices == ["100"])
        leader.clock.stop()
        await until(lambda: bool(follower.hub.leading()))
        follower.lines.price("alpha", "200")
        await until(lambda: a.prices[-1] == b.prices[-1] == "200")
        # What had come for it meanwhile is read as soon as it goes on.
        leader.clock.going.set()
        leader.lines.price("alpha", "66")
        await until(lambda: not leader.hub.leading())
        leader.lines.price("alpha", "67")
        follower.lines.price("alpha", "201")
        await until(lambda: a.prices[-1] == b.prices[-1] == "201")

        assert "66" not in a.prices + b.prices
        assert "67" not in a.prices + b.prices
        for reader in (a, b):
            assert reader.positions == sorted(reader.positions)


async def test_what_an_old_leader_publishes_after_its_lease_reaches_nobody(redis_url) -> None:
    async with two(redis_url) as (one, other):
        key = key_of(quotes_of(one.world)[0])
        old, _ = await one.fleet.acquire(key, 0)
        assert old is not None
        client = redis.asyncio.Redis.from_url(redis_url)
        await client.delete(f"marketgate:live:{{{key.digest.hex()}}}:lease")
        new, _ = await other.fleet.acquire(key, 0)
        assert new is not None
        assert new.epoch > old.epoch
        heard: list[Message] = []
        await other.fleet.listen(key, heard.append, lambda kept, _: heard.append(kept))
        one.fleet.publish(old, _message(old.epoch, 1), _message(old.epoch, 1))
        await until(lambda: old.lost)
        kept = await client.exists(f"marketgate:live:{{{key.digest.hex()}}}:ring")
        await client.aclose()

    assert (heard, kept) == ([], 0)


async def test_what_the_transport_lost_is_filled_from_the_ring(redis_url) -> None:
    async with two(redis_url) as (one, other), reading(one) as a, reading(other) as b:
        leader, follower = await leader_of(one, other)
        leader.lines.price("alpha", "100")
        await until(lambda: a.prices == b.prices == ["100"])
        deaf = _deafen(follower)
        leader.lines.price("alpha", "101", "102")
        await until(lambda: len(deaf) >= 2)
        _hear_again(follower)
        leader.lines.price("alpha", "103")
        behind = b if follower is other else a
        await until(lambda: behind.prices[-1] == "103")

        assert behind.notices == []
        assert sum(len(d.items) + d.skipped for d in behind.heard) == 4


async def test_the_last_message_that_was_lost_is_missed_although_none_follows(redis_url) -> None:
    async with two(redis_url) as (one, other), reading(one) as a, reading(other) as b:
        leader, follower = await leader_of(one, other)
        leader.lines.price("alpha", "100")
        await until(lambda: a.prices == b.prices == ["100"])
        deaf = _deafen(follower)
        leader.lines.price("alpha", "101")
        await until(lambda: len(deaf) == 1)
        _hear_again(follower)
        behind = b if follower is other else a
        await until(lambda: behind.prices[-1] == "101")

        assert behind.notices == []


async def test_an_epoch_whose_beginning_was_lost_is_heard_of_although_nothing_follows(redis_url) -> None:
    async with two(redis_url) as (one, other), reading(one) as a, reading(other) as b:
        leader, follower = await leader_of(one, other)
        leader.lines.price("alpha", "100")
        await until(lambda: a.prices == b.prices == ["100"])
        deaf = _deafen(follower)
        leader.lines.end("alpha", Overloaded("alpha", "HTTP 503"))
        behind, ahead = (b, a) if follower is other else (a, b)
        await until(lambda: ahead.notices == behind.notices == ["STALE", "RECONNECTING"])

        assert len(deaf) >= 2
        assert behind.positions == sorted(behind.positions)


async def test_what_cannot_be_filled_is_a_gap_and_a_snapshot(redis_url) -> None:
    async with two(redis_url) as (one, other), reading(one) as a, reading(other) as b:
        leader, follower = await leader_of(one, other)
        leader.lines.price("alpha", "100")
        await until(lambda: a.prices == b.prices == ["100"])
        deaf = _deafen(follower)
        leader.lines.price("alpha", "101", "102")
        await until(lambda: len(deaf) >= 2)
        client = redis.asyncio.Redis.from_url(redis_url)
        key = key_of(quotes_of(one.world)[0])
        await client.delete(f"marketgate:live:{{{key.digest.hex()}}}:ring")
        await client.aclose()
        _hear_again(follower)
        leader.lines.price("alpha", "103")
        behind = b if follower is other else a
        await until(lambda: behind.prices[-1] == "103")

        assert "GAP" in behind.notices
        assert behind.positions == sorted(behind.positions)


async def test_without_redis_each_process_streams_for_itself_and_says_so_and_one_goes_on_for_all_when_it_is_back():
    with restartable_valkey() as server:
        async with two(server.url) as (one, other), reading(one) as a, reading(other) as b:
            # What a process calls its own epochs while it is alone must not matter to the others.
            other.clock.ahead = timedelta(hours=1)
            leader, _ = await leader_of(one, other)
            leader.lines.price("alpha", "100")
            await until(lambda: a.prices == b.prices == ["100"])
            server.stop()
            await until(lambda: "GAP" in a.notices and "GAP" in b.notices, within=20)
            one.lines.price("alpha", "200")
            other.lines.price("alpha", "201")
            await until(lambda: a.prices[-1] == "200" and b.prices[-1] == "201")
            opened = len(one.lines.opened), len(other.lines.opened)
            server.start()
            await until(lambda: len(one.hub.leading()) + len(other.hub.leading()) == 1, within=20)
            leader, _ = await leader_of(one, other)
            leader.lines.price("alpha", "300")
            await until(lambda: a.prices[-1] == b.prices[-1] == "300", within=20)

            assert (len(one.lines.opened), len(other.lines.opened)) == opened
            assert (a.notices[-1], b.notices[-1]) == ("FRESH_AGAIN", "FRESH_AGAIN")
            for reader in (a, b):
                assert reader.positions == sorted(reader.positions)


async def test_who_was_cut_off_for_a_moment_and_streamed_for_itself_is_not_silent_afterwards() -> None:
    with restartable_valkey() as server:
        async with two(server.url) as (one, other), reading(one) as a, reading(other) as b:
            leader, follower = await leader_of(one, other)
            leader.lines.price("alpha", "100")
            await until(lambda: a.prices == b.prices == ["100"])
            cut_off = b if follower is other else a
            server.freeze()
            await until(lambda: "GAP" in cut_off.notices, within=20)
            server.thaw()
            follower.lines.price("alpha", "200")
            await until(lambda: cut_off.prices[-1] == "200")
            await until(lambda: len(one.lines.open_now) + len(other.lines.open_now) == 1, within=20)
            last, _ = await leader_of(one, other)
            last.lines.price("alpha", "300")
            await until(lambda: a.prices[-1] == b.prices[-1] == "300", within=20)

            for reader in (a, b):
                assert reader.positions == sorted(reader.positions)


async def test_who_knows_a_later_epoch_than_the_leaders_gets_the_lease_and_the_leader_is_told(redis_url) -> None:
    async with two(redis_url) as (one, other):
        key = key_of(quotes_of(one.world)[0])
        old, _ = await one.fleet.acquire(key, 0)
        assert old is not None
        same, _ = await other.fleet.acquire(key, old.epoch)
        new, _ = await other.fleet.acquire(key, old.epoch + 3_600_000)
        assert new is not None
        answered = await one.fleet.renew(old)

    assert same is None
    assert new.epoch == old.epoch + 3_600_001
    assert (answered, old.lost, new.lost) == (True, True, False)


async def test_when_nobody_wants_it_any_more_nothing_of_it_is_led_or_listened_to(redis_url) -> None:
    async with two(redis_url) as (one, other):
        for _ in range(20):
            async with reading(one), reading(other):
                await leader_of(one, other)
            await until(lambda: one.hub.streams == other.hub.streams == 0)
        client = redis.asyncio.Redis.from_url(redis_url)
        keys = [key async for key in client.scan_iter("marketgate:live:*")]
        leases = [key for key in keys if key.endswith(b":lease")]
        lasting = [key for key in keys if await client.pttl(key) > 60_000 or await client.pttl(key) == -1]
        channels = await client.pubsub_channels("marketgate-live:*")
        await client.aclose()

    assert (leases, lasting, channels) == ([], [], [])


def _message(epoch: int, sequence: int) -> Message:
    return Message(position=Position(epoch, sequence), snapshot=sequence == 1)


def _deafen(at: Process) -> list[bytes]:
    """What Redis tells this process from now on does not reach its channel."""
    lost: list[bytes] = []
    handlers = at.listening._handlers
    at.listening._handlers = dict.fromkeys(handlers, lost.append)
    at.listening._real = handlers  # type: ignore[attr-defined]
    return lost


def _hear_again(at: Process) -> None:
    at.listening._handlers = at.listening._real  # type: ignore[attr-defined]


def test_a_frame_is_read_as_it_was_written_and_strange_bytes_are_refused() -> None:
    message = Message(position=Position(7, 3), snapshot=True, ended="UPSTREAM_UNAVAILABLE")
    frames = frames_of("quotes")

    assert frames.read(frames.write(message)) == message


async def test_candles_are_built_from_trades_that_another_process_has_from_upstream(redis_url) -> None:
    async with two(redis_url) as (one, other):
        now = datetime.now(UTC)
        old = Trade(id="0", time=now - timedelta(hours=1), price=Decimal(9), size=Decimal(1))
        fresh = [replace(old, id=str(number), time=now, price=Decimal(number)) for number in (5, 7, 6)]
        other.lines.answers[("tape", TRADES.name)] = lambda ask: (old,)
        ask = CandlesAsk(instrument=BTC, interval=Interval.M3, start=now, end=now)
        registry = other.world.registry
        bars, _ = upstreams(registry, CANDLES, ask, Terms(providers=("tape",)), NOBODY)
        trades = [each.source.upstream for each in bars if each.source]
        async with one.hub.subscribe({"BTC/USD": trades}), other.hub.subscribe({"BTC/USD": bars}) as deliveries:
            await until(lambda: one.lines.open_now == ["tape"])
            one.lines.trades("tape", fresh[0])
            one.lines.trades("tape", *fresh[1:])
            found = await anext(deliveries)
            while found.items[0].values[-1].trade_count != 3:
                found = await anext(deliveries)

        candle = found.items[0].values[-1]
        assert (candle.open, candle.high, candle.close, candle.volume) == (5, 7, 6, 3)
        assert (one.lines.opened, other.lines.opened) == (["tape"], [])
