"""Where messages come from: one stream of an organisation for each provider, instrument and kind of price.

A stream that is stale, reconnects or has ended fills nothing until it tells something again: what it told before does
not hold any more. Where it has ended, or is there again and says nothing, somebody is asked meanwhile. What it showed
before somebody listened is the price of now, for orders that arrive; it fills nothing that rests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import structlog

from gateway.core.clock import Clock
from gateway.core.contract import Context, Tapped
from gateway.core.matching.model import Bar, ExecutionModel, Spec, Tick
from plugins.trading.markets.heard import FeedKey
from plugins.trading.markets.priced import Priced
from plugins.trading.markets.prices import Prices
from plugins.trading.markets.ticks import is_open, maker_of, middle_of, runs_behind, tick_of, tick_of_book
from plugins.trading.orders.market import Market, is_before, tells
from schema.capability import DEFAULT_TERMS, Capability, Terms
from schema.errors import MarketgateError, NoAnswer
from schema.provenance import DataMode, Provenance
from schema.words.books import ORDER_BOOK, OrderBookAsk
from schema.words.candles import CANDLES, Bars, Candle, CandlesAsk, rows_of
from schema.words.intervals import Interval
from schema.words.live import NoticeCode
from schema.words.orders import FillSource
from schema.words.problems import Refused
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.venues import MarketState

POLL_S, POLLS = 5.0, 6
"""How often a price that nobody streams is asked for, and after how often a stream is asked for again."""
PROMPT = timedelta(minutes=5)
"""So long what runs behind by design does not take the place of what does not."""
DEPTH = 50
MINUTE = timedelta(minutes=1)
_LOSSES = frozenset({NoticeCode.STALE, NoticeCode.RECONNECTING})
_TURNS = frozenset({NoticeCode.MARKET_CLOSED, NoticeCode.FRESH_AGAIN})
"""A market that has opened again is fresh again."""

LOG = structlog.get_logger(__name__)


class Feed:
    """One stream. `run` goes on until it is cancelled; `heard` is told of each message that counts."""

    def __init__(
        self, key: FeedKey, context: Callable[[], Context], clock: Clock, heard: Callable[[Feed, bool], Awaitable[None]]
    ) -> None:
        self.key, self._context, self._clock, self._heard = key, context, clock, heard
        self.seats: set[str] = set()
        self.spec: Spec | None = None
        self.last: Tick | None = None
        self.told: datetime | None = None
        """As of when its newest message is, at the latest when it came, whatever was answered since."""
        self.looked = False
        """Whether what is known was answered, as nobody streams it."""
        self._price: tuple[Decimal, str, Provenance] | None = None
        """With its currency, where it names one."""
        self._pushed = False
        """Whether a provider sends it by itself, and is not asked for it again and again."""
        self.silent = True
        """Whether nothing counts that it said: it is not there yet, stale, or broken."""
        self._lost: datetime | None = None
        """When its line was, since it said something: what was said before does not hold any more."""
        self._prompt: datetime | None = None
        """When something was streamed last that does not run behind by design."""
        self._prompt_answer: datetime | None = None
        """The same of what was answered."""
        self._unstamped = ""
        """Who streamed the newest message, where it bears no stamp, and counts as of its arrival."""
        self._over = False
        """Whether it has ended, and said nothing since."""
        self._asks_at: float | None = None
        """When it is to be asked for (monotonic), as the line is there again and says nothing, or is over."""
        self._asking: asyncio.Task[None] | None = None
        """Whoever is asked meanwhile: until there is a value, or another reason to ask."""
        self.state = MarketState.UNKNOWN
        self._told_in = MarketState.UNKNOWN
        """The state of its market when the newest message came."""
        self._begun, self._shown = clock.now(), True
        """When what the newest message says was first told, and whether that was only what was shown before."""
        self._inbox: asyncio.Queue[tuple[Tapped, datetime]] = asyncio.Queue()
        self._asked: datetime | None = None
        self._stated: datetime | None = None
        """When a live provider told its market's state, where that counts still."""
        self._looked_at: datetime | None = None
        """The minute in which the calendar was looked at without a message."""
        self._calendar: MarketState | None = None
        """What it said then."""
        self._closed: datetime | None = None
        """Open time of the newest bar that was complete."""

    def market(self, model: ExecutionModel) -> Market | None:
        """What the newest message says to an account; None where nothing that counts is known, or in another currency
        than that of its instrument."""
        if self.silent or self.spec is None or self.last is None or not self._tells(self.spec):
            return None
        opened = is_open(self.state, extended=model.extended_hours)
        if self.last.as_of is not None:
            # What was told while the market was closed fills nothing once it has opened.
            opened = opened and is_open(self._told_in, extended=model.extended_hours)
        return Market(spec=self.spec, model=model, tick=self.last, open=opened)

    def after(self, since: datetime, model: ExecutionModel) -> Market | None:
        """The newest message, where it came after an instant, by its provider's stamp too: to those who stand since."""
        found, tick = self.market(model), self.last
        if found is None or tick is None:
            return None
        stamp = tick.bar.start if tick.bar is not None else tick.as_of
        if self._shown:
            return found if stamp is not None and stamp > since else None
        if self._begun <= since or is_before(replace(tick, at=self._begun), since):
            return None
        return found if tick.bar is None or tick.bar.start >= since else None

    def priced(self, model: ExecutionModel) -> Priced | None:
        """The same as a price: of a feed of quotes, or the middle of a book. Another currency's fills nothing."""
        price, tick = self._price, self.last
        if self.silent or price is None or tick is None or self.spec is None:
            return None
        now = self._clock.now()
        age = timedelta(0) if tick.as_of is None else max(now - tick.as_of, timedelta(0))
        found = Priced(
            tick=tick, price=price[0], currency=price[1] or self.spec.currency, provenance=price[2], state=self.state,
            open=is_open(self.state, extended=model.extended_hours), age=age, pushed=self._pushed and not self.looked,
        )  # fmt: skip
        return found if self._tells(self.spec) or found.too_old(model) else replace(found, open=False)

    def _tells(self, spec: Spec) -> bool:
        return self._price is None or tells(spec, self._price[1])

    async def look_at_hours(self) -> None:
        """By the calendar, once a minute: a market opens and closes while no message tells it. What a live provider has
        told stands in its minute, and where no calendar knows; that it is closed or halted, until the calendar turns.
        """
        minute = _minute(self._clock.now())
        if self.last is None or self._looked_at == minute:
            return
        self._looked_at = minute
        found = await self._hours()
        before, self._calendar = self._calendar or found, found
        if self._stated is not None:
            stands = not is_open(self.state, extended=True) and found is before
            if found is MarketState.UNKNOWN or _minute(self._stated) == minute or stands:
                return
        self.state, self._stated = found, None

    async def run(self) -> None:
        """Listen, and ask where nobody can be listened to."""
        while True:
            try:
                await self._know()
                capability, ask = self._question()
                live = self._context().market.live(
                    capability, {str(self.key.instrument): ask}, self._terms, tap=self._tap
                )
                async with live:
                    try:
                        await self._listen()
                    finally:
                        self._ask_at(None)
            except (MarketgateError, Refused) as error:
                LOG.info("trading_without_stream", instrument=str(self.key.instrument), reason=error.message)
            self.lose()
            for _ in range(POLLS):
                await self._poll()
                await self._clock.sleep(POLL_S)

    def lose(self) -> None:
        """Nothing that was told counts before something is told, or answered, anew."""
        self.silent, self._lost = True, self._lost or self._clock.now()

    async def _listen(self) -> None:
        """Where it has ended, its line opens it again by itself."""
        self._over = False
        self._ask_at(None)
        while True:
            await self._take(*(await self._next()))

    async def _next(self) -> tuple[Tapped, datetime]:
        """What it says next, and no later for what is asked until then."""
        if self._asks_at is None or not self._inbox.empty():
            return await self._inbox.get()
        said = asyncio.ensure_future(self._inbox.get())
        self._asking = asking = self._asking or asyncio.create_task(self._ask(), name="trading.feed.ask")
        try:
            await asyncio.wait({said, asking}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                self._asking = None
                asking.result()
            return await said
        finally:
            said.cancel()
            await asyncio.gather(said, return_exceptions=True)

    def _ask_at(self, moment: float | None) -> None:
        """From when on; whoever is asked for another reason is given up."""
        self._asks_at, asking, self._asking = moment, self._asking, None
        if asking is not None:
            asking.cancel()

    async def _ask(self) -> None:
        """Once it is time: until there is an answer, or for as long as it has ended."""
        while self._asks_at is not None:
            await self._clock.sleep(max(self._asks_at - self._clock.monotonic(), 0.0))
            answered = await self._poll()
            self._asks_at = self._clock.monotonic() + POLL_S if self._over or not answered else None

    def _tap(self, tapped: Tapped) -> None:
        self._inbox.put_nowait((tapped, self._clock.now()))

    @property
    def _terms(self) -> Terms:
        return DEFAULT_TERMS if self.key.provider is None else Terms(providers=(self.key.provider,))

    def _question(self) -> tuple[Capability[Any, Any], Any]:
        instrument = self.key.instrument
        match self.key.source:
            case FillSource.QUOTES:
                return QUOTES, QuotesAsk(instruments=(instrument,))
            case FillSource.BOOK:
                return ORDER_BOOK, OrderBookAsk(instrument=instrument, depth=DEPTH)
            case FillSource.BARS:
                start = _minute(self._clock.now())
                return CANDLES, CandlesAsk(instrument=instrument, interval=Interval.M1, start=start, end=start + MINUTE)

    async def _know(self) -> None:
        """Its rules, anew with each stream; conditions look at what has none, too."""
        model = ExecutionModel(provider=self.key.provider)
        self.spec = await Prices.of(self._context()).followed(self.key.instrument, model)

    async def _take(self, tapped: Tapped, at: datetime) -> None:
        message = tapped.message
        codes = {each.code for each in message.notices}
        if message.ended is not None or codes & _LOSSES:
            self.lose()
            if message.ended is not None and not self._over:
                self._over = True
                self._ask_at(self._clock.monotonic())
            elif not self._over:
                self._ask_at(None)
        elif NoticeCode.FRESH_AGAIN in codes:
            # A line that was lost holds nothing from before: where there is a value, it comes next.
            self.silent = self._lost is not None or self.last is None
            if self._lost is not None and self._asks_at is None:
                self._ask_at(self._clock.monotonic() + POLL_S)
        if codes & _TURNS:
            await self._turn(closed=NoticeCode.MARKET_CLOSED in codes)
        if message.ended is not None or message.notices:
            # What comes with them was shown before.
            return
        made = message.provenance
        if self._is_behind(made, self._prompt):
            if self._asks_at is None:
                # Somebody may have what does not.
                self._ask_at(self._clock.monotonic() + POLL_S)
            return
        if made is not None and message.values and not runs_behind(made):
            self._prompt = at
        if message.values:
            self._over = False
            self._ask_at(None)
        self._pushed = made is not None and made.mode is DataMode.LIVE and made.latency_ms is None
        for tick, quote in self._ticks(message.values, made, at):
            await self._told(tick, quote, shown=tapped.joined)

    def _is_behind(self, made: Provenance | None, prompt: datetime | None) -> bool:
        """Whether it runs behind by design, and what does not was told lately; of a named provider all counts."""
        if made is None or prompt is None or self.key.provider is not None:
            return False
        return runs_behind(made) and self._clock.now() - prompt <= PROMPT

    def _is_late_answer(self, made: Provenance) -> bool:
        """The same of what is answered; what is prompt is noted."""
        if any(self._is_behind(made, prompt) for prompt in (self._prompt, self._prompt_answer)):
            return True
        if not runs_behind(made):
            self._prompt_answer = self._clock.now()
        return False

    def _ticks(
        self, values: Sequence[Any], made: Provenance | None, at: datetime
    ) -> Iterator[tuple[Tick, Quote | None]]:
        for value in values:
            match self.key.source:
                case FillSource.QUOTES:
                    yield tick_of(value, at), value
                case FillSource.BOOK:
                    yield tick_of_book(value, at), None
                case FillSource.BARS:
                    if (tick := self._bar(value, made, at)) is not None:
                        yield tick, None

    def _bar(self, candle: Candle, made: Provenance | None, at: datetime) -> Tick | None:
        """A minute that is complete, once."""
        if not candle.closed or (self._closed is not None and candle.open_time <= self._closed):
            return None
        self._closed = candle.open_time
        bar = Bar(
            start=candle.open_time, end=candle.open_time + MINUTE, open=candle.open, high=candle.high, low=candle.low,
            close=candle.close, volume=candle.volume,
        )  # fmt: skip
        return Tick(
            instrument=self.key.instrument, at=at, bar=bar, provider=made.provider if made else "",
            mode=made.mode if made else DataMode.LIVE, as_of=bar.end,
        )  # fmt: skip

    async def _told(self, tick: Tick, quote: Quote | None, *, shown: bool) -> None:
        await self._take_hours(quote, tick.at)
        self.last, self.silent, self._told_in = tick, False, self.state
        self._lost = None
        self.told, self.looked = min(tick.as_of or tick.at, tick.at), False
        self._begun, self._shown = tick.at, shown
        stamped = quote is None or quote.provenance.as_of is not None
        self._unstamped = "" if stamped else tick.provider
        if quote is not None:
            self._price = quote.price, quote.currency, quote.provenance
        else:
            middle = middle_of(tick)
            self._price = None if middle is None else (middle, "", maker_of(tick))
        await self._heard(self, shown)

    async def _take_hours(self, quote: Quote | None, now: datetime) -> None:
        """As a live provider says, else by the calendar, where it opens and closes at full minutes."""
        told = MarketState.UNKNOWN if quote is None else quote.market_state
        if quote is not None and quote.provenance.mode is DataMode.LIVE and told is not MarketState.UNKNOWN:
            if not is_open(told, extended=True) and (self._calendar is None or is_open(self.state, extended=True)):
                self._calendar = await self._hours()
            self.state, self._asked, self._stated = told, None, now
        elif self._asked != _minute(now):
            self.state = await self._hours()
            self._asked, self._stated = _minute(now), None

    async def _turn(self, *, closed: bool) -> None:
        """Its line says that its market has closed, or may have opened again."""
        self._looked_at = None
        if closed:
            self.state, self._stated = MarketState.CLOSED, None
        await self.look_at_hours()
        if closed and self.state in (MarketState.UNKNOWN, MarketState.REGULAR):
            self.state = MarketState.CLOSED

    async def _hours(self) -> MarketState:
        return await Prices.of(self._context()).state(self.key.instrument)

    async def _poll(self) -> bool:
        """Nobody streams it: what somebody answers; whether anybody has that may be listened to."""
        try:
            if self.spec is None:
                await self._know()
            if self.key.source is FillSource.BARS:
                return await self._poll_bars()
            model = ExecutionModel(provider=self.key.provider, source=self.key.source)
            instrument = self.key.instrument
            found = (await Prices.of(self._context()).answered([instrument], model))[instrument]
        except (MarketgateError, Refused) as error:
            LOG.warning("trading_without_price", instrument=str(self.key.instrument), reason=error.message)
            self.silent = True
            return False
        if isinstance(found, NoAnswer) or found.held_copy:
            self.silent = True
            return False
        if self._is_late_answer(found.provenance):
            return False
        if self.told is not None and found.tick.as_of is not None and found.tick.as_of < self.told:
            # Of a stream without stamps nobody knows from when it was: what the same provider says since counts.
            since = self._lost if self._unstamped == found.tick.provider else None
            if since is None or found.provenance.fetched_at < since:
                return self._lost is None
        now = self._clock.now()
        self.state, self._told_in, self._asked = found.state, found.state, _minute(now)
        self._stated = now if found.provenance.mode is DataMode.LIVE else None
        self._price, before = (found.price, found.currency, found.provenance), self.last
        self.last, self.silent, self.looked, self._lost = found.tick, False, True, None
        if before is None or replace(before, at=found.tick.at) != found.tick:
            self._begun, self._shown = found.tick.at, False
            await self._heard(self, False)
        return True

    async def _poll_bars(self) -> bool:
        end = _minute(self._clock.now())
        ask = CandlesAsk(instrument=self.key.instrument, interval=Interval.M1, start=end - 2 * MINUTE, end=end)
        fetched = await self._context().market.fetch(CANDLES, ask, self._terms)
        bars = cast(Bars, fetched.value)
        if self._is_late_answer(fetched.provenance) or (self.spec and not tells(self.spec, bars.currency or "")):
            return False
        for tick, _ in self._ticks(rows_of(bars), fetched.provenance, self._clock.now()):
            await self._told(tick, None, shown=False)
        return self._lost is None


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
