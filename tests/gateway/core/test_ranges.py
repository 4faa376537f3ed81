"""Long candle ranges: pieces on a grid, side by side, joined without gap or overlap."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.fetchlog import Fetched, FetchLog
from schema.capability import DEFAULT_TERMS, Terms
from schema.errors import NoAnswer
from schema.provenance import CacheStatus
from schema.words.candles import CANDLES, CandlesAsk, split_range
from schema.words.intervals import Interval
from tests.gateway.doubles import (
    BTC,
    NOON,
    codes,
    failing,
    fallen,
    in_turn,
    late,
    reply,
    stamp,
    venue,
    world,
)

DAY = datetime(2026, 11, 19, tzinfo=UTC)


def hours(request: Any, *, extra: int = 0) -> Any:
    """A candle for each hour of the range, and *extra* ones on both sides as some venues send them."""
    params = dict(request.params)
    start, end = int(params["start"]), int(params["end"])
    first = -(-start // 3600) * 3600
    return reply([[at, str(at // 3600)] for at in range(first - extra * 3600, end + extra * 3600, 3600)])


def asking(count: int, interval: Interval = Interval.H1, start: datetime = DAY) -> CandlesAsk:
    return CandlesAsk(instrument=BTC, interval=interval, start=start, end=start + count * interval.delta)


async def candles(w: Any, ask: CandlesAsk, terms: Terms = DEFAULT_TERMS, log: FetchLog | None = None) -> Fetched:
    found: Fetched = await w.data.fetch(CANDLES, ask, terms, log)
    return found


def ranges(w: Any, provider: str = "alpha") -> list[tuple[int, int]]:
    """Hours since the day's start, of each request."""
    day = stamp(DAY)
    asked = [dict(r.params) for r in w.wire.requests if r.provider == provider]
    return [((int(p["start"]) - day) // 3600, (int(p["end"]) - day) // 3600) for p in asked]


async def test_a_short_range_is_one_request() -> None:
    w = world(venue("alpha", max_rows=10))
    w.wire.handlers["alpha"] = hours

    assert len((await candles(w, asking(10))).value) == 10
    assert ranges(w) == [(0, 10)]


async def test_a_long_range_is_cut_on_a_grid_asked_for_at_once_and_joined() -> None:
    w = world(venue("alpha", max_rows=10))
    w.wire.handlers["alpha"] = late(0.5, hours)

    found = await candles(w, asking(35))

    begin = stamp(DAY) // 3600
    cuts = [0, *(n for n in range(1, 35) if (begin + n) % 10 == 0), 35]
    assert ranges(w) == list(pairwise(cuts))
    assert asyncio.get_running_loop().time() == pytest.approx(0.5)
    assert found.value.open_time == tuple(DAY + timedelta(hours=n) for n in range(35))
    assert [int(price) for price in found.value.close] == [begin + n for n in range(35)]


async def test_a_provider_without_a_bound_is_asked_once() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = hours

    assert len((await candles(w, asking(3000))).value) == 3000
    assert len(w.wire.requests) == 1


async def test_candles_beyond_a_piece_are_cut_before_the_join() -> None:
    w = world(venue("alpha", max_rows=10))
    w.wire.handlers["alpha"] = lambda r: hours(r, extra=2)

    found = await candles(w, asking(35))

    assert found.value.open_time == tuple(DAY + timedelta(hours=n) for n in range(35))


async def test_candles_beyond_an_uncut_range_are_cut_too() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = lambda r: hours(r, extra=2)

    assert (await candles(w, asking(5))).value.open_time == tuple(DAY + timedelta(hours=n) for n in range(5))


async def test_one_failing_piece_fails_over_the_whole_so_that_no_two_providers_are_mixed() -> None:
    w = world(venue("alpha", max_rows=10), venue("beta", max_rows=20, priority=20))
    w.wire.handlers["alpha"] = in_turn(hours, hours, failing(404))
    w.wire.handlers["beta"] = hours

    found = await candles(w, asking(35))

    assert fallen(found) == [("alpha", "UNKNOWN_INSTRUMENT")]
    assert len(found.value) == 35
    assert sum(end - start for start, end in ranges(w, "beta")) == 35


async def test_pieces_are_shared_with_the_next_range() -> None:
    w = world(venue("alpha", max_rows=10))
    w.wire.handlers["alpha"] = hours
    # All of it is closed history, whose pieces keep an hour.
    w.clock.turn(7 * 86_400)
    await candles(w, asking(35))
    w.wire.requests.clear()

    log = FetchLog()
    found = await candles(w, asking(45), log=log)

    assert len(found.value) == 45
    assert len(w.wire.requests) == 2
    assert log.status(found.provenance) is CacheStatus.HIT


async def test_an_old_copy_in_pieces_serves_when_every_provider_fails() -> None:
    w = world(venue("alpha", max_rows=10))
    w.wire.handlers["alpha"] = hours
    w.clock.turn(7 * 86_400)
    await candles(w, asking(35))
    w.clock.turn(3601)
    w.wire.handlers["alpha"] = failing(404, "gone")
    w.wire.handlers["alpha"] = lambda r: reply(b"?")

    log = FetchLog()
    found = await candles(w, asking(35), Terms(stale_if_error=timedelta(hours=1)), log)

    assert len(found.value) == 35
    assert log.status(found.provenance) is CacheStatus.STALE


async def test_all_failing_lists_one_attempt_for_each_provider() -> None:
    w = world(venue("alpha", max_rows=10))
    w.wire.handlers["alpha"] = failing(404)

    with pytest.raises(NoAnswer) as caught:
        await candles(w, asking(35))

    assert codes(caught.value) == [("alpha", "UNKNOWN_INSTRUMENT")]
    assert caught.value.symbol == "crypto:BTC/USD"


async def test_an_interval_that_nobody_has_says_what_there_is() -> None:
    w = world(venue("alpha", intervals=(Interval.H1, Interval.D1)))

    with pytest.raises(NoAnswer) as caught:
        await candles(w, asking(3, Interval.M3))

    assert caught.value.code == "NOT_COVERED"
    assert caught.value.message == (
        "no provider covers candles for crypto:BTC/USD: alpha has no M3 candles (it has H1 D1)"
    )


async def test_the_forming_candle_is_never_kept_past_its_interval() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = hours
    w.clock.turn(3597)
    ask = asking(5, start=NOON - timedelta(hours=4))
    await candles(w, ask)
    w.clock.turn(2.9)
    await candles(w, ask)
    assert len(w.wire.requests) == 1

    w.clock.turn(0.1)
    await candles(w, ask)

    assert len(w.wire.requests) == 2


@pytest.mark.parametrize("interval", [Interval.D1, Interval.W1, Interval.MO1])
async def test_the_forming_day_week_or_month_is_not_kept_past_midnight(interval: Interval) -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = lambda r: reply([])
    # Ten seconds to two before the midnight from a Sunday to a Monday, the first of a month.
    w.clock.turn((datetime(2027, 2, 28, 23, 59, 58, tzinfo=UTC) - NOON).total_seconds())
    ask = CandlesAsk(
        instrument=BTC, interval=interval, start=datetime(2027, 2, 1, tzinfo=UTC), end=datetime(2027, 3, 1, tzinfo=UTC)
    )
    await candles(w, ask)
    w.clock.turn(2)
    await candles(w, ask)

    assert len(w.wire.requests) == 2


def months(start: datetime, count: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + count, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


@given(
    st.integers(0, 600),
    st.integers(1, 300),
    st.integers(1, 50),
    st.sampled_from([Interval.MO1, Interval.W1, Interval.M1]),
)
def test_pieces_cover_the_range_are_aligned_and_hold_no_more_than_was_allowed(
    begin: int, count: int, rows: int, interval: Interval
) -> None:
    if interval is Interval.MO1:
        start = months(datetime(1970, 1, 1, tzinfo=UTC), begin)
        end = months(start, count)
    else:
        start = datetime(1970, 1, 5, tzinfo=UTC) + begin * interval.delta
        end = start + count * interval.delta

    pieces = split_range(CandlesAsk(instrument=BTC, interval=interval, start=start, end=end), rows)

    assert (pieces[0].start, pieces[-1].end) == (start, end)
    assert all(one.end == other.start for one, other in pairwise(pieces))
    for piece in pieces:
        assert piece.start < piece.end
        if interval is Interval.MO1:
            assert (piece.start.day, piece.start.hour) == (1, 0)
            spanned = (piece.end.year - piece.start.year) * 12 + piece.end.month - piece.start.month
        else:
            assert (piece.start - datetime(1970, 1, 5, tzinfo=UTC)) % interval.delta == timedelta(0)
            spanned = (piece.end - piece.start) // interval.delta
        assert spanned <= rows


@given(st.integers(0, 500), st.integers(1, 500), st.integers(1, 40), st.sampled_from([Interval.MO1, Interval.W1]))
def test_inner_cuts_do_not_depend_on_where_a_range_begins(
    begin: int, count: int, rows: int, interval: Interval
) -> None:
    if interval is Interval.MO1:
        origin = datetime(1970, 1, 1, tzinfo=UTC)
        start, end = months(origin, begin), months(origin, begin + count)
        wider = months(origin, begin + count + 100)
    else:
        start = datetime(1970, 1, 5, tzinfo=UTC) + begin * interval.delta
        end, wider = start + count * interval.delta, start + (count + 100) * interval.delta

    def cuts(until: datetime) -> set[datetime]:
        pieces = split_range(CandlesAsk(instrument=BTC, interval=interval, start=start, end=until), rows)
        return {piece.end for piece in pieces[:-1]}

    assert {cut for cut in cuts(wider) if cut < end} >= cuts(end)
