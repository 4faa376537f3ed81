"""Quotes, rates and matches of a search, as Alpha Vantage tells them: numbered names, and every number a text."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal

from providers.equities._alphavantage import instrument_of, same_name, symbol_of
from providers.equities._listed import TRADED_IN
from providers.equities._yahoo import MINOR_UNITS
from providers.row import ABSENT, Row
from schema.symbols import AssetClass, InstrumentId
from schema.words.instruments import InstrumentType, Listing
from schema.words.quotes import PriceType, Quote, StatsWindow

TYPES = {"Equity": InstrumentType.STOCK, "ETF": InstrumentType.ETF, "Mutual Fund": InstrumentType.FUND}


def parse_quote(instrument: InstrumentId, body: Row) -> Quote:
    """`{"Global Quote": {"05. price", …}}`; the name grows a remark where the plan's data is delayed."""
    row = next((row for key, row in body.items() if key.startswith("Global Quote")), None)
    if row is None:
        body.broken("has no 'Global Quote'")
    same_name(row, "01. symbol", symbol_of(instrument) or "")
    dated = row.maybe_text("07. latest trading day") not in ABSENT
    return Quote(
        instrument=instrument,
        price=row.decimal("05. price"),
        price_type=PriceType.CLOSE,
        currency=TRADED_IN[instrument.venue],
        open=row.maybe("02. open"),
        high=row.maybe("03. high"),
        low=row.maybe("04. low"),
        previous_close=row.maybe("08. previous close"),
        change=row.maybe("09. change"),
        change_percent=percent(row, "10. change percent"),
        volume=row.maybe("06. volume"),
        stats_window=StatsWindow.SESSION,
        as_of=datetime.combine(row.day("07. latest trading day"), time(), UTC) if dated else None,
    )


def percent(row: Row, key: str) -> Decimal | None:
    """`"-0.5852%"` as a number of percent."""
    text = row.maybe_text(key)
    return None if text is None else Row(row.provider, {key: text.removesuffix("%")}, row).maybe(key)


def parse_rate(instrument: InstrumentId, body: Row) -> Quote:
    """`{"Realtime Currency Exchange Rate": {…}}`; bid and ask may be missing or "-"."""
    row = body["Realtime Currency Exchange Rate"]
    same_name(row, "1. From_Currency Code", instrument.base)
    same_name(row, "3. To_Currency Code", instrument.quote)
    zone = UTC if row.maybe_text("7. Time Zone") in ABSENT else row.zone("7. Time Zone")
    stamp = row.maybe_instant("6. Last Refreshed")
    return Quote(
        instrument=instrument,
        price=row.decimal("5. Exchange Rate"),
        # Currencies have no last trade; a coin's rate is an average over venues.
        price_type=PriceType.MID if instrument.asset_class is AssetClass.FX else PriceType.INDEX,
        bid=row.positive("8. Bid Price"),
        ask=row.positive("9. Ask Price"),
        delay_seconds=0,
        as_of=None if stamp is None else stamp.replace(tzinfo=zone).astimezone(UTC),
    )


def parse_search(body: Row) -> tuple[Listing, ...]:
    """Matches whose symbol leads back to itself; exchanges without a code here are left out."""
    found = []
    for row in body["bestMatches"]:
        symbol, currency = row.text("1. symbol"), row.maybe_text("8. currency")
        instrument, kind = instrument_of(symbol), TYPES.get(row.maybe_text("3. type") or "")
        if instrument is None or kind is None:
            continue
        found.append(
            Listing(
                instrument=instrument,
                provider_symbol=symbol,
                name=row.maybe_text("2. name"),
                type=kind,
                currency=None if currency is None else MINOR_UNITS.get(currency, (currency, 0))[0],
            )
        )
    return tuple(found)
