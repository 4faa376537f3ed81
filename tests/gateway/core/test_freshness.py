"""How late live answers are is measured at each call; a grade is made of that and of nothing that somebody typed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.core import inventory
from gateway.core.freshness import Lag, Lags, Measured, measure, proves
from gateway.core.inventory import Inventory
from providers.contract import Provider, answers
from schema.provenance import DataMode, FeedDelay
from schema.symbols import parse_instrument
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from schema.words.registry import Grade
from schema.words.venues import MarketState
from tests.gateway.doubles import BTC, ETH, NOON, World, priced, reply, venue, world

AAPL = parse_instrument("equity:AAPL")


async def asked(w: World, times: int, seconds: float = 10.0) -> None:
    for _ in range(times):
        w.clock.turn(seconds)
        await w.quote()


def measured(w: World) -> list[tuple[str, int, int, int, bool]]:
    found = Inventory(w.data, {}).find("alpha")
    assert found is not None
    return [(x.capability, x.samples, x.median_lag_ms, x.p95_lag_ms, x.fresh) for x in found.freshness]


def late_by(w: World, seconds: float) -> None:
    """Each answer is stamped so long before it arrives."""

    def say(_: Any) -> Any:
        at = int((w.clock.now() - timedelta(seconds=seconds)).timestamp())
        return reply({"BTC-USD": {"price": "1", "at": at}, "ETH-USD": {"price": "1", "at": at - 5_000}})

    w.wire.handlers["alpha"] = say


def grade(w: World, monkeypatch: pytest.MonkeyPatch, known: Grade) -> Grade:
    monkeypatch.setattr(inventory, "grade_of", lambda cls: known)
    found = Inventory(w.data, {}).find("alpha")
    assert found is not None
    return found.grade


async def test_thirty_live_answers_within_the_declared_delay_make_gold_of_silver(monkeypatch):
    w = world(venue("alpha"))
    late_by(w, 3)
    await asked(w, 29)
    before = grade(w, monkeypatch, Grade.SILVER)

    await asked(w, 1)

    assert (before, grade(w, monkeypatch, Grade.SILVER)) == (Grade.SILVER, Grade.GOLD)
    assert grade(w, monkeypatch, Grade.BRONZE) is Grade.BRONZE
    assert measured(w) == [("quotes", 30, 3000, 3000, True)]


async def test_what_is_later_than_it_says_is_no_gold_and_gold_is_lost_again(monkeypatch):
    w = world(venue("alpha"))
    late_by(w, 61)
    await asked(w, 40)
    late = grade(w, monkeypatch, Grade.SILVER)
    late_by(w, 60)
    await asked(w, 40)
    half = grade(w, monkeypatch, Grade.SILVER)
    late_by(w, 61)
    await asked(w, 1)

    assert (late, half, grade(w, monkeypatch, Grade.SILVER)) == (Grade.SILVER, Grade.GOLD, Grade.SILVER)
    assert measured(w) == [("quotes", 81, 61_000, 61_000, False)]


async def test_a_clock_that_is_ahead_of_ours_proves_nothing_either(monkeypatch):
    w = world(venue("alpha"))
    late_by(w, -90)
    await asked(w, 30)

    assert grade(w, monkeypatch, Grade.SILVER) is Grade.SILVER
    assert measured(w) == [("quotes", 30, -90_000, -90_000, False)]


async def test_what_was_measured_a_day_ago_counts_no_more(monkeypatch):
    w = world(venue("alpha"))
    late_by(w, 1)
    await asked(w, 30)

    w.clock.turn(86_400)

    assert (grade(w, monkeypatch, Grade.SILVER), measured(w)) == (Grade.SILVER, [])


async def test_of_a_batch_the_newest_item_counts_once():
    w = world(venue("alpha"))
    late_by(w, 2)

    await w.quotes(BTC, ETH)

    assert measured(w) == [("quotes", 1, 2000, 2000, False)]


async def test_the_oldest_lags_make_room():
    w = world(venue("alpha"))
    late_by(w, 50)
    await asked(w, 200)
    late_by(w, 2)
    await asked(w, 101)

    assert measured(w) == [("quotes", 200, 2000, 50_000, True)]


@pytest.mark.parametrize(
    ("delay", "seconds", "lag", "told"),
    [
        (FeedDelay.DELAYED, 900, 959, [True]), (FeedDelay.DELAYED, 900, 961, [False]),
        (FeedDelay.DELAYED, None, 1, []), (FeedDelay.UNKNOWN, None, 1, []), (FeedDelay.END_OF_DAY, None, 1, []),
    ],
)  # fmt: skip
async def test_a_feed_is_held_to_the_delay_that_it_declares(delay, seconds, lag, told):
    w = world(venue("alpha", delay=delay, delay_seconds=seconds))
    late_by(w, lag)

    await asked(w, 30)

    assert [each[-1] for each in measured(w)] == told


@pytest.mark.parametrize(
    ("build", "mode"),
    [(lambda: venue("alpha", mode=DataMode.SIMULATED), DataMode.RECORDED), (lambda: venue("alpha"), DataMode.LIVE)],
)
async def test_neither_simulated_answers_nor_those_without_a_stamp_are_measured(build, mode):
    w = world(build(), mode=mode)
    late_by(w, 1)
    if mode is DataMode.LIVE:
        w.wire.handlers["alpha"] = priced("1")

    await asked(w, 1)

    assert measured(w) == []


def saying(**facts: Any) -> type[Provider]:
    class Alpha(Provider):
        profile = venue("alpha").profile

        @answers(QUOTES)
        async def quotes(self, ask: QuotesAsk) -> list[Quote]:
            await self.http.get("/quotes", {"symbols": "AAPL"})
            return [Quote(instrument=AAPL, price=Decimal(1), currency="USD", as_of=NOON, **facts)]

    return Alpha


@pytest.mark.parametrize(
    ("facts", "trading", "samples"),
    [
        ({"price_type": PriceType.LAST, "market_state": MarketState.REGULAR}, False, 1),
        ({"price_type": PriceType.LAST, "market_state": MarketState.CLOSED}, True, 0),
        ({"price_type": PriceType.LAST}, True, 1),
        ({"price_type": PriceType.LAST}, False, 0),
        ({"price_type": PriceType.CLOSE, "market_state": MarketState.REGULAR}, True, 0),
    ],
)
async def test_only_what_trades_says_how_fresh_a_feed_is(facts, trading, samples):
    w = world(saying(**facts))
    w.pipeline.health.trading = lambda instrument, at: trading

    await w.quote(AAPL)

    assert sum(each[1] for each in measured(w)) == samples


def test_one_capability_that_is_late_refutes_another_that_is_fresh_and_few_answers_say_nothing():
    fresh, late = Measured(30, 1, 1, fresh=True), Measured(30, 99_000, 99_000, fresh=False)
    few = Measured(29, 99_000, 99_000, fresh=False)

    assert [proves(told) for told in ([fresh], [fresh, few], [fresh, late], [few], [])] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_median_and_the_95th_percentile_are_those_of_the_lags():
    lags = Lags()
    lags.held.extend(Lag(0.0, ms, within=True) for ms in (*range(100, 0, -1),))

    assert measure(lags, 1.0) == Measured(100, 50, 96, fresh=True)
    assert measure(Lags(), 1.0) is None
