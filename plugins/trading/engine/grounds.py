"""What is asked of the markets for orders that arrive: no other order of their account waits for a slow source."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from gateway.core.contract import Host
from plugins.trading.engine.asking import WAITS_S
from plugins.trading.engine.seat import Seat
from plugins.trading.markets.priced import LATELY
from plugins.trading.orders.ground import Ground, ground_of
from plugins.trading.positions.store import PositionStore
from plugins.trading.rows import OrderRow
from schema.errors import MarketgateError
from schema.symbols import parse_instrument
from schema.words.problems import Refused

STANDS_S = 1.0
"""So long after it was answered orders arrive by it."""

LOG = structlog.get_logger(__name__)


@dataclass(slots=True)
class Asked:
    """For orders that arrive, by one piece of work: all it needs at once, and what it has opened since once more."""

    coming: Sequence[OrderRow]
    """Those that nothing was asked for yet."""
    left_s: float = WAITS_S
    """So long it may wait for answers still."""
    tasks: dict[str, asyncio.Task[Ground]] = field(default_factory=dict)
    """By instrument."""
    done: dict[str, float] = field(default_factory=dict)
    """When they were (monotonic)."""
    order: str | None = None
    """Which one of several orders is looked at; None where it is all of them."""
    waits: set[str] = field(default_factory=set)
    """Orders that wait on, as a price is missing or old."""


class Grounds:
    """Of one process."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._asking: dict[tuple[str, str], asyncio.Task[Ground]] = {}
        """By account and instrument."""

    async def of(
        self, seat: Seat, rows: Sequence[OrderRow], asked: Asked
    ) -> deque[tuple[OrderRow, Ground | Refused]]:  # fmt: skip
        """Orders with theirs, asked once for each instrument, all together; without those that nobody prices now, or
        not soon enough: they wait on, and are looked at again."""
        moment, now = self._host.clock.monotonic(), self._host.clock.now()
        known = {id: at for id, at in seat.came.items() if id in seat.orders}
        seat.came = dict.fromkeys((row.id for row in [*rows, *asked.coming]), now) | known
        for name in [name for name, at in asked.done.items() if moment - at > STANDS_S]:
            asked.tasks.pop(name, None)
            del asked.done[name]
        await self._begin(seat, [*rows, *asked.coming], asked)
        asked.coming = ()
        grounds = dict[str, Ground | Refused]()
        for name, row in {row.instrument: row for row in reversed(rows)}.items():
            task, asked.order = asked.tasks.get(name), row.id
            if task is None or not task.done():
                continue
            try:
                grounds[name] = await task
            except Refused as refused:
                grounds[name] = refused
            except MarketgateError as error:
                LOG.warning("trading_condition_unpriced", order=row.id, reason=error.message)
            except Exception:
                del asked.tasks[name]
                raise
        asked.order = None
        asked.waits |= {row.id for row in rows if row.instrument not in grounds}
        return deque((row, grounds[row.instrument]) for row in rows if row.instrument in grounds)

    async def close(self) -> None:
        """Nothing more is waited for."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _begin(self, seat: Seat, rows: Sequence[OrderRow], asked: Asked) -> None:
        if seat.cash is None:
            async with self._host.store.read() as tx:
                seat.cash = await PositionStore().cash(tx, seat.tenant, seat.id)
        firsts = {row.instrument: row for row in reversed(rows) if row.instrument not in asked.tasks}
        begun = {
            name: self._begun(seat, row, asked) for name, row in firsts.items() if (seat.id, name) not in self._asking
        }  # fmt: skip
        if begun:
            asked.tasks |= begun
            loop = asyncio.get_running_loop()
            until = loop.time() + asked.left_s
            await asyncio.wait(begun.values(), timeout=asked.left_s)
            asked.left_s = max(until - loop.time(), 0.0)

    def _begun(self, seat: Seat, row: OrderRow, asked: Asked) -> asyncio.Task[Ground]:
        """What is answered late is in the gateway's own copies when it is asked for the next time."""
        key = seat.id, row.instrument

        def end(done: asyncio.Task[Ground]) -> None:
            self._asking.pop(key, None)
            asked.done[row.instrument] = self._host.clock.monotonic()
            if not done.cancelled():
                done.exception()

        task = self._asking[key] = asyncio.create_task(self._ground(seat, row), name="trading.ground")
        task.add_done_callback(end)
        return task

    async def _ground(self, seat: Seat, row: OrderRow) -> Ground:
        alike = {each.id for each in seat.orders.values() if each.instrument == row.instrument}
        came = (at for id, at in seat.came.items() if id in alike)
        currencies = {each.asset for each in seat.cash or ()} | {each.currency for each in seat.orders.values()}
        return await ground_of(
            seat.context(), seat.account, parse_instrument(row.instrument), "symbol", held=seat.positions.keys(),
            currencies=currencies | {each.currency for each in seat.positions.values()},
            since=max([self._host.clock.now() - LATELY, *came]),
        )  # fmt: skip
