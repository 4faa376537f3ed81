"""Large answers are written a portion at a time, and read the same."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge import portions
from gateway.edge.portions import encoded
from gateway.edge.replies import encode

LEAVES = st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.floats(allow_nan=False) | st.text(max_size=5)
ANSWERS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=4), inner, max_size=6)
)


@given(answer=ANSWERS, portion=st.integers(1, 8))
def test_portions_together_are_what_one_call_writes(answer: Any, portion: int):
    before = portions.PORTION
    portions.PORTION = portion
    try:
        written = list(portions.portions(answer))
    finally:
        portions.PORTION = before

    assert b"".join(written) == encode(answer)


def panel(columns: int, rows: int) -> dict[str, Any]:
    return {"data": {"prices": {"columns": [{"symbol": str(n), "closes": ["1.5"] * rows} for n in range(columns)]}}}


def test_no_portion_of_a_wide_panel_has_more_than_its_leaves():
    sizes = [portion.count(b'"1.5"') for portion in portions.portions(panel(80, 3_652))]

    assert (sum(sizes), max(sizes)) == (80 * 3_652, 5 * 3_652)


def test_one_long_column_is_written_in_slices():
    sizes = [portion.count(b'"1.5"') for portion in portions.portions(panel(1, 50_000))]

    assert [size for size in sizes if size] == [20_000, 20_000, 10_000]


async def test_others_have_turns_between_portions():
    turns, over = 0, False

    async def others() -> None:
        nonlocal turns
        while not over:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await asyncio.sleep(0)
    large = await encoded(panel(80, 3_652))
    over = True
    await task

    assert orjson.loads(large) == panel(80, 3_652)
    assert turns > 80 / 5


async def test_what_is_small_is_written_without_a_turn():
    written = encoded({"data": {"quote": {"price": "1.5"}}, "extensions": {}})

    with pytest.raises(StopIteration) as done:
        written.send(None)

    assert done.value.value == b'{"data":{"quote":{"price":"1.5"}},"extensions":{}}'
