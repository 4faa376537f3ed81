"""What `marketgate plugin check` says of plugins that load and are not sound; `tests/contract/test_wheels.py` installs some."""  # noqa: E501

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from gateway.cli.plugins import check_plugin
from gateway.domains import PLUGINS

TABLE = """
from pathlib import Path
from sqlalchemy import Column, MetaData, String, Table
from gateway.sdk import Plugin

TABLES = MetaData()
Table("{table}", TABLES, Column("id", String(40), primary_key=True))
plugin = Plugin(name="{name}", tables=TABLES, migrations={folder})
"""
FOLDER = 'Path(__file__).parent / "history"'
EMPTY = 'revision = "{0}_0001"\ndown_revision = None\n\n\ndef upgrade():\n    {1}\n\n\ndef downgrade():\n    pass\n'


async def judged(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str, body: str = "pass"
) -> list[str]:
    monkeypatch.syspath_prepend(str(folder))
    (folder / "history").mkdir()
    (folder / "history" / f"{name}_0001_first.py").write_text(EMPTY.format(name, body))
    (folder / f"{name}.py").write_text(source)
    return await check_plugin(EntryPoint(name=name, value=f"{name}:plugin", group=PLUGINS))


@pytest.mark.parametrize(
    ("name", "values", "body", "finding"),
    [
        (
            "checkeda",
            {"table": "checkeda_rows", "folder": FOLDER},
            "pass",
            "the table checkeda_rows is missing",
        ),
        (
            "checkedb",
            {"table": "checkedb_rows", "folder": FOLDER},
            "1 / 0",
            "its migrations do not run: MigrationFailed",
        ),
        ("checkedc", {"table": "rows", "folder": FOLDER}, "pass", "the table rows must be called checkedc_rows"),
        ("checkedd", {"table": "checkedd_rows", "folder": "None"}, "pass", "tables and migrations go together"),
    ],
)
async def test_tables_without_a_sound_history_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, values: dict[str, str], body: str, finding: str
):
    (found,) = await judged(tmp_path, monkeypatch, name, TABLE.format(name=name, **values), body)

    assert finding in found


@pytest.mark.parametrize(
    ("name", "source", "finding"),
    [
        ("checkede", "raise KeyError('x')", "does not load: KeyError: 'x'"),
        ("checkedf", "plugin = 7", "checkedf:plugin is not a Plugin"),
        (
            "checkedg",
            "from gateway.sdk import Plugin\n\ndef sink(host):\n    raise OSError('sunk')\n\n"
            "plugin = Plugin(name='checkedg', services=sink)",
            "does not start: OSError: sunk",
        ),
        ("checkedi", "raise SystemExit(3)", "does not load: SystemExit: 3"),
        (
            "checkedj",
            "from gateway.sdk import Plugin\n\ndef sink(host):\n    raise OSError('sunk')\n\n"
            "plugin = Plugin(name='checkedj', routes=sink)",
            "does not start: OSError: sunk",
        ),
        (
            "checkedk",
            "from gateway.sdk import Plugin\n\nasync def sink(host):\n    raise OSError('sunk')\n\n"
            "plugin = Plugin(name='checkedk', start=sink)",
            "does not start: OSError: sunk",
        ),
        (
            "checkedh",
            "from gateway import sdk\n\nplugin = sdk.Plugin(name='market')",
            "a plugin is called 'market' already",
        ),
    ],
)
async def test_a_plugin_that_cannot_run_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str, finding: str
):
    assert await judged(tmp_path, monkeypatch, name, source) == [finding]
