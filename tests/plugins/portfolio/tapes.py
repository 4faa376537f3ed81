"""A market of small tapes: closes by day, quotes, fixings and a ranking that a test writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from providers import Discovered
from providers.contract import Provider
from schema.errors import NotCovered, UnknownInstrument
from schema.symbols import AssetClass, parse_instrument
from schema.words.candles import CANDLES, Bars, CandlesAsk
from schema.words.caps import MARKET_CAPS, MarketCap, MarketCapsAsk
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk
from tests.plugins.speakers import speaker

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
Prices = Mapping[str, str]


def days(first: str, *prices: str) -> dict[str, str]:
    """Prices of consecutive days; an empty text leaves a day out."""
    begin = date.fromisoformat(first)
    return {(begin + timedelta(days=n)).isoformat(): price for n, price in enumerate(prices) if price}


@dataclass
class Tapes:
    """What is traded: closes by instrument and day; `quotes` are of now; rates by `EUR/USD` and day."""

    closes: dict[str, Prices] = field(default_factory=dict)
    quotes: dict[str, str] = field(default_factory=dict)
    currencies: dict[str, str] = field(default_factory=dict)
    rates: dict[str, Prices] = field(default_factory=dict)
    caps: list[MarketCap] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)

    @property
    def discovered(self) -> Discovered:
        """The one provider of it, `alpha`."""
        says: dict[Any, Any] = {
            CANDLES: lambda ask: self.bars(ask),
            QUOTES: self.told,
            FX_RATES: self.fixings,
            MARKET_CAPS: self.ranking,
        }
        cls: type[Provider] = speaker(says)
        return Discovered(classes={"alpha": cls}, failed={})

    def bars(self, ask: CandlesAsk) -> Bars:
        """Days of the range."""
        self.asked.append(ask)
        tape = self.closes.get(str(ask.instrument))
        if tape is None:
            raise UnknownInstrument("alpha", f"{ask.instrument} is not listed")
        chosen = [day for day in sorted(tape) if ask.start.date() <= date.fromisoformat(day) < ask.end.date()]
        closes = tuple(Decimal(tape[day]) for day in chosen)
        named = tuple(date.fromisoformat(day) for day in chosen)
        listed = ask.instrument.asset_class is AssetClass.EQUITY
        return Bars(
            open_time=tuple(datetime(d.year, d.month, d.day, tzinfo=UTC) for d in named), open=closes, high=closes,
            low=closes, close=closes, session_date=named if listed else None,
            currency=self.currencies.get(str(ask.instrument), "USD" if listed else None),
        )  # fmt: skip

    def told(self, ask: QuotesAsk) -> list[Quote]:
        """Those that have one."""
        return [
            Quote(
                instrument=each, price=Decimal(self.quotes[str(each)]), price_type=PriceType.LAST,
                currency=self.currencies.get(str(each), "USD" if each.asset_class is AssetClass.EQUITY else each.quote),
            )
            for each in ask.instruments
            if str(each) in self.quotes
        ]  # fmt: skip

    def fixings(self, ask: FxRatesAsk) -> tuple[FxRate, ...]:
        """Those of a pair."""
        self.asked.append(ask)
        found = self.rates.get(f"{ask.base}/{ask.quotes[0]}")
        if found is None or ask.start is None or ask.end is None:
            raise NotCovered("alpha", "has no such rate")
        return tuple(
            FxRate(base=ask.base, quote=ask.quotes[0], rate=Decimal(rate), date=date.fromisoformat(day))
            for day, rate in sorted(found.items())
            if ask.start <= date.fromisoformat(day) < ask.end
        )

    def ranking(self, ask: MarketCapsAsk) -> tuple[MarketCap, ...]:
        """As written."""
        self.asked.append(ask)
        return tuple(self.caps)


def instruments(*symbols: str) -> tuple[Any, ...]:
    """By their ids."""
    return tuple(parse_instrument(symbol) for symbol in symbols)
