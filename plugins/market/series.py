"""Candle series: which slots were asked for, what came, what is missing, and where the page stands."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import cast

from gateway.core.contract import MINUTE, Context, Fetched
from plugins.market import grid
from plugins.market.assembly import Assembled, assemble
from plugins.market.drawn import Drawn
from plugins.market.grid import Slot
from schema.capability import DEFAULT_TERMS, Terms
from schema.errors import BadInput
from schema.paging import PageInfo, check_page_size, make_cursor, read_cursor
from schema.provenance import CacheStatus, DataMode
from schema.scalars import Cursor
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, NO_BARS, Adjustment, Bars, CandlesAsk, CandleSeries, Fill
from schema.words.intervals import Interval
from schema.words.venues import TradingHours, TradingSession

MOST_ROWS = 5_000
MOST_ROWS_IN_ALL = 40_000
DEFAULT_ROWS = 100
OLDEST = datetime(1900, 1, 1, tzinfo=UTC)
LONGEST_SESSION = timedelta(days=2)
NEVER = datetime(9000, 1, 1, tzinfo=UTC)
_ADJUSTED = frozenset({AssetClass.EQUITY})
_WEEKDAYS = frozenset({AssetClass.FX, AssetClass.COMMODITY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The arguments of `candles`, as they were given."""

    instrument: InstrumentId
    interval: Interval
    start: datetime | None = None
    end: datetime | None = None
    first: int | None = None
    after: Cursor | None = None
    last: int | None = None
    before: Cursor | None = None
    adjustment: Adjustment = Adjustment.SPLITS
    hours: TradingHours = TradingHours.REGULAR
    fill: Fill = Fill.NONE
    terms: Terms = DEFAULT_TERMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Bounds of the whole range, and which end of it the page is at; `rows` None: all of it."""

    start: datetime | None
    end: datetime
    rows: int | None
    from_start: bool

    @property
    def forwards(self) -> bool:
        """Whether slots count from the start."""
        return self.from_start or self.rows is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The slots of one page, and whether the range goes on around it."""

    slots: list[Slot]
    more_before: bool
    more_after: bool


async def fetch_series(context: Context, wanted: Wanted) -> CandleSeries:
    """A page of candles; BadInput names the argument that is wrong."""
    now = context.market.data.now(_pinned(wanted))
    window = window_of(wanted, now)
    page = await page_of_slots(context, wanted, window)
    if wanted.end is None or wanted.end > now or (page.slots and page.slots[-1].end > now):
        context.changes_every(min(wanted.interval.seconds, MINUTE))
    adjustment = wanted.adjustment if wanted.instrument.asset_class in _ADJUSTED else Adjustment.NONE
    zone = context.host.calendars.time_zone(wanted.instrument)
    if not page.slots:
        return _nothing(wanted, page, adjustment, zone)
    _charge(context, len(page.slots))
    start, end = _asked_range(wanted.interval, page.slots)
    ask = CandlesAsk(
        instrument=wanted.instrument, interval=wanted.interval, start=start, end=end, adjustment=adjustment,
        hours=wanted.hours,
    )  # fmt: skip
    fetched = await context.market.fetch(CANDLES, ask, wanted.terms)
    made = _made(context, wanted, page, zone, fetched)
    return _series(wanted, made, page, adjustment, zone, fetched)


def _made(context: Context, wanted: Wanted, page: Page, zone: str, fetched: Fetched) -> Assembled:
    """The rows on the slots. Where all slots are over no clock has a word in it: the same copy gives the same rows."""
    bars, slots, moment = cast(Bars, fetched.value), page.slots, _reference(fetched, context)
    drawn: Drawn | None = context.services.get(Drawn)
    if drawn is None or not wanted.terms.keep or slots[-1].end > moment:
        return assemble(bars, slots, wanted.interval, zone, moment, wanted.fill)
    key = (wanted.instrument, wanted.interval, wanted.hours, zone, wanted.fill, slots[0], slots[-1], len(slots))
    made = drawn.find(bars, key)
    if made is None:
        made = assemble(bars, slots, wanted.interval, zone, moment, wanted.fill)
        drawn.keep(bars, key, made, len(slots))
    return made


def _pinned(wanted: Wanted) -> Terms:
    """A venue in the symbol pins as well as a route does."""
    venue, terms = wanted.instrument.venue, wanted.terms
    return replace(terms, providers=(venue,)) if venue and terms.providers is None else terms


def _charge(context: Context, rows: int) -> None:
    """One operation may ask for many series, but not for more than one process can make at a time."""
    asked = context.local.get(Wanted, 0) + rows
    context.local[Wanted] = asked
    if asked > MOST_ROWS_IN_ALL:
        raise BadInput("last", f"this operation asks for more than {MOST_ROWS_IN_ALL} candles in all: split it up")


