"""What is no plain price: changes, spreads, volumes, indicators, funding, news, a provider's health."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.core.contract import Tapped
from gateway.core.live.messages import Message, Position
from gateway.core.ports import Desk, Providers
from plugins.alerts.conditions import AlertKind, AlertSide, Condition, IndicatorKind, plain, shard_of
from plugins.alerts.evaluation.course import spread_bps
from plugins.alerts.evaluation.feeds import QuoteFeed, SpreadFeed, Surroundings
from plugins.alerts.evaluation.indicators import values_of
from plugins.alerts.evaluation.ladder import Act
from plugins.alerts.evaluation.occasions import Match, Occasion, Point, Watched
from plugins.alerts.evaluation.polls import FundingPoll, HealthPoll, IndicatorPoll, NewsPoll
from plugins.alerts.preview import Trial, bases_of, firings
from plugins.alerts.store import AlertRow
from schema.provenance import DataMode, Provenance
from schema.symbols import InstrumentId, parse_instrument
from schema.words.candles import Bars, Candle
from schema.words.derivatives import FundingRate
from schema.words.intervals import Interval
from schema.words.news import NewsArticle
from schema.words.quotes import PriceType, Quote
from schema.words.registry import BreakerState, ProviderStatus
from tests.gateway.doubles import BTC, NOON, ManualClock

PERPETUAL = parse_instrument("crypto:BTC/USDT:USDT")


class Bench:
    """A feed's surroundings, with what it answers and what moved."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.moved: list[Occasion] = []
        self.answer: Any = None
        self.around = Surroundings(whose="", context=self.context, clock=self.clock, put=self.put)

    def context(self) -> Any:
        async def fetch(*_: object) -> Any:
            return SimpleNamespace(value=self.answer)

        async def candles(*_: object) -> Any:
            return self.answer

        served = {
            Desk: SimpleNamespace(candles=candles), Providers: SimpleNamespace(find=lambda _: self.answer),
        }  # fmt: skip
        return SimpleNamespace(market=SimpleNamespace(fetch=fetch), host=SimpleNamespace(service=served.__getitem__))

    def put(self, told: Any, providers: Any) -> None:
        self.moved += told

    @property
    def fired(self) -> list[Occasion]:
        return [each for each in self.moved if each.act is Act.FIRED]


def watched(condition: Condition, instrument: InstrumentId | None = BTC, *, repeating: bool = True) -> Watched:
    return Watched.of(
        AlertRow(
            tenant_id="ten", id="alert_1", made_by="ada", instrument=str(instrument) if instrument else None,
            shard=shard_of(condition, instrument), condition=plain(condition), price_type="LAST", repeating=repeating,
            cooldown_ms=0, hysteresis_bps=0, fire_if_true=False, note=None, active=True, state="WAITING", arm=0,
            generation=0, last_triggered_at=None, seen_at=NOON, idempotency_key=None, request_digest=None,
            created_at=NOON, changed_at=NOON,
        )
    )  # fmt: skip


def told(price: str, bench: Bench, provider: str = "alpha", **more: Any) -> Tapped:
    at = bench.clock.now()
    made = Provenance(provider=provider, mode=DataMode.LIVE, as_of=at, fetched_at=at)
    quote = Quote(instrument=BTC, price=Decimal(price), price_type=PriceType.LAST, provenance=made, **more)
    return Tapped(symbol="", provider=provider, message=Message(position=Position(1, 1), values=(quote,)))


def test_a_change_counts_within_its_window_and_against_one_providers_prices():
    bench = Bench()
    condition = Condition(kind=AlertKind.CHANGE, threshold=Decimal(5), inclusive=True, window_ms=60_000)
    feed = QuoteFeed(bench.around, {}, BTC)
    feed.add(watched(condition))

    for price, provider in [("100", "alpha"), ("101", "alpha"), ("104", "alpha"), ("106.05", "alpha"), ("120", "beta")]:
        feed.heard(told(price, bench, provider))
        bench.clock.turn(40)

    # 104 against 101 of 40 s before is too little, 106.05 against 101 of 80 s before is 5 %.
    assert [str(each.value) for each in bench.fired] == ["5.00"]


