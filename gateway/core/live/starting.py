"""A process's hub with what it needs: Redis where it is set, else this process alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.core.clock import Clock
from gateway.core.lines.homes import Homes
from gateway.core.lines.line import Lines
from gateway.core.live.hub import Hub

if TYPE_CHECKING:
    from gateway.core.link import RedisLink
    from gateway.core.live.fleet import LiveFleet


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Started with the process, closed before its connections are."""

    hub: Hub
    lines: Lines
    fleet: LiveFleet | None

    def start(self) -> None:
        """Listen to the other processes."""
        if self.fleet is not None:
            self.fleet.start()

    async def close(self) -> None:
        """End all streams; leases are given back."""
        await self.hub.close()
        await self.lines.close()
        if self.fleet is not None:
            await self.fleet.close()


def make_live(lines: Lines, clock: Clock, link: RedisLink | None, redis_url: str | None) -> Live:
    """The hub of a process."""
    if link is None or redis_url is None:
        return Live(hub=Hub(lines, clock), lines=lines, fleet=None)
    from gateway.core.live.fleet import LiveFleet
    from gateway.core.live.listening import Listening

    fleet = LiveFleet(link, Listening(redis_url), clock)
    return Live(hub=Hub(lines, clock, fleet=fleet), lines=lines, fleet=fleet)


def make_homes(link: RedisLink | None, clock: Clock) -> Homes | None:
    """Who has the connections of feeds that take few; a process that is alone has all of them."""
    if link is None:
        return None
    from gateway.core.lines.homes import FleetHomes

    return FleetHomes(link, clock)
