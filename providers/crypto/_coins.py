"""What aggregators have in common: averages over venues, of coins that each of them knows by ids of its own.

Symbols are not unique upstream (dozens of coins call themselves PEPE), so a pair is asked by the coin's id only. Where
an answer names its coin, a price is taken only if its symbol is the one that was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from providers.row import Row
from schema.errors import NotCovered
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.candles import Bars
from schema.words.history import HistoricalQuoteAsk, PriceHistoryAsk, PricePoint
from schema.words.instruments import Listing
from schema.words.quotes import PriceType, Quote

DOLLAR = frozenset({"USD"})
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coins:
    """One aggregator's coins, ids by symbols, and the currencies that it prices them in. Every id stands once."""

    provider: str
    ids: Mapping[str, str]
    currencies: frozenset[str] = DOLLAR
    assets: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "assets", {coin: asset for asset, coin in self.ids.items()})

    def prices(self, instrument: InstrumentId) -> bool:
        """A spot pair of a known coin and a currency; an average over venues stands for no venue but itself."""
        return (
            instrument.asset_class is AssetClass.CRYPTO
            and instrument.is_spot
            and instrument.venue in ("", self.provider)
            and instrument.base in self.ids
            and instrument.quote in self.currencies
        )

    def all_priced(self, instruments: Iterable[InstrumentId]) -> bool:
        """The same for each of them."""
        return all(map(self.prices, instruments))

    def asset(self, coin: str, symbol: str) -> str:
        """Our code of a coin in a ranking, where namesakes stand as well."""
        return self.assets.get(coin) or symbol.upper()

    def listing(self, coin: str, name: str | None, rank: int | None = None) -> Listing | None:
        """A found coin; None for one whose pair would not lead back to it. *rank* counts from 1, 0 is no rank."""
        if coin not in self.assets:
            return None
        instrument = crypto(self.assets[coin], "USD")
        return Listing(instrument=instrument, provider_symbol=coin, name=name, rank=rank - 1 if rank else None)


def is_named(row: Row, instrument: InstrumentId) -> bool:
    """The answer is about the coin that was asked for."""
    return row.text("symbol").upper() == instrument.base


def last_known(
    provider: str, ask: HistoricalQuoteAsk, points: Sequence[PricePoint], span: timedelta = timedelta(0)
) -> Quote:
    """The newest of *points* that was known at the instant asked for; NotCovered where none was.

    A point may be an average over the *span* that begins at its stamp: it is known when that has ended.
    """
    instrument, at = ask.instrument, ask.at
    known = [point for point in points if point.time + span <= at]
    if not known:
        raise NotCovered(provider, f"has no price of {instrument.symbol} from shortly before {at.isoformat()}")
    newest = max(known, key=lambda point: point.time)
    return Quote(
        instrument=instrument,
        price=newest.price,
        price_type=PriceType.INDEX,
        quote_volume=newest.volume24h,
        as_of=newest.time,
    )


def closes(bars: Bars, length: timedelta, currency: str) -> list[PricePoint]:
    """The last price of each candle, at its end."""
    return [
        PricePoint(time=opened + length, price=close, currency=currency)
        for opened, close in zip(bars.open_time, bars.close, strict=True)
    ]


def line(ask: PriceHistoryAsk, points: Iterable[PricePoint]) -> tuple[PricePoint, ...]:
    """The points inside of the range, ascending, one for each time."""
    inside = {point.time: point for point in points if ask.start <= point.time < ask.end}
    return tuple(inside[time] for time in sorted(inside))


def bars_of(rows: Iterable[tuple[datetime, Row]]) -> Bars:
    """Candles whose values have the usual names, each with its open time; the volume is in the quote currency."""
    by_time = dict(rows)
    times = tuple(sorted(by_time))

    def column(name: str) -> tuple[Decimal, ...]:
        return tuple(by_time[time].decimal(name) for time in times)

    return Bars(
        open_time=times,
        open=column("open"),
        high=column("high"),
        low=column("low"),
        close=column("close"),
        quote_volume=tuple(by_time[time].maybe("volume") for time in times),
    )


def day_of(moment: datetime) -> datetime:
    """The beginning of its UTC day."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
