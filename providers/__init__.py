"""L1, the outside world: one file per upstream, found without a list.

Every public module below a family folder defines exactly one `Provider` whose id is the file name; modules
that begin with an underscore are shared dialects. Third parties register entry points in the group
`marketgate.providers` that name their Provider class.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

from providers.contract import Provider

GROUP = "marketgate.providers"
_ID = re.compile(r"[a-z][a-z0-9_]{1,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """The registry: classes by id, and what could not be loaded by name with the reason."""

    classes: dict[str, type[Provider]]
    failed: dict[str, str]
    unloaded: frozenset[str] = frozenset()
    """Ids of ours that were not asked for."""


def adapter_modules() -> list[str]:
    """Names of all adapter modules in the family folders, sorted."""
    families = [m.name for m in iter_modules(__path__, "providers.") if m.ispkg]
    found = []
    for family in families:
        package = import_module(family)
        found += [m.name for m in iter_modules(package.__path__, f"{family}.")]
    return sorted(name for name in found if not name.rpartition(".")[2].startswith("_"))


def provider_in(module_name: str) -> type[Provider]:
    """The one Provider that a module defines; RuntimeError where the rule is broken."""
    module = import_module(module_name)
    classes = [
        member
        for member in vars(module).values()
        if isinstance(member, type) and issubclass(member, Provider) and member.__module__ == module_name
    ]
    stem = module_name.rpartition(".")[2]
    if len(classes) != 1 or classes[0].profile.id != stem:
        raise RuntimeError(f"{module_name} must define one Provider whose id is {stem!r}")
    return classes[0]


@contextmanager
def collector_resting() -> Iterator[None]:
    """Imports make what stays: looking through it for garbage, again and again, is a tenth of their time."""
    at_work = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if at_work:
            gc.enable()


def discover(names: Collection[str] = (), *, third_party: bool = True) -> Discovered:
    """All adapters of this repository (of *names* alone where there are some) and of installed packages.

    One of ours that does not load is a defect and raises; a third party's is reported and left out.
    """
    ours = {module.rpartition(".")[2]: module for module in adapter_modules()}
    chosen = [module for name, module in ours.items() if not names or name in names]
    with collector_resting():
        classes = {cls.profile.id: cls for cls in map(provider_in, chosen)}
    failed: dict[str, str] = {}
    for point in entry_points(group=GROUP) if third_party else ():
        try:
            cls = point.load()
            if not (isinstance(cls, type) and issubclass(cls, Provider)):
                raise TypeError(f"{point.value} is not a Provider class")
            if not _ID.fullmatch(cls.profile.id):
                raise ValueError(f"the id {cls.profile.id!r} is not 2 to 40 of a-z, 0-9 and _")
            if cls.profile.id in ours or cls.profile.id in classes:
                raise ValueError(f"the id {cls.profile.id!r} is taken")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger raises must not stop the start
            failed[point.name] = f"{type(error).__name__}: {error}"
        else:
            classes[cls.profile.id] = cls
    return Discovered(classes=classes, failed=failed, unloaded=frozenset(ours.keys() - classes.keys()))
