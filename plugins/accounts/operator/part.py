"""What operators contribute to the plugin of accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.contract import Host, Worker
from plugins.accounts.operator.applying import Applying
from plugins.accounts.operator.credentials import OperatorKeys
from plugins.accounts.operator.switching import Switching
from plugins.accounts.operator.tenants import Tenants


def services(host: Host) -> Mapping[type, Any]:
    """One of each a process."""
    tenants = Tenants(host)
    return {
        Tenants: tenants, Applying: Applying(host, tenants), Switching: Switching(host),
        OperatorKeys: OperatorKeys(host),
    }  # fmt: skip


def workers(host: Host) -> Sequence[Worker]:
    """Follows the switches of providers."""
    return host.service(Switching).workers()


async def start(host: Host) -> None:
    """Switches hold from the first question on."""
    await host.service(Switching).follow()
