"""When instruments trade: exchange calendars, loaded at the first use and off the event loop.

Securities follow their venue's calendar (`exchange-calendars`, by MIC; without a venue, New York). Currencies trade
from Sunday 17:00 to Friday 17:00 in New York. Crypto never closes. Extended hours are known for New York only:
04:00 to 20:00 local.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from cachetools import LRUCache

from gateway.core.freshness import TRADING
from gateway.core.venuedays import holidays_of, phases_of, turns_of
from schema.symbols import AssetClass, InstrumentId
from schema.words.venues import (
    MarketState,
    SessionPhase,
    StatusBasis,
    TradingHours,
    TradingSession,
    Turns,
    VenueHoliday,
)

NEW_YORK = "America/New_York"
MAIN_VENUE = "XNYS"
SAME_HOURS = {
    "XNAS": "XNYS", "ARCX": "XNYS", "BATS": "XNYS", "XASE": "XNYS", "XCBO": "XNYS", "XNSE": "XBOM",
    "XSHE": "XSHG",
}  # fmt: skip
EXTENDED = {"XNYS": (time(4), time(20))}
FX_TURNS = time(17)
EARLIEST = ("1990-01-01", "1998-01-01", "2026-01-05")
"""Tried in turn: not every venue's holidays are recorded so far back, Tel Aviv's only since its week has changed."""
FIRST_FX_DAY = date(1971, 1, 1)
A_DAY, REACH = timedelta(days=1), timedelta(days=15)
_BUILDING = Lock()


class _Day(NamedTuple):
    """A session and its break at noon."""

    session: TradingSession
    pause: datetime | None
    resume: datetime | None

    def resting(self, at: datetime) -> bool:
        return self.pause is not None and self.resume is not None and self.pause <= at < self.resume


class ExchangeCalendars:
    """gateway.core.ports.Calendars over the `exchange-calendars` package."""

    def __init__(self) -> None:
        self._days: LRUCache[tuple[str, date], Sequence[_Day]] = LRUCache(1024)
        self._learning: set[tuple[str, date]] = set()

    def time_zone(self, instrument: InstrumentId) -> str:
        """IANA name; UTC for what never closes."""
        mic = mic_of(instrument)
        return _ZONES.get(mic, "UTC") if mic else "UTC"

    async def state(self, instrument: InstrumentId, at: datetime) -> MarketState:
        """See gateway.core.ports.Calendars."""
        if instrument.asset_class in (AssetClass.CRYPTO, AssetClass.DEX):
            return MarketState.REGULAR
        if instrument.asset_class in (AssetClass.FX, AssetClass.COMMODITY):
            return MarketState.REGULAR if fx_open(at) else MarketState.CLOSED
        mic = mic_of(instrument)
        return await self.venue_state(mic, at) if mic else MarketState.UNKNOWN

    def trading(self, instrument: InstrumentId, at: datetime) -> bool:
        """See gateway.core.ports.Calendars."""
        if instrument.asset_class in (AssetClass.CRYPTO, AssetClass.DEX):
            return True
        if instrument.asset_class in (AssetClass.FX, AssetClass.COMMODITY):
            return fx_open(at)
        mic = mic_of(instrument)
        if mic is None:
            return False
        key = (mic, at.date())
        if key not in self._days:
            self._learn(key)
            return False
        return _state(mic, self._days[key], at) in TRADING

    async def prepare(self, instruments: Iterable[InstrumentId], at: datetime) -> None:
        """See gateway.core.ports.Calendars."""
        for mic in {mic_of(instrument) for instrument in instruments} - {None}:
            await self._around(cast(str, mic), at.date())

    def newest(self, instrument: InstrumentId, at: datetime) -> datetime | None:
        """See gateway.core.ports.Calendars."""
        if instrument.asset_class in (AssetClass.FX, AssetClass.COMMODITY):
            return None if fx_open(at) else fx_sessions(at.date() - REACH, at.date() + A_DAY)[-1].opens
        mic = mic_of(instrument)
        days = self._days.get((mic, at.date()), ()) if mic else ()
        last = next((day for day in reversed(days) if day.session.opens <= at), None)
        if last is None or (at < last.session.closes and not last.resting(at)):
            return None
        return last.session.opens

    async def sessions(
        self, instrument: InstrumentId, start: date, end: date, hours: TradingHours
    ) -> Sequence[TradingSession] | None:
        """See gateway.core.ports.Calendars."""
        if instrument.asset_class in (AssetClass.FX, AssetClass.COMMODITY):
            return fx_sessions(start, end)
        mic = mic_of(instrument)
        if mic is None or not await self._known(mic):
            return None
        found = await asyncio.to_thread(_sessions, mic, start, end)
        return [_extended(mic, session) for session in found] if hours is TradingHours.EXTENDED else found

    async def venue_state(self, mic: str, at: datetime) -> MarketState:
        """See gateway.core.ports.Calendars."""
        if not mic.isupper():
            return MarketState.REGULAR
        return _state(mic, await self._around(mic, at.date()), at)

    async def _around(self, mic: str, day: date) -> Sequence[_Day]:
        key = (mic, day)
        if key not in self._days:
            self._days[key] = await asyncio.to_thread(_around, *key)
        return self._days[key]

    async def venue_sessions(self, mic: str, start: date, end: date) -> Sequence[TradingSession]:
        """See gateway.core.ports.Calendars."""
        return await asyncio.to_thread(_sessions, mic, start, end) if await self._known(mic) else ()

    async def venue_phases(self, mic: str, start: date, end: date) -> Sequence[SessionPhase]:
        """See gateway.core.ports.Calendars."""
        return await asyncio.to_thread(_phases, mic, start, end) if await self._known(mic) else ()

    async def venue_holidays(self, mic: str, start: date, end: date) -> Sequence[VenueHoliday]:
        """See gateway.core.ports.Calendars."""
        return await asyncio.to_thread(_holidays, mic, start, end) if await self._known(mic) else ()

    async def venue_turns(self, mic: str, at: datetime) -> Turns:
        """See gateway.core.ports.Calendars. No venue keeps closed for longer than a fortnight."""
        day = at.date()
        if not await self._known(mic) or await self.venue_state(mic, at) is MarketState.UNKNOWN:
            return Turns()
        return turns_of(await asyncio.to_thread(_phases, mic, day - A_DAY, day + REACH), at)

    async def venue_zone(self, mic: str) -> str | None:
        """See gateway.core.ports.Calendars."""
        if mic in _ZONES:
            return _ZONES[mic]
        calendar = await asyncio.to_thread(_calendar, SAME_HOURS.get(mic, mic))
        return None if calendar is None else str(calendar.tz)

    def _learn(self, key: tuple[str, date]) -> None:
        """Read a day beside the loop, for the next who asks."""
        if key in self._learning:
            return
        self._learning.add(key)

        def learned(done: asyncio.Future[Sequence[_Day]]) -> None:
            self._learning.discard(key)
            if not done.cancelled():
                self._days[key] = done.result()

        asyncio.get_running_loop().run_in_executor(None, _around, *key).add_done_callback(learned)

    async def _known(self, mic: str) -> bool:
        return await asyncio.to_thread(_calendar, SAME_HOURS.get(mic, mic)) is not None


_ZONES = {
    "XNYS": NEW_YORK, "XNAS": NEW_YORK, "ARCX": NEW_YORK, "BATS": NEW_YORK, "XASE": NEW_YORK, "XCBO": NEW_YORK,
    "XLON": "Europe/London", "XPAR": "Europe/Paris", "XETR": "Europe/Berlin", "XFRA": "Europe/Berlin",
    "XAMS": "Europe/Amsterdam", "XBRU": "Europe/Brussels", "XLIS": "Europe/Lisbon", "XMAD": "Europe/Madrid",
    "XMIL": "Europe/Rome", "XSWX": "Europe/Zurich", "XSTO": "Europe/Stockholm", "XCSE": "Europe/Copenhagen",
    "XHEL": "Europe/Helsinki", "XOSL": "Europe/Oslo", "XTSE": "America/Toronto", "XTKS": "Asia/Tokyo",
    "XHKG": "Asia/Hong_Kong", "XSHG": "Asia/Shanghai", "XSHE": "Asia/Shanghai", "XASX": "Australia/Sydney",
    "XNSE": "Asia/Kolkata", "XBOM": "Asia/Kolkata", "XKRX": "Asia/Seoul", "XTAI": "Asia/Taipei",
    "XSES": "Asia/Singapore", "XJSE": "Africa/Johannesburg", "XTAE": "Asia/Jerusalem", "BVMF": "America/Sao_Paulo",
    "XMEX": "America/Mexico_City", "XIST": "Europe/Istanbul", "XWAR": "Europe/Warsaw", "XWBO": "Europe/Vienna",
    "XDUB": "Europe/Dublin", "XNZE": "Pacific/Auckland",
}  # fmt: skip


def mic_of(instrument: InstrumentId) -> str | None:
    """The calendar that a security follows; None for what has none."""
    if instrument.asset_class not in (AssetClass.EQUITY, AssetClass.INDEX):
        return None
    return instrument.venue if instrument.venue.isupper() else MAIN_VENUE


def fx_open(at: datetime) -> bool:
    """From Sunday 17:00 to Friday 17:00 in New York."""
    local = at.astimezone(ZoneInfo(NEW_YORK))
    weekday, late = local.weekday(), local.time() >= FX_TURNS
    return (weekday == 6 and late) or weekday < 4 or (weekday == 4 and not late)


def fx_sessions(start: date, end: date) -> list[TradingSession]:
    """Monday to Friday; each session begins at 17:00 in New York the evening before."""
    zone = ZoneInfo(NEW_YORK)
    found = []
    for day in _weekdays(max(start, FIRST_FX_DAY), end):
        opens = datetime.combine(day - timedelta(days=1), FX_TURNS, zone).astimezone(UTC)
        closes = datetime.combine(day, FX_TURNS, zone).astimezone(UTC)
        found.append(_session(day, opens, closes))
    return found


def _weekdays(start: date, end: date) -> list[date]:
    days = (start + timedelta(days=n) for n in range((end - start).days))
    return [day for day in days if day.weekday() < 5]


def _calendar(mic: str) -> Any:
    """The package's calendar, or None; importing it drags pandas in, so only when a calendar is asked for."""
    with _BUILDING:  # many ask at once for what takes a second to build
        return _built(mic) if mic in _names() else None


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    import exchange_calendars

    return frozenset(exchange_calendars.get_calendar_names(include_aliases=True))


