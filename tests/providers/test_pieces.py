"""Large JSON in pieces is what it is as a whole."""

from __future__ import annotations

from decimal import Decimal
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers import pieces
from providers.pieces import DEEPEST, PIECE, decode, let_go
from providers.row import Row
from schema.errors import Malformed

WHOLE = msgspec.json.Decoder(float_hook=Decimal)

GAPS = st.sampled_from([b"", b"", b" ", b"\n\t\r "])
UNMADE = [b'"\xff"', b"1e999999999999999999999", b"01", b"nul", b'"\x01"', b'"\\x"']
"""What only the making of a value finds out: no UTF-8, more than a Decimal holds; and what has no form at all."""
NUMBERS = [b"0", b"-0", b"12", b"-7.50", b"1e3", b"1E400", b"123456789012345678901234567890"]
TEXTS = [b'""', b'"a"', b'"\\u00e9\\ud83d\\ude00"', '"é😀"'.encode(), b'"[{\\"]}"', b'"\\\\"']
SCALARS = st.sampled_from([b"null", b"true", b"false", *NUMBERS, *TEXTS, *UNMADE])
NAMES = st.sampled_from([b'"a"', b'"b"', b'"\\u0061"', b'""', '"é"'.encode(), b'"\xff"'])


@st.composite
def arrays(draw: st.DrawFn, inner: st.SearchStrategy[bytes]) -> bytes:
    members = draw(st.lists(inner, max_size=4))
    return b"[" + b",".join(draw(GAPS) + each + draw(GAPS) for each in members) + b"]"


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[bytes]) -> bytes:
    members = draw(st.lists(st.tuples(NAMES, inner), max_size=4))
    return b"{" + b",".join(draw(GAPS) + name + b":" + draw(GAPS) + each for name, each in members) + b"}"


BODIES = st.recursive(SCALARS, lambda inner: arrays(inner) | objects(inner), max_leaves=25)


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """Cut off, with something behind it, or with a byte that does not belong there."""
    body = draw(BODIES)
    at = draw(st.integers(0, len(body)))
    before, after = body[:at], body[at:]
    return draw(st.sampled_from([before, body + before, before + b"}" + after, before + after[1:]]))


def outcome(body: bytes, piece: int) -> str:
    """Values with their types and the order of their members; an error with its words."""
    with patch.object(pieces, "PIECE", piece):
        try:
            return repr(Row.json("alpha", body).value)
        except Malformed as error:
            return f"{error.code}: {error.detail}"


@settings(max_examples=400)
@given(body=BODIES | spoiled(), gap=GAPS)
def test_pieces_give_the_same_value_or_the_same_error_as_the_whole(body: bytes, gap: bytes) -> None:
    assert outcome(gap + body, piece=1) == outcome(gap + body, piece=len(gap + body))


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1, "b": 2, "a": 3}', {"a": 3, "b": 2}),
        (b'[{"a": 1.50}, [], {}]', [{"a": Decimal("1.50")}, [], {}]),
        (b"[[1, 2.0], [3, 4.0]]", [[1, Decimal("2.0")], [3, Decimal("4.0")]]),
    ],
)
def test_names_that_come_twice_rows_and_numbers_are_read_as_ever(body: bytes, value: object) -> None:
    with patch.object(pieces, "PIECE", 1):
        assert repr(decode(body)) == repr(value)


def test_a_name_that_is_hidden_by_a_later_one_must_hold_json_all_the_same() -> None:
    assert outcome(b'{"a": ["\xff"], "a": 1}', piece=1).startswith("UPSTREAM_MALFORMED: $ is not JSON")


def test_a_large_list_is_decoded_in_calls_that_are_small() -> None:
    row = b'{"symbol": "BTCUSDT", "filters": ["' + b"x" * 1_000 + b'"]}'
    body = b'{"rows": [' + b", ".join([row] * 300) + b"]}"
    sizes: list[int] = []

    class Counted:
        def decode(self, piece: bytes | msgspec.Raw) -> object:
            sizes.append(len(piece))
            return WHOLE.decode(piece)

    with patch.object(pieces, "_WHOLE", Counted()):
        found = decode(body)

    assert found == WHOLE.decode(body)
    assert sizes == [len(row)] * 300
    assert len(body) > 4 * PIECE


def test_lists_of_numbers_and_what_is_nested_deeper_are_decoded_as_a_whole() -> None:
    deep = b"[" * (DEEPEST + 1) + b"1,2" + b"]" * (DEEPEST + 1)
    sizes: list[int] = []

    class Counted:
        def decode(self, piece: bytes | msgspec.Raw) -> object:
            sizes.append(len(piece))
            return WHOLE.decode(piece)

    with patch.object(pieces, "_WHOLE", Counted()), patch.object(pieces, "PIECE", 1):
        assert decode(b"[1, 2, 3]") == [1, 2, 3]
        assert decode(deep) == [[[[[1, 2]]]]]

    assert sizes == [len(b"[1, 2, 3]"), len(b"[1,2]")]


def test_values_that_somebody_keeps_are_not_emptied_with_the_others() -> None:
    kept, lost = {"a": [1, 2]}, {"b": [3]}
    tree = {"rows": [kept, lost], "more": {"c": kept["a"]}}
    held = [tree]
    del tree, lost

    let_go(held)

    assert held == []
    assert kept == {"a": [1, 2]}


def test_nothing_is_emptied_while_the_whole_is_in_use() -> None:
    tree = {"rows": [{"a": [1, 2]}]}

    let_go([tree])

    assert tree == {"rows": [{"a": [1, 2]}]}


def test_what_nobody_keeps_is_emptied_from_the_top() -> None:
    class Seen(list):
        """Tells when it is gone."""

        def __del__(self) -> None:
            order.append(self[0])

    order: list[str] = []
    held: list[object] = [{"first": [Seen(["first"])], "second": [Seen(["second"])]}]

    let_go(held)

    # Members one after the other, the last first: a value that is freed at once goes the other way.
    assert order == ["second", "first"]
