"""Wheels of other packages, written by hand: a provider with a new capability, the plugin that asks it, broken ones."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]

SEA = '''"""Sea: heights of tides. Docs: https://sea.example/docs"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from gateway.sdk import (
    AssetClass, Capability, Licence, Profile, Provenance, Provider, Reply, UnknownInstrument, UpstreamError, answers,
    described, model,
)


@model("The height of the water.")
class Tide:
    """Above the chart's datum."""

    place: str = described("Where.")
    height: Decimal = described("In metres.")
    provenance: Provenance | None = described("Where this came from.", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TideAsk:
    """One place."""

    place: str


TIDE: Capability[TideAsk, Tide] = Capability(
    name="tide", ask=TideAsk, answer=Tide, description="Heights of tides.", fresh_for=timedelta(minutes=1),
)


class Sea(Provider):
    """One endpoint."""

    profile = Profile(
        id="sea", name="Sea", base_url="https://api.sea.example", docs="https://sea.example/docs",
        asset_classes=(AssetClass.COMMODITY,), licence=Licence(note="None."),
    )

    @answers(TIDE)
    async def tide(self, ask: TideAsk) -> Tide:
        """Now."""
        body = await self.http.get("/tide", {"place": ask.place})
        return Tide(place=ask.place, height=body.decimal("height"))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """A refusal comes with status 200."""
        said = reply.body.get("error")
        return None if said is None else UnknownInstrument(self.profile.id, said.text())
'''
TIDES = {
    "made": "composed", "date": "2026-11-20", "instant": "2026-11-20T12:00:00Z", "origin": "https://sea.example/docs",
    "cases": [
        {
            "name": "a place", "ask": {"place": "Brest"},
            "exchanges": [
                {"request": {"path": "/tide", "params": {"place": "Brest"}}, "status": 200, "body": {"height": "4.125"}}
            ],
            "expect": {"place": "Brest", "height": "4.125"},
        }
    ],
}  # fmt: skip
SHORE = '''"""Shore: tides as a plugin."""

from __future__ import annotations

from pathlib import Path

import strawberry
from sea import TIDE, Tide, TideAsk
from sqlalchemy import Column, MetaData, String, Table

from gateway.sdk import Ctx, Plugin, Scope, facts

TABLES = MetaData()
Table("shore_places", TABLES, Column("id", String(40), primary_key=True))


async def resolve_tide(info: Ctx, place: str) -> Tide | None:
    """As the sea tells it."""
    return (await info.context.market.fetch(TIDE, TideAsk(place=place))).value


@strawberry.type
class ShoreQuery:
    """One field."""

    tide: Tide | None = strawberry.field(
        resolver=resolve_tide, description="The height of the water.", metadata=facts(needs=Scope.MARKET_READ)
    )


plugin = Plugin(name="shore", query=ShoreQuery, tables=TABLES, migrations=Path(__file__).parent / "migrations")
'''
HISTORY = '''"""The table of places."""

import sqlalchemy as sa
from alembic import op

revision = "shore_0001"
down_revision = None


def upgrade() -> None:
    op.create_table("shore_places", sa.Column("id", sa.String(40), primary_key=True))


def downgrade() -> None:
    op.drop_table("shore_places")
'''
REEF = '''"""A plugin that takes a name, sees the inside, and lets anybody change something without a price."""

import strawberry
from gateway.core.store import Store
from gateway.sdk import Plugin, facts


@strawberry.type
class ReefQuery:
    """Taken, and unpriced."""

    @strawberry.field
    def quote(self) -> int:
        return len(Store.__name__)


@strawberry.type
class ReefMutation:
    """Open to all."""

    @strawberry.mutation(metadata=facts())
    def reef_paint(self) -> int:
        return 1


plugin = Plugin(name="reef", query=ReefQuery, mutation=ReefMutation)
'''
WHEELS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "sea": (
        "[marketgate.providers]\nsea = sea:Sea\n", {"sea/__init__.py": SEA, "sea/recordings/sea/tide.json": ""}
    ),
    "shore": (
        "[marketgate.plugins]\nshore = shore:plugin\n",
        {"shore/__init__.py": SHORE, "shore/migrations/shore_0001_places.py": HISTORY},
    ),
    "wreck": ("[marketgate.providers]\nwreck = wreck:Wreck\n", {"wreck.py": "raise OSError('sunk')\n"}),
    "reef": ("[marketgate.plugins]\nreef = reef:plugin\n", {"reef.py": REEF}),
}  # fmt: skip


def write_wheel(folder: Path, name: str) -> Path:
    """One of `WHEELS` as a file that pip installs."""
    points, files = WHEELS[name]
    info = f"{name}-1.0.dist-info"
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": points,
    }
    if name == "sea":
        contents["sea/recordings/sea/tide.json"] = json.dumps(TIDES)
    contents[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*contents, f"{info}/RECORD"])
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        for path, text in contents.items():
            made.writestr(path, text)
    return wheel


def environment_of(folder: Path) -> Path:
    """The interpreter of a scratch environment that has the wheels, and this checkout with what it needs."""
    venv.create(folder / "env", symlinks=True)
    python = folder / "env" / "bin" / "python"
    wheels = [str(write_wheel(folder, name)) for name in WHEELS]
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-compile", "--disable-pip-version-check", *wheels], check=True)
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    (site / "marketgate.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    return python
