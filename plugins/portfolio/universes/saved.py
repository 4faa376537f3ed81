"""GraphQL types of saved universes, and what their mutations take, refuse and answer."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

import strawberry

from plugins.portfolio.store import UniverseRow
from plugins.portfolio.universes.desk import MOST_MEMBERS
from schema.facts import facts
from schema.model import described, model
from schema.paging import PageInfo
from schema.refusals import refusals
from schema.scopes import Scope
from schema.words.instruments import Node
from schema.words.problems import UserError

ERRORS = "Why nothing happened; empty where it did."
READ = facts(cost=0, needs=Scope.PORTFOLIO_READ)
"""Who may only write is not shown what there is."""


@model("A list of instruments that an organisation keeps.", implements=(Node,))
class SavedUniverse:
    """Give its id to `universe(input: {saved: …})`."""

    id: strawberry.ID = described("Give it to `node(id:)`.")
    name: str = described("What people call it.")
    symbols: list[str] = described("Canonical ids, each once.")
    owner: str = described("Who made it: a person's or a key's id.")
    created_at: datetime = described("When it was made.")
    changed_at: datetime = described("When it was last changed.")

    @classmethod
    def of(cls, row: UniverseRow) -> Self:
        """From a row."""
        return cls(
            id=strawberry.ID(row.id), name=row.name, symbols=row.symbols, owner=row.made_by,
            created_at=row.created_at, changed_at=row.changed_at,
        )  # fmt: skip


@model("A page of saved universes.")
class SavedUniverseConnection:
    """The oldest first."""

    nodes: list[SavedUniverse] = described("The universes.")
    page_info: PageInfo = described("Where this page stands.")


@refusals("Why a universe was not made.", TOO_MANY_UNIVERSES="The organisation has as many as it may have.")
class UniverseCreateErrorCode(StrEnum):
    """Expected refusals."""

    NAME_INVALID = "NAME_INVALID"
    SYMBOL_INVALID = "SYMBOL_INVALID"
    SYMBOL_AMBIGUOUS = "SYMBOL_AMBIGUOUS"
    TOO_MANY_SYMBOLS = "TOO_MANY_SYMBOLS"
    TOO_MANY_UNIVERSES = "TOO_MANY_UNIVERSES"


@refusals("Why a universe was not changed.")
class UniverseUpdateErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NAME_INVALID = "NAME_INVALID"
    SYMBOL_INVALID = "SYMBOL_INVALID"
    SYMBOL_AMBIGUOUS = "SYMBOL_AMBIGUOUS"
    TOO_MANY_SYMBOLS = "TOO_MANY_SYMBOLS"


@refusals("Why a universe was not deleted.")
class UniverseDeleteErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@strawberry.input(description="A universe to keep.")
class UniverseCreateInput:
    """Of the organisation."""

    name: str = strawberry.field(description="1 to 100 characters.")
    symbols: list[str] = strawberry.field(description=f"1 to {MOST_MEMBERS} symbols.")


@strawberry.input(description="Changes of a saved universe; what is left out stays.")
class UniverseUpdateInput:
    """Of the organisation."""

    id: strawberry.ID = strawberry.field(description="The universe's id.")
    name: str | None = strawberry.field(description="Another name.", default=None)
    symbols: list[str] | None = strawberry.field(description="All of its symbols anew.", default=None)


@strawberry.input(description="Which saved universe to delete.")
class UniverseDeleteInput:
    """Of the organisation."""

    id: strawberry.ID = strawberry.field(description="The universe's id.")


@model("What came of `universeCreate`.")
class UniverseCreatePayload:
    """The universe, or why there is none."""

    universe: SavedUniverse | None = described("The new universe.", default=None, metadata=READ)
    user_errors: list[UserError[UniverseCreateErrorCode]] = described(ERRORS)


@model("What came of `universeUpdate`.")
class UniverseUpdatePayload:
    """All of the change was made, or nothing."""

    universe: SavedUniverse | None = described("The universe as it is now.", default=None, metadata=READ)
    user_errors: list[UserError[UniverseUpdateErrorCode]] = described(ERRORS)


@model("What came of `universeDelete`.")
class UniverseDeletePayload:
    """It is gone for good."""

    universe_id: strawberry.ID | None = described("What was deleted.", default=None)
    user_errors: list[UserError[UniverseDeleteErrorCode]] = described(ERRORS)
