"""Who waits for news of a log hears of it soon after the commit: PostgreSQL's NOTIFY, or a call within the process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import structlog

from gateway.core.store import Store, Tx

CHANNEL = "marketgate_outbox"
EVERYBODY = "*"
"""News of all logs: messages may have been missed."""
MOST_NAMED = 50
"""Tenants that one commit names to other processes; of more it says that there are some."""
RETRY_S = (0.5, 1.0, 2.0, 5.0)

LOG = structlog.get_logger(__name__)


class Waking:
    """News from this process at once, from others over the database where it can tell them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._handlers: list[Callable[[str], None]] = []
        self._listening: asyncio.Task[None] | None = None

    def on_news(self, handler: Callable[[str], None]) -> Callable[[], None]:
        """See `Outbox`."""
        self._handlers.append(handler)
        if self._listening is None and not self._store.embedded:
            self._listening = asyncio.create_task(self._listen(), name="outbox.listen")
        return lambda: self._handlers.remove(handler)

    def announce(self, tx: Tx, tenants: Collection[str]) -> None:
        """Part of a transaction: told with its commit, never without it."""
        if self._store.embedded:
            tx.then(lambda: self._tell(tenants))
            return
        named = tenants if len(tenants) <= MOST_NAMED else (EVERYBODY,)
        for tenant in named:
            tx.tell(CHANNEL, tenant)

    def _tell(self, tenants: Collection[str]) -> None:
        for tenant in tenants:
            for handler in tuple(self._handlers):
                handler(tenant)

    async def _listen(self) -> None:
        """One connection of its own, made anew where it is lost; after each beginning all are told to look."""
        failures = 0
        while True:
            try:
                await self._hear()
                failures = 0
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - drivers and networks fail in many ways; each is tried again
                LOG.warning("outbox_listening_failed", reason=f"{type(error).__name__}: {error}")
                failures += 1
            await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])

    async def _hear(self) -> None:
        import asyncpg

        lost = asyncio.Event()
        url = self._store.url.set(drivername="postgresql")
        connection: Any = await asyncpg.connect(url.render_as_string(hide_password=False))
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, lambda *told: self._tell((told[3],)))
            self._tell((EVERYBODY,))
            await lost.wait()
        finally:
            with suppress(Exception):
                await connection.close(timeout=1)

    async def close(self) -> None:
        """No more news."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._listening = None
