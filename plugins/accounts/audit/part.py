"""What the audit trail contributes to the plugin of accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.contract import Host, Worker
from gateway.core.ports import Audit
from plugins.accounts.audit.desk import AuditDesk
from plugins.accounts.audit.sealer import Sealer


def services(host: Host) -> Mapping[type, Any]:
    """One of each a process."""
    desk = AuditDesk(host)
    return {AuditDesk: desk, Audit: desk, Sealer: Sealer(host, desk)}


def workers(host: Host) -> Sequence[Worker]:
    """The sealer and the retention."""
    return host.service(Sealer).workers()
