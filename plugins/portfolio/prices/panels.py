"""Panels of closes: fetched side by side, aligned on dates, converted with the rates of their days. Nothing is filled.

The core cuts each range into pieces that its provider allows, within the provider's limits; here no more than a few
instruments are under way at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, NamedTuple, cast

from gateway.core.contract import Context, Fetched, Host
from gateway.core.ports import Late, Missing, Panel, PanelAsk
from gateway.core.quant.steps import Steps
from plugins.portfolio.bench import Bench
from plugins.portfolio.prices.days import A_DAY, LENGTHS, Sessions, bounds, closes_of, expected, following, midnight
from plugins.portfolio.prices.rates import Rates, rates_between
from schema.capability import Terms
from schema.currencies import UNKNOWN, read_currency
from schema.errors import BadInput, FailureCode, NoAnswer
from schema.provenance import CacheStatus, Conversion, DataMode, Provenance
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, Adjustment, Bars, CandlesAsk
from schema.words.intervals import Interval
from schema.words.venues import TradingHours

AT_A_TIME = 8
"""Instruments that are under way together."""
MOST_INSTRUMENTS = 500
MOST_CELLS = 400_000
"""Instruments times dates: a hundred instruments over ten years of days."""
MOST_OF_JOB = 1_000_000
"""The same in a job: two hundred instruments over thirteen years of days."""
MOST_KEPT = 100_000
"""Prices of a panel that are held for whoever asks next; what is longer must not push out what others ask for."""
TERMS = Terms(timeout=20.0)
_SESSIONS = frozenset({AssetClass.EQUITY, AssetClass.INDEX})
_WEEKDAYS = frozenset({AssetClass.FX, AssetClass.COMMODITY})
SESSIONED = _SESSIONS | _WEEKDAYS
"""What does not trade every day."""
_A_YEAR = {Interval.W1: 52, Interval.MO1: 12}


Tell = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Closes of one instrument, and what should be there."""

    instrument: InstrumentId
    currency: str
    closes: Mapping[date, Decimal]
    due: Sequence[date]
    provenance: Provenance


def _nobody(part: float) -> None:
    """Who does not look."""


class PanelDesk:
    """gateway.core.ports.Panels."""

    def __init__(self, host: Host, bench: Bench) -> None:
        self._host, self._bench = host, bench

    async def panel(self, context: Context, ask: PanelAsk) -> Panel:
        """See gateway.core.ports.Panels. A bar counts once it is over by the end of the range, and by now.

        BadInput names what cannot be: an empty or turned range, an instrument twice, an unknown currency, too much at
        once. An instrument that nobody has a series of, or whose prices nobody converts, is among the failures.
        """
        ask, found, failures = await self.series(context, ask)
        panel = await self._bench.run_in_turns(context, _aligned, ask, found, failures)
        if ask.currency is None or not ask.money:
            return panel
        rates = await self._rates(context, {*ask.money}, ask.currency, ask)
        return _with_rates(panel, rates, ask.interval)

    async def series(
        self, context: Context, ask: PanelAsk, tell: Tell = _nobody, most: int = MOST_CELLS
    ) -> tuple[PanelAsk, list[Series], dict[InstrumentId, NoAnswer]]:
        """A panel before it is aligned: the ask as it was read, a series an instrument, and who has none.

        *tell* hears of each instrument how large a part of them is there; *most* prices are asked for at once.
        """
        ask = _checked(ask, most)
        first, behind = bounds(ask.interval, ask.start, min(ask.end, self._host.clock.now()))
        if first >= behind:
            raise BadInput("start", f"no {ask.interval} interval begins in the range and before now")
        gate, sessions, ends = asyncio.Semaphore(AT_A_TIME), _SessionBook(self._host, ask), count(1)

        async def fetched(instrument: InstrumentId) -> Series | NoAnswer:
            async with gate:
                try:
                    return await self._series(context, ask, instrument, sessions)
                except NoAnswer as error:
                    return error
                finally:
                    tell(next(ends) / len(ask.instruments))

        answers = await asyncio.gather(*(fetched(each) for each in ask.instruments))
        found = [each for each in answers if isinstance(each, Series)]
        failures = {i: each for i, each in zip(ask.instruments, answers, strict=True) if isinstance(each, NoAnswer)}
        if ask.currency is not None:
            rates = await self._rates(context, {each.currency for each in found}, ask.currency, ask)
            found, unpriced = await self._converted(context, found, ask.currency, rates, ask.interval)
            failures |= unpriced
        return ask, found, failures

    async def rates(
        self, context: Context, sources: set[str], target: str, start: date, until: datetime
    ) -> dict[str, Rates | NoAnswer]:
        """Rates of the past from each currency to one, asked side by side."""

        async def one(source: str) -> Rates | NoAnswer:
            if source == UNKNOWN:
                return NoAnswer(source, FailureCode.NOT_COVERED, "the currency of its prices is not known", ())
            try:
                return await rates_between(context, source, target, start, until)
            except NoAnswer as error:
                return error

        ordered = sorted(sources)
        return dict(zip(ordered, await asyncio.gather(*(one(each) for each in ordered)), strict=True))

    async def _rates(
        self, context: Context, sources: set[str], target: str, ask: PanelAsk
    ) -> Mapping[str, Rates | NoAnswer]:
        return await self.rates(context, sources, target, ask.start.date(), min(ask.end, self._host.clock.now()))

    async def _series(
        self, context: Context, ask: PanelAsk, instrument: InstrumentId, sessions: _SessionBook
    ) -> Series:
        first, behind = bounds(ask.interval, ask.start, min(ask.end, self._host.clock.now()))
        asked = CandlesAsk(
            instrument=instrument, interval=ask.interval, start=midnight(first), end=midnight(behind),
            adjustment=ask.adjustment if instrument.asset_class is AssetClass.EQUITY else Adjustment.NONE,
        )  # fmt: skip
        held = await sessions.of(instrument)
        terms = TERMS if cells_of(ask) <= MOST_KEPT else replace(TERMS, keep=False)
        fetched = await context.market.fetch(CANDLES, asked, terms)
        bars, until = cast(Bars, fetched.value), min(ask.end, _reference(fetched, context))
        span = _Span(ask.interval, first, behind, self._host.calendars.time_zone(instrument), held, until)
        closes, due = await self._bench.run(context, _read, bars, span)
        if not closes:
            told = f"{fetched.provenance.provider} has no closed {ask.interval} candle of {instrument} in the range"
            raise NoAnswer(str(instrument), FailureCode.NOT_COVERED, told, ())
        return Series(
            instrument=instrument, currency=bars.currency or instrument.quote or UNKNOWN, closes=closes, due=due,
            provenance=fetched.provenance,
        )  # fmt: skip

    async def _converted(
        self, context: Context, found: Sequence[Series], target: str, rates: Mapping[str, Rates | NoAnswer],
        interval: Interval,
    ) -> tuple[list[Series], dict[InstrumentId, NoAnswer]]:  # fmt: skip
        """In one currency, a day's close with the day's rate; a day without a rate has no price."""
        kept: list[Series] = []
        failures: dict[InstrumentId, NoAnswer] = {}
        for series in found:
            rate = rates[series.currency]
            if isinstance(rate, NoAnswer):
                told = f"no rate from {series.currency} to {target}: {rate.message}"
                code = FailureCode(rate.code)
                failures[series.instrument] = NoAnswer(str(series.instrument), code, told, rate.attempts)
                continue
            if series.currency == target:
                kept.append(series)
                continue
            closes = await self._bench.run(context, _turned, series.closes, rate, interval)
            if closes:
                kept.append(_in(context, series, target, closes, rate))
                continue
            told = f"no rate from {series.currency} to {target} on any day of the range"
            unrated = NoAnswer(str(series.instrument), FailureCode.NOT_COVERED, told, ())
            failures[series.instrument] = unrated
        return kept, failures


