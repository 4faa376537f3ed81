"""Captures of securities by providers of the US alone."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from schema.words.knowledge import end_of
from tests.contract.captured.asks import Asking, Plan, candles
from tests.contract.captured.stocks import days, found, milliseconds, numbers, quote
from tests.contract.captures import Capture

NEW_YORK = ZoneInfo("America/New_York")


def alpaca_bars(symbol: str) -> Asking:
    """Days by their midnight in New York."""

    def plan(capture: Capture) -> Plan:
        rows = [
            (datetime.fromisoformat(bar["t"]).astimezone(NEW_YORK).date(), numbers(bar, "o h l c v"))
            for bar in capture.body["bars"][symbol]
        ]
        return days(capture, f"equity:{symbol}", rows, adjustment="NONE")

    return plan


def alpaca_snapshot(capture: Capture) -> Plan:
    """A trade in its session."""
    row = capture.body["AAPL"]
    trade, book, day = row["latestTrade"], row["latestQuote"], row["dailyBar"]
    return quote(
        capture, "equity:AAPL", last=trade["p"], bid=book["bp"], ask=book["ap"], open=day["o"], high=day["h"],
        low=day["l"], baseVolume=day["v"], vwap=day["vw"], previousClose=row["prevDailyBar"]["c"],
        timestamp=milliseconds(trade["t"]),
    )  # fmt: skip


def alpaca_news(capture: Capture) -> Plan:
    """Articles about one share."""
    expected = [
        {
            "id": str(row["id"]), "title": row["headline"], "source": row["source"],
            "published_at": datetime.fromisoformat(row["created_at"]),
            "symbols": tuple(f"equity:{symbol}" for symbol in row["symbols"]),
        }
        for row in capture.body["news"]
    ]  # fmt: skip
    return Plan(capability="news", ask={"instruments": ["equity:AAPL"], "limit": 1}, expected=expected)


def polygon_range(capture: Capture) -> Plan:
    """Days by their midnight in New York."""
    rows = [
        (datetime.fromtimestamp(int(bar["t"]) // 1000, NEW_YORK).date(), numbers(bar, "o h l c v"))
        for bar in capture.body["results"]
    ]
    return days(capture, f"equity:{capture.body['ticker']}", rows)


def polygon_snapshot(capture: Capture) -> Plan:
    """A sample whose last trade stands in the wire's nanoseconds."""
    row = capture.body["ticker"]
    day, trade = row["day"], row["lastTrade"]
    return quote(
        capture, f"equity:{row['ticker']}", last=trade["p"], bid=row["lastQuote"]["p"], ask=row["lastQuote"]["P"],
        open=day["o"], high=day["h"], low=day["l"], baseVolume=day["v"], vwap=day["vw"],
        previousClose=row["prevDay"]["c"], timestamp=int(trade["t"]) // 1_000_000,
    )  # fmt: skip


def polygon_rate(capture: Capture) -> Plan:
    """Dealers' bid and ask."""
    last = capture.body["last"]
    return quote(
        capture, f"fx:{capture.body['symbol']}", last=(last["bid"] + last["ask"]) / 2, bid=last["bid"],
        ask=last["ask"], timestamp=int(last["timestamp"]),
    )  # fmt: skip


def polygon_profile(capture: Capture) -> Plan:
    """A company."""
    row = capture.body["results"]
    expected = {
        "name": row["name"], "market_cap": row["market_cap"], "currency": "USD", "mic": row["primary_exchange"],
        "employees": int(row["total_employees"]), "listed_on": date.fromisoformat(row["list_date"]),
        "shares_outstanding": row["share_class_shares_outstanding"], "figi": row["composite_figi"], "cik": row["cik"],
    }  # fmt: skip
    return Plan(capability="companyProfile", ask={"instrument": f"equity:{row['ticker']}"}, expected=expected)


def polygon_dividends(capture: Capture) -> Plan:
    """Newest first on the wire; the list is of all shares."""
    symbol = capture.body["results"][0]["ticker"]
    expected = [
        {
            "kind": "CASH_DIVIDEND", "ex_date": date.fromisoformat(row["ex_dividend_date"]),
            "amount": row["cash_amount"], "currency": "USD", "frequency": int(row["frequency"]),
            "paid_on": date.fromisoformat(row["pay_date"]),
        }
        for row in reversed(capture.body["results"])
        if row["ticker"] == symbol
    ]  # fmt: skip
    return Plan(capability="corporateActions", ask={"instrument": f"equity:{symbol}"}, expected=expected)


