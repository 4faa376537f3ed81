"""Events of the markets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Self

import strawberry

from schema.events import Event, event
from schema.model import computed, described
from schema.provenance import DataMode, FeedDelay, Provenance
from schema.symbols import InstrumentId, parse_instrument
from schema.words.candles import Candle
from schema.words.instruments import DESCRIBED, instrument_of
from schema.words.intervals import Interval
from schema.words.news import NewsArticle
from schema.words.quotes import PriceType, Quote
from schema.words.venues import MarketState

_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_BTC, _APPLE = parse_instrument("crypto:BTC/USD"), parse_instrument("equity:AAPL")
_INSTRUMENT = "The instrument."
_INTERVAL = "Length of the candle."
_SOURCE = "Where the candle came from."


def subject_of(instrument: InstrumentId, interval: Interval) -> str:
    """What the events of a series of candles are about, such as `crypto:BTC/USD#M1`."""
    return f"{instrument}#{interval}"


@event("candle.closed", "A candle is complete: once for each instrument, interval and open time.", market=True)
class CandleClosed(Event):
    """In the order of open times."""

    instrument: strawberry.Private[InstrumentId]
    interval: Interval = described(_INTERVAL)
    candle: Candle = described("The candle as it closed.")
    provenance: Provenance = described(_SOURCE)
    instrument_ = computed(instrument_of, _INSTRUMENT, name="instrument", direct=DESCRIBED)

    @property
    def subject(self) -> str:
        """Instrument and interval."""
        return subject_of(self.instrument, self.interval)

    @classmethod
    def sample(cls) -> Self:
        """A minute of Bitcoin."""
        return cls(instrument=_BTC, interval=Interval.M1, candle=_candle("91234.5"), provenance=_stamped("kraken"))


@event("candle.revised", "A candle that was told as closed was changed by its provider.", market=True)
class CandleRevised(Event):
    """Late trades; a candle of another provider is no revision."""

    instrument: strawberry.Private[InstrumentId]
    interval: Interval = described(_INTERVAL)
    candle: Candle = described("The candle as it is now.")
    before: Candle = described("What was told of it before: prices and volume.")
    revision: int = described("1 for its first change; rises by one with each.")
    provenance: Provenance = described(_SOURCE)
    instrument_ = computed(instrument_of, _INSTRUMENT, name="instrument", direct=DESCRIBED)

    @property
    def subject(self) -> str:
        """Instrument and interval."""
        return subject_of(self.instrument, self.interval)

    @classmethod
    def sample(cls) -> Self:
        """A late trade above all others."""
        return cls(
            instrument=_BTC, interval=Interval.M1, candle=_candle("91236.0"), before=_candle("91234.5"), revision=1,
            provenance=_stamped("kraken"),
        )  # fmt: skip


@event(
    "consensus.outlier_detected",
    "A provider's price is too far from what the others agree on. Told again once it had been in line for a minute.",
    market=True,
)
class OutlierDetected(Event):
    """One source of one instrument."""

    instrument: strawberry.Private[InstrumentId]
    provider: str = described("The id of the provider that is off.")
    quote: Quote = described("What it said.")
    deviation_bps: Decimal = described("Distance from the median in basis points, signed.")
    median: Decimal = described("The middle of the others' prices.")
    low: Decimal = described("The lowest of the others' prices.")
    high: Decimal = described("The highest of the others' prices.")
    currency: str = described("Currency of the prices.")
    used: int = described("How many providers count.")
    asked: int = described("How many providers were listened to.")
    instrument_ = computed(instrument_of, _INSTRUMENT, name="instrument", direct=DESCRIBED)

    @property
    def subject(self) -> str:
        """The instrument."""
        return str(self.instrument)

    @classmethod
    def sample(cls) -> Self:
        """Two per cent above."""
        quote = Quote(
            instrument=_BTC, price=Decimal("93060"), price_type=PriceType.LAST, market_state=MarketState.REGULAR,
            provenance=_stamped("gemini"),
        )  # fmt: skip
        return cls(
            instrument=_BTC, provider="gemini", quote=quote, deviation_bps=Decimal("200.1"), median=Decimal("91234.5"),
            low=Decimal("91230"), high=Decimal("91240.5"), currency="USD", used=4, asked=5,
        )  # fmt: skip


@event(
    "news.published",
    "An article that was not there before: once for each channel. Its texts are its publisher's, and untrusted.",
    market=True,
)
class NewsPublished(Event):
    """An article that two channels find is told in both."""

    channel: str = described("Where it was found: an instrument's id, `news` for all, `news:<topic>` for a topic.")
    article: NewsArticle = described("The article.")

    @property
    def subject(self) -> str:
        """The channel."""
        return self.channel

    @classmethod
    def sample(cls) -> Self:
        """A headline."""
        article = NewsArticle(
            id="https://news.example/apple-results", title="Apple reports its results",
            url="https://news.example/apple-results", published_at=_NOON, source="Example News", language="en",
            symbols=(str(_APPLE),), provenance=_stamped("gdelt"),
        )  # fmt: skip
        return cls(channel=str(_APPLE), article=article)


TYPES: tuple[type[Event], ...] = (CandleClosed, CandleRevised, OutlierDetected, NewsPublished)
"""What producers tell besides the core's own of providers."""


def _candle(high: str) -> Candle:
    return Candle(
        open_time=_NOON - timedelta(minutes=1), open=Decimal("91230.1"), high=Decimal(high), low=Decimal("91228.0"),
        close=Decimal("91233.9"), volume=Decimal("3.50421"),
    )  # fmt: skip


def _stamped(provider: str) -> Provenance:
    return Provenance(
        provider=provider, mode=DataMode.LIVE, as_of=_NOON, fetched_at=_NOON, delay=FeedDelay.REALTIME, latency_ms=42
    )