@lru_cache(maxsize=64)
def _built(mic: str) -> Any:
    import exchange_calendars

    with warnings.catch_warnings():
        # The package runs ahead of pandas' deprecations; they are its own affair.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        for start in EARLIEST:
            try:
                return exchange_calendars.get_calendar(mic, start=start)
            except ValueError:
                continue
        return None


def _state(mic: str, around: Sequence[_Day], at: datetime) -> MarketState:
    """By the sessions that an instant may belong to; UNKNOWN without any."""
    for day in around:
        session = day.session
        if session.opens <= at < session.closes:
            return MarketState.CLOSED if day.resting(at) else MarketState.REGULAR
        longer = _extended(mic, session)
        if longer.opens <= at < longer.closes:
            return MarketState.PRE if at < session.opens else MarketState.POST
    return MarketState.CLOSED if around else MarketState.UNKNOWN


def _sessions(mic: str, start: date, end: date) -> list[TradingSession]:
    return [day.session for day in _read(mic, start, end)]


def _phases(mic: str, start: date, end: date) -> list[SessionPhase]:
    return [
        phase
        for day in _read(mic, start, end)
        for phase in phases_of(day.session, _extended(mic, day.session), day.pause, day.resume)
    ]


def _holidays(mic: str, start: date, end: date) -> list[VenueHoliday]:
    calendar = _calendar(SAME_HOURS.get(mic, mic))
    start, end = max(start, calendar.first_session.date()), min(end, calendar.last_session.date() + A_DAY)
    return holidays_of(calendar, start, end, _sessions(mic, start, end)) if start < end else []


