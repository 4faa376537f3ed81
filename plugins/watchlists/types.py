"""GraphQL types of watchlists."""

from __future__ import annotations

import inspect
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

import strawberry

from gateway.core.contract import Ctx
from plugins.watchlists.contents import MOST_SYMBOLS
from plugins.watchlists.store import WatchlistRow
from schema.facts import Arguments, facts
from schema.model import computed, described, model
from schema.paging import PageInfo, check_page_size
from schema.refusals import refusals
from schema.scopes import Scope
from schema.symbols import parse_instrument
from schema.words.instruments import Instrument, Node, selected_fields
from schema.words.problems import UserError

DEFAULT_INSTRUMENTS = 50
ERRORS = "Why nothing happened; empty where it did."
SYMBOLS = "Ids such as `crypto:BTC/USD`, or short forms: `BTC-USD`, `EURUSD`, `AAPL`."

Shown = Annotated[int | None, strawberry.argument(description=f"How many of them, 1 to {MOST_SYMBOLS}.")]


def count_of_instruments(arguments: Arguments) -> int:
    """How many instruments the fields below may be asked of."""
    first: int | None = arguments.get("first")
    return min(max(1, DEFAULT_INSTRUMENTS if first is None else first), MOST_SYMBOLS)


async def resolve_instruments(root: Watchlist, info: Ctx, first: Shown = DEFAULT_INSTRUMENTS) -> list[Instrument]:
    """Described one by one; their quotes travel as one batch."""
    check_page_size(first, largest=MOST_SYMBOLS)
    selected = selected_fields(info)
    found = []
    for symbol in root.symbols[: DEFAULT_INSTRUMENTS if first is None else first]:
        described = info.context.describe(parse_instrument(symbol), selected)
        found.append(await described if inspect.isawaitable(described) else described)
    return found


@model("Symbols that somebody keeps an eye on.", implements=(Node,))
class Watchlist:
    """Its owner alone sees it."""

    id: strawberry.ID = described("Give it to `node(id:)`.")
    name: str = described("What its owner calls it.")
    symbols: list[str] = described(f"Canonical ids in the order of the list, at most {MOST_SYMBOLS}, each once.")
    created_at: datetime = described("When it was made.")
    changed_at: datetime = described("When it was last changed.")
    instruments = computed(
        resolve_instruments,
        "The first of its instruments; prices below them are asked as one batch.",
        metadata=facts(times=count_of_instruments, needs=Scope.MARKET_READ),
    )

    @classmethod
    def of(cls, row: WatchlistRow) -> Self:
        """From a row."""
        return cls(
            id=strawberry.ID(row.id), name=row.name, symbols=row.symbols, created_at=row.created_at,
            changed_at=row.changed_at,
        )  # fmt: skip


@model("A page of watchlists.")
class WatchlistConnection:
    """The oldest first."""

    nodes: list[Watchlist] = described("The watchlists.")
    page_info: PageInfo = described("Where this page stands.")


@refusals("Why a watchlist was not made.", TOO_MANY_LISTS="The caller has as many watchlists as one may have.")
class WatchlistCreateErrorCode(StrEnum):
    """Expected refusals."""

    NAME_INVALID = "NAME_INVALID"
    SYMBOL_INVALID = "SYMBOL_INVALID"
    SYMBOL_AMBIGUOUS = "SYMBOL_AMBIGUOUS"
    TOO_MANY_SYMBOLS = "TOO_MANY_SYMBOLS"
    TOO_MANY_LISTS = "TOO_MANY_LISTS"


@refusals("Why a watchlist was not changed.")
class WatchlistUpdateErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    NAME_INVALID = "NAME_INVALID"
    SYMBOL_INVALID = "SYMBOL_INVALID"
    SYMBOL_AMBIGUOUS = "SYMBOL_AMBIGUOUS"
    TOO_MANY_SYMBOLS = "TOO_MANY_SYMBOLS"


@refusals("Why a watchlist was not deleted.")
class WatchlistDeleteErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@strawberry.input(description="A new watchlist.")
class WatchlistCreateInput:
    """Of the caller."""

    name: str = strawberry.field(description="1 to 100 characters.")
    symbols: list[str] | None = strawberry.field(description=SYMBOLS, default=None)


@strawberry.input(description="Changes of a watchlist; what is left out stays.")
class WatchlistUpdateInput:
    """`symbols` comes first, then `remove`, then `add`."""

    id: strawberry.ID = strawberry.field(description="The watchlist's id.")
    name: str | None = strawberry.field(description="Another name.", default=None)
    symbols: list[str] | None = strawberry.field(description="What it holds from now on, in this order.", default=None)
    add: list[str] | None = strawberry.field(description="To put at its end; what is there stays.", default=None)
    remove: list[str] | None = strawberry.field(description="To take out; what is not there is no error.", default=None)


@strawberry.input(description="Which watchlist to delete.")
class WatchlistDeleteInput:
    """Of the caller."""

    id: strawberry.ID = strawberry.field(description="The watchlist's id.")


@model("What came of `watchlistCreate`.")
class WatchlistCreatePayload:
    """The list, or why there is none."""

    watchlist: Watchlist | None = described("The new watchlist.", default=None)
    user_errors: list[UserError[WatchlistCreateErrorCode]] = described(ERRORS)


@model("What came of `watchlistUpdate`.")
class WatchlistUpdatePayload:
    """All of the change was made, or nothing."""

    watchlist: Watchlist | None = described("The watchlist as it is now.", default=None)
    user_errors: list[UserError[WatchlistUpdateErrorCode]] = described(ERRORS)


@model("What came of `watchlistDelete`.")
class WatchlistDeletePayload:
    """It is gone for good."""

    watchlist_id: strawberry.ID | None = described("What was deleted.", default=None)
    user_errors: list[UserError[WatchlistDeleteErrorCode]] = described(ERRORS)
