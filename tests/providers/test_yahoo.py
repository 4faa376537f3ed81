"""Yahoo's symbols both ways, its trading day, its minor units, and what its charts leave out or add."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.equities._yahoo import COINS, FIATS, INDICES, SUFFIXES, instrument_of, same_symbol, shifted, symbol_of
from providers.equities._yahoo_candles import parse_candles
from providers.equities.yahoo import charted, earliest, market_state, parse_quote
from providers.row import Row
from schema.errors import Malformed, NotCovered
from schema.symbols import AssetClass, InstrumentId, crypto, equity, fx, parse_instrument
from schema.words.candles import Adjustment, CandlesAsk
from schema.words.intervals import Interval
from schema.words.venues import MarketState, TradingHours

AAPL = equity("AAPL")
tickers = st.from_regex(r"[A-Z0-9]{1,6}(\.[A-Z]{1,2})?", fullmatch=True)
currencies = st.from_regex(r"[A-Z]{3}", fullmatch=True)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def stamp(text: str) -> int:
    return int(at(text).timestamp())


def chart(meta: dict[str, object], *rows: tuple[int, str, str, str, str, str | None]) -> Row:
    """A chart whose numbers keep their digits; a row is (stamp, open, high, low, close, volume)."""
    names = ("open", "high", "low", "close", "volume")
    quote = {
        name: [None if row[i] is None else msgspec.Raw(str(row[i]).encode()) for row in rows]
        for i, name in enumerate(names, 1)
    }
    body = {"meta": meta, "timestamp": [row[0] for row in rows], "indicators": {"quote": [quote]}}
    return Row.json("yahoo", msgspec.json.encode(body))


def ask(interval: Interval, start: str, end: str, **more: object) -> CandlesAsk:
    return CandlesAsk(instrument=AAPL, interval=interval, start=at(start), end=at(end), **more)  # type: ignore[arg-type]


@given(ticker=tickers, venue=st.sampled_from(["", *SUFFIXES]))
def test_a_security_is_found_again_by_the_symbol_that_it_is_asked_by(ticker: str, venue: str):
    symbol = symbol_of(equity(ticker, venue))

    assert symbol is not None
    assert instrument_of(symbol) == equity(ticker, venue)


@given(base=currencies, quote=currencies)
def test_a_currency_pair_is_found_again(base: str, quote: str):
    assert instrument_of(symbol_of(fx(base, quote)) or "") == fx(base, quote)


@pytest.mark.parametrize("asset", COINS)
@pytest.mark.parametrize("fiat", sorted(FIATS))
def test_a_coin_is_found_again(asset: str, fiat: str):
    assert instrument_of(symbol_of(crypto(asset, fiat)) or "") == crypto(asset, fiat)


@pytest.mark.parametrize("name", [*INDICES, "^XYZ", "^BVSP.X"])
def test_an_index_is_found_again(name: str):
    index = InstrumentId(asset_class=AssetClass.INDEX, base=name)

    assert instrument_of(symbol_of(index) or "") == index


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("equity:AAPL", "AAPL"),
        ("equity:AAPL@XNAS", "AAPL"),
        ("equity:BRK.B", "BRK-B"),
        ("equity:VOD@XLON", "VOD.L"),
        ("equity:0700@XHKG", "0700.HK"),
        ("equity:M&M@XNSE", "M&M.NS"),
        ("index:SPX", "^GSPC"),
        ("index:^GSPC", "^GSPC"),
        ("fx:EUR/USD", "EURUSD=X"),
        ("crypto:BTC/USD", "BTC-USD"),
        ("crypto:UNI/USD", "UNI7083-USD"),
    ],
)
def test_symbols_are_written_as_yahoo_does(text: str, symbol: str):
    assert symbol_of(parse_instrument(text)) == symbol


@pytest.mark.parametrize(
    "text",
    [
        "equity:BTC-USD",
        "equity:EURUSD=X",
        "equity:^GSPC",
        "equity:VOD@XXXX",
        "equity:AAPL-261218-200-C",
        "index:NOBODY",
        "fx:EUR/USDT",
        "crypto:BTC/USDT",
        "crypto:BTC/USD@kraken",
        "crypto:BTC/USD:USD",
        "crypto:NOBODY/USD",
        "macro:US.CPI",
    ],
)
def test_what_yahoo_would_mistake_or_does_not_have_is_not_asked_for(text: str):
    assert symbol_of(parse_instrument(text)) is None


@pytest.mark.parametrize("symbol", ["GC=F", "UNI-USD", "VOD.XX", "AAPL251219C00120000.", "eurusd=x", ""])
def test_symbols_of_other_kinds_mean_nothing_here(symbol: str):
    assert instrument_of(symbol) is None


def test_the_dollar_may_be_left_out_where_it_is_the_base():
    assert instrument_of("JPY=X") == fx("USD", "JPY")


@given(number=st.decimals(allow_nan=False, allow_infinity=False, places=20, min_value=0, max_value=10**30))
def test_moving_the_point_never_rounds(number: Decimal):
    moved = shifted(number, -2)

    assert moved.as_tuple().digits == number.as_tuple().digits
    assert moved.as_tuple().exponent == int(number.as_tuple().exponent) - 2


NEW_YORK_DAY = {
    "currentTradingPeriod": {
        "pre": {"start": stamp("2026-11-20T09:00Z"), "end": stamp("2026-11-20T14:30Z")},
        "regular": {"start": stamp("2026-11-20T14:30Z"), "end": stamp("2026-11-20T21:00Z")},
        "post": {"start": stamp("2026-11-20T21:00Z"), "end": stamp("2026-11-21T01:00Z")},
    }
}


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        ("2026-11-20T08:59:59Z", MarketState.CLOSED),
        ("2026-11-20T09:00:00Z", MarketState.PRE),
        ("2026-11-20T14:29:59Z", MarketState.PRE),
        ("2026-11-20T14:30:00Z", MarketState.REGULAR),
        ("2026-11-20T20:59:59Z", MarketState.REGULAR),
        ("2026-11-20T21:00:00Z", MarketState.POST),
        ("2026-11-21T01:00:00Z", MarketState.CLOSED),
    ],
)
def test_the_state_is_where_the_clock_stands_in_the_trading_day(moment: str, state: MarketState):
    assert market_state(Row("yahoo", NEW_YORK_DAY), AssetClass.EQUITY, at(moment)) is state


def test_the_last_minute_of_a_currency_day_is_open():
    day = {"regular": {"start": stamp("2026-11-19T00:00Z"), "end": stamp("2026-11-19T23:59Z")}}
    meta = Row("yahoo", {"currentTradingPeriod": day})

    assert market_state(meta, AssetClass.FX, at("2026-11-19T23:59:30Z")) is MarketState.REGULAR
    assert market_state(meta, AssetClass.INDEX, at("2026-11-19T23:59:30Z")) is MarketState.CLOSED


def test_a_quote_needs_only_its_price():
    quote = parse_quote(AAPL, Row.json("yahoo", b'{"meta": {"regularMarketPrice": 272.41}}'), at("2026-11-20T12:00Z"))

    assert (quote.price, quote.currency, quote.as_of) == (Decimal("272.41"), "XXX", None)
    assert quote.market_state is MarketState.UNKNOWN


def test_a_quote_without_a_price_is_malformed():
    with pytest.raises(Malformed, match=r"yahoo: \$\.meta has no 'regularMarketPrice'"):
        parse_quote(AAPL, Row("yahoo", {"meta": {}}), at("2026-11-20T12:00Z"))


@pytest.mark.parametrize(
    ("text", "interval", "adjustment", "hours", "covered"),
    [
        ("equity:AAPL", Interval.D1, Adjustment.SPLITS, TradingHours.REGULAR, True),
        ("equity:AAPL", Interval.D1, Adjustment.NONE, TradingHours.REGULAR, False),
        ("equity:AAPL", Interval.D1, Adjustment.SPLITS_AND_DIVIDENDS, TradingHours.REGULAR, True),
        ("equity:AAPL", Interval.W1, Adjustment.SPLITS_AND_DIVIDENDS, TradingHours.REGULAR, False),
        ("equity:AAPL", Interval.M5, Adjustment.SPLITS_AND_DIVIDENDS, TradingHours.REGULAR, False),
        ("equity:AAPL", Interval.M5, Adjustment.SPLITS, TradingHours.EXTENDED, True),
        ("equity:AAPL", Interval.D1, Adjustment.SPLITS, TradingHours.EXTENDED, False),
        ("equity:AAPL", Interval.H4, Adjustment.SPLITS, TradingHours.REGULAR, False),
        ("index:SPX", Interval.D1, Adjustment.NONE, TradingHours.REGULAR, True),
        ("index:SPX", Interval.D1, Adjustment.SPLITS_AND_DIVIDENDS, TradingHours.REGULAR, False),
        ("fx:EUR/USD", Interval.D1, Adjustment.NONE, TradingHours.REGULAR, True),
        ("crypto:BTC/USD", Interval.W1, Adjustment.NONE, TradingHours.REGULAR, True),
        ("crypto:BTC/USD@binance", Interval.W1, Adjustment.NONE, TradingHours.REGULAR, False),
    ],
)
def test_an_adjustment_is_covered_where_it_is_true_of_all_four_prices(
    text: str, interval: Interval, adjustment: Adjustment, hours: TradingHours, covered: bool
):
    question = CandlesAsk(
        instrument=parse_instrument(text),
        interval=interval,
        start=at("2026-11-02T00:00Z"),
        end=at("2026-11-16T00:00Z"),
        adjustment=adjustment,
        hours=hours,
    )

    assert charted(question) is covered


@given(week=st.integers(0, 2000))
def test_weeks_are_asked_for_from_a_moment_that_is_a_monday_in_every_zone(week: int):
    start = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(weeks=week)

    moment = earliest(CandlesAsk(instrument=AAPL, interval=Interval.W1, start=start, end=start + timedelta(weeks=1)))

    assert [(moment + timedelta(hours=offset)).weekday() for offset in (-11, 0, 11)] == [0, 0, 0]
    assert moment + timedelta(hours=14) < start


EASTERN = {"currency": "USD", "exchangeTimezoneName": "America/New_York", "gmtoffset": -18000}


def test_a_row_that_comes_twice_is_one_bar():
    row = (stamp("2026-11-19T14:30Z"), "1", "2", "0.5", "1.5", "10")

    bars = parse_candles(ask(Interval.D1, "2026-11-19T00:00Z", "2026-11-20T00:00Z"), chart(EASTERN, row, row))

    assert bars.open_time == (at("2026-11-19T14:30Z"),)
    assert bars.volume == (Decimal(10),)


def test_post_market_opens_a_bar_of_its_own_even_after_half_an_hour():
    rows = chart(
        EASTERN,
        (stamp("2026-11-19T20:30Z"), "1", "2", "0.5", "1.5", "10"),
        (stamp("2026-11-19T21:00Z"), "1.5", "1.6", "1.4", "1.45", "3"),
    )
    extended = ask(Interval.H1, "2026-11-19T00:00Z", "2026-11-20T00:00Z", hours=TradingHours.EXTENDED)
    regular = ask(Interval.H1, "2026-11-19T00:00Z", "2026-11-20T00:00Z")

    assert parse_candles(extended, rows).close == (Decimal("1.5"), Decimal("1.45"))
    assert parse_candles(regular, rows).close == (Decimal("1.45"),)


def test_two_months_rows_in_the_middle_of_a_series_are_malformed():
    rows = chart(
        EASTERN,
        (stamp("2026-09-01T04:00Z"), "1", "1", "1", "1", "1"),
        (stamp("2026-09-15T04:00Z"), "1", "1", "1", "1", "1"),
        (stamp("2026-10-01T04:00Z"), "1", "1", "1", "1", "1"),
    )

    with pytest.raises(Malformed, match="has two rows of one month"):
        parse_candles(ask(Interval.MO1, "2026-09-01T00:00Z", "2026-11-01T00:00Z"), rows)


def test_weeks_that_begin_on_another_day_are_not_passed_off_as_calendar_weeks():
    rows = chart(
        EASTERN,
        (stamp("2026-11-04T05:00Z"), "1", "1", "1", "1", "1"),
        (stamp("2026-11-11T05:00Z"), "1", "1", "1", "1", "1"),
    )

    with pytest.raises(NotCovered, match="do not begin on a Monday"):
        parse_candles(ask(Interval.W1, "2026-11-02T00:00Z", "2026-11-16T00:00Z"), rows)


def test_an_unknown_time_zone_is_named():
    rows = chart({**EASTERN, "exchangeTimezoneName": "Moon/Tycho"}, (1, "1", "1", "1", "1", "1"))

    with pytest.raises(Malformed, match=r"\$\.meta\.exchangeTimezoneName is not a time zone \(got 'Moon/Tycho'\)"):
        parse_candles(ask(Interval.D1, "2026-11-02T00:00Z", "2026-11-16T00:00Z"), rows)


def test_pieces_of_a_range_never_share_a_session():
    rows = chart(
        {**EASTERN, "exchangeTimezoneName": "Australia/Sydney"},
        (stamp("2026-11-15T23:00Z"), "1", "1", "1", "1", "1"),
        (stamp("2026-11-16T23:00Z"), "2", "2", "2", "2", "2"),
    )

    first = parse_candles(ask(Interval.D1, "2026-11-16T00:00Z", "2026-11-17T00:00Z"), rows)
    second = parse_candles(ask(Interval.D1, "2026-11-17T00:00Z", "2026-11-18T00:00Z"), rows)

    assert (first.close, second.close) == ((Decimal(1),), (Decimal(2),))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("equity:AAPL", "aapl"), ("equity:BRK.B", "BRK-B"), ("equity:VOD@XLON", "VOD.L"), ("index:SPX", "^GSPC"),
        ("fx:EUR/USD", "EURUSD=X"), ("fx:USD/JPY", "JPY=X"), ("crypto:UNI/USD", "UNI7083-USD"),
    ],
)  # fmt: skip
def test_a_chart_names_its_symbol_as_asked_or_as_yahoo_lists_it(text: str, told: str):
    same_symbol(parse_instrument(text), Row("yahoo", {"symbol": told}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("equity:AAPL", "MSFT"), ("equity:VOD@XLON", "VOD"), ("index:SPX", "^NDX"), ("fx:EUR/USD", "EUR=X"),
        ("fx:USD/JPY", "EURJPY=X"), ("crypto:UNI/USD", "UNI-USD"),
    ],
)  # fmt: skip
def test_the_chart_of_another_symbol_is_malformed(text: str, told: str):
    instrument = parse_instrument(text)

    with pytest.raises(Malformed) as refused:
        same_symbol(instrument, Row("yahoo", {"symbol": told}))

    assert str(refused.value) == f"yahoo: $.symbol is not {symbol_of(instrument)!r} (got {told!r})"


@pytest.mark.parametrize("absent", [None, "", 0])
def test_a_quote_without_a_stamp_has_no_time(absent: object):
    body = chart({"regularMarketPrice": 1, "regularMarketTime": absent}, (1795098600, "1", "1", "1", "1", "1"))

    quote = parse_quote(AAPL, body, at("2026-11-20T12:00Z"))

    assert (quote.as_of, quote.open) == (None, None)
