"""Candles that close, each once; and those that are changed afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

import structlog
from cachetools import LRUCache

from gateway.core.contract import Delivery
from gateway.core.store import Tx
from plugins.events.producers.closing import Closing, Step, following, joined
from plugins.events.producers.stage import TERMS, Stage
from plugins.events.producers.store import ProducedDirectory, WatchDirectory
from plugins.events.producers.telling import Told, read
from plugins.events.producers.types import CandleClosed, CandleRevised, subject_of
from plugins.events.producers.wanted import Bars
from schema.capability import Terms
from schema.errors import MarketgateError
from schema.provenance import UNSTAMPED, Provenance
from schema.words.candles import CANDLES, Candle, CandlesAsk, rows_of
from schema.words.candles import Bars as Columns
from schema.words.live import NoticeCode

BREAKS = frozenset({NoticeCode.STALE, NoticeCode.RECONNECTING, NoticeCode.GAP, NoticeCode.PROVIDER_SWITCHED})
"""News of a stream after which a candle may have gone on unseen."""
REMEMBERED = 32
"""Told candles of a series that are in memory."""

log = structlog.get_logger(__name__)


class CandleProducer:
    """One instrument and interval."""

    def __init__(self, stage: Stage, key: str, bars: Bars) -> None:
        self._stage, self._host, self._key, self._bars = stage, stage.host, key, bars
        self._subject = subject_of(bars.instrument, bars.interval)
        self._watches, self._produced = WatchDirectory(), ProducedDirectory()
        self._closing = Closing(interval=bars.interval)
        self._told: LRUCache[datetime, Told | None] = LRUCache(REMEMBERED)
        """None: it was complete before anybody asked."""

    async def run(self) -> None:
        """See `Producer`."""
        context = self._stage.context()
        start = context.now - timedelta(seconds=context.now.timestamp() % self._bars.interval.seconds)
        async with self._host.store.read() as tx:
            self._closing.mark = await self._watches.mark(tx, self._key)
        ask = self._ask(start, start + self._bars.interval.delta)
        async with context.market.live(CANDLES, {self._subject: ask}, TERMS) as deliveries:
            async for delivery in deliveries:
                await self.take(delivery)

    async def take(self, delivery: Delivery) -> None:
        """Tell what it completes or changes."""
        item = delivery.items[-1] if delivery.items else None
        values = cast("Sequence[Candle]", item.values) if item else ()
        source = (item.provenance if item else None) or UNSTAMPED
        if self._closing.mark is None and not await self._begun(values):
            return
        mark = cast(datetime, self._closing.mark)
        step = self._closing.take(values, broken=any(each.code in BREAKS for each in delivery.notices))
        found, fetched = await self._missed(step, source) if step.missing else ((), source)
        closed = joined(found, step, mark)
        if closed:
            came = {bar.open_time for bar in step.closed}
            await self._close([(bar, source if bar.open_time in came else fetched) for bar in closed])
            self._closing.mark = closed[-1].open_time
        for bar in step.again:
            await self._again(bar, source)

    async def _begun(self, values: Sequence[Candle]) -> bool:
        """Where nobody has asked before, what is complete by now is past."""
        first = self._closing.first_mark(values)
        if first is None:
            return False
        async with self._host.store.write() as tx:
            await self._watches.begin(tx, self._key, first)
            self._closing.mark = await self._watches.mark(tx, self._key)
        return self._closing.mark is not None

    async def _missed(self, step: Step, source: Provenance) -> tuple[Sequence[Candle], Provenance]:
        """What nobody saw closing, from the provider whose stream it is."""
        start, end = cast("tuple[datetime, datetime]", step.missing)
        context = self._stage.context()
        terms = Terms(rights=TERMS.rights, providers=(source.provider,) if source.provider else None)
        try:
            fetched = await context.market.fetch(CANDLES, self._ask(start, end), terms)
        except MarketgateError as error:
            log.warning("candles_missed", subject=self._subject, start=start, end=end, reason=error.message)
            return (), source
        rows, now = rows_of(cast(Columns, fetched.value)), self._host.clock.now()
        over = [bar for bar in rows if bar.closed and following(self._bars.interval, bar.open_time) <= now]
        return over, fetched.provenance

    async def _close(self, bars: Sequence[tuple[Candle, Provenance]]) -> None:
        """In one transaction with the mark, and with a row for each: whoever was first has told them."""
        async with self._host.store.write() as tx:
            for bar, source in bars:
                told = Told(provider=source.provider, revision=0, candle=bar)
                self._told[bar.open_time] = told
                if await self._watches.advance(tx, self._key, bar.open_time):
                    await self._tell(tx, bar, source, told)

    async def _tell(self, tx: Tx, bar: Candle, source: Provenance, told: Told) -> None:
        if await self._produced.claim(tx, self._row(bar), self._host.clock.now(), told.text()):
            event = CandleClosed(
                instrument=self._bars.instrument, interval=self._bars.interval, candle=_whole(bar), provenance=source,
                mode=source.mode,
            )  # fmt: skip
            self._stage.tell(tx, event)

    async def _again(self, bar: Candle, source: Provenance) -> None:
        """One that was told: news only where its provider has changed it."""
        if bar.open_time not in self._told:
            async with self._host.store.read() as tx:
                text = await self._produced.told(tx, self._row(bar))
            self._told[bar.open_time] = read(text, bar.open_time) if text else None
        known = self._told[bar.open_time]
        if known is None or not known.differs(source.provider, bar):
            return
        told = known.next(bar)
        async with self._host.store.write() as tx:
            text = await self._produced.told(tx, self._row(bar))
            if text is not None and await self._produced.retell(tx, self._row(bar), known.text(), told.text()):
                event = CandleRevised(
                    instrument=self._bars.instrument, interval=self._bars.interval, candle=_whole(bar),
                    before=_whole(known.candle), revision=told.revision, provenance=source, mode=source.mode,
                )  # fmt: skip
                self._stage.tell(tx, event)
                self._told[bar.open_time] = told
            else:
                self._told[bar.open_time] = read(text, bar.open_time) if text else None

    def _ask(self, start: datetime, end: datetime) -> CandlesAsk:
        return CandlesAsk(instrument=self._bars.instrument, interval=self._bars.interval, start=start, end=end)

    def _row(self, bar: Candle) -> str:
        return f"{CandleClosed.name}|{self._subject}|{bar.open_time.isoformat()}"


def _whole(bar: Candle) -> Candle:
    """Closed, whether its feed said so or the next one began."""
    return bar if bar.closed else replace(bar, closed=True)