class _Span(NamedTuple):
    """Which bars of an instrument count."""

    interval: Interval
    first: date
    behind: date
    zone: str
    sessions: Sessions | None
    until: datetime


def _read(bars: Bars, span: _Span) -> tuple[dict[date, Decimal], tuple[date, ...]]:
    """Closes, and the dates that should have one."""
    interval, first, behind, zone, sessions, until = span
    closes = closes_of(bars, interval, zone, sessions, until)
    due = tuple(expected(interval, first, behind, zone, sessions, until))
    return {day: close for day, close in closes.items() if first <= day < behind}, due


def _turned(closes: Mapping[date, Decimal], rate: Rates, interval: Interval) -> dict[date, Decimal]:
    """By the rate of the day of the close: of a week or a month its last one."""
    found = {day: rate.times(close, following(interval, day) - A_DAY) for day, close in closes.items()}
    return {day: turned for day, turned in found.items() if turned is not None}


def _with_rates(panel: Panel, rates: Mapping[str, Rates | NoAnswer], interval: Interval) -> Panel:
    """By the rate of each of its dates."""
    known = {name: rate for name, rate in rates.items() if isinstance(rate, Rates)}
    days = [following(interval, day) - A_DAY for day in panel.dates]
    told = tuple(dict.fromkeys(each for rate in known.values() for each in rate.provenance))
    return replace(
        panel,
        rates={name: tuple(map(rate.at, days)) for name, rate in known.items()},
        provenance=tuple(dict.fromkeys((*panel.provenance, *told))),
    )


class _SessionBook:
    """When sessions close; venues are asked once a panel."""

    def __init__(self, host: Host, ask: PanelAsk) -> None:
        self._calendars = host.calendars
        until = min(ask.end, host.clock.now())
        self._start, self._end = ask.start.date() - timedelta(days=7), until.date() + timedelta(days=7)
        self._held: dict[str, asyncio.Task[Sessions | None]] = {}

    async def of(self, instrument: InstrumentId) -> Sessions | None:
        """None for what trades every day, or has no calendar."""
        if instrument.asset_class in _WEEKDAYS:
            return await self._once("weekdays", self._weekdays)
        if instrument.asset_class not in _SESSIONS:
            return None
        return await self._once(instrument.venue, lambda: self._read(instrument))

    async def _once(self, name: str, read: Callable[[], Coroutine[Any, Any, Sessions | None]]) -> Sessions | None:
        if name not in self._held:
            self._held[name] = asyncio.ensure_future(read())
        return await self._held[name]

    async def _read(self, instrument: InstrumentId) -> Sessions | None:
        found = await self._calendars.sessions(instrument, self._start, self._end, TradingHours.REGULAR)
        return None if found is None else {each.date: each.closes for each in found}

    async def _weekdays(self) -> Sessions:
        days = (self._start + timedelta(days=n) for n in range((self._end - self._start).days))
        return {day: midnight(day + timedelta(days=1)) for day in days if day.weekday() < 5}


