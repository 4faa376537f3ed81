"""`GET /ledger.csv`, `/ledger.journal`: all entries of an account, or those of a time, written as they are read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.core.contract import Admissions, Context, Download, Host
from gateway.core.identity import Scope
from gateway.core.store import Store
from plugins.trading.accounts.access import Gate
from plugins.trading.ledger.export import FORMS, Form
from plugins.trading.ledger.shown import shown_of
from plugins.trading.ledger.store import Filter, LedgerStore
from plugins.trading.rows import AccountRow
from schema.errors import BadInput
from schema.scalars import parse_datetime
from schema.words.costs import ROWS_A_POINT
from schema.words.orders import EntryKind
from schema.words.problems import Refused

PAGE = 500
PARAMETERS = ("accountId", "kind", "start", "end")
LONGEST = 100


def routes(host: Host) -> Sequence[BaseRoute]:
    """One for each form."""
    return [Route(f"/ledger.{each.ending}", _endpoint(host, each), methods=["GET"]) for each in FORMS]


def _endpoint(host: Host, form: Form) -> Callable[[Request], Any]:
    async def export(request: Request) -> Response:
        if request.method != "GET":
            raise HTTPException(405, "Use GET.", headers={"Allow": "GET"})

        async def prepare(context: Context) -> Download:
            account_id, wanted = read_asked(request.query_params.multi_items())
            try:
                async with host.store.read() as tx:
                    account = await Gate().look(tx, context, account_id)
            except Refused as refused:
                raise BadInput("accountId", refused.message) from None
            return Download(
                cost=1 + account.entries // ROWS_A_POINT, media=form.media, filename=f"{account.id}.{form.ending}",
                parts=_encoded(host.store, account, form, wanted),
            )  # fmt: skip

        name = f"ledger.{form.ending}"
        return await host.service(Admissions).download(request, name=name, needs=Scope.TRADING_READ, prepare=prepare)

    return export


async def written(store: Store, account: AccountRow, form: Form, wanted: Filter) -> AsyncGenerator[str, None]:
    """The file in parts: entries that were there when it was begun, the oldest first."""
    rows, behind = LedgerStore(), 0
    yield form.head(account)
    while behind < account.entries:
        async with store.read() as tx:
            found = await rows.after(tx, account.tenant_id, account.id, wanted, behind, PAGE)
            entries = [row for row in found if row.number <= account.entries]
            page = await shown_of(tx, account.tenant_id, account.id, entries)
        if page:
            yield form.page(page)
        if len(entries) < PAGE:
            break
        behind = entries[-1].number


async def _encoded(store: Store, account: AccountRow, form: Form, wanted: Filter) -> AsyncGenerator[bytes, None]:
    async for part in written(store, account, form, wanted):
        yield part.encode()


def read_asked(pairs: Sequence[tuple[str, str]]) -> tuple[str, Filter]:
    """What the address asks for; BadInput names the parameter that is wrong."""
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in PARAMETERS:
            raise BadInput(name[:40] or "?", f"is not a parameter; there are {', '.join(PARAMETERS)}")
        if name in given:
            raise BadInput(name, "is given twice")
        if len(value) > LONGEST:
            raise BadInput(name, f"is longer than {LONGEST} characters")
        given[name] = value.strip()
    if not given.get("accountId"):
        raise BadInput("accountId", "is missing: `tradingAccounts { nodes { id } }` lists yours")
    return given["accountId"], Filter(kind=_kind(given), start=_instant("start", given), end=_instant("end", given))


def _kind(given: dict[str, str]) -> EntryKind | None:
    text = given.get("kind")
    if not text:
        return None
    try:
        return EntryKind(text.upper())
    except ValueError:
        raise BadInput("kind", f"{text!r:.40} is none of {', '.join(EntryKind)}") from None


def _instant(name: str, given: dict[str, str]) -> datetime | None:
    text = given.get(name)
    if not text:
        return None
    try:
        return parse_datetime(text)
    except ValueError as error:
        raise BadInput(name, str(error)) from None
