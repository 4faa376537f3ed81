"""`marketgate ledger`: whether trading accounts are what their entries say, and all entries as a file."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.ending import perform_async
from gateway.cli.options import AsCsv, AsJson
from gateway.cli.outcome import Code

if TYPE_CHECKING:
    from gateway.cli.output import Form
    from gateway.core.store import Store

app = typer.Typer(help="Ledgers of trading accounts.", no_args_is_help=True, rich_markup_mode=None)

Tenant = Annotated[str | None, typer.Option("--tenant", metavar="ID", help="Only accounts of this tenant.")]


@app.command("verify")
def verify_command(
    account: Annotated[str | None, typer.Option("--account", metavar="ID", help="Only this account.")] = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Reckon balances, positions and profits anew from entries and fills. Exit code 0: all fits, 1: differences."""

    async def job() -> int:
        from gateway.cli.output import form_of

        return await _verify(form_of(as_json=as_json, as_csv=as_csv), tenant, account)

    return perform_async(job)


@app.command("export")
def export_command(
    account: Annotated[str, typer.Option("--account", metavar="ID", help="Whose entries.")],
    form: Annotated[str, typer.Option("--format", metavar="FORM", help="journal (hledger, ledger-cli) or csv.")] = (
        "journal"
    ),
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="Only entries such as DEPOSIT.")] = None,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help="From this day or instant on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="Before this day or instant.")] = None,
) -> int:
    """Print an account's ledger, the oldest entry first."""

    async def job() -> int:
        return await _export(account, form, kind, since, until)

    return perform_async(job)


async def _verify(form: Form, tenant: str | None, account: str | None) -> Code:
    from gateway.cli.outcome import Stop, say
    from gateway.cli.output import Column, Table, write
    from plugins.trading.ledger.proof.loading import ProofDirectory
    from plugins.trading.ledger.proof.proving import prove

    rows, data, count = [], [], 0
    async with _database() as store:
        async with store.read() as tx:
            asked = await ProofDirectory().accounts(tx, tenant, account)
        if account is not None and not asked:
            raise Stop(f"there is no account {account}")
        for each in asked:
            async with store.read() as tx:
                found, count = await prove(tx, each), count + 1
            rows += [(item.tenant, item.account, item.subject, item.message) for item in found]
            data += [
                {"tenant": item.tenant, "account": item.account, "subject": item.subject, "message": item.message}
                for item in found
            ]
    names = ("tenant", "account", "subject", "difference")
    columns = [Column(name, name, text=name == "difference") for name in names]
    write(form, {"ledger": data, "accounts": count}, Table(columns, rows))
    say(f"accounts: {count}, differences: {len(rows)}")
    return Code.FAULT if rows else Code.ALL


async def _export(account: str, form: str, kind: str | None, since: str | None, until: str | None) -> Code:
    from gateway.cli.outcome import Stop
    from gateway.cli.reading import read_instant, read_word
    from plugins.trading.ledger.export import FORMS
    from plugins.trading.ledger.proof.loading import ProofDirectory
    from plugins.trading.ledger.routes import written
    from plugins.trading.ledger.store import Filter
    from schema.words.orders import EntryKind

    forms = {each.ending: each for each in FORMS}
    if form not in forms:
        raise Stop(f"--format {form!r} is none of {', '.join(forms)}", Code.USAGE)
    wanted = Filter(
        kind=read_word("--kind", kind, EntryKind) if kind else None, start=read_instant("--since", since),
        end=read_instant("--until", until),
    )  # fmt: skip
    async with _database() as store:
        async with store.read() as tx:
            found = await ProofDirectory().accounts(tx, None, account)
        if not found:
            raise Stop(f"there is no account {account}")
        async for part in written(store, found[0], forms[form], wanted):
            sys.stdout.write(part)
    return Code.ALL


@asynccontextmanager
async def _database() -> AsyncIterator[Store]:
    """The settings' database, which must fit this release."""
    from gateway.cli.database import database, prepare, settings_for_database
    from gateway.domains import load_plugins

    settings = settings_for_database()
    await prepare(settings, load_plugins())
    async with database(settings) as store:
        yield store