CHANGE_20 = Condition(kind=AlertKind.CHANGE, threshold=Decimal(20), inclusive=True, window_ms=60_000)
FALL_20 = Condition(
    kind=AlertKind.CHANGE, side=AlertSide.BELOW, threshold=Decimal(-20), inclusive=True, window_ms=60_000
)


def fed(bench: Bench, condition: Condition, *prices: str) -> list[str]:
    feed = QuoteFeed(bench.around, {}, BTC)
    feed.add(watched(condition))
    for price in prices:
        feed.heard(told(price, bench))
        bench.clock.turn(20)
    return [str(each.value) for each in bench.fired]


@pytest.mark.parametrize("condition", [CHANGE_20, FALL_20], ids=["risen", "fallen"])
@pytest.mark.parametrize(
    "prices",
    [
        ("100", "100", "100", "100", "100", "10000", "100", "100", "100", "100", "100"),
        ("100", "100", "100", "100", "100", "1", "100", "100", "100", "100", "100"),
        ("10000", "100", "100", "100", "100", "100", "100", "100"),
        ("1", "100", "100", "100", "100", "100", "100", "100"),
    ],
    ids=["high", "low", "high at first", "low at first"],
)
def test_a_lone_price_is_no_change_and_is_none_that_others_are_compared_with(
    condition: Condition, prices: tuple[str, ...]
):
    assert fed(Bench(), condition, *prices) == []


def test_a_change_that_the_next_price_bears_out_fires_with_it():
    assert fed(Bench(), CHANGE_20, "100", "100", "100", "100", "100", "200", "202") == ["102.00"]


def test_a_lone_volume_does_not_fire_and_none_is_armed_again_by_one():
    bench, condition = Bench(), Condition(kind=AlertKind.VOLUME, threshold=Decimal(1000))
    feed = QuoteFeed(bench.around, {}, BTC)
    feed.add(watched(condition))

    for volume in ("900", "1000000000", "901", "1001", "0", "1002", "1003"):
        feed.heard(told("5", bench, volume=Decimal(volume)))

    assert [str(each.value) for each in bench.fired] == ["1001"]


@pytest.mark.parametrize(
    ("volumes", "fired"),
    [
        (("900", "5000", "5001"), ["5001"]),
        (("0", "100", "400", "1600", "6400"), ["6400"]),
        (("90000", "10", "100", "800", "2000", "2001"), ["2000"]),
    ],
    ids=["a leap", "a day begins", "a day ends and another begins"],
)
def test_a_volume_that_runs_counts_at_the_next_value_at_the_latest(volumes: tuple[str, ...], fired: list[str]):
    bench, feed = Bench(), None
    feed = QuoteFeed(bench.around, {}, BTC)
    feed.add(watched(Condition(kind=AlertKind.VOLUME, threshold=Decimal(1000))))

    for volume in volumes:
        feed.heard(told("5", bench, volume=Decimal(volume)))

    assert [str(each.value) for each in bench.fired] == fired


def spreads(*told_by: tuple[str, str]) -> list[str]:
    bench = Bench()
    alert = watched(Condition(kind=AlertKind.SPREAD, threshold=Decimal(100), inclusive=True, providers=("a", "b")))
    feed = SpreadFeed(bench.around, {}, alert.measure)
    feed.add(alert)
    for provider, price in told_by:
        feed.heard(told(price, bench, provider))
    return [str(each.value) for each in bench.fired]


@pytest.mark.parametrize(
    "told_by",
    [
        (("a", "100"), ("b", "100"), ("b", "10000"), ("a", "100"), ("b", "100")),
        (("a", "100"), ("a", "100"), ("b", "10000"), ("a", "100"), ("b", "100")),
        (("b", "10000"), ("a", "100"), ("a", "100"), ("b", "100"), ("b", "100")),
    ],
    ids=["later", "at first", "before any other"],
)
def test_a_lone_price_makes_no_spread(told_by: tuple[tuple[str, str], ...]):
    assert spreads(*told_by) == []


def test_a_spread_that_the_next_price_bears_out_fires_with_it():
    assert spreads(("a", "100"), ("b", "100"), ("b", "200"), ("b", "200")) == ["10000"]


