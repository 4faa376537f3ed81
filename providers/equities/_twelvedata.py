"""How Twelve Data names listings, and what its answers say: every number of a price is a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date
from decimal import Decimal

from providers.equities._listed import bars_at, first_moments
from providers.equities._yahoo import MINOR_UNITS, shifted
from providers.row import Row
from schema.errors import NotCovered
from schema.symbols import AssetClass, InstrumentId, equity, fx
from schema.words.candles import NO_BARS, Bars, CandlesAsk
from schema.words.companies import ActionKind, CompanyProfile, CorporateAction
from schema.words.fundamentals import EarningsAsk, EarningsEvent, EarningsTime
from schema.words.instruments import InstrumentType, Listing
from schema.words.quotes import PriceType, Quote, StatsWindow
from schema.words.venues import MarketState, TradingHours

US = "United States"
TYPES = {
    **dict.fromkeys(
        ("Common Stock", "American Depositary Receipt", "Depositary Receipt", "Global Depositary Receipt", "REIT",
         "Preferred Stock", "Limited Partnership"),
        InstrumentType.STOCK,
    ),
    "ETF": InstrumentType.ETF,
    "Exchange-Traded Note": InstrumentType.ETF,
    "Mutual Fund": InstrumentType.FUND,
    "Closed-end Fund": InstrumentType.FUND,
    "Physical Currency": InstrumentType.FX_PAIR,
}  # fmt: skip
HOURS = {
    "Pre Market": EarningsTime.BEFORE_OPEN, "After Hours": EarningsTime.AFTER_CLOSE,
    "During Market": EarningsTime.DURING_SESSION,
}  # fmt: skip
_TICKER = re.compile(r"[A-Z0-9]+(\.[A-Z0-9]+)*")
_MIC = re.compile(r"[A-Z0-9]{4}")
_PAIR = re.compile(r"([A-Z]{3})/([A-Z]{3})")


def is_share(instrument: InstrumentId) -> bool:
    """A security, in the US or on the exchange with a code."""
    venue = not instrument.venue or _MIC.fullmatch(instrument.venue) is not None
    spot = instrument.asset_class is AssetClass.EQUITY and instrument.is_spot
    return spot and venue and _TICKER.fullmatch(instrument.base) is not None


def params_of(instrument: InstrumentId) -> dict[str, str | int]:
    """A ticker means many listings: the country or the code of the exchange says which."""
    where = {"mic_code": instrument.venue} if instrument.venue else {"country": US}
    return {"symbol": instrument.base, **where}


def instrument_of(row: Row) -> InstrumentId | None:
    """What a row of a search is; None for indices, coins and bonds."""
    symbol = row.text("symbol")
    pair = _PAIR.fullmatch(symbol)
    if row.maybe_text("instrument_type") == "Physical Currency":
        return fx(pair[1], pair[2]) if pair else None
    return listing_of(row) if row.maybe_text("instrument_type") in TYPES else None


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """The day's bar; its stamp is that of the opening where the last quote's is not told."""
    currency, power = currency_of(row)

    def money(key: str) -> Decimal | None:
        number = row.maybe(key)
        return None if number is None else shifted(number, power)

    running = row.get("is_market_open")
    return Quote(
        instrument=instrument,
        price=shifted(row.decimal("close"), power),
        price_type=PriceType.LAST,
        currency=currency,
        open=money("open"),
        high=money("high"),
        low=money("low"),
        previous_close=money("previous_close"),
        change=money("change"),
        change_percent=row.maybe("percent_change"),
        volume=row.maybe("volume"),
        stats_window=StatsWindow.SESSION,
        # Closed may be before the opening or after the close: the calendar knows.
        market_state=MarketState.REGULAR if running is not None and running.flag() else MarketState.UNKNOWN,
        as_of=row.maybe_epoch("last_quote_at") or row.maybe_epoch("timestamp"),
    )


def parse_rate(pair: InstrumentId, body: Row) -> Quote:
    """Units of the quote currency for one of the base."""
    return Quote(
        instrument=pair,
        price=body.decimal("rate"),
        price_type=PriceType.MID,
        as_of=body.maybe_epoch("timestamp"),
    )


def currency_of(row: Row) -> tuple[str, int]:
    """The currency, and the power of ten that turns the wire's prices into it."""
    code = row.text("currency")
    return MINOR_UNITS.get(code, (code, 0))


