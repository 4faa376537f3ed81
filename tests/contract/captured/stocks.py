"""Captures of securities by aggregators and brokers that want a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schema.words.knowledge import end_of
from tests.contract.captured.asks import Asking, Plan
from tests.contract.captures import Capture

NEW_YORK = ZoneInfo("America/New_York")


def days(
    capture: Capture,
    instrument: str,
    rows: Sequence[tuple[date, list[Any]]],
    unjudged: frozenset[str] = frozenset(),
    **more: str,
) -> Plan:
    """Daily bars by their day: open, high, low, close and volume, in any order."""
    ordered = sorted(rows, key=lambda row: row[0])
    expected = [[int(midnight(day).timestamp()) * 1000, *bar] for day, bar in ordered]
    end = midnight(ordered[-1][0] + timedelta(days=1))
    ask = {
        "instrument": instrument, "interval": "D1", "start": midnight(ordered[0][0]).isoformat(),
        "end": end.isoformat(),
    }  # fmt: skip
    return Plan(capability="candles", ask=ask | more, now=end, expected=expected, unjudged=unjudged)


def midnight(day: date) -> datetime:
    """The first moment of a day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def milliseconds(text: str) -> int:
    """An ISO time, cut to milliseconds."""
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def quote(capture: Capture, instrument: str, **expected: Any) -> Plan:
    """One quote."""
    return Plan(capability="quotes", ask={"instruments": [instrument]}, expected=expected)


def numbers(row: dict[str, Any], names: str) -> list[Any]:
    """Members in the order of *names*."""
    return [row[name] for name in names.split()]


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


def found(text: str, symbols: Callable[[Any], list[str]]) -> Asking:
    """A search by what the body says of its symbols."""
    return lambda capture: Plan(capability="search", ask={"text": text}, expected=symbols(capture.body))


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
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("alpaca", "historical quotes"): "not called: every change of bid and ask of the past is no capability",
    ("alpaca", "latest trade"): "not called: the snapshot has it too",
    ("polygon", "prev close AAPL"): "not called: the snapshot has the session before too",
}
