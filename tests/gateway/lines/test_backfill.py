"""What leads in live trades and candles after a loss, without a connection."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from gateway.core.lines.backfill import MOST_TRADES, Gapless
from gateway.core.lines.line import Ended, Event, Trouble, Update
from schema.errors import Timeout
from schema.symbols import parse_instrument
from schema.words.candles import CANDLES, Bars, Candle, CandlesAsk
from schema.words.intervals import Interval
from schema.words.live import NoticeCode
from schema.words.quotes import QUOTES
from schema.words.trades import TRADES, Trade, TradesAsk
from tests.doubles.clocks import HeldClock

BTC = parse_instrument("crypto:BTC/USD")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ONE = Decimal(1)
ASK = CandlesAsk(instrument=BTC, interval=Interval.M1, start=NOON, end=NOON + timedelta(minutes=1))


def trade(number: int, at: int | None = None) -> Trade:
    time = NOON + timedelta(seconds=number if at is None else at)
    return Trade(id=str(number), time=time, price=ONE, size=ONE)


def bar(minute: int, *, closed: bool = True) -> Candle:
    return Candle(open_time=NOON + timedelta(minutes=minute), open=ONE, high=ONE, low=ONE, close=ONE, closed=closed)


def bars(*minutes: int) -> Bars:
    ones = (ONE,) * len(minutes)
    times = tuple(NOON + timedelta(minutes=minute) for minute in minutes)
    return Bars(open_time=times, open=ones, high=ones, low=ones, close=ones)


def update(*values: Any, snapshot: bool = False) -> Update:
    return Update(values=values, as_of=None, snapshot=snapshot, received=NOON)


def lost(code: NoticeCode = NoticeCode.RECONNECTING) -> Trouble:
    return Trouble(code=code, message="", at=NOON)


class Line:
    """Feeds events through and notes what was asked and told."""

    def __init__(self, capability: Any, ask: Any, answer: Any = None, since: tuple[Any, ...] | None = None) -> None:
        self.shut: set[int] = set()
        self.asked: list[Any] = []
        self.answer = answer
        self.gapless = Gapless(capability, ask, self._fetch, HeldClock(), since, self._trades_at)

    async def _trades_at(self, time: datetime) -> bool:
        return time.minute not in self.shut

    async def _fetch(self, ask: Any) -> Any:
        self.asked.append(ask)
        return self.answer

    async def tell(self, *events: Event) -> list[Any]:
        told = [each for event in events for each in await self.gapless.through(event)]
        return [list(map(name, each.values)) if isinstance(each, Update) else each for each in told]


def name(value: Any) -> str:
    return value.id if isinstance(value, Trade) else f"{value.open_time:%M}"


async def test_a_snapshot_that_reaches_back_far_enough_leaves_nothing_to_fetch():
    line = Line(TRADES, TradesAsk(instrument=BTC))

    told = await line.tell(update(trade(1), trade(2)), lost(), update(trade(2), trade(3), snapshot=True))

    assert [each for each in told if isinstance(each, list)] == [["1", "2"], ["3"]]
    assert line.asked == []


async def test_trades_of_one_moment_are_told_apart_by_their_ids():
    line = Line(TRADES, TradesAsk(instrument=BTC))

    told = await line.tell(update(trade(1, 5)), update(trade(2, 5), trade(1, 5)), update(trade(1, 5)))

    assert told == [["1"], ["2"]]


async def test_a_trade_that_comes_late_is_told_and_one_from_before_the_stream_is_not():
    line = Line(TRADES, TradesAsk(instrument=BTC))

    told = await line.tell(update(trade(3), trade(9)), update(trade(7)), update(trade(7), trade(2), trade(10)))

    assert told == [["3", "9"], ["7"], ["10"]]


async def test_what_is_older_than_all_that_is_remembered_is_not_told_again():
    line = Line(TRADES, TradesAsk(instrument=BTC))
    many = [trade(number, number // 100) for number in range(MOST_TRADES + 2)]

    await line.tell(update(*many))
    told = await line.tell(update(*many[:4], trade(1_050, 20)))

    assert told == [["1050"]]


async def test_a_snapshot_out_of_nowhere_that_does_not_reach_back_says_that_something_may_be_missing():
    line = Line(TRADES, TradesAsk(instrument=BTC))

    told = await line.tell(update(trade(1), snapshot=True), update(trade(8), trade(9), snapshot=True))

    assert told[0] == ["1"]
    assert (told[1].code, told[1].message) == (
        NoticeCode.GAP, "Trades may be missing: the last 2 do not reach back far enough.",
    )  # fmt: skip
    assert told[2] == ["8", "9"]


async def test_a_fetch_that_fails_is_a_gap_and_the_line_goes_on():
    line = Line(TRADES, TradesAsk(instrument=BTC), Timeout("x", "no answer in time"))

    told = await line.tell(update(trade(1)), lost(NoticeCode.STALE), update(trade(5)), update(trade(6)))

    assert [each.message for each in told if isinstance(each, Trouble)][1:] == [
        "What was missed could not be fetched: x: no answer in time"
    ]
    assert told[-2:] == [["5"], ["6"]]
    assert [ask.last for ask in line.asked] == [1_000]


async def test_candles_are_asked_for_from_the_last_that_was_told_to_the_newest():
    line = Line(CANDLES, ASK, bars(1, 2))

    told = await line.tell(update(bar(1, closed=False)), lost(), update(bar(2, closed=False)))

    assert [each for each in told if isinstance(each, list)] == [["01"], ["01", "02"], ["02"]]
    assert line.asked == [
        replace(ASK, start=NOON + timedelta(minutes=1), end=NOON + timedelta(minutes=3)),
    ]


async def test_candles_that_the_provider_does_not_have_are_a_gap():
    line = Line(CANDLES, ASK, bars(1, 2, 5))

    told = await line.tell(update(bar(1, closed=False)), lost(), update(bar(5, closed=False)))

    assert (told[2].code, told[2].message) == (
        NoticeCode.GAP,
        "No candles were found of 2 times from 2026-11-20 12:03:00 to 2026-11-20 12:04:00 UTC: nothing was traded "
        "then, or they are missing.",
    )  # fmt: skip
    assert told[3:] == [["01", "02", "05"], ["05"]]


async def test_where_its_market_was_closed_no_candle_is_missing():
    line = Line(CANDLES, ASK, bars(1, 2, 5))
    line.shut = {3, 4}

    told = await line.tell(update(bar(1, closed=False)), lost(), update(bar(5, closed=False)))

    assert [each for each in told if isinstance(each, list)] == [["01"], ["01", "02", "05"], ["05"]]
    assert len(told) == 4


async def test_candles_that_lie_between_two_rounds_of_polling_are_fetched():
    line = Line(CANDLES, ASK, Bars(open_time=(), open=(), high=(), low=(), close=()))

    await line.tell(update(bar(0), bar(1), snapshot=True), update(bar(1), bar(2), snapshot=True))
    assert line.asked == []
    await line.tell(update(bar(7), bar(8), snapshot=True))

    assert [(ask.start.minute, ask.end.minute) for ask in line.asked] == [(2, 9)]


async def test_what_a_line_before_has_told_is_gone_on_from():
    trades = Line(TRADES, TradesAsk(instrument=BTC), (trade(2), trade(3)), since=(trade(1), trade(2)))
    candles = Line(CANDLES, ASK, bars(1, 2), since=(bar(0), bar(1, closed=False)))

    told = [await trades.tell(update(trade(2), trade(4))), await candles.tell(update(bar(2, closed=False)))]

    assert told == [[["3"], ["4"]], [["01", "02"], ["02"]]]
    assert candles.asked == [replace(ASK, start=NOON + timedelta(minutes=1), end=NOON + timedelta(minutes=3))]


async def test_where_a_stream_goes_on_without_a_word_what_was_missed_is_fetched_at_once():
    line = Line(TRADES, TradesAsk(instrument=BTC), (trade(2), trade(3)), since=(trade(1), trade(2)))
    quiet = Trouble(code=NoticeCode.FRESH_AGAIN, message="", at=NOON, quiet=True)

    told = await line.tell(quiet)
    line.answer = (trade(3), trade(4))
    told += await line.tell(update(trade(5)))

    assert told == [quiet, ["3"], ["4"], ["5"]]


async def test_nothing_is_fetched_before_there_was_anything_nor_for_states():
    trades, quotes = Line(TRADES, TradesAsk(instrument=BTC)), Line(QUOTES, None)
    end = Ended(error=Timeout("x", "over"))

    await trades.tell(lost(), update(trade(1)))
    assert await quotes.gapless.through(end) == [end]

    assert trades.asked == quotes.asked == []


async def test_a_trade_of_the_future_is_left_out_and_silences_nothing_behind_it():
    line = Line(TRADES, TradesAsk(instrument=BTC))

    told = await line.tell(
        update(trade(1)), update(trade(2, 3_600)), *(update(trade(n, 2 + n // 100)) for n in range(3, 1_503))
    )

    (gap,) = [each for each in told if isinstance(each, Trouble)]
    assert (gap.code, "1 trades are left out" in gap.message) == (NoticeCode.GAP, True)
    assert [each for each in told if isinstance(each, list)] == [["1"], *([str(number)] for number in range(3, 1_503))]
