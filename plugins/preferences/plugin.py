"""The plugin's value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gateway.core.contract import Host, Plugin
from gateway.core.ports import Preferences
from gateway.core.store import Tx
from plugins.preferences.book import PreferenceBook
from plugins.preferences.desk import PreferenceDesk
from plugins.preferences.fields import PreferenceMutation, PreferenceQuery
from plugins.preferences.store import PreferenceStore
from plugins.preferences.tables import TABLES


def services(host: Host) -> dict[type, Any]:
    """One of each a process."""
    book = PreferenceBook(host)
    return {PreferenceBook: book, Preferences: book, PreferenceDesk: PreferenceDesk(host, book)}


async def export(host: Host, tx: Tx, tenant: str) -> Mapping[str, Any]:
    """The organisation's preferences."""
    row = await PreferenceStore().find(tx, tenant)
    values = {} if row is None else asdict(row)
    return {"routing": {name: value for name, value in values.items() if name != "tenant_id"} or None}


async def erase(host: Host, tx: Tx, tenant: str) -> None:
    """Forget them."""
    await PreferenceStore().erase(tx, tenant)
    host.service(PreferenceBook).tell(tx, tenant)


plugin = Plugin(
    name="preferences", query=PreferenceQuery, mutation=PreferenceMutation, services=services, tables=TABLES,
    migrations=Path(__file__).parent / "migrations", export=export, erase=erase,
)  # fmt: skip
