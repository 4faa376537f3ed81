"""`marketgate providers`: who can be asked, for what, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.cli.link import Where, connect, say_origin
from gateway.cli.outcome import Code, say
from gateway.cli.output import Column, Form, Table, write
from schema.symbols import AssetClass
from schema.words.registry import ProviderStatus

QUERY = """
query Providers($capability: String, $assetClass: AssetClass, $status: ProviderStatus) {
  providers(capability: $capability, assetClass: $assetClass, status: $status) {
    id name assetClasses grade status statusReason routing origin docs
    credentials { name setting required source signUp }
    capabilities { name streaming intervals historyFrom delay maxBatch breaker }
    health { breaker errorRate p50Ms p95Ms lastSuccessAt lastFailure { code message } }
    freshness { capability samples medianLagMs p95LagMs fresh }
    limits { unit limit windowSeconds }
    licence { note attribution cacheable shareable redistributable }
  }
}
"""
COLUMNS = (
    Column("id", "id"), Column("name"), Column("status", "status"), Column("reason", "what to do", text=True),
    Column("grade"), Column("assetClasses"), Column("capabilities", "capabilities", text=True),
    Column("keySetting"), Column("keyRequired"), Column("docs"), Column("freshness"),
)  # fmt: skip


async def run(
    where: Where,
    *,
    form: Form,
    status: ProviderStatus | None,
    capability: str | None,
    asset_class: AssetClass | None = None,
    matrix: bool = False,
) -> Code:
    """Ask, write the registry in order of routing, or who offers what."""
    async with connect(where) as link:
        wanted = {"capability": capability, "assetClass": asset_class, "status": status}
        answer = await link.ask(QUERY, {name: each for name, each in wanted.items() if each is not None})
        found = answer.root("providers", "providers")
        say_origin(link, [])
    write(form, answer.data, _matrix(found) if matrix else Table(COLUMNS, [_row(provider) for provider in found]))
    if not found:
        say("no provider matches")
    return Code.ALL


def _matrix(providers: Sequence[Any]) -> Table:
    """A row for each provider, a column for each capability that one of them offers."""
    offers = [{offer["name"] for offer in provider["capabilities"]} for provider in providers]
    names = sorted(set().union(*offers))
    rows = [
        (provider["id"], *("x" if name in offered else None for name in names))
        for provider, offered in zip(providers, offers, strict=True)
    ]
    return Table((Column("id", "id"), *(Column(name, name) for name in names)), rows)


def _lag(told: Any) -> str:
    """Such as `quotes 120 ms (p95 900 ms, 64 calls)`."""
    return f"{told['capability']} {told['medianLagMs']} ms (p95 {told['p95LagMs']} ms, {told['samples']} calls)"


def _row(provider: Any) -> tuple[object, ...]:
    keys = provider["credentials"]
    return (
        provider["id"], provider["name"], provider["status"], provider["statusReason"], provider["grade"],
        " ".join(provider["assetClasses"]), " ".join(offer["name"] for offer in provider["capabilities"]),
        keys[0]["setting"] if keys else None, any(key["required"] for key in keys) if keys else None, provider["docs"],
        "; ".join(map(_lag, provider["freshness"])) or None,
    )  # fmt: skip
