"""The plugin's value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.core.contract import Host, Plugin, Worker
from gateway.core.ports import ProviderKeys
from gateway.core.store import Tx
from plugins.providerkeys.desk import ProviderKeyDesk
from plugins.providerkeys.events import ProviderKeyInvalid
from plugins.providerkeys.fields import ProviderKeyMutation, ProviderKeyQuery
from plugins.providerkeys.ring import KeyRing
from plugins.providerkeys.seal import Seal
from plugins.providerkeys.store import KeyStore
from plugins.providerkeys.tables import TABLES
from plugins.providerkeys.verdicts import WRITE_EVERY, KeyVerdicts

RENEW_EVERY = 60.0
_SHOWN = ("provider", "names", "set_at", "set_by", "tested_at", "outcome", "refused_at")


def services(host: Host) -> dict[type, Any]:
    """One of each a process."""
    seal = Seal(host)
    ring = KeyRing(host, seal)
    return {
        Seal: seal, KeyRing: ring, ProviderKeys: ring, ProviderKeyDesk: ProviderKeyDesk(host, seal, ring),
        KeyVerdicts: KeyVerdicts(host),
    }  # fmt: skip


def workers(host: Host) -> Sequence[Worker]:
    """What the rotation of the root secret leaves to do, and what providers say of keys."""
    verdicts = host.service(KeyVerdicts)
    return [
        Worker(name="providerkeys_renew", every=RENEW_EVERY, run=host.service(Seal).renew),
        Worker(name="providerkeys_verdicts", every=WRITE_EVERY, run=verdicts.write, finish=verdicts.write),
    ]


async def export(host: Host, tx: Tx, tenant: str) -> Mapping[str, Any]:
    """Names alone: values are never readable again."""
    rows = await KeyStore().all(tx, tenant)
    return {"keys": [{name: getattr(row, name) for name in _SHOWN} for row in rows]}


async def erase(host: Host, tx: Tx, tenant: str) -> None:
    """Every key of the organisation."""
    await KeyStore().erase(tx, tenant)
    host.service(KeyRing).tell(tx, tenant)


plugin = Plugin(
    name="providerkeys", query=ProviderKeyQuery, mutation=ProviderKeyMutation, services=services, workers=workers,
    tables=TABLES, migrations=Path(__file__).parent / "migrations", export=export, erase=erase,
    events=(ProviderKeyInvalid,),
)  # fmt: skip
