"""Measures that nobody streams, asked again and again: funding, indicators at the close of candles, news, health."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from datetime import datetime
from decimal import Decimal
from typing import cast

import structlog

from gateway.core.contract import Context
from gateway.core.ports import Desk, Providers
from plugins.alerts.conditions import Condition, Measure
from plugins.alerts.evaluation.feeds import Courses, Surroundings
from plugins.alerts.evaluation.indicators import fed, values_of
from plugins.alerts.evaluation.ladder import Act, AlertState
from plugins.alerts.evaluation.occasions import Match, Occasion, Point, Watched
from schema.errors import MarketgateError
from schema.words.candles import CandleSeries, rows_of
from schema.words.derivatives import FUNDING_RATES, FundingRate, FundingRatesAsk
from schema.words.news import NEWS, NewsArticle, NewsAsk
from schema.words.registry import BreakerState, ProviderStatus

FUNDING_S, NEWS_S, HEALTH_S = 60.0, 120.0, 2.0
LATE_S = 3.0
"""How long after a candle's end it is asked for: trades come late."""
LONGEST_S = 60.0
"""Until a failed question is asked again."""

MOST_TOLD = 500
"""Articles that are known to have counted for an alert."""

LOG = structlog.get_logger(__name__)


class Poll(Courses, ABC):
    """One measure, asked for with a pause."""

    def __init__(self, around: Surroundings, providers: dict[str, str], measure: Measure) -> None:
        super().__init__(around, providers)
        self._measure = measure

    async def run(self) -> None:
        """See `Feed`."""
        while True:
            try:
                await self.look(self.around.context())
            except MarketgateError as error:
                LOG.warning("alerts_not_asked", measure=self._measure.name, reason=error.message)
                self.missed()
            await self.around.clock.sleep(self.pause())

    @abstractmethod
    async def look(self, context: Context) -> None:
        """Ask once."""

    @abstractmethod
    def pause(self) -> float:
        """Seconds until the next question."""


class FundingPoll(Poll):
    """The running rate of a perpetual."""

    async def look(self, context: Context) -> None:
        """See `Poll`."""
        if self._measure.instrument is None or self._measure not in self.courses:
            return
        ask = FundingRatesAsk(instruments=(self._measure.instrument,))
        rate = cast(FundingRate, (await context.market.fetch(FUNDING_RATES, ask)).value)
        if self._measure in self.courses:
            self.take(self._measure, rate.rate, rate.provenance.provider, rate)

    def pause(self) -> float:
        """See `Poll`."""
        return FUNDING_S


class IndicatorPoll(Poll):
    """An indicator at the close of each candle, reckoned anew from one provider's candles."""

    def __init__(self, around: Surroundings, providers: dict[str, str], measure: Measure) -> None:
        super().__init__(around, providers, measure)
        if measure.interval is None or measure.instrument is None:
            raise ValueError("an indicator is of an instrument's candles")
        self._interval, self._instrument = measure.interval, measure.instrument
        self._newest: Point | None = None

    async def look(self, context: Context) -> None:
        """See `Poll`."""
        last = fed(self._measure.length) + 2
        series = await context.host.service(Desk).candles(context, self._instrument, self._interval, None, None, last)
        if series is None or self._measure not in self.courses:
            return
        self._read(series)

    def _read(self, series: CandleSeries) -> None:
        measure, closed = self._measure, [bar for bar in rows_of(series.bars) if bar.closed]
        condition = Condition(kind=measure.kind, indicator=measure.indicator, length=measure.length)
        values = values_of(condition, [bar.close for bar in closed])
        if len(values) < 2 or values[-1] is None or values[-2] is None or not series.provenance:
            return
        made, before, newest = series.provenance[-1], self._newest, closed[-1].open_time
        if before is not None and newest <= before.open_time:
            return
        point = self._newest = Point(open_time=newest, provenance=made)
        if before is None:
            # It closed before anybody looked.
            self.take(measure, values[-1], made.provider, point, shown=True)
            return
        if closed[-2].open_time > before.open_time:
            self.missed()
        if made.provider != self.courses[measure].provider:
            # The same candle as the other told it: what crosses is one provider's own.
            self.take(measure, values[-2], made.provider, before)
        self.take(measure, values[-1], made.provider, point)

    def pause(self) -> float:
        """See `Poll`."""
        now, seconds = self.around.clock.now().timestamp(), self._interval.seconds
        left = seconds - now % seconds
        return min(left + LATE_S, 3600.0) if self._newest is not None else min(left + LATE_S, LONGEST_S)


