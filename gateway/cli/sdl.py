"""`marketgate schema`: the schema in GraphQL's own language."""

from __future__ import annotations

import sys
from typing import cast

from graphql import IntrospectionQuery, build_client_schema, get_introspection_query, print_schema

from gateway.cli.link import Where, connect
from gateway.cli.outcome import Code, Stop


async def run(where: Where) -> Code:
    """Of this installation, or of another gateway that allows introspection."""
    sys.stdout.write(await _asked(where) if where.url else _own())
    return Code.ALL


def _own() -> str:
    from gateway.domains import build_schema, load_plugins

    return build_schema(load_plugins()).as_str().rstrip() + "\n"


async def _asked(where: Where) -> str:
    async with connect(where) as link:
        answer = await link.ask(get_introspection_query(input_value_deprecation=True))
    if "__schema" not in answer.data:
        told = answer.problems[0].message if answer.problems else "it answers nothing"
        raise Stop(f"{where.url} does not show its schema ({told}): introspection is for development only")
    return print_schema(build_client_schema(cast("IntrospectionQuery", answer.data))) + "\n"
