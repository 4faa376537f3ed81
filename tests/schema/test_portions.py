"""JSON a portion at a time is the JSON that one call gives."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.portions import read, written
from schema.words.jobs import camelled, parts_of
from tests.loopmonitor import watched_loop

leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    leaves | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def large() -> dict[str, object]:
    """Two megabytes and more."""
    columns = {f"max_drawdown_{n}": [k / 7 for k in range(4_000)] for n in range(40)}
    return {"warnings": ['a,"b_c":'], "performance": {"of_it": columns}, "last_one": 1}


@given(values)
async def test_what_is_written_is_what_one_call_writes(value: object):
    text = await written(value)

    assert text == orjson.dumps(value).decode()
    assert await read(text) == value


async def test_large_results_are_written_and_read_while_others_go_on():
    value = large()
    async with watched_loop() as stalls:
        text = await written(value)
        found = await read(text)

    assert found == value
    assert stalls.busiest < 0.01
    with pytest.raises(TypeError):
        await written({"a": object()})


@pytest.mark.parametrize("size", [1, 7, 50, 10_000])
def test_keys_are_named_in_parts_as_in_one_go(size: int):
    text = orjson.dumps(large() | {"performance": {"a_b": {"c_d": ',"e_f":'}}}).decode()

    parts = list(parts_of(text, size))

    assert "".join(parts) == text
    assert "".join(map(camelled, parts)) == camelled(text)
