"""Throttles, used-up plans and refused keys hold a provider back; retries are few."""

from __future__ import annotations

import asyncio

import pytest

from gateway.core.guards.breaker import BreakerPolicy
from gateway.core.replyheaders import retry_after
from gateway.core.upstream import RawReply
from schema.errors import (
    ConnectionFailed,
    FailureCode,
    QuotaExhausted,
    Timeout,
    UnknownInstrument,
)
from schema.provenance import RecordedFrom
from tests.gateway.doubles import (
    BTC,
    ETH,
    NOON,
    SOL,
    Handler,
    codes,
    failing,
    fallen,
    in_turn,
    late,
    pairs,
    priced,
    raising,
    reply,
    venue,
    world,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        (" 7 ", 7.0),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 13:00:30 +0100", 30.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("99999999", 86_400.0),
        ("9" * 5000, 86_400.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e3", None),
        ("inf", None),
        ("٣", None),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -9999", None),
        (",", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, NOON) == seconds


async def test_a_throttled_provider_is_left_alone_until_its_retry_after_and_then_asked_again() -> None:
    w = world(venue("alpha"), venue("beta", priority=20))
    w.wire.handlers["alpha"] = in_turn(failing(429, "slow", retry_after="30"), priced("7"))
    await w.quote(BTC)

    w.clock.turn(29)
    held = await w.quote(ETH)
    w.clock.turn(1)
    free = await w.quote(SOL)

    (failure,) = held.provenance.fallback_from
    assert (failure.code, failure.message, failure.retry_after_ms) == (
        FailureCode.UPSTREAM_THROTTLED, 'held back after: HTTP 429: "slow"', 1000,
    )  # fmt: skip
    assert free.provenance.provider == "alpha"
    assert len(w.wire.asked("alpha")) == 2


@pytest.mark.parametrize(
    ("handler", "seconds", "code"),
    [
        (failing(429), 5, "UPSTREAM_THROTTLED"),
        (failing(418), 5, "UPSTREAM_THROTTLED"),
        (failing(429, retry_after="Fri, 20 Nov 2026 12:02:00 GMT"), 120, "UPSTREAM_THROTTLED"),
        (raising(QuotaExhausted("alpha", "25 a day")), 60, "UPSTREAM_QUOTA"),
        (raising(QuotaExhausted("alpha", "25 a day", retry_after=3600)), 3600, "UPSTREAM_QUOTA"),
        (failing(401), 60, "PROVIDER_MISCONFIGURED"),
    ],
)
async def test_how_long_a_provider_is_held_back(handler: Handler, seconds: int, code: str) -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = handler
    await w.refused(BTC)

    w.clock.turn(seconds - 0.5)
    error = await w.refused(ETH)
    w.clock.turn(0.5)
    w.wire.handlers["alpha"] = priced("7")

    assert codes(error) == [("alpha", code)]
    assert error.attempts[0].retry_after_ms == 500
    assert (await w.quote(SOL)).value.price == 7


async def test_a_hold_covers_all_of_a_providers_capabilities() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = failing(429, retry_after="30")
    await w.refused()

    assert w.pipeline.health.hold("alpha") is not None
    assert w.pipeline.health.hold("beta") is None


async def test_an_answer_that_was_already_on_its_way_does_not_end_a_hold() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = in_turn(late(1.0, priced("7")), failing(429, retry_after="30"))
    early = asyncio.create_task(w.quote(BTC))
    await asyncio.sleep(0.1)
    await w.refused(ETH)

    await early
    error = await w.refused(SOL)

    assert error.attempts[0].message == 'held back after: HTTP 429: {"message": "no"}'
    assert len(w.wire.requests) == 2


async def test_a_shorter_wait_that_comes_late_does_not_shorten_a_longer_one() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = in_turn(late(1.0, failing(429, retry_after="2")), failing(429, retry_after="600"))
    early = asyncio.create_task(w.refused(BTC))
    await asyncio.sleep(0.1)
    await w.refused(ETH)
    await early

    w.clock.turn(100)

    assert (await w.refused(SOL)).attempts[0].retry_after_ms == 500_000


async def test_throttles_are_no_failures_of_the_provider() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = failing(429)
    await w.refused()

    assert w.pipeline.health.of("alpha").error_rate == 0.0


async def test_a_recorded_refusal_holds_nobody_back() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = lambda r: RawReply(
        status=429, headers={}, content=b"{}", recorded=RecordedFrom.COMPOSED, recorded_at=NOON
    )
    await w.refused(BTC)

    assert w.pipeline.health.hold("alpha") is None
    assert w.pipeline.health.of("alpha").last_failure is None


async def test_recorded_failures_open_no_breaker() -> None:
    w = world(venue("alpha"), policy=BreakerPolicy(in_a_row=1))
    w.wire.handlers["alpha"] = lambda r: RawReply(
        status=500, headers={}, content=b"{}", recorded=RecordedFrom.COMPOSED, recorded_at=NOON
    )
    await w.refused(BTC)

    assert w.events == []


@pytest.mark.parametrize(
    "first",
    [raising(Timeout("alpha", "x")), raising(ConnectionFailed("alpha", "x")), failing(500), failing(503), failing(408)],
)
async def test_a_passing_fault_is_retried_once_after_a_short_wait(first: Handler) -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = in_turn(first, priced("7"))

    found = await w.quote()

    assert (found.value.price, fallen(found)) == (7, [])
    assert len(w.wire.requests) == 2
    assert 0.03 <= w.clock.slept[0] <= 0.12


async def test_it_is_retried_once_only() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = in_turn(failing(500), failing(500), priced("7"))

    await w.refused()

    assert len(w.wire.requests) == 2


@pytest.mark.parametrize(
    "handler",
    [
        failing(429), failing(401), failing(404), failing(400), lambda r: reply(b"?"),
        raising(UnknownInstrument("alpha", "x")), raising(QuotaExhausted("alpha", "x")), raising(ZeroDivisionError()),
    ],
)  # fmt: skip
async def test_nothing_else_is_retried(handler: Handler) -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = handler

    await w.refused()

    assert len(w.wire.requests) == 1


async def test_a_wait_that_fits_is_kept_before_the_retry() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = in_turn(failing(503, retry_after="1"), priced("7"))

    assert (await w.quote()).value.price == 7
    assert w.clock.slept == [1.0]


async def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = in_turn(failing(503, retry_after="20"), priced("7"))

    error = await w.refused(timeout=5.0)

    assert error.attempts[0].retry_after_ms == 20_000
    assert (len(w.wire.requests), w.clock.slept) == (1, [])
    assert asyncio.get_running_loop().time() == 0.0


async def test_an_outage_is_not_multiplied_by_retries() -> None:
    w = world(venue("alpha"), policy=BreakerPolicy(in_a_row=10_000, least=10_000))
    w.wire.handlers["alpha"] = failing(500)

    for item in pairs(100):
        await w.refused(item)

    # Ten retries saved up, and three tenths of one earned by each of a hundred calls.
    assert 100 + 10 + 28 <= len(w.wire.requests) <= 100 + 10 + 30


async def test_a_breaker_that_opens_meanwhile_stops_the_retry() -> None:
    w = world(venue("alpha"), policy=BreakerPolicy(in_a_row=1))
    w.wire.handlers["alpha"] = failing(500)

    error = await w.refused()

    assert len(w.wire.requests) == 1
    assert error.attempts[0].message == 'HTTP 500: {"message": "no"}'
