"""`marketgate plugin check`: an installed plugin beside ours, on a database of its own."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.app import build_gateway, create_app
from gateway.cli.outcome import Code, usage
from gateway.cli.output import Column, Form, Table, write
from gateway.core.check.imports import import_findings
from gateway.core.contract import Plugin
from gateway.core.migrations.runner import check, downgrade, upgrade
from gateway.core.settings import Settings
from gateway.core.store import Store
from gateway.domains import PLUGINS, histories, load_plugins, objections_to, root_fields
from providers import discover
from schema.facts import FACTS

COLUMNS = (Column("plugin", "plugin"), Column("result", "result"), Column("finding", "finding", text=True))


async def run(name: str, form: Form) -> Code:
    """Judge, write every finding; a plugin without one may run."""
    points = {point.name: point for point in entry_points(group=PLUGINS)}
    if name not in points:
        installed = ", ".join(sorted(points)) or "none"
        raise usage(f"there is no plugin {name!r} in the entry points {PLUGINS}; installed: {installed}")
    findings = await check_plugin(points[name])
    result = "fails" if findings else "passes"
    rows = [(name, result, finding) for finding in findings or (None,)]
    write(form, {"plugin": name, "findings": findings}, Table(COLUMNS, rows))
    return Code.NOTHING if findings else Code.ALL


async def check_plugin(point: EntryPoint) -> list[str]:
    """Everything that is asked of a plugin of another package; what needs it whole is not tried on a broken one."""
    try:
        plugin = point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's module raises is a finding
        return [f"does not load: {type(error).__name__}: {error}"]
    if not isinstance(plugin, Plugin):
        return [f"{point.value} is not a Plugin"]
    ours = load_plugins(third_party=False)
    findings = [*import_findings(point.module), *_open_mutations(plugin), *objections_to(plugin, ours)]
    if findings:
        return findings
    with TemporaryDirectory() as folder:
        return await _in_a_database(plugin, Path(folder)) or await _in_a_gateway(plugin, ours, Path(folder))


def _open_mutations(plugin: Plugin) -> list[str]:
    facts = [(field.python_name, field.metadata.get(FACTS)) for field in root_fields(plugin, "mutation")]
    return [
        f"Mutation.{name} needs neither a scope nor a person: anybody could change something"
        for name, stated in facts
        if stated is not None and stated.needs is None and not stated.person
    ]


async def _in_a_gateway(plugin: Plugin, ours: list[Plugin], folder: Path) -> list[str]:
    """Whether the one schema and the application of all can be made, and starts to serve."""
    settings = Settings(env="development", data_dir=folder)
    store = None
    try:
        gateway = build_gateway(settings, found=[*ours, plugin], discovered=discover(("sandbox",), third_party=False))
        store, app = gateway.host.store, create_app(settings, gateway=gateway)
        async with app.router.lifespan_context(app):
            return []
    except Exception as error:  # noqa: BLE001 - whatever a stranger's plugin raises is a finding
        return [f"does not start: {type(error).__name__}: {error}"]
    finally:
        if store is not None:
            await store.close()


async def _in_a_database(plugin: Plugin, folder: Path) -> list[str]:
    """Whether its migrations make the tables that it states, and take them away again."""
    store = Store(f"sqlite:///{folder / 'check.sqlite3'}")
    try:
        for history in histories([plugin]):
            await upgrade(store, [history])
            if lacking := await check(store, [history]):
                return lacking
            await downgrade(store, history, "base")
            await upgrade(store, [history])
    except Exception as error:  # noqa: BLE001 - whatever a stranger's migration raises is a finding
        return [f"its migrations do not run: {type(error).__name__}: {error}"]
    finally:
        await store.close()
    return []