def _around(mic: str, day: date) -> Sequence[_Day]:
    """The sessions that an instant of this day may belong to; none where no calendar reaches."""
    calendar = _calendar(SAME_HOURS.get(mic, mic))
    if calendar is None or not calendar.first_session.date() <= day <= calendar.last_session.date():
        return ()
    return tuple(_read(mic, day - REACH, day + 2 * A_DAY))


def _read(mic: str, start: date, end: date) -> list[_Day]:
    calendar = _calendar(SAME_HOURS.get(mic, mic))
    if calendar is None or end <= calendar.first_session.date():
        return []
    first, last = calendar.first_session.date(), calendar.last_session.date()
    begin, stop = max(start, first), min(end - timedelta(days=1), last)
    if begin > stop:
        return []
    schedule = calendar.schedule.loc[begin.isoformat() : stop.isoformat()]
    early = {stamp.date() for stamp in calendar.early_closes}
    columns = (schedule[name] for name in ("open", "close", "break_start", "break_end"))
    return [
        _Day(
            _session(label.date(), _utc(opens), _utc(closes), early_close=label.date() in early),
            None if pause != pause else _utc(pause),  # not a time is not equal to itself
            None if resume != resume else _utc(resume),
        )
        for label, opens, closes, pause, resume in zip(schedule.index, *columns, strict=True)
    ]  # fmt: skip


def _utc(stamp: Any) -> datetime:
    return cast(datetime, stamp.to_pydatetime().astimezone(UTC))


def _extended(mic: str, session: TradingSession) -> TradingSession:
    """With pre and post market, where the venue has them; an early close ends the day's late trading four hours on."""
    bounds = EXTENDED.get(SAME_HOURS.get(mic, mic))
    if bounds is None:
        return session
    zone = ZoneInfo(_ZONES[mic])
    opens = datetime.combine(session.date, bounds[0], zone).astimezone(UTC)
    closes = datetime.combine(session.date, bounds[1], zone).astimezone(UTC)
    if session.early_close:
        closes = session.closes + timedelta(hours=4)
    return _session(session.date, opens, closes, TradingHours.EXTENDED, session.early_close)


def _session(
    day: date, opens: datetime, closes: datetime, hours: TradingHours = TradingHours.REGULAR, early_close: bool = False
) -> TradingSession:
    return TradingSession(
        date=day, opens=opens, closes=closes, hours=hours, early_close=early_close,
        basis=StatusBasis.CALENDAR, provenance=None,
    )  # fmt: skip
