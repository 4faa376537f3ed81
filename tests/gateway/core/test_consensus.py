"""What several providers agree on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.consensus import Rules, agree, outliers, rate_as_quote, rates_ask_of
from gateway.core.fetchlog import Fetched, FetchLog
from schema.capability import DEFAULT_TERMS, Terms
from schema.errors import FailureCode, QuorumNotMet, Timeout, UnknownInstrument, UnknownProvider, UpstreamError
from schema.provenance import CacheStatus, DataMode, FeedDelay, Provenance
from schema.symbols import parse_instrument
from schema.words.consensus import Consensus
from schema.words.quotes import PriceType, Quote
from schema.words.rates import FxRate, FxRatesAsk
from schema.words.venues import MarketState
from tests.gateway.doubles import BTC, NOON, World, failing, late, priced, silent, venue, world

NAMES = ("alpha", "beta", "gamma", "delta", "epsilon")


def said(
    price: str,
    *,
    mode: DataMode = DataMode.LIVE,
    as_of: datetime | None = NOON,
    fetched_at: datetime = NOON,
    delay: FeedDelay = FeedDelay.REALTIME,
    **facts: Any,
) -> Fetched:
    made = Provenance(provider="x", mode=mode, as_of=as_of, fetched_at=fetched_at, delay=delay)
    facts = {"price_type": PriceType.LAST, **facts}
    return Fetched(value=Quote(instrument=BTC, price=Decimal(price), provenance=made, **facts), provenance=made)


def rules(quorum: int = 2, max_age: timedelta | None = None) -> Rules:
    return Rules(quorum=quorum, max_age=max_age, now=NOON)


def agreed(*answers: Fetched | UpstreamError, **how: Any) -> Consensus:
    return agree(BTC, dict(zip(NAMES, answers, strict=False)), rules(**how))


def excluded(found: Consensus) -> dict[str, str]:
    return {s.provider: f"{s.excluded.code}: {s.excluded.message}" for s in found.sources if s.excluded}


def test_the_middle_and_the_range_are_of_those_that_count() -> None:
    found = agreed(said("100.00"), said("100.10"), said("100.30"), said("100.20"))

    assert (found.median, found.low, found.high) == (Decimal("100.15"), Decimal("100.00"), Decimal("100.30"))
    assert found.range_bps == Decimal("29.96")
    assert (found.asked, found.used, found.currency, found.outliers) == (4, 4, "USD", [])
    assert [source.deviation_bps for source in found.sources] == [
        Decimal("-14.98"), Decimal("-4.99"), Decimal("14.98"), Decimal("4.99"),
    ]  # fmt: skip


def test_a_value_far_from_the_others_is_an_outlier_and_does_not_count() -> None:
    found = agreed(said("100"), said("100.1"), said("99.9"), said("110"))

    assert (found.median, found.high, found.used, found.asked) == (Decimal("100"), Decimal("100.1"), 3, 4)
    assert [(source.provider, source.deviation_bps) for source in found.outliers] == [("delta", Decimal("1000.00"))]
    assert [source.outlier for source in found.sources] == [False, False, False, True]


def test_a_floor_keeps_small_distances_from_being_outliers_where_most_agree_exactly() -> None:
    floor = {"a": Decimal(100), "b": Decimal(100), "c": Decimal(100), "d": Decimal("100.25")}

    assert outliers(floor) == frozenset()
    assert outliers({**floor, "d": Decimal("100.26")}) == {"d"}


def test_with_fewer_than_three_nobody_is_an_outlier() -> None:
    found = agreed(said("100"), said("200"))

    assert (found.median, found.used, found.outliers) == (Decimal(150), 2, [])


def test_outliers_count_against_the_quorum() -> None:
    with pytest.raises(QuorumNotMet) as caught:
        agreed(said("100"), said("100"), said("200"), quorum=3)

    assert caught.value.code is FailureCode.QUORUM_NOT_MET
    assert caught.value.message == "2 usable of the 3 sources that quorum asks for crypto:BTC/USD: gamma: outlier"


def test_too_few_answers_list_why() -> None:
    with pytest.raises(QuorumNotMet) as caught:
        agreed(said("100"), Timeout("beta", "no answer in time"))

    assert caught.value.message == (
        "1 usable of the 2 sources that quorum asks for crypto:BTC/USD: beta: no answer in time"
    )
    assert [(a.provider, a.code) for a in caught.value.attempts] == [("beta", "UPSTREAM_UNAVAILABLE")]


def test_nobody_at_all_is_too_few() -> None:
    with pytest.raises(QuorumNotMet, match="0 usable of the 1 sources"):
        agreed(quorum=1)


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (said("100", currency="USDT"), "NOT_COVERED: is USDT, the others are USD"),
        (said("100", price_type=PriceType.INDEX), "NOT_COVERED: is an INDEX price, the others are a LAST price"),
        (
            said("100", market_state=MarketState.POST),
            "NOT_COVERED: is an extended-hours price, the others are a regular price",
        ),
        (said("100", mode=DataMode.SIMULATED), "NOT_COVERED: is SIMULATED, the others are LIVE"),
        (
            said("100", mode=DataMode.RECORDED),
            "NOT_COVERED: is RECORDED at 2026-11-20T12:00:00+00:00, the others are LIVE",
        ),
        (said("100", delay=FeedDelay.DELAYED), "DATA_STALE: its feed is delayed"),
        (said("100", delay=FeedDelay.END_OF_DAY), "DATA_STALE: its feed is end of day"),
        (
            said("100", as_of=NOON - timedelta(seconds=61)),
            "DATA_STALE: its value is 61000 ms old, maxAgeMs is 60000",
        ),
    ],
)
def test_what_is_of_another_kind_does_not_count_and_says_why(odd: Fetched, why: str) -> None:
    found = agreed(odd, said("101"), said("102"), max_age=timedelta(seconds=60))

    assert excluded(found) == {"alpha": why}
    assert (found.used, found.asked, found.low) == (2, 3, Decimal(101))
    assert found.sources[0].quote is odd.value
    assert (found.sources[0].deviation_bps, found.sources[0].outlier) == (None, False)


DAY = timedelta(days=1)
MADE = Provenance(provider="x", mode=DataMode.LIVE, as_of=NOON, fetched_at=NOON, delay=FeedDelay.END_OF_DAY)


def fixed(price: str, day: int, delay: FeedDelay = FeedDelay.END_OF_DAY) -> Fetched:
    return said(price, price_type=PriceType.FIXING, as_of=datetime(2026, 11, day, tzinfo=UTC), delay=delay)


def test_fixings_of_one_day_agree_although_their_feeds_are_of_the_end_of_the_day() -> None:
    found = agreed(fixed("1.16", 19), fixed("1.17", 19), fixed("1.18", 19))

    assert (found.median, found.used, excluded(found)) == (Decimal("1.17"), 3, {})


def test_a_fixing_of_another_day_does_not_count() -> None:
    found = agreed(fixed("1.16", 19), fixed("1.17", 18), fixed("1.18", 19))

    assert (found.median, found.used) == (Decimal("1.17"), 2)
    assert excluded(found) == {"beta": "NOT_COVERED: is a fixing of 2026-11-18, the others are a fixing of 2026-11-19"}


@pytest.mark.parametrize("turn", [1, -1])
def test_of_days_that_equally_many_fixings_have_the_newest_counts(turn: int) -> None:
    found = agreed(*[fixed("1.16", 18), fixed("1.17", 19)][::turn], quorum=1)

    assert (found.median, found.used) == (Decimal("1.17"), 1)


def test_a_fixing_never_joins_prices_of_now_nor_they_fixings() -> None:
    with_prices = agreed(fixed("1", 20), said("1.17"), said("1.18"))
    with_fixings = agreed(said("1", price_type=PriceType.MID), fixed("1.17", 20), fixed("1.18", 20))

    assert excluded(with_prices) == {"alpha": "NOT_COVERED: is a FIXING price, the others are a LAST price"}
    assert excluded(with_fixings) == {"alpha": "NOT_COVERED: is a MID price, the others are a FIXING price"}
    assert (with_prices.low, with_fixings.low) == (Decimal("1.17"), Decimal("1.17"))


def test_a_late_feed_is_late_for_a_fixing_too_and_so_is_a_price_of_the_end_of_the_day() -> None:
    late = fixed("1", 19, delay=FeedDelay.DELAYED)
    found = agreed(late, said("1", delay=FeedDelay.END_OF_DAY), said("1.1"), quorum=1)

    assert excluded(found) == {"alpha": "DATA_STALE: its feed is delayed", "beta": "DATA_STALE: its feed is end of day"}


def test_a_fixing_is_as_old_as_its_fetching() -> None:
    old = Fetched(value=replace(fixed("9", 19).value, provenance=replace(MADE, fetched_at=NOON - DAY)), provenance=MADE)

    found = agreed(fixed("1.16", 19), fixed("1.17", 19), old, max_age=timedelta(hours=1))

    assert excluded(found) == {"gamma": "DATA_STALE: its value is 86400000 ms old, maxAgeMs is 3600000"}


@pytest.mark.parametrize("text", ["crypto:BTC/USD", "index:SPX", "fx:EUR/USD@ecb", "commodity:XAU/USD"])
def test_rates_are_asked_for_of_plain_pairs_of_currencies_only(text: str) -> None:
    assert rates_ask_of(parse_instrument(text)) is None


def test_a_rate_is_a_price_of_its_own_type_and_of_its_own_day() -> None:
    rate = FxRate(base="EUR", quote="USD", rate=Decimal("1.1604"), date=NOON.date(), as_of=NOON)
    other = FxRate(base="EUR", quote="CHF", rate=Decimal("0.9"), date=NOON.date(), as_of=NOON)
    pair, asked = parse_instrument("fx:EUR/USD"), rates_ask_of(parse_instrument("fx:EUR/USD"))

    found = rate_as_quote(pair, "alpha", Fetched((other, rate), MADE))
    missing = rate_as_quote(pair, "alpha", Fetched((other,), MADE))

    assert asked == FxRatesAsk(base="EUR", quotes=("USD",))
    assert isinstance(found, Fetched)
    assert (found.value.price, found.value.price_type, found.value.as_of) == (Decimal("1.1604"), PriceType.FIXING, NOON)
    assert found.value.provenance is found.provenance is MADE
    assert isinstance(missing, UnknownInstrument)
    assert missing.message == "alpha: has no rate of fx:EUR/USD"


def test_live_values_are_never_outvoted() -> None:
    found = agreed(said("1", mode=DataMode.SIMULATED), said("1", mode=DataMode.SIMULATED), said("100"), quorum=1)

    assert (found.median, found.used, list(excluded(found))) == (Decimal(100), 1, ["alpha", "beta"])


def test_recordings_join_only_those_of_one_instant() -> None:
    other = NOON - timedelta(days=1)
    found = agreed(
        said("1", mode=DataMode.RECORDED, fetched_at=other),
        *(said("100", mode=DataMode.RECORDED) for _ in range(2)),
    )

    assert excluded(found) == {
        "alpha": "NOT_COVERED: is RECORDED at 2026-11-19T12:00:00+00:00, "
        "the others are RECORDED at 2026-11-20T12:00:00+00:00"
    }


def test_the_age_of_recordings_is_no_reason() -> None:
    old = NOON - timedelta(days=400)
    found = agreed(*(said("100", mode=DataMode.RECORDED, as_of=old) for _ in range(2)), max_age=timedelta(seconds=1))

    assert found.used == 2


def test_zero_prices_are_no_division() -> None:
    found = agreed(said("0"), said("0"), said("0"))

    assert (found.median, found.range_bps, found.used) == (Decimal(0), Decimal(0), 3)


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**50), max_value=10**50), max_size=5))
def test_no_price_of_a_broken_source_breaks_the_consensus(prices: list[Decimal]) -> None:
    answers = {name: said(format(price, "f")) for name, price in zip(NAMES, prices, strict=False)}
    try:
        found = agree(BTC, answers, rules(quorum=1))
    except QuorumNotMet:
        return
    assert found.low <= found.high
    assert found.used + len(found.outliers) == len(prices)


def test_extremes_of_magnitude_are_outliers_and_not_an_error() -> None:
    found = agreed(said("1E-50"), said("1E-50"), said("1E+50"))

    assert [source.provider for source in found.outliers] == ["gamma"]


async def ask(
    w: World, *pinned: str, quorum: int = 2, max_age: timedelta | None = None, patience: float = DEFAULT_TERMS.timeout
) -> tuple[Consensus, FetchLog]:
    log = FetchLog()
    terms = Terms(providers=pinned or None, max_age=max_age, timeout=patience)
    return await w.data.consensus(BTC, terms, quorum, w.clock.now(), log), log


async def test_many_who_ask_for_the_same_at_once_cost_each_provider_one_call() -> None:
    w = world(*(venue(name) for name in NAMES[:3]))
    for name in NAMES[:3]:
        w.wire.handlers[name] = late(0.02, priced("100"))

    found = await asyncio.gather(*(ask(w) for _ in range(32)))

    assert [consensus.used for consensus, _ in found] == [3] * 32
    assert sorted(request.provider for request in w.wire.requests) == sorted(NAMES[:3])


async def test_everybody_who_covers_it_is_asked_at_once() -> None:
    w = world(*(venue(name) for name in NAMES[:3]))
    for name, price in zip(NAMES, ("100", "101", "102"), strict=False):
        w.wire.handlers[name] = late(1.0, priced(price))

    found, _ = await ask(w)

    assert (found.median, found.used, w.wire.most_open) == (Decimal(101), 3, 3)


async def test_a_silent_source_holds_nobody_longer_than_the_time_that_there_is() -> None:
    w = world(*(venue(name) for name in NAMES[:3]))
    for name in NAMES[:2]:
        w.wire.handlers[name] = priced("100")
    w.wire.handlers[NAMES[2]] = silent()

    found, _ = await ask(w, patience=0.2)

    assert excluded(found) == {NAMES[2]: "UPSTREAM_UNAVAILABLE: no answer within 200 ms"}
    assert found.used == 2


async def test_a_failing_source_is_excluded_with_its_failure() -> None:
    w = world(*(venue(name) for name in NAMES[:3]))
    w.wire.handlers["beta"] = failing(429, "slow", retry_after="9")

    found, _ = await ask(w)

    assert excluded(found) == {"beta": 'UPSTREAM_THROTTLED: HTTP 429: "slow"'}
    assert (found.used, found.sources[1].quote) == (2, None)


async def test_a_simulated_provider_never_joins_live_ones() -> None:
    sandbox = venue("sandbox", mode=DataMode.SIMULATED, priority=0)
    w = world(sandbox, venue("alpha"), venue("beta"))

    by_itself, _ = await ask(w)
    pinned, _ = await ask(w, "sandbox", "alpha", "beta")

    assert [source.provider for source in by_itself.sources] == ["alpha", "beta"]
    assert excluded(pinned) == {"sandbox": "NOT_COVERED: is SIMULATED, the others are LIVE"}


async def test_pinned_sources_that_cannot_answer_are_told() -> None:
    w = world(venue("alpha"), venue("beta"), venue("gamma", covers=lambda ask: False))

    found, _ = await ask(w, "alpha", "beta", "gamma")

    assert [source.provider for source in found.sources] == ["alpha", "beta", "gamma"]
    assert excluded(found) == {"gamma": "NOT_COVERED: does not cover this quotes ask"}


async def test_an_unknown_source_is_bad_input() -> None:
    with pytest.raises(UnknownProvider):
        await ask(world(venue("alpha")), "alpha", "nobody")


async def test_a_copy_that_is_too_old_is_asked_for_anew_before_it_is_excluded() -> None:
    w = world(venue("alpha"), venue("beta"))
    await ask(w)
    w.clock.turn(1.5)

    found, log = await ask(w, max_age=timedelta(seconds=1))

    assert (found.used, excluded(found)) == (2, {})
    assert len(w.wire.requests) == 4
    assert [log.status(s.quote.provenance) for s in found.sources if s.quote] == [CacheStatus.MISS] * 2


async def test_a_newest_value_that_is_too_old_is_shown_and_excluded() -> None:
    w = world(*(venue(name) for name in NAMES[:3]))
    w.wire.handlers["alpha"] = priced("100", at=NOON - timedelta(minutes=2))

    found, _ = await ask(w, max_age=timedelta(minutes=1))

    assert excluded(found) == {"alpha": "DATA_STALE: its value is 120000 ms old, maxAgeMs is 60000"}
    assert found.sources[0].quote is not None
    assert found.sources[0].quote.price == 100


def test_prices_of_the_last_session_count_while_nothing_trades() -> None:
    friday, how = NOON - timedelta(hours=15), timedelta(seconds=60)
    answers = {name: said("100", as_of=friday) for name in ("alpha", "beta")}

    found = agree(BTC, answers, replace(rules(max_age=how), newest=lambda instrument, at: friday))
    with pytest.raises(QuorumNotMet):
        agree(BTC, answers, replace(rules(max_age=how), newest=lambda instrument, at: NOON))

    assert found.used == 2
