"""Relay-style pages: cursors, bounds of `first` and `last`, PageInfo."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from schema.errors import BadInput
from schema.model import described, model
from schema.provenance import Provenance
from schema.scalars import Cursor

T = TypeVar("T")

LARGEST_PAGE = 100
DEFAULT_PAGE = 20
NO_CURSOR = "is not a cursor of this list; give back what `pageInfo` or an edge gave"
NO_PLACE = "is not a cursor of this subscription; give back the `cursor` of one of its messages"
_POSITION = re.compile(r"([0-9]{1,9})(?:@([a-z0-9_]{1,40}))?")


@model("Where a page stands in its list.")
class PageInfo:
    """Relay's page information."""

    has_next_page: bool = described("Whether more follow.")
    has_previous_page: bool = described("Whether some precede.")
    start_cursor: Cursor | None = described("Cursor of the first item.", default=None)
    end_cursor: Cursor | None = described("Cursor of the last item.", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some items of a list with their cursors."""

    items: Sequence[T]
    cursors: Sequence[Cursor]
    info: PageInfo


def make_cursor(kind: str, position: str) -> Cursor:
    """An opaque text that says which list and where."""
    return Cursor(base64.urlsafe_b64encode(f"{kind}:{position}".encode()).decode().rstrip("="))


def read_cursor(kind: str, cursor: str, field: str = "after", problem: str = NO_CURSOR) -> str:
    """The position in a cursor of this kind; BadInput for any other text."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    found, colon, position = text.partition(":")
    if not colon or found != kind or "\0" in position:
        raise BadInput(field, problem)
    return position


def check_page_size(value: int | None, field: str = "first", largest: int = LARGEST_PAGE) -> None:
    """BadInput unless 1 to *largest* (None: not given)."""
    if value is not None and not 1 <= value <= largest:
        raise BadInput(field, f"must be 1 to {largest}, not {value}")


def skipped(kind: str, after: str | None) -> int:
    """How many items stand before the page, where cursors hold offsets."""
    return _read(kind, after)[0]


def listed_by(kind: str, after: str | None) -> str:
    """The provider whose list a cursor goes on in; empty without a cursor, and for lists that are no provider's."""
    return _read(kind, after)[1]


def _read(kind: str, after: str | None) -> tuple[int, str]:
    """Where a page begins, and in whose list."""
    if after is None:
        return 0, ""
    found = _POSITION.fullmatch(read_cursor(kind, after))
    if found is None:
        raise BadInput("after", NO_CURSOR)
    return int(found[1]) + 1, found[2] or ""


def page_of(
    items: Sequence[T],
    *,
    kind: str,
    first: int,
    after: str | None,
    largest: int = LARGEST_PAGE,
    provider: str = "",
) -> Page[T]:
    """A forward page over a list that is held whole, with offsets as positions.

    Cursors of a *provider*'s list name it: the offsets of one are nothing in another's. BadInput for another's cursor.
    """
    check_page_size(first, largest=largest)
    start, theirs = _read(kind, after)
    if after is not None and theirs != provider:
        raise BadInput("after", "goes on in another provider's list than the one that answered: begin anew without it")
    shown = items[start : start + first]
    whose = f"@{provider}" if provider else ""
    cursors = [make_cursor(kind, f"{start + i}{whose}") for i in range(len(shown))]
    info = PageInfo(
        has_next_page=start + len(shown) < len(items),
        has_previous_page=start > 0 and len(items) > 0,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )
    return Page(items=shown, cursors=cursors, info=info)


@model("One row of a list and its position.")
class Edge(Generic[T]):
    """Relay's edge."""

    node: T = described("The row.")
    cursor: Cursor = described("Its position.")


@model("A page of a list that one provider answered; behind a cursor nobody else is asked to go on with it.")
class Connection(Generic[T]):
    """Relay's connection with `nodes` beside `edges`, and where the whole list came from, also an empty one."""

    nodes: list[T] = described("The rows.")
    edges: list[Edge[T]] = described("The rows with their positions.")
    page_info: PageInfo = described("Where this page stands.")
    provenance: Provenance = described("Where the list came from.")


def connected(items: Sequence[T], provenance: Provenance, *, kind: str, first: int | None, after: str | None) -> Any:
    """A page of an answer, twenty rows by default, as a connection of its word."""
    size = DEFAULT_PAGE if first is None else first
    page = page_of(items, kind=kind, first=size, after=after, provider=provenance.provider)
    edges = [Edge(node=node, cursor=cursor) for node, cursor in zip(page.items, page.cursors, strict=True)]
    return Connection(nodes=list(page.items), edges=edges, page_info=page.info, provenance=provenance)
