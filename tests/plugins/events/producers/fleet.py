"""A house whose venues may be passed on, what its endpoints ask for, and what its tenants were told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from gateway.core.bus import Bus
from gateway.core.ports import Interests
from gateway.core.store import Store
from gateway.core.upstream import RawReply, Request
from plugins.events.producers.desk import ProducerDesk
from providers import Discovered
from providers.contract import Provider
from tests.gateway.doubles import NOON, ManualClock, Wire, reply, venue
from tests.gateway.live.handlines import HandLines
from tests.house import House, open_house
from tests.told import told as everything

ACME, OTHER = "ten_acme", "ten_other"
MINUTES = "crypto:BTC/USD#M1"


@dataclass
class Asked:
    """gateway.core.ports.Interests: what a test says."""

    channels: dict[str, dict[str, frozenset[str]]] = field(default_factory=dict)

    async def wanted(self, types: Collection[str]) -> Mapping[str, Mapping[str, frozenset[str]]]:
        return {type: channels for type, channels in self.channels.items() if type in types}

    def ask(self, channel: str, *types: str, tenants: Collection[str] = (ACME,)) -> None:
        """Endpoints of these tenants name the channel for the types."""
        for type in types:
            self.channels.setdefault(type, {})[channel] = frozenset(tenants)


@dataclass
class Shop:
    """One process."""

    house: House
    lines: HandLines
    wire: Wire
    asked: Asked

    @property
    def desk(self) -> ProducerDesk:
        return self.house.host.service(ProducerDesk)

    def pass_time(self, seconds: float) -> None:
        self.house.clock.turn(seconds)


def open_venue(name: str, **facts: Any) -> type[Provider]:
    """Its data may be passed on."""
    made = venue(name, **facts)
    made.profile = replace(made.profile, licence=replace(made.profile.licence, redistributable=True))
    return made


@asynccontextmanager
async def open_shop(
    database: str,
    folder: Path,
    *venues: type[Provider],
    asked: Asked | None = None,
    clock: ManualClock | None = None,
    bus: Bus | None = None,
) -> AsyncIterator[Shop]:
    """A process of a fleet, without workers: a test says when it looks."""
    found = venues or (open_venue("alpha"), open_venue("beta", priority=20))
    lines, wire, asked = HandLines(), Wire(), asked or Asked()
    wire.handlers = dict.fromkeys((cls.profile.id for cls in found), lambda request: reply([]))
    async with open_house(
        database, folder, clock=clock or ManualClock(NOON + timedelta(seconds=30)), transport=wire, bus=bus,
        lines=lines, upstreams="live",
        discovered=Discovered(classes={cls.profile.id: cls for cls in found}, failed={}),
    ) as house:  # fmt: skip
        house.host.services[Interests] = asked
        shop = Shop(house, lines, wire, asked)
        try:
            yield shop
        finally:
            await shop.desk.close()


async def told(store: Store, tenant: str = ACME, type: str = "") -> list[dict[str, Any]]:
    """The tenant's log, as it was printed."""
    return await everything(store, tenant, type)


async def closes(store: Store, tenant: str = ACME) -> list[tuple[str, str]]:
    """Minutes past noon and closes of the candles that it was told of, in order."""
    return [
        (each["candle"]["openTime"][14:16], each["candle"]["close"])
        for each in await told(store, tenant, "candle.closed")
    ]


async def until(holds: Callable[[], Any]) -> None:
    """As soon as that is true, or what it waits for is."""
    async with asyncio.timeout(10):
        while True:
            found = holds()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.005)


async def settled() -> None:
    """What was said has been heard, and written if it is written at all."""
    for _ in range(20):
        await asyncio.sleep(0.005)


def minutes(*rows: tuple[int, str]) -> Callable[[Request], RawReply]:
    """A venue's history of minutes past noon."""
    start = int(NOON.timestamp())
    return lambda request: reply([[start + 60 * minute, price] for minute, price in rows])
