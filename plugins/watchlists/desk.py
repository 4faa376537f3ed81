"""Watchlists: whose they are, how many there may be, what stands in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit, Desk
from gateway.core.store import Tx, new_id
from plugins.watchlists.contents import MOST_SYMBOLS, changed
from plugins.watchlists.store import WatchlistRow, WatchlistStore
from schema.errors import AmbiguousInstrument, Forbidden, MarketgateError
from schema.names import BadName, could_be_id, read_name
from schema.words.problems import Refused

MOST_LISTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the caller wants of a list, unread; None leaves it as it is."""

    name: str | None = None
    symbols: Sequence[str] | None = None
    add: Sequence[str] = ()
    remove: Sequence[str] = ()


class WatchlistDesk:
    """Lists of the caller: a signed-in person's, or an API key's own."""

    def __init__(self, host: Host) -> None:
        self._host, self._rows = host, WatchlistStore()

    async def all(self, context: Context) -> list[WatchlistRow]:
        """The caller's lists, the oldest first."""
        async with self._host.store.read() as tx:
            return await self._rows.all(tx, context.tenant, owner_of(context))

    async def find(self, context: Context, list_id: str) -> WatchlistRow | None:
        """One of the caller's."""
        async with self._host.store.read() as tx:
            return await self._rows.find(tx, context.tenant, owner_of(context), list_id)

    async def create(self, context: Context, change: Change) -> WatchlistRow:
        """A new list."""
        owner, now = owner_of(context), self._host.clock.now()
        made = WatchlistRow(
            tenant_id=context.tenant, id=new_id("list"), owner=owner, name="", symbols=[], created_at=now,
            changed_at=now,
        )  # fmt: skip
        row = self._with(made, await self._read_all(context, change))
        async with self._host.store.write() as tx:
            await self._rows.hold(tx, context.tenant, owner)
            if len(await self._rows.all(tx, context.tenant, owner)) >= MOST_LISTS:
                raise Refused("TOO_MANY_LISTS", f"You have {MOST_LISTS} watchlists: delete one first.")
            await self._rows.add(tx, context.tenant, row)
            await self._record(tx, context, "watchlist.created", row.id, after=_told(row))
        return row

    async def update(self, context: Context, list_id: str, change: Change) -> WatchlistRow:
        """The list after the change; parallel changes follow one another."""
        owner = owner_of(context)
        # Before the transaction: a security's number is asked of providers.
        change = await self._read_all(context, change)
        async with self._host.store.write() as tx:
            await self._rows.hold(tx, context.tenant, owner)
            held = await self._rows.find(tx, context.tenant, owner, list_id) if could_be_id(list_id) else None
            if held is None:
                raise _unknown()
            row = replace(self._with(held, change), changed_at=self._host.clock.now())
            values = {"name": row.name, "symbols": row.symbols, "changed_at": row.changed_at}
            await self._rows.change(tx, context.tenant, owner, list_id, **values)
            await self._record(tx, context, "watchlist.updated", list_id, before=_told(held), after=_told(row))
        return row

    async def delete(self, context: Context, list_id: str) -> str:
        """The id of what is gone."""
        owner = owner_of(context)
        async with self._host.store.write() as tx:
            if not could_be_id(list_id) or not await self._rows.remove(tx, context.tenant, owner, list_id):
                raise _unknown()
            await self._record(tx, context, "watchlist.deleted", list_id)
        return list_id

    def _with(self, row: WatchlistRow, change: Change) -> WatchlistRow:
        try:
            name = row.name if change.name is None else read_name(change.name)
        except BadName as bad:
            raise Refused("NAME_INVALID", str(bad), "name") from None
        symbols = changed(row.symbols, change.symbols, change.add, change.remove)
        if len(symbols) > MOST_SYMBOLS:
            told = f"The list would hold {len(symbols)} symbols: it can hold {MOST_SYMBOLS}; begin another one."
            raise Refused("TOO_MANY_SYMBOLS", told, "add" if change.add else "symbols")
        return replace(row, name=name, symbols=symbols)

    async def _read_all(self, context: Context, change: Change) -> Change:
        """The change with canonical ids in the place of symbols."""
        whole = None if change.symbols is None else await self._read(context, change.symbols, "symbols")
        added, removed = (
            await self._read(context, change.add, "add"),
            await self._read(context, change.remove, "remove"),
        )
        return replace(change, symbols=whole, add=added, remove=removed)

    async def _read(self, context: Context, symbols: Sequence[str], field: str) -> list[str]:
        """Canonical ids; the refusal names the symbol and what it may mean."""
        if len(symbols) > MOST_SYMBOLS:
            raise Refused("TOO_MANY_SYMBOLS", f"{len(symbols)} symbols at once: give at most {MOST_SYMBOLS}.", field)
        desk, read = self._host.service(Desk), []
        for index, symbol in enumerate(symbols):
            try:
                read.append(str(await desk.find(context, symbol)))
            except AmbiguousInstrument as error:
                told = f"{error.symbol!r} may mean {', '.join(error.candidates)}: write one of these."
                raise Refused("SYMBOL_AMBIGUOUS", told, field, str(index)) from None
            except MarketgateError as error:
                raise Refused("SYMBOL_INVALID", f"{error.message}.", field, str(index)) from None
        return read

    async def _record(
        self,
        tx: Tx,
        context: Context,
        action: str,
        list_id: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        await self._host.service(Audit).record(tx, context.act(action, list_id, before=before, after=after))


def owner_of(context: Context) -> str:
    """A person; else the key, whose lists nobody else sees. A token is too short-lived to own any."""
    owner = context.principal.user or context.principal.key
    if owner is None:
        raise Forbidden("This access token belongs to no person and no key, which alone have watchlists.")
    return owner


def _told(row: WatchlistRow) -> dict[str, Any]:
    return {"name": row.name, "symbols": row.symbols}


def _unknown() -> Refused:
    return Refused("NOT_FOUND", "You have no watchlist with this id: `watchlists { nodes { id } }` lists yours.", "id")
