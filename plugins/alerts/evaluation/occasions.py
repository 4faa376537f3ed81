"""What moved an alert, on its way to the database: with all that its event tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import strawberry

from gateway.core.contract import Host, Market
from plugins.alerts.conditions import AlertSide, Condition, Measure, read_condition
from plugins.alerts.evaluation.ladder import Act, AlertState, Rung
from plugins.alerts.events import (
    AlertEvent,
    FundingAlertTriggered,
    IndicatorAlertTriggered,
    NewsAlertTriggered,
    PriceAlertTriggered,
    ProviderAlertTriggered,
)
from plugins.alerts.store import AlertRow
from schema.provenance import Provenance
from schema.symbols import parse_instrument
from schema.words.candles import CANDLES
from schema.words.derivatives import FUNDING_RATES, FundingRate
from schema.words.news import NEWS, NewsArticle
from schema.words.quotes import QUOTES, PriceType, Quote
from schema.words.registry import ProviderInfo
from schema.words.venues import MarketState


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watched:
    """An alert as it is evaluated; made anew when somebody changes it."""

    row: AlertRow
    condition: Condition
    measure: Measure
    rung: Rung

    @classmethod
    def of(cls, row: AlertRow) -> Watched:
        """From its row, where it stands as it was last written."""
        condition = read_condition(row.condition)
        instrument = parse_instrument(row.instrument) if row.instrument else None
        measure = condition.measure(instrument, PriceType(row.price_type) if row.price_type else None)
        rung = Rung(
            id=row.id, threshold=condition.threshold, below=condition.side is AlertSide.BELOW,
            inclusive=condition.inclusive, hysteresis_bps=row.hysteresis_bps,
            cooldown=timedelta(milliseconds=row.cooldown_ms), repeating=row.repeating,
            state=AlertState(row.state), arm=row.arm, fired_at=_fired_since(row),
        )  # fmt: skip
        return cls(row=row, condition=condition, measure=measure, rung=rung)


def _fired_since(row: AlertRow) -> datetime | None:
    """When it fired since somebody changed it: what was before does not cool down any more."""
    fired = row.last_triggered_at
    return fired if fired is not None and fired >= row.changed_at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """An indicator's value at the close of a candle."""

    open_time: datetime
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An article that holds a word."""

    article: NewsArticle
    keyword: str


Seen = Quote | Point | FundingRate | Match | ProviderInfo


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Occasion:
    """One alert, moved."""

    watched: Watched
    act: Act
    arm: int
    state: AlertState
    at: datetime
    value: Decimal
    after_gap: bool
    seen: Seen
    market: Callable[[], Market]
    """On whose account it was seen."""
    seen_at: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether the alert goes on."""
        return self.act is not Act.FIRED or self.watched.row.repeating


async def event_of(host: Host, occasion: Occasion) -> AlertEvent:
    """What is told of a firing. What a licence lets nobody pass on is left out: the caller may ask for it."""
    row, condition, seen = occasion.watched.row, occasion.watched.condition, occasion.seen
    told: dict[str, Any] = {
        "alert_id": strawberry.ID(row.id), "condition": condition.text, "note": row.note, "arm": occasion.arm,
        "after_gap": occasion.after_gap, "occurred_at": occasion.at,
    }  # fmt: skip
    if isinstance(seen, ProviderInfo):
        return ProviderAlertTriggered(
            provider=str(seen.id), status=seen.status.value, reason=seen.status_reason, **told
        )  # fmt: skip
    made = seen.article.provenance if isinstance(seen, Match) else seen.provenance
    deliver = await _may_deliver(occasion, made.provider)
    told["mode"] = made.mode
    if isinstance(seen, Match):
        article = seen.article if deliver else None
        return NewsAlertTriggered(
            keyword=seen.keyword, article=article, url=seen.article.url, watched=row.instrument or "", **told
        )  # fmt: skip
    side: dict[str, Any] = {"side": condition.side, "threshold": condition.threshold}
    if isinstance(seen, FundingRate):
        return FundingAlertTriggered(
            instrument=row.instrument or "", rate=seen if deliver else None, provider=made.provider, **side, **told
        )  # fmt: skip
    value = occasion.value if deliver else None
    if isinstance(seen, Point):
        if condition.indicator is None or condition.interval is None:
            raise ValueError(f"{row.id} has no indicator")
        return IndicatorAlertTriggered(
            instrument=row.instrument or "", indicator=condition.indicator, interval=condition.interval,
            length=condition.length, value=value, open_time=seen.open_time, provenance=made, **side, **told,
        )  # fmt: skip
    quote = await _stated(host, seen, occasion.at) if deliver else None
    return PriceAlertTriggered(
        kind=condition.kind, value=value, quote=quote, provider=made.provider, watched=row.instrument or "",
        **side, **told,
    )  # fmt: skip


async def _stated(host: Host, quote: Quote, at: datetime) -> Quote:
    if quote.market_state is not MarketState.UNKNOWN:
        return quote
    return replace(quote, market_state=await host.calendars.state(quote.instrument, at))


async def _may_deliver(occasion: Occasion, provider: str) -> bool:
    seen = occasion.seen
    capability: Any = QUOTES
    if isinstance(seen, Point):
        capability = CANDLES
    elif isinstance(seen, FundingRate):
        capability = FUNDING_RATES
    elif isinstance(seen, Match):
        capability = NEWS
    return await occasion.market().may_deliver(capability, provider)
