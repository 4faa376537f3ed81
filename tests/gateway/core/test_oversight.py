"""What is told of breakers: events on the bus for an opening and its end, and the catalogue that they are in."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import Any

from gateway.core.bus import LocalBus
from gateway.core.oversight import BreakerOversight
from schema import events
from schema.events import CATALOG, Event
from tests.gateway.doubles import ManualClock, World, failing, priced, venue, world

FAULT = 'HTTP 500: {"message": "no"}'


def watched() -> tuple[World, list[dict[str, Any]]]:
    clock, bus = ManualClock(), LocalBus()
    heard: list[dict[str, Any]] = []
    for name in CATALOG:
        bus.subscribe(name, lambda message: heard.append(dict(message)))
    return world(venue("alpha"), clock=clock, oversight=BreakerOversight(bus, clock)), heard


async def test_an_opening_and_its_end_are_events_and_a_failed_trial_is_none():
    core, heard = watched()
    core.wire.handlers["alpha"] = failing(500)
    while core.breaker("alpha").state.value == "CLOSED":
        await core.refused()
    opened = core.clock.now()
    core.clock.turn(15)
    await core.refused()
    core.clock.turn(15)
    core.wire.handlers["alpha"] = priced("1")
    await core.quote()
    await asyncio.sleep(0)

    def told(at: Any) -> str:
        return f"{at.replace(tzinfo=None).isoformat()}Z"

    shared = {"version": 1, "provider": "alpha", "capability": "quotes"}
    assert heard == [
        {"event": "provider.degraded", "state": "OPEN", "reason": FAULT, "since": told(opened), **shared},
        {
            "event": "provider.recovered", "state": "CLOSED", "reason": "the trial call succeeded",
            "since": told(core.clock.now()), **shared,
        },
    ]  # fmt: skip
    assert core.breaker("alpha").trips == 2


async def test_a_reset_of_a_closed_breaker_is_no_news():
    core, heard = watched()

    core.breaker("alpha").reset("to be sure")
    await asyncio.sleep(0)

    assert heard == []


def test_every_event_is_in_the_catalogue_under_its_own_name():
    assert {name: kind.name for name, kind in CATALOG.items()} == {name: name for name in CATALOG}
    made = {each for each in vars(events).values() if isinstance(each, type) and issubclass(each, Event)}
    assert set(CATALOG.values()) == made - {Event}
    assert all(fields(kind) and kind.version >= 1 for kind in CATALOG.values())
