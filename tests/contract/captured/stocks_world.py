"""Captures of securities by providers of many exchanges."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from tests.contract.captured.asks import Asking, Plan, candles, refused
from tests.contract.captured.stocks import days, found, numbers, quote
from tests.contract.captures import Capture

LATER = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY_ASK = {
    "instrument": "equity:AAPL", "interval": "D1", "start": "2026-05-15T00:00:00Z", "end": "2026-05-22T00:00:00Z",
}  # fmt: skip


def finnhub_quote(capture: Capture) -> Plan:
    """One share."""
    row = capture.body
    return quote(
        capture, f"equity:{capture.params['symbol']}", last=row["c"], open=row["o"], high=row["h"], low=row["l"],
        previousClose=row["pc"], timestamp=int(row["t"]) * 1000,
    )  # fmt: skip


def finnhub_profile(capture: Capture) -> Plan:
    """Counted in millions."""
    row = capture.body
    expected = {
        "name": row["name"], "market_cap": row["marketCapitalization"] * 1_000_000,
        "shares_outstanding": row["shareOutstanding"] * 1_000_000, "currency": row["currency"],
        "listed_on": date.fromisoformat(row["ipo"]), "country": row["country"],
    }  # fmt: skip
    return Plan(capability="companyProfile", ask={"instrument": "equity:AAPL"}, expected=expected)


def finnhub_figures(capture: Capture) -> Plan:
    """Ratios and prices."""
    row = capture.body["metric"]
    expected = {
        "price_to_earnings": row["peTTM"], "price_to_book": row["pb"], "beta": row["beta"],
        "return_on_equity_percent": row["roeTTM"], "high52_weeks": row["52WeekHigh"],
        "low52_weeks": row["52WeekLow"], "dividend_yield_percent": row["currentDividendYieldTTM"],
    }  # fmt: skip
    return Plan(capability="keyFigures", ask={"instrument": "equity:AAPL"}, expected=expected)


def finnhub_earnings(capture: Capture) -> Plan:
    """One company's next report."""
    expected = [
        {
            "date": date.fromisoformat(row["date"]), "eps_estimate": row["epsEstimate"], "eps_actual": None,
            "revenue_estimate": row["revenueEstimate"], "fiscal_quarter": int(row["quarter"]), "time": "AFTER_CLOSE",
        }
        for row in capture.body["earningsCalendar"]
    ]  # fmt: skip
    ask = {"instrument": "equity:AAPL", "start": capture.params["from"], "end": capture.params["to"]}
    return Plan(capability="earnings", ask=ask, expected=expected)


def finnhub_events(capture: Capture) -> Plan:
    """Of all countries, in UTC."""
    expected = [
        {
            "name": row["event"], "country": row["country"], "previous": row["prev"], "forecast": row["estimate"],
            "time": datetime.fromisoformat(row["time"]).replace(tzinfo=UTC), "importance": row["impact"].upper(),
        }
        for row in capture.body["economicCalendar"]
    ]  # fmt: skip
    return Plan(capability="economicCalendar", ask={"start": "2026-06-01", "end": "2026-07-01"}, expected=expected)


def finnhub_news(capture: Capture) -> Plan:
    """About one share, newest first."""
    expected = [
        {
            "id": str(row["id"]), "title": row["headline"], "source": row["source"], "url": row["url"],
            "published_at": datetime.fromtimestamp(int(row["datetime"]), UTC), "summary": row["summary"] or None,
        }
        for row in sorted(capture.body, key=lambda row: row["datetime"], reverse=True)
    ]  # fmt: skip
    return Plan(
        capability="news", ask={"instruments": [f"equity:{capture.params['symbol']}"]}, expected=expected, now=LATER
    )


def twelvedata_minutes(capture: Capture) -> Plan:
    """In the time of the exchange, newest first."""
    zone = ZoneInfo(capture.body["meta"]["exchange_timezone"])
    rows = [
        [
            int(datetime.fromisoformat(row["datetime"]).replace(tzinfo=zone).timestamp()) * 1000,
            *numbers(row, "open high low close volume"),
        ]
        for row in reversed(capture.body["values"])
    ]
    return candles(capture, "equity:AAPL", rows, frozenset())


def twelvedata_quote(capture: Capture) -> Plan:
    """Numbers as texts."""
    row = capture.body
    return quote(
        capture, f"equity:{row['symbol']}", last=row["close"], open=row["open"], high=row["high"], low=row["low"],
        baseVolume=row["volume"], previousClose=row["previous_close"], timestamp=int(row["last_quote_at"]) * 1000,
    )  # fmt: skip


