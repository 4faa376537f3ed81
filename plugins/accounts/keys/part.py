"""What keys contribute to the plugin of accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.contract import Host, Worker
from gateway.core.ports import Purse
from plugins.accounts.keys.acts import KeyActs
from plugins.accounts.keys.desk import KeyDesk
from plugins.accounts.keys.uses import EVERY

TIDY_EVERY = 3_600.0


def services(host: Host) -> Mapping[type, Any]:
    """One of each a process."""
    desk = KeyDesk(host)
    return {KeyDesk: desk, Purse: desk, KeyActs: KeyActs(desk)}


def workers(host: Host) -> Sequence[Worker]:
    """What is written behind the requests."""
    desk = host.service(KeyDesk)
    return [
        Worker(name="keys_last_used", every=EVERY, run=desk.uses.write, finish=desk.uses.write),
        Worker(name="access_tokens_tidy", every=TIDY_EVERY, run=desk.tidy),
    ]
