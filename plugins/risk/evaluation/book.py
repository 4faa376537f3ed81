"""One portfolio with its limits: valued with each price that its streams tell, written as breaches come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from sqlalchemy.exc import DBAPIError

from gateway.core.contract import Context, Host, Tapped
from gateway.core.ports import Holdings, Outbox, Portfolios
from gateway.core.store import new_id
from plugins.risk.evaluation.gauge import Act
from plugins.risk.evaluation.nights import nights
from plugins.risk.evaluation.tails import value_at_risk
from plugins.risk.evaluation.valuing import Course, Valued, is_fresh, valued, without_waiting
from plugins.risk.evaluation.watched import Portrait, Watched
from plugins.risk.limits.store import LimitDirectory
from plugins.risk.rows import Breach, LimitRow
from schema.errors import MarketgateError
from schema.provenance import DataMode, Provenance, providers_of
from schema.symbols import InstrumentId
from schema.words.quotes import QUOTES, QuotesAsk

REFRESH = timedelta(seconds=30)
"""How old holdings and rates of exchange may be."""
TAIL = timedelta(minutes=15)
"""How often the value at risk is reckoned."""
RETRY = timedelta(minutes=2)
"""The same, where it could not be reckoned."""
TAIL_POLL_S = 60.0
STREAMED = 200
"""Positions whose prices are streamed, the largest; the others' are as old as the holdings."""
PACE_S, LEAST_PAUSE_S, LONGEST_PAUSE_S = 0.000_01, 0.001, 1.0
"""A position under a limit takes a microsecond: so the loop is busy with a book for a tenth of the time at most."""
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
GONE = "the portfolio is gone"

LOG = structlog.get_logger(__name__)