def fmp_quote(capture: Capture) -> Plan:
    """A list of one; the older interface differs in the name of one field that is not judged."""
    (row,) = capture.body
    return quote(
        capture, f"equity:{row['symbol']}", last=row["price"], open=row["open"], high=row["dayHigh"],
        low=row["dayLow"], baseVolume=row["volume"], previousClose=row["previousClose"],
        timestamp=int(row["timestamp"]) * 1000,
    )  # fmt: skip


def eodhd_days(capture: Capture) -> Plan:
    """Raw; volumes are adjusted, and therefore left out."""
    names = "open high low close volume"
    rows = [(date.fromisoformat(row["date"]), numbers(row, names)) for row in capture.body]
    return days(capture, "equity:AAPL", rows, frozenset({"volume"}), adjustment="NONE")


def eodhd_adjusted(capture: Capture) -> Plan:
    """By a factor of one, so that nothing changes."""
    names = "open high low adjusted_close volume"
    rows = [(date.fromisoformat(row["date"]), numbers(row, names)) for row in capture.body]
    return days(capture, "equity:AAPL", rows, adjustment="SPLITS_AND_DIVIDENDS")


def marketstack_days(adjustment: str, names: str) -> Asking:
    """Raw and adjusted stand beside each other."""

    def plan(capture: Capture) -> Plan:
        rows = [(datetime.fromisoformat(row["date"]).date(), numbers(row, names)) for row in capture.body["data"]]
        return days(capture, "equity:AAPL", rows, adjustment=adjustment)

    return plan


def marketstack_splits(capture: Capture) -> Plan:
    """By their factor, newest first on the wire."""
    expected = [
        {"ex_date": date.fromisoformat(row["date"]), "split_to": row["split_factor"], "split_from": 1}
        for row in reversed(capture.body["data"])
    ]
    return Plan(capability="corporateActions", ask={"instrument": "equity:AAPL"}, expected=expected)


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("eodhd", "eod AAPL.US"): (eodhd_days, eodhd_adjusted),
    ("finnhub", "candle AAPL on a free key"): (refused("candles", DAY_ASK, "NOT_COVERED"),),
    ("finnhub", "company news AAPL"): (finnhub_news,),
    ("finnhub", "earnings calendar AAPL"): (finnhub_earnings,),
    ("finnhub", "economic calendar"): (finnhub_events,),
    ("finnhub", "metric AAPL"): (finnhub_figures,),
    ("finnhub", "news: AAPL (2024-04-14)"): (finnhub_news,),
    ("finnhub", "profile2 AAPL"): (finnhub_profile,),
    ("finnhub", "quote AAPL"): (finnhub_quote,),
    ("finnhub", "quote unknown symbol ZZZNOTASYMBOL"): (
        refused("quotes", {"instruments": ["equity:ZZZNOTASYMBOL"]}, "UNKNOWN_INSTRUMENT"),
    ),
    ("finnhub", "search apple"): (found("apple", lambda body: [row["symbol"] for row in body["result"]]),),
    ("fmp", "quote AAPL (stable)"): (fmp_quote,),
    ("fmp", "quote AAPL (v3, legacy)"): (fmp_quote,),
    ("marketstack", "eod AAPL"): (
        marketstack_days("NONE", "open high low close volume"),
        marketstack_days("SPLITS_AND_DIVIDENDS", "adj_open adj_high adj_low adj_close adj_volume"),
    ),
    ("marketstack", "splits AAPL"): (marketstack_splits,),
    ("marketstack", "tickers"): (found("a", lambda body: [row["symbol"] for row in body["data"]]),),
    ("twelvedata", "quote AAPL"): (twelvedata_quote,),
    ("twelvedata", "time_series AAPL 1min"): (twelvedata_minutes,),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("finnhub", "stock symbols US"): "not called: the list is redirected to another host, which is not followed",
    ("fmp", "historical daily AAPL (v3, legacy)"): "not called: the older interface is closed to new keys",
    ("fmp", "profile AAPL (v3)"): "not called: the older interface is closed to new keys and has other names",
    ("marketstack", "exchanges"): "not called: a list of exchanges is no capability",
    ("marketstack", "intraday"): "not offered: running totals of the day, not candles",
}
