"""What providers say of organisations' own keys: that one is refused is an event, once until it works again."""

from __future__ import annotations

from gateway.core.contract import Host
from gateway.core.ports import Outbox
from plugins.providerkeys.events import ProviderKeyInvalid
from plugins.providerkeys.store import KeyStore
from schema.errors import UpstreamError

WRITE_EVERY = 1.0


class KeyVerdicts:
    """Hears while requests run, and writes behind them. Every process may: the row of the key decides what is news."""

    def __init__(self, host: Host) -> None:
        self._host, self._rows = host, KeyStore()
        self._heard: dict[tuple[str, str], UpstreamError | None] = {}
        host.data.on_key.append(self._hear)

    def _hear(self, tenant: str, provider: str, refusal: UpstreamError | None) -> None:
        self._heard[tenant, provider] = refusal

    async def write(self) -> None:
        """What was heard since, the newest of each key."""
        for key, refusal in tuple(self._heard.items()):
            await self._judge(*key, refusal)
            # Another word may have come meanwhile.
            if self._heard[key] is refusal:
                del self._heard[key]

    async def _judge(self, tenant: str, provider: str, refusal: UpstreamError | None) -> None:
        async with self._host.store.write() as tx:
            if refusal is None:
                await self._rows.works(tx, tenant, provider)
            elif await self._rows.refused(tx, tenant, provider, self._host.clock.now()):
                event = ProviderKeyInvalid(provider=provider, reason=refusal.detail)
                self._host.service(Outbox).emit(tx, event, tenant=tenant)
