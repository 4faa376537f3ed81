"""What signing in with a provider brings into the plugin: services."""

from __future__ import annotations

from typing import Any

from gateway.core.contract import Host, Worker
from plugins.accounts.oauth.desk import ProviderDesk
from plugins.accounts.oauth.second_factor import Confirmation


def services(host: Host) -> dict[type, Any]:
    """One of each in a process."""
    return {ProviderDesk: ProviderDesk(host), Confirmation: Confirmation(host)}


def workers(host: Host) -> list[Worker]:
    """None of its own: states that are over are swept out with all one-time tokens."""
    return []