def parse_candles(ask: CandlesAsk, body: Row) -> Bars:
    """Local times of the exchange, or days."""
    meta, rows = body["meta"], body["values"]
    currency, power = currency_of(meta)
    zone = meta.zone("exchange_timezone")
    if ask.interval.intraday:
        times = tuple([row.instant("datetime").replace(tzinfo=zone).astimezone(UTC) for row in rows])
    else:
        times = first_moments(ask.interval, [row.instant("datetime").date() for row in rows])
    bars = bars_at(
        ask, rows, times, open="open", high="high", low="low", close="close", volume="volume", currency=currency
    )
    if not len(bars):
        return NO_BARS
    if power:
        prices = (
            [shifted(price, power) for price in column] for column in (bars.open, bars.high, bars.low, bars.close)
        )
        first, high, low, last = map(tuple, prices)
        bars = replace(bars, open=first, high=high, low=low, close=last)
    # With pre and post market there is no volume.
    extended = ask.hours is TradingHours.EXTENDED
    return replace(bars, time_zone=zone.key, volume=None if extended else bars.volume)


def parse_middles(ask: CandlesAsk, body: Row) -> Bars:
    """Of a pair, in UTC and without a volume."""
    rows = body["values"]
    times = tuple([row.instant("datetime") for row in rows])
    bars = bars_at(ask, rows, times, open="open", high="high", low="low", close="close", currency=ask.instrument.quote)
    return replace(bars, currency=None, time_zone=None)


def parse_search(body: Row) -> tuple[Listing, ...]:
    """Best first."""
    found = []
    for row in body["data"]:
        instrument = instrument_of(row)
        if instrument is not None:
            code = row.maybe_text("currency")
            listing = Listing(
                instrument=instrument, provider_symbol=row.text("symbol"), name=row.maybe_text("instrument_name"),
                type=TYPES[row.text("instrument_type")], venue_name=row.maybe_text("exchange"),
                currency=None if code is None else MINOR_UNITS.get(code, (code, 0))[0],
            )  # fmt: skip
            found.append(listing)
    return tuple(found)


def parse_profile(instrument: InstrumentId, body: Row) -> CompanyProfile:
    """Countries are words, so they are left out where they are no code."""
    employees, country = body.maybe("employees"), body.maybe_text("country")
    return CompanyProfile(
        instrument=instrument,
        name=body.text("name"),
        description=body.maybe_text("description"),
        sector=body.maybe_text("sector"),
        industry=body.maybe_text("industry"),
        country=country if country is not None and len(country) == 2 else None,
        exchange=body.maybe_text("exchange"),
        mic=body.maybe_text("mic_code"),
        website=body.maybe_text("website"),
        employees=None if employees is None else int(employees),
    )


def parse_dividends(body: Row) -> Iterator[CorporateAction]:
    """In the currency of the listing; of one in pence it is not told whether they are in pence or in pounds."""
    rows = list(body["dividends"])
    currency = body["meta"].text("currency") if rows else ""
    if currency in MINOR_UNITS:
        raise NotCovered(body.provider, f"dividends in {currency} or its hundredfold")
    for row in rows:
        yield CorporateAction(
            kind=ActionKind.CASH_DIVIDEND, ex_date=row.day("ex_date"), amount=row.decimal("amount"), currency=currency
        )


def parse_earnings(ask: EarningsAsk, body: Row) -> tuple[EarningsEvent, ...]:
    """Of one company a list in the currency of `meta`; of all lists by day, each row with its own."""
    if ask.instrument is not None:
        rows = list(body["earnings"])
        found = [event_of(ask.instrument, row.day("date"), row, body["meta"]) for row in rows]
    else:
        days = ((key, row) for key, rows in body["earnings"].items() for row in rows)
        listed = ((listing_of(row), Row(row.provider, key, row, "date").day(), row) for key, row in days)
        found = [event_of(instrument, day, row, row) for instrument, day, row in listed if instrument is not None]
    inside = [event for event in found if ask.start <= event.date < ask.end]
    return tuple(sorted(inside, key=lambda event: event.date))


def listing_of(row: Row) -> InstrumentId | None:
    """A company's listing by its country or the code of its exchange."""
    found = equity(row.text("symbol"), "" if row.maybe_text("country") == US else row.maybe_text("mic_code") or "?")
    return found if is_share(found) else None


def event_of(instrument: InstrumentId, day: date, row: Row, told: Row) -> EarningsEvent:
    """Amounts of one share in the currency that *told* has.

    Of a listing in pence it is not told whether they are in pence or in pounds: they are left out.
    """
    code = told.maybe_text("currency")
    plain = code not in MINOR_UNITS
    return EarningsEvent(
        instrument=instrument,
        date=day,
        time=HOURS.get(row.maybe_text("time") or ""),
        currency=code if plain else None,
        eps_estimate=row.maybe("eps_estimate") if plain else None,
        eps_actual=row.maybe("eps_actual") if plain else None,
    )


def parse_splits(body: Row) -> Iterator[CorporateAction]:
    """4 for 1 has `from_factor` 4 and `to_factor` 1."""
    for row in body["splits"]:
        yield CorporateAction(
            kind=ActionKind.SPLIT,
            ex_date=row.day("date"),
            split_to=row.decimal("from_factor"),
            split_from=row.decimal("to_factor"),
        )
