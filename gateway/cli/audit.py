"""`marketgate audit`: whether the audit trail is whole, and all of it as lines."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from gateway.cli.ending import perform_async
from gateway.cli.options import AsCsv, AsJson
from gateway.cli.outcome import Code

PAGE = 2_000
OUTSIDE = "(outside every tenant)"

app = typer.Typer(help="The audit trail.", no_args_is_help=True, rich_markup_mode=None)


@app.command("verify")
def verify_command(
    tenant: Annotated[str | None, typer.Option(metavar="ID", help="Only this tenant's; '' is outside all.")] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> int:
    """Recompute the chains. Exit code 0: whole, 4: lines were changed, removed or inserted."""

    async def job() -> int:
        from gateway.cli.output import form_of

        return await _verify(form_of(as_json=as_json, as_csv=as_csv), tenant)

    return perform_async(job)


@app.command("export")
def export_command(
    tenant: Annotated[str, typer.Option(metavar="ID", help="Whose; '' is what was done outside all tenants.")],
    since: Annotated[str | None, typer.Option(metavar="WHEN", help="From this day or instant on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="Before this day or instant.")] = None,
) -> int:
    """Print a tenant's audit trail as lines of JSON, the oldest first."""

    async def job() -> int:
        from gateway.cli.reading import read_instant

        return await _export(tenant, read_instant("--since", since), read_instant("--until", until))

    return perform_async(job)


async def _verify(form: Any, tenant: str | None) -> Code:
    from gateway.cli.local import local_host
    from gateway.cli.outcome import Stop, say
    from gateway.cli.output import Column, Table, write
    from plugins.accounts.audit.desk import AuditDesk, NoTrail
    from schema.scalars import datetime_text

    async with local_host() as host:
        try:
            findings = await host.service(AuditDesk).verify(tenant)
        except NoTrail:
            raise Stop(f"there is no tenant {tenant}: `marketgate tenants list` lists them") from None
        now = host.clock.now()
    rows, data = [], []
    for found in findings:
        oldest = found.oldest_unsealed
        age = None if oldest is None else max(0, round((now - oldest).total_seconds()))
        result = "broken" if found.problems else "whole"
        rows.append((found.tenant or OUTSIDE, result, found.lines, found.checkpoints, found.unsealed, age))
        data.append({
            "tenant": found.tenant, "result": result, "lines": found.lines, "checkpoints": found.checkpoints,
            "unsealed": found.unsealed, "oldestUnsealedAt": None if oldest is None else datetime_text(oldest),
            "problems": found.problems,
        })  # fmt: skip
    names = (
        ("tenant", "tenant"), ("result", "result"), ("lines", "lines"), ("checkpoints", "checkpoints"),
        ("unsealed", "unsealed"), ("oldestUnsealedSeconds", "oldest unsealed, s"),
    )  # fmt: skip
    write(form, {"audit": data}, Table([Column(*name) for name in names], rows))
    for found in findings:
        for problem in found.problems:
            say(f"{found.tenant or OUTSIDE}: {problem}")
    return Code.NOTHING if any(found.problems for found in findings) else Code.ALL


async def _export(tenant: str, since: Any, until: Any) -> Code:
    from gateway.cli.local import local_host
    from gateway.cli.outcome import Stop
    from plugins.accounts.audit.desk import AuditDesk
    from plugins.accounts.audit.types import exported

    async with local_host() as host:
        store, after, count = host.service(AuditDesk).store, None, 0
        async with host.store.read() as tx:
            while rows := await store.oldest(tx, tenant, PAGE, after=after, since=since, until=until):
                sys.stdout.writelines(f"{exported(row)}\n" for row in rows)
                after, count = (rows[-1].at, rows[-1].id), count + len(rows)
    if not count:
        raise Stop(
            f"there is no line of {tenant or OUTSIDE} in this range: `marketgate audit verify` lists who has some"
        )
    return Code.ALL
