"""`marketgate operators`: the keys of those who stand outside every tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from gateway.cli.ending import perform_async
from gateway.cli.options import ApiKey, AsCsv, AsJson, Url
from gateway.cli.outcome import Code

FIELDS = "id name prefix role networks createdAt expiresAt lastUsedAt revokedAt"
LIST = f"""
query OperatorKeys($after: Cursor) {{
  operatorKeys(first: 100, after: $after) {{ nodes {{ {FIELDS} }} pageInfo {{ hasNextPage endCursor }} }}
}}
"""
CREATE = f"""
mutation Create($input: OperatorKeyCreateInput!) {{
  operatorKeyCreate(input: $input) {{ secret operatorKey {{ {FIELDS} }} userErrors {{ code message }} }}
}}
"""
REVOKE = f"""
mutation Revoke($input: OperatorKeyRevokeInput!) {{
  operatorKeyRevoke(input: $input) {{ operatorKey {{ {FIELDS} }} userErrors {{ code message }} }}
}}
"""
NAMES = tuple(FIELDS.split())
ROLES = ("operator", "auditor")

app = typer.Typer(help="Keys of operators.", no_args_is_help=True, rich_markup_mode=None)


@app.command("create")
def create_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is for.")],
    role: Annotated[str, typer.Option(help="operator changes and reads, auditor only reads.")] = "operator",
    network: Annotated[
        list[str] | None, typer.Option(metavar="CIDR", help="Accept it from here only; may be given again.")
    ] = None,
    expires: Annotated[str | None, typer.Option(metavar="WHEN", help="Until when it works.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> int:
    """Make a key and print it: it is shown this once."""

    async def job() -> int:
        from gateway.cli.link import Where
        from gateway.cli.office import changed, operate
        from gateway.cli.outcome import say, usage
        from gateway.cli.output import write_json
        from gateway.cli.reading import read_instant
        from schema.scalars import datetime_text

        if role.lower() not in ROLES:
            raise usage(f"--role: {role!r} is not known: write {' or '.join(ROLES)}")
        until = read_instant("--expires", expires)
        given = {
            "name": name, "role": role.upper(), "networks": network or [],
            "expiresAt": None if until is None else datetime_text(until),
        }  # fmt: skip
        async with operate(Where(url=url, api_key=api_key)) as link:
            made = changed(await link.ask(CREATE, {"input": given}), "operatorKeyCreate", name)
        if as_json:
            write_json({"operatorKeyCreate": {"secret": made["secret"], "operatorKey": made["operatorKey"]}})
        else:
            print(made["secret"])
        say(f"{made['operatorKey']['id']} is shown this once: keep it where secrets are kept")
        return Code.ALL

    return perform_async(job)


@app.command("list")
def list_command(
    as_json: AsJson = False, as_csv: AsCsv = False, url: Url = None, api_key: ApiKey = None
) -> int:  # fmt: skip
    """List the keys, also those that were revoked."""

    async def job() -> int:
        from gateway.cli.link import Where
        from gateway.cli.office import all_pages, operate
        from gateway.cli.output import form_of

        form = form_of(as_json=as_json, as_csv=as_csv)
        async with operate(Where(url=url, api_key=api_key)) as link:
            nodes = await all_pages(link, LIST, "operatorKeys", {})
        _write(form, {"operatorKeys": {"nodes": nodes}}, nodes)
        return Code.ALL

    return perform_async(job)


@app.command("revoke")
def revoke_command(
    id: Annotated[str, typer.Argument(metavar="ID", help="The key's id.")],
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> int:
    """End a key: at once where the gateway is asked, within seconds elsewhere."""

    async def job() -> int:
        from gateway.cli.link import Where
        from gateway.cli.office import changed, operate
        from gateway.cli.output import form_of

        form = form_of(as_json=as_json, as_csv=as_csv)
        async with operate(Where(url=url, api_key=api_key)) as link:
            key = changed(await link.ask(REVOKE, {"input": {"id": id}}), "operatorKeyRevoke", id)["operatorKey"]
        _write(form, {"operatorKeyRevoke": {"operatorKey": key}}, [key])
        return Code.ALL

    return perform_async(job)


def _write(form: Any, data: Any, nodes: Sequence[Mapping[str, Any]]) -> None:
    from gateway.cli.output import Column, Table, write

    columns = [Column(name, name) for name in NAMES]
    rows = [tuple(" ".join(each) if isinstance(each := node[name], list) else each for name in NAMES) for node in nodes]
    write(form, data, Table(columns, rows))
