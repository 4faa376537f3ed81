"""Where the numbers of live measures come from: one stream for all alerts on an instrument's quotes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

import structlog

from gateway.core.clock import Clock
from gateway.core.contract import Context, Market, Tapped
from plugins.alerts.conditions import AlertKind, Measure
from plugins.alerts.evaluation.course import Course, Reading, Sieve, Window, apart, is_fresh, price_of, spread_bps
from plugins.alerts.evaluation.occasions import Occasion, Seen, Watched
from schema.capability import Terms
from schema.errors import MarketgateError
from schema.symbols import InstrumentId
from schema.words.live import NoticeCode
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk

AGAIN_S = 30.0
"""Until a stream that nobody offers is asked for again."""
TOGETHER = timedelta(seconds=30)
"""How old a provider's last price may be in a spread."""
_LOSSES = frozenset({NoticeCode.STALE, NoticeCode.RECONNECTING, NoticeCode.GAP})

LOG = structlog.get_logger(__name__)

Put = Callable[[Iterable[Occasion], Mapping[str, str]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all feeds of one account have in common."""

    whose: str
    context: Callable[[], Context]
    clock: Clock
    put: Put

    def market(self) -> Market:
        """The markets, on the account's behalf."""
        return self.context().market


class Feed(Protocol):
    """One look at the markets, for some measures."""

    def course(self, measure: Measure) -> Course:
        """The course of one of its measures; made at the first question."""

    def add(self, watched: Watched) -> None:
        """One more alert: it begins with what is known."""

    def remove(self, alert_id: str) -> None:
        """One less."""

    @property
    def empty(self) -> bool:
        """Whether nobody wants it any more."""

    async def run(self) -> None:
        """Until it is cancelled."""


class Courses:
    """The measures of a feed, with the alerts on them."""

    def __init__(self, around: Surroundings, providers: dict[str, str]) -> None:
        self.around, self._providers = around, providers
        self.courses: dict[Measure, Course] = {}
        self._alerts: dict[str, Watched] = {}
        self._last: dict[Measure, tuple[Decimal, str, Seen]] = {}

    @property
    def empty(self) -> bool:
        """See `Feed`."""
        return not self._alerts

    def course(self, measure: Measure) -> Course:
        """See `Feed`. Who told its last number stands in the database."""
        found = self.courses.get(measure)
        if found is None:
            provider = self._providers.get(self.name_of(measure), "")
            found = self.courses[measure] = Course(sieve=_sieve_of(measure.kind), provider=provider)
        return found

    def add(self, watched: Watched) -> None:
        """See `Feed`."""
        self.remove(watched.row.id)
        self._alerts[watched.row.id] = watched
        course, last = self.course(watched.measure), self._last.get(watched.measure)
        course.ladder.put(watched.rung)
        if last is not None:
            value, provider, seen = last
            self.take(watched.measure, value, provider, seen, shown=True)

    def remove(self, alert_id: str) -> None:
        """See `Feed`."""
        gone = self._alerts.pop(alert_id, None)
        if gone is None:
            return
        course = self.courses[gone.measure]
        course.ladder.remove(alert_id)
        if not any(each.measure == gone.measure for each in self._alerts.values()) and not len(course.ladder):
            del self.courses[gone.measure]
            self._last.pop(gone.measure, None)

    def missed(self) -> None:
        """Something was lost of all of them."""
        for course in self.courses.values():
            course.missed()

    def take(self, measure: Measure, value: Decimal, provider: str, seen: Seen, *, shown: bool = False) -> None:
        """The next number of a measure."""
        now, course = self.around.clock.now(), self.courses[measure]
        reading = course.take(value, provider, now, shown=shown)
        if course.value == value:
            self._last[measure] = (value, provider, seen)
        if reading.moves or reading.switched:
            self._pass_on(measure, reading, value, seen, now)

    def name_of(self, measure: Measure) -> str:
        """What the database calls a measure of an account."""
        return f"{self.around.whose}|{measure.name}"

    def _pass_on(self, measure: Measure, reading: Reading, value: Decimal, seen: Seen, now: datetime) -> None:
        providers = {}
        if reading.switched:
            name = self.name_of(measure)
            self._providers[name] = providers[name] = self.courses[measure].provider
        told = [
            Occasion(
                watched=self._alerts[move.rung.id], act=move.act, arm=move.arm, state=move.state, at=now, value=value,
                after_gap=reading.after_gap and not move.primed, seen=seen,
                market=self.around.market,
            )
            for move in reading.moves
        ]  # fmt: skip
        self.around.put(told, providers)
        for occasion in told:
            if not occasion.active:
                self.remove(occasion.watched.row.id)


def _sieve_of(kind: AlertKind) -> Sieve | None:
    """Of what providers tell as it is; what is reckoned from prices leaves out theirs."""
    return Sieve(grows=kind is AlertKind.VOLUME) if kind in (AlertKind.PRICE, AlertKind.VOLUME) else None


class QuoteFeed(Courses):
    """Prices, their changes and volumes of one instrument."""

    def __init__(self, around: Surroundings, providers: dict[str, str], instrument: InstrumentId) -> None:
        super().__init__(around, providers)
        self._instrument = instrument
        self._windows: dict[Measure, tuple[str, Window]] = {}

    async def run(self) -> None:
        """See `Feed`."""
        ask = QuotesAsk(instruments=(self._instrument,))
        while True:
            try:
                async with self.around.market().live(QUOTES, {str(self._instrument): ask}, tap=self.heard):
                    await asyncio.Event().wait()
            except MarketgateError as error:
                LOG.warning("alerts_without_stream", instrument=str(self._instrument), reason=error.message)
            self.missed()
            await self.around.clock.sleep(AGAIN_S)

    def heard(self, tapped: Tapped) -> None:
        """A message of the stream."""
        message = tapped.message
        if message.notices or message.ended is not None:
            # What comes with them was shown before.
            if message.ended is not None or any(notice.code in _LOSSES for notice in message.notices):
                self.missed()
            return
        now = self.around.clock.now()
        for quote in message.values:
            if is_fresh(quote, now):
                self._quote(quote, tapped.provider, now, shown=tapped.joined)

    def _quote(self, quote: Quote, provider: str, now: datetime, *, shown: bool) -> None:
        for measure in tuple(self.courses):
            value = self._value(measure, quote, provider, now)
            if value is not None:
                self.take(measure, value, provider, quote, shown=shown)

    def _value(self, measure: Measure, quote: Quote, provider: str, now: datetime) -> Decimal | None:
        if measure.kind is AlertKind.VOLUME:
            return quote.volume
        price = price_of(quote, measure.price_type or quote.price_type)
        if measure.kind is AlertKind.PRICE or price is None:
            return price
        whose, window = self._windows.get(measure, ("", None))
        if window is None or whose != provider:
            # One provider's prices are not compared with another's.
            window = Window(timedelta(milliseconds=measure.window_ms))
            self._windows[measure] = provider, window
        return window.take(price, now)


class SpreadFeed(Courses):
    """How far the prices of some providers lie apart."""

    def __init__(self, around: Surroundings, providers: dict[str, str], measure: Measure) -> None:
        super().__init__(around, providers)
        if measure.instrument is None:
            raise ValueError("a spread is of an instrument")
        self._measure, self._instrument = measure, measure.instrument
        self._sieves = defaultdict[str, Sieve](Sieve)
        self._prices: dict[str, tuple[Decimal, datetime]] = {}

    async def run(self) -> None:
        """See `Feed`."""
        async with asyncio.TaskGroup() as group:
            for provider in self._measure.providers:
                group.create_task(self._listen(provider))

    async def _listen(self, provider: str) -> None:
        ask, terms = QuotesAsk(instruments=(self._instrument,)), Terms(providers=(provider,))
        while True:
            try:
                async with self.around.market().live(QUOTES, {str(self._instrument): ask}, terms, tap=self.heard):
                    await asyncio.Event().wait()
            except MarketgateError as error:
                LOG.warning("alerts_without_stream", instrument=str(self._instrument), reason=error.message)
            await self.around.clock.sleep(AGAIN_S)

    def heard(self, tapped: Tapped) -> None:
        """A message of one provider's stream."""
        message, now = tapped.message, self.around.clock.now()
        if message.notices or message.ended is not None:
            if message.ended is not None or any(notice.code in _LOSSES for notice in message.notices):
                self._prices.pop(tapped.provider, None)
                self.missed()
            return
        for quote in message.values:
            price = price_of(quote, self._measure.price_type or PriceType.LAST)
            if price is not None and is_fresh(quote, now):
                self._sieves[tapped.provider].take(price, now)
                self._prices[tapped.provider] = (price, now)
                spread = spread_bps(self._counted(now)) if self.courses else None
                if spread is not None:
                    self.take(self._measure, spread, "+".join(self._measure.providers), quote, shown=tapped.joined)

    def _counted(self, now: datetime) -> list[Decimal]:
        """The fresh prices, but for those that stand alone among their provider's own and among all."""
        told = {provider: price for provider, (price, at) in self._prices.items() if now - at <= TOGETHER}
        for provider, price in told.items():
            if any(other != provider and not apart(price, each) for other, each in told.items()):
                self._sieves[provider].last = price
        return [price for provider, price in told.items() if self._sieves[provider].last == price]
