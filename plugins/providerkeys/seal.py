"""Provider keys at rest: encrypted, and bound to the organisation and the provider that they were set for."""

from __future__ import annotations

import json
from collections.abc import Mapping

import structlog

from gateway.core.contract import Host, Sealed
from plugins.providerkeys.store import KeyRow, SealDirectory

AT_ONCE = 100

log = structlog.get_logger(__name__)


class Seal:
    """Seals and opens with the vault's root secrets."""

    def __init__(self, host: Host) -> None:
        self._host, self._directory = host, SealDirectory()

    @property
    def root(self) -> str:
        """A mark of the newest root secret, which tells nothing of it."""
        return self._host.vault.digest("root of provider keys", "")[:16]

    def close(self, tenant: str, provider: str, parts: Mapping[str, str]) -> str:
        """The text to keep."""
        return self._host.vault.encrypt(json.dumps({"tenant": tenant, "provider": provider, "parts": dict(parts)}))

    def open(self, row: KeyRow) -> Mapping[str, str]:
        """The parts; Sealed where no root secret opens them, or they were set for somebody else."""
        found = json.loads(self._host.vault.decrypt(row.sealed))
        if (found["tenant"], found["provider"]) != (row.tenant_id, row.provider):
            raise Sealed("it was sealed for another organisation or provider")
        return {str(name): str(value) for name, value in found["parts"].items()}

    async def renew(self) -> None:
        """Seal anew what an earlier root secret has sealed; all processes may do so at a time."""
        root = self.root
        async with self._host.store.read() as tx:
            rows = await self._directory.outdated(tx, root)
        for start in range(0, len(rows), AT_ONCE):
            async with self._host.store.write() as tx:
                for row in rows[start : start + AT_ONCE]:
                    try:
                        sealed = self.close(row.tenant_id, row.provider, self.open(row))
                    except Sealed as error:
                        log.error("provider_key_sealed", tenant=row.tenant_id, provider=row.provider, reason=str(error))
                    else:
                        await self._directory.reseal(tx, row, sealed, root)
