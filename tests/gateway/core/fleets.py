"""Processes that share one Redis: worlds with a link each, and one upstream's wire for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from typing import Any

from gateway.core.guards.fleet import Fleet
from gateway.core.guards.fleettime import FleetTime
from gateway.core.guards.shared import LOCK_S, SharedCache
from gateway.core.link import RedisLink
from providers.contract import Provider
from tests.gateway.doubles import NOON, ManualClock, Wire, World, world


@asynccontextmanager
async def processes(
    url: str, *classes: type[Provider], count: int = 2, wait_s: float = 0.5, lock_s: float = LOCK_S
) -> AsyncIterator[Any]:  # fmt: skip
    """Worlds with clocks of their own that agree."""
    wire, made, links = Wire(), [], []
    for _ in range(count):
        each = world(*classes, transport=wire)
        link = RedisLink(url, each.clock, wait_s=wait_s)
        shared = SharedCache(link, each.clock, "LIVE", lock_s=lock_s)
        shared.time = agreed(each.clock)
        each.registry.own.sign = lambda told: str(hash(told))
        each.pipeline.fleet = Fleet(shared, each.pipeline.cache, each.clock)
        wire.handlers.update(each.wire.handlers)
        each.wire = wire
        made.append(each)
        links.append(link)
    try:
        yield made
    finally:
        for each, link in zip(made, links, strict=True):
            await shared_of(each).settle()
            await link.close()


def agreed(clock: ManualClock) -> FleetTime:
    """Redis's time as if it went with the clock that is turned by hand."""
    time = FleetTime(clock, every_s=inf)
    time.measured(clock.monotonic(), (int(NOON.timestamp()), 0))
    return time


def shared_of(each: World) -> SharedCache:
    """The shared cache as a process sees it."""
    assert each.pipeline.fleet is not None
    return each.pipeline.fleet.shared
