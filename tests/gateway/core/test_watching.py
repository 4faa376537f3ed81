"""Cursors of what is looked at again and again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import watching
from schema.errors import BadInput


@given(st.lists(st.text(), unique=True, max_size=20))
def test_a_cursor_tells_what_was_there(marks: list[str]) -> None:
    names = [watching.short(mark) for mark in marks]

    assert watching.read(watching.write(names)) == frozenset(names)


@given(st.text(max_size=60))
def test_whatever_else_is_given_as_a_cursor_is_refused_or_one_that_was_written(text: str) -> None:
    try:
        found = watching.read(text)
    except BadInput:
        return
    assert all(len(name) == watching.SIZE for name in found)


def test_a_cursor_of_more_than_was_ever_written_is_refused() -> None:
    longest = watching.write([bytes((0, 0, 0, 0, n >> 8, n & 255)) for n in range(watching.MOST + 1)])

    assert len(watching.read(longest)) == watching.MOST
    with pytest.raises(BadInput):
        watching.read(longest + "AAAAAAAA")
