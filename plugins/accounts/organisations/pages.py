"""Pages whose cursors say when the last row was made: a row that goes away moves no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from plugins.accounts.organisations.store import Position
from schema.errors import BadInput
from schema.facts import Arguments
from schema.names import could_be_id
from schema.paging import LARGEST_PAGE, PageInfo, check_page_size, make_cursor, read_cursor
from schema.scalars import Cursor

T = TypeVar("T")

DEFAULT_PAGE = 20
_FORM = "%Y-%m-%dT%H:%M:%S.%f"
_STRANGE = "is not a cursor of this list; give back what `pageInfo` gave"


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
    if after is None:
        return None
    at, _, id = read_cursor(kind, after).partition(" ")
    try:
        moment = datetime.strptime(at, _FORM).replace(tzinfo=UTC)
    except ValueError:
        raise BadInput("after", _STRANGE) from None
    if not could_be_id(id):
        raise BadInput("after", _STRANGE)
    return moment, id


def cursor_of(kind: str, position: Position) -> Cursor:
    """A row's place in the list."""
    at, id = position
    return make_cursor(kind, f"{at.strftime(_FORM)} {id}")


def cut(
    rows: Sequence[T], *, kind: str, size: int, after: Cursor | None, position: Callable[[T], Position]
) -> tuple[Sequence[T], PageInfo]:
    """The page of rows that were read one longer than it is, so that it is known whether more follow."""
    shown = rows[:size]

    def cursor(row: T) -> Cursor:
        return cursor_of(kind, position(row))

    return shown, PageInfo(
        has_next_page=len(rows) > size,
        has_previous_page=after is not None,
        start_cursor=cursor(shown[0]) if shown else None,
        end_cursor=cursor(shown[-1]) if shown else None,
    )
