"""The committed shapes of all events: `python -m tests.contract.eventshapes` adds what is new and takes nothing away.

Versions only grow: a field that goes or changes its type is a new type of event under a new name.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gateway.domains import catalog_of
from gateway.edge.eventprinting import SchemaPrinter
from gateway.edge.graphqlcore import core_schema
from tests.house import own_plugins, own_schema

FILE = Path(__file__).parent / "events.json"

Shape = dict[str, Any]
"""`version`, `market`, `graphqlType`, and `fields`: by path, the JSON types that a value may have."""


def kept() -> dict[str, Shape]:
    """As committed."""
    found: dict[str, Shape] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return found


def current() -> dict[str, Shape]:
    """As the code says."""
    printer = SchemaPrinter(core_schema(own_schema()), _nobody)
    return {
        name: {
            "version": kind.version, "market": kind.market, "graphqlType": kind.__name__,
            "fields": dict(sorted(fields_of(printer.json_schema(kind)))),
        }
        for name, kind in sorted(catalog_of(own_plugins()).items())
    }  # fmt: skip


def _nobody() -> Any:
    raise RuntimeError("shapes are not printed")


def fields_of(schema: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Every value below, `[]` for those of a list."""
    for name, value in schema["properties"].items():
        yield from _field(value, above + name)


def _field(value: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    kinds = value.get("type", "any")
    told = " | ".join(kinds) if isinstance(kinds, list) else str(kinds)
    # A new word of an enumeration is no new form; receivers are told to ignore what they do not know.
    detail = "decimal" if "pattern" in value else value.get("format", "enum" if "enum" in value else "")
    yield path, f"{told} ({detail})" if detail else told
    if "properties" in value:
        yield from fields_of(value, f"{path}.")
    if "items" in value:
        yield from _field(value["items"], f"{path}[]")


def breaches(before: Mapping[str, Shape], now: Mapping[str, Shape]) -> list[str]:
    """What receivers may rely on and would not find any more."""
    found = []
    for name, old in before.items():
        new = now.get(name)
        if new is None:
            found.append(f"{name} is gone")
            continue
        if new["version"] < old["version"]:
            found.append(f"{name}: version {old['version']} became {new['version']}")
        found += [
            f"{name}: {what} {old[what]!r} became {new[what]!r}"
            for what in ("market", "graphqlType")
            if old[what] != new[what]
        ]
        for path, kind in old["fields"].items():
            if path not in new["fields"]:
                found.append(f"{name}: {path} is gone")
            elif new["fields"][path] != kind:
                found.append(f"{name}: {path} was {kind}, is {new['fields'][path]}")
    return found


def main() -> int:
    """The exit code."""
    now = current()
    broken = breaches(kept(), now)
    for each in broken:
        print(f"{each}: make it a new type of event", file=sys.stderr)  # noqa: T201
    if not broken:
        FILE.write_text(json.dumps(now, indent=1) + "\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
