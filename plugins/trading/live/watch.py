"""One reader of one account: the log of events, rows and prices, merged to the reader's pace.

What has happened (fills, events) comes from the log, each once, in order; what is (positions, money, orders) is read
anew whenever something has happened; what it is worth follows prices.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

import strawberry

from gateway.core.contract import Context
from gateway.core.matching.model import ExecutionModel
from gateway.core.ports import Entry, Outbox
from plugins.trading.live.hints import Hints
from plugins.trading.live.quotes import LOOK_S, Ticker
from plugins.trading.live.reading import Reading, Readings
from plugins.trading.live.types import TradingAccountUpdate
from plugins.trading.live.view import News, Rows, Shown
from plugins.trading.orders.types import Order, OrderFill
from plugins.trading.positions.figures import TradingBalance, TradingPosition, TradingStanding
from plugins.trading.positions.standing import standing
from schema.errors import BadInput
from schema.events import Event, EventFace
from schema.paging import NO_PLACE, make_cursor, read_cursor
from schema.words.live import NoticeCode, StreamNotice

KIND = "tradinglog"
FAMILIES = ("order.", "position.", "account.")
_DIGITS = 18


def told_of(event: Event) -> str | None:
    """The account that an event is of; None for one of something else."""
    found: str | None = getattr(event, "account_id", None)
    return found


@dataclass(slots=True)
class Watched:
    """What is new, as it comes, and what the reader knows."""

    context: Context
    account_id: str
    every_s: float
    position: int
    """Of the log, as the reader knows it."""
    entries: list[Entry] = field(default_factory=list)
    reached: int = 0
    hinted: bool = False
    _looked: float = 0.0
    """When rows, and whether the caller may see them, were looked at last."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _taken: asyncio.Event = field(default_factory=asyncio.Event)
    _reading: Reading = field(init=False)

    def __post_init__(self) -> None:
        self._reading = self.context.service(Readings).of(self.account_id)

    async def updates(self, notices: Sequence[StreamNotice]) -> AsyncGenerator[TradingAccountUpdate, None]:
        """A snapshot, then what is new; BadInput once the account is gone or closed to the caller."""
        with self.context.service(Hints).listening(self.account_id, self._hint):
            self._looked = self.context.host.clock.monotonic()
            rows = await self._reading.rows(self.context, anew=True)
            ticker = Ticker(self.context, rows.account.currency, self._wake.set)
            log = asyncio.ensure_future(self._log())
            log.add_done_callback(lambda _: self._wake.set())
            try:
                await ticker.follow(_model(rows), rows.instruments, rows.currencies)
                ticker.take()
                yield self._snapshot(rows, ticker, notices)
                shown = Shown(rows)
                while True:
                    await self._quiet()
                    update = await self._next(shown, ticker, log)
                    if update is not None:
                        yield update
                        await self._pause()
            finally:
                log.cancel()
                await asyncio.gather(log, return_exceptions=True)
                await ticker.close()

    def _hint(self) -> None:
        self.hinted = True
        self._wake.set()

    async def _log(self) -> None:
        outbox = self.context.service(Outbox)
        kinds = [name for name, kind in outbox.catalog.items() if name.startswith(FAMILIES)]
        async with aclosing(outbox.follow(self.context.tenant, after=self.position, types=kinds)) as pages:
            async for page in pages:
                self.entries = [entry for entry in page if told_of(entry.event) == self.account_id]
                self.reached = page[-1].position
                if not self.entries:
                    continue
                # The next page is read when this one is told: nothing heaps up for who reads slowly.
                self._taken.clear()
                self._wake.set()
                await self._taken.wait()

    async def _quiet(self) -> None:
        """Until something is new, or it is time to look."""
        waiting = {
            asyncio.ensure_future(self._wake.wait()), asyncio.ensure_future(self.context.host.clock.sleep(LOOK_S))
        }  # fmt: skip
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        # Prices may wake it all the time.
        late = self.context.host.clock.monotonic() - self._looked >= LOOK_S
        self.hinted |= late or not self._wake.is_set()
        self._wake.clear()

    async def _pause(self) -> None:
        if self.every_s:
            await self.context.host.clock.sleep(self.every_s)

    async def _next(self, shown: Shown, ticker: Ticker, log: asyncio.Future[None]) -> TradingAccountUpdate | None:
        """What is new; None where that is nothing."""
        ticker.check()
        if log.done():
            log.result()
        entries, self.entries = self.entries, []
        hinted, self.hinted = self.hinted, False
        if self.reached > self.position:
            self.position = self.reached
        news = News(orders=(), positions=(), closed=(), money=False, account=False)
        rows = shown.rows
        if entries or hinted:
            self._looked = self.context.host.clock.monotonic()
            rows = await self._read(rows, entries)
            news = shown.take(rows)
            await ticker.follow(_model(rows), rows.instruments, rows.currencies)
        if entries:
            self._taken.set()
        priced, rated, notices, skipped = ticker.take()
        if not (entries or news.any or priced or rated or notices):
            return None
        seen = frozenset({*news.positions, *priced})
        return self._told(rows, ticker, news, seen, entries=entries, notices=notices, skipped=skipped)

    async def _read(self, rows: Rows, entries: Sequence[Entry]) -> Rows:
        """The rows as they are now, with what became of orders that were open, and of those that the log tells of."""
        events: list[Any] = [entry.event for entry in entries]
        known = {*rows.open, *(str(each.order_id) for each in events if hasattr(each, "order_id"))}
        fills = [str(each.fill_id) for each in events if hasattr(each, "fill_id")]
        return await self._reading.rows(self.context, known=known, fill_ids=fills)

    def _snapshot(self, rows: Rows, ticker: Ticker, notices: Sequence[StreamNotice]) -> TradingAccountUpdate:
        news = News(orders=list(rows.open.values()), positions=(), closed=(), money=True, account=True)
        return self._told(rows, ticker, news, frozenset(rows.instruments), snapshot=True, notices=notices)

    def _told(
        self, rows: Rows, ticker: Ticker, news: News, seen: frozenset[str], *, snapshot: bool = False,
        entries: Sequence[Entry] = (), notices: Sequence[StreamNotice] = (), skipped: int = 0,
    ) -> TradingAccountUpdate:  # fmt: skip
        account, held, now = rows.account, rows.held, self.context.host.clock.now()
        found = standing(
            account, held.cash, held.reserved, held.positions, ticker.marks, day=now.date().isoformat()
        )  # fmt: skip
        return TradingAccountUpdate(
            cursor=make_cursor(KIND, str(self.position)), snapshot=snapshot, at=now,
            account_id=strawberry.ID(account.id), version=account.version, halted=account.halted,
            halt_reason=account.halt_reason,
            standing=TradingStanding.of(found),
            positions=[
                TradingPosition.of(each, account.currency) for each in found.holdings if each.row.instrument in seen
            ],
            closed=list(news.closed),
            balances=[TradingBalance.of(row, held.reserved) for row in held.cash] if news.money else [],
            orders=[Order.of(row) for row in news.orders], fills=[OrderFill.of(row) for row in rows.fills],
            events=[cast(EventFace, entry.event) for entry in entries], notices=list(notices), skipped=skipped,
        )  # fmt: skip


def _model(rows: Rows) -> ExecutionModel:
    return ExecutionModel.read(rows.account.model)


async def beginning(context: Context, after: str | None) -> tuple[int, list[StreamNotice]]:
    """Where in the log a reader begins, and what it has missed for good; BadInput for a cursor that is none."""
    oldest, newest = await context.service(Outbox).bounds(context.tenant)
    if after is None:
        return newest, []
    text = read_cursor(KIND, after, problem=NO_PLACE)
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS or int(text) > newest:
        raise BadInput("after", NO_PLACE)
    if int(text) >= oldest:
        return int(text), []
    told = "events behind this cursor are older than 30 days and are not kept any more: `fills` lists what was filled"
    return newest, [StreamNotice(code=NoticeCode.GAP, message=told, at=context.now)]
