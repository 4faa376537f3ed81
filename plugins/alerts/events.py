"""The events of alerts, a type for each family of conditions: they say which alert, by what, and how it stood."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Self

import strawberry

from gateway.core.contract import Ctx
from plugins.alerts.conditions import AlertKind, AlertSide, IndicatorKind
from plugins.alerts.types import Alert, alert_of
from schema.events import Event, event
from schema.model import computed, described, named
from schema.provenance import DataMode, Provenance
from schema.symbols import crypto, parse_instrument
from schema.words.derivatives import FundingRate
from schema.words.instruments import selected_fields
from schema.words.intervals import Interval
from schema.words.news import NewsArticle
from schema.words.quotes import PriceType, Quote
from schema.words.venues import MarketState

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
_MADE = Provenance(provider="sandbox", mode=DataMode.SIMULATED, as_of=AT, fetched_at=AT)


async def resolve_alert(root: AlertEvent, info: Ctx) -> Alert | None:
    """The alert as it is now."""
    return await alert_of(info.context, root.alert_id, selected_fields(info))


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent(Event):
    """What all of them have."""

    alert_id: strawberry.ID = described("The alert's id, also where it is gone.")  # noqa: RUF009 - a field of its own
    condition: str = described("What it waited for, in words.")
    note: str | None = described("What its maker noted.", default=None)
    arm: int = described("How often the alert has been armed: each arming fires once.")
    after_gap: bool = described("Whether it happened while the stream was interrupted, and was seen behind the gap.")

    @property
    def subject(self) -> str:
        """The alert."""
        return self.alert_id


def subject_of(alert_id: str, instrument: str) -> str:
    """An alert is found by its own channel and, where it has an instrument, by that one's."""
    return f"{alert_id}\n{instrument}" if instrument else alert_id


_ALERT = computed(
    resolve_alert, "The alert as it is now; null where it is gone.", name="alert",
    direct=named(lambda root: Alert.named(root.alert_id)),
)  # fmt: skip
_THRESHOLD = "The level of the condition."
_VALUE = "The number that was measured; null where its licence lets nobody pass it on."
_SIDE = "On which side of the level it is now."


@event("price.alert.triggered", "An alert on a price, its change, its spread between providers or its volume fired.")
class PriceAlertTriggered(AlertEvent):
    """With the quote that made it fire."""

    kind: AlertKind = described("What the alert looks at.")
    side: AlertSide = described(_SIDE)
    threshold: Decimal = described(_THRESHOLD)
    value: Decimal | None = described(_VALUE, default=None)
    quote: Quote | None = described("The quote; null where its licence lets nobody pass it on.", default=None)
    provider: str = described("Whose quote it was.")
    alert = _ALERT
    watched: strawberry.Private[str] = ""
    """The instrument's id, where the alert has one."""

    @property
    def subject(self) -> str:
        """The alert, and its instrument."""
        return subject_of(self.alert_id, self.watched)

    @classmethod
    def sample(cls) -> Self:
        """Bitcoin above a round number."""
        quote = Quote(
            instrument=crypto("BTC", "USD"), price=Decimal("100000.5"), price_type=PriceType.LAST, as_of=AT,
            market_state=MarketState.REGULAR, provenance=_MADE,
        )  # fmt: skip
        return cls(
            kind=AlertKind.PRICE, side=AlertSide.ABOVE, threshold=Decimal(100000), value=quote.price, quote=quote,
            provider="sandbox", mode=DataMode.SIMULATED, **_sample("price crosses above 100000"),
        )  # fmt: skip


