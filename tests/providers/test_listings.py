"""Listings under their providers' names, both ways; bars by days; calendars, actions and reports in their order."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.equities._alpaca_feed import parse_snapshot
from providers.equities._companies import actions_in, newest_reports, split_by
from providers.equities._eodhd import EODHD
from providers.equities._finnhub import FINNHUB
from providers.equities._fmp import FMP
from providers.equities._listed import Spelling, about, bars_at, first_moments
from providers.equities._refusals import refused, said
from providers.equities._twelvedata import instrument_of, is_share, params_of
from providers.equities.marketstack import LISTED
from providers.equities.tiingo import US as TIINGO
from providers.row import Row
from schema.errors import Malformed, NotCovered, Throttled
from schema.symbols import crypto, equity, parse_instrument
from schema.words.candles import CandlesAsk
from schema.words.companies import ActionKind, CorporateAction, CorporateActionsAsk
from schema.words.fundamentals import Fundamentals, FundamentalsAsk, ReportPeriod
from schema.words.intervals import Interval

US = Spelling(mark=".")
SPELLINGS = {"dots": US, "hyphens": TIINGO, "finnhub": FINNHUB, "fmp": FMP, "eodhd": EODHD, "marketstack": LISTED}
tickers = st.from_regex(r"[A-Z0-9]{1,5}(\.[A-Z]{1,2})?", fullmatch=True)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ask(interval: Interval, start: str, end: str) -> CandlesAsk:
    return CandlesAsk(instrument=equity("IBM"), interval=interval, start=at(start), end=at(end))


def bar(close: str, **more: Any) -> dict[str, Any]:
    return {"o": "1", "h": "3", "l": "1", "c": close, **more}


@given(name=st.sampled_from(sorted(SPELLINGS)), ticker=tickers, data=st.data())
def test_a_symbol_leads_back_to_its_instrument(name: str, ticker: str, data: st.DataObject):
    spelling = SPELLINGS[name]
    instrument = equity(ticker, data.draw(st.sampled_from(sorted(spelling.suffixes))))

    symbol = spelling.symbol_of(instrument)

    assert symbol is None or spelling.instrument_of(symbol) == instrument


@given(name=st.sampled_from(sorted(SPELLINGS)), symbol=st.from_regex(r"[A-Z0-9.-]{1,12}", fullmatch=True))
def test_an_instrument_leads_back_to_its_symbol(name: str, symbol: str):
    spelling = SPELLINGS[name]

    instrument = spelling.instrument_of(symbol)

    assert instrument is None or spelling.symbol_of(instrument) in (symbol, None)


@pytest.mark.parametrize(
    ("name", "instrument", "symbol"),
    [
        ("dots", "equity:BRK.B", "BRK.B"),
        ("dots", "equity:VOD@XLON", None),
        ("dots", "crypto:BTC/USD", None),
        ("dots", "equity:AAPL-261218-200-C", None),
        ("hyphens", "equity:BRK.B", "BRK-B"),
        ("finnhub", "equity:BRK.B", "BRK.B"),
        ("finnhub", "equity:VOD@XLON", "VOD.L"),
        # A share of class L would be read as a listing in London.
        ("finnhub", "equity:ABC.L", None),
        ("fmp", "equity:BRK.B", "BRK-B"),
        ("fmp", "equity:RY@XTSE", "RY.TO"),
        ("eodhd", "equity:BRK.B", "BRK-B.US"),
        ("eodhd", "equity:BMW@XETR", "BMW.XETRA"),
        ("marketstack", "equity:SAP@XETR", "SAP.XETR"),
    ],
)
def test_how_a_security_is_written(name: str, instrument: str, symbol: str | None):
    assert SPELLINGS[name].symbol_of(parse_instrument(instrument)) == symbol


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("finnhub", "ABC.XX"),
        ("fmp", "ABC.XX"),
        ("eodhd", "AAPL"),
        ("eodhd", "BTC-USD.CC"),
        ("dots", "BACpB"),
        ("dots", ""),
    ],
)  # fmt: skip
def test_a_symbol_that_has_no_instrument_here(name: str, symbol: str):
    assert SPELLINGS[name].instrument_of(symbol) is None


def test_a_listing_is_asked_for_by_its_country_or_by_the_code_of_its_exchange():
    assert params_of(equity("AAPL")) == {"symbol": "AAPL", "country": "United States"}
    assert params_of(equity("VOD", "XLON")) == {"symbol": "VOD", "mic_code": "XLON"}
    assert [is_share(i) for i in (equity("VOD", "yahoo"), crypto("BTC", "USD"))] == [False, False]


@given(ticker=tickers, venue=st.sampled_from(["", "XLON", "XETR"]))
def test_a_row_of_a_search_leads_back_to_the_listing(ticker: str, venue: str):
    listed = equity(ticker, venue)
    row = {
        "symbol": ticker, "instrument_type": "Common Stock", "mic_code": venue or "XNGS",
        "country": "Germany" if venue else "United States",
    }  # fmt: skip

    assert instrument_of(Row("twelvedata", row)) == listed


def test_coins_are_no_shares_that_an_article_is_about():
    assert about(US, ["AAPL", "BTCUSD", "USD", "X:BTCUSD", "BRK.B"]) == ("equity:AAPL", "equity:USD", "equity:BRK.B")


def test_weeks_begin_on_monday_whichever_day_names_them():
    days = [date(2026, 11, 8), date(2026, 11, 9), date(2026, 11, 13)]

    assert first_moments(Interval.W1, days) == (at("2026-11-09"),) * 3
    assert first_moments(Interval.MO1, days) == (at("2026-11-01"),) * 3
    assert first_moments(Interval.D1, days[:1]) == (at("2026-11-08"),)


def test_bars_ascend_without_duplicates_inside_of_the_range():
    rows = Row("scratch", [bar("5"), bar("2"), bar("1"), bar("3")])
    times = [at("2026-11-12"), at("2026-11-10"), at("2026-11-10"), at("2026-11-09")]

    bars = bars_at(
        ask(Interval.D1, "2026-11-10", "2026-11-13"), rows, times, open="o", high="h", low="l", close="c",
        currency="USD",
    )  # fmt: skip

    assert bars.open_time == (at("2026-11-10"), at("2026-11-12"))
    assert bars.session_date == (date(2026, 11, 10), date(2026, 11, 12))
    assert bars.close == (Decimal(1), Decimal(5))
    assert (bars.currency, bars.time_zone, bars.volume) == ("USD", "America/New_York", None)


def test_a_volume_that_one_row_lacks_is_left_out_and_a_price_is_not():
    asked, times = ask(Interval.M1, "2026-11-10", "2026-11-11"), [at("2026-11-10T15:00"), at("2026-11-10T15:01")]
    names = {"open": "o", "high": "h", "low": "l", "close": "c", "currency": "USD"}

    bars = bars_at(asked, Row("scratch", [bar("1", v="7"), bar("2", v=None)]), times, volume="v", **names)

    assert (bars.volume, bars.session_date) == (None, None)
    with pytest.raises(Malformed, match=r"scratch: \$.rows\[1\].c is not what belongs here"):
        bars_at(asked, Row("scratch", [bar("1"), bar("-")]), times, **names)


@pytest.mark.parametrize(
    ("factor", "new", "old"), [("4", "4", "1"), ("0.125", "1", "8"), ("1.5", "3", "2"), ("0.1", "1", "10")]
)
def test_a_factor_is_a_ratio_of_whole_shares(factor: str, new: str, old: str):
    split = split_by(Row("scratch", factor), date(2026, 1, 2))

    assert (split.kind, split.split_to, split.split_from) == (ActionKind.SPLIT, Decimal(new), Decimal(old))


@pytest.mark.parametrize("factor", ["0", "-2"])
def test_a_factor_of_nothing_is_no_split(factor: str):
    with pytest.raises(Malformed, match="is no factor of a split"):
        split_by(Row("scratch", factor), date(2026, 1, 2))


def test_actions_ascend_inside_of_the_range():
    days = [date(2026, 3, 1), date(2026, 1, 1), date(2026, 2, 1)]
    actions = [CorporateAction(kind=ActionKind.SPLIT, ex_date=day) for day in days]
    asked = CorporateActionsAsk(instrument=equity("IBM"), start=date(2026, 1, 1), end=date(2026, 3, 1))

    assert [action.ex_date for action in actions_in(asked, actions)] == [date(2026, 1, 1), date(2026, 2, 1)]


def test_of_two_reports_of_a_period_the_newest_that_was_known_is_answered():
    reports = [
        Fundamentals(
            period=ReportPeriod.ANNUAL, period_end=date(2025, 12, 31), filed_at=filed, currency="USD",
            revenue=Decimal(revenue),
        )
        for filed, revenue in ((at("2026-05-01"), 2), (at("2026-02-01"), 1), (None, 3))
    ]  # fmt: skip

    def revenues(known_at: datetime | None) -> list[Decimal | None]:
        asked = FundamentalsAsk(instrument=equity("IBM"), known_at=known_at)
        return [report.revenue for report in newest_reports(asked, reports)]

    assert revenues(None) == [Decimal(2)]
    assert revenues(at("2026-04-30")) == [Decimal(1)]
    assert revenues(at("2026-01-31")) == []


def test_before_the_first_trade_of_a_session_its_bar_is_the_one_before():
    row = {
        "latestTrade": {"t": "2026-11-20T13:00:00Z", "p": "11"},
        "dailyBar": {"t": "2026-11-19T05:00:00Z", "o": "9", "h": "10", "l": "9", "c": "10", "v": "7"},
        "prevDailyBar": {"t": "2026-11-18T05:00:00Z", "c": "8"},
    }

    quote = parse_snapshot(equity("IBM"), Row("alpaca", row))

    assert (quote.price, quote.previous_close, quote.open, quote.volume) == (Decimal(11), Decimal(10), None, None)


def test_a_refusal_is_read_from_its_words_and_told_in_ours():
    table = (("too many", Throttled, "slow down"), ("plan", NotCovered, "not in the plan"))
    text = said(Row("scratch", {"message": "Your KEY has no such Plan"}), "error", "message")

    found = refused("scratch", text, table)

    assert isinstance(found, NotCovered)
    assert found.message == "scratch: not in the plan"
    assert refused("scratch", said(Row("scratch", "Something else")), table) is None
