"""Sources whose price is too far from what the others agree on."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

from plugins.events.producers.stage import TERMS, Stage
from plugins.events.producers.store import StateDirectory
from plugins.events.producers.types import OutlierDetected
from plugins.events.producers.wanted import Sources
from schema.words.consensus import Consensus, ConsensusSource
from schema.words.quotes import Quote
from schema.words.venues import MarketState

QUORUM, MOST, EVERY_S = 3, 5, 1.0
"""With fewer than three nobody is an outlier."""
IN_LINE_S = 60.0
"""For how long a source must be in line until it can be news again."""
OUT, IN = "OUT", "IN"


class OutlierProducer:
    """One instrument."""

    def __init__(self, stage: Stage, key: str, sources: Sources) -> None:
        self._stage, self._host, self._key, self._instrument = stage, stage.host, key, sources.instrument
        self._states = StateDirectory()
        self._out: dict[str, float | None] = {}
        """Sources that are off, and since when they are in line again."""

    async def run(self) -> None:
        """See `Producer`."""
        async with self._host.store.read() as tx:
            rows = await self._states.within(tx, f"{self._key}|")
        self._out = {row.key.rpartition("|")[2]: None for row in rows if row.state == OUT}
        market, symbol = self._stage.context().market, str(self._instrument)
        async with (
            market.agreeing(self._instrument, symbol, TERMS, quorum=QUORUM, most=MOST, every_s=EVERY_S) as steps,
            aclosing(steps),
        ):
            async for step in steps:
                if step.consensus is not None:
                    await self.take(step.consensus)

    async def take(self, found: Consensus) -> None:
        """Tell who went off; forgive who has been in line for long enough."""
        for source in found.sources:
            if source.outlier and source.quote is not None:
                await self._off(source, source.quote, found)
            elif source.excluded is None:
                await self._in_line(source.provider)

    async def _off(self, source: ConsensusSource, quote: Quote, found: Consensus) -> None:
        if source.provider in self._out:
            self._out[source.provider] = None
            return
        event = OutlierDetected(
            instrument=self._instrument, provider=source.provider, quote=await self._settled(quote),
            deviation_bps=source.deviation_bps or found.range_bps, median=found.median, low=found.low,
            high=found.high, currency=found.currency, used=found.used, asked=found.asked, mode=quote.provenance.mode,
        )  # fmt: skip
        async with self._host.store.write() as tx:
            if await self._states.turn(tx, self._row(source.provider), OUT, self._host.clock.now()):
                self._stage.tell(tx, event)
        self._out[source.provider] = None

    async def _in_line(self, provider: str) -> None:
        if provider not in self._out:
            return
        now, since = self._host.clock.monotonic(), self._out[provider]
        if since is None:
            self._out[provider] = now
        elif now - since >= IN_LINE_S:
            async with self._host.store.write() as tx:
                await self._states.turn(tx, self._row(provider), IN, self._host.clock.now())
            del self._out[provider]

    async def _settled(self, quote: Quote) -> Quote:
        """Read later, it tells of now."""
        if quote.market_state is not MarketState.UNKNOWN:
            return quote
        state = await self._host.calendars.state(quote.instrument, self._host.clock.now())
        return replace(quote, market_state=state)

    def _row(self, provider: str) -> str:
        return f"{self._key}|{provider}"
