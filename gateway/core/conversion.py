"""`convertTo`: across currencies by a rate that the gateway itself can quote, direct, inverse or in two legs.

A rate is taken from a market of the two currencies, at its price: `fx:EUR/USD`, `crypto:USDT/USD`. With a direct rate
a product keeps every digit; an inverse or a two-legged rate has 20 significant digits, and what is multiplied with it
is rounded to 12, half to even.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from typing import Any

from schema.currencies import FIATS
from schema.errors import FailureCode, NoAnswer
from schema.provenance import Conversion, Provenance
from schema.symbols import AssetClass, InstrumentId
from schema.words.quotes import Quote

BRIDGES = ("USD", "EUR")
QUOTE_SIDES = ("JPY", "CHF", "CAD", "USD", "NZD", "AUD", "GBP", "EUR", "USDT", "USDC", "BTC", "ETH")
"""From what prices are mostly told in to what is mostly priced: EUR/USD, USD/JPY, BTC/USDT, ETH/BTC are the markets."""
_ROUNDED = Context(prec=20)
_EXACT = Context(prec=60)
_SHOWN = Context(prec=12)
_PRICED = (
    "price", "bid", "ask", "mid", "last", "open", "high", "low", "previous_close", "change", "quote_volume", "vwap",
    "extended_price",
)  # fmt: skip

QuoteOf = Callable[[InstrumentId], Awaitable[Quote]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Units of the target for one unit of the source, and where that came from.

    The provenance of two legs is the first one's, with the second as its conversion; `legs` are both as they were got.
    """

    value: Decimal
    provenance: Provenance
    direct: bool = True
    legs: tuple[Provenance, ...] = ()

    def times(self, amount: Decimal) -> Decimal:
        """The amount in the target currency."""
        if self.direct:
            return _EXACT.multiply(amount, self.value)
        return _SHOWN.multiply(amount, self.value).normalize(_SHOWN)


def pair(base: str, quote: str) -> InstrumentId:
    """The spot market of two currencies or assets."""
    kind = AssetClass.FX if base in FIATS and quote in FIATS else AssetClass.CRYPTO
    return InstrumentId(asset_class=kind, base=base, quote=quote)


async def find_rate(source: str, target: str, quote_of: QuoteOf) -> Rate:
    """The rate from one currency to another; the first NoAnswer, the market's own, where there is no way across."""
    failure: NoAnswer | None = None
    for legs in _ways(source, target):
        try:
            rates = [await _leg(a, b, quote_of) for a, b in legs]
        except NoAnswer as error:
            failure = failure or error
            continue
        if len(rates) == 1:
            return rates[0]
        return _chained(*rates, via=legs[1][0], target=target)
    assert failure is not None  # noqa: S101 - there is always at least one way to try
    raise failure


def _chained(first: Rate, second: Rate, *, via: str, target: str) -> Rate:
    onwards = Conversion(from_currency=via, to_currency=target, rate=second.value, provenance=second.provenance)
    return Rate(
        value=_ROUNDED.multiply(first.value, second.value),
        provenance=replace(first.provenance, conversion=onwards),
        direct=False,
        legs=(first.provenance, second.provenance),
    )


def _ways(source: str, target: str) -> list[list[tuple[str, str]]]:
    direct = [[(source, target)]]
    return direct + [[(source, via), (via, target)] for via in BRIDGES if via not in (source, target)]


async def _leg(source: str, target: str, quote_of: QuoteOf) -> Rate:
    """The market's own direction first: `EUR/USD` is quoted, `USD/EUR` hardly anywhere."""
    inverse = _ranking(source) < _ranking(target)
    try:
        return await _read(source, target, quote_of, inverse=inverse)
    except NoAnswer as failure:
        try:
            return await _read(source, target, quote_of, inverse=not inverse)
        except NoAnswer:
            raise failure from None


async def _read(source: str, target: str, quote_of: QuoteOf, *, inverse: bool) -> Rate:
    quote = await quote_of(pair(target, source) if inverse else pair(source, target))
    if quote.price <= 0:
        told = f"the price of {quote.instrument} is {quote.price}: no rate can be made of it"
        raise NoAnswer(str(quote.instrument), FailureCode.UPSTREAM_MALFORMED, told, ())
    value = _ROUNDED.divide(Decimal(1), quote.price) if inverse else quote.price
    return Rate(value=value, provenance=quote.provenance, direct=not inverse)


def _ranking(currency: str) -> int:
    """How much a currency is what others are priced in: the lower of two is the quote side of their market."""
    if currency in QUOTE_SIDES:
        return QUOTE_SIDES.index(currency)
    return -1 if currency in FIATS else len(QUOTE_SIDES)


def converted(quote: Quote, target: str, rate: Rate) -> Quote:
    """The quote in another currency, with the rate in its provenance."""
    values: dict[str, Any] = {
        name: rate.times(value) for name in _PRICED if (value := getattr(quote, name)) is not None
    }
    conversion = Conversion(
        from_currency=quote.currency, to_currency=target, rate=rate.value, provenance=rate.provenance
    )
    provenance = replace(quote.provenance, conversion=conversion)
    return replace(quote, currency=target, converted=True, provenance=provenance, **values)
