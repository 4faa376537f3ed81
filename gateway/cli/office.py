"""The way to a gateway for operators: over HTTP with an operator's key, or straight to the settings' database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from gateway.cli.link import Answer, Link, Where, connect
from gateway.cli.outcome import Code, Stop, say

ACTOR = "command line"
"""Who did it, in the audit trail."""
MISSING = "NOT_FOUND"


@asynccontextmanager
async def operate(where: Where) -> AsyncIterator[Link]:
    """A link whose caller is an operator; Stop where there is none, or no database that fits."""
    if where.url is not None:
        if not where.api_key:
            raise Stop("--url needs an operator's key: give it with --api-key or MARKETGATE_API_KEY", Code.USAGE)
        async with connect(where) as link:
            yield link
        return
    from gateway.cli.database import prepare
    from gateway.cli.local import LocalLink
    from gateway.core.identity import OPERATOR_SCOPES, CallerKind, OperatorRole, Principal
    from gateway.core.settings import SettingsError

    caller = Principal(
        tenant="", kind=CallerKind.OPERATOR, scopes=OPERATOR_SCOPES[OperatorRole.OPERATOR], key=ACTOR
    )  # fmt: skip
    local = LocalLink.open(caller=caller)
    try:
        local.host.settings.root_secrets()
        await prepare(local.host.settings, local.host.plugins)
        await local.host.bus.start()
        yield local
    except SettingsError as error:
        raise Stop(str(error), Code.USAGE) from None
    finally:
        await local.close()


def changed(answer: Answer, field: str, about: str) -> Mapping[str, Any]:
    """A mutation's payload; Stop with its first refusal, the others are said."""
    payload: Mapping[str, Any] = answer.root(field, about)
    errors = payload["userErrors"]
    for error in errors[1:]:
        say(refusal(about, error))
    if errors:
        code = Code.NOTHING if errors[0]["code"] == MISSING else Code.USAGE
        raise Stop(refusal(about, errors[0]), code)
    return payload


def refusal(about: str, error: Mapping[str, Any]) -> str:
    """One line."""
    return f"{about}: {error['message']}" if about else str(error["message"])


async def all_pages(link: Link, query: str, field: str, variables: Mapping[str, Any]) -> list[Any]:
    """The nodes of a connection, page after page."""
    nodes: list[Any] = []
    after = None
    while True:
        page = (await link.ask(query, {**variables, "after": after})).root(field, field)
        nodes += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return nodes
        after = page["pageInfo"]["endCursor"]
