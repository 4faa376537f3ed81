"""SQL of all tables of trading together: what an organisation exports, and what is erased with it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, delete, select

from gateway.core.store import Tx
from plugins.trading.tables import TABLES


class TradingStore:
    """Every table whose rows belong to an organisation, whoever reads and writes it otherwise."""

    async def whole(self, tx: Tx, tenant: str) -> dict[str, list[dict[str, Any]]]:
        """All rows as plain values, by table, each in the order of its key."""
        return {table.name.removeprefix("trading_"): await _rows(tx, table, tenant) for table in _tables()}

    async def erase(self, tx: Tx, tenant: str) -> None:
        """All rows."""
        for table in _tables():
            await tx.run(delete(table).where(table.c.tenant_id == tenant))


def _tables() -> list[Table]:
    return [table for table in TABLES.sorted_tables if table.info["scope"] == "tenant"]


async def _rows(tx: Tx, table: Table, tenant: str) -> list[dict[str, Any]]:
    wanted = select(table).where(table.c.tenant_id == tenant).order_by(*table.primary_key.columns)
    found = (await tx.connection.execute(wanted)).mappings()
    return [{name: value for name, value in row.items() if name != "tenant_id"} for row in found]
