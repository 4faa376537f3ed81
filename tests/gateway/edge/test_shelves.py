"""What compiled selections keep is bounded in number, and in bytes where a text is long."""

from __future__ import annotations

import pytest

from gateway.edge.shelves import USUAL, Kept


@pytest.mark.parametrize(
    ("made", "held"),
    [
        ({"price": "1", "at": None}, 10),
        (["1", None], 10),
        ({"note": "x" * (3 * USUAL)}, 2),
        ({"instrument": {"names": ["x" * (3 * USUAL)]}}, 2),
        (["x" * (3 * USUAL)], 2),
    ],
)
def test_a_long_text_takes_the_place_of_several(made: object, held: int) -> None:
    kept = Kept(most=10)
    shelf = kept.shelf()

    values = [object() for _ in range(held + 1)]
    sizes = []
    for value in values:
        kept.keep(shelf, value, made, 1)
        sizes.append(len(shelf))

    assert sizes == [*range(1, held + 1), 1]
