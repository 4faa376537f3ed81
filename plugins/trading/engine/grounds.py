"""What is asked of the markets for orders that arrive: no other order of their account waits for a slow source."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from gateway.core.contract import Host
from plugins.trading.engine.asking import WAITS_S
from plugins.trading.engine.seat import Seat
from plugins.trading.orders.ground import Ground, ground_of
from plugins.trading.positions.store import PositionStore
from plugins.trading.rows import OrderRow
from schema.errors import MarketgateError
from schema.symbols import parse_instrument
from schema.words.problems import Refused

LOG = structlog.get_logger(__name__)


@dataclass(slots=True)
class At:
    """Which one of several orders is looked at; None where it is all of them."""

    order: str | None = None


class Grounds:
    """Of one process."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._asking: dict[tuple[str, str], asyncio.Task[Ground]] = {}
        """By account and instrument."""

    async def of(self, seat: Seat, rows: Sequence[OrderRow], at: At) -> deque[tuple[OrderRow, Ground | Refused]]:
        """Orders with theirs, asked once for each instrument, all together; without those that nobody prices now, or
        not soon enough: they wait on, and are looked at again."""
        firsts = {row.instrument: row for row in reversed(rows)}
        begun = {
            name: self._begun(seat, row) for name, row in firsts.items() if (seat.id, name) not in self._asking
        }  # fmt: skip
        if begun:
            await asyncio.wait(begun.values(), timeout=WAITS_S)
        grounds = dict[str, Ground | Refused]()
        for name, task in begun.items():
            at.order = firsts[name].id
            if not task.done():
                continue
            try:
                grounds[name] = await task
            except Refused as refused:
                grounds[name] = refused
            except MarketgateError as error:
                LOG.warning("trading_condition_unpriced", order=at.order, reason=error.message)
        at.order = None
        return deque((row, grounds[row.instrument]) for row in rows if row.instrument in grounds)

    def _begun(self, seat: Seat, row: OrderRow) -> asyncio.Task[Ground]:
        """What is answered late is in the gateway's own copies when it is asked for the next time."""
        key = seat.id, row.instrument

        def end(done: asyncio.Task[Ground]) -> None:
            self._asking.pop(key, None)
            if not done.cancelled():
                done.exception()

        task = self._asking[key] = asyncio.create_task(self._ground(seat, row), name="trading.ground")
        task.add_done_callback(end)
        return task

    async def _ground(self, seat: Seat, row: OrderRow) -> Ground:
        async with self._host.store.read() as tx:
            cash = await PositionStore().cash(tx, seat.tenant, seat.id)
        currencies = {each.asset for each in cash} | {each.currency for each in seat.orders.values()}
        return await ground_of(
            seat.context(), seat.account, parse_instrument(row.instrument), "symbol", held=seat.positions.keys(),
            currencies=currencies | {each.currency for each in seat.positions.values()},
        )  # fmt: skip
