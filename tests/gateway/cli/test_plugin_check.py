"""What `marketgate plugin check` says of plugins that load and are not sound; `tests/contract/test_wheels.py` installs some."""  # noqa: E501

from __future__ import annotations

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from gateway.cli.plugins import check_plugin
from gateway.domains import PLUGINS
from tests.gateway.cli.conftest import Run

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


async def test_a_new_plugin_passes_the_check_as_it_is(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    written = command("plugin", "new", "checkedl_two")

    folder = tmp_path / "marketgate-checkedl-two"
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    monkeypatch.syspath_prepend(str(folder))
    ((name, value),) = project["project"]["entry-points"][PLUGINS].items()
    assert (written.code, written.lines) == (
        0, ["marketgate-checkedl-two/checkedl_two.py", "marketgate-checkedl-two/pyproject.toml"]
    )  # fmt: skip
    assert await check_plugin(EntryPoint(name=name, value=value, group=PLUGINS)) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Two words", "'Two words' cannot be a name: write 2 to 40 of a-z, 0-9 and _, beginning with a letter"),
        ("class", "'class' cannot be a name: write 2 to 40 of a-z, 0-9 and _, beginning with a letter"),
        ("json", "'json' cannot be a name: write 2 to 40 of a-z, 0-9 and _, beginning with a letter"),
        ("taken", "marketgate-taken is there already"),
    ],
)
def test_a_new_plugin_that_cannot_be_is_refused_and_nothing_written(command: Run, tmp_path: Path, name: str, told: str):
    (tmp_path / "marketgate-taken").mkdir()

    ended = command("plugin", "new", name)

    assert (ended.code, ended.out, ended.err) == (2, "", f"marketgate: {told}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["marketgate-taken"]


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