def polygon_splits(symbol: str) -> Asking:
    """The list is of all shares."""

    def plan(capture: Capture) -> Plan:
        rows = [row for row in reversed(capture.body["results"]) if row["ticker"] == symbol]
        expected = [
            {
                "kind": "SPLIT", "ex_date": date.fromisoformat(row["execution_date"]),
                "split_to": row["split_to"], "split_from": row["split_from"],
            }
            for row in rows
        ]  # fmt: skip
        return Plan(capability="corporateActions", ask={"instrument": f"equity:{symbol}"}, expected=expected)

    return plan


def polygon_financials(capture: Capture) -> Plan:
    """One quarter's filing."""
    (row,) = capture.body["results"]
    income, cash = row["financials"]["income_statement"], row["financials"]["cash_flow_statement"]
    balance = row["financials"]["balance_sheet"]
    expected = {
        "period_end": date.fromisoformat(row["end_date"]), "period_start": date.fromisoformat(row["start_date"]),
        "fiscal_quarter": 1, "fiscal_year": 2022, "currency": "USD",
        "filed_at": end_of(date.fromisoformat(row["filing_date"])),
        "revenue": income["revenues"]["value"], "eps_diluted": income["diluted_earnings_per_share"]["value"],
        "net_income": income["net_income_loss_attributable_to_parent"]["value"],
        "total_assets": balance["assets"]["value"],
        "shareholders_equity": balance["equity_attributable_to_parent"]["value"],
        "operating_cash_flow": cash["net_cash_flow_from_operating_activities"]["value"],
    }  # fmt: skip
    return Plan(
        capability="fundamentals", ask={"instrument": "equity:NXPI", "period": "QUARTERLY"}, expected=[expected]
    )


def polygon_news(capture: Capture) -> Plan:
    """Newest first."""
    expected = [
        {
            "id": row["id"], "title": row["title"], "published_at": datetime.fromisoformat(row["published_utc"]),
            "source": row["publisher"]["name"], "symbols": tuple(f"equity:{ticker}" for ticker in row["tickers"]),
        }
        for row in sorted(capture.body["results"], key=lambda row: row["published_utc"], reverse=True)
    ]  # fmt: skip
    return Plan(capability="news", ask={"instruments": ["equity:NFLX"]}, expected=expected)


def tiingo_days(capture: Capture) -> Plan:
    """The newest day, as traded."""
    rows = [
        (datetime.fromisoformat(row["date"]).date(), numbers(row, "open high low close volume")) for row in capture.body
    ]
    return days(capture, "equity:GOOGL", rows, adjustment="NONE")


def tiingo_adjusted(capture: Capture) -> Plan:
    """The same, adjusted."""
    names = "adjOpen adjHigh adjLow adjClose adjVolume"
    rows = [(datetime.fromisoformat(row["date"]).date(), numbers(row, names)) for row in capture.body]
    return days(capture, "equity:GOOGL", rows, adjustment="SPLITS_AND_DIVIDENDS")


def tiingo_actions(capture: Capture) -> Plan:
    """A day without any."""
    return Plan(capability="corporateActions", ask={"instrument": "equity:GOOGL"}, expected=[])


def tiingo_half_hours(capture: Capture) -> Plan:
    """Trades on one exchange, without their volume."""
    rows = [[milliseconds(row["date"]), *numbers(row, "open high low close")] for row in capture.body]
    return candles(capture, "equity:GOOGL", rows, frozenset({"volume"}), adjustment="NONE")


def tiingo_profile(capture: Capture) -> Plan:
    """A company."""
    row = capture.body
    expected = {"name": row["name"], "exchange": row["exchangeCode"], "description": row["description"]}
    return Plan(capability="companyProfile", ask={"instrument": "equity:GOOGL"}, expected=expected)


