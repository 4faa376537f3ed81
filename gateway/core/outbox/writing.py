"""What is written at the end of a transaction: its events, and the entries of the logs that they stand in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from gateway.core.outbox.forms import written
from gateway.core.outbox.port import EventPrinter
from gateway.core.outbox.tables import events, heads, log
from gateway.core.store import Tx
from gateway.core.writes import Addition, Insertion
from schema.events import Event

MARKETS = ""
"""The tenant whose log counts the events of the markets; nobody reads it."""


_EVENTS, _ENTRIES, _POSITIONS = Insertion(events), Insertion(log), Addition(heads, "tenant_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted:
    """An event, and the tenants in whose logs it stands; the first one's position is its sequence number."""

    event: Event
    logs: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Emission:
    """All of one transaction."""

    tx: Tx
    printer: EventPrinter
    emitted: list[Emitted] = field(default_factory=list)

    def add(self, event: Event, home: str, readers: Collection[str]) -> None:
        """One more."""
        self.emitted.append(Emitted(event=event, logs=(home, *sorted(set(readers) - {home}))))

    async def write(self) -> None:
        """Positions are taken last, as their row is locked until the commit: logs grow in the order of commits."""
        # What takes time comes before the locks.
        printed = [await self.printer.printed(each.event) for each in self.emitted]
        positions = await self._positions()
        rows: list[dict[str, Any]] = []
        entries: list[dict[str, Any]] = []
        for each, data in zip(self.emitted, printed, strict=True):
            sequence = str(positions[each.logs[0]] + 1)
            event = replace(each.event, sequence=sequence)
            data["sequence"] = sequence
            rows.append({
                "id": event.id, "type": event.name, "version": event.version, "occurred_at": event.occurred_at,
                "value": written(event), "data": orjson.dumps(data).decode(),
            })  # fmt: skip
            for tenant in each.logs:
                positions[tenant] += 1
                if tenant != MARKETS:
                    entries.append({
                        "tenant_id": tenant, "position": positions[tenant], "event_id": event.id, "type": event.name,
                        "version": event.version, "subject": event.subject, "occurred_at": event.occurred_at,
                        "taken": False,
                    })  # fmt: skip
        self.tx.later(_EVENTS, rows)
        self.tx.later(_ENTRIES, entries)

    @property
    def tenants(self) -> Sequence[str]:
        """Whose logs grow."""
        return sorted({tenant for each in self.emitted for tenant in each.logs} - {MARKETS})

    async def _positions(self) -> dict[str, int]:
        """The newest position of each log before this transaction; always locked in one order."""
        counts: dict[str, int] = {}
        for each in self.emitted:
            for tenant in each.logs:
                counts[tenant] = counts.get(tenant, 0) + 1
        more = [{"tenant_id": tenant, "position": counts[tenant]} for tenant in sorted(counts)]
        return {tenant: newest - counts[tenant] for tenant, newest in await self.tx.added(_POSITIONS, more)}
