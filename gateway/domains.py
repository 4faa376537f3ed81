"""The plugins that there are, the one schema of them, and what they keep in the database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import Any

import strawberry
import structlog
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.name_converter import NameConverter
from strawberry.types.base import StrawberryObjectDefinition, StrawberryType
from strawberry.types.field import StrawberryField

import plugins
from gateway.core.contract import Plugin
from gateway.core.migrations.histories import History, check_tables
from gateway.core.outbox.history import OUTBOX
from gateway.core.strangers import reason_of
from providers import collector_resting
from schema.events import CATALOG, Event
from schema.facts import FACTS
from schema.scalars import SCALARS

PLUGINS = "marketgate.plugins"
EVENT_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

log = structlog.get_logger(__name__)


def load_plugins(*, third_party: bool = True) -> list[Plugin]:
    """Every folder below `plugins/` that has a `plugin.py`, then installed packages' entry points that fit in."""
    folders = [m.name for m in iter_modules(plugins.__path__, "plugins.") if m.ispkg]
    with collector_resting():
        ours = [import_module(f"{folder}.plugin").plugin for folder in folders]
    found: list[Plugin] = [plugin for plugin in ours if isinstance(plugin, Plugin)]
    for point in entry_points(group=PLUGINS) if third_party else ():
        try:
            plugin = point.load()
            if not isinstance(plugin, Plugin):
                raise TypeError(f"{point.value} is not a Plugin")
            if objections := objections_to(plugin, found):
                raise ValueError("; ".join(objections))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's plugin must not stop the start
            log.error("plugin_failed_to_load", plugin=point.name, reason=reason_of(error))
        else:
            found.append(replace(plugin, origin=point.value))
    return found


def objections_to(plugin: Plugin, others: Sequence[Plugin]) -> list[str]:
    """Why a plugin cannot run beside others: names, root fields without facts, tables without a history, types."""
    found = [f"a plugin is called {plugin.name!r} already"] if plugin.name in {each.name for each in others} else []
    if not _NAME.fullmatch(plugin.name):
        found.append("a plugin's name is 1 to 40 of a-z, 0-9 and _, beginning with a letter")
    for kind in ("query", "mutation", "subscription"):
        owners = {name_of(field): each.name for each in others for field in root_fields(each, kind)}
        for field in root_fields(plugin, kind):
            name = f"{kind.title()}.{name_of(field)}"
            if name_of(field) in owners:
                found.append(f"{name} is defined by {owners[name_of(field)]} already")
            if FACTS not in field.metadata:
                found.append(f"{name} needs `metadata=facts(…)`, so that it has a price and a scope")
    if (plugin.tables is None) != (plugin.migrations is None):
        found.append("tables and migrations go together: give both or neither")
    try:
        catalog_of([*others, plugin])
        histories([*others, plugin])
    except RuntimeError as error:
        found.append(str(error))
    return found or _schema_without([*others, plugin])


def _schema_without(all_of_them: Sequence[Plugin]) -> list[str]:
    """Why there is no schema with the last one: a type's name that is taken, an annotation that means nothing."""
    try:
        build_schema(all_of_them)
    except Exception as error:  # noqa: BLE001 - Strawberry raises what it pleases
        return [f"no schema can be made with it: {reason_of(error)}"]
    return []


def name_of(field: StrawberryField) -> str:
    """As it stands in the schema."""
    return Names().get_graphql_name(field)


def root_fields(plugin: Plugin, kind: str) -> Sequence[StrawberryField]:
    """What a plugin adds to `query`, `mutation` or `subscription`."""
    root = getattr(plugin, kind)
    fields: Sequence[StrawberryField] = root.__strawberry_definition__.fields if root is not None else ()
    return fields


def catalog_of(found: Sequence[Plugin]) -> dict[str, type[Event]]:
    """Every type of event by its name; RuntimeError for a name that two types have."""
    catalog = dict(CATALOG)
    for plugin in found:
        for kind in plugin.events:
            if kind.name in catalog:
                raise RuntimeError(f"plugin {plugin.name}: the event {kind.name} is defined already")
            if not EVENT_NAME.fullmatch(kind.name):
                raise RuntimeError(f"plugin {plugin.name}: the event {kind.name!r} needs a name such as `order.filled`")
            catalog[kind.name] = kind
    return catalog


def build_schema(found: Sequence[Plugin]) -> strawberry.Schema:
    """One schema of all plugins; two that define the same root field stop the start."""
    return strawberry.Schema(
        query=_merged("Query", [(p.name, p.query) for p in found if p.query]),
        mutation=_merged("Mutation", [(p.name, p.mutation) for p in found if p.mutation]),
        subscription=_merged("Subscription", [(p.name, p.subscription) for p in found if p.subscription]),
        types=[*(kind for plugin in found for kind in plugin.types), *catalog_of(found).values()],
        config=StrawberryConfig(scalar_map=SCALARS, name_converter=Names()),
    )


class Names(NameConverter):
    """Strawberry's names, but `UserError[ApiKeyCreateErrorCode]` is `ApiKeyCreateUserError`."""

    def from_generic(self, generic_type: StrawberryObjectDefinition, types: list[StrawberryType | type]) -> str:
        """The name of a generic type with its arguments."""
        name = super().from_generic(generic_type, types)
        return name.replace("ErrorCodeUserError", "UserError")


_DESCRIPTIONS = {
    "Query": "Questions about markets. Every value says where it came from.",
    "Mutation": "Changes.",
    "Subscription": "Live streams.",
}


def _merged(name: str, parts: Sequence[tuple[str, type]]) -> Any:
    owners: dict[str, str] = {}
    for plugin, kind in parts:
        for field in kind.__strawberry_definition__.fields:  # type: ignore[attr-defined]
            if name_of(field) in owners:
                raise RuntimeError(f"{name}.{name_of(field)} is defined by {owners[name_of(field)]} and {plugin}")
            owners[name_of(field)] = plugin
    if not parts:
        return None
    return strawberry.type(type(name, tuple(kind for _, kind in parts), {}), description=_DESCRIPTIONS[name])


def histories(found: Sequence[Plugin]) -> list[History]:
    """What the core and each plugin keep in the database."""
    kept = [
        OUTBOX,
        *(
            History(plugin=plugin.name, metadata=plugin.tables, folder=plugin.migrations)
            for plugin in found
            if plugin.tables is not None and plugin.migrations is not None
        ),
    ]
    check_tables(kept)
    return kept
