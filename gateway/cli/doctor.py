"""`marketgate doctor`: what works here, what does not, and what to do about it."""

from __future__ import annotations

import asyncio
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from gateway import __version__
from gateway.cli.link import Link
from gateway.cli.local import LocalLink
from gateway.cli.outcome import Code, Stop
from gateway.cli.output import Column, Form, Table, write
from gateway.core.settings import Settings, SettingsError, load_settings

PACKAGES = ("strawberry-graphql", "graphql-core", "starlette", "uvicorn", "aiohttp", "httpx", "msgspec", "pydantic")
COLUMNS = (Column("check", "check"), Column("result", "result"), Column("detail", "detail", text=True))
PROVIDERS = """
query Doctor { providers { id status statusReason credentials { setting required source } capabilities { name } } }
"""
PROBE = """
query Probe($provider: [String!]!) {
  quotes(symbols: ["crypto:BTC/USD", "crypto:BTC/USDT", "crypto:BTC/EUR", "equity:AAPL", "fx:EUR/USD", "fx:USD/EUR",
                   "fx:GBP/USD", "fx:USD/CAD", "fx:USD/PLN"],
         route: {providers: $provider, maxAgeMs: 2147483647, timeoutMs: 10000}) {
    nodes { price }
    failures { attempts { provider code message } }
  }
}
"""
UNASKED = ("FAILED_TO_LOAD", "KEY_MISSING", "DISABLED")
UNREACHED = frozenset({
    "UPSTREAM_UNAVAILABLE", "UPSTREAM_MALFORMED", "UPSTREAM_THROTTLED", "UPSTREAM_QUOTA", "PROVIDER_MISCONFIGURED",
    "DEADLINE_EXCEEDED",
})  # fmt: skip


class Result(Enum):
    """How a check came out; only WARN and FAIL count in the exit code."""

    OK = "ok"
    NOTE = "note"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    name: str
    result: Result
    detail: str


def run(*, form: Form, online: bool) -> Code:
    """Check everything, report, sum it up in the exit code."""
    try:
        loaded = load_settings()
    except SettingsError as error:
        report(form, [*_machine(), Check("settings", Result.FAIL, str(error))])
        return Code.USAGE
    settings = loaded.settings
    checks = [*_machine(), *_settings(settings, loaded.warnings), _port(settings)]
    checks += asyncio.run(_foundations(settings))
    checks += asyncio.run(_gateway(settings, online))
    report(form, checks)
    results = {check.result for check in checks}
    if Result.FAIL in results:
        return Code.NOTHING
    return Code.PARTIAL if Result.WARN in results else Code.ALL


def report(form: Form, checks: list[Check]) -> None:
    """Write the checks."""
    rows = [(check.name, check.result.value, check.detail) for check in checks]
    data = [{"check": name, "result": result, "detail": detail} for name, result, detail in rows]
    write(form, {"checks": data}, Table(COLUMNS, rows))


def _machine() -> Iterator[Check]:
    yield Check("marketgate", Result.OK, __version__)
    fits = sys.version_info >= (3, 11)
    told = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    yield Check("python", Result.OK if fits else Result.FAIL, told if fits else f"{told}; 3.11 or newer is needed")
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    yield (
        Check("packages", Result.FAIL, f"missing: {', '.join(missing)}; run make setup")
        if missing
        else Check("packages", Result.OK, ", ".join(found))
    )


def _settings(settings: Settings, warnings: tuple[str, ...]) -> Iterator[Check]:
    yield Check("settings", Result.OK, f"environment {settings.env}")
    for warning in warnings:
        yield Check("settings", Result.WARN, warning)
    if settings.mode == "recorded":
        known = "SIMULATED and RECORDED data; MARKETGATE_UPSTREAMS=live asks the real providers"
        level = Result.NOTE if settings.development else Result.WARN
        yield Check("mode", level, f"offline market: {known}")
    else:
        through = f", all requests through {settings.upstream_base}" if settings.upstream_base else ""
        yield Check("mode", Result.OK, f"live{through}")