def window_of(wanted: Wanted, now: datetime) -> Window:
    """Check the arguments and settle the bounds."""
    check_page_size(wanted.first, "first", MOST_ROWS)
    check_page_size(wanted.last, "last", MOST_ROWS)
    if wanted.first is not None and wanted.last is not None:
        raise BadInput("first", "and last exclude each other: give one")
    if wanted.first is not None and wanted.start is None and wanted.after is None:
        raise BadInput("first", "needs start or after to count from; last gives the newest")
    start, end = wanted.start, wanted.end or now
    if start is not None and wanted.end is not None and not start < wanted.end:
        raise BadInput("end", "must be after start: ranges are [start, end)")
    if start is not None and start > now:
        raise BadInput("start", "is in the future")
    if wanted.after is not None:
        start = _position("after", wanted.after) + timedelta(microseconds=1)
    if wanted.before is not None:
        end = _position("before", wanted.before)
    start = start and max(start, OLDEST)
    end = max(min(end, now), OLDEST)
    rows = wanted.first or wanted.last or (DEFAULT_ROWS if start is None else None)
    return Window(start=start, end=end, rows=rows, from_start=wanted.first is not None)


def _position(field: str, cursor: Cursor) -> datetime:
    try:
        position = datetime.fromisoformat(read_cursor("candle", cursor, field))
    except ValueError:
        position = None
    if position is None or position.tzinfo is not UTC or not OLDEST <= position < NEVER:
        raise BadInput(field, "is not a cursor of a candle series; give back what `pageInfo` gave")
    return position


async def page_of_slots(context: Context, wanted: Wanted, window: Window) -> Page:
    """The slots of the page."""
    count = window.rows or MOST_ROWS + 1
    kind = wanted.instrument.asset_class
    daily_fx = kind in _WEEKDAYS and not wanted.interval.intraday
    sessions_known = not daily_fx and await _has_sessions(context, wanted)
    if sessions_known:
        slots = await _in_sessions(context, wanted, window, count + 1)
    else:
        # A range that ends with the present is another one each time.
        cut = _around_the_clock if window.end == wanted.end else _around_the_clock.__wrapped__
        slots = list(cut(wanted.interval, window, count + 1, weekdays=daily_fx))
    if window.rows is None and len(slots) > MOST_ROWS:
        raise BadInput(
            "start", f"the range holds more than {MOST_ROWS} {wanted.interval} candles: page it with first and after"
        )
    more = len(slots) > count
    if window.forwards:
        return Page(slots=slots[:count], more_before=wanted.after is not None, more_after=more)
    return Page(slots=slots[-count:], more_before=more, more_after=wanted.before is not None)


