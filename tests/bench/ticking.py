"""`marketgate serve` whose upstream lines tick by themselves: every instrument's price is the moment it was made.

So a client on the same machine knows how long each message took: `CLOCK_MONOTONIC` is one clock for all processes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from typing import Any

from gateway import app
from gateway.cli.app import run
from gateway.core.access import Lane
from gateway.core.lines.line import Event, Update
from schema.capability import Capability
from schema.errors import NotCovered
from schema.words.quotes import PriceType, Quote

EVERY_S = 0.1


class TickingLines:
    """gateway.core.lines.line.Lines: ten prices a second of whatever is asked for, each at a phase of its own."""

    @asynccontextmanager
    async def open(
        self, lane: Lane, capability: Capability[Any, Any], ask: Any
    ) -> AsyncGenerator[AsyncIterator[Event]]:
        """See `Lines`."""
        yield self._ticks(ask)

    async def ask(self, lane: Lane, capability: Capability[Any, Any], ask: Any) -> Any:
        """Nothing is answered over HTTP."""
        return NotCovered(lane.id, "only ticks")

    async def close(self) -> None:
        """See `Lines`."""

    async def _ticks(self, ask: Any) -> AsyncIterator[Event]:
        instrument = ask.instruments[0]
        loop = asyncio.get_running_loop()
        due = loop.time() + hash(instrument.base) % 100 / 100 * EVERY_S
        while True:
            due += EVERY_S
            await asyncio.sleep(due - loop.time())
            price = Decimal(time.monotonic_ns()) / 1000
            quote = Quote(instrument=instrument, price=price, price_type=PriceType.LAST, bid=price, ask=price)
            yield Update(values=(quote,), as_of=None, snapshot=False, received=quote.provenance.fetched_at)


if __name__ == "__main__":
    app.build_gateway = partial(app.build_gateway, lines=TickingLines())
    sys.exit(run(sys.argv[1:]))
