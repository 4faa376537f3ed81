"""What the sandbox lists, covers and says about single moments."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from providers.simulated._noise import HourShape
from providers.simulated.sandbox import Sandbox
from schema.errors import NotCovered, UnknownInstrument
from schema.provenance import DataMode
from schema.symbols import parse_instrument
from schema.words.books import OrderBookAsk
from schema.words.candles import NO_BARS, Adjustment, CandlesAsk
from schema.words.caps import MarketCapsAsk
from schema.words.history import HistoricalQuoteAsk, PriceHistoryAsk
from schema.words.instruments import InstrumentsAsk, InstrumentType, SearchAsk
from schema.words.intervals import Interval
from schema.words.quotes import PriceType, QuotesAsk, StatsWindow
from schema.words.rates import FxRatesAsk
from schema.words.trades import Side, TradesAsk
from schema.words.venues import MarketState, TradingHours
from tests.providers.sandbox_exchange import NOON, bars_of, quote_of, sandbox_at, volumes, whole

SATURDAY = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


class OtherSeed(Sandbox):
    seed = 7


async def test_the_reference_instant_has_the_stated_levels():
    asked = ("crypto:BTC/USD", "crypto:ETH/USD", "crypto:ETH/BTC", "crypto:XRP/USD", "fx:EUR/USD", "equity:SAP@XETR")

    found = await sandbox_at(NOON).quotes(QuotesAsk(instruments=tuple(map(parse_instrument, asked))))

    assert [str(quote.price) for quote in found] == ["91250.00", "3020.00", "0.033096", "2.10000", "1.15800", "224.40"]


async def test_another_process_tells_the_same_story():
    program = (
        "import asyncio\nfrom tests.providers.sandbox_exchange import NOON, quote_of\n"
        "print(asyncio.run(quote_of(NOON.replace(year=2021), 'crypto:SOL/EUR')))"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: ASYNC221

    assert run.stdout.strip() == str(await quote_of(NOON.replace(year=2021), "crypto:SOL/EUR"))


async def test_another_seed_is_another_market_with_the_same_levels():
    ours, other = [await quote_of(NOON, "crypto:BTC/USD", kind) for kind in (Sandbox, OtherSeed)]

    assert ours.price == other.price == Decimal("91250.00")
    assert ours.open != other.open


async def test_a_closed_venue_shows_its_last_session():
    quote = await quote_of(SATURDAY, "equity:AAPL")
    friday = datetime(2026, 11, 20, tzinfo=UTC)
    days = await bars_of(SATURDAY, "equity:AAPL", Interval.D1, friday - timedelta(days=1), friday + timedelta(days=3))

    assert quote.as_of == datetime(2026, 11, 20, 20, 59, 59, tzinfo=UTC)
    assert days.session_date == (date(2026, 11, 19), date(2026, 11, 20))
    assert days.open_time == (friday - timedelta(days=1), friday)
    assert (quote.open, quote.high, quote.low, quote.price, quote.volume) == (
        days.open[1], days.high[1], days.low[1], days.close[1], volumes(days)[1]
    )  # fmt: skip
    assert quote.previous_close == days.close[0]
    assert (quote.price_type, quote.stats_window) == (PriceType.LAST, StatsWindow.SESSION)
    assert quote.market_state is MarketState.UNKNOWN


async def test_sessions_follow_the_venues_clock_through_the_change_of_time():
    start = datetime(2026, 10, 30, tzinfo=UTC)  # Friday; New York leaves summer time on Sunday

    bars = await bars_of(SATURDAY, "equity:SPY", Interval.H1, start, start + timedelta(days=4))

    hours = [t.strftime("%d %H:%M") for t in bars.open_time]
    assert hours == [f"30 {hour}:30" for hour in range(13, 20)] + [f"02 {hour}:30" for hour in range(14, 21)]


async def test_currencies_rest_from_friday_to_sunday_evening():
    start = datetime(2026, 11, 20, 20, tzinfo=UTC)
    monday = datetime(2026, 11, 23, 1, tzinfo=UTC)

    hours = await bars_of(monday, "fx:EUR/USD", Interval.H1, start, monday)
    friday, sunday = [await quote_of(moment, "fx:EUR/USD") for moment in (SATURDAY, SATURDAY + timedelta(days=1))]

    assert [t.strftime("%d %H") for t in hours.open_time] == ["20 20", "20 21", "22 22", "22 23", "23 00"]
    assert friday.as_of == sunday.as_of == datetime(2026, 11, 20, 21, 59, 59, tzinfo=UTC)
    assert friday.price == hours.close[1] == hours.open[2]
    assert (friday.price_type, friday.stats_window, friday.volume) == (PriceType.MID, StatsWindow.SESSION, None)


async def test_the_currency_week_follows_new_york_into_summer():
    start = datetime(2026, 7, 10, 18, tzinfo=UTC)  # a Friday

    bars = await bars_of(NOON, "fx:EUR/USD", Interval.H2, start, start + timedelta(days=2, hours=8))

    assert [t.strftime("%d %H:%M") for t in bars.open_time] == ["10 19:00", "12 21:00", "12 23:00", "13 01:00"]


async def test_a_currencys_sunday_evening_belongs_to_monday():
    sunday = datetime(2026, 11, 15, tzinfo=UTC)

    days = await bars_of(NOON, "fx:EUR/USD", Interval.D1, sunday - timedelta(days=1), sunday + timedelta(days=3))
    hours = await bars_of(NOON, "fx:EUR/USD", Interval.H1, sunday, sunday + timedelta(days=2))
    weeks = await bars_of(NOON, "fx:EUR/USD", Interval.W1, sunday, sunday + timedelta(days=3))

    assert [t.day for t in days.open_time] == [16, 17]
    assert (days.open[0], days.close[0]) == (hours.open[0], hours.close[-1]) == (weeks.open[0], days.open[1])
    assert (hours.open_time[0].hour, len(hours)) == (22, 26)


async def test_currency_statistics_begin_at_five_in_new_york():
    quote = await quote_of(NOON, "fx:EUR/USD")
    hours = await bars_of(NOON, "fx:EUR/USD", Interval.H1, NOON - timedelta(hours=14), NOON + timedelta(hours=1))

    assert (quote.open, quote.high, quote.low, quote.price) == whole(hours)[:4]
    assert quote.previous_close == hours.open[0]


@pytest.mark.parametrize("interval", [Interval.D3, Interval.W1, Interval.MO1])
async def test_long_candles_of_a_venue_name_their_first_day(interval: Interval):
    bars = await bars_of(NOON, "equity:AAPL", interval, NOON - timedelta(days=70), NOON)

    assert bars.session_date == tuple(t.date() for t in bars.open_time)


async def test_all_adjustments_and_hours_are_one_series():
    ranges = (NOON - timedelta(days=30), NOON)

    series = [
        await bars_of(NOON, "equity:AAPL", Interval.M30, *ranges, adjustment=adjustment, hours=hours)
        for adjustment in Adjustment
        for hours in TradingHours
    ]

    assert len(series[0]) == 22 * 13
    assert all(bars == series[0] for bars in series)


async def test_weeks_begin_on_monday_and_months_on_the_first():
    start = datetime(2026, 9, 2, tzinfo=UTC)

    weeks = await bars_of(NOON, "crypto:BTC/USD", Interval.W1, start, start + timedelta(days=21))
    months = await bars_of(NOON, "crypto:BTC/USD", Interval.MO1, start, NOON)

    assert [t.date() for t in weeks.open_time] == [date(2026, 9, 7), date(2026, 9, 14), date(2026, 9, 21)]
    assert [t.date() for t in months.open_time] == [date(2026, 10, 1), date(2026, 11, 1)]
    assert weeks.session_date is None


@pytest.mark.parametrize("days", [(1, 2), (-7000, -6990)])
async def test_the_future_and_the_time_before_2010_have_no_candles(days: tuple[int, int]):
    start, end = [NOON + timedelta(days=count) for count in days]

    assert await bars_of(NOON, "crypto:BTC/USD", Interval.D1, start, end) == NO_BARS


async def test_only_what_is_listed_is_answered():
    asked = tuple(map(parse_instrument, ("crypto:BTC/USD@sandbox", "crypto:BTC/ZZZ", "equity:VOD@XLON")))

    found = await sandbox_at(NOON).quotes(QuotesAsk(instruments=asked))

    assert [quote.instrument for quote in found] == [asked[0], asked[2]]
    assert found[1].currency == "GBP"
    with pytest.raises(UnknownInstrument, match=r"^sandbox: crypto:BTC/ZZZ is not listed$"):
        await sandbox_at(NOON).trades(TradesAsk(instrument=asked[1]))


@pytest.mark.parametrize(
    ("name", "quotes", "trades"),
    [
        ("crypto:BTC/USD", True, True), ("crypto:BTC/USD@sandbox", True, True), ("crypto:BTC/USDT:USDT", True, True),
        ("crypto:BTC/USD@binance", False, False), ("equity:AAPL@XNAS", True, True), ("equity:AAPL@XLON", False, False),
        ("equity:VOD", False, False), ("index:SPX", True, False), ("fx:USD/JPY", True, False),
        ("fx:JPY/USD", False, False),
    ],
)  # fmt: skip
def test_what_is_covered(name: str, quotes: bool, trades: bool):
    offers, instrument = Sandbox.offers, parse_instrument(name)

    assert offers["quotes"].covers(QuotesAsk(instruments=(instrument,))) is quotes
    assert (
        offers["candles"].covers(CandlesAsk(instrument=instrument, interval=Interval.M1, start=NOON, end=NOON))
        is quotes
    )
    assert offers["orderBook"].covers(OrderBookAsk(instrument=instrument)) is trades
    assert offers["trades"].covers(TradesAsk(instrument=instrument)) is trades


def test_the_profile_says_that_it_is_simulated_and_comes_first():
    profile = Sandbox.profile

    assert (profile.mode, profile.priority, profile.credentials) == (DataMode.SIMULATED, 0, ())
    assert profile.licence.attribution == "Simulated data, not market data"
    assert set(Sandbox.offers) == {
        "quotes", "candles", "orderBook", "trades", "instruments", "search", "marketCaps", "fxRates", "historicalQuote",
        "priceHistory",
    }  # fmt: skip
    assert Sandbox.offers["candles"].intervals == tuple(Interval)


async def test_the_list_names_everything_once():
    rows = await sandbox_at(NOON).instruments(InstrumentsAsk())

    assert len(rows) == len({row.instrument for row in rows}) == len({row.provider_symbol for row in rows}) == 53
    assert [row.rank for row in rows] == list(range(53))
    [apple] = [row for row in rows if row.provider_symbol == "AAPL"]
    assert (apple.isin, apple.figi, apple.currency) == ("US0378331005", "BBG000B9XRY4", "USD")
    assert (str(apple.tick_size), str(apple.step_size), apple.min_notional) == ("0.01", "1", None)
    [spy] = [row for row in rows if row.provider_symbol == "SPY"]
    assert spy.type is InstrumentType.ETF
    [bitcoin] = [row for row in rows if row.provider_symbol == "BTC-USD"]
    assert (str(bitcoin.tick_size), str(bitcoin.min_size), str(bitcoin.min_notional)) == ("0.01", "0.00001", "5")
    # About five dollars, whatever it is priced in.
    least = {row.instrument.quote: str(row.min_notional) for row in rows if row.min_notional is not None}
    assert least == {"USD": "5", "USDT": "5", "USDC": "5", "EUR": "5", "BTC": "0.00005"}


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("aapl", ["AAPL"]), ("US0378331005", ["AAPL"]), ("BBG000C6K6G9", ["VOD.XLON"]), ("vod.xlon", ["VOD.XLON"]),
        ("BTCUSD", ["BTC-USD", "BTC-USDT", "BTC-USDC"]), ("apple", ["AAPL"]), ("EUR/USD", ["EURUSD"]), (" ", []),
        ("nothing of the kind", []),
    ],
)  # fmt: skip
async def test_search_finds_identifiers_beginnings_and_names(text: str, symbols: list[str]):
    found = await sandbox_at(NOON).search(SearchAsk(text=text, limit=3))

    assert [row.provider_symbol for row in found] == symbols


async def test_market_caps_are_price_times_supply_in_descending_order():
    caps = await sandbox_at(NOON).market_caps(MarketCapsAsk(currency="USD", first=3))
    in_euro = await sandbox_at(NOON).market_caps(MarketCapsAsk(currency="EUR", first=100))

    assert [(cap.rank, cap.asset, str(cap.price)) for cap in caps] == [
        (1, "BTC", "91250.00"), (2, "ETH", "3020.00"), (3, "USDT", "0.99960"),
    ]  # fmt: skip
    assert all(cap.market_cap == cap.price * cap.circulating_supply for cap in (*caps, *in_euro))
    assert (len(in_euro), in_euro[0].price) == (12, (await quote_of(NOON, "crypto:BTC/EUR")).price)
    assert caps[0].max_supply == 21_000_000


async def test_daily_rates_are_the_closes_of_the_days_that_are_over():
    sandbox, pair = sandbox_at(NOON), "fx:EUR/USD"
    ask = FxRatesAsk(base="EUR", quotes=("USD", "EUR"), start=date(2026, 11, 12), end=date(2026, 11, 25))

    rates = await sandbox.fx_rates(ask)
    days = await bars_of(NOON, pair, Interval.D1, datetime(2026, 11, 12, tzinfo=UTC), NOON)

    closes = {t.date(): close for t, close in zip(days.open_time, days.close, strict=True) if t.weekday() < 5}
    assert [rate.date for rate in rates] == [date(2026, 11, day) for day in (12, 13, 16, 17, 18, 19)]
    assert [rate.rate for rate in rates] == [closes[rate.date] for rate in rates]
    assert {(rate.quote, rate.price_type) for rate in rates} == {("USD", PriceType.CLOSE)}


async def test_newest_rates_are_the_middle_prices_of_all_currencies():
    rates = await sandbox_at(SATURDAY).fx_rates(FxRatesAsk(base="USD"))

    assert [rate.quote for rate in rates] == ["AUD", "CAD", "CHF", "EUR", "GBP", "JPY"]
    assert rates[-1].rate == (await quote_of(SATURDAY, "fx:USD/JPY")).price
    assert {(rate.date, rate.price_type) for rate in rates} == {(None, PriceType.MID)}
    assert {rate.as_of for rate in rates} == {datetime(2026, 11, 20, 21, 59, 59, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("base", "quotes", "covered"), [("EUR", ("USD",), True), ("EUR", ("SEK",), False), ("BTC", (), False)]
)
def test_rates_are_covered_between_the_currencies_that_are_traded(base: str, quotes: tuple[str, ...], covered: bool):
    assert Sandbox.offers["fxRates"].covers(FxRatesAsk(base=base, quotes=quotes)) is covered


async def test_a_day_is_not_added_up_from_its_minutes(monkeypatch: pytest.MonkeyPatch):
    looked: list[int] = []
    value = HourShape.at

    def counted(shape: HourShape, second: int) -> float:
        looked.append(second)
        return value(shape, second)

    monkeypatch.setattr(HourShape, "at", counted)

    bars = await bars_of(NOON, "crypto:ETH/BTC", Interval.D1, NOON.replace(hour=0) - timedelta(days=999), NOON)

    assert len(bars) == 1000
    # Only the two ends of each day, and of the day that is forming its last hour.
    assert len(looked) < 4 * 1000


@pytest.mark.parametrize("name", ["equity:AAPL", "equity:TSLA", "equity:NVDA", "equity:META"])
async def test_the_first_second_of_a_session_is_one_story(name: str):
    monday = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    sandbox, instrument = sandbox_at(monday), parse_instrument(name)

    quote = await quote_of(monday, name)
    book = await sandbox.order_book(OrderBookAsk(instrument=instrument))
    trades = await sandbox.trades(TradesAsk(instrument=instrument, last=20))

    assert (quote.as_of, book.as_of, trades[-1].time) == (monday, monday, monday)
    assert trades[0].time < datetime(2026, 11, 20, 21, tzinfo=UTC)
    assert (quote.bid, quote.ask) == (book.bids[0].price, book.asks[0].price)
    assert quote.price == (quote.ask if trades[-1].side is Side.BUY else quote.bid) == quote.open


async def test_both_sides_trade():
    trades = await sandbox_at(NOON).trades(TradesAsk(instrument=parse_instrument("crypto:BTC/USDT"), last=200))

    assert {trade.side for trade in trades} == {Side.BUY, Side.SELL}


async def test_a_price_of_the_past_is_the_one_that_was_told_then():
    instrument, then = parse_instrument("equity:AAPL"), datetime(2021, 7, 5, 12, tzinfo=UTC)  # a holiday

    found = await sandbox_at(NOON).historical_quote(HistoricalQuoteAsk(instrument=instrument, at=then))

    assert found == await quote_of(then, "equity:AAPL")
    assert found.as_of == datetime(2021, 7, 2, 19, 59, 59, tzinfo=UTC)
    with pytest.raises(NotCovered, match="its history begins on 2010-01-01"):
        await sandbox_at(NOON).historical_quote(
            HistoricalQuoteAsk(instrument=instrument, at=datetime(2009, 12, 31, tzinfo=UTC))
        )


async def test_a_line_of_prices_is_cut_out_of_the_same_path_as_candles():
    start, end = NOON - timedelta(days=3), NOON
    ask = PriceHistoryAsk(instrument=parse_instrument("crypto:BTC/USD"), interval=Interval.H1, start=start, end=end)

    found = await sandbox_at(NOON).price_history(ask)

    bars = await bars_of(NOON, "crypto:BTC/USD", Interval.H1, start, end)
    assert [(each.time, each.price) for each in found] == list(zip(bars.open_time, bars.open, strict=True))
    assert (len(found), {each.currency for each in found}) == (72, {"USD"})
    assert not Sandbox.offers["priceHistory"].covers(replace(ask, instrument=parse_instrument("equity:AAPL")))


async def test_a_perpetual_stays_near_its_spot_market_and_is_none():
    start = NOON - timedelta(days=365)

    spot, perpetual = [
        await bars_of(NOON, name, Interval.D1, start, NOON) for name in ("crypto:BTC/USDT", "crypto:BTC/USDT:USDT")
    ]

    premiums = [later / former - 1 for former, later in zip(spot.close, perpetual.close, strict=True)]
    assert (min(premiums).quantize(Decimal("0.0001")), max(premiums).quantize(Decimal("0.0001"))) == (
        Decimal("0.0003"), Decimal("0.0021"),
    )  # fmt: skip
    [listing] = await sandbox_at(NOON).search(SearchAsk(text="BTC-USDT-PERP", limit=5))
    assert (str(listing.instrument), listing.type) == ("crypto:BTC/USDT:USDT", InstrumentType.PERPETUAL)
