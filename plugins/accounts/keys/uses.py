"""When a key was last used: remembered at once, written together, once a minute for each key at most."""

from __future__ import annotations

from typing import Any

from cachetools import TTLCache

from gateway.core.contract import Host
from plugins.accounts.keys.store import CredentialDirectory

EVERY = 10.0
ONCE_IN = 60.0
MOST = 10_000


class LastUses:
    """Of one process. What is not written yet is lost with the process: it is a hint for people."""

    def __init__(self, host: Host, directory: CredentialDirectory) -> None:
        self._host, self._directory = host, directory
        self._waiting: dict[str, dict[str, Any]] = {}
        self._written: TTLCache[str, None] = TTLCache(MOST, ONCE_IN, host.clock.monotonic)

    def note(self, key_id: str, ip: str | None) -> None:
        """A key was used; never waits."""
        if key_id not in self._written and (key_id in self._waiting or len(self._waiting) < MOST):
            self._waiting[key_id] = {"of": key_id, "at": self._host.clock.now(), "ip": ip}

    async def write(self) -> None:
        """Write what is waiting, in one transaction."""
        uses, self._waiting = self._waiting, {}
        if not uses:
            return
        # In one order everywhere, so that two processes never wait for each other.
        ordered = [uses[key] for key in sorted(uses)]
        keys = [each for each in ordered if each["of"].startswith("key_")]
        operators = [{"of": each["of"], "at": each["at"]} for each in ordered if not each["of"].startswith("key_")]
        async with self._host.store.write() as tx:
            if keys:
                await self._directory.used(tx, keys)
            if operators:
                await self._directory.used_by_operators(tx, operators)
        self._written.update(dict.fromkeys(uses))
