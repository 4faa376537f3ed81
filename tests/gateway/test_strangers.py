"""Plugins and providers of other packages, each broken in a way of its own: all are named, and the rest starts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from decimal import Decimal
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

import gateway.domains
import providers
from gateway.app import create_app
from gateway.cli.package import MODULE
from gateway.core.settings import Settings

FIELD = """import strawberry
from gateway.sdk import Plugin, Scope, facts

@strawberry.type
class {name}Query:
    {body}

plugin = Plugin(name="{name}", query={name}Query)
"""
PRICED = 'metadata=facts(needs=Scope.MARKET_READ), description="x"'
STEP = """from gateway.sdk import Plugin

def sunk(host):
    raise OSError("sunk")

async def sunk_later(host):
    raise OSError("sunk")

plugin = Plugin(name="{name}", {step})
"""
PLUGINS: dict[str, tuple[str, str]] = {
    "raises": ("raise KeyError('x')", "KeyError: 'x'"),
    "leaves": ("import sys\nsys.exit(3)", "SystemExit: 3"),
    "seven": ("plugin = 7", "TypeError: seven:plugin is not a Plugin"),
    "plain": (
        "from gateway.sdk import Plugin\n\nplugin = Plugin(name='plain', query=int)",
        "AttributeError: type object 'int' has no attribute '__strawberry_definition__'",
    ),
    "Weird name": (
        "from gateway.sdk import Plugin\n\nplugin = Plugin(name='Weird name')",
        "ValueError: a plugin's name is 1 to 40 of a-z, 0-9 and _, beginning with a letter",
    ),
    "shadow": (
        FIELD.format(name="shadow", body=f'mine: int = strawberry.field(name="quote", {PRICED})'),
        "ValueError: Query.quote is defined by market already",
    ),
    "twin": (
        "import strawberry\nfrom gateway.sdk import Plugin, Scope, facts\n\n"
        "@strawberry.type\nclass Quote:\n    mine: int\n\n"
        f"@strawberry.type\nclass TwinQuery:\n    twin: Quote | None = strawberry.field({PRICED})\n\n"
        'plugin = Plugin(name="twin", query=TwinQuery)',
        "ValueError: no schema can be made with it: DuplicatedTypeName: Type Quote is defined multiple times",
    ),
    "unknown": (
        FIELD.format(name="unknown", body=f'unknown: "Nowhere" = strawberry.field({PRICED})'),
        "ValueError: no schema can be made with it: ",
    ),
    "serves": (STEP.format(name="serves", step="services=sunk"), "OSError: sunk"),
    "steals": (
        "from gateway.core.ports import Desk\nfrom gateway.sdk import Plugin\n\n"
        'plugin = Plugin(name="steals", services=lambda host: {Desk: 1})',
        "RuntimeError: Desk is served by market and steals",
    ),
    "routed": (STEP.format(name="routed", step="routes=sunk"), "OSError: sunk"),
    "works": (STEP.format(name="works", step="workers=sunk"), "OSError: sunk"),
    "starts": (STEP.format(name="starts", step="start=sunk_later"), "OSError: sunk"),
    "stops": (STEP.format(name="stops", step="stop=sunk_later"), "OSError: sunk"),
    "lonely": (
        "from sqlalchemy import MetaData\nfrom gateway.sdk import Plugin\n\n"
        'plugin = Plugin(name="lonely", tables=MetaData())',
        "ValueError: tables and migrations go together: give both or neither",
    ),
}
DRAFT = MODULE.substitute(name="draft", title="Draft", cls="Draft")
SOUND = FIELD.format(name="sound", body=f"sound: int = strawberry.field(resolver=lambda: 7, {PRICED})")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    points = []
    for number, (name, source) in enumerate(
        [*((name, source) for name, (source, _) in PLUGINS.items()), ("sound", SOUND), ("draft", DRAFT)]
    ):
        module = name if name.isidentifier() else f"stranger{number}"
        (tmp_path / f"{module}.py").write_text(source)
        points.append(EntryPoint(name=name, value=f"{module}:plugin", group=gateway.domains.PLUGINS))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(gateway.domains, "entry_points", lambda group: EntryPoints(points))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


async def test_plugins_that_are_broken_in_many_ways_are_named_and_the_rest_starts(
    installed: None, tmp_path: Path
) -> None:
    settings = Settings(env="development", data_dir=tmp_path / "data", providers=("sandbox",))
    asked = {
        "query": """{ sound draftSpread(symbol: "btc-usd") { absolute provenance { provider } }
          quote(symbol: "BTC/USD") { provenance { provider } } }"""
    }
    with capture_logs() as logged:
        app = create_app(settings)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client,
        ):
            answer: dict[str, Any] = (await client.post("/graphql", json=asked)).json()
            lives = (await client.get("/livez")).status_code

    told = {e["plugin"]: e["reason"] for e in logged if e["event"] in ("plugin_failed_to_load", "plugin_failed")}
    spread = answer["data"].pop("draftSpread")
    assert (spread["provenance"], Decimal(spread["absolute"]) > 0) == ({"provider": "sandbox"}, True)
    assert answer["data"] == {"sound": 7, "quote": {"provenance": {"provider": "sandbox"}}}
    assert lives == 200
    assert told.keys() == PLUGINS.keys()
    assert {name: told[name][: len(reason)] for name, (_, reason) in PLUGINS.items()} == {
        name: reason for name, (_, reason) in PLUGINS.items()
    }


HEAD = """from dataclasses import dataclass
from datetime import timedelta

