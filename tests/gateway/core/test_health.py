"""A provider's condition, and how a process puts keys and tiers together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.app import build_gateway
from gateway.core.guards.breaker import BreakerPolicy
from gateway.core.health import WINDOW, Health, failure_of
from gateway.core.settings import Settings, SettingsError, load_settings
from providers import Discovered
from providers.contract import Tier, header
from schema.errors import KeyMissing, Malformed, Overloaded, Throttled
from schema.words.quotes import QUOTES, QuotesAsk
from tests.gateway.doubles import BTC, ManualClock, Wire, failing, fallen, in_turn, priced, venue, world


def test_latency_and_errors_are_of_the_last_hundred_calls() -> None:
    health = Health(ManualClock())
    for number in range(2 * WINDOW):
        health.succeeded("alpha", number)
    for _ in range(25):
        health.failed("alpha", Overloaded("alpha", "x"))

    condition = health.of("alpha")

    assert (condition.percentile(0.5), condition.percentile(0.95)) == (162, 196)
    assert condition.error_rate == 0.25
    assert health.of("beta").percentile(0.5) is None
    assert health.of("beta").error_rate == 0.0


def test_only_faults_of_the_provider_count_as_errors() -> None:
    health = Health(ManualClock())
    for error in (Throttled("alpha", "x"), KeyMissing("alpha", "x")):
        health.failed("alpha", error)
    assert health.of("alpha").error_rate == 0.0

    health.failed("alpha", Malformed("alpha", "x"))

    assert health.of("alpha").error_rate == 1.0


def test_a_failure_is_shown_with_its_wait_in_milliseconds() -> None:
    shown = failure_of(Throttled("alpha", "slow", retry_after=1.2345))

    assert (shown.provider, shown.code.value, shown.message, shown.retry_after_ms) == (
        "alpha", "UPSTREAM_THROTTLED", "slow", 1234,
    )  # fmt: skip
    assert failure_of(Throttled("alpha", "slow", retry_after=-5)).retry_after_ms == 0
    assert failure_of(Throttled("alpha", "next month", retry_after=2_592_000)).retry_after_ms == 2_147_483_647


async def test_live_calls_are_measured() -> None:
    w = world(venue("alpha"))
    await w.quote()
    w.wire.handlers["alpha"] = failing(500)
    w.clock.turn(2)
    await w.refused()

    condition = w.pipeline.health.of("alpha")

    assert [call.fine for call in condition.calls] == [True, False, False]
    assert [call.latency_ms is None for call in condition.calls] == [False, True, True]
    assert condition.last_success is not None
    assert isinstance(condition.last_failure, Overloaded)


def settings(**values: str) -> Settings:
    return load_settings({f"MARKETGATE_{name}": value for name, value in values.items()}, None).settings


def tiered() -> Discovered:
    alpha = venue("alpha", credentials=(header("x-free", required=False),))
    paid = Tier(base_url="https://paid.alpha.example/api", credentials=(header("x-paid"),))
    alpha.profile = replace(alpha.profile, tiers={"pro": paid})
    return Discovered(classes={"alpha": alpha}, failed={})


async def test_a_tier_changes_the_address_and_the_key_of_a_provider() -> None:
    wire = Wire()
    wire.handlers["alpha"] = priced("7")
    free = build_gateway(settings(KEY_ALPHA="abc"), transport=wire, discovered=tiered())
    paid = build_gateway(settings(KEY_ALPHA="abc", TIER_ALPHA="pro"), transport=wire, discovered=tiered())

    for gateway in (free, paid):
        await gateway.data.fetch(QUOTES, QuotesAsk(instruments=(BTC,)))

    assert [request.url for request in wire.requests] == [
        "https://alpha.example/api/quotes", "https://paid.alpha.example/api/quotes",
    ]  # fmt: skip
    assert [sorted(set(request.headers) - {"accept-encoding", "user-agent"}) for request in wire.requests] == [
        ["x-free"],
        ["x-paid"],
    ]


async def test_a_tier_without_its_key_is_a_missing_key() -> None:
    gateway = build_gateway(settings(TIER_ALPHA="pro"), transport=Wire(), discovered=tiered())

    assert gateway.data.registry.keys_missing == {"alpha": "MARKETGATE_KEY_ALPHA"}


def test_a_tier_that_a_provider_does_not_have_stops_the_start() -> None:
    with pytest.raises(SettingsError, match=r"MARKETGATE_TIER_ALPHA: Alpha has no tier 'paper'"):
        build_gateway(settings(TIER_ALPHA="paper"), transport=Wire(), discovered=tiered())


async def test_who_fails_often_is_asked_after_the_others_for_a_minute() -> None:
    w = world(venue("alpha"), venue("beta", priority=20), policy=BreakerPolicy(rate=2.0, in_a_row=99))
    w.wire.handlers["alpha"] = in_turn(*(failing(500) for _ in range(16)), priced("1"))
    for _ in range(10):
        await w.quote()
        w.clock.turn(3)
    asked = len(w.wire.asked("alpha"))

    found = await w.quote()

    assert asked == 16
    assert len(w.wire.asked("alpha")) == asked
    assert fallen(found) == [("alpha", "UPSTREAM_UNAVAILABLE")]
    told = "passed over: 100% of its calls of late failed"
    assert found.provenance.fallback_from[0].message == told
    w.clock.turn(61)
    assert (await w.quote()).provenance.provider == "alpha"


async def test_who_is_slow_is_asked_after_the_others() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    for _ in range(3):
        w.data.pipeline.health.succeeded("alpha", 1_500, "quotes")

    found = await w.quote()

    assert (found.provenance.provider, fallen(found)) == ("beta", [])


async def test_a_pinned_order_stands_whatever_the_health() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    for _ in range(3):
        w.data.pipeline.health.succeeded("alpha", 1_500, "quotes")

    assert (await w.quote(providers=("alpha", "beta"))).provenance.provider == "alpha"