@event("indicator.alert.triggered", "An alert on an indicator over closed candles fired.")
class IndicatorAlertTriggered(AlertEvent):
    """At the close of a candle."""

    instrument: str = described("The instrument's id.")
    indicator: IndicatorKind = described("Which indicator.")
    interval: Interval = described("Length of the candles.")
    length: int = described("Over how many of them.")
    side: AlertSide = described(_SIDE)
    threshold: Decimal = described(_THRESHOLD)
    value: Decimal | None = described(_VALUE, default=None)
    open_time: datetime = described("Open time of the candle at whose close it crossed.")
    provenance: Provenance = described("Where the candles came from.")
    alert = _ALERT

    @property
    def subject(self) -> str:
        """The alert, and its instrument."""
        return subject_of(self.alert_id, self.instrument)

    @classmethod
    def sample(cls) -> Self:
        """Overbought."""
        return cls(
            instrument="crypto:BTC/USD", indicator=IndicatorKind.RSI, interval=Interval.H1, length=14,
            side=AlertSide.ABOVE, threshold=Decimal(70), value=Decimal("71.25"), open_time=AT, provenance=_MADE,
            mode=DataMode.SIMULATED, **_sample("RSI(14) of H1 candles crosses above 70"),
        )  # fmt: skip


@event("funding.alert.triggered", "An alert on a perpetual's funding rate fired.")
class FundingAlertTriggered(AlertEvent):
    """With the rate that made it fire."""

    instrument: str = described("The perpetual's id.")
    side: AlertSide = described(_SIDE)
    threshold: Decimal = described(_THRESHOLD)
    rate: FundingRate | None = described("The rate; null where its licence lets nobody pass it on.", default=None)
    provider: str = described("Whose rate it was.")
    alert = _ALERT

    @property
    def subject(self) -> str:
        """The alert, and its instrument."""
        return subject_of(self.alert_id, self.instrument)

    @classmethod
    def sample(cls) -> Self:
        """Longs pay much."""
        rate = FundingRate(
            instrument=parse_instrument("crypto:BTC/USDT:USDT"), as_of=AT, rate=Decimal("0.0012"), time=AT,
            settled=False, provenance=_MADE,
        )  # fmt: skip
        return cls(
            instrument="crypto:BTC/USDT:USDT", side=AlertSide.ABOVE, threshold=Decimal("0.001"), rate=rate,
            provider="sandbox", mode=DataMode.SIMULATED, **_sample("funding rate crosses above 0.001"),
        )  # fmt: skip


@event("news.alert.triggered", "An alert on words in the news fired.")
class NewsAlertTriggered(AlertEvent):
    """With the article that holds one."""

    keyword: str = described("The word that it holds.")
    article: NewsArticle | None = described("The article; null where its licence lets nobody pass it on.", default=None)
    url: str = described("Where it can be read.")
    alert = _ALERT
    watched: strawberry.Private[str] = ""
    """The instrument's id, where the alert has one."""

    @property
    def subject(self) -> str:
        """The alert, and its instrument."""
        return subject_of(self.alert_id, self.watched)

    @classmethod
    def sample(cls) -> Self:
        """A headline."""
        article = NewsArticle(
            id="1", title="A merger is announced", url="https://news.example/1", published_at=AT, provenance=_MADE
        )
        return cls(
            keyword="merger", article=article, url=article.url, mode=DataMode.SIMULATED,
            **_sample("an article holds 'merger'"),
        )  # fmt: skip


@event("provider.alert.triggered", "An alert on a provider's health fired: it cannot be asked.")
class ProviderAlertTriggered(AlertEvent):
    """As the evaluating process sees the provider."""

    provider: str = described("The provider's id.")
    status: str = described("Its status, as `ProviderStatus` names it.")
    reason: str | None = described("Why, in words.", default=None)
    alert = _ALERT

    @classmethod
    def sample(cls) -> Self:
        """A breaker that is open."""
        return cls(
            provider="kraken", status="DEGRADED", reason="5 calls in a row failed", **_sample("kraken cannot be asked")
        )


def _sample(condition: str) -> dict[str, Any]:
    return {
        "alert_id": strawberry.ID("alert_0123456789abcdefghjk"), "condition": condition, "note": "Wake me", "arm": 1,
        "after_gap": False,
    }  # fmt: skip


EVENTS = (
    PriceAlertTriggered, IndicatorAlertTriggered, FundingAlertTriggered, NewsAlertTriggered, ProviderAlertTriggered,
)  # fmt: skip