from gateway.sdk import AssetClass, Capability, Licence, Profile, Provider, QUOTES, QuotesAsk, answers

FACTS = dict(name="X", base_url="https://x.example", docs="", asset_classes=(), licence=Licence(note=""), priority=1)
"""
CLASS = HEAD + "\n\nclass X(Provider):\n    profile = Profile(id={id!r}, **FACTS)\n"
QUOTED = "    @answers(QUOTES{covers})\n    async def quotes(self, ask: QuotesAsk):\n        return []\n"
PROVIDERS: dict[str, tuple[str, str]] = {
    "exits": ("import sys\nsys.exit(2)", "SystemExit: 2"),
    "bare": ("from gateway.sdk import Provider\n\n\nclass X(Provider):\n    pass\n", "AttributeError: "),
    "escape": (CLASS.format(id="../x"), "ValueError: the id '../x' is not 2 to 40 of a-z, 0-9 and _"),
    "second": (CLASS.format(id="first"), "ValueError: the id 'first' is taken"),
    "unmade": (
        CLASS.format(id="unmade") + "    def __init__(self, *given):\n        raise OSError('sunk')\n", "OSError: sunk"
    ),
    "homonym": (
        CLASS.format(id="homonym").replace("\n\nclass", "\n\n@dataclass(frozen=True)\nclass Ask:\n    x: str\n\n\n"
        "C = Capability(name='quotes', ask=Ask, answer=str, description='', fresh_for=timedelta(1))\n\n\nclass")
        + "    @answers(C)\n    async def quotes(self, ask: Ask) -> str:\n        return ''\n",
        "ValueError: another capability is called 'quotes'",
    ),
}  # fmt: skip
SOUND_ONES = {
    "first": CLASS.format(id="first") + QUOTED.format(covers=""),
    "breaks": CLASS.format(id="breaks") + QUOTED.format(covers=", covers=lambda ask: 1 / 0"),
}


async def test_providers_that_are_broken_in_many_ways_are_named_and_the_rest_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = SOUND_ONES | {name: source for name, (source, _) in PROVIDERS.items()}
    points = [EntryPoint(name=name, value=f"stranger_{name}:X", group=providers.GROUP) for name in sources]
    for name, source in sources.items():
        (tmp_path / f"stranger_{name}.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(
        providers, "entry_points", lambda group: EntryPoints(points if group == providers.GROUP else [])
    )
    ids = ("sandbox", "breaks", "first", "unmade", "homonym")
    app = create_app(Settings(env="development", data_dir=tmp_path / "data", providers=ids))
    asked = {
        "query": """{ providers { id statusReason }
          quote(symbol: "BTC/USD", route: {providers: ["breaks", "sandbox"]}) {
            provenance { provider fallbackFrom { provider code } } } }"""
    }

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        data = (await client.post("/graphql", json=asked)).json()["data"]

    told = {each["id"]: each["statusReason"] for each in data["providers"]}
    assert told.keys() == {"sandbox", *SOUND_ONES, *PROVIDERS}
    assert {name: told[name][: len(reason)] for name, (_, reason) in PROVIDERS.items()} == {
        name: reason for name, (_, reason) in PROVIDERS.items()
    }
    assert data["quote"]["provenance"]["provider"] == "sandbox"
    assert told["first"] is told["breaks"] is None
