"""What a range has room for is counted, without making its slots, as the pages would hold it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from gateway.core.calendars import ExchangeCalendars
from gateway.core.contract import Context
from plugins.market.series import Wanted, count_of_slots, page_of_slots, window_of
from schema.scalars import Cursor
from schema.symbols import parse_instrument
from schema.words.intervals import Interval
from schema.words.venues import TradingHours

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAGE = 1_100


class Place:
    """As much of a context as slots need."""

    def __init__(self) -> None:
        self.now = NOW
        self.host = self
        self.calendars = ExchangeCalendars()


CONTEXT = cast(Context, Place())


async def paged(wanted: Wanted) -> int:
    """The slots of all pages."""
    found, after = 0, None
    while True:
        each = replace(wanted, first=PAGE, after=after)
        page = await page_of_slots(CONTEXT, each, window_of(each, NOW))
        found += len(page.slots)
        if not page.more_after:
            return found
        last: Any = page.slots[-1]
        marker = datetime(last.day.year, last.day.month, last.day.day, tzinfo=UTC) if last.day else last.start
        after = cursor(marker)


def cursor(moment: datetime) -> Cursor:
    from schema.paging import make_cursor

    return make_cursor("candle", moment.isoformat())


@pytest.mark.parametrize("interval", Interval)
@pytest.mark.parametrize("symbol", ["crypto:BTC/USD", "fx:EUR/USD", "equity:AAPL", "equity:VOD@XLON"])
async def test_it_is_what_the_pages_hold(symbol: str, interval: Interval):
    hours = TradingHours.EXTENDED if symbol == "equity:AAPL" else TradingHours.REGULAR
    # Their ends stand on no boundary of anything.
    short, longer = datetime(2026, 11, 19, 14, 31, 7, tzinfo=UTC), datetime(2026, 11, 12, 15, 31, tzinfo=UTC)
    longest = datetime(2025, 2, 28, 3, tzinfo=UTC)
    start = short if interval.seconds < 60 else longer if interval.intraday else longest
    end = datetime(2026, 11, 19, 16, 17, 13, tzinfo=UTC)
    wanted = Wanted(instrument=parse_instrument(symbol), interval=interval, start=start, end=end, hours=hours)

    assert await count_of_slots(CONTEXT, wanted) == await paged(wanted) > 0


@pytest.mark.parametrize("symbol", ["crypto:BTC/USD", "fx:EUR/USD", "equity:AAPL"])
@pytest.mark.parametrize("interval", [Interval.S1, Interval.M1, Interval.D1, Interval.W1, Interval.MO1])
async def test_an_empty_range_has_room_for_nothing(symbol: str, interval: Interval):
    start = datetime(2026, 11, 14, 0, 0, 1, tzinfo=UTC)
    end = datetime(2026, 11, 14, 0, 0, 1, 500, tzinfo=UTC)
    wanted = Wanted(instrument=parse_instrument(symbol), interval=interval, start=start, end=end)

    assert await count_of_slots(CONTEXT, wanted) == await paged(wanted)
