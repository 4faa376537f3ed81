"""Captures of securities."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.contract.captured.asks import Asking, Plan, candles
from tests.contract.captures import Capture

PROFILE = "not called: the endpoint wants a browser's cookie"
COOKIE = "not called: the endpoint wants a browser's cookie, the chart has the price too"


def chart_candles(instrument: str) -> Asking:
    """Yahoo's daily bars, stamped with the opening of their session."""

    def plan(capture: Capture) -> Plan:
        chart = capture.body["chart"]["result"][0]
        bars = chart["indicators"]["quote"][0]
        stamps = [int(stamp) * 1000 for stamp in chart["timestamp"]]
        columns = [bars[name] for name in ("open", "high", "low", "close", "volume")]
        rows = [list(row) for row in zip(stamps, *columns, strict=True)]
        # Currencies are charted with a volume of zero.
        unjudged = frozenset({"volume"} if instrument.startswith("fx:") else ())
        days = [datetime.fromtimestamp(stamps[i] // 1000, UTC).date() for i in (0, -1)]
        start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days)
        more = {"interval": "D1", "start": start.isoformat(), "end": (end + timedelta(days=1)).isoformat()}
        return candles(capture, instrument, rows, unjudged, **more)

    return plan


def chart_quote(instrument: str) -> Asking:
    """The head of a chart as a quote."""

    def plan(capture: Capture) -> Plan:
        meta = capture.body["chart"]["result"][0]["meta"]
        security = instrument.startswith("equity:")
        expected = {
            "last": meta["regularMarketPrice"], "high": meta["regularMarketDayHigh"],
            "low": meta["regularMarketDayLow"], "timestamp": int(meta["regularMarketTime"]) * 1000,
            "baseVolume": meta["regularMarketVolume"] if security else None,
        }  # fmt: skip
        return Plan(capability="quotes", ask={"instruments": [instrument]}, expected=expected)

    return plan


def chart_splits(capture: Capture) -> Plan:
    """The events of a chart; all of its range is asked for."""
    events = capture.body["chart"]["result"][0]["events"]["splits"].values()
    expected = [
        {
            "kind": "SPLIT", "ex_date": datetime.fromtimestamp(int(event["date"]), UTC).date(),
            "split_to": event["numerator"], "split_from": event["denominator"],
        }
        for event in events
    ]  # fmt: skip
    return Plan(capability="corporateActions", ask={"instrument": "equity:NVDA"}, expected=expected)


def yahoo_search(capture: Capture) -> Plan:
    """Found symbols without options, whose terms a search does not tell."""
    symbols = [row["symbol"] for row in capture.body["quotes"] if row.get("quoteType", "OPTION") != "OPTION"]
    return Plan(capability="search", ask={"text": capture.params["q"]}, expected=symbols)


def yahoo_news(capture: Capture) -> Plan:
    """The articles beside the symbols, newest first."""
    expected = [
        {
            "id": row["uuid"], "title": row["title"], "url": row["link"], "source": row["publisher"],
            "published_at": datetime.fromtimestamp(int(row["providerPublishTime"]), UTC),
            "symbols": tuple(f"equity:{ticker}" for ticker in row["relatedTickers"]),
        }
        for row in sorted(capture.body["news"], key=lambda row: row["providerPublishTime"], reverse=True)
    ]  # fmt: skip
    return Plan(capability="news", ask={"instruments": [f"equity:{capture.params['q']}"]}, expected=expected)


def global_quote(capture: Capture) -> Plan:
    """Numbered keys, every number a text."""
    row = capture.body["Global Quote"]
    expected = {
        "last": row["05. price"], "open": row["02. open"], "high": row["03. high"], "low": row["04. low"],
        "baseVolume": row["06. volume"], "previousClose": row["08. previous close"],
    }  # fmt: skip
    return Plan(capability="quotes", ask={"instruments": [f"equity:{row['01. symbol']}"]}, expected=expected)


def symbol_search(capture: Capture) -> Plan:
    """Found symbols, best first."""
    symbols = [row["1. symbol"] for row in capture.body["bestMatches"]]
    return Plan(capability="search", ask={"text": capture.params["keywords"]}, expected=symbols)


def intraday(capture: Capture) -> Plan:
    """Keyed by local time, newest first."""
    meta, series = capture.body["Meta Data"], capture.body["Time Series (1min)"]
    zone = ZoneInfo(meta["6. Time Zone"])
    rows = []
    for stamp, bar in sorted(series.items()):
        moment = datetime.fromisoformat(stamp).replace(tzinfo=zone)
        rows.append([int(moment.timestamp()) * 1000, *bar.values()])
    return candles(capture, f"equity:{meta['2. Symbol']}", rows, frozenset(), adjustment="NONE")


def overview_profile(capture: Capture) -> Plan:
    """Texts, numbers among them."""
    body = capture.body
    expected = {
        "name": body["Name"], "sector": body["Sector"], "country": "US", "mic": "XNYS", "currency": "USD",
        "employees": int(body["FullTimeEmployees"]), "market_cap": body["MarketCapitalization"],
        "shares_outstanding": body["SharesOutstanding"],
    }  # fmt: skip
    return Plan(capability="companyProfile", ask={"instrument": f"equity:{body['Symbol']}"}, expected=expected)


def overview_figures(capture: Capture) -> Plan:
    """Fractions are answered in percent."""
    body = capture.body
    expected = {
        "market_cap": body["MarketCapitalization"], "price_to_earnings": body["PERatio"], "eps": body["EPS"],
        "forward_price_to_earnings": body["ForwardPE"], "peg": body["PEGRatio"], "beta": body["Beta"],
        "dividend_yield_percent": Decimal(body["DividendYield"]) * 100,
        "profit_margin_percent": Decimal(body["ProfitMargin"]) * 100,
        "return_on_equity_percent": Decimal(body["ReturnOnEquityTTM"]) * 100, "high52_weeks": body["52WeekHigh"],
        "low52_weeks": body["52WeekLow"], "price_to_book": body["PriceToBookRatio"],
    }  # fmt: skip
    return Plan(capability="keyFigures", ask={"instrument": f"equity:{body['Symbol']}"}, expected=expected)


def coin_rate(capture: Capture) -> Plan:
    """A coin in a currency, refreshed at a time in UTC."""
    row = capture.body["Realtime Currency Exchange Rate"]
    stamp = datetime.fromisoformat(row["6. Last Refreshed"]).replace(tzinfo=UTC)
    expected = {"last": row["5. Exchange Rate"], "timestamp": int(stamp.timestamp()) * 1000}
    return Plan(capability="quotes", ask={"instruments": ["crypto:BTC/CNY"]}, expected=expected)


def income_statements(period: str, name: str) -> Asking:
    """Years or quarters, newest first."""

    def plan(capture: Capture) -> Plan:
        expected = [
            {
                "period_end": date.fromisoformat(row["fiscalDateEnding"]), "revenue": row["totalRevenue"],
                "cost_of_revenue": row["costOfRevenue"], "net_income": row["netIncome"], "filed_at": None,
                "selling_general_administrative": row["sellingGeneralAdministrative"],
                "income_tax": row["incomeTaxExpense"], "currency": row["reportedCurrency"],
            }
            for row in capture.body[name]
        ]  # fmt: skip
        ask = {"instrument": f"equity:{capture.body['symbol']}", "period": period}
        return Plan(capability="fundamentals", ask=ask, expected=expected)

    return plan


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("yahoo", "chart AAPL 1d"): (chart_candles("equity:AAPL"), chart_quote("equity:AAPL")),
    ("yahoo", "chart EURUSD=X 1d"): (chart_candles("fx:EUR/USD"), chart_quote("fx:EUR/USD")),
    ("yahoo", "chart NVDA with a split event"): (
        chart_candles("equity:NVDA"),
        chart_quote("equity:NVDA"),
        chart_splits,
    ),
    ("yahoo", "search AAPL"): (yahoo_search, yahoo_news),
    ("alphavantage", "GLOBAL_QUOTE MSFT"): (global_quote,),
    ("alphavantage", "SYMBOL_SEARCH BA"): (symbol_search,),
    ("alphavantage", "TIME_SERIES_INTRADAY MSFT 1min"): (intraday,),
    ("alphavantage", "CURRENCY_EXCHANGE_RATE BTC CNY"): (coin_rate,),
    ("alphavantage", "OVERVIEW IBM"): (overview_profile, overview_figures),
    ("alphavantage", "INCOME_STATEMENT IBM"): (
        income_statements("ANNUAL", "annualReports"),
        income_statements("QUARTERLY", "quarterlyReports"),
    ),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("yahoo", "quote AAPL"): COOKIE,
    ("yahoo", "quote EURUSD=X"): COOKIE,
    ("yahoo", "quote LDO.MI"): COOKIE,
    ("yahoo", "quoteSummary assetProfile AAPL"): PROFILE,
    ("yahoo", "quoteSummary without data (error)"): PROFILE,
}
