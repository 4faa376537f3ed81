"""The breaker: when it opens, what passes half-open, what closes it, and what it does not count."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from gateway.core.guards.breaker import Admission, Breaker, BreakerPolicy
from schema.errors import CircuitOpen, Overloaded
from schema.provenance import DataMode
from schema.words.registry import BreakerState
from tests.gateway.doubles import (
    BTC,
    ManualClock,
    codes,
    failing,
    late,
    pairs,
    priced,
    reply,
    silent,
    venue,
    world,
)

FAULT = Overloaded("alpha", "HTTP 500")


class Bench:
    """A breaker with its clock and events."""

    def __init__(self, **policy: float) -> None:
        self.clock = ManualClock()
        self.events: list[tuple[str, str, str, str]] = []
        self.breaker = Breaker(
            "alpha", "quotes", self.clock, BreakerPolicy(**policy),  # type: ignore[arg-type]
            lambda provider, capability, state, why: self.events.append((provider, capability, state.value, why)),
        )  # fmt: skip

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.failed(self.breaker.admit(), FAULT)

    def succeed(self, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.succeeded(self.breaker.admit())

    @property
    def state(self) -> str:
        return self.breaker.state.value


def test_it_opens_at_sixty_percent_of_the_window() -> None:
    bench = Bench(in_a_row=100, least=10)
    for _ in range(4):
        bench.succeed()
        bench.fail()
    bench.fail()
    assert bench.state == "CLOSED"

    bench.fail()

    assert bench.state == "OPEN"
    with pytest.raises(CircuitOpen) as caught:
        bench.breaker.admit()
    assert caught.value.retry_after == 15.0


def test_it_stays_closed_just_below_sixty_percent() -> None:
    bench = Bench(in_a_row=1000, least=10)
    for _ in range(41):
        bench.succeed()
    for _ in range(59):
        bench.fail()

    assert bench.state == "CLOSED"


def test_too_few_calls_open_nothing_by_their_rate() -> None:
    bench = Bench(in_a_row=100, least=5)
    bench.fail(4)
    assert bench.state == "CLOSED"

    bench.fail()

    assert bench.state == "OPEN"


def test_failures_in_a_row_open_it_whatever_the_rate() -> None:
    bench = Bench(in_a_row=5)
    bench.succeed(95)
    bench.fail(4)
    bench.succeed()
    bench.fail(4)
    assert bench.state == "CLOSED"

    bench.fail()

    assert bench.state == "OPEN"


def test_what_left_the_window_no_longer_counts() -> None:
    bench = Bench(in_a_row=100, least=5, window=30.0)
    bench.fail(4)
    bench.clock.turn(31)

    bench.fail()

    assert bench.state == "CLOSED"


def test_half_open_lets_exactly_one_trial_through_and_its_success_closes() -> None:
    bench = Bench(in_a_row=1)
    bench.fail()
    bench.clock.turn(15)
    assert bench.state == "HALF_OPEN"

    trial = bench.breaker.admit()
    refused = 0
    for _ in range(100):
        try:
            bench.breaker.admit()
        except CircuitOpen:
            refused += 1
    bench.breaker.succeeded(trial)

    assert refused == 100
    assert bench.state == "CLOSED"


def test_a_failed_trial_opens_for_another_rest() -> None:
    bench = Bench(in_a_row=1)
    bench.fail()
    bench.clock.turn(15)
    bench.fail()
    bench.clock.turn(14)
    assert bench.state == "OPEN"

    bench.clock.turn(1)

    assert bench.state == "HALF_OPEN"


def test_a_trial_without_a_verdict_makes_room_for_another() -> None:
    bench = Bench(in_a_row=1)
    bench.fail()
    bench.clock.turn(15)
    bench.breaker.let_go(bench.breaker.admit())
    assert bench.state == "HALF_OPEN"

    bench.succeed()

    assert bench.state == "CLOSED"


def test_late_results_of_calls_from_before_change_nothing() -> None:
    bench = Bench(in_a_row=1)
    early: list[Admission] = [bench.breaker.admit() for _ in range(3)]
    bench.fail()

    bench.breaker.succeeded(early[0])
    assert bench.state == "OPEN"
    bench.clock.turn(15)
    trial = bench.breaker.admit()
    bench.breaker.failed(early[1], FAULT)
    bench.breaker.let_go(early[2])

    with pytest.raises(CircuitOpen):
        bench.breaker.admit()
    bench.breaker.succeeded(trial)
    assert bench.state == "CLOSED"


def test_closing_forgets_the_failures_before() -> None:
    bench = Bench(in_a_row=3)
    bench.fail(3)
    bench.clock.turn(15)
    bench.succeed()
    bench.fail(2)

    assert bench.state == "CLOSED"


def test_every_change_of_state_is_an_event_with_its_reason() -> None:
    bench = Bench(in_a_row=2)
    bench.fail(2)
    bench.clock.turn(15)
    bench.breaker.let_go(bench.breaker.admit())
    bench.fail()
    bench.clock.turn(15)
    bench.succeed()

    assert bench.events == [
        ("alpha", "quotes", "OPEN", "HTTP 500"),
        ("alpha", "quotes", "HALF_OPEN", "one trial call may pass"),
        ("alpha", "quotes", "OPEN", "HTTP 500"),
        ("alpha", "quotes", "HALF_OPEN", "one trial call may pass"),
        ("alpha", "quotes", "CLOSED", "the trial call succeeded"),
    ]


def test_the_wait_never_goes_below_zero_while_a_trial_is_out() -> None:
    bench = Bench(in_a_row=1)
    bench.fail()
    bench.clock.turn(20)
    bench.breaker.admit()

    with pytest.raises(CircuitOpen) as caught:
        bench.breaker.admit()

    assert caught.value.retry_after == 1.0


async def test_one_breaker_for_each_provider_and_capability() -> None:
    w = world(venue("alpha"), venue("beta"), policy=BreakerPolicy(in_a_row=1))
    w.wire.handlers["alpha"] = lambda r: reply(b"?")

    await w.quote()

    assert w.breaker("alpha").state is BreakerState.OPEN
    assert w.breaker("alpha", "candles").state is BreakerState.CLOSED
    assert w.breaker("beta").state is BreakerState.CLOSED
    assert w.events == [("alpha", "quotes", "OPEN", "$ is not JSON (got b'?')")]


async def test_half_open_sends_one_request_for_a_hundred_callers() -> None:
    w = world(venue("alpha"), venue("beta", priority=20), policy=BreakerPolicy(in_a_row=1))
    w.wire.handlers["alpha"] = lambda r: reply(b"?")
    await w.quote()
    w.clock.turn(15)
    w.wire.requests.clear()
    w.wire.handlers["alpha"] = late(0.1, priced("7"))

    found = await asyncio.gather(*(w.quote(item) for item in pairs(100)))

    assert len(w.wire.asked("alpha")) == 1
    assert [answer.provenance.provider for answer in found].count("alpha") == 1
    assert w.breaker("alpha").state is BreakerState.CLOSED


async def test_time_outs_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.core.pipeline.FLIGHT_LEAST", 0.0)
    w = world(venue("alpha"), policy=BreakerPolicy(in_a_row=3))
    w.wire.handlers["alpha"] = silent()

    for item in pairs(3):
        await w.refused(item, timeout=0.2)
        await asyncio.sleep(0.01)

    assert w.breaker("alpha").state is BreakerState.OPEN
    assert w.events[0][3] == "no answer in time"
    assert w.pipeline.health.of("alpha").error_rate == 1.0


async def test_a_trial_that_times_out_opens_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.core.pipeline.FLIGHT_LEAST", 0.0)
    w = world(venue("alpha"), policy=BreakerPolicy(in_a_row=1))
    w.wire.handlers["alpha"] = lambda r: reply(b"?")
    await w.refused()
    w.clock.turn(15)
    w.wire.handlers["alpha"] = silent()

    await w.refused(timeout=0.2)
    await asyncio.sleep(0.01)

    assert w.breaker("alpha").state is BreakerState.OPEN


async def test_a_call_cut_off_from_outside_is_neutral_even_as_a_trial() -> None:
    w = world(venue("alpha"), policy=BreakerPolicy(in_a_row=1))
    w.wire.handlers["alpha"] = lambda r: reply(b"?")
    await w.refused()
    w.clock.turn(15)
    w.wire.handlers["alpha"] = silent()
    caller = asyncio.create_task(w.quote())
    await asyncio.sleep(0.01)

    for task in asyncio.all_tasks() - {asyncio.current_task(), caller}:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await caller
    w.wire.handlers["alpha"] = priced("7")

    assert w.breaker("alpha").state is BreakerState.HALF_OPEN
    assert (await w.quote(pairs(1)[0])).value.price == 7
    assert w.breaker("alpha").state is BreakerState.CLOSED


@pytest.mark.parametrize("status", [429, 418, 404, 401, 400, 451])
async def test_refusals_never_open_it(status: int) -> None:
    w = world(venue("alpha"), policy=BreakerPolicy(in_a_row=1, least=1))
    w.wire.handlers["alpha"] = failing(status)

    for item in pairs(10):
        await w.refused(item)
        w.clock.turn(61)

    assert w.events == []


async def test_a_throttled_trial_decides_nothing() -> None:
    w = world(venue("alpha"), policy=BreakerPolicy(in_a_row=1))
    w.wire.handlers["alpha"] = lambda r: reply(b"?")
    await w.refused()
    w.clock.turn(15)
    w.wire.handlers["alpha"] = failing(429, retry_after="1")
    await w.refused()

    assert w.breaker("alpha").state is BreakerState.HALF_OPEN


async def test_failures_of_a_simulated_provider_are_not_in_its_live_health() -> None:
    async def broken(_: object) -> object:
        raise Overloaded("sandbox", "x", retry_after=9.0)

    w = world(venue("sandbox", mode=DataMode.SIMULATED, quotes=broken), mode=DataMode.RECORDED)

    assert codes(await w.refused(BTC)) == [("sandbox", "UPSTREAM_UNAVAILABLE")]
    assert w.pipeline.health.of("sandbox").error_rate == 0.0
    assert w.pipeline.health.of("sandbox").last_failure is None