def test_a_leap_of_all_providers_is_no_spread():
    assert spreads(("a", "100"), ("b", "100"), ("a", "200"), ("b", "200"), ("a", "200"), ("b", "201")) == []


def test_a_spread_is_between_the_last_prices_of_its_providers():
    bench = Bench()
    condition = Condition(kind=AlertKind.SPREAD, threshold=Decimal(100), inclusive=True, providers=("alpha", "beta"))
    alert = watched(condition)
    feed = SpreadFeed(bench.around, {}, alert.measure)
    feed.add(alert)

    for price, provider in [("100", "alpha"), ("100.5", "beta"), ("101", "beta"), ("100.5", "beta")]:
        feed.heard(told(price, bench, provider))
    bench.clock.turn(31)
    feed.heard(told("110", bench, "beta"))

    # The last price of alpha is too old to be compared.
    assert [str(each.value) for each in bench.fired] == ["100.00"]
    assert spread_bps([Decimal(1)]) is None


def test_a_volume_fires_when_it_rises_above_its_level():
    bench, feed = Bench(), None
    feed = QuoteFeed(bench.around, {}, BTC)
    feed.add(watched(Condition(kind=AlertKind.VOLUME, threshold=Decimal(1000))))

    for volume in ("900", "1000", "1001", "1002"):
        feed.heard(told("5", bench, volume=Decimal(volume)))

    assert [str(each.value) for each in bench.fired] == ["1001"]


async def test_funding_is_asked_for_and_crosses_its_level():
    bench = Bench()
    alert = watched(Condition(kind=AlertKind.FUNDING, threshold=Decimal("0.001")), PERPETUAL)
    poll = FundingPoll(bench.around, {}, alert.measure)
    poll.add(alert)
    made = Provenance(provider="alpha", mode=DataMode.LIVE, as_of=NOON, fetched_at=NOON)

    for rate in ("0.0005", "0.0012", "0.0013"):
        bench.answer = FundingRate(instrument=PERPETUAL, rate=Decimal(rate), time=NOON, settled=False, provenance=made)
        await poll.look(bench.context())

    (fired,) = bench.fired
    assert (fired.value, fired.after_gap) == (Decimal("0.0012"), False)


def series(closes: Sequence[int], provider: str = "alpha") -> Any:
    times = tuple(NOON + timedelta(hours=n) for n in range(len(closes)))
    prices = tuple(Decimal(close) for close in closes)
    bars = Bars(open_time=times, open=prices, high=prices, low=prices, close=prices)
    made = Provenance(provider=provider, mode=DataMode.LIVE, as_of=NOON, fetched_at=NOON)
    return SimpleNamespace(bars=bars, provenance=[made])


async def test_an_indicator_crosses_at_the_close_of_a_candle_of_one_provider():
    bench = Bench()
    condition = Condition(
        kind=AlertKind.INDICATOR, threshold=Decimal(20), indicator=IndicatorKind.SMA, interval=Interval.H1, length=2
    )
    alert = watched(condition)
    poll = IndicatorPoll(bench.around, {}, alert.measure)
    poll.add(alert)

    for closes, provider in [
        ([10, 10, 10], "alpha"),
        ([10, 10, 10, 20], "alpha"),
        ([10, 10, 10, 20, 24], "alpha"),
        ([10, 10, 10, 20, 24], "alpha"),
        ([10, 10, 10, 20, 10, 10], "alpha"),
        ([90, 90, 90, 90, 90, 90, 90], "beta"),
    ]:
        bench.answer = series(closes, provider)
        await poll.look(bench.context())

    (fired,) = bench.fired
    assert isinstance(fired.seen, Point)
    assert (fired.value, fired.seen.open_time) == (Decimal("22.0"), NOON + timedelta(hours=4))


def test_indicators_are_talipps():
    closes = [Decimal(close) for close in (1, 2, 3, 2, 1, 4, 5)]

    told = values_of(Condition(kind=AlertKind.INDICATOR, indicator=IndicatorKind.RSI, length=3), closes)

    assert told[:3] == [None] * 3
    assert [str(each) for each in told[3:]] == ["66.66666667", "44.44444444", "77.77777778", "82.90598291"]


