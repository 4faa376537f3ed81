"""Whether the database is there and has the tables that this release needs: at the start, and for `/readyz`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.core.clock import Clock
from gateway.core.migrations.histories import History
from gateway.core.migrations.standing import standings
from gateway.core.store import Store

REMEMBERED_S = 2.0
"""Probes are never limited; the database is asked no more often than this."""
PATIENCE_S = 2.0


class NotMigrated(Exception):
    """The database has not the tables that this release needs; the message says what to do."""


class MigrationFailed(Exception):
    """A migration did not run through; the database is as it was before."""


async def fit(store: Store, histories: Sequence[History]) -> None:
    """Migrate the database unless it is as this release expects it. MigrationFailed names the plugin."""
    if any(standing.lacking for standing in await standings(store, histories)):
        from gateway.core.migrations.runner import upgrade

        await upgrade(store, histories)


async def require(store: Store, histories: Sequence[History]) -> None:
    """NotMigrated unless every plugin's tables are where this release expects them."""
    lacking = [standing.lacking for standing in await standings(store, histories) if standing.lacking]
    if lacking:
        raise NotMigrated(f"the database does not fit this release: {'; '.join(lacking)}")


class DatabaseReadiness:
    """What keeps this process from serving, as far as the database goes."""

    def __init__(self, store: Store, histories: Sequence[History], clock: Clock) -> None:
        self._store, self._histories, self._clock = store, histories, clock
        self._told: tuple[float, list[str]] | None = None
        self._asking = asyncio.Lock()

    async def missing(self) -> list[str]:
        """Empty when it is ready; told anew every two seconds."""
        async with self._asking:
            now = self._clock.monotonic()
            if self._told is None or now - self._told[0] >= REMEMBERED_S:
                self._told = (now, await self._look())
            return self._told[1]

    async def _look(self) -> list[str]:
        try:
            async with asyncio.timeout(PATIENCE_S):
                found = await standings(self._store, self._histories)
        except Exception as error:  # noqa: BLE001 - drivers have errors of their own; their words may name the host
            return [f"the database cannot be asked ({type(error).__name__}): check MARKETGATE_DATABASE_URL"]
        # Tables that a newer release made are no reason: during a roll-out both serve.
        return [standing.lacking for standing in found if standing.lacking and standing.known]
