"""All feeds of a process: opened while a seat wants them, closed once nobody does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal

import structlog

from gateway.core.contract import Host
from gateway.core.matching.conditions import PriceCondition
from plugins.trading.engine.feeds import Feed
from plugins.trading.engine.seat import Seat, is_woken
from plugins.trading.markets.heard import FeedKey, Heard
from plugins.trading.orders.market import Market
from plugins.trading.rows import OrderRow
from schema.symbols import parse_instrument
from schema.words.orders import FillSource

BROKEN_S = 5.0
"""Until a feed that broke begins anew."""
LINGERS_S, MOST_IDLE = 30.0, 200
"""So long a feed that nobody wants any more goes on, and how many do: who trades again is told what is newest."""

LOG = structlog.get_logger(__name__)


class Feedbook:
    """By what is listened to."""

    def __init__(self, host: Host, heard: Callable[[Feed, bool], Awaitable[None]]) -> None:
        self._host, self._clock, self._heard = host, host.clock, heard
        self._feeds: dict[FeedKey, tuple[Feed, asyncio.Task[None]]] = {}
        self._wanted: dict[str, frozenset[FeedKey]] = {}
        self._idle: dict[FeedKey, float] = {}
        """Those that nobody wants, and until when (monotonic) they go on; the first to end comes first."""
        self.ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._feeds)

    def __iter__(self) -> Iterator[Feed]:
        return iter([feed for feed, _ in self._feeds.values()])

    def want(self, seat: Seat) -> None:
        """Listen to what a seat's orders, positions and conditions need now, and to nothing else for it."""
        wanted = frozenset(_keys(seat))
        before = self._wanted.get(seat.id, frozenset())
        self._wanted[seat.id] = wanted
        for key in wanted - before:
            self._open(key, seat).seats.add(seat.id)
        for key in before - wanted:
            self._leave(key, seat.id)

    def forget(self, seat_id: str) -> None:
        """It wants nothing any more."""
        for key in self._wanted.pop(seat_id, frozenset()):
            self._leave(key, seat_id)

    def matched(self, seat: Seat, instrument: str) -> Feed | None:
        """Whose messages meet a seat's orders of an instrument."""
        return self._find(seat, instrument, seat.model.source)

    def quoted(self, seat: Seat, instrument: str) -> Feed | None:
        """Whose quotes value what a seat holds, and what its conditions look at."""
        return self._find(seat, instrument, FillSource.QUOTES)

    def newest(self, seat: Seat) -> Callable[[OrderRow], Market | None]:
        """What the newest message says to a seat's order that is due; to one that was woken, where it came since."""

        def find(row: OrderRow) -> Market | None:
            feed = self.matched(seat, row.instrument)
            if feed is None:
                return None
            if row.accepted_at is not None and is_woken(row):
                return feed.after(row.accepted_at, seat.model)
            return feed.market(seat.model)

        return find

    def prices(self, seat: Seat) -> dict[str, Decimal]:
        """Fresh ones of open markets that conditions look at."""
        found = {}
        for condition in seat.conditions.values():
            feed = self.quoted(seat, condition.symbol) if isinstance(condition, PriceCondition) else None
            priced = feed.priced(seat.model) if feed else None
            if feed is not None and priced is not None and priced.open and not priced.too_old(seat.model):
                found[str(feed.key.instrument)] = priced.price
        return found

    async def look_at_hours(self) -> None:
        """Markets have opened and closed, and no message may have told it."""
        await asyncio.gather(*(_look_at_hours(feed) for feed in tuple(self)))

    def sweep(self) -> None:
        """End those that nobody has wanted for a while."""
        now = self._clock.monotonic()
        for key in [key for key, until in self._idle.items() if until <= now]:
            self._end(key)

    async def close(self) -> None:
        """All of them."""
        for key in tuple(self._feeds):
            self._end(key)
        self._wanted.clear()
        await asyncio.gather(*self.ending, return_exceptions=True)

    def _find(self, seat: Seat, instrument: str, source: FillSource) -> Feed | None:
        found = self._feeds.get(_key(seat, instrument, source))
        return found[0] if found else None

    def _open(self, key: FeedKey, seat: Seat) -> Feed:
        if key not in self._feeds:
            feed = Feed(key, seat.context, self._clock, self._heard)
            self._feeds[key] = feed, asyncio.create_task(self._run(feed), name="trading.feed")
            self._host.service(Heard).begin(key, feed.priced)
        self._idle.pop(key, None)
        return self._feeds[key][0]

    async def _run(self, feed: Feed) -> None:
        while True:
            try:
                await feed.run()
            except Exception:
                # A message that cannot be read must not keep all others of the instrument from being heard.
                LOG.exception("trading_feed_failed", instrument=str(feed.key.instrument))
            feed.lose()
            await self._clock.sleep(BROKEN_S)

    def _leave(self, key: FeedKey, seat_id: str) -> None:
        feed, _ = self._feeds[key]
        feed.seats.discard(seat_id)
        if feed.seats:
            return
        self._idle[key] = self._clock.monotonic() + LINGERS_S
        if len(self._idle) > MOST_IDLE:
            self._end(next(iter(self._idle)))

    def _end(self, key: FeedKey) -> None:
        _, task = self._feeds.pop(key)
        self._idle.pop(key, None)
        self._host.service(Heard).end(key)
        task.cancel()
        self.ending.add(task)
        task.add_done_callback(self.ending.discard)


def _keys(seat: Seat) -> Iterator[FeedKey]:
    for instrument in seat.matched():
        yield _key(seat, instrument, seat.model.source)
    for instrument in seat.quoted():
        yield _key(seat, instrument, FillSource.QUOTES)


def _key(seat: Seat, instrument: str, source: FillSource) -> FeedKey:
    return FeedKey(
        tenant=seat.tenant, provider=seat.model.provider, source=source, instrument=parse_instrument(instrument)
    )  # fmt: skip


async def _look_at_hours(feed: Feed) -> None:
    try:
        await feed.look_at_hours()
    except Exception:
        # One whose hours cannot be told must not keep all others from being looked at.
        LOG.exception("trading_hours_unknown", instrument=str(feed.key.instrument))
