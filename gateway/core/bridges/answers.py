"""What ccxt's unified answers mean in our words; pure. A number in them is a text that was never a float."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from providers.row import Row, ascending
from schema.symbols import InstrumentId, parse_instrument
from schema.words.books import OrderBook, PriceLevel
from schema.words.instruments import Listing
from schema.words.quotes import PriceType, Quote, StatsWindow
from schema.words.trades import Side, Trade

SIDES = {"buy": Side.BUY, "sell": Side.SELL}


def parse_ticker(instrument: InstrumentId, row: Row, *, timed: bool) -> Quote:
    """ccxt's tickers are of 24 hours; its averages and changes are computed here instead."""
    last, bid, ask = row.decimal("last"), row.positive("bid"), row.positive("ask")
    return Quote(
        instrument=instrument,
        as_of=row.maybe_epoch("timestamp", "ms") if timed else None,
        price=last,
        price_type=PriceType.LAST,
        bid=bid,
        ask=ask,
        bid_size=row.positive("bidVolume") if bid else None,
        ask_size=row.positive("askVolume") if ask else None,
        last=last,
        open=row.positive("open"),
        high=row.positive("high"),
        low=row.positive("low"),
        volume=row.maybe("baseVolume"),
        quote_volume=row.maybe("quoteVolume"),
        stats_window=StatsWindow.ROLLING_24H,
    )


def parse_book(instrument: InstrumentId, row: Row, *, timed: bool) -> OrderBook:
    """Sorted here: ccxt sorts prices that are texts as texts."""
    return OrderBook(
        instrument=instrument,
        as_of=row.maybe_epoch("timestamp", "ms") if timed else None,
        bids=tuple(sorted(_levels(row["bids"]), key=lambda level: -level.price)),
        asks=tuple(sorted(_levels(row["asks"]), key=lambda level: level.price)),
        sequence=None if row.get("nonce") is None else row.label("nonce"),
    )


def _levels(rows: Row) -> Iterator[PriceLevel]:
    found = (PriceLevel(price=row.decimal(0), size=row.decimal(1)) for row in rows)
    return (level for level in found if level.size)


def parse_trades(rows: Row) -> tuple[Trade, ...]:
    """Trades without an id get their time as one; `side` is the taker's."""
    trades = [
        Trade(
            id=row.label("timestamp" if row.get("id") is None else "id"),
            time=row.epoch("timestamp", "ms"),
            price=row.decimal("price"),
            size=row.decimal("amount"),
            side=SIDES.get(str(row["side"].value)),
        )
        for row in rows
    ]
    return ascending(trades, lambda trade: trade.time)


def parse_markets(rows: Row, *, steps: bool) -> tuple[Listing, ...]:
    """Spot markets whose names can be an id of ours; with *steps* their precisions are steps."""
    return tuple([listing for row in rows if row["spot"].value for listing in _listing(row, steps)])


def _listing(row: Row, steps: bool) -> Iterator[Listing]:
    try:
        instrument = parse_instrument(f"crypto:{row.text('base')}/{row.text('quote')}")
    except ValueError:
        return
    limits, precision = row["limits"], row["precision"]
    yield Listing(
        instrument=instrument,
        provider_symbol=row.label("id"),
        tick_size=_told(precision, "price") if steps else None,
        step_size=_told(precision, "amount") if steps else None,
        min_size=limits["amount"].positive("min"),
        max_size=limits["amount"].positive("max"),
        min_notional=limits["cost"].positive("min"),
        tradable=row["active"].value is not False,
    )


def _told(row: Row, key: str) -> Decimal | None:
    """A rule of the exchange; a float is ccxt's own notion of one."""
    found = row.get(key)
    return None if found is None or isinstance(found.value, float) else row.positive(key)