class Book:
    """Of one process. `limits` are changed by the engine; `run` goes on until it is cancelled."""

    def __init__(
        self, host: Host, portfolio: str, context: Callable[[], Context], doubted: Callable[[Collection[str]], None]
    ) -> None:
        self._host, self._portfolio, self._context, self._doubted = host, portfolio, context, doubted
        self._rows = LimitDirectory()
        self.limits: dict[str, Watched] = {}
        self._holdings: Holdings | None = None
        self._valued: Valued | str = "not valued yet"
        self._course = Course()
        """What limits without a peak of their own know a split by whose price waits."""
        self._prices: dict[InstrumentId, Decimal] = {}
        self._heard: dict[InstrumentId, datetime] = {}
        self._made: dict[InstrumentId, Provenance] = {}
        self._streamed: frozenset[InstrumentId] = frozenset()
        self._old, self._reckoning = True, False
        self._news, self._due = asyncio.Event(), asyncio.Event()
        self.idle = asyncio.Event()
        self._read_at = host.clock.now()

    def add(self, watched: Watched) -> None:
        """One more limit, or one in the place of what it was before."""
        self.limits[watched.row.id] = watched
        if self._course.basis is None:
            self._course = replace(watched.course)
        if watched.tail:
            self._due.set()
            self._reckoning = True
        self.refresh()

    def refresh(self) -> None:
        """Read the holdings anew, soon."""
        self._old = True
        self._wake()

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._reckon())
            group.create_task(self._watch())

    def heard(self, tapped: Tapped) -> None:
        """A message of a stream: the newest price counts."""
        now = self._host.clock.now()
        for quote in tapped.message.values:
            if is_fresh(quote, now) and quote.instrument in self._streamed:
                self._prices[quote.instrument] = quote.price
                self._heard[quote.instrument] = now
                self._made[quote.instrument] = quote.provenance
                self._wake()

    async def _watch(self) -> None:
        streams = AsyncExitStack()
        self._streamed, self._old = frozenset(), True
        try:
            while True:
                self._news.clear()
                if self._old or self._host.clock.now() - self._read_at >= REFRESH:
                    self._old = False
                    await self._catch_up()
                    await self._read()
                    wanted = self._wanted()
                    if wanted != self._streamed:
                        await streams.aclose()
                        streams = await self._open(wanted)
                await self._evaluate()
                await self._wait()
                await self._pace()
        finally:
            await streams.aclose()

    async def _wait(self) -> None:
        """Until there is something new, the holdings are old, or a value is to be written."""
        if self._news.is_set():
            return
        if not self._reckoning:
            self.idle.set()
        due = [each.due for each in self.limits.values() if each.due is not None]
        left = (min([self._read_at + REFRESH, *due]) - self._host.clock.now()).total_seconds()
        waiting = {
            asyncio.ensure_future(self._host.clock.sleep(max(left, 0.0))),
            asyncio.ensure_future(self._news.wait()),
        }
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _pace(self) -> None:
        """A tick after the other is looked at together where there is much to look at."""
        held = len(self._valued.factors) if isinstance(self._valued, Valued) else 0
        pause = PACE_S * held * len(self.limits)
        if pause >= LEAST_PAUSE_S:
            await self._host.clock.sleep(min(pause, LONGEST_PAUSE_S))

    def _wake(self) -> None:
        self.idle.clear()
        self._news.set()

    async def _read(self) -> None:
        """The holdings as they are; what cannot be had now leaves its reason."""
        self._read_at = self._host.clock.now()
        try:
            found = await self._host.service(Portfolios).holdings(self._context(), self._portfolio)
        except MarketgateError as error:
            self._valued = f"the portfolio cannot be valued: {error.message}"
            return
        self._holdings = found
        self._valued = GONE if found is None else valued(found)
        if isinstance(self._valued, Valued):
            self._forget(self._valued)

    async def _catch_up(self) -> None:
        """What nobody saw of drawdowns: by the closes of the days since, in order; a breach is told with its day."""
        late = [(each, each.unseen) for each in self.limits.values() if each.unseen]
        for each, _ in late:
            each.unseen = None
        now = self._host.clock.now()
        for night in nights(min((since for _, since in late), default=now), now):
            try:
                found = await self._host.service(Portfolios).holdings(self._context(), self._portfolio, night)
            except MarketgateError as error:
                LOG.warning("risk_night_unseen", portfolio=self._portfolio, night=night, reason=error.message)
                continue
            value = None if found is None else valued(found)
            if not isinstance(value, Valued):
                continue
            self._holdings, self._valued = found, value
            looked = [each for each, since in late if since < night]
            self._course.risen(value)
            for each in looked:
                each.look(value, night)
                await asyncio.sleep(0)
            told = [each for each in looked if each.acts]
            if told:
                await self._surely(told)

    def _forget(self, held: Valued) -> None:
        """Live prices that are older than those of the holdings, or of what is not held any more."""
        begin = self._read_at - REFRESH
        for each in [each for each, at in self._heard.items() if at < begin or each not in held.factors]:
            del self._prices[each], self._heard[each], self._made[each]

    def _wanted(self) -> frozenset[InstrumentId]:
        if not isinstance(self._valued, Valued) or all(watched.tail for watched in self.limits.values()):
            return frozenset()
        values = self._valued.snapshot(self._prices).values
        largest = sorted(values, key=lambda each: (-abs(values[each]), str(each)))
        return frozenset(largest[:STREAMED])

    async def _open(self, wanted: frozenset[InstrumentId]) -> AsyncExitStack:
        streams = AsyncExitStack()
        self._streamed = wanted
        asks = {str(each): QuotesAsk(instruments=(each,)) for each in sorted(wanted)}
        if asks:
            try:
                await streams.enter_async_context(self._context().market.live(QUOTES, asks, tap=self.heard))
            except MarketgateError as error:
                # Prices are as old as the holdings until somebody streams them: the next reading asks again.
                LOG.warning("risk_without_stream", portfolio=self._portfolio, reason=error.message)
                self._streamed = frozenset()
        return streams

    async def _evaluate(self) -> None:
        now, value = self._host.clock.now(), self._valued
        marked = value.marked(self._prices) if isinstance(value, Valued) else None
        ready = self._course.risen(marked) if marked else None
        for watched in tuple(self.limits.values()):
            if watched.tail:
                continue
            if marked is None or ready is None:
                watched.fail(str(value), now)
                continue
            if watched.falls:
                watched.look(marked, now)
            else:
                watched.course = replace(self._course) if ready.waiting else Course()
                watched.look(ready, now)
            await asyncio.sleep(0)  # hundreds of positions take their time: others have a turn
        moved = [
            each for each in self.limits.values()
            if each.acts or _differs(each) or (each.due is not None and each.due <= now)
        ]  # fmt: skip
        for each in moved:
            each.written = now
        if moved:
            await self._surely(moved)

    async def _surely(self, moved: Sequence[Watched]) -> None:
        """Again and again: a database may be away for a while. What cannot be told stands in nobody's way."""
        failures = 0
        while True:
            try:
                await self._write(moved)
            except (DBAPIError, OSError):
                LOG.exception("risk_not_written", portfolio=self._portfolio)
                await self._host.clock.sleep(PAUSES_S[min(failures, len(PAUSES_S) - 1)])
                failures += 1
            except Exception:
                LOG.exception("risk_not_told", portfolio=self._portfolio, count=len(moved))
                if len(moved) == 1:
                    moved[0].acts.clear()
                    return
                for each in moved:
                    await self._surely([each])
                return
            else:
                return

    async def _write(self, moved: Sequence[Watched]) -> None:
        """Breaches, their events, and where the limits stand then: one transaction."""
        outbox, portrait, doubted = self._host.service(Outbox), self._portrait(), set[str]()
        stood: dict[Watched, LimitRow] = {}
        kept: dict[Watched, str | None] = {}
        told: dict[Watched, list[Breach]] = {}
        acted: dict[Watched, int] = {}
        for each in moved:
            # What is reckoned while the transaction is under way goes with the next one.
            basis = each.course.basis
            stood[each], kept[each] = each.standing(), basis.same if basis else None
            told[each], acted[each] = self._breaches(each), len(each.acts)
            await asyncio.sleep(0)  # holdings of hundreds of positions take their time
        withheld = await self._withheld(told, portrait)
        async with self._host.store.write() as tx:
            generations = await self._rows.generations(tx, {each.row.id for each in moved})
            valid = [each for each in moved if generations.get(each.row.id) == each.row.generation]
            breaches = [breach for each in valid for breach in told[each]]
            new = await self._rows.breach(tx, breaches) if breaches else set()
            for watched in valid:
                for breach in told[watched]:
                    if (breach.limit_id, breach.arm) in new:
                        outbox.emit(
                            tx, watched.event(breach, portrait, withheld=watched in withheld), tenant=breach.tenant_id
                        )
                    else:
                        doubted.add(breach.limit_id)
            written = [each for each in valid if each.row.id not in doubted]
            if written:
                await self._rows.settle(tx, [stood[each] for each in written])
        for each in written:
            each.row = stood[each]
            each.kept = kept[each]
        for each in moved:
            del each.acts[: acted[each]]
        if doubted:
            self._doubted(doubted)

    async def _withheld(self, told: Mapping[Watched, Sequence[Breach]], portrait: Portrait) -> set[Watched]:
        """Those of whose numbers a licence lets nobody pass anything on."""
        market, found = self._context().market, set[Watched]()
        for watched, breaches in told.items():
            if breaches and not await market.may_deliver(QUOTES, *sorted(portrait.sources | watched.sources)):
                found.add(watched)
        return found

    def _breaches(self, watched: Watched) -> list[Breach]:
        """Those that are not written yet."""
        at = watched.at or self._host.clock.now()
        return [watched.breach(arm, new_id("evt"), at) for act, arm in watched.acts if act is Act.BREACHED]

    def _portrait(self) -> Portrait:
        held, value = self._holdings, self._valued
        ready = self._course.settled(value.marked(self._prices)) if isinstance(value, Valued) else None
        worth = ready.snapshot({}).value if ready else Decimal(0)
        return Portrait(
            name=held.name if held else "", currency=held.currency if held else "", value=worth, mode=self._mode(),
            sources=(held.sources if held else frozenset()) | providers_of(*self._made.values()),
        )  # fmt: skip

    def _mode(self) -> DataMode:
        """The least of what its prices are; where none was streamed, what the gateway's upstreams are."""
        modes = {each.mode for each in self._made.values()}
        if not modes:
            return DataMode.LIVE if self._host.settings.mode == "live" else DataMode.RECORDED
        return next(mode for mode in (DataMode.SIMULATED, DataMode.RECORDED, DataMode.LIVE) if mode in modes)

    async def _reckon(self) -> None:
        """The values at risk, as often as they are due."""
        while True:
            self._due.clear()
            now = self._host.clock.now()
            for watched in tuple(self.limits.values()):
                last = watched.at or watched.row.evaluated_at
                if watched.tail and (last is None or now - last >= (RETRY if watched.problem else TAIL)):
                    await self._tail(watched)
            if self._reckoning and not self._due.is_set():
                self._reckoning = False
                self._wake()
            waiting = {
                asyncio.ensure_future(self._host.clock.sleep(TAIL_POLL_S)),
                asyncio.ensure_future(self._due.wait()),
            }
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waiting:
                    each.cancel()
                await asyncio.gather(*waiting, return_exceptions=True)

    async def _tail(self, watched: Watched) -> None:
        try:
            held = await self._host.service(Portfolios).holdings(self._context(), self._portfolio)
            if held is None:
                watched.fail(GONE, self._host.clock.now())
            else:
                self._holdings, value = held, valued(held)
                waiting = self._course.settled(value).waiting if isinstance(value, Valued) else {}
                held = without_waiting(held, waiting)
                watched.figure, measured, watched.sources = await value_at_risk(self._context(), watched.rule, held)
                watched.take(measured, self._host.clock.now())
        except MarketgateError as error:
            watched.fail(error.message, self._host.clock.now())
        except Exception:
            # One that cannot be reckoned must not keep the others from being watched.
            LOG.exception("risk_tail_failed", limit=watched.row.id)
            watched.fail("the value at risk could not be reckoned", self._host.clock.now())
        self._wake()


def _differs(watched: Watched) -> bool:
    """Whether what stands in its row says too little: nothing yet, another problem, or the peak of other holdings."""
    if watched.at is None:
        return False
    fresh = watched.row.evaluated_at is None or (watched.tail and watched.at != watched.row.evaluated_at)
    return fresh or watched.moved or watched.problem != watched.row.problem
