"""Prices and rates by which holdings are valued: quotes now, closes of the past, each with where it came from."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

from gateway.core.contract import Context, Fetched
from gateway.core.ports import PanelAsk
from plugins.portfolio.ledger import EXACT
from plugins.portfolio.prices.panels import PanelDesk
from plugins.portfolio.prices.rates import Rates
from schema.currencies import UNKNOWN
from schema.errors import FailureCode, NoAnswer
from schema.provenance import CacheStatus, Conversion, Provenance, providers_of
from schema.symbols import InstrumentId, parse_instrument
from schema.words.candles import Adjustment
from schema.words.quotes import QUOTES, Quote, QuotesAsk

LOOKED_BACK = timedelta(days=14)
"""How far back a close may be that values a holding."""
OLD = timedelta(days=5)
"""A close that is older than a long weekend is marked stale."""
AT_A_TIME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A price of an instrument, and when it is from."""

    price: Decimal
    currency: str
    provenance: Provenance
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Prices by instrument, rates to one currency by currency; what is missing says why."""

    currency: str
    prices: Mapping[str, Mark]
    rates: Mapping[str, Conversion]
    failures: Mapping[str, NoAnswer] = field(default_factory=dict)

    @property
    def sources(self) -> frozenset[str]:
        """The providers that told them."""
        prices, rates = self.prices.values(), self.rates.values()
        return providers_of(*(each.provenance for each in prices), *(each.provenance for each in rates))

    def worth(self, amount: Decimal, currency: str) -> Decimal | None:
        """An amount in the one currency; None without a rate."""
        if currency == self.currency:
            return amount
        rate = self.rates.get(currency)
        return None if rate is None else EXACT.multiply(amount, rate.rate)


async def marks_now(
    context: Context, instruments: Collection[str], currencies: Collection[str], target: str
) -> Marks:  # fmt: skip
    """Last prices, and the rates of now."""
    named = [parse_instrument(each) for each in sorted(instruments)]
    parts = [tuple(named[n : n + AT_A_TIME]) for n in range(0, len(named), AT_A_TIME)]
    answers = await asyncio.gather(*(context.market.fetch_many(QUOTES, QuotesAsk(instruments=part)) for part in parts))
    prices: dict[str, Mark] = {}
    failures: dict[str, NoAnswer] = {}
    for instrument, answer in [pair for part in answers for pair in part.items()]:
        if isinstance(answer, NoAnswer):
            failures[str(instrument)] = answer
            continue
        prices[str(instrument)] = mark_of(context, instrument, answer)
    wanted = {*currencies, *(mark.currency for mark in prices.values())}
    rates, lacking = await rates_now(context, wanted, target)
    return Marks(currency=target, prices=prices, rates=rates, failures=failures | lacking)


def mark_of(context: Context, instrument: InstrumentId, answer: Fetched) -> Mark:
    """A quote as a mark."""
    quote = cast(Quote, answer.value)
    stale = context.cache_status(quote.provenance) is CacheStatus.STALE
    currency = quote.currency or instrument.quote or UNKNOWN
    return Mark(price=quote.price, currency=currency, provenance=quote.provenance, stale=stale)


async def rates_now(
    context: Context, sources: Collection[str], target: str
) -> tuple[dict[str, Conversion], dict[str, NoAnswer]]:
    """Units of the target for one unit of each; why there is none."""

    async def one(source: str) -> Conversion | NoAnswer:
        if source == UNKNOWN:
            return NoAnswer(source, FailureCode.NOT_COVERED, "the currency of its price is not known", ())
        try:
            rate = await context.market.rate(source, target)
        except NoAnswer as error:
            return error
        return Conversion(from_currency=source, to_currency=target, rate=rate.value, provenance=rate.provenance)

    wanted = sorted({*sources} - {target})
    found = dict(zip(wanted, await asyncio.gather(*(one(each) for each in wanted)), strict=True))
    return split_rates(found)


async def marks_at(
    context: Context, panels: PanelDesk, instruments: Collection[str], currencies: Collection[str], target: str,
    at: datetime,
) -> Marks:  # fmt: skip
    """The last closes that were over at an instant, adjusted for splits, and the rates of its day."""
    day = at.date()
    prices: dict[str, Mark] = {}
    failures: dict[str, NoAnswer] = {}
    if instruments:
        ask = PanelAsk(
            instruments=tuple(parse_instrument(each) for each in sorted(instruments)), start=at - LOOKED_BACK, end=at,
            adjustment=Adjustment.SPLITS,
        )  # fmt: skip
        _, found, unpriced = await panels.series(context, ask)
        failures = {str(each): error for each, error in unpriced.items()}
        for series in found:
            last = max(series.closes)
            close, old = series.closes[last], day - last > OLD
            prices[str(series.instrument)] = Mark(
                price=close, currency=series.currency, provenance=series.provenance, stale=old
            )
    wanted = {*currencies, *(mark.currency for mark in prices.values())} - {target}
    told = await panels.rates(context, wanted, target, day, at)
    rates, lacking = split_rates({source: _of_day(source, rate, at) for source, rate in told.items()})
    return Marks(currency=target, prices=prices, rates=rates, failures=failures | lacking)


def _of_day(source: str, rate: Rates | NoAnswer, at: datetime) -> Conversion | NoAnswer:
    if isinstance(rate, NoAnswer):
        return rate
    value = rate.at(at.date())
    if value is None:
        told = f"no rate from {source} to {rate.target} in the week before {at.date()}"
        return NoAnswer(source, FailureCode.NOT_COVERED, told, ())
    return Conversion(from_currency=source, to_currency=rate.target, rate=value, provenance=rate.provenance[-1])


def split_rates(
    found: Mapping[str, Conversion | NoAnswer],
) -> tuple[dict[str, Conversion], dict[str, NoAnswer]]:
    """What there is, and why the rest is missing."""
    rates = {source: rate for source, rate in found.items() if isinstance(rate, Conversion)}
    return rates, {source: error for source, error in found.items() if isinstance(error, NoAnswer)}
