"""Pages whose cursors say when a row was made: one that goes away moves no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from schema.errors import BadInput
from schema.facts import Arguments
from schema.names import could_be_id
from schema.paging import DEFAULT_PAGE, LARGEST_PAGE, NO_CURSOR, PageInfo, check_page_size, make_cursor, read_cursor
from schema.scalars import Cursor

T = TypeVar("T")

Position = tuple[datetime, str]
"""When a row was made, and its id: where a page goes on."""
Place = tuple[datetime, int]
"""The same where rows of one time are numbered."""
_FORM = "%Y-%m-%dT%H:%M:%S.%f"
_DIGITS = 9


def page_length(arguments: Arguments) -> int:
    """How many nodes the page may hold."""
    first: int | None = arguments.get("first")
    return min(max(1, DEFAULT_PAGE if first is None else first), LARGEST_PAGE)


def page_size(first: int | None) -> int:
    """The length that is asked for; BadInput for one that is out of range."""
    check_page_size(first)
    return DEFAULT_PAGE if first is None else first


def position_of(kind: str, after: Cursor | None) -> Position | None:
    """The row behind which the page begins; BadInput for the cursor of another list."""
    found = _read(kind, after)
    if found is not None and not could_be_id(found[1]):
        raise BadInput("after", NO_CURSOR)
    return found


def place_of(kind: str, after: Cursor | None) -> Place | None:
    """The same where rows of one time are numbered."""
    found = _read(kind, after)
    if found is None:
        return None
    at, number = found
    if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS):
        raise BadInput("after", NO_CURSOR)
    return at, int(number)


def cursor_of(kind: str, position: Position | Place) -> Cursor:
    """A row's place in the list."""
    at, rest = position
    return make_cursor(kind, f"{at.strftime(_FORM)} {rest}")


def cut(
    rows: Sequence[T], *, kind: str, size: int, after: Cursor | None, position: Callable[[T], Position | Place]
) -> tuple[Sequence[T], PageInfo]:
    """The page of rows that were read one longer than it is, so that it is known whether more follow."""
    shown = rows[:size]
    return shown, PageInfo(
        has_next_page=len(rows) > size,
        has_previous_page=after is not None,
        start_cursor=cursor_of(kind, position(shown[0])) if shown else None,
        end_cursor=cursor_of(kind, position(shown[-1])) if shown else None,
    )


def _read(kind: str, after: Cursor | None) -> tuple[datetime, str] | None:
    if after is None:
        return None
    at, _, rest = read_cursor(kind, after).partition(" ")
    try:
        return datetime.strptime(at, _FORM).replace(tzinfo=UTC), rest
    except ValueError:
        raise BadInput("after", NO_CURSOR) from None
