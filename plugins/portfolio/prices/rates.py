"""Exchange rates of the past: fixings between currencies, candles where a side is an asset.

A rate holds from its day until the next one is told, for at most a week: fixings pause at weekends and on holidays.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Context as Precision
from decimal import Decimal
from typing import cast

from gateway.core.contract import Context
from plugins.portfolio.prices.days import closes_of, midnight
from schema.capability import Terms
from schema.currencies import FIATS
from schema.errors import FailureCode, NoAnswer
from schema.provenance import Provenance
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, Adjustment, Bars, CandlesAsk
from schema.words.intervals import Interval
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk

HOLDS = timedelta(days=7)
TERMS = Terms(timeout=20.0)
YEARS_A_PIECE = 5
"""Fixings are asked in pieces on a fixed grid, which other asks share."""
BRIDGES = ("USD", "EUR")
_QUOTE_SIDES = ("JPY", "CHF", "CAD", "USD", "NZD", "AUD", "GBP", "EUR", "USDT", "USDC", "BTC", "ETH")
_EXACT, _ROUNDED = Precision(prec=60), Precision(prec=20)

Told = tuple[dict[date, Decimal], Sequence[Provenance]]
Tell = Callable[[Context, str, str, date, datetime], Awaitable[Told]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Units of `target` for one unit of `source`, by day, ascending."""

    source: str
    target: str
    days: tuple[date, ...]
    values: tuple[Decimal, ...]
    provenance: tuple[Provenance, ...] = ()

    def at(self, day: date) -> Decimal | None:
        """The last one told by then; None where that is more than a week ago."""
        place = bisect_right(self.days, day) - 1
        return self.values[place] if place >= 0 and day - self.days[place] <= HOLDS else None

    def times(self, amount: Decimal, day: date) -> Decimal | None:
        """An amount of a day in the target currency."""
        rate = self.at(day)
        return None if rate is None else _EXACT.multiply(amount, rate)


class NoRates(Rates):
    """From a currency to itself."""

    def at(self, day: date) -> Decimal | None:
        """One."""
        return Decimal(1)

    def times(self, amount: Decimal, day: date) -> Decimal | None:
        """Itself."""
        return amount


async def rates_between(context: Context, source: str, target: str, start: date, until: datetime) -> Rates:
    """Directly, else by way of dollars or euros; NoAnswer, the direct way's, where there is no way across."""
    if source == target:
        return NoRates(source=source, target=target, days=(), values=())
    ways = [(source, target)], *([(source, via), (via, target)] for via in BRIDGES if via not in (source, target))
    failure: NoAnswer | None = None
    for way in ways:
        try:
            legs = [await _leg(context, a, b, start - HOLDS, until) for a, b in way]
        except NoAnswer as error:
            failure = failure or error
            continue
        return legs[0] if len(legs) == 1 else _chained(*legs)
    assert failure is not None  # noqa: S101 - there is always one way to try
    told = f"no rates from {source} to {target}: {failure.message}"
    raise NoAnswer(failure.symbol, FailureCode(failure.code), told, failure.attempts)


def _chained(first: Rates, second: Rates) -> Rates:
    """Both of a day; a day without a second one has none."""
    both = [(day, value, second.at(day)) for day, value in zip(first.days, first.values, strict=True)]
    kept = [(day, _ROUNDED.multiply(one, two)) for day, one, two in both if two is not None]
    return Rates(
        source=first.source, target=second.target, days=tuple(day for day, _ in kept),
        values=tuple(value for _, value in kept), provenance=first.provenance + second.provenance,
    )  # fmt: skip


async def _leg(context: Context, source: str, target: str, start: date, until: datetime) -> Rates:
    """Fixings before candles, the market's own direction before the other."""
    turned = _ranking(source) < _ranking(target)
    failure: NoAnswer | None = None
    for told in (_fixings, _candles) if {source, target} <= FIATS else (_candles,):
        for inverse in (turned, not turned):
            try:
                return await _directed(context, source, target, start, until, told, inverse=inverse)
            except NoAnswer as error:
                failure = failure or error
    assert failure is not None  # noqa: S101 - there is always one way to try
    raise failure


async def _directed(
    context: Context, source: str, target: str, start: date, until: datetime, tell: Tell, *, inverse: bool
) -> Rates:
    base, quote = (target, source) if inverse else (source, target)
    told, provenance = await tell(context, base, quote, start, until)
    days = tuple(sorted(day for day, value in told.items() if value > 0))
    if not days:
        raise NoAnswer(f"{base}/{quote}", FailureCode.NOT_COVERED, f"no rate of {base}/{quote} was told", ())
    values = tuple(_ROUNDED.divide(Decimal(1), told[day]) if inverse else told[day] for day in days)
    return Rates(source=source, target=target, days=days, values=values, provenance=tuple(provenance))


async def _fixings(context: Context, base: str, quote: str, start: date, until: datetime) -> Told:
    """A piece that nobody has, such as of years before there was a currency, leaves its days without a rate."""
    found: dict[date, Decimal] = {}
    provenance: list[Provenance] = []
    failure: NoAnswer | None = None
    for first, behind in _pieces(start, until.date() + timedelta(days=1)):
        ask = FxRatesAsk(base=base, quotes=(quote,), start=first, end=behind)
        try:
            fetched = await context.market.fetch(FX_RATES, ask, TERMS)
        except NoAnswer as error:
            failure = failure or error
            continue
        rates = cast("tuple[FxRate, ...]", fetched.value)
        found |= {rate.date: rate.rate for rate in rates if rate.date is not None and rate.quote == quote}
        provenance.append(fetched.provenance)
    if failure is not None and not found:
        raise failure
    return found, provenance


def _pieces(start: date, end: date) -> list[tuple[date, date]]:
    edges = [date(year, 1, 1) for year in range(start.year + 1, end.year + 1) if year % YEARS_A_PIECE == 0]
    inner = [edge for edge in edges if start < edge < end]
    return list(zip([start, *inner], [*inner, end], strict=True))


async def _candles(context: Context, base: str, quote: str, start: date, until: datetime) -> Told:
    kind = AssetClass.FX if {base, quote} <= FIATS else AssetClass.CRYPTO
    instrument = InstrumentId(asset_class=kind, base=base, quote=quote)
    ask = CandlesAsk(
        instrument=instrument, interval=Interval.D1, start=midnight(start),
        end=midnight(until.date() + timedelta(days=1)), adjustment=Adjustment.NONE,
    )  # fmt: skip
    fetched = await context.market.fetch(CANDLES, ask, TERMS)
    # Years of them take their milliseconds: others go on meanwhile.
    closes = await asyncio.to_thread(closes_of, cast(Bars, fetched.value), Interval.D1, "UTC", None, until)
    return closes, (fetched.provenance,)


def _ranking(currency: str) -> int:
    """How much a currency is what others are priced in: the lower of two is the quote side of their market."""
    if currency in _QUOTE_SIDES:
        return _QUOTE_SIDES.index(currency)
    return -1 if currency in FIATS else len(_QUOTE_SIDES)
