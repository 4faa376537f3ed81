"""The table of providers in README.md, from the code: who there is, by family. Nothing is counted."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from importlib import import_module

from gateway.reference import table
from providers.contract import Provider
from schema.provenance import DataMode

BEGIN = "<!-- providers: written by `make gen` from the code -->"
END = "<!-- providers: end -->"


def with_providers(page: str, providers: Sequence[type[Provider]]) -> str:
    """The page, with what stands between the two marks written anew; at its end where it has no marks."""
    head, _, rest = page.partition(BEGIN)
    tail = rest.partition(END)[2] or "\n"
    return f"{head}{BEGIN}\n{table(('family', 'providers'), families(providers))}\n{END}{tail}"


def families(providers: Iterable[type[Provider]]) -> list[tuple[str, str]]:
    """Each package of providers by its own words, and the names of those in it; what is simulated is no provider."""
    names: dict[str, list[str]] = {}
    for cls in providers:
        if cls.profile.mode is DataMode.LIVE:
            names.setdefault(cls.__module__.rpartition(".")[0], []).append(cls.profile.name)
    return [
        ((inspect.getdoc(import_module(package)) or package).rstrip("."), ", ".join(sorted(found, key=str.casefold)))
        for package, found in sorted(names.items())
    ]
