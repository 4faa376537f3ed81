"""What all producers work with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from gateway.core.contract import Context, Host
from gateway.core.identity import LOCAL
from gateway.core.ports import Backstage, Outbox
from gateway.core.store import Tx
from plugins.events.producers.wanted import Tenants, Wanted
from schema.capability import Right, Terms
from schema.events import Event

TERMS = Terms(rights=frozenset({Right.SHARE, Right.DELIVER}))
"""One stream for all tenants, whose values leave with events: only providers whose licence allows both."""


@dataclass(slots=True, kw_only=True)
class Stage:
    """One a process. `wanted` is what endpoints asked for at the last look."""

    host: Host
    wanted: Wanted = field(default_factory=lambda: Wanted({}))

    def context(self) -> Context:
        """The gateway asks for itself: no tenant's keys, and nobody's plan."""
        return self.host.service(Backstage).context(LOCAL)

    def tenants(self, event: Event) -> Tenants:
        """Who is to be told of it."""
        return self.wanted.tenants(event.name, event.subject)

    def tell(self, tx: Tx, event: Event) -> None:
        """Into the logs of all who want it."""
        if tenants := self.tenants(event):
            self.host.service(Outbox).emit_to(tx, event, tenants)


class Producer(Protocol):
    """The work for one subject."""

    async def run(self) -> None:
        """Until it is cancelled, or the stream cannot go on: MarketgateError says why."""
