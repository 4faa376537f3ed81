"""The sandbox has no recordings: these properties hold for every instrument, interval and moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from providers.simulated._calendar import Always, CurrencyWeek
from providers.simulated._markets import BY_NAME, MARKETS
from schema.symbols import AssetClass, parse_instrument
from schema.words.books import OrderBookAsk
from schema.words.intervals import Interval
from schema.words.quotes import PriceType, StatsWindow
from schema.words.trades import TradesAsk
from tests.providers.sandbox_exchange import (
    NOON,
    bars_of,
    following,
    opening,
    quote_of,
    sandbox_at,
    sure,
    volumes,
    whole,
)

moments = st.timedeltas(timedelta(0), timedelta(days=7300)).map(
    lambda passed: datetime(2012, 1, 1, tzinfo=UTC) + passed
)
markets = st.sampled_from(MARKETS)
own_trades = st.sampled_from([market for market in MARKETS if market.turnover])
around_the_clock = st.sampled_from([market for market in MARKETS if market.instrument.asset_class is AssetClass.CRYPTO])
# (finer, coarser): the coarser candle begins with a finer one in every market.
NESTED = [
    (Interval.S1, Interval.S5), (Interval.S5, Interval.S15), (Interval.S15, Interval.S30), (Interval.S1, Interval.M1),
    (Interval.M1, Interval.M3), (Interval.M1, Interval.M5), (Interval.M5, Interval.M15), (Interval.M15, Interval.M30),
    (Interval.S30, Interval.H1), (Interval.M1, Interval.H1), (Interval.H1, Interval.H2), (Interval.H2, Interval.H4),
    (Interval.H2, Interval.H6), (Interval.H4, Interval.H8), (Interval.H6, Interval.H12), (Interval.M1, Interval.D1),
    (Interval.H1, Interval.D1), (Interval.H12, Interval.D1), (Interval.D1, Interval.D3), (Interval.D1, Interval.W1),
    (Interval.D1, Interval.MO1), (Interval.H4, Interval.W1),
]  # fmt: skip


@pytest.mark.parametrize(("finer", "coarser"), NESTED)
@settings(max_examples=12)
@given(market=markets, moment=moments)
async def test_a_candle_is_the_sum_of_the_candles_inside(finer: Interval, coarser: Interval, market, moment: datetime):
    start = opening(coarser, moment)
    end = following(coarser, start)
    later = end + timedelta(days=40)
    name = str(market.instrument)

    outer, inner = [await bars_of(later, name, interval, start, end) for interval in (coarser, finer)]

    if isinstance(market.calendar, CurrencyWeek) and finer.intraday and not coarser.intraday:
        # Counted from New York's evening, longer ones do not divide a UTC day. Sunday belongs to Monday.
        assume(finer in (Interval.M1, Interval.H1) and start.weekday() != 6)
        inner = await bars_of(later, name, finer, start - timedelta(hours=3) * (start.weekday() == 0), end)
    elif coarser.intraday and not isinstance(market.calendar, Always):
        # Counted from the venue's opening, a candle may begin and end between the full hours of UTC.
        end = outer.open_time[-1] + coarser.delta if len(outer) else start
        inner = await bars_of(later, name, finer, outer.open_time[0] if len(outer) else start, end)
    assert len(outer) == 0 if len(inner) == 0 else whole(outer) == whole(inner)


@given(market=markets, moment=moments, interval=st.sampled_from(Interval))
async def test_candles_are_ascending_on_the_grid_and_without_jumps(market, moment: datetime, interval: Interval):
    start = opening(interval, moment)
    bars = await bars_of(moment, str(market.instrument), interval, start - 9 * interval.delta, moment)

    for i in range(len(bars)):
        assert bars.high[i] >= max(bars.open[i], bars.close[i]) >= min(bars.open[i], bars.close[i]) >= bars.low[i] > 0
        assert all(column[i] % market.tick == 0 for column in (bars.open, bars.high, bars.low, bars.close))
        assert bars.volume is None or (volumes(bars)[i] % market.step == 0 and volumes(bars)[i] > 0)
    assert (bars.volume is None) is (len(bars) == 0 or not market.turnover)
    assert list(bars.open_time) == sorted(set(bars.open_time))
    if market.instrument.asset_class in (AssetClass.CRYPTO, AssetClass.FX) and interval.seconds >= 60:
        steps = zip(bars.close, bars.open[1:], strict=False)
        assert all(abs(close - open_) <= market.tick for close, open_ in steps)


@given(
    market=markets,
    moment=moments,
    interval=st.sampled_from(Interval),
    wait=st.timedeltas(timedelta(0), timedelta(days=400)),
)
async def test_history_stays_as_it_was_told(market, moment: datetime, interval: Interval, wait: timedelta):
    name, end = str(market.instrument), opening(interval, moment)
    start = end - 9 * interval.delta

    told = await bars_of(moment, name, interval, start, end)
    told_later = await bars_of(moment + wait, name, interval, start - interval.delta, end + interval.delta)

    kept = [i for i, t in enumerate(told_later.open_time) if start <= t < end]
    assert told.open_time == tuple(told_later.open_time[i] for i in kept)
    # The newest candle of a session may still have been forming: it may reach over the UTC interval's end.
    closed = kept[:-1]
    for column in ("open", "high", "low", "close"):
        assert getattr(told, column)[: len(closed)] == tuple(getattr(told_later, column)[i] for i in closed)


@given(market=around_the_clock, moment=moments, seconds=st.integers(1, 3599))
async def test_the_forming_candle_grows(market, moment: datetime, seconds: int):
    start = opening(Interval.H1, moment)
    earlier, later = start + timedelta(seconds=seconds - 1), start + timedelta(seconds=seconds)
    end = start + timedelta(hours=1)

    old, new = [await bars_of(now, str(market.instrument), Interval.H1, start, end) for now in (earlier, later)]
    second = await bars_of(later, str(market.instrument), Interval.S1, later, end)

    assert len(old) == len(new) == len(second) == 1
    assert new.open == old.open
    assert new.close == second.close
    assert new.high[0] == max(old.high[0], second.high[0])
    assert new.low[0] == min(old.low[0], second.low[0])
    assert volumes(new) == (volumes(old)[0] + volumes(second)[0],)


@given(market=markets, moment=moments)
async def test_the_quote_is_the_newest_second_and_the_sides_are_apart(market, moment: datetime):
    quote = await quote_of(moment, str(market.instrument))
    opened, high, low, as_of = sure(quote.open), sure(quote.high), sure(quote.low), sure(quote.as_of)
    newest = await bars_of(moment, str(market.instrument), Interval.S1, as_of, moment + timedelta(seconds=1))

    assert as_of <= moment
    assert (newest.open_time, newest.close) == ((as_of,), (quote.price,))
    assert high >= max(quote.price, opened) >= min(quote.price, opened) >= low
    if market.turnover:
        bid, ask, vwap = sure(quote.bid), sure(quote.ask), sure(quote.vwap)
        assert quote.price == quote.last
        assert quote.price in (bid, ask)
        assert 0 < bid < ask
        assert low <= vwap <= high
        assert sure(quote.volume) >= sure(quote.last_size) > 0
    elif market.instrument.asset_class is AssetClass.FX:
        assert quote.price == (sure(quote.bid) + sure(quote.ask)) / 2
        assert sure(quote.bid) < quote.price
    else:
        assert (quote.bid, quote.ask, quote.last, quote.price_type) == (None, None, None, PriceType.INDEX)


@settings(max_examples=30)
@given(market=around_the_clock, moment=moments)
async def test_the_day_statistics_of_a_pair_are_its_last_1440_minutes(market, moment: datetime):
    end = opening(Interval.M1, moment)
    newest = end - timedelta(microseconds=1)

    quote = await quote_of(newest, str(market.instrument))
    minutes = await bars_of(newest, str(market.instrument), Interval.M1, end - timedelta(days=1), end)

    assert len(minutes) == 1440
    assert (quote.open, quote.high, quote.low, quote.last, quote.volume) == whole(minutes)
    assert quote.stats_window is StatsWindow.ROLLING_24H


@settings(max_examples=40)
@given(market=own_trades, moment=moments, last=st.integers(1, 1000))
async def test_trades_are_those_of_the_candles(market, moment: datetime, last: int):
    name = str(market.instrument)
    trades = await sandbox_at(moment).trades(TradesAsk(instrument=market.instrument, last=last))
    quote = await quote_of(moment, name)
    newest = trades[-1].time
    candle = await bars_of(moment, name, Interval.S1, newest, newest + timedelta(seconds=1))

    assert len(trades) == last
    assert (trades[-1].price, trades[-1].size, newest) == (quote.last, quote.last_size, quote.as_of)
    assert [t.time for t in trades] == sorted(t.time for t in trades)
    ids = [int(t.id) for t in trades]
    assert ids == sorted(set(ids))
    assert all(t.size > 0 and t.size % market.step == 0 for t in trades)
    assert candle.close == (trades[-1].price,)
    if trades[0].time < newest:
        assert volumes(candle) == (sum(t.size for t in trades if t.time == newest),)


@settings(max_examples=10)
@given(market=own_trades, moment=moments)
async def test_a_minute_of_trades_is_its_candle(market, moment: datetime):
    latest = market.calendar.latest(int(moment.timestamp()) // 60 * 60 - 1)
    end = datetime.fromtimestamp(latest + 1, UTC)
    start = end - timedelta(minutes=1)

    trades = await sandbox_at(end - timedelta(microseconds=1)).trades(TradesAsk(instrument=market.instrument, last=180))
    candle = await bars_of(end, str(market.instrument), Interval.M1, start, end)

    inside = [t for t in trades if t.time >= start]
    prices = [t.price for t in inside]
    assert (prices[0], max(prices), min(prices), prices[-1]) == (*candle.open, *candle.high, *candle.low, *candle.close)
    assert (sum(t.size for t in inside),) == volumes(candle)


@given(market=own_trades, moment=moments, depth=st.integers(1, 200))
async def test_the_book_is_sorted_and_begins_with_the_quote(market, moment: datetime, depth: int):
    book = await sandbox_at(moment).order_book(OrderBookAsk(instrument=market.instrument, depth=depth))
    quote = await quote_of(moment, str(market.instrument))

    bids, asks = [level.price for level in book.bids], [level.price for level in book.asks]
    assert len(bids) == len(asks) == depth
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert bids[-1] > 0
    assert (bids[0], asks[0]) == (quote.bid, quote.ask)
    assert (book.bids[0].size, book.asks[0].size) == (quote.bid_size, quote.ask_size)
    assert all(level.size > 0 and level.size % market.step == 0 for level in (*book.bids, *book.asks))
    assert book.as_of == quote.as_of


CROSSES = [
    ("crypto:ETH/BTC", "crypto:ETH/USD", "crypto:BTC/USD"),
    ("crypto:SOL/BTC", "crypto:SOL/USD", "crypto:BTC/USD"),
    ("crypto:BTC/EUR", "crypto:BTC/USD", "fx:EUR/USD"),
    ("crypto:ETH/EUR", "crypto:ETH/USD", "fx:EUR/USD"),
    ("crypto:BTC/USDT", "crypto:BTC/USD", "crypto:USDT/USD"),
    ("crypto:SOL/USDC", "crypto:SOL/USD", "crypto:USDC/USD"),
    ("crypto:USDT/EUR", "crypto:USDT/USD", "fx:EUR/USD"),
    ("fx:EUR/GBP", "fx:EUR/USD", "fx:GBP/USD"),
]


@pytest.mark.parametrize("names", CROSSES, ids=[names[0] for names in CROSSES])
@settings(max_examples=40)
@given(moment=moments)
async def test_cross_rates_agree_within_a_tick_of_each_price(names: tuple[str, str, str], moment: datetime):
    cross, above, below = [await quote_of(moment, name) for name in names]
    ticks = [BY_NAME[parse_instrument(name)].tick for name in names]

    ratio = above.price / below.price

    # Each of the two prices is rounded to its own tick: that much of the ratio is not knowable from them.
    rounding = ratio * (ticks[1] / above.price + ticks[2] / below.price) / 2
    assert abs(cross.price - ratio) <= ticks[0] / 2 + rounding * Decimal("1.001")


@settings(max_examples=50)
@given(moment=moments)
async def test_stable_coins_stay_within_a_few_basis_points_of_a_dollar_and_apart_from_it(moment: datetime):
    tether, usd = await quote_of(moment, "crypto:USDT/USD"), await quote_of(moment, "crypto:BTC/USD")
    in_tether = await quote_of(moment, "crypto:BTC/USDT")

    assert abs(tether.price - 1) < Decimal("0.0025")
    assert in_tether.price != usd.price


@given(market=markets, moment=moments)
async def test_prices_stay_near_their_reference_over_the_years(market, moment: datetime):
    now, then = await quote_of(NOON, str(market.instrument)), await quote_of(moment, str(market.instrument))

    assert Decimal("0.1") < then.price / now.price < 10