def _checked(ask: PanelAsk, most: int) -> PanelAsk:
    """The ask with its currency upper-cased; BadInput where it cannot be."""
    if ask.interval not in LENGTHS:
        raise BadInput("interval", f"{ask.interval} is shorter than a day, or of no calendar: give D1, W1 or MO1")
    if not ask.start < ask.end:
        raise BadInput("start", "must be before end: the range is empty")
    if not ask.instruments:
        raise BadInput("symbols", f"is empty: give 1 to {MOST_INSTRUMENTS} symbols")
    if len(ask.instruments) > MOST_INSTRUMENTS:
        raise BadInput("symbols", f"has {len(ask.instruments)} symbols: at most {MOST_INSTRUMENTS} at once")
    once = set[InstrumentId]()
    for each in ask.instruments:
        if each in once:
            raise BadInput("symbols", f"has {each} twice: give each once")
        once.add(each)
    check_cells(ask, most)
    return ask if ask.currency is None else replace(ask, currency=read_currency("currency", ask.currency))


def check_cells(ask: PanelAsk, most: int) -> None:
    """BadInput where it would hold more prices."""
    cells = cells_of(ask)
    if cells > most:
        rows = most // len(ask.instruments)
        raise BadInput("start", f"{cells} prices at once: at most {most}; of so many symbols {rows} rows each")


def cells_of(ask: PanelAsk) -> int:
    """How many prices it may hold."""
    return len(ask.instruments) * max(1, int((ask.end - ask.start) / ask.interval.delta))


def _reference(fetched: Fetched, context: Context) -> datetime:
    """When a bar counts as over: now; for a recording and for a stale copy, the moment of its making."""
    made = fetched.provenance
    old = made.mode is DataMode.RECORDED or context.cache_status(made) is CacheStatus.STALE
    return made.fetched_at if old else context.now


def _in(context: Context, series: Series, target: str, closes: Mapping[date, Decimal], rate: Rates) -> Series:
    last = rate.at(max(closes)) or rate.values[-1]
    conversion = Conversion(
        from_currency=series.currency, to_currency=target, rate=last, provenance=rate.provenance[-1]
    )  # fmt: skip
    provenance = replace(series.provenance, conversion=conversion)
    context.market.log.derive(provenance, series.provenance, *rate.provenance)
    due = sorted({*series.due, *series.closes})
    return replace(series, currency=target, closes=closes, due=due, provenance=provenance)


class _Placed(NamedTuple):
    """One series on the panel's dates, and what is missing of it."""

    closes: tuple[Decimal | None, ...]
    missing: Missing | None
    late: Late | None


def _aligned(ask: PanelAsk, found: list[Series], failures: Mapping[InstrumentId, NoAnswer]) -> Steps[Panel]:
    """On the union of their dates, a series a step; each is let go once it is placed.

    To free all of them in one go would take the loop milliseconds.
    """
    every = set[date]()
    for series in found:
        every.update(series.closes)
        yield
    dates = tuple(sorted(every))
    panel = Panel(
        instruments=tuple(series.instrument for series in found), dates=dates, closes=(),
        currencies=tuple(series.currency for series in found), periods=periods_of(ask, found), failures=failures,
        provenance=tuple(dict.fromkeys(series.provenance for series in found)),
    )  # fmt: skip
    placed: list[_Placed] = []
    found.reverse()
    while found:
        yield
        placed.append(_placed(found.pop(), dates))
    return replace(
        panel,
        closes=tuple(each.closes for each in placed),
        missing=tuple(each.missing for each in placed if each.missing),
        late=tuple(each.late for each in placed if each.late),
    )


def _placed(series: Series, dates: Sequence[date]) -> _Placed:
    first, last = min(series.closes), max(series.closes)
    lacking = tuple(day for day in series.due if first < day < last and day not in series.closes)
    missing = Missing(instrument=series.instrument, dates=lacking) if lacking else None
    outside = series.due and (series.due[0] < first or last < series.due[-1])
    late = Late(instrument=series.instrument, first=first, last=last) if outside else None
    return _Placed(tuple(map(series.closes.get, dates)), missing, late)


def periods_of(ask: PanelAsk, found: Sequence[Series]) -> int:
    """A year: 252 days where any instrument keeps sessions, 365 where all trade every day; 52 weeks, 12 months."""
    if ask.interval in _A_YEAR:
        return _A_YEAR[ask.interval]
    return 252 if any(series.instrument.asset_class in SESSIONED for series in found) else 365
