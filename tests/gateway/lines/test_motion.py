"""How long values may stay as they are: a flat time, or by how often they changed."""

from __future__ import annotations

from gateway.core.lines.motion import FLAT_S, PACES, Motion


def test_values_that_changed_often_may_stand_still_for_the_flat_time():
    motion = Motion()
    for second in range(0, 100, 10):
        motion.change(second, 2)

    assert motion.still(90 + FLAT_S) == 0
    assert motion.still(91 + FLAT_S) == FLAT_S + 1


def test_once_it_is_known_it_takes_as_long_again():
    motion = Motion()
    motion.change(0, 0)
    motion.warned = True

    assert motion.still(2 * FLAT_S) == 0
    assert motion.still(2 * FLAT_S + 1) == 2 * FLAT_S + 1


def test_old_values_are_taken_for_seldom_ones_until_they_change():
    motion = Motion()
    motion.change(0, 3_600)

    assert motion.still(PACES * 3_600) == 0
    motion.change(60, 0)
    assert motion.pace == 60
    motion.change(660, 0)
    assert motion.pace == 60 + 0.2 * 540


def test_a_stamp_of_the_future_is_no_age_and_before_the_first_values_nothing_is_still():
    motion = Motion()
    assert motion.still(10_000) == 0
    motion.excuse(5)
    assert motion.moved is None
    motion.change(0, -50)

    assert motion.pace == 0


def test_while_nothing_has_to_move_no_time_is_counted():
    motion = Motion()
    motion.change(0, 0)
    motion.excuse(1_000)

    assert motion.still(1_000 + FLAT_S) == 0
