"""`marketgate provider check`: the contract suite over one adapter, or over a folder of them."""

from __future__ import annotations

import asyncio
from importlib.metadata import entry_points
from pathlib import Path

from gateway.cli.outcome import Code, Stop, usage
from gateway.cli.output import Column, Form, Table, write
from gateway.core.check.provider import Verdict, check_provider, providers_at
from providers import GROUP, discover
from providers.contract import Provider

COLUMNS = (
    Column("provider", "provider"), Column("cases", "cases"), Column("result", "result"),
    Column("finding", "finding", text=True),
)  # fmt: skip


def run(path: Path, form: Form) -> Code:
    """Judge, write every finding; a provider without one may be merged."""
    try:
        found = providers_at(path) if path.exists() else [_named(str(path))]
    except RuntimeError as error:
        raise Stop(str(error)) from None
    verdicts = [asyncio.run(check_provider(cls)) for cls in found]
    data = [{"provider": v.provider, "cases": v.cases, "findings": list(v.findings)} for v in verdicts]
    write(form, {"verdicts": data}, Table(COLUMNS, [row for verdict in verdicts for row in _rows(verdict)]))
    passed = sum(not verdict.findings for verdict in verdicts)
    if passed == len(verdicts):
        return Code.ALL
    return Code.PARTIAL if passed else Code.NOTHING


def _named(name: str) -> type[Provider]:
    """A provider by its id: one of ours, or one of another package by its entry point."""
    installed = name in {point.name for point in entry_points(group=GROUP)}
    discovered = discover((name,), third_party=installed)
    if (cls := discovered.classes.get(name)) is not None:
        return cls
    if installed:
        raise RuntimeError(f"{name} does not load: {discovered.failed.get(name, 'its id is another one')}")
    told = "name a module such as providers/crypto/kraken.py, or a provider's id"
    raise usage(f"{name} is neither a path nor a provider: {told}")


def _rows(verdict: Verdict) -> list[tuple[object, ...]]:
    result = "fails" if verdict.findings else "passes"
    return [(verdict.provider, verdict.cases, result, finding) for finding in verdict.findings or (None,)]
