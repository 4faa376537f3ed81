"""What is told of jobs, here and to other processes: a hint; what is missed is seen a little later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from gateway.core.contract import Host
from gateway.core.store import Tx
from schema.words.jobs import JobState

CHANGED = "jobs.changed"
"""`{"id", "state"}`."""


class JobNews:
    """Of one process."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._watched: dict[str, set[asyncio.Event]] = {}
        host.bus.subscribe(CHANGED, self._heard)

    def tell(self, tx: Tx, job_id: str, state: JobState) -> None:
        """Once the transaction is committed."""
        tx.then(lambda: self._host.bus.publish(CHANGED, {"id": job_id, "state": state.value}))

    def on_news(self, handler: Callable[[str, str], None]) -> None:
        """Call *handler* with the id and the state of each job that has changed."""
        self._host.bus.subscribe(CHANGED, lambda message: handler(str(message["id"]), str(message["state"])))

    @contextmanager
    def watching(self, job_id: str) -> Iterator[asyncio.Event]:
        """Set whenever the job may have changed."""
        news = asyncio.Event()
        self._watched.setdefault(job_id, set()).add(news)
        try:
            yield news
        finally:
            self._watched[job_id].discard(news)
            if not self._watched[job_id]:
                del self._watched[job_id]

    def _heard(self, message: Mapping[str, Any]) -> None:
        for news in self._watched.get(str(message["id"]), ()):
            news.set()