async def test_an_article_counts_once_from_when_the_alert_began():
    bench = Bench()
    alert = watched(Condition(kind=AlertKind.NEWS, keywords=("etf", "halving")), None)
    poll = NewsPoll(bench.around, {}, alert.measure)
    poll.add(alert)
    bench.clock.turn(600)

    def article(id: str, title: str, minutes: int) -> NewsArticle:
        return NewsArticle(id=id, title=title, url=f"https://n/{id}", published_at=NOON + timedelta(minutes=minutes))

    old, other, new = article("1", "ETF!", -1), article("2", "Weather", 1), article("3", "The Halving is near", 2)
    for articles in ((old, other), (new, other, old), (new, other, old)):
        bench.answer = articles
        await poll.look(bench.context())

    (fired,) = bench.fired
    assert fired.seen == Match(article=new, keyword="halving")
    assert fired.seen_at == new.published_at


async def test_news_of_tomorrow_wait_and_news_that_are_listed_late_are_told():
    bench = Bench()
    alert = watched(Condition(kind=AlertKind.NEWS, keywords=("etf",)), None)
    poll = NewsPoll(bench.around, {}, alert.measure)
    poll.add(alert)
    bench.clock.turn(600)

    def article(id: str, minutes: int) -> NewsArticle:
        return NewsArticle(id=id, title="ETF!", url=f"https://n/{id}", published_at=NOON + timedelta(minutes=minutes))

    tomorrow, second, late = article("1", 1440), article("2", 2), article("3", 1)
    for articles in ((tomorrow,), (tomorrow, second), (tomorrow, second, late), (tomorrow,), (tomorrow, second)):
        bench.answer = articles
        await poll.look(bench.context())
    bench.clock.turn(86_400)
    await poll.look(bench.context())

    assert [each.seen.article.id for each in bench.fired if isinstance(each.seen, Match)] == ["2", "3", "1"]
    marks = [second.published_at, second.published_at, tomorrow.published_at]
    assert [each.seen_at for each in bench.fired] == marks


async def test_a_provider_that_cannot_be_asked_fires_each_time_that_it_fails():
    bench = Bench()
    condition = Condition(kind=AlertKind.PROVIDER_HEALTH, threshold=Decimal(1), inclusive=True, providers=("kraken",))
    alert = watched(condition, None)
    poll = HealthPoll(bench.around, {}, alert.measure)
    poll.add(alert)

    states = [BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED, BreakerState.OPEN]
    for breaker in states:
        bench.answer = SimpleNamespace(status=ProviderStatus.READY, health=SimpleNamespace(breaker=breaker))
        await poll.look(bench.context())

    assert [each.arm for each in bench.fired] == [1, 2]


def bar(minutes: int, *prices: int) -> Candle:
    first, high, low, last = (Decimal(price) for price in prices)
    return Candle(open_time=NOON + timedelta(minutes=minutes), open=first, high=high, low=low, close=last)


@pytest.mark.parametrize(("side", "expected"), [(AlertSide.ABOVE, [15, 45]), (AlertSide.BELOW, [30])])
def test_a_trial_goes_the_likely_way_within_each_candle(side: AlertSide, expected: list[int]):
    bars = [bar(0, 90, 95, 85, 94), bar(15, 94, 110, 93, 105), bar(30, 105, 106, 90, 95), bar(45, 95, 120, 94, 118)]
    trial = Trial(condition=Condition(kind=AlertKind.PRICE, side=side, threshold=Decimal(100)))

    assert firings(trial, bars, Interval.M15) == [NOON + timedelta(minutes=minutes) for minutes in expected]


def test_a_trial_takes_the_finest_candles_that_are_not_too_many():
    price = Condition(kind=AlertKind.PRICE)
    hourly = Condition(kind=AlertKind.CHANGE, window_ms=600_000)

    assert [bases_of(price, days)[0] for days in (1, 30, 365)] == [Interval.M1, Interval.M15, Interval.H4]
    assert bases_of(hourly, 30) == ()
