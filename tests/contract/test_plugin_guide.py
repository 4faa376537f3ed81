"""docs/guides/plugin.md: the printed plugin passes the check, and answers the printed query on the offline market."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient

from gateway.app import build_gateway, create_app
from gateway.cli.app import run
from gateway.cli.plugins import check_plugin
from gateway.core.settings import Settings
from gateway.domains import PLUGINS, load_plugins
from providers import discover
from tests.contract.printed import ROOT, blocks_of

STEPS = blocks_of((ROOT / "docs" / "guides" / "plugin.md").read_text(encoding="utf-8"))


def printed(language: str) -> str:
    return "".join(body for kind, body in STEPS if kind == language)


@pytest.fixture
def point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EntryPoint:
    """The package as the page makes it; that it can be installed is shown in `test_wheels.py`."""
    new, install, check = printed("sh").splitlines()
    monkeypatch.chdir(tmp_path)
    assert (new.split()[0], run(new.split()[1:])) == ("marketgate", 0)
    folder = tmp_path / install.split()[-1]
    assert printed("toml") in (folder / "pyproject.toml").read_text()
    (folder / "ratio.py").write_text(printed("python"))
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "ratio", raising=False)
    points = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["entry-points"][PLUGINS]
    name = check.split()[-1]
    return EntryPoint(name=name, value=points[name], group=PLUGINS)


async def test_the_printed_plugin_passes_the_check(point: EntryPoint):
    assert await check_plugin(point) == []


async def test_the_printed_query_answers_with_the_plugin_beside_ours(point: EntryPoint, tmp_path: Path):
    settings = Settings(env="development", data_dir=tmp_path)
    found = [*load_plugins(third_party=False), point.load()]
    gateway = build_gateway(settings, found=found, discovered=discover(("sandbox",), third_party=False))
    app = create_app(settings, gateway=gateway)

    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app=app), base_url="http://127.0.0.1") as client,
    ):
        answer = (await client.post("/graphql", json={"query": printed("graphql")})).json()

    assert "errors" not in answer, answer
    told = answer["data"]["ratio"]
    assert re.fullmatch(r"0\.\d{8}", told["value"])
    assert told["currency"] == "USD"
    assert [each["provider"] for each in told["provenances"]] == ["sandbox", "sandbox"]
