"""Writes the files that follow from the code: `python -m gateway.generate`; with `--check` only compares them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, Literal, get_args, get_origin

import strawberry
from graphql import GraphQLObjectType
from pydantic.fields import FieldInfo

import gateway.core
import gateway.edge
from gateway import clients
from gateway.clipage import cli_page
from gateway.core.grades import grade_of
from gateway.core.identity import (
    ANONYMOUS_SCOPES,
    MEANINGS,
    OPERATOR_SCOPES,
    ROLE_SCOPES,
    TENANT_SCOPES,
    OperatorRole,
    Role,
    Scope,
)
from gateway.core.metrics import DECLARED
from gateway.core.settings import KEY, PREFIX, TIER, Settings
from gateway.core.telemetrysettings import TelemetrySettings
from gateway.domains import build_schema, load_plugins
from gateway.edge.cost import PriceList
from gateway.edge.graphqlcore import core_schema
from gateway.errorpages import error_pages
from gateway.eventpage import events_page
from gateway.readme import with_providers
from gateway.reference import sections, table
from gateway.schemapages import schema_pages
from providers import discover
from providers.contract import Profile, Provider
from schema.provenance import DataMode

ROOT = Path(__file__).parents[1]
MARK = "Written by `make gen` from the code; edit there."
KINDS: dict[Any, str] = {bool: "true or false", int: "whole number", float: "number", str: "text", Path: "path"}
WINDOWS = {1: "a second", 60: "a minute", 3600: "an hour", 86_400: "a day"}
ROOTS = {"Query": "Queries", "Mutation": "Mutations", "Subscription": "Subscriptions"}
ANY_SCOPE = "none"
CAPABILITIES = (
    "What providers may declare to answer, for those who write adapters: [how that is done](adapters.md). Amounts are "
    "`Decimal`, times are UTC, `instrument` is an id such as `crypto:BTC/USD`. `as_of` is the provider's own time "
    "stamp, None where it sends none; what has no default must be filled, all else is None where it is unknown."
)
SEAL = "gateway/edge/static/fingerprint.json"


def main(arguments: Sequence[str]) -> int:
    """Write all files, or with `--check` name those that differ; the exit code."""
    if list(arguments) not in ([], ["--check"]):
        print("usage: python -m gateway.generate [--check]", file=sys.stderr)
        return 2
    if not arguments:
        for name in write(ROOT):
            print(f"{'written' if (ROOT / name).is_file() else 'removed'} {name}")
        return 0
    found = differences(ROOT)
    for name in found:
        print(f"{name} is out of date: run make gen", file=sys.stderr)
    return 1 if found else 0


def write(root: Path) -> list[str]:
    """Write what differs, remove pages of what is gone; the names of the files."""
    found = documents(root)
    changed = strays(root, found)
    for name in changed:
        (root / name).unlink()
    for name, text in found.items():
        path = root / name
        if _text(path) != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(name)
    return changed


def differences(root: Path) -> list[str]:
    """Generated files that are not what the code says, and the seals of the page and of the clients that are broken."""
    found = documents(root)
    stale = [name for name, text in found.items() if _text(root / name) != text]
    return [*stale, *strays(root, found), *([] if sealed(root) else [SEAL]), *clients.stale(root)]


def strays(root: Path, found: Mapping[str, str]) -> list[str]:
    """Pages with the mark of generated ones which no code writes any more."""
    pages = {path.relative_to(root).as_posix(): path for path in (root / "docs").rglob("*.md")}
    return sorted(name for name in pages.keys() - found.keys() if f"<!-- {MARK} -->" in (_text(pages[name]) or ""))


def documents(root: Path = ROOT) -> dict[str, str]:
    """Every generated text by its path. What is installed besides this repository has no part in it.

    Of the README only the table is generated: the rest stays as it is in *root*.
    """
    classes = discover(third_party=False).classes.values()
    providers = sorted(classes, key=lambda cls: (cls.profile.priority, cls.profile.id))
    plugins = load_plugins(third_party=False)
    schema = build_schema(plugins)
    return {
        "schema/schema.graphql": schema.as_str().rstrip() + "\n",
        "README.md": with_providers(_text(root / "README.md") or "", providers),
        "docs/providers.md": providers_page(providers),
        "docs/capabilities.md": _page("Capabilities", CAPABILITIES, *sections()),
        "docs/settings.md": settings_page(providers),
        **error_pages(_page),
        "docs/cli.md": cli_page(_page),
        **schema_pages(_page, core_schema(schema), plugins),
        "docs/events.md": events_page(_page, schema),
        "docs/permissions.md": permissions_page(schema),
        "docs/metrics.md": metrics_page(),
        "deploy/env.example": env_example(providers),
        clients.CODES: clients.codes_module(MARK),
    }


def sealed(root: Path) -> bool:
    """Whether the built pages belong to their sources: the digests that the page's own build writes."""
    page, static = root / "gateway/edge/page", root / "gateway/edge/static"
    seal = {"algorithm": "sha256", "sources": fingerprint(page), "built": fingerprint(static)}
    return _text(root / SEAL) == json.dumps(seal, indent=2) + "\n"


