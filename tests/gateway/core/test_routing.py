"""Which providers an ask is routed to, where that depends on how far back they go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from gateway.core.routing import Registry
from providers.contract import Http
from providers.crypto.coinbaseexchange import CoinbaseExchange
from providers.crypto.kraken import Kraken
from schema.capability import Terms
from schema.provenance import DataMode
from schema.symbols import crypto
from schema.words.candles import CANDLES, CandlesAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, QuotesAsk
from tests.gateway.doubles import ManualClock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def registry() -> Registry:
    clock = ManualClock(NOON)
    made = Registry(clock=clock, mode=DataMode.LIVE)
    for cls in (CoinbaseExchange, Kraken):
        made.add(cls(cast(Http, None), clock))
    return made


def hours_back(count: int) -> CandlesAsk:
    start = NOON - timedelta(hours=count)
    return CandlesAsk(instrument=crypto("BTC", "USD"), interval=Interval.H1, start=start, end=NOON)


def routed(registry: Registry, ask: CandlesAsk, **terms: Any) -> list[str]:
    return [lane.id for lane in registry.route(CANDLES, ask, Terms(**terms)).lanes]


def test_a_provider_is_not_asked_for_more_than_it_keeps(registry: Registry) -> None:
    assert routed(registry, hours_back(720)) == ["coinbaseexchange", "kraken"]
    assert routed(registry, hours_back(722)) == ["coinbaseexchange"]


def test_the_refusal_says_how_far_back_it_goes(registry: Registry) -> None:
    (refused,) = registry.route(CANDLES, hours_back(800), Terms()).refused

    assert refused.message == "kraken: its H1 history reaches back 30 days only"


def test_a_pinned_provider_is_asked_all_the_same(registry: Registry) -> None:
    assert routed(registry, hours_back(5000), providers=("kraken",)) == ["kraken"]


def test_an_interval_that_it_does_not_have_is_refused_even_when_pinned(registry: Registry) -> None:
    ask = CandlesAsk(instrument=crypto("BTC", "USD"), interval=Interval.S1, start=NOON - timedelta(hours=1), end=NOON)

    route = registry.route(CANDLES, ask, Terms(providers=("kraken",)))

    assert route.lanes == ()
    assert route.refused[0].detail.startswith("has no S1 candles (it has M1 ")


def test_who_is_switched_off_is_left_out_at_once_of_what_is_remembered(registry: Registry) -> None:
    ask, other = (QuotesAsk(instruments=(crypto("BTC", quote),)) for quote in ("USD", "EUR"))
    first = registry.route(QUOTES, ask, Terms())

    registry.disable({"kraken": "switched off"})
    second, third = registry.route(QUOTES, ask, Terms()), registry.route(QUOTES, other, Terms())

    assert [lane.id for lane in first.lanes] == ["coinbaseexchange", "kraken"]
    assert [[lane.id for lane in each.lanes] for each in (second, third)] == [["coinbaseexchange"]] * 2
    assert [str(error.detail) for error in third.refused] == ["is switched off"]


def test_no_more_routes_are_remembered_than_there_is_room_for(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.core.routing.ROUTES", 2)

    for quote in ("USD", "EUR", "USDT", "USD"):
        assert registry.route(QUOTES, QuotesAsk(instruments=(crypto("BTC", quote),)), Terms()).lanes != ()

    assert len(registry._routes) == 2