def tiingo_figures(capture: Capture) -> Plan:
    """Of the last of its days."""
    row = capture.body[-1]
    expected = {
        "date": datetime.fromisoformat(row["date"]).date(), "price_to_earnings": row["peRatio"],
        "price_to_book": row["pbRatio"], "peg": row["trailingPEG1Y"],
    }  # fmt: skip
    return Plan(capability="keyFigures", ask={"instrument": "equity:GOOGL"}, expected=expected)


def tiingo_statements(capture: Capture) -> Plan:
    """Two quarters, with amounts by their code."""
    codes = {
        "incomeStatement": {
            "revenue": "revenue",
            "net_income": "netinc",
            "eps_diluted": "epsDil",
            "income_tax": "taxExp",
        },
        "balanceSheet": {"total_assets": "totalAssets", "shareholders_equity": "equity"},
        "cashFlow": {"operating_cash_flow": "ncfo", "capital_expenditure": "capex", "dividends_paid": "payDiv"},
    }
    expected = []
    for row in capture.body:
        told = {name: {each["dataCode"]: each["value"] for each in rows} for name, rows in row["statementData"].items()}
        stated = {ours: told[name][theirs] for name, pairs in codes.items() for ours, theirs in pairs.items()}
        head = {"period_end": date.fromisoformat(row["date"]), "fiscal_quarter": int(row["quarter"]), "currency": "USD"}
        expected.append(head | {"fiscal_year": int(row["year"]), "filed_at": None, "period": "QUARTERLY"} | stated)
    ask = {"instrument": "equity:GOOGL", "period": "QUARTERLY"}
    return Plan(capability="fundamentals", ask=ask, expected=expected)


def tiingo_news(capture: Capture) -> Plan:
    """Tickers with small letters."""
    expected = [
        {
            "id": str(row["id"]), "title": row["title"], "source": row["source"],
            "published_at": datetime.fromisoformat(row["publishedDate"]),
            "symbols": tuple(f"equity:{ticker.upper()}" for ticker in row["tickers"]), "topics": tuple(row["tags"]),
        }
        for row in capture.body
    ]  # fmt: skip
    return Plan(capability="news", ask={"instruments": ["equity:AAPL", "equity:GOOGL"]}, expected=expected)


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("alpaca", "bars AAPL 1Day"): (alpaca_bars("AAPL"),),
    ("alpaca", "bars multi-symbol"): (alpaca_bars("AAPL"), alpaca_bars("TSLA")),
    ("alpaca", "news AAPL page 1"): (alpaca_news,),
    ("alpaca", "snapshot"): (alpaca_snapshot,),
    ("polygon", "dividends"): (polygon_dividends,),
    ("polygon", "financials"): (polygon_financials,),
    ("polygon", "last forex quote AUD/USD"): (polygon_rate,),
    ("polygon", "news NFLX"): (polygon_news,),
    ("polygon", "range 1/day AAPL 2005-04-01..2005-04-04"): (polygon_range,),
    ("polygon", "snapshot AAPL"): (polygon_snapshot,),
    ("polygon", "splits"): (polygon_splits("AMZN"), polygon_splits("BRW")),
    ("polygon", "ticker details AAPL"): (polygon_profile,),
    ("polygon", "tickers list"): (found("a", lambda body: [row["ticker"] for row in body["results"]]),),
    ("tiingo", "IEX intraday GOOGL 30Min"): (tiingo_half_hours,),
    ("tiingo", "fundamentals daily GOOGL"): (tiingo_figures,),
    ("tiingo", "fundamentals statements GOOGL"): (tiingo_statements,),
    ("tiingo", "latest daily price GOOGL"): (tiingo_days, tiingo_adjusted, tiingo_actions),
    ("tiingo", "metadata GOOGL"): (tiingo_profile,),
    ("tiingo", "news"): (tiingo_news,),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("alpaca", "historical quotes"): "not called: every change of bid and ask of the past is no capability",
    ("alpaca", "latest trade"): "not called: the snapshot has it too",
    ("polygon", "prev close AAPL"): "not called: the snapshot has the session before too",
    ("tiingo", "crypto top of book"): "not offered: bids and asks of many exchanges that cross each other",
    ("tiingo", "daily prices GOOGL CSV"): "not called: the same days are asked for as JSON",
}
