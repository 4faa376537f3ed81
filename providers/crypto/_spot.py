"""What spot exchanges have in common: the pairs that may be asked, the rows of a list, levels, steps, refusals."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from itertools import islice

from providers.contract import Reply
from providers.row import Key, Row
from schema.errors import NotCovered, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.books import PriceLevel
from schema.words.trades import Side

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
NATIONAL = frozenset(
    {
        "AED", "ARS", "AUD", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "IDR",
        "ILS", "INR", "JPY", "KRW", "KZT", "MXN", "MYR", "NGN", "NOK", "NZD", "PEN", "PHP", "PKR", "PLN", "RON", "RUB",
        "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "VND", "ZAR",
    }
)  # fmt: skip
"""Currencies of countries, of which each venue trades in a few; coins come and go, these do not."""
MOST_PLACES = 40
LONGEST_STAMP = 13
LONGEST_WAIT = 600.0


def trades_in(instrument: InstrumentId, currencies: Collection[str]) -> bool:
    """A pair in a coin, or in a national currency that is among *currencies*."""
    return instrument.quote in currencies or instrument.quote not in NATIONAL


def is_spot_of(venue: str, instrument: InstrumentId, currencies: Collection[str], between: str = "-") -> bool:
    """A spot pair that may be asked of *venue*, where wire symbols have *between* their two assets and not inside.

    *currencies* are the national ones that the venue trades in.
    """
    return (
        instrument.asset_class is AssetClass.CRYPTO
        and instrument.is_spot
        and instrument.venue in ("", venue)
        and between not in instrument.base + instrument.quote
        and trades_in(instrument, currencies)
    )


def rows_of(body: Row) -> Iterable[Row]:
    """A list of rows, or the one row that is answered where one was asked for."""
    return [body] if isinstance(body.value, dict) else body


def matched(
    instruments: Sequence[InstrumentId], rows: Iterable[Row], symbol_of: Callable[[InstrumentId], str], *, name: Key
) -> list[tuple[InstrumentId, Row]]:
    """Those asked for with their rows, out of a list that may hold all; one that is not there is left out."""
    listed = {row.text(name): row for row in rows}
    found = ((instrument, listed.get(symbol_of(instrument))) for instrument in instruments)
    return [(instrument, row) for instrument, row in found if row is not None]


def priced(
    instruments: Sequence[InstrumentId],
    rows: Iterable[Row],
    symbol_of: Callable[[InstrumentId], str],
    *,
    name: Key,
    last: Key,
) -> list[tuple[InstrumentId, Row]]:
    """As `matched`, without the pairs that never traded: their price is null, empty or zero."""
    found = matched(instruments, rows, symbol_of, name=name)
    return [(instrument, row) for instrument, row in found if _traded(row, last)]


def _traded(row: Row, last: Key) -> bool:
    return row[last].value is not None and row.positive(last) is not None


def percent(row: Row, key: Key) -> Decimal | None:
    """A change that is sent as a fraction, in percent."""
    fraction = row.maybe(key)
    return None if fraction is None else fraction * 100


def levels(
    rows: Iterable[Row], *, price: Key = 0, size: Key = 1, orders: int | None = None, depth: int | None = None
) -> tuple[PriceLevel, ...]:
    """One side of a book, the best *depth* levels of it; levels of size zero are no levels.

    The number of orders is at *orders* of a row that is so long.
    """
    found = (
        PriceLevel(
            price=row.decimal(price),
            size=row.decimal(size),
            order_count=None if orders is None or len(row) <= orders else row.integer(orders),
        )
        for row in rows
    )
    return tuple(islice((level for level in found if level.size), depth))


def step(row: Row, key: Key) -> Decimal:
    """The step that a number of decimal places allows: 2 is 0.01."""
    places = row.integer(key)
    if not 0 <= places <= MOST_PLACES:
        row[key].broken("is not a number of decimal places")
    return Decimal(1).scaleb(-places)


def refusal(provider: str, reply: Reply, said: str, kind: type[UpstreamError] | None) -> UpstreamError | None:
    """A refusal of a known kind; of an unknown one the status decides, and a status of success decides nothing."""
    if kind is None and reply.status < 300:
        kind = NotCovered
    return kind(provider, said) if kind else None


def wait(reply: Reply, header: str, *, since: float = 0.0, per_second: int = 1000) -> float | None:
    """Seconds that a header asks to wait: a length of time, or with *since* (seconds since 1970) until a Unix time.

    None where it is missing or no whole number; ten minutes at most, so that no absurd number pauses a venue for long.
    """
    text = reply.headers.get(header, "")
    if not text.isdecimal() or len(text) > LONGEST_STAMP:
        return None
    return min(max(0.0, int(text) / per_second - since), LONGEST_WAIT)


def sequence(book: Row, key: Key) -> str | None:
    """A book's sequence number, which answers of former years may lack."""
    return None if book.get(key) is None else book.label(key)


def made_id(row: Row, *keys: Key) -> str:
    """An id for a trade that has none: the numbers that tell it apart."""
    return "-".join(str(row.decimal(key)) for key in keys)
