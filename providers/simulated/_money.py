"""Market capitalisations and exchange rates out of the same values as the quotes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import floor, log10

from providers.simulated._calendar import DAY
from providers.simulated._markets import COINS, CURRENCY_WEEK, MARKETS, MONEY, Asset
from providers.simulated._track import Track, value_at
from schema.words.caps import MarketCap
from schema.words.quotes import PriceType
from schema.words.rates import FxRate

CENT = Decimal("0.01")
DIGITS = 6
TICKS = {(market.base, market.quote): market.ticks for market in MARKETS}


def worth(seed: int, base: Asset | None, quote: Asset | None, second: int) -> Decimal:
    """One asset in another: on the grid of the pair where it is listed, else to six digits and two places at least."""
    value = value_at(seed, base, quote, second)
    places = TICKS.get((base, quote), max(DIGITS - 1 - floor(log10(value)), 2))
    return Decimal(round(value * 10**places)).scaleb(-places)


def market_caps(seed: int, currency: str, first: int, now: int) -> tuple[MarketCap, ...]:
    """The largest coins, ranked."""
    caps = [_cap(seed, coin, currency, now) for coin in COINS.values()]
    caps.sort(key=lambda cap: (-(cap.market_cap or 0), cap.asset))
    return tuple(replace(cap, rank=rank) for rank, cap in enumerate(caps[:first], 1))


def _cap(seed: int, coin: Asset, currency: str, now: int) -> MarketCap:
    price, before = (worth(seed, coin, MONEY[currency], second) for second in (now, now - DAY))
    volume = (sum(_volumes(seed, coin, now), Decimal(0)) * price).quantize(CENT)
    return MarketCap(
        as_of=datetime.fromtimestamp(now, UTC), asset=coin.code, name=coin.name, currency=currency, price=price,
        market_cap=price * coin.supply, fully_diluted=price * coin.total, volume24h=volume,
        change_percent24h=((price - before) / before * 100).quantize(Decimal("0.0001")),
        circulating_supply=Decimal(coin.supply), total_supply=Decimal(coin.total),
        max_supply=None if coin.cap is None else Decimal(coin.cap),
    )  # fmt: skip


def _volumes(seed: int, coin: Asset, now: int) -> Iterator[Decimal]:
    """What was traded of a coin in the last 24 hours, market by market."""
    for market in MARKETS:
        if market.base is coin and market.premium is None:
            yield Track(seed, market, now - DAY + 1, now).volume(now - DAY + 1, now) * market.step


def newest_rates(seed: int, base: str, quotes: Sequence[str], now: int) -> tuple[FxRate, ...]:
    """Streaming middle prices, frozen at the weekend."""
    last = CURRENCY_WEEK.latest(now)
    return tuple(_rate(seed, base, code, last, None) for code in quotes)


def daily_rates(seed: int, base: str, quotes: Sequence[str], start: date, end: date, now: int) -> tuple[FxRate, ...]:
    """The last middle price of each day from Monday to Friday that is over."""
    days = (start + timedelta(days=count) for count in range((end - start).days))
    closes = ((day, CURRENCY_WEEK.latest(_midnight(day) + DAY - 1)) for day in days if day.weekday() < 5)
    return tuple(_rate(seed, base, code, close, day) for day, close in closes if close < now for code in quotes)


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _rate(seed: int, base: str, code: str, second: int, day: date | None) -> FxRate:
    return FxRate(
        base=base, quote=code, rate=worth(seed, MONEY[base], MONEY[code], second), date=day,
        as_of=datetime.fromtimestamp(second, UTC), price_type=PriceType.CLOSE if day else PriceType.MID,
    )  # fmt: skip
