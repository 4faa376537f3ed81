"""Compares an adapter's answer with what a capture's collector read from it: primary numbers exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from schema.symbols import InstrumentId
from schema.words.books import OrderBook, PriceLevel
from schema.words.candles import Bars
from schema.words.caps import MarketCap
from schema.words.derivatives import FundingRate
from schema.words.instruments import Listing
from schema.words.quotes import Quote
from schema.words.rates import FxRate
from schema.words.trades import Trade

JUDGED = {
    "last": "price", "bid": "bid", "ask": "ask", "open": "open", "high": "high", "low": "low", "baseVolume": "volume",
    "previousClose": "previous_close", "changePercent": "change_percent",
}  # fmt: skip
# The collector computed these where the provider does not send them: judged only where the adapter answers one.
OPTIONAL = {"bidVolume": "bid_size", "askVolume": "ask_size", "quoteVolume": "quote_volume", "vwap": "vwap"}
FLOAT_DIGITS = 16
Wrong = list[str]


def milliseconds(moment: datetime | None) -> int | None:
    """Whole milliseconds, cut as the collectors cut."""
    return None if moment is None else int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def differing(where: str, got: Any, expected: Any) -> Wrong:
    """Numbers by value, everything else as it is."""
    same = equal(got, number(expected)) if isinstance(got, Decimal) else got == expected
    return [] if same else [f"{where} is {got}, captured is {expected}"]


def equal(got: Decimal, expected: Any) -> bool:
    """Exactly, but for a number so long that the collector's own float has rounded its last digit."""
    rounded = isinstance(expected, Decimal) and len(expected.as_tuple().digits) >= FLOAT_DIGITS
    return got == expected or (rounded and float(got) == float(expected))