def _port(settings: Settings) -> Check:
    from gateway.cli.serve import bind

    place = f"{settings.host} port {settings.port or 'chosen by the system'}"
    try:
        bind(settings.host, settings.port).close()
    except Stop as stop:
        return Check("port", Result.FAIL, f"{stop.message}; the settings are MARKETGATE_HOST and MARKETGATE_PORT")
    return Check("port", Result.OK, f"{place} is free")


async def _foundations(settings: Settings) -> list[Check]:
    from gateway.cli import foundations
    from gateway.domains import load_plugins

    plugins = load_plugins()
    found = [await foundations.database(settings, plugins), await foundations.redis(settings)]
    return [foundations.secrets(settings), *found]


async def _gateway(settings: Settings, online: bool) -> list[Check]:
    try:
        link = LocalLink.open(tell=False)
    except Exception as error:  # noqa: BLE001 - whatever keeps a gateway from being built is the finding
        return [Check("gateway", Result.FAIL, f"does not start: {type(error).__name__}: {error}")]
    try:
        providers = (await link.ask(PROVIDERS)).root("providers", "providers")
        checks = list(_registry(providers))
        if settings.mode == "recorded":
            checks.append(_recordings(providers))
        elif online:
            checks += await _reached(link, providers)
        else:
            checks.append(Check("upstreams", Result.NOTE, "not asked; --online asks each of them one question"))
        return checks
    finally:
        await link.close()


def _registry(providers: list[Any]) -> Iterator[Check]:
    loaded = [provider for provider in providers if provider["status"] != "FAILED_TO_LOAD"]
    for provider in providers:
        if provider["status"] == "FAILED_TO_LOAD":
            yield Check(f"provider {provider['id']}", Result.WARN, f"did not load: {provider['statusReason']}")
    yield Check(
        "providers", Result.OK if loaded else Result.FAIL, f"{len(loaded)}: {', '.join(p['id'] for p in loaded)}"
    )
    for provider in loaded:
        absent = [key for key in provider["credentials"] if key["source"] == "NONE"]
        if absent:
            needed = any(key["required"] for key in absent)
            use = "is needed to ask it live" if needed else "is optional: it raises what the provider allows"
            yield Check(f"provider {provider['id']}", Result.NOTE, f"{absent[0]['setting']} is not set; it {use}")


def _recordings(providers: list[Any]) -> Check:
    from providers.recording import FOLDER, recording_files

    with_some = [p["id"] for p in providers if recording_files(FOLDER / p["id"])]
    if not with_some:
        return Check("recordings", Result.FAIL, "none found: this installation is incomplete")
    return Check("recordings", Result.OK, f"of {len(with_some)} providers: {', '.join(with_some)}")


async def _reached(link: Link, providers: list[Any]) -> list[Check]:
    asked = [
        p["id"] for p in providers if p["status"] not in ("FAILED_TO_LOAD", "KEY_MISSING") and p["id"] != "sandbox"
    ]
    found = await asyncio.gather(*(_probe(link, name) for name in asked))
    results = {check.result for check in found}
    if Result.WARN in results and Result.OK not in results:
        told = "none can be reached: check the network, or set MARKETGATE_UPSTREAMS=recorded"
        return [*found, Check("upstreams", Result.FAIL, told)]
    return list(found)


async def _probe(link: Link, provider: str) -> Check:
    """A real question through every guard, so that key, proxy and format are tried as well."""
    answer = await link.ask(PROBE, {"provider": [provider]})
    batch = answer.data.get("quotes")
    name = f"upstream {provider}"
    if batch is None:
        return Check(name, Result.WARN, answer.problems[0].message if answer.problems else "answers nothing")
    if any(batch["nodes"]):
        return Check(name, Result.OK, "answers")
    attempts = [attempt for failure in batch["failures"] for attempt in failure["attempts"]]
    faults = [f"{attempt['message']} ({attempt['code']})" for attempt in attempts if attempt["code"] in UNREACHED]
    if faults:
        return Check(name, Result.WARN, faults[0])
    return Check(name, Result.NOTE, "has no quote to try it with")