def fingerprint(folder: Path) -> str:
    """The digest of all files of a folder that are neither packages nor its seal."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    names = (path.as_posix() for path in files if "node_modules" not in path.parts)
    return clients.listing_digest(folder, (name for name in names if name != "fingerprint.json"))


def providers_page(providers: Sequence[type[Provider]]) -> str:
    """Who is there and what each offers."""
    head = ("id", "name", "grade", "classes", "capabilities", "key", "feed", "documentation")
    licences = ("id", "terms", "attribution")
    return _page(
        "Providers",
        "In the order of routing: the first that covers an ask is asked first. `providers { id status }` and "
        "`marketgate providers` say what each one is like right now.",
        table(head, (_provider_row(cls) for cls in providers)),
        "## By capability",
        "`marketgate providers --matrix` says the same of a running gateway.",
        table(("capability", "providers"), _capability_rows(providers)),
        "## Candles",
        table(("id", "intervals", "rows a call"), _candle_rows(providers)),
        "## Upstream limits",
        table(("id", "limits"), ((f"`{c.profile.id}`", _limits(c.profile)) for c in providers if c.profile.limits)),
        "## Licences",
        "A summary, not advice: read the provider's own terms before you show or pass on its data.",
        table(licences, ((f"`{p.id}`", p.licence.note, p.licence.attribution or "") for p in _profiles(providers))),
    )


def _provider_row(cls: type[Provider]) -> tuple[str, ...]:
    profile = cls.profile
    offers = [
        f"{name} (batches of {o.max_batch})" if (o.max_batch or 0) > 1 else name for name, o in cls.offers.items()
    ]
    needed = {part.required for part in profile.credentials}
    key = f"`{KEY}{profile.id.upper()}`{'' if True in needed else ', optional'}" if needed else "none"
    delay = (
        f"{profile.delay.lower().replace('_', ' ')}{f', {profile.delay_seconds} s' if profile.delay_seconds else ''}"
    )
    simulated = profile.mode is not DataMode.LIVE
    return (
        f"`{profile.id}`", profile.name, grade_of(cls).lower(), ", ".join(profile.asset_classes) or "none",
        ", ".join(offers), key, "simulated" if simulated else delay, "" if simulated else f"<{profile.docs}>",
    )  # fmt: skip


def _capability_rows(providers: Sequence[type[Provider]]) -> Iterator[tuple[str, ...]]:
    for name in sorted({name for cls in providers for name in cls.offers}):
        yield f"`{name}`", ", ".join(f"`{cls.profile.id}`" for cls in providers if name in cls.offers)


def _candle_rows(providers: Iterable[type[Provider]]) -> Iterator[tuple[str, ...]]:
    for cls in providers:
        offer = cls.offers.get("candles")
        if offer is not None:
            yield f"`{cls.profile.id}`", " ".join(offer.intervals), str(offer.max_rows or "any")


def _limits(profile: Profile) -> str:
    told = []
    for limit in profile.limits:
        seconds = int(limit.per.total_seconds())
        told.append(f"{limit.count:,} {limit.unit} {WINDOWS.get(seconds, f'in {seconds} s')}")
    return "; ".join(told)


def settings_page(providers: Sequence[type[Provider]]) -> str:
    """Every setting, with its default."""
    plain = ((f"`{name}`", _kind(field), _default(field), field.description or "") for name, field in _fields())
    return _page(
        "Settings",
        "Read from the environment over a `.env` file in the working directory; an empty value counts as not set. "
        "Every name may end in `_FILE`: then the value is read from that file, which must not be empty. A wrong value "
        "stops the start and names itself.",
        table(("setting", "value", "default", "meaning"), plain),
        "## Providers",
        f"`{KEY}<PROVIDER ID>` holds a provider's credential: one value, or `name=value` pairs separated by commas.",
        table(("setting", "provider", "parts", "needed", "sign up"), _credential_rows(providers)),
        f"`{TIER}<PROVIDER ID>` chooses one of the plans that a provider has.",
        table(("setting", "plans"), _tier_rows(providers)),
        "## Command line",
        f"`{PREFIX}API_KEY` is the key for the gateway that `marketgate --url` names; `{PREFIX}WEBHOOK_SECRET` is what "
        "`marketgate webhooks` signs with.",
    )


def _credential_rows(providers: Iterable[type[Provider]]) -> Iterator[tuple[str, ...]]:
    for profile in _profiles(providers):
        if profile.credentials:
            parts = ", ".join(f"`{part.name}`" for part in profile.credentials)
            needed = "yes" if any(part.required for part in profile.credentials) else "no"
            links = dict.fromkeys(f"<{part.sign_up}>" for part in profile.credentials if part.sign_up)
            yield f"`{KEY}{profile.id.upper()}`", profile.name, parts, needed, " ".join(links)


def _tier_rows(providers: Iterable[type[Provider]]) -> Iterator[tuple[str, ...]]:
    for profile in _profiles(providers):
        if profile.tiers:
            plans = dict.fromkeys(["free", *profile.tiers])
            yield f"`{TIER}{profile.id.upper()}`", ", ".join(f"`{plan}`" for plan in plans)


def env_example(providers: Sequence[type[Provider]]) -> str:
    """A `.env` in which every setting stands as a comment with its default."""
    lines = [
        "# Copy to .env and uncomment what you change. Written by `make gen` from the code; docs/settings.md says more."
    ]
    for name, field in _fields():
        shown = _written(field.default)
        lines += ["", f"# {field.description} ({_kind(field).replace('`', '')})", f"#{name}={shown}"]
    lines += ["", "# Keys of providers: one value, or name=value pairs separated by commas. Never commit a real one."]
    for profile in _profiles(providers):
        if profile.credentials:
            needed = "needed" if any(part.required for part in profile.credentials) else "optional"
            link = next((f": {part.sign_up}" for part in profile.credentials if part.sign_up), "")
            lines += [f"# {profile.name}, {needed}{link}", f"#{KEY}{profile.id.upper()}="]
    return "\n".join(lines) + "\n"


def permissions_page(schema: strawberry.Schema) -> str:
    """Who may do what, and what each field asks for."""
    prices = PriceList(core_schema(schema))
    kinds = [kind for _, kind in sorted(core_schema(schema).type_map.items()) if isinstance(kind, GraphQLObjectType)]
    parts: list[str] = []
    for root, title in ROOTS.items():
        found = [row for kind in kinds if kind.name == root for row in _needs(prices, kind)]
        parts += [f"## {title}", table(("field", "scope", "caller"), found)] if found else []
    nested = [row for kind in kinds if kind.name not in ROOTS for row in _needs(prices, kind) if row[1] != ANY_SCOPE]
    roles = (role.value for role in Role)
    operators = (role.value for role in OperatorRole)
    return _page(
        "Permissions",
        "What a caller may do is a set of scopes. A member's follow from the role in the organisation that the session "
        "acts in; an API key carries those that it was given, of those that its maker had; an access token carries no "
        "more than what minted it. A refusal names the missing scope.",
        "## Roles",
        table(("scope", "allows", *roles), _granted(ROLE_SCOPES, TENANT_SCOPES)),
        "Nobody gives a role above their own, or changes a member who has one; an organisation always has an owner.",
        "## Operators",
        "An operator's key stands outside every organisation.",
        table(("scope", "allows", *operators), _granted(OPERATOR_SCOPES, frozenset().union(*OPERATOR_SCOPES.values()))),
        "## Callers without a credential",
        f"Where the setting `{PREFIX}ANONYMOUS` lets them in: {_scopes(ANONYMOUS_SCOPES)}.",
        *parts,
        "## Fields further down",
        "They need a scope of their own, besides the root field's.",
        table(("field", "scope", "caller"), nested),
    )


def metrics_page() -> str:
    """What `/metrics` shows: all that the modules of the house name."""
    load_plugins(third_party=False)
    for package in (gateway.core, gateway.edge):
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in found.name:
                import_module(found.name)
    return _page(
        "Metrics",
        f"`GET /metrics` is Prometheus's text. It answers callers from `{PREFIX}METRICS_NETWORKS` (by default the "
        "machine itself), and an operator's key from wherever such keys are accepted; to others it is not there. What "
        f"came through a proxy counts as from outside unless `{PREFIX}TRUSTED_PROXIES` names the proxy. Each process "
        "shows its own: scrape all of them.",
        "Labels are providers, capabilities and the like; no symbol, tenant or caller is ever one of them.",
        table(
            ("metric", "kind", "labels", "meaning"),
            (
                (f"`{each.name}`", each.kind, ", ".join(f"`{label}`" for label in each.labels), each.meaning)
                for _, each in sorted(DECLARED.items())
            ),
        ),
        "Besides these there is what the process itself uses (`process_…`, on Linux) and what Python says of itself "
        "(`python_info`, `python_gc_…`).",
    )


def _granted(table: Mapping[Any, frozenset[Scope]], among: frozenset[Scope]) -> Iterator[tuple[str, ...]]:
    for scope in Scope:
        if scope in among:
            yield f"`{scope}`", MEANINGS[scope], *("yes" if scope in granted else "" for granted in table.values())


def _needs(prices: PriceList, kind: GraphQLObjectType) -> Iterator[tuple[str, str, str]]:
    """What each field of a type asks of its caller."""
    for name in kind.fields:
        facts = prices.facts_of(kind.name, name)
        shown = name if kind.name in ROOTS else f"{kind.name}.{name}"
        caller = "a signed-in person" if facts.person else "any with the scope" if facts.scopes else "any"
        yield f"`{shown}`", _scopes(facts.scopes) or ANY_SCOPE, caller


def _scopes(scopes: Iterable[Scope]) -> str:
    return ", ".join(f"`{scope}`" for scope in Scope if scope in scopes)


def _fields() -> Iterator[tuple[str, FieldInfo]]:
    """Settings with a name of their own; those of telemetry, which are a class of their own, at the end."""
    fields = Settings.model_fields
    for name in sorted(fields, key=TelemetrySettings.model_fields.__contains__):
        if name not in ("keys", "tiers"):
            yield PREFIX + name.upper(), fields[name]


def _kind(field: FieldInfo) -> str:
    """What a value may be."""
    annotation = field.annotation
    for kind in (annotation, *get_args(annotation)):
        if get_origin(kind) is Literal:
            return " or ".join(f"`{choice}`" for choice in get_args(kind))
        if get_origin(kind) is tuple:
            return "list, separated by commas"
    least, most = (_bound(field, *names) for names in (("ge", "gt"), ("le", "lt")))
    bounds = f", {least} to {most}" if least and most else f", at least {least}" if least else ""
    kinds = [KINDS[kind] for kind in (annotation, *get_args(annotation)) if kind in KINDS]
    return (kinds or ["text"])[0] + bounds


def _bound(field: FieldInfo, *names: str) -> str:
    """The bound that the field has under one of the names."""
    return next((f"{value:,}" for m in field.metadata for n in names if (value := getattr(m, n, None)) is not None), "")


def _default(field: FieldInfo) -> str:
    shown = _written(field.default)
    return f"`{shown}`" if shown else ""


def _written(default: object) -> str:
    """As the environment has it."""
    return ",".join(map(str, default)) if isinstance(default, tuple) else "" if default is None else str(default)


def _profiles(providers: Iterable[type[Provider]]) -> list[Profile]:
    return [cls.profile for cls in providers]


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", f"<!-- {MARK} -->", *(part for part in parts if part)]) + "\n"


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
