"""The plugin's value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gateway.core.contract import Host, Plugin
from gateway.core.store import Tx
from plugins.watchlists.desk import WatchlistDesk
from plugins.watchlists.fields import WatchlistMutation, WatchlistQuery, find_watchlist
from plugins.watchlists.store import WatchlistStore
from plugins.watchlists.tables import TABLES


def services(host: Host) -> dict[type, Any]:
    """One desk a process."""
    return {WatchlistDesk: WatchlistDesk(host)}


async def export(host: Host, tx: Tx, tenant: str) -> Mapping[str, Any]:
    """Every list of the organisation, with its owner's id."""
    rows = [asdict(row) for row in await WatchlistStore().whole(tx, tenant)]
    return {"lists": [{name: value for name, value in row.items() if name != "tenant_id"} for row in rows]}


async def erase(host: Host, tx: Tx, tenant: str) -> None:
    """Every list of the organisation."""
    await WatchlistStore().erase(tx, tenant)


plugin = Plugin(
    name="watchlists", query=WatchlistQuery, mutation=WatchlistMutation, services=services, tables=TABLES,
    migrations=Path(__file__).parent / "migrations", nodes={"list": find_watchlist}, export=export, erase=erase,
)  # fmt: skip
