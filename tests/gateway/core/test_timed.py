"""A bounded map whose entries hold for a while."""

from __future__ import annotations

from gateway.core.timed import Timed
from tests.gateway.doubles import ManualClock


def made(most: int = 10) -> tuple[Timed[str, int], ManualClock]:
    clock = ManualClock()
    return Timed(most, 9.0, clock.monotonic), clock


def test_an_entry_holds_until_its_time_is_over_however_often_it_is_read() -> None:
    timed, clock = made()
    timed["a"] = 1
    seen = []

    for _ in range(4):
        clock.turn(3.0)
        seen.append(timed.get("a"))

    assert seen == [1, 1, None, None]
    assert (len(timed), list(timed)) == (0, [])


def test_what_was_put_again_holds_anew() -> None:
    timed, clock = made()
    timed["a"] = 1
    clock.turn(8.0)
    timed["a"] = 2
    clock.turn(8.0)

    assert timed.get("a") == 2


def test_beyond_the_bound_what_was_read_longest_ago_goes() -> None:
    timed, _ = made(most=2)
    timed["a"], timed["b"] = 1, 2
    timed.get("a")

    timed["c"] = 3

    assert [timed.get(key) for key in "abc"] == [1, None, 3]


def test_entries_are_forgotten_one_by_one_or_all_together() -> None:
    timed, _ = made()
    timed["a"], timed["b"], timed["c"] = 1, 2, 3

    timed.pop("a")
    timed.pop("nobody")
    assert list(timed) == ["b", "c"]
    timed.clear()
    assert list(timed) == []
