"""What other parts, here and in other processes, are told soon: an endpoint has changed, a delivery is due."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gateway.core.contract import Host
from gateway.core.store import Tx

CHANGED = "webhooks.endpoints"
"""`{"tenant"}`: its endpoints are others, or otherwise, than before."""
DUE = "webhooks.due"
"""`{"endpoint"}`: a delivery of it is due that the outbox has not told of: a test, one that is sent anew."""

REVOKED, TENANT = "accounts.revoked", "tenant"
"""`{"kind", "id"}` of accounts: a tenant was suspended, resumed, deleted or restored, where the kind is this."""


def tell_changed(host: Host, tx: Tx, tenant: str) -> None:
    """Once the transaction is committed."""
    tx.then(lambda: host.bus.publish(CHANGED, {"tenant": tenant}))


def tell_due(host: Host, tx: Tx, endpoint: str) -> None:
    """Once the transaction is committed."""
    tx.then(lambda: host.bus.publish(DUE, {"endpoint": endpoint}))


def hear_due(host: Host, due: Callable[[Iterable[str]], None]) -> None:
    """Call *due* with the endpoint of each such delivery, in whatever process it was written."""
    host.bus.subscribe(DUE, lambda message: due((str(message["endpoint"]),)))


def hear_closed(host: Host, changed: Callable[[], None]) -> None:
    """Call *changed* when a tenant may have been closed or opened, and when messages may have been lost."""

    def heard(message: Mapping[str, Any]) -> None:
        if message.get("kind") == TENANT:
            changed()

    host.bus.subscribe(REVOKED, heard)
    host.bus.on_gap(changed)
