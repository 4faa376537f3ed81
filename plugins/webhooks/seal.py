"""Secrets, keys and headers of endpoints at rest: encrypted with the vault's root secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from gateway.core.contract import Host, Sealed
from plugins.webhooks.rows import EndpointRow
from plugins.webhooks.store import EndpointDirectory

AT_ONCE = 100
RENEW_EVERY = 60.0

log = structlog.get_logger(__name__)


class Seal:
    """One a process."""

    def __init__(self, host: Host) -> None:
        self._host, self._directory = host, EndpointDirectory()

    @property
    def root(self) -> str:
        """A mark of the newest root secret, which tells nothing of it."""
        return self._host.vault.digest("root of webhook secrets", "")[:16]

    def close(self, text: str) -> str:
        """The text to keep."""
        return self._host.vault.encrypt(text)

    def close_headers(self, headers: Mapping[str, str]) -> str:
        """The text to keep."""
        return self.close(json.dumps(dict(headers)))

    async def renew(self) -> None:
        """Seal anew what an earlier root secret has sealed; all processes may do so at a time."""
        root = self.root
        async with self._host.store.read() as tx:
            rows = await self._directory.outdated(tx, root)
        for start in range(0, len(rows), AT_ONCE):
            async with self._host.store.write() as tx:
                for row in rows[start : start + AT_ONCE]:
                    try:
                        renewed = self._renewed(row, root)
                    except Sealed as error:
                        log.error("webhook_secret_sealed", endpoint=row.id, reason=str(error))
                    else:
                        await self._directory.reseal(tx, row, renewed)

    def _renewed(self, row: EndpointRow, root: str) -> EndpointRow:
        again: dict[str, Any] = {
            name: self._rotated(getattr(row, name)) for name in ("headers", "secret", "previous_secret", "signing_key")
        }
        return replace(row, root=root, **again)

    def _rotated(self, text: str | None) -> str | None:
        if text is None:
            return None
        # A text that none opens is told once, here, and stays.
        self._host.vault.decrypt(text)
        return self._host.vault.rotated(text)