async def count_of_slots(context: Context, wanted: Wanted) -> int:
    """How many candles the range has room for, without making their slots; `start` and `end` are given."""
    if wanted.start is None or wanted.end is None:
        raise ValueError("a range that is counted has two ends")
    start, end, interval = max(wanted.start, OLDEST), wanted.end, wanted.interval
    daily_fx = wanted.instrument.asset_class in _WEEKDAYS and not interval.intraday
    if not daily_fx and await _has_sessions(context, wanted):
        return await _count_in_sessions(context, wanted, Window(start=start, end=end, rows=None, from_start=True))
    first = grid.ceiling(interval, start)
    if interval is Interval.MO1:
        last = grid.ceiling(interval, end)
        return max(0, (last.year - first.year) * 12 + last.month - first.month)
    count = max(0, -((first - end) // interval.delta))
    if not daily_fx or interval is not Interval.D1:
        return count
    return sum((first + timedelta(days=day)).weekday() < 5 for day in range(count))


async def _count_in_sessions(context: Context, wanted: Wanted, window: Window) -> int:
    calendars, interval = context.host.calendars, wanted.interval
    low = _week((window.start or OLDEST).date() - timedelta(days=2))
    high = window.end.date() + timedelta(days=2)
    sessions = await calendars.sessions(wanted.instrument, low, high, wanted.hours) or ()
    if not interval.intraday:
        zone = calendars.time_zone(wanted.instrument)
        return len(_inside(grid.in_sessions(interval, sessions, zone), interval, window))
    return sum(grid.starts_within(interval, session, window.start or OLDEST, window.end) for session in sessions)


@lru_cache(maxsize=16)
def _around_the_clock(interval: Interval, window: Window, count: int, *, weekdays: bool) -> tuple[Slot, ...]:
    take = count * 7 // 5 + 7 if weekdays else count
    start = window.start or OLDEST
    if window.forwards:
        slots = grid.forward(interval, start, window.end, take)
    else:
        slots = grid.backward(interval, start, window.end, take)
    if not weekdays:
        return tuple(slots)
    days = [
        Slot(slot.start, slot.end, slot.start.date())
        for slot in slots
        if interval is not Interval.D1 or slot.start.weekday() < 5
    ]
    return tuple(days[:count] if window.forwards else days[-count:])


async def _has_sessions(context: Context, wanted: Wanted) -> bool:
    today = context.now.date()
    sessions = context.host.calendars.sessions(wanted.instrument, today - timedelta(days=10), today, wanted.hours)
    return await sessions is not None


async def _in_sessions(context: Context, wanted: Wanted, window: Window, count: int) -> list[Slot]:
    """Look at as many sessions as the page needs, from the end that it is at."""
    interval, calendars = wanted.interval, context.host.calendars
    zone = calendars.time_zone(wanted.instrument)
    per_session = grid.slots_a_session(interval, wanted.hours is TradingHours.EXTENDED)
    span = timedelta(days=int(count / per_session * 1.5) + 14)
    last_day = window.end.date() + timedelta(days=2)
    first_day = (window.start.date() if window.start else OLDEST.date()) - timedelta(days=2)
    while True:
        low, high = (
            (first_day, min(first_day + span, last_day))
            if window.forwards
            else (max(last_day - span, first_day), last_day)
        )
        sessions = await calendars.sessions(wanted.instrument, _week(low), high, wanted.hours) or ()
        slots = _slots_of(sessions, interval, zone, window, count)
        whole = (high == last_day) if window.forwards else (low == first_day)
        if len(slots) >= count or whole:
            return slots
        span *= 4


def _slots_of(
    sessions: Sequence[TradingSession], interval: Interval, zone: str, window: Window, count: int
) -> list[Slot]:
    """At most *count* slots from the page's end of the window.

    Only as many sessions are cut up as that needs: a long range of seconds has hundreds of millions of slots.
    """
    if not interval.intraday:
        found = _inside(grid.in_sessions(interval, sessions, zone), interval, window)
        return found[:count] if window.forwards else found[-count:]
    begins = [session.opens for session in sessions]
    first = bisect_left(begins, window.start - LONGEST_SESSION) if window.start else 0
    inside = sessions[first : bisect_left(begins, window.end)]
    found = []
    for session in inside if window.forwards else reversed(inside):
        slots = _inside(grid.in_sessions(interval, (session,), zone), interval, window)
        found = [*found, *slots] if window.forwards else [*slots, *found]
        if len(found) >= count:
            break
    return found[:count] if window.forwards else found[-count:]


def _week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _inside(slots: Sequence[Slot], interval: Interval, window: Window) -> list[Slot]:
    """Slots whose start is in the window. A bare date as bound means the day: daily slots count by their date."""
    start, end = window.start, window.end
    if interval.intraday:
        return [slot for slot in slots if (start is None or slot.start >= start) and slot.start < end]
    return [slot for slot in slots if (start is None or _marker(slot) >= start) and _marker(slot) < end]


def _marker(slot: Slot) -> datetime:
    return datetime(slot.day.year, slot.day.month, slot.day.day, tzinfo=UTC) if slot.day else slot.start


def _asked_range(interval: Interval, slots: Sequence[Slot]) -> tuple[datetime, datetime]:
    """The UTC-aligned range that holds the slots."""
    if slots[0].day is not None:
        return _marker(slots[0]), grid.following(interval, grid.floor(interval, _marker(slots[-1])))
    return grid.floor(interval, slots[0].start), grid.ceiling(interval, slots[-1].end)


def _reference(fetched: Fetched, context: Context) -> datetime:
    """When a candle counts as closed: now; for a recording and for a stale copy, the moment of its making."""
    made = fetched.provenance
    old = made.mode is DataMode.RECORDED or context.cache_status(made) is CacheStatus.STALE
    return made.fetched_at if old else context.now


def _nothing(wanted: Wanted, page: Page, adjustment: Adjustment, zone: str) -> CandleSeries:
    """A range without trading time, such as a weekend, or a page after the newest candle: nobody needs to be asked."""
    info = PageInfo(
        has_next_page=page.more_after, has_previous_page=page.more_before,
        start_cursor=wanted.before or wanted.after, end_cursor=wanted.after or wanted.before,
    )  # fmt: skip
    return CandleSeries(
        instrument=wanted.instrument, bars=NO_BARS, interval=wanted.interval,
        currency=wanted.instrument.quote or "XXX", time_zone=zone, adjustment=adjustment, hours=wanted.hours, gaps=[],
        page_info=info, provenance=[],
    )  # fmt: skip


def _series(
    wanted: Wanted, made: Assembled, page: Page, adjustment: Adjustment, zone: str, fetched: Fetched
) -> CandleSeries:
    bars = made.bars
    # Cursors are slot starts, not rows: a page that came back empty can still be paged past.
    edges = [make_cursor("candle", _edge(slot)) for slot in (page.slots[0], page.slots[-1])]
    info = PageInfo(
        has_next_page=page.more_after, has_previous_page=page.more_before, start_cursor=edges[0], end_cursor=edges[1]
    )
    return CandleSeries(
        instrument=wanted.instrument,
        bars=bars,
        interval=wanted.interval,
        currency=bars.currency or wanted.instrument.quote or "XXX",
        time_zone=bars.time_zone or zone,
        adjustment=adjustment,
        hours=wanted.hours,
        gaps=made.gaps,
        page_info=info,
        provenance=[fetched.provenance],
    )


def _edge(slot: Slot) -> str:
    return _marker(slot).isoformat()