def number(value: Any) -> Any:
    """A number however it was written."""
    return Decimal(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else value


def quotes_differ(answer: Sequence[Quote], expected: Any, unjudged: frozenset[str]) -> Wrong:
    rows = expected if isinstance(expected, list) else [expected]
    wrong = differing("number of quotes", len(answer), len(rows))
    for quote, row in zip(answer, rows, strict=False):
        for name, attribute in (JUDGED | OPTIONAL).items():
            got, captured = getattr(quote, attribute), row.get(name)
            skipped = name not in row or name in unjudged or (name in OPTIONAL and got is None)
            wrong += [] if skipped else differing(f"{row.get('symbol')}.{attribute}", got, number(captured))
        if row.get("timestamp") is not None and "timestamp" not in unjudged:
            wrong += differing("as_of in ms", milliseconds(quote.as_of), row["timestamp"])
    return wrong


def candles_differ(answer: Bars, expected: Any, unjudged: frozenset[str]) -> Wrong:
    wrong = differing("number of candles", len(answer), len(expected))
    columns = [[milliseconds(t) for t in answer.open_time], answer.open, answer.high, answer.low, answer.close]
    names = ["open_time", "open", "high", "low", "close"]
    if "volume" not in unjudged:
        columns, names = [*columns, answer.volume or ()], [*names, "volume"]
    for position, (name, column) in enumerate(zip(names, columns, strict=True)):
        if len(column) != len(expected):
            wrong.append(f"{name} has {len(column)} values")
        for index, (got, row) in enumerate(zip(column, expected, strict=False)):
            wrong += differing(f"{name}[{index}]", got, row[position])
    return wrong


def levels_differ(side: str, answer: tuple[PriceLevel, ...], expected: list[list[Any]]) -> Wrong:
    wrong = differing(f"number of {side}", len(answer), len(expected))
    for index, (level, (price, size)) in enumerate(zip(answer, expected, strict=False)):
        wrong += differing(f"{side}[{index}].price", level.price, price)
        wrong += differing(f"{side}[{index}].size", level.size, size)
    return wrong


def book_differs(answer: OrderBook, expected: Any, unjudged: frozenset[str]) -> Wrong:
    wrong = levels_differ("bids", answer.bids, expected["bids"]) + levels_differ("asks", answer.asks, expected["asks"])
    if expected["timestamp"] is not None:
        wrong += differing("as_of in ms", milliseconds(answer.as_of), expected["timestamp"])
    if expected["nonce"] is not None:
        wrong += differing("sequence", answer.sequence, str(expected["nonce"]))
    return wrong


def trades_differ(answer: tuple[Trade, ...], expected: Any, unjudged: frozenset[str]) -> Wrong:
    wrong = differing("times", [t.time for t in answer], sorted(t.time for t in answer))
    wrong += differing("number of trades", len(answer), len(expected))
    if "id" in unjudged:
        unnamed = sorted((milliseconds(t.time), t.price, t.size) for t in answer)
        return wrong + differing("trades", unnamed, sorted((r["timestamp"], r["price"], r["amount"]) for r in expected))
    wrong += differing("ids", sorted(t.id for t in answer), sorted(row["id"] for row in expected))
    captured = {row["id"]: row for row in expected}
    for trade in answer:
        row = captured.get(trade.id)
        if row is not None:
            read = {
                "timestamp": milliseconds(trade.time), "price": trade.price, "amount": trade.size,
                "side": trade.side and trade.side.value.lower(),
            }  # fmt: skip
            for name, got in read.items():
                wrong += [] if name in unjudged else differing(f"{trade.id}.{name}", got, row[name])
    return wrong


def listings_differ(answer: tuple[Listing, ...], expected: Any, unjudged: frozenset[str]) -> Wrong:
    wrong = differing("number of listings", len(answer), len(expected))
    for row in expected:
        names = {row["id"], row.get("altname"), row.get("wsname")}
        listing = next((found for found in answer if found.provider_symbol in names), None)
        if listing is None:
            wrong.append(f"{row['id']} is not listed")
            continue
        captured = {
            "instrument": f"{row.get('class', 'crypto')}:{pair_name(row)}",
            "tick_size": row.get("tick_size") or power(row.get("price_decimals")),
            "step_size": row.get("step_size") or power(row.get("amount_decimals")),
            "min_size": row.get("min_amount"),
            "min_notional": row.get("min_cost", "").partition(" ")[0] or None,
            "tradable": row.get("active"),
        }
        for name, value in captured.items():
            got = getattr(listing, name)
            shown = str(got) if name == "instrument" else got
            wrong += [] if value is None else differing(f"{row['id']}.{name}", shown, value)
    return wrong


def pair_name(row: Any) -> str:
    """`BTC/USD`, however the collector wrote it; `base` and `quote` alone may be names of the wire."""
    symbol = row.get("symbol") or row.get("wsname", "").replace("XBT", "BTC")
    return symbol or f"{row['base']}/{row['quote']}"


def power(decimals: int | None) -> Decimal | None:
    """The step that a number of decimals allows."""
    return None if decimals is None else Decimal(1).scaleb(-decimals)


def search_differs(answer: tuple[Listing, ...], expected: Any, unjudged: frozenset[str]) -> Wrong:
    """All symbols in the provider's order, but for those that the plan says are left out."""
    wanted = [symbol for symbol in expected if symbol not in unjudged]
    return differing("symbols in the provider's order", [listing.provider_symbol for listing in answer], wanted)


def caps_differ(answer: tuple[MarketCap, ...], expected: Any, unjudged: frozenset[str]) -> Wrong:
    wrong = differing("number of assets", len(answer), len(expected))
    for cap, row in zip(answer, expected, strict=False):
        for name, value in row.items():
            wrong += differing(f"{row['asset']}.{name}", getattr(cap, name), value)
    return wrong


def rates_differ(answer: tuple[FxRate, ...], expected: Any, unjudged: frozenset[str]) -> Wrong:
    return differing("rates", [(str(r.date), r.quote, r.rate) for r in answer], sorted(expected))


def rows_differ(answer: Any, expected: Any, unjudged: frozenset[str]) -> Wrong:
    """Any word, or several: the attributes that the plan states, by dotted paths such as `usage.input_tokens`."""
    several = isinstance(answer, tuple | list)
    rows, wanted = (answer, expected) if several else ([answer], [expected])
    wrong = differing("number of rows", len(rows), len(wanted))
    for index, (row, stated) in enumerate(zip(rows, wanted, strict=False)):
        for path, value in stated.items():
            got = row
            for step in path.split("."):
                got = got[int(step)] if step.isdecimal() else getattr(got, step)
            wrong += differing(f"[{index}].{path}", str(got) if isinstance(got, InstrumentId) else got, value)
    return wrong


def funding_differs(answer: Sequence[FundingRate], expected: Any, unjudged: frozenset[str]) -> Wrong:
    (rate,) = answer
    wrong = differing("rate", rate.rate, expected["fundingRate"])
    wrong += differing("time in ms", milliseconds(rate.time), expected["fundingTimestamp"])
    for name, got in (("markPrice", rate.mark_price), ("indexPrice", rate.index_price)):
        wrong += differing(name, got, expected[name]) if name in expected else []
    return wrong


def history_differs(answer: Sequence[FundingRate], expected: Any, unjudged: frozenset[str]) -> Wrong:
    got = [(milliseconds(rate.time), rate.rate) for rate in answer]
    return differing("rates", got, sorted((row["timestamp"], number(row["fundingRate"])) for row in expected))


COMPARE: dict[str, Callable[[Any, Any, frozenset[str]], Wrong]] = {
    "quotes": quotes_differ,
    "candles": candles_differ,
    "orderBook": book_differs,
    "trades": trades_differ,
    "instruments": listings_differ,
    "search": search_differs,
    "marketCaps": caps_differ,
    "fxRates": rates_differ,
    "fundingRates": funding_differs,
    "fundingHistory": history_differs,
}
