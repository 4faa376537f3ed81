"""The fetch log of one operation: how each answer that it shows was got."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schema.provenance import CacheStatus, Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One answer and where it came from (the same provenance that its items carry)."""

    value: Any
    provenance: Provenance


class FetchLog:
    """Keyed by the provenance object itself, which is held here so that its identity stays unique."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Provenance, CacheStatus]] = {}

    def note(self, provenance: Provenance, status: CacheStatus) -> None:
        """The first word counts: what an operation fetched and then read again is still a MISS."""
        self._seen.setdefault(id(provenance), (provenance, status))

    def note_all(self, value: Any, provenance: Provenance, status: CacheStatus) -> None:
        """The answer's provenance and those of its items."""
        self.note(provenance, status)
        items = value if isinstance(value, tuple) else (value,)
        for item in items:
            own = getattr(item, "provenance", None)
            if own is not None and own is not provenance:
                self.note(own, status)

    def derive(self, provenance: Provenance, *sources: Provenance) -> None:
        """What was worked out from answers was got as the first was, and is stale if any is."""
        found = [self.status(source) for source in sources]
        self.note(provenance, CacheStatus.STALE if CacheStatus.STALE in found else found[0])

    def status(self, provenance: Provenance) -> CacheStatus:
        """MISS for what this operation made itself."""
        found = self._seen.get(id(provenance))
        return found[1] if found else CacheStatus.MISS
