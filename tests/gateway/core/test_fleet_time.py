"""The fleet's one time: measured beside a question, exact by half of what that took, refreshed, never the wall's."""

from __future__ import annotations

from datetime import timedelta

from gateway.core.guards.fleettime import EVERY_S, SOON_S, FleetTime
from tests.gateway.doubles import NOON, ManualClock

TOLD = (1_800_000_000, 250_000)


def measured(clock: ManualClock, took: float) -> FleetTime:
    time = FleetTime(clock)
    asked = clock.monotonic()
    clock.turn(took)
    time.measured(asked, TOLD)
    return time


def test_until_it_is_measured_it_is_the_wall_clocks() -> None:
    times = FleetTime(ManualClock()).times()

    assert (times.fleet, times.error, times.ahead) == (NOON.timestamp(), 0.0, 0.0)


def test_it_is_what_redis_told_in_the_middle_of_the_question() -> None:
    clock = ManualClock()
    time = measured(clock, 0.004)
    clock.turn(10)

    times = time.times()

    assert (round(times.fleet, 6), round(times.error, 6)) == (1_800_000_010.252, 0.002)


def test_a_wall_clock_that_is_set_moves_nothing() -> None:
    clock = ManualClock()
    time = measured(clock, 0.004)
    before = time.times()
    clock._now += timedelta(hours=1)

    after = time.times()

    assert (after.fleet, after.ahead - before.ahead) == (before.fleet, 3600.0)


def test_it_is_asked_for_now_and_then_and_soon_again_where_it_was_not_exact() -> None:
    clock = ManualClock()
    time = FleetTime(clock)
    assert time.due

    good = measured(clock, 0.01)
    assert not good.due
    clock.turn(EVERY_S)
    assert good.due

    poor = measured(clock, 0.02)
    clock.turn(SOON_S)
    assert poor.due


def test_another_redis_is_asked_anew() -> None:
    time = measured(ManualClock(), 0.004)

    time.forget()

    assert time.due
    assert time.times().fleet > 1_800_000_000
