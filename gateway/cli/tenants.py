"""`marketgate tenants`: organisations from outside."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.ending import perform_async
from gateway.cli.options import ApiKey, AsCsv, AsJson, Url
from gateway.cli.outcome import Code

FIELDS = "id name plan status statusReason externalId members createdAt"
LIST = f"""
query Tenants($status: TenantStatus, $search: String, $after: Cursor) {{
  tenants(first: 100, after: $after, status: $status, search: $search) {{
    nodes {{ {FIELDS} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""
ANSWER = f"{{ tenant {{ {FIELDS} }} userErrors {{ code message }} }}"
CREATE = f"mutation Create($input: TenantCreateInput!) {{ tenantCreate(input: $input) {ANSWER} }}"
SUSPEND = f"mutation Suspend($input: TenantSuspendInput!) {{ tenantSuspend(input: $input) {ANSWER} }}"
RESUME = f"mutation Resume($input: TenantResumeInput!) {{ tenantResume(input: $input) {ANSWER} }}"
PLAN = f"mutation Plan($input: TenantPlanSetInput!) {{ tenantPlanSet(input: $input) {ANSWER} }}"
NAMES = ("id", "name", "plan", "status", "statusReason", "externalId", "members", "createdAt")
TITLES = ("id", "name", "plan", "status", "reason", "external id", "members", "")

app = typer.Typer(help="Organisations, from outside.", no_args_is_help=True, rich_markup_mode=None)

Id = Annotated[str, typer.Argument(metavar="ID", help="The tenant's id.")]


@app.command("list")
def list_command(
    status: Annotated[str | None, typer.Option(help="Only active, suspended or deleting ones.")] = None,
    search: Annotated[str | None, typer.Option(help="A part of the name, the id or the external id.")] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> int:
    """List organisations, the oldest first."""

    async def job() -> int:
        from gateway.cli.link import Where
        from gateway.cli.office import all_pages, operate
        from gateway.cli.output import form_of

        form = form_of(as_json=as_json, as_csv=as_csv)
        wanted = _status(status)
        async with operate(Where(url=url, api_key=api_key)) as link:
            nodes = await all_pages(link, LIST, "tenants", {"status": wanted, "search": search})
        _write(form, {"tenants": {"nodes": nodes}}, nodes)
        return Code.ALL

    return perform_async(job)


@app.command("create")
def create_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")],
    plan: Annotated[str, typer.Option(help="Its plan.")] = "free",
    owner: Annotated[str | None, typer.Option(metavar="EMAIL", help="Who owns it.")] = None,
    external_id: Annotated[str | None, typer.Option(metavar="ID", help="Your own name for it.")] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> int:
    """Make an organisation."""
    given = {"name": name, "plan": plan, "ownerEmail": owner, "externalId": external_id}
    return _change(CREATE, "tenantCreate", given, name, (as_json, as_csv), url, api_key)


@app.command("suspend")
def suspend_command(
    id: Id,
    reason: Annotated[str, typer.Option(help="Why; its callers may read it.")],
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> int:
    """Turn an organisation's callers away; its data stays."""
    return _change(SUSPEND, "tenantSuspend", {"id": id, "reason": reason}, id, (as_json, as_csv), url, api_key)


@app.command("resume")
def resume_command(
    id: Id, as_json: AsJson = False, as_csv: AsCsv = False, url: Url = None, api_key: ApiKey = None
) -> int:
    """Let a suspended organisation work again."""
    return _change(RESUME, "tenantResume", {"id": id}, id, (as_json, as_csv), url, api_key)


@app.command("plan")
def plan_command(
    id: Id,
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="The plan, such as pro.")],
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> int:
    """Give an organisation another plan."""
    return _change(PLAN, "tenantPlanSet", {"id": id, "plan": plan}, id, (as_json, as_csv), url, api_key)


@app.command("apply")
def apply_command(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="YAML or JSON: a list of external_id, name, plan, owner_email, status."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> int:
    """Make organisations as a file says: all of it or nothing. Those that are not in it are left alone."""

    def job() -> Coroutine[Any, Any, int]:
        from gateway.cli import applying
        from gateway.cli.link import Where
        from gateway.cli.output import form_of

        form = form_of(as_json=as_json, as_csv=as_csv)
        return applying.run(Where(url=url, api_key=api_key), file, dry_run=dry_run, form=form)

    return perform_async(job)


def _change(
    document: str,
    field: str,
    given: Mapping[str, Any],
    about: str,
    forms: tuple[bool, bool],
    url: str | None,
    api_key: str | None,
) -> int:
    async def job() -> int:
        from gateway.cli.link import Where
        from gateway.cli.office import changed, operate
        from gateway.cli.output import form_of

        form = form_of(as_json=forms[0], as_csv=forms[1])
        async with operate(Where(url=url, api_key=api_key)) as link:
            answer = await link.ask(document, {"input": dict(given)})
            tenant = changed(answer, field, about)["tenant"]
        _write(form, {field: {"tenant": tenant}}, [tenant])
        return Code.ALL

    return perform_async(job)


def _status(text: str | None) -> str | None:
    if text is None:
        return None
    from gateway.cli.outcome import usage

    known = ("ACTIVE", "SUSPENDED", "DELETING")
    if text.upper() not in known:
        raise usage(f"--status: {text!r} is not known: write one of {', '.join(known).lower()}")
    return text.upper()


def _write(form: Any, data: Any, nodes: Sequence[Mapping[str, Any]]) -> None:
    from gateway.cli.output import Column, Table, write

    columns = [Column(name, title, text=name == "statusReason") for name, title in zip(NAMES, TITLES, strict=True)]
    write(form, data, Table(columns, [tuple(node[name] for name in NAMES) for node in nodes]))
