"""Batches that are kept as a whole: few of them, and few items in all."""

from __future__ import annotations

from typing import Any

from gateway.core.batches import MOST_BATCHES, MOST_ITEMS, Batch, Batches
from gateway.core.fetchlog import FetchLog


def batch(of: object, items: int) -> Batch:
    found: dict[Any, Any] = dict.fromkeys(range(items))
    log = FetchLog()
    log.fresh_until = 10.0
    return Batch(of=of, parts=PARTS, found=found, log=log, lanes={}, made=0.0, state="same")


PARTS = (1, 2, 3)


def held(kept: Batches, *keys: object) -> list[bool]:
    return [kept.find(key, PARTS, 0.5, "same") is not None for key in keys]


def test_the_least_used_batch_goes_where_there_are_too_many() -> None:
    kept = Batches()
    for number in range(MOST_BATCHES):
        kept.keep(batch(number, 8))
    kept.find(0, PARTS, 0.5, "same")

    kept.keep(batch("one more", 8))

    assert held(kept, 0, 1, "one more") == [True, False, True]


def test_the_items_of_all_batches_are_bounded_and_those_that_are_gone_take_no_place() -> None:
    kept = Batches()
    half = MOST_ITEMS // 2
    for key in ("a", "a", "b"):
        kept.keep(batch(key, half))
    assert held(kept, "a", "b") == [True, True]

    assert kept.find("b", PARTS, 0.5, "changed") is None
    kept.keep(batch("c", half))
    assert held(kept, "a", "c") == [True, True]
    kept.keep(batch("d", half + 1))

    assert held(kept, "a", "c", "d") == [False, False, True]
