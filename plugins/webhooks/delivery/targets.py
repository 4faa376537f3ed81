"""Endpoints as they are sent to: decrypted once for each change of them."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.core.contract import Host
from plugins.webhooks.delivery.signing import Sign, signer_of
from plugins.webhooks.rows import ED25519, EndpointRow

MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to send, and how to sign."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    current: Sequence[Sign]
    previous: Sign | None
    previous_until: datetime | None
    rate: float | None
    changed_at: datetime

    def signers(self, now: datetime) -> list[Sign]:
        """During a rotation the secret before signs too."""
        if self.previous is None or self.previous_until is None or now >= self.previous_until:
            return list(self.current)
        return [*self.current, self.previous]


class Targets:
    """Kept in memory, the most recently used ones."""

    def __init__(self, host: Host) -> None:
        self._vault = host.vault
        self._kept: OrderedDict[str, Target] = OrderedDict()

    def kept(self, endpoint_id: str, changed_at: datetime) -> Target | None:
        """As it was read before, unless it has changed since."""
        found = self._kept.get(endpoint_id)
        if found is None or found.changed_at != changed_at:
            return None
        self._kept.move_to_end(endpoint_id)
        return found

    def read(self, row: EndpointRow) -> Target:
        """Raises Sealed, BadSecret, ValueError where the row cannot be read."""
        secrets = [row.secret]
        if row.signing == ED25519 and row.signing_key is not None:
            secrets.append(row.signing_key)
        headers = json.loads(self._vault.decrypt(row.headers)) if row.headers else {}
        made = Target(
            url=row.url, headers=headers, changed_at=row.changed_at, previous_until=row.previous_until,
            current=[signer_of(self._vault.decrypt(each)) for each in secrets],
            previous=None if row.previous_secret is None else signer_of(self._vault.decrypt(row.previous_secret)),
            rate=None if row.rate_per_second is None else float(row.rate_per_second),
        )  # fmt: skip
        self._kept[row.id] = made
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return made
