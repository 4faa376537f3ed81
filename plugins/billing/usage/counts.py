"""What operations add up to in memory: whole operations, root fields, providers; by tenant, hour and key. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from gateway.core.identity import PlanLimits
from gateway.core.ports import Spent
from plugins.billing.calendar import HOUR, Month, hour_of

WHOLE = ""
"""The `field` of the row that counts each operation once."""
MOST_ROWS = 50_000

Key = tuple[str, datetime, str, str]
"""Tenant, hour, key id, and a field or a provider."""


@dataclass(slots=True)
class Count:
    """Sums."""

    operations: int = 0
    points: int = 0
    calls: int = 0
    hits: int = 0
    errors: int = 0

    def add(self, points: int, calls: int, hits: int, failed: bool) -> None:
        """One operation more."""
        self.operations += 1
        self.points += points
        self.calls += calls
        self.hits += hits
        self.errors += failed


class Rows(NamedTuple):
    """Where the operations of one price and one caller are counted within an hour."""

    fields: Mapping[str, int]
    whole: Count
    each: tuple[tuple[Count, int, bool], ...]
    """By root field: its count, its points, and whether it is the one that upstream calls are put down to."""


@dataclass(slots=True)
class Batch:
    """Counts that are written together, once. Detail is let go of before whole operations are: they are the bill."""

    id: str
    fields: dict[Key, Count] = field(default_factory=dict)
    providers: dict[Key, Count] = field(default_factory=dict)
    points: dict[tuple[str, Month], int] = field(default_factory=dict)
    limits: dict[str, PlanLimits] = field(default_factory=dict)
    lost: int = 0
    """Rows that found no place."""
    _now: tuple[datetime, datetime, Month] | None = None
    """The hour that is counted, its end, and its month: most operations fall into the one of the operation before."""
    _rows: dict[tuple[str, str, int], Rows] = field(default_factory=dict)
    """Of this hour, by tenant, key, and the identity of the fields, which are held."""

    def __bool__(self) -> bool:
        return bool(self.fields)

    def note(self, spent: Spent) -> None:
        """Count an operation."""
        principal = spent.principal
        hour, end, month = self._now or self._turn(spent.at)
        if not hour <= spent.at < end:
            hour, end, month = self._turn(spent.at)
        tenant, key, seen = principal.tenant, principal.key or "", spent.hits or spent.upstream_calls
        calls, hits = (sum(spent.upstream_calls.values()), sum(spent.hits.values())) if seen else (0, 0)
        rows = self._rows.get((tenant, key, id(spent.fields))) or self._find(tenant, hour, key, spent.fields)
        if rows is None:
            return
        rows.whole.add(spent.points, calls, hits, spent.failed)
        self.points[tenant, month] = self.points.get((tenant, month), 0) + spent.points
        self.limits[tenant] = principal.limits
        for count, points, dearest in rows.each:
            count.add(points, calls if dearest else 0, hits if dearest else 0, spent.failed)
        for name in spent.upstream_calls.keys() | spent.hits.keys() if seen else ():
            found = self._at(self.providers, (tenant, hour, key, name), MOST_ROWS)
            if found is not None:
                found.add(spent.points, spent.upstream_calls.get(name, 0), spent.hits.get(name, 0), spent.failed)

    def _find(self, tenant: str, hour: datetime, key: str, fields: Mapping[str, int]) -> Rows | None:
        """The rows of an operation; they are remembered where all of them found a place."""
        whole = self._at(self.fields, (tenant, hour, key, WHOLE), 2 * MOST_ROWS)
        if whole is None:
            return None
        dearest, each = costliest(fields), list[tuple[Count, int, bool]]()
        for name, points in fields.items():
            found = self._at(self.fields, (tenant, hour, key, name), MOST_ROWS)
            if found is not None:
                each.append((found, points, name == dearest))
        rows = Rows(fields, whole, tuple(each))
        if len(each) == len(fields):
            if len(self._rows) >= MOST_ROWS:
                self._rows.clear()
            self._rows[tenant, key, id(fields)] = rows
        return rows

    def _turn(self, at: datetime) -> tuple[datetime, datetime, Month]:
        hour = hour_of(at)
        self._now = (hour, hour + HOUR, Month.of(hour))
        self._rows.clear()
        return self._now

    def _at(self, rows: dict[Key, Count], key: Key, most: int) -> Count | None:
        found = rows.get(key)
        if found is None:
            if len(rows) >= most:
                self.lost += 1
                return None
            found = rows[key] = Count()
        return found


def costliest(fields: Mapping[str, int]) -> str | None:
    """The root field that an operation's upstream calls are put down to: the dearest, of equals the first."""
    return max(fields, key=fields.__getitem__) if fields else None
