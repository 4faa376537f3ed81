"""Numbers of trades: what is left out is told once, repeats pass, and who does not number one by one is let be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from providers.crypto._trade_numbers import MOST_SKIPS, TradeNumbers


def test_a_number_that_is_left_out_is_told_and_repeats_are_not():
    numbers = TradeNumbers()

    found = [numbers.lacking("c", number) for number in (5, 6, 6, 9, 7, 10)]

    assert found == ["", "", "", "trade 9 follows 6", "", ""]


def test_a_row_that_sums_several_trades_has_all_their_numbers():
    numbers = TradeNumbers()

    found = [numbers.lacking("c", first, last) for first, last in ((1, 3), (4, 8), (8, 9), (11, 12))]

    assert found == ["", "", "", "trade 11 follows 9"]


def test_channels_have_nothing_to_do_with_each_other_and_are_forgotten():
    numbers = TradeNumbers()
    numbers.begin("c", 5)

    other = numbers.lacking("d", 9)
    numbers.forget("c")

    assert (other, numbers.lacking("c", 9)) == ("", "")


def test_of_a_frame_the_first_number_that_is_missing_is_told():
    numbers = TradeNumbers()
    numbers.begin("c", 5)

    assert numbers.lacking_any("c", [6, 8, 11]) == "trade 8 follows 6"
    assert numbers.lacking_any("c", [12, 13]) == ""


def test_a_venue_that_never_numbers_one_by_one_is_not_asked_about_for_ever():
    numbers = TradeNumbers()

    found = [bool(numbers.lacking("c", 10 * number)) for number in range(MOST_SKIPS + 5)]

    assert found == [False, *[True] * MOST_SKIPS, *[False] * 4]
    assert numbers.lacking("c", 10 * (MOST_SKIPS + 4) + 1) == ""
    assert numbers.lacking("c", 10_000) != ""


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_every_loss_is_told_where_two_trades_follow_each_other_now_and_then(lost: list[bool]):
    numbers, number, told, losses = TradeNumbers(), 0, 0, 0
    numbers.lacking("c", number)

    for loses in lost:
        number += 2 if loses else 1
        losses += loses
        told += bool(numbers.lacking("c", number))
        number += 1
        assert numbers.lacking("c", number) == ""

    assert told == losses
