"""Rates and latencies that fade."""

from __future__ import annotations

import pytest

from gateway.core.health import Health
from gateway.core.pulse import TAU_S, Pulse
from schema.errors import Overloaded
from tests.gateway.doubles import ManualClock


def beaten(*, answers: int = 0, ms: int = 100, failures: int = 0) -> Pulse:
    pulse = Pulse()
    for _ in range(answers):
        pulse.succeeded(0.0, ms)
    for _ in range(failures):
        pulse.failed(0.0)
    return pulse


def test_a_call_counts_for_less_and_less() -> None:
    pulse = beaten(answers=10)

    pulse.succeeded(TAU_S, 100)

    assert pulse.calls == pytest.approx(1 + 10 / 2.718281828)


def test_the_newest_calls_say_most_of_the_latency() -> None:
    pulse = beaten(answers=10, ms=1_000)

    for _ in range(10):
        pulse.succeeded(3 * TAU_S, 100)

    assert pulse.mean_ms(3 * TAU_S) == pytest.approx(142.68, abs=0.01)


def test_three_in_ten_of_ten_calls_are_failing_and_two_are_not() -> None:
    assert beaten(answers=7, failures=3).judge(0.0) == "30% of its calls of late failed"
    assert beaten(answers=8, failures=2).judge(0.0) is None


def test_nine_calls_are_too_few_to_judge() -> None:
    assert beaten(failures=9).judge(0.0) is None


def test_who_was_failing_stays_so_until_half_the_rate_is_left() -> None:
    pulse = beaten(answers=7, failures=3)
    assert pulse.judge(0.0) is not None

    for _ in range(9):
        pulse.succeeded(0.0, 100)
    assert pulse.judge(0.0) == "16% of its calls of late failed"
    for _ in range(2):
        pulse.succeeded(0.0, 100)

    assert pulse.judge(0.0) is None


def test_what_nobody_saw_for_long_is_forgotten() -> None:
    pulse = beaten(failures=20)
    assert pulse.judge(0.0) is not None

    assert pulse.judge(2 * TAU_S) == "100% of its calls of late failed"
    assert pulse.judge(3 * TAU_S) is None


def test_a_second_is_slow_until_seven_tenths_of_one() -> None:
    pulse = beaten(answers=3, ms=1_000)
    assert pulse.judge(0.0) == "it takes 1000 ms of late"

    for _ in range(3):
        pulse.succeeded(0.0, 600)
    assert pulse.judge(0.0) == "it takes 800 ms of late"
    for _ in range(6):
        pulse.succeeded(0.0, 500)

    assert pulse.judge(0.0) is None


def test_three_times_the_quickest_is_slower_where_a_person_notices() -> None:
    assert beaten(answers=3, ms=300).compare(0.0, 100.0)
    assert not beaten(answers=3, ms=299).compare(0.0, 50.0)
    assert not beaten(answers=3, ms=300).compare(0.0, 101.0)


def test_capabilities_of_one_provider_are_judged_apart() -> None:
    health = Health(ManualClock())
    for _ in range(10):
        health.failed("alpha", Overloaded("alpha", "x"), "candles")

    assert health.behind("alpha", "candles") == "100% of its calls of late failed"
    assert health.behind("alpha", "quotes") is None
    assert (health.quiet("alpha", "candles"), health.quiet("alpha", "quotes")) == (False, True)


def test_nineteen_of_twenty_decide_how_long_is_usual() -> None:
    pulse = Pulse()
    for number in range(100):
        pulse.succeeded(0.0, number)

    assert (pulse.p95_s(), pulse.p50_s()) == (0.095, 0.05)
    assert (beaten(answers=19).p95_s(), beaten(answers=19).p50_s()) == (0.25, None)
