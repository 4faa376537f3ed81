"""Where seats are worked: one thing after the other, whatever becomes of it."""

from __future__ import annotations

import asyncio
from functools import partial

from sqlalchemy.exc import OperationalError

from plugins.trading.accounts.access import unknown
from plugins.trading.engine.places import MOST_MESSAGES, Place, Places
from plugins.trading.engine.seat import Seat, Stood
from schema.errors import DatabaseUnavailable
from schema.words.problems import Refused
from tests.gateway.doubles import ManualClock
from tests.plugins.trading import rowsof


class Clock(ManualClock):
    """Sleeps at once."""

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.turn(seconds)


def _seat() -> Seat:
    stood = Stood(account=rowsof.account(shard=3), orders=(), positions=(), cash=(), statuses={})
    return Seat(stood, lambda: None)  # type: ignore[arg-type, return-value]


def _places(clock: Clock) -> tuple[Places, Place, list[str]]:
    told: list[str] = []
    places = Places(
        clock, lambda place: told.append("settled"), lambda id: told.append("gone"), lambda id: told.append("lost")
    )
    places.shards = frozenset({3})
    place = Place(seat=_seat())
    places.add(place)
    return places, place, told


async def _done(places: Places) -> None:
    while tasks := places.tasks:
        await asyncio.gather(*tasks)


async def test_what_a_database_refuses_is_done_again_and_what_cannot_be_done_is_left() -> None:
    clock = Clock()
    places, place, told = _places(clock)
    tries: list[int] = []

    async def away(until: int) -> None:
        tries.append(until)
        if len(tries) < until:
            raise OperationalError("x", {}, Exception("away"))

    async def broken() -> None:
        raise ValueError("a fault")

    async def deleted() -> None:
        raise unknown("accountId")

    async def refused() -> None:
        raise Refused("INSUFFICIENT_FUNDS", "no money")

    places.put(place, partial(away, 3), "work")
    await _done(places)
    assert (len(tries), clock.slept, told) == (3, [0.2, 0.5], ["settled"])
    places.put(place, partial(away, 100), "work")
    await _done(places)
    assert (len(tries), clock.slept[2:], told) == (9, [0.2, 0.5, 1.0, 2.0, 5.0], ["settled", "lost", "settled"])
    told.clear()
    places.put(place, broken, "one")
    places.put(place, refused, "two")
    places.put(place, deleted, "three")
    await _done(places)

    # What is refused says nothing of the account: it is read anew, and worked on.
    assert told == ["lost", "settled", "lost", "settled", "gone", "settled"]


async def test_what_is_to_be_done_waits_for_a_database_that_is_away_however_long() -> None:
    clock = Clock()
    places, place, told = _places(clock)

    async def work() -> None:
        if clock.monotonic() < 1120:
            raise DatabaseUnavailable
        told.append("done")

    places.put(place, work, "meet crypto:BTC/USD", message=True)
    await _done(places)

    assert told == ["done", "settled"]
    assert clock.slept == [0.2, 0.5, 1.0, 2.0] + [5.0] * 24


async def test_what_is_under_way_for_a_seat_that_others_work_is_finished_or_left_to_them() -> None:
    clock = Clock()
    places, place, told = _places(clock)
    gate = asyncio.Event()

    async def work() -> None:
        await gate.wait()
        told.append("done")

    async def away() -> None:
        places.drop(place.seat.id)
        raise DatabaseUnavailable

    places.put(place, work, "work")
    await asyncio.sleep(0)
    places.drop(place.seat.id)
    gate.set()
    await _done(places)
    assert told == ["done"]

    places.add(place)
    places.put(place, away, "work")
    await _done(places)

    assert (told, clock.slept, places.tasks) == (["done"], [0.2], [])


async def test_what_fails_is_tried_anew_after_pauses_that_grow_and_all_else_goes_on() -> None:
    clock = Clock()
    places, place, told = _places(clock)
    tries: list[float] = []
    heals: list[bool] = []

    async def broken() -> None:
        tries.append(clock.monotonic() - 1000)
        if not heals:
            raise ValueError("a fault")

    async def whole() -> None:
        told.append("done")

    for _ in range(200):
        places.put(place, broken, "broken")
        await _done(places)
        clock.turn(1)

    assert tries == [0, 1, 3, 8, 23, 83, 143]
    assert told == ["lost", "settled"] * 7
    assert not places.put(place, broken, "broken")
    assert places.put(place, whole, "whole")
    await _done(places)
    assert told[-2:] == ["done", "settled"]
    clock.turn(60)
    heals.append(True)
    for _ in range(2):
        assert places.put(place, broken, "broken")
        await _done(places)
    assert (tries[-2:], place.rests) == ([260, 260], {})


async def test_what_cannot_be_looked_at_is_let_be_for_a_while() -> None:
    clock = Clock()
    places, place, _ = _places(clock)
    looks: list[float] = []

    def look() -> None:
        looks.append(clock.monotonic() - 1000)
        raise ValueError("a fault")

    for _ in range(20):
        places.attempt(place, look, "look")
        clock.turn(0.5)

    assert looks == [0, 1, 3, 8]


async def test_messages_that_wait_are_bounded_and_nothing_else_is_lost() -> None:
    places, place, _ = _places(Clock())
    gate, seen = asyncio.Event(), list[int]()

    async def wait() -> None:
        await gate.wait()

    async def note(number: int) -> None:
        seen.append(number)

    places.put(place, wait, "work")
    await asyncio.sleep(0)
    places.put(place, partial(note, -1), "work")
    for number in range(MOST_MESSAGES + 5):
        places.put(place, partial(note, number), "work", message=True)
    places.put(place, partial(note, -2), "work")
    gate.set()
    await _done(places)

    assert seen == [-1, *range(5, MOST_MESSAGES + 5), -2]


async def test_what_is_not_worked_here_any_more_is_not_done() -> None:
    places, place, _ = _places(Clock())
    seen: list[int] = []

    async def note() -> None:
        seen.append(1)

    places.put(place, note, "work")
    places.shards = frozenset()
    await _done(places)

    assert seen == []


async def test_the_end_of_a_thing_is_told_once_it_is_done_or_given_up_and_not_before_it_is_tried_again() -> None:
    places, place, _ = _places(Clock())
    seen: list[str] = []

    async def away() -> None:
        seen.append("tried")
        if seen.count("tried") < 3:
            raise DatabaseUnavailable

    async def broken() -> None:
        raise ValueError("a fault")

    for job in (away, broken):
        places.put(place, job, job.__name__, over=partial(seen.append, f"{job.__name__} over"))
    waits = [place.waits(each) for each in ("away", "broken", "else")]
    await _done(places)

    assert seen == ["tried", "tried", "tried", "away over", "broken over"]
    assert (waits, place.waits("away")) == ([True, True, False], False)
