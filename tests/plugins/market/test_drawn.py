"""Series are put together once for the same copy and the same slots, while no clock has a word in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from plugins.market.assembly import Assembled
from plugins.market.drawn import Drawn
from schema.words.candles import Bars

ONE = (Decimal(1),)


def bars() -> Bars:
    return Bars(open_time=(datetime(2026, 1, 1, tzinfo=UTC),), open=ONE, high=ONE, low=ONE, close=ONE)


def test_only_the_very_same_copy_is_found_again() -> None:
    drawn, copy = Drawn(), bars()
    made = Assembled(bars=copy, gaps=[])

    drawn.keep(copy, "slots", made, 1)

    assert drawn.find(copy, "slots") is made
    assert drawn.find(copy, "other slots") is None
    assert drawn.find(bars(), "slots") is None


def test_what_was_not_used_for_longest_goes_first_and_what_is_too_large_is_not_kept() -> None:
    drawn, copies = Drawn(most=12), [bars() for _ in range(4)]
    made = [Assembled(bars=copy, gaps=[]) for copy in copies]

    drawn.keep(copies[0], "slots", made[0], 5)
    drawn.keep(copies[1], "slots", made[1], 5)
    drawn.find(copies[0], "slots")
    drawn.keep(copies[2], "slots", made[2], 5)
    drawn.keep(copies[3], "slots", made[3], 12)

    found = [drawn.find(copy, "slots") for copy in copies]
    assert [each is one for each, one in zip(found, made, strict=True)] == [True, False, True, False]


def test_the_rows_of_a_copy_count_whatever_part_of_it_is_shown() -> None:
    copies = [replace(bars(), open_time=bars().open_time * 90) for _ in range(2)]
    drawn = Drawn(most=100)

    for copy in copies:
        drawn.keep(copy, "slots", Assembled(bars=bars(), gaps=[]), 1)

    assert [drawn.find(copy, "slots") is not None for copy in copies] == [False, True]
