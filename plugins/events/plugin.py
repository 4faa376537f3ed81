"""The plugin's value."""

from __future__ import annotations

from pathlib import Path

from gateway.core.contract import Plugin
from plugins.events.producers import part as producers
from plugins.events.tables import TABLES

plugin = Plugin(
    name="events", events=producers.TYPES, services=producers.services, workers=producers.workers, tables=TABLES,
    migrations=Path(__file__).parent / "migrations",
)  # fmt: skip
