"""The outbox on both databases: in the transaction, in the order of commits, each entry once to who takes it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any, Self

import pytest
from sqlalchemy import func, select, update

from gateway.core.outbox.log import KEPT, EventLog
from gateway.core.outbox.tables import events, log
from gateway.core.ports import Entry
from gateway.core.store import Store
from schema.events import Event, ProviderDegraded, event
from schema.model import described
from tests.gateway.doubles import ManualClock


@event("shelf.filled", "A shelf was filled.")
class ShelfFilled(Event):
    """A type of these tests alone."""

    shelf: str = described("Which.")
    price: Decimal = described("Of what is on it.", default=Decimal("0.10"))

    @property
    def subject(self) -> str:
        return self.shelf

    @classmethod
    def sample(cls) -> Self:
        return cls(shelf="a")


class Plain:
    """An `EventPrinter` without a schema."""

    async def printed(self, event: Event) -> dict[str, Any]:
        return {"id": event.id, "type": event.name, "sequence": event.sequence}

    def json_schema(self, kind: type[Event]) -> dict[str, Any]:
        return {}

    def selection(self, kind: type[Event]) -> str:
        return ""


CATALOG = {kind.name: kind for kind in (ShelfFilled, ProviderDegraded)}


def outbox_on(store: Store, clock: ManualClock | None = None) -> EventLog:
    return EventLog(store, clock or ManualClock(), Plain, CATALOG)


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    made = Store(database)
    yield made
    await made.close()


@pytest.fixture
async def outbox(store: Store) -> AsyncIterator[EventLog]:
    made = outbox_on(store)
    yield made
    await made.close()


async def fill(outbox: EventLog, store: Store, *shelves: str, tenant: str = "acme") -> None:
    async with store.write() as tx:
        for shelf in shelves:
            outbox.emit(tx, ShelfFilled(shelf=shelf), tenant=tenant)


def shelves(entries: Sequence[Entry]) -> list[str]:
    return [each.event.subject for each in entries]


async def test_entries_stand_in_the_order_of_commits_with_positions_without_holes(store: Store, outbox: EventLog):
    await fill(outbox, store, "a", "b")
    await fill(outbox, store, "x", tenant="other")
    await fill(outbox, store, "c")

    entries = await outbox.entries("acme", after=0)

    assert [(each.position, each.event.sequence, each.event.subject) for each in entries] == [
        (1, "1", "a"), (2, "2", "b"), (3, "3", "c"),
    ]  # fmt: skip
    assert [json.loads(each.data) for each in entries] == [
        {"id": each.event.id, "type": "shelf.filled", "sequence": each.event.sequence} for each in entries
    ]
    assert entries[0].event == ShelfFilled(
        id=entries[0].event.id, occurred_at=ManualClock().now(), sequence="1", shelf="a", price=Decimal("0.10")
    )
    assert shelves(await outbox.entries("acme", after=1, limit=1)) == ["b"]
    assert await outbox.entries("acme", after=0, types=["provider.degraded"]) == []
    assert await outbox.bounds("acme") == (0, 3)


@pytest.mark.parametrize(
    "stored",
    [
        {"shelf": "a"},
        {"shelf": "a", "price": "0.10", "aisle": {"name": "what a newer release knows"}},
        [["evt_1", "2026-11-20T12:00:00Z", "1", "LIVE", "a"], []],
        [["evt_1", "2026-11-20T12:00:00Z", "1", "LIVE", "a", "0.10"], []],
    ],
    ids=["fewer fields", "more fields", "fewer fields in their order", "fields in their order"],
)
async def test_what_another_release_wrote_is_read(store: Store, outbox: EventLog, stored: Any):
    await fill(outbox, store, "a")

    async with store.write() as tx:
        await tx.run(update(events).values(value=json.dumps(stored)))

    (entry,) = await outbox.entries("acme", after=0)
    assert isinstance(entry.event, ShelfFilled)
    assert (entry.event.shelf, entry.event.price) == ("a", Decimal("0.10"))


async def test_what_is_undone_was_never_told(store: Store, outbox: EventLog):
    heard: list[str] = []
    outbox.on_news(heard.append)

    with suppress(ZeroDivisionError):
        async with store.write() as tx:
            outbox.emit(tx, ShelfFilled(shelf="a"), tenant="acme")
            raise ZeroDivisionError

    assert await outbox.entries("acme", after=0) == []
    assert await outbox.bounds("acme") == (0, 0)
    assert "acme" not in heard


async def test_an_event_of_the_markets_is_kept_once_and_stands_in_each_log_that_wants_it(store, outbox):
    async with store.write() as tx:
        outbox.emit_to(tx, ProviderDegraded.sample(), ["acme", "beta"])
    await fill(outbox, store, "a", tenant="beta")

    (mine,) = await outbox.entries("acme", after=0)
    theirs = await outbox.entries("beta", after=0)

    assert [(each.position, each.event.name, each.event.sequence) for each in theirs] == [
        (1, "provider.degraded", "1"), (2, "shelf.filled", "2"),
    ]  # fmt: skip
    assert (mine.event, mine.data) == (theirs[0].event, theirs[0].data)
    async with store.read() as tx:
        assert await tx.value(select(func.count()).select_from(events)) == 2


async def test_a_type_that_nobody_has_registered_or_of_the_other_kind_is_refused(store, outbox):
    @event("shelf.emptied", "Nobody knows it.")
    class ShelfEmptied(Event):
        pass

    async with store.write() as tx:
        with pytest.raises(TypeError, match="in no plugin's `events`"):
            outbox.emit(tx, ShelfEmptied(), tenant="acme")
        with pytest.raises(TypeError, match="of the markets"):
            outbox.emit(tx, ProviderDegraded.sample(), tenant="acme")
        with pytest.raises(TypeError, match="a tenant's own"):
            outbox.emit_to(tx, ShelfFilled(shelf="a"), ["acme"])
        with pytest.raises(ValueError, match="needs a tenant"):
            outbox.emit(tx, ShelfFilled(shelf="a"), tenant="")

    assert await outbox.entries("acme", after=0) == []


async def test_a_reader_sees_every_entry_once_in_order_while_many_write_at_once(store: Store, outbox: EventLog):
    other = outbox_on(store)

    async def write(number: int) -> None:
        await fill(other if number % 2 else outbox, store, f"{number}", f"{number}'")
        if number % 3 == 0:
            await fill(outbox, store, "x", tenant="other")

    async def read() -> list[int]:
        positions: list[int] = []
        async with aclosing(outbox.follow("acme", after=0)) as pages:
            async for page in pages:
                positions += [each.position for each in page]
                if len(positions) >= 80:
                    return positions
        raise AssertionError

    reading = asyncio.create_task(read())
    await asyncio.gather(*(write(number) for number in range(40)))

    assert await reading == list(range(1, 81))
    await other.close()


async def test_a_follower_of_another_process_is_woken_by_the_commit(empty_postgresql_url: str, monkeypatch):
    monkeypatch.setattr("gateway.core.outbox.tail.LOOK_S", 3600.0)
    store, elsewhere_store = Store(empty_postgresql_url), Store(empty_postgresql_url)
    outbox, elsewhere = outbox_on(store), outbox_on(elsewhere_store)
    listening = asyncio.Event()
    elsewhere.on_news(lambda _: listening.set())
    await listening.wait()

    async with aclosing(elsewhere.follow("acme", after=0)) as pages:
        waiting = asyncio.create_task(anext(pages))
        await asyncio.sleep(0)
        await fill(outbox, store, "a")
        assert shelves(await asyncio.wait_for(waiting, 20)) == ["a"]

    for each in (outbox, elsewhere, store, elsewhere_store):
        await each.close()


@pytest.mark.parametrize("turns", range(6))
async def test_a_follower_that_is_cancelled_just_when_there_is_news_does_not_go_on(
    outbox: EventLog, monkeypatch, turns
):
    async def nothing(*args: Any, **options: Any) -> list[Entry]:
        return []

    monkeypatch.setattr(outbox, "entries", nothing)

    async with aclosing(outbox.follow("acme", after=0)) as pages:
        waiting = asyncio.create_task(anext(pages))
        await asyncio.sleep(0.01)
        outbox.waking._tell(["acme"])
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting}, timeout=0.1)
        assert waiting.cancelled()


async def test_a_follower_goes_on_though_looking_for_news_has_failed(store: Store, outbox: EventLog, monkeypatch):
    await fill(outbox, store, "a")
    real, failures = outbox.bounds, [RuntimeError("whatever"), TimeoutError("no connection is free")]

    async def bounds(tenant: str) -> tuple[int, int]:
        if failures:
            raise failures.pop()
        return await real(tenant)

    monkeypatch.setattr(outbox, "bounds", bounds)

    async with aclosing(outbox.follow("acme", after=0)) as pages:
        assert shelves(await anext(pages)) == ["a"]


async def test_a_follower_goes_on_where_it_was_when_the_database_is_back(store: Store, outbox: EventLog, monkeypatch):
    await fill(outbox, store, "a")
    real, failures = outbox.entries, [2]

    async def entries(*args: Any, **options: Any) -> Any:
        if failures[0]:
            failures[0] -= 1
            raise ConnectionRefusedError("no database")
        return await real(*args, **options)

    monkeypatch.setattr(outbox, "entries", entries)

    async with aclosing(outbox.follow("acme", after=0)) as pages:
        assert shelves(await anext(pages)) == ["a"]


async def test_no_two_transactions_take_the_same_entry_and_what_is_undone_is_taken_again(store, outbox):
    await fill(outbox, store, *"abcdef")
    with suppress(ZeroDivisionError):
        async with store.write() as tx:
            assert len(await outbox.take(tx, 6)) == 6
            raise ZeroDivisionError

    async def take() -> list[int]:
        async with store.write() as tx:
            return [each.position for each in await outbox.take(tx, 3)]

    taken = await asyncio.gather(take(), take(), take())

    assert sorted(position for each in taken for position in each) == [1, 2, 3, 4, 5, 6]
    assert await take() == []


async def test_what_is_taken_names_its_log_its_type_and_its_subject(store: Store, outbox: EventLog):
    await fill(outbox, store, "a")

    async with store.write() as tx:
        (found,) = await outbox.take(tx, 10)
        printed = await outbox.printed(tx, [found.event_id])

    assert (found.tenant_id, found.position, found.type, found.version, found.subject) == (
        "acme", 1, "shelf.filled", 1, "a",
    )  # fmt: skip
    kind, data, at = printed[found.event_id]
    assert (kind, json.loads(data)["id"], at) == ("shelf.filled", found.event_id, found.occurred_at)


async def test_entries_are_forgotten_after_thirty_days_and_positions_go_on(store: Store):
    clock = ManualClock()
    outbox = outbox_on(store, clock)
    await fill(outbox, store, "a", "b")
    clock.turn((KEPT + timedelta(hours=1)).total_seconds())
    await fill(outbox, store, "c")

    await outbox.forget()

    assert [(each.position, each.event.subject) for each in await outbox.entries("acme", after=0)] == [(3, "c")]
    assert await outbox.bounds("acme") == (2, 3)
    async with store.read() as tx:
        assert await tx.value(select(func.count()).select_from(events)) == 1


async def test_a_tenant_is_erased_and_what_others_have_been_told_stays(store: Store, outbox: EventLog):
    async with store.write() as tx:
        outbox.emit_to(tx, ProviderDegraded.sample(), ["acme", "beta"])
        outbox.emit(tx, ShelfFilled(shelf="a"), tenant="acme")

    async with store.write() as tx:
        told = [json.loads(each)["type"] for each in await outbox.export(tx, "acme")]
        await outbox.erase(tx, "acme")

    assert told == ["provider.degraded", "shelf.filled"]
    assert await outbox.entries("acme", after=0) == []
    assert [each.event.name for each in await outbox.entries("beta", after=0)] == ["provider.degraded"]
    async with store.read() as tx:
        assert await tx.values(select(log.c.tenant_id).distinct()) == ["beta"]
        assert await tx.value(select(func.count()).select_from(events)) == 1


async def test_an_event_whose_type_is_gone_is_left_out_and_stops_nobody(store: Store, outbox: EventLog):
    await fill(outbox, store, *(str(number) for number in range(5)))
    async with store.write() as tx:
        outbox.emit_to(tx, ProviderDegraded.sample(), ["acme"])
    without = EventLog(store, ManualClock(), Plain, {ProviderDegraded.name: ProviderDegraded})

    found = await without.entries("acme", after=0, limit=2)

    assert [(each.position, each.event.name) for each in found] == [(6, "provider.degraded")]


async def test_those_who_follow_one_log_from_one_place_share_each_reading(store: Store, outbox: EventLog, monkeypatch):
    real, asked, first = outbox.entries, list[int](), asyncio.Event()

    async def entries(*args: Any, **options: Any) -> Any:
        asked.append(options["after"])
        found = await real(*args, **options)
        first.set()
        return found

    monkeypatch.setattr(outbox, "entries", entries)

    async def two_pages() -> list[str]:
        async with aclosing(outbox.follow("acme", after=0)) as pages:
            return [*shelves(await anext(pages)), *shelves(await anext(pages))]

    following = [asyncio.create_task(two_pages()) for _ in range(20)]
    await fill(outbox, store, "a")
    await first.wait()
    await fill(outbox, store, "b")

    assert await asyncio.gather(*following) == [["a", "b"]] * 20
    assert asked == [0, 1]
    assert outbox._tails == {}


async def test_a_page_is_full_though_some_of_its_events_cannot_be_read(store: Store, outbox: EventLog):
    for shelf in "ab":
        async with store.write() as tx:
            outbox.emit_to(tx, ProviderDegraded.sample(), ["acme"])
        await fill(outbox, store, shelf)
    without = EventLog(store, ManualClock(), Plain, {ShelfFilled.name: ShelfFilled})

    assert [each.position for each in await without.entries("acme", after=0, limit=2)] == [2, 4]