class NewsPoll(Poll):
    """Articles that hold one of some words; each counts once, from when an alert began.

    What is listed late counts too, where it was published since this poll began to look for the alert. What bears a
    time that is still to come waits for it: it would keep all before it from being told after a new start.
    """

    def __init__(self, around: Surroundings, providers: dict[str, str], measure: Measure) -> None:
        super().__init__(around, providers, measure)
        self._since: dict[str, datetime] = {}
        self._seen: dict[str, datetime] = {}
        self._told: dict[str, deque[str]] = {}

    def remove(self, alert_id: str) -> None:
        """See `Feed`."""
        super().remove(alert_id)
        for known in (self._since, self._seen, self._told):
            known.pop(alert_id, None)

    async def look(self, context: Context) -> None:
        """See `Poll`."""
        measure, found = self._measure, dict[str, NewsArticle]()
        instruments = (measure.instrument,) if measure.instrument else ()
        for text in ("",) if instruments else measure.keywords:
            fetched = await context.market.fetch(NEWS, NewsAsk(text=text, instruments=instruments))
            found |= {article.id: article for article in cast("tuple[NewsArticle, ...]", fetched.value)}
        articles = sorted(found.values(), key=lambda article: article.published_at)
        for watched in list(self._alerts.values()):
            self._tell(watched, articles)

    def _tell(self, watched: Watched, articles: list[NewsArticle]) -> None:
        row, rung, now = watched.row, watched.rung, self.around.clock.now()
        since = self._since.setdefault(row.id, row.seen_at or row.created_at)
        told = self._told.setdefault(row.id, deque(maxlen=MOST_TOLD))
        for article in articles:
            keyword = _held(article, watched.condition.keywords)
            if not since < article.published_at <= now or keyword is None or article.id in told:
                continue
            told.append(article.id)
            seen_at = self._seen[row.id] = max(self._seen.get(row.id, since), article.published_at)
            if rung.fired_at is not None and now < rung.fired_at + rung.cooldown:
                continue
            rung.arm, rung.fired_at = rung.arm + 1, now
            occasion = Occasion(
                watched=watched, act=Act.FIRED, arm=rung.arm, state=AlertState.WAITING, at=now, value=Decimal(1),
                after_gap=False, seen=Match(article=article, keyword=keyword), market=self.around.market,
                seen_at=seen_at,
            )  # fmt: skip
            self.around.put([occasion], {})
            if not row.repeating:
                self.remove(row.id)
                return

    def pause(self) -> float:
        """See `Poll`."""
        return NEWS_S


class HealthPoll(Poll):
    """Whether a provider can be asked: 1 where it cannot."""

    async def look(self, context: Context) -> None:
        """See `Poll`."""
        provider = self._measure.providers[0]
        found = context.host.service(Providers).find(provider)
        if found is None or self._measure not in self.courses:
            return
        well = found.status is ProviderStatus.READY and found.health.breaker is BreakerState.CLOSED
        self.take(self._measure, Decimal(0 if well else 1), provider, found)

    def pause(self) -> float:
        """See `Poll`."""
        return HEALTH_S


def _held(article: NewsArticle, keywords: tuple[str, ...]) -> str | None:
    """The first of some words that it holds, upper and lower case being the same."""
    text = " ".join((article.title, article.summary or "", *article.topics)).casefold()
    return next((word for word in keywords if word in text), None)
