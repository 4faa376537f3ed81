"""The memory cache: by age and never by chance."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from datetime import timedelta
from decimal import Decimal
from types import FrameType, TracebackType
from typing import Any

import pytest

from gateway.core.conversion import Rate, converted
from gateway.core.fetchlog import FetchLog
from gateway.core.guards.breaker import BreakerPolicy
from gateway.core.guards.cache import MemoryCache, Stored, weight
from gateway.core.stamping import remarked
from gateway.core.upstream import RawReply
from providers.contract import Licence, Profile, Provider, answers
from schema.capability import Terms
from schema.errors import FailureCode
from schema.provenance import CacheStatus, DataMode, FeedDelay, Provenance, age_ms
from schema.symbols import AssetClass, parse_instrument
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk
from schema.words.venues import MarketState
from tests.gateway.doubles import (
    BTC,
    ETH,
    NOON,
    codes,
    failing,
    fallen,
    in_turn,
    pairs,
    priced,
    reply,
    venue,
    world,
)

MADE = Provenance(provider="alpha", mode=DataMode.LIVE, fetched_at=NOON)


def stored(value: Any, until: float = 0.0) -> Stored:
    return Stored(value=value, provenance=MADE, fetched=0.0, fresh_until=until)


async def test_a_copy_serves_for_the_capabilitys_window_and_no_longer() -> None:
    w = world(venue("alpha"))
    await w.logged()
    w.clock.turn(1.999)
    again, second = await w.logged()
    w.clock.turn(0.001)
    fresh, third = await w.logged()

    assert second.status(again.provenance) is CacheStatus.HIT
    assert third.status(fresh.provenance) is CacheStatus.MISS
    assert len(w.wire.requests) == 2


async def test_a_provider_may_state_a_window_of_its_own() -> None:
    w = world(venue("alpha", fresh_for=timedelta(minutes=10)))
    await w.quote()
    w.clock.turn(599)
    await w.quote()

    assert len(w.wire.requests) == 1


async def test_what_may_not_be_cached_is_asked_for_each_time() -> None:
    w = world(venue("alpha", cacheable=False))
    await w.quote()
    await w.quote()

    assert len(w.wire.requests) == 2


async def test_a_copy_older_than_the_caller_accepts_is_fetched_anew() -> None:
    w = world(venue("alpha"))
    await w.quote()
    w.clock.turn(1)

    await w.quote(max_age=timedelta(seconds=1))
    assert len(w.wire.requests) == 1
    await w.quote(max_age=timedelta(milliseconds=999))

    assert len(w.wire.requests) == 2


async def test_a_newest_value_older_than_the_caller_accepts_is_stale() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers.update(
        alpha=priced("1", at=NOON - timedelta(seconds=10)), beta=priced("2", at=NOON - timedelta(seconds=3))
    )

    found = await w.quote(max_age=timedelta(seconds=5))
    error = await w.refused(max_age=timedelta(seconds=1))

    (failure,) = found.provenance.fallback_from
    assert (failure.code, failure.message) == (
        FailureCode.DATA_STALE, "its newest value is 10000 ms old, maxAgeMs is 5000",
    )  # fmt: skip
    assert (error.code, codes(error)) == ("DATA_STALE", [("alpha", "DATA_STALE"), ("beta", "DATA_STALE")])


async def test_age_counts_from_the_providers_stamp_else_from_the_fetch_to_the_operations_start() -> None:
    w = world(venue("alpha"), venue("beta"))
    w.wire.handlers["alpha"] = priced("1", at=NOON - timedelta(seconds=7))
    stamped = await w.quote(providers=("alpha",))
    plain = await w.quote(providers=("beta",))
    w.clock.turn(1.5)

    class Info:
        class context:
            now = w.clock.now()

    assert age_ms(stamped.provenance, Info) == 8_500  # type: ignore[arg-type]
    assert age_ms(plain.provenance, Info) == 1_500  # type: ignore[arg-type]
    assert (plain.provenance.as_of, plain.provenance.fetched_at) == (None, NOON)


AAPL = parse_instrument("equity:AAPL")


def session_quote(**facts: Any) -> Quote:
    given = {"instrument": BTC, "price_type": PriceType.LAST, "currency": "USD", **facts}
    return Quote(price=Decimal(1), as_of=NOON - timedelta(days=2), **given)


@pytest.mark.parametrize(
    ("facts", "delay"),
    [
        ({"price_type": PriceType.FIXING}, FeedDelay.REALTIME),
        ({"price_type": PriceType.CLOSE}, FeedDelay.REALTIME),
        ({"price_type": PriceType.LAST, "market_state": MarketState.CLOSED}, FeedDelay.REALTIME),
        ({"price_type": PriceType.LAST}, FeedDelay.END_OF_DAY),
    ],
)
async def test_the_newest_value_of_a_closed_session_is_not_stale(facts: dict[str, Any], delay: FeedDelay) -> None:
    async def closed(_: object) -> list[Quote]:
        return [session_quote(**facts)]

    w = world(venue("alpha", delay=delay, quotes=closed, fresh_for=timedelta(minutes=1)))

    found = await w.quote(max_age=timedelta(seconds=5))
    w.clock.turn(6)

    assert found.value.as_of == NOON - timedelta(days=2)
    assert (await w.quote(max_age=timedelta(seconds=5))).provenance.fetched_at == w.clock.now()


@pytest.mark.parametrize(
    ("began", "fine"),
    [(timedelta(days=2), True), (timedelta(days=3), True), (timedelta(days=1), False), (None, False)],
)
async def test_a_price_of_the_last_session_is_not_stale_while_nothing_trades(
    began: timedelta | None, fine: bool
) -> None:
    async def of_friday(_: object) -> list[Quote]:
        return [session_quote(instrument=AAPL)]

    w = world(venue("alpha", quotes=of_friday))
    w.pipeline.keeper.newest = lambda instrument, at: None if began is None else NOON - began

    if fine:
        found = await w.quote(AAPL, max_age=timedelta(seconds=5))
        assert found.value.as_of == NOON - timedelta(days=2)
    else:
        error = await w.refused(AAPL, max_age=timedelta(seconds=5))
        assert error.code == "DATA_STALE"


async def test_fixings_in_a_list_are_not_stale_either() -> None:
    class Central(Provider):
        profile = Profile(
            id="central", name="Central", base_url="https://c.example", docs="", asset_classes=(AssetClass.FX,),
            licence=Licence(note=""), delay=FeedDelay.END_OF_DAY,
        )  # fmt: skip

        @answers(FX_RATES)
        async def rates(self, ask: FxRatesAsk) -> tuple[FxRate, ...]:
            return (FxRate(base="EUR", quote="USD", rate=Decimal("1.1"), as_of=NOON - timedelta(days=1)),)

    w = world(Central)

    found = await w.data.fetch(FX_RATES, FxRatesAsk(base="EUR"), Terms(max_age=timedelta(0)))

    assert len(found.value) == 1


async def test_an_old_copy_serves_when_every_provider_fails_and_says_so() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    await w.quote()
    w.wire.handlers.update(alpha=lambda r: reply(b"?"), beta=failing(404))
    w.clock.turn(31.999)

    found, log = await w.logged(stale_if_error=timedelta(seconds=30))

    assert log.status(found.provenance) is CacheStatus.STALE
    assert log.status(found.value.provenance) is CacheStatus.STALE
    assert found.provenance.fetched_at == NOON
    assert fallen(found) == [("alpha", "UPSTREAM_MALFORMED"), ("beta", "UNKNOWN_INSTRUMENT")]


@pytest.mark.parametrize("allowed", [timedelta(0), timedelta(seconds=30)])
async def test_an_old_copy_does_not_serve_beyond_what_the_caller_accepts(allowed: timedelta) -> None:
    w = world(venue("alpha"))
    await w.quote()
    w.wire.handlers["alpha"] = lambda r: reply(b"?")
    w.clock.turn(32.001)

    error = await w.refused(stale_if_error=allowed)

    assert codes(error) == [("alpha", "UPSTREAM_MALFORMED")]


async def test_a_copy_that_is_too_old_for_the_caller_is_stale_however_fresh_its_window_is() -> None:
    w = world(venue("alpha", fresh_for=timedelta(hours=1)))
    await w.quote()
    w.wire.handlers["alpha"] = lambda r: reply(b"?")
    strict: dict[str, Any] = {"max_age": timedelta(seconds=1), "stale_if_error": timedelta(seconds=30)}
    w.clock.turn(30)
    served, log = await w.logged(**strict)
    w.clock.turn(2)

    assert log.status(served.provenance) is CacheStatus.STALE
    assert codes(await w.refused(**strict)) == [("alpha", "UPSTREAM_MALFORMED")]


async def test_a_stale_read_does_not_mark_the_copy_that_others_read() -> None:
    w = world(venue("alpha", fresh_for=timedelta(seconds=10)))
    await w.quote()
    w.wire.handlers["alpha"] = lambda r: reply(b"?")
    w.clock.turn(5)
    log = FetchLog()
    ask = QuotesAsk(instruments=(BTC,))
    lenient = Terms(max_age=timedelta(seconds=1), stale_if_error=timedelta(seconds=60))
    stale = await w.data.fetch(QUOTES, ask, lenient, log)
    fresh = await w.data.fetch(QUOTES, ask, Terms(), log)

    assert log.status(stale.provenance) is CacheStatus.STALE
    assert log.status(fresh.provenance) is CacheStatus.HIT
    assert fresh.provenance.fallback_from == ()


async def test_an_absence_is_remembered_for_half_a_minute() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = in_turn(failing(404), priced("7"))
    await w.refused()
    w.clock.turn(29.9)
    error = await w.refused()
    w.clock.turn(0.1)

    assert codes(error) == [("alpha", "UNKNOWN_INSTRUMENT")]
    assert (await w.quote()).value.price == 7
    assert len(w.wire.requests) == 2


async def test_other_failures_are_not_remembered() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = in_turn(lambda r: reply(b"?"), priced("7"))
    await w.refused()

    assert (await w.quote()).value.price == 7


async def test_remembered_failures_hold_on_to_no_frame_of_the_call_that_failed() -> None:
    """A traceback would keep the whole reply alive, for thousands of unknown symbols."""
    w = world(venue("alpha"))
    bodies: list[weakref.ref[Any]] = []

    class Headers(dict[str, str]):
        pass

    def unknown(_: Any) -> Any:
        headers = Headers()
        bodies.append(weakref.ref(headers))
        return RawReply(status=400, headers=headers, content=b'{"error": "unknown"}')

    w.wire.handlers["alpha"] = unknown
    for item in pairs(3):
        error = await w.refused(item)
        del error
    gc.collect()

    assert [body() for body in bodies] == [None, None, None]
    held = [entry.error for entry, _ in w.pipeline.cache._entries.values()]
    assert len(held) == 3
    for each in (*held, w.pipeline.health.of("alpha").last_failure):
        assert each is not None
        assert (each.__traceback__, each.__context__, each.__cause__) == (None, None, None)
    assert not [found for found in gc.get_referrers(*held) if isinstance(found, FrameType | TracebackType)]


async def test_an_open_breaker_holds_on_to_no_frame_either() -> None:
    w = world(venue("alpha"), policy=BreakerPolicy(in_a_row=5))
    w.wire.handlers["alpha"] = lambda r: reply(b"?")
    for item in pairs(5):
        await w.refused(item)

    assert w.breaker("alpha")._held.last_failure.__traceback__ is None


async def test_the_oldest_unused_entry_goes_first() -> None:
    w = world(venue("alpha"), cache_bytes=2 * weight(stored(session_quote())) + 1_000)
    first, second, third = pairs(3)
    for item in (first, second, first, third, first):
        await w.quote(item)

    await w.quote(first)
    await w.quote(second)

    assert [symbols[0] for symbols in w.wire.asked("alpha")] == ["A0-USD", "A1-USD", "A2-USD", "A1-USD"]


async def test_an_entry_larger_than_the_cache_is_not_kept_and_disturbs_nothing() -> None:
    cache = MemoryCache(2_000)
    cache.put("small", stored((1, 2)))

    cache.put("large", stored(tuple(range(1_000, 1_050))))

    assert (cache.get("large"), len(cache)) == (None, 1)
    assert cache.get("small") is not None


async def test_hostile_variety_stays_within_the_bound() -> None:
    w = world(venue("alpha"), cache_bytes=100_000)
    w.wire.handlers["alpha"] = priced("1", without=frozenset(f"A{n}-USD" for n in range(500)))

    await w.quotes(*pairs(500))

    assert 0 < len(w.pipeline.cache) < 100
    assert w.pipeline.cache.bytes <= 100_000
    assert w.pipeline._flights == {}


async def test_what_an_operation_fetched_and_read_again_is_still_a_miss() -> None:
    w = world(venue("alpha"))
    log = FetchLog()
    found = await w.quote(log=log)
    again = await w.quote(log=log)

    assert found.provenance is again.provenance
    assert log.status(again.provenance) is CacheStatus.MISS


async def test_a_converted_copy_is_still_a_copy() -> None:
    w = world(venue("alpha"))
    await w.quote()
    found, log = await w.logged()
    other = converted(found.value, "EUR", Rate(value=Decimal("0.9"), provenance=found.provenance))
    log.derive(other.provenance, found.provenance)

    assert log.status(other.provenance) is CacheStatus.HIT


async def test_answers_are_immutable() -> None:
    found = await world(venue("alpha")).quote()

    with pytest.raises(dataclasses.FrozenInstanceError):
        found.value.price = Decimal(2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.provenance.provider = "me"  # type: ignore[misc]


def test_a_new_provenance_reaches_every_item_and_leaves_the_old_alone() -> None:
    own = dataclasses.replace(MADE, as_of=NOON)
    one, other = (dataclasses.replace(session_quote(), provenance=made) for made in (MADE, own))
    fresh = dataclasses.replace(MADE, provider="beta")

    marked = remarked((one, other), fresh)

    assert marked[0].provenance is fresh
    assert marked[1].provenance == dataclasses.replace(fresh, as_of=NOON)
    assert (one.provenance, other.provenance) == (MADE, own)


async def test_two_instruments_never_share_an_entry() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = in_turn(priced("1"), priced("2"), priced("3"))

    found = [await w.quote(item) for item in (BTC, ETH, BTC.at("alpha"))]

    assert [str(each.value.price) for each in found] == ["1", "2", "3"]
    assert found[2].value.instrument == BTC.at("alpha")


async def test_an_age_of_nothing_asks_anew_and_takes_what_comes() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers["alpha"] = priced("1", at=w.clock.now() - timedelta(minutes=1))
    await w.quote()

    found = await w.quote(max_age=timedelta(0))

    assert (found.provenance.provider, fallen(found)) == ("alpha", [])
    assert [request.provider for request in w.wire.requests] == ["alpha", "alpha"]


async def test_a_provider_whose_clock_is_ahead_makes_no_copy_as_new_as_an_answer() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = priced("1", at=w.clock.now() + timedelta(seconds=5))
    await w.quote()
    w.clock.turn(1)

    await w.quote(max_age=timedelta(0))

    assert len(w.wire.requests) == 2
