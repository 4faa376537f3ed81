"""The outbox as plugins and the edge see it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import strawberry

from gateway.core.store import Tx
from schema.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An event as it stands in a tenant's log."""

    tenant: str
    position: int
    """Rises by one with every entry of the tenant's log, in the order of commits."""
    event: Event
    data: str
    """The event as GraphQL prints it: JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """The head of an event in a tenant's log: what filters look at."""

    tenant_id: str
    position: int
    event_id: str
    type: str
    version: int
    subject: str
    occurred_at: datetime


class Outbox(Protocol):
    """The log of events: written in the transaction of what happened, read by cursor."""

    @property
    def catalog(self) -> Mapping[str, type[Event]]:
        """Every type of event by its name."""

    def emit(self, tx: Tx, event: Event, *, tenant: str) -> strawberry.ID:
        """An event of a tenant's own, written as the transaction's last deed; the answer is its id."""

    def emit_to(self, tx: Tx, event: Event, tenants: Collection[str]) -> strawberry.ID:
        """An event of the markets, once, into the logs of those who want to know."""

    def emit_aside(self, tx: Tx, event: Event) -> strawberry.ID:
        """An event that stands in nobody's log: whoever makes it sends it where it belongs. The answer is its id."""

    async def entries(
        self, tenant: str, *, after: int, types: Collection[str] | None = None, limit: int = 100
    ) -> list[Entry]:
        """What stands behind a position, ascending."""

    async def bounds(self, tenant: str) -> tuple[int, int]:
        """The position before the oldest entry that is kept, and that of the newest."""

    def follow(
        self, tenant: str, *, after: int, types: Collection[str] | None = None
    ) -> AsyncGenerator[Sequence[Entry], None]:
        """Everything behind a position as it comes, without end: none missing, none twice."""

    async def take(self, tx: Tx, limit: int) -> list[Marked]:
        """Entries that were not taken before, for the one who sends them on: taken when the transaction is committed.

        No two transactions take the same one. The oldest come first.
        """

    async def printed(self, tx: Tx, event_ids: Collection[str]) -> Mapping[str, tuple[str, str, datetime]]:
        """Type, data and instant of events, by id."""

    async def events(self, tx: Tx, event_ids: Collection[str]) -> Mapping[str, Event]:
        """Events by id, whoever's log they stand in; without those that are gone."""

    async def between(
        self, tx: Tx, tenant: str, *, since: datetime, until: datetime, after: int, limit: int
    ) -> list[Marked]:
        """A tenant's entries of events that happened in [since, until), behind a position, ascending."""

    async def export(self, tx: Tx, tenant: str) -> list[str]:
        """Everything that a tenant was told, as it was printed: JSON, the oldest first."""

    async def erase(self, tx: Tx, tenant: str) -> None:
        """A tenant's log, and its events."""

    async def erase_aside(self, tx: Tx, event_ids: Collection[str]) -> None:
        """Of these events, those that stand in no log."""

    def on_news(self, handler: Callable[[str], None]) -> Callable[[], None]:
        """Call *handler* with a tenant whose log has grown (`*`: any), soon after the commit; the answer ends it.

        In every process. A hint: what must not be missed is looked for again now and then.
        """


class Interests(Protocol):
    """What endpoints of webhooks ask for: events of the markets are made for nobody else."""

    async def wanted(self, types: Collection[str]) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """By type: by channel: the tenants with an enabled endpoint that asks for it. Held in memory for seconds.

        A channel is a part of a `subject`, or what begins it in front of a `#`. `provider.*` events need none: all who
        ask for them stand under `*`.
        """


class Endpoints(Protocol):
    """How many endpoints of webhooks there are."""

    async def count(self, tenant: str) -> int:
        """A tenant's, the disabled ones included."""


class EventPrinter(Protocol):
    """Events in their outer form, as the schema has them."""

    async def printed(self, event: Event) -> dict[str, Any]:
        """All scalars, objects within, cut at other nodes' ids, as GraphQL prints them."""

    def json_schema(self, kind: type[Event]) -> dict[str, Any]:
        """What `printed` makes of a type, as a JSON Schema (draft 2020-12)."""

    def selection(self, kind: type[Event]) -> str:
        """The same as a GraphQL selection."""
