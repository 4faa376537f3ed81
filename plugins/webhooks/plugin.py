"""The plugin's value."""

from __future__ import annotations

from pathlib import Path

from gateway.core.contract import Plugin
from plugins.webhooks.delivery import part as delivery
from plugins.webhooks.events import EVENTS
from plugins.webhooks.tables import TABLES

plugin = Plugin(
    name="webhooks", tables=TABLES, migrations=Path(__file__).parent / "migrations", services=delivery.services,
    workers=delivery.workers, events=EVENTS,
)  # fmt: skip
