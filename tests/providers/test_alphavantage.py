"""Alpha Vantage's symbols both ways, its refusals inside a 200, its months and its adjustments."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.contract import Http, Reply
from providers.equities._alphavantage import (
    SUFFIXES,
    instrument_of,
    is_exchanged,
    is_priced_security,
    symbol_of,
)
from providers.equities._alphavantage_candles import months, parse_daily, parse_intraday, parse_longer
from providers.equities._alphavantage_quotes import parse_quote, parse_rate
from providers.equities.alphavantage import AlphaVantage, charted
from providers.row import Row
from schema.errors import (
    Malformed,
    NotCovered,
    QuotaExhausted,
    Throttled,
    Unauthorized,
    UnknownInstrument,
    UpstreamError,
)
from schema.symbols import crypto, equity, fx, parse_instrument
from schema.words.candles import Adjustment, CandlesAsk
from schema.words.intervals import Interval
from schema.words.venues import TradingHours

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
tickers = st.from_regex(r"[A-Z0-9]{1,6}(\.[A-Z]{1,2})?", fullmatch=True)


class StoppedClock:
    """Stands at noon."""

    def now(self) -> datetime:
        return NOW


def explain(body: object, status: int = 200) -> UpstreamError | None:
    http: Http = None  # type: ignore[assignment]
    return AlphaVantage(http, StoppedClock()).explain(Reply(status=status, headers={}, body=Row("alphavantage", body)))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def ask(interval: Interval, start: str, end: str, adjustment: Adjustment = Adjustment.NONE) -> CandlesAsk:
    return CandlesAsk(instrument=equity("IBM"), interval=interval, start=at(start), end=at(end), adjustment=adjustment)


@given(ticker=tickers, venue=st.sampled_from(["", *SUFFIXES]))
def test_a_security_is_found_again_by_the_symbol_that_it_is_asked_by(ticker: str, venue: str):
    symbol = symbol_of(equity(ticker, venue))

    assert symbol is not None
    assert instrument_of(symbol) == equity(ticker, venue)


@pytest.mark.parametrize(
    ("text", "symbol"),
    [("equity:IBM", "IBM"), ("equity:BRK.B", "BRK-B"), ("equity:SHOP@XTSE", "SHOP.TRT"), ("equity:IBM@XNYS", None)],
)
def test_symbols_are_written_as_alpha_vantage_does(text: str, symbol: str | None):
    assert symbol_of(parse_instrument(text)) == symbol


@pytest.mark.parametrize(
    ("text", "priced"),
    [
        ("equity:IBM", True),
        ("equity:SAP@XETR", True),
        # In pence, pounds or dollars: the answer does not say.
        ("equity:VOD@XLON", False),
        ("equity:SHOP@XTSE", False),
        ("equity:IBM-261218-200-C", False),
        ("index:SPX", False),
    ],
)
def test_a_security_is_priced_only_where_its_currency_is_certain(text: str, priced: bool):
    assert is_priced_security(parse_instrument(text)) is priced


@pytest.mark.parametrize(
    ("text", "exchanged"),
    [
        ("fx:EUR/USD", True),
        ("crypto:BTC/CNY", True),
        ("crypto:BTC/USDT", False),
        ("crypto:ETH/BTC", False),
        ("crypto:UNI/USD", False),
        ("crypto:BTC/USD:USD", False),
        ("crypto:BTC/USD@kraken", False),
        ("equity:IBM", False),
    ],
)
def test_pairs_are_those_of_currencies_and_of_coins_in_one(text: str, exchanged: bool):
    assert is_exchanged(parse_instrument(text)) is exchanged


@pytest.mark.parametrize(
    ("text", "kind", "wait"),
    [
        ("Your API key is SECRET and our standard API rate limit is 25 requests per day.", QuotaExhausted, None),
        ("Our standard API call frequency is 5 calls per minute and 500 calls per day.", Throttled, 60),
        ("Spread your requests more sparingly (1 request per second), SECRET, or 25 requests per day.", Throttled, 1),
        ("The **demo** API key is for demo purposes only.", Unauthorized, None),
        ("the parameter apikey is invalid or missing: SECRET", Unauthorized, None),
        ("This is a premium endpoint, SECRET.", NotCovered, None),
        ("Invalid inputs. Please refer to SECRET.", UnknownInstrument, None),
        ("Something new about SECRET.", Throttled, 60),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["Information", "Note"])
def test_a_note_is_told_apart_by_its_words_and_never_passed_on(
    key: str, text: str, kind: type[UpstreamError], wait: float | None
):
    error = explain({key: text})

    assert error is not None
    assert type(error) is kind
    assert error.retry_after == wait
    assert "SECRET" not in str(error)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"Error Message": "Invalid API call. Please retry."}, UnknownInstrument),
        ({"Error Message": "This API function () does not exist."}, NotCovered),
        ({"Global Quote": {}}, UnknownInstrument),
        ({}, UnknownInstrument),
    ],
)
def test_other_refusals_are_told_apart(body: object, kind: type[UpstreamError]):
    assert type(explain(body)) is kind


@pytest.mark.parametrize(
    "body",
    [
        {"Global Quote": {"05. price": "1"}},
        {"bestMatches": []},
        {"Information": "No articles found."},
        [],
        None,
        "text",
    ],
)
def test_data_and_foreign_bodies_are_no_refusal(body: object):
    assert explain(body) is None


def test_an_empty_body_of_an_outage_is_an_outage():
    assert explain({}, status=503) is None


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        # Midnight UTC of the 1st is still the month before in New York.
        ("2026-03-01T00:00Z", "2026-03-02T00:00Z", ["2026-02", "2026-03"]),
        ("2025-12-31T12:00Z", "2026-02-01T05:00Z", ["2025-12", "2026-01"]),
        ("2025-12-31T12:00Z", "2026-02-01T05:01Z", ["2025-12", "2026-01", "2026-02"]),
        ("2026-03-10T00:00Z", "2026-03-10T00:00Z", ["2026-03"]),
        ("2026-04-10T00:00Z", "2026-03-01T00:00Z", []),
    ],
)
def test_months_are_those_of_new_york(start: str, end: str, expected: list[str]):
    assert list(months(at(start), at(end))) == expected


@pytest.mark.parametrize(
    ("interval", "adjustment", "hours", "venue", "covered"),
    [
        (Interval.D1, Adjustment.NONE, TradingHours.REGULAR, "", True),
        (Interval.D1, Adjustment.SPLITS, TradingHours.REGULAR, "", True),
        (Interval.D1, Adjustment.SPLITS_AND_DIVIDENDS, TradingHours.REGULAR, "XETR", True),
        (Interval.D1, Adjustment.NONE, TradingHours.EXTENDED, "", False),
        (Interval.W1, Adjustment.NONE, TradingHours.REGULAR, "", True),
        (Interval.W1, Adjustment.SPLITS, TradingHours.REGULAR, "", False),
        (Interval.M5, Adjustment.NONE, TradingHours.EXTENDED, "", True),
        (Interval.M5, Adjustment.SPLITS, TradingHours.REGULAR, "", False),
        (Interval.M5, Adjustment.SPLITS_AND_DIVIDENDS, TradingHours.REGULAR, "", True),
        (Interval.M5, Adjustment.NONE, TradingHours.REGULAR, "XETR", False),
        (Interval.H4, Adjustment.NONE, TradingHours.REGULAR, "", False),
        (Interval.D1, Adjustment.NONE, TradingHours.REGULAR, "XLON", False),
    ],
)
def test_an_adjustment_is_covered_where_it_is_true_of_all_four_prices(
    interval: Interval, adjustment: Adjustment, hours: TradingHours, venue: str, covered: bool
):
    question = CandlesAsk(
        instrument=equity("IBM", venue), interval=interval, start=NOW, end=NOW, adjustment=adjustment, hours=hours
    )

    assert charted(question) is covered


def days(**rows: tuple[str, str, str]) -> Row:
    """Days as (price, adjusted close, split coefficient), keyed by `d17` for the 17th of November 2026."""
    series = {
        f"2026-11-{name[1:]}": {
            "1. open": price, "2. high": price, "3. low": price, "4. close": price, "5. adjusted close": adjusted,
            "6. volume": "100", "8. split coefficient": ratio,
        }
        for name, (price, adjusted, ratio) in rows.items()
    }  # fmt: skip
    return Row("alphavantage", {"Meta Data": {}, "Time Series (Daily)": series})


def test_a_day_before_a_split_is_divided_and_the_day_of_the_split_is_not():
    body = days(d19=("30.00", "30", "1.0"), d18=("30.00", "30", "4.0"), d17=("120.00", "29.5", "1.0"))

    bars = parse_daily(ask(Interval.D1, "2026-11-17T00:00Z", "2026-11-19T00:00Z", Adjustment.SPLITS), body)

    assert bars.close == (Decimal(30), Decimal(30))
    assert bars.volume == (Decimal(400), Decimal(100))


def test_without_later_splits_the_digits_stay():
    body = days(d18=("30.123456789012345678901", "30", "1.0"), d17=("31.10", "31", "1.0"))

    bars = parse_daily(ask(Interval.D1, "2026-11-18T00:00Z", "2026-11-19T00:00Z", Adjustment.SPLITS), body)

    assert [str(price) for price in bars.close] == ["30.123456789012345678901"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("30", "30", "0.0"), "has a split coefficient that is not positive"),
        (("0", "30", "1.0"), "has a close of zero"),
    ],
)
def test_factors_that_nothing_can_be_divided_by_are_malformed(row: tuple[str, str, str], message: str):
    question = ask(Interval.D1, "2026-11-18T00:00Z", "2026-11-19T00:00Z", Adjustment.SPLITS_AND_DIVIDENDS)

    with pytest.raises(Malformed, match=message):
        parse_daily(question, days(d18=row))


def test_local_stamps_follow_summer_time():
    row = {"1. open": "1", "2. high": "1", "3. low": "1", "4. close": "1"}
    stamps = ["2026-10-30 15:55:00", "2026-11-02 09:30:00"]
    meta = {"6. Time Zone": "US/Eastern"}
    body = Row("alphavantage", {"Meta Data": meta, "Time Series (5min)": dict.fromkeys(stamps, row)})

    bars = parse_intraday(ask(Interval.M5, "2026-10-30T00:00Z", "2026-11-03T00:00Z"), body)

    assert bars.open_time == (at("2026-10-30T19:55Z"), at("2026-11-02T14:30Z"))
    assert bars.volume is None


def test_a_day_is_stamped_with_its_first_moment():
    body = Row("alphavantage", {"Global Quote": {"05. price": "112.1300", "07. latest trading day": "2018-10-05"}})

    assert parse_quote(equity("MSFT"), body).as_of == datetime(2018, 10, 5, tzinfo=UTC)


def test_a_rate_is_stamped_in_its_own_zone():
    row = {"5. Exchange Rate": "1.1", "6. Last Refreshed": "2026-11-20 07:00:00", "7. Time Zone": "US/Eastern"}
    body = Row("alphavantage", {"Realtime Currency Exchange Rate": row})

    assert parse_rate(fx("EUR", "USD"), body).as_of == NOW


def test_a_rate_keeps_its_digits():
    body = Row("alphavantage", {"Realtime Currency Exchange Rate": {"5. Exchange Rate": "109631.430607001234567890"}})

    assert str(parse_rate(crypto("BTC", "CNY"), body).price) == "109631.430607001234567890"


@pytest.mark.parametrize("told", ["ibm", "IBM", "", None])
def test_a_quote_may_name_its_symbol_in_any_case_or_not_at_all(told: str | None):
    body = Row("alphavantage", {"Global Quote": {"01. symbol": told, "05. price": "292.14"}})

    assert parse_quote(equity("IBM"), body).price == Decimal("292.14")


@pytest.mark.parametrize(
    ("text", "told"), [("equity:BRK.B", "BRK-B"), ("equity:BRK.B", "BRK.B"), ("equity:SAP@XETR", "SAP.DEX")]
)
def test_both_ways_to_write_a_symbol_are_the_same(text: str, told: str):
    body = Row("alphavantage", {"Global Quote": {"01. symbol": told, "05. price": "1"}})

    assert parse_quote(parse_instrument(text), body).price == 1


def test_the_quote_of_another_symbol_is_malformed():
    body = Row("alphavantage", {"Global Quote": {"01. symbol": "SAP", "05. price": "292.14"}})

    with pytest.raises(Malformed, match=r"\$\.Global Quote\.01\. symbol is not 'SAP\.DEX' \(got 'SAP'\)"):
        parse_quote(equity("SAP", "XETR"), body)


@pytest.mark.parametrize(
    ("base", "quote", "message"),
    [
        ("GBP", "USD", r"1\. From_Currency Code is not 'EUR' \(got 'GBP'\)"),
        ("EUR", "JPY", r"3\. To_Currency Code is not 'USD' \(got 'JPY'\)"),
    ],
)
def test_the_rate_of_another_pair_is_malformed(base: str, quote: str, message: str):
    row = {"1. From_Currency Code": base, "3. To_Currency Code": quote, "5. Exchange Rate": "1.1"}

    with pytest.raises(Malformed, match=message):
        parse_rate(fx("EUR", "USD"), Row("alphavantage", {"Realtime Currency Exchange Rate": row}))


@pytest.mark.parametrize("interval", [Interval.M5, Interval.D1, Interval.W1])
def test_the_candles_of_another_symbol_are_malformed(interval: Interval):
    meta = {"2. Symbol": "MSFT", "6. Time Zone": "US/Eastern"}
    body = Row("alphavantage", {"Meta Data": meta, "Time Series": {}})
    read = {Interval.M5: parse_intraday, Interval.D1: parse_daily, Interval.W1: parse_longer}[interval]

    with pytest.raises(Malformed, match=r"\$\.Meta Data\.2\. Symbol is not 'IBM' \(got 'MSFT'\)"):
        read(ask(interval, "2026-11-16T00:00Z", "2026-11-20T00:00Z"), body)


@pytest.mark.parametrize("absent", [None, "", "-"])
def test_a_quote_or_a_rate_without_a_stamp_has_no_time(absent: str | None):
    security = Row("alphavantage", {"Global Quote": {"05. price": "1", "07. latest trading day": absent}})
    rate = {"5. Exchange Rate": "1.1", "6. Last Refreshed": absent, "7. Time Zone": absent}

    assert parse_quote(equity("IBM"), security).as_of is None
    assert parse_rate(fx("EUR", "USD"), Row("alphavantage", {"Realtime Currency Exchange Rate": rate})).as_of is None
