"""Euro foreign exchange reference rates: what the ECB and those who republish it have in common.

The ECB fixes its rates once a day (concertation at 14:10, publication about 16:00 Frankfurt time) and stamps them with
the date alone. That date is the only stamp there is: `as_of` is its midnight UTC, never a publication time that nobody
sent, and `FxRate.date` says the day itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from providers.row import Row
from schema.symbols import AssetClass, InstrumentId
from schema.words.quotes import PriceType, Quote
from schema.words.rates import FxRate, FxRatesAsk

Rate = tuple[date, str, Decimal]

DAY = timedelta(days=1)
FIRST_DAY = date(1999, 1, 4)
# Against the euro; from BGN on they joined it, were renamed or are suspended: they live on in the history.
CURRENCIES = frozenset({
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KRW",
    "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "RON", "SEK", "SGD", "THB", "TRY", "USD", "ZAR", "BGN", "CYP", "EEK",
    "HRK", "LTL", "LVL", "MTL", "ROL", "RUB", "SIT", "SKK", "TRL",
})  # fmt: skip


def is_pair(instrument: InstrumentId, provider: str) -> bool:
    """A spot pair of currencies, of no other venue."""
    return instrument.asset_class is AssetClass.FX and instrument.is_spot and instrument.venue in ("", provider)


def is_fixed(instrument: InstrumentId, provider: str) -> bool:
    """A spot pair with the euro as base that the ECB fixes."""
    return is_pair(instrument, provider) and instrument.base == "EUR" and instrument.quote in CURRENCIES


def is_crossed(instrument: InstrumentId, provider: str) -> bool:
    """A spot pair of any two of the currencies, for those who publish crosses."""
    known = CURRENCIES | {"EUR"}
    return is_pair(instrument, provider) and instrument.base in known and instrument.quote in known


def has_history(ask: FxRatesAsk) -> bool:
    """False for a range that ends before the euro began."""
    return ask.start is None or ask.end is None or ask.end > FIRST_DAY


def midnight(day: date) -> datetime:
    """The stamp of a fixing: see this module's text."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def of_base(body: Row, base: str) -> Row:
    """A base that the upstream does not take would otherwise come back as rates of another one."""
    if body.text("base") != base:
        body["base"].broken(f"is not {base}")
    return body


def fixing(instrument: InstrumentId, rate: Decimal, day: date) -> Quote:
    """A reference rate as a quote."""
    return Quote(instrument=instrument, price=rate, price_type=PriceType.FIXING, as_of=midnight(day))


def selected(ask: FxRatesAsk, rates: Iterable[Rate]) -> tuple[FxRate, ...]:
    """The rates asked for out of more, ascending by day, then by code."""
    return tuple(
        FxRate(base=ask.base, quote=code, rate=rate, date=day, as_of=midnight(day))
        for day, code, rate in sorted(rates)
        if (not ask.quotes or code in ask.quotes)
        and (ask.start is None or ask.start <= day)
        and (ask.start is None or ask.end is None or day < ask.end)
    )


def spans(first: date, last: date, longest: timedelta) -> Iterator[tuple[date, date]]:
    """A range of days, both ends included, in pieces of no more than *longest*."""
    while first <= last:
        until = min(first + longest - DAY, last)
        yield first, until
        first = until + DAY
