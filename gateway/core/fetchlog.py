"""The fetch log of one operation: how each answer that it shows was got, and how long and for whom they hold."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

from schema.facts import Shared
from schema.provenance import CacheStatus, Provenance


@dataclass(frozen=True, slots=True)
class Fetched:
    """One answer and where it came from (the same provenance that its items carry)."""

    value: Any
    provenance: Provenance


class FetchLog:
    """Keyed by the provenance object itself, which is held here so that its identity stays unique."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[Provenance, CacheStatus]] = {}
        self.calls: dict[str, int] = {}
        """Answers that providers were called for, by provider."""
        self.hits: dict[str, int] = {}
        """Answers that were there already, or on their way for somebody else."""
        self.fresh_until = inf
        """Until when (monotonic) all that was fetched holds; infinite where nothing was."""
        self.shared = Shared.PUBLIC
        """With whom all of it may be shared: the narrowest word counts."""

    def note(self, provenance: Provenance, status: CacheStatus) -> None:
        """The first word counts: what an operation fetched and then read again is still a MISS."""
        if id(provenance) not in self._seen:
            counted = self.calls if status is CacheStatus.MISS else self.hits
            counted[provenance.provider] = counted.get(provenance.provider, 0) + 1
        self._see(provenance, status)

    def hold(self, until: float, shared: Shared = Shared.PUBLIC) -> None:
        """Something that was read holds until then, and may be shared so."""
        if until < self.fresh_until:
            self.fresh_until = until
        if shared < self.shared:
            self.shared = shared

    def _see(self, provenance: Provenance, status: CacheStatus) -> None:
        if status is CacheStatus.STALE:
            self.shared = Shared.NONE
        self._seen.setdefault(id(provenance), (provenance, status))

    def note_all(self, value: Any, provenance: Provenance, status: CacheStatus) -> None:
        """The answer's provenance and those of its items."""
        self.note(provenance, status)
        items = value if isinstance(value, tuple) else (value,)
        for item in items:
            own = getattr(item, "provenance", None)
            if own is not None and own is not provenance:
                self._see(own, status)

    def hit(self, value: Any, provenance: Provenance, until: float, shared: Shared) -> None:
        """`note_all` and `hold` of a copy that was there already, at once."""
        seen, key = self._seen, id(provenance)
        if key not in seen:
            seen[key] = (provenance, CacheStatus.HIT)
            self.hits[provenance.provider] = self.hits.get(provenance.provider, 0) + 1
        if type(value) is tuple:
            for item in value:
                own = getattr(item, "provenance", None)
                if own is not None and own is not provenance:
                    seen.setdefault(id(own), (own, CacheStatus.HIT))
        if until < self.fresh_until:
            self.fresh_until = until
        if shared < self.shared:
            self.shared = shared

    @property
    def empty(self) -> bool:
        """Whether nothing was seen yet."""
        return not self._seen

    def adopt(self, other: FetchLog) -> None:
        """All hits that another log saw; nothing was seen here before."""
        self._seen.update(other._seen)
        for provider, count in other.hits.items():
            self.hits[provider] = self.hits.get(provider, 0) + count
        self.hold(other.fresh_until, other.shared)

    def forget(self) -> None:
        """What was seen is asked about no more, as after each part of a long answer; what was counted stays."""
        self._seen.clear()

    def derive(self, provenance: Provenance, *sources: Provenance) -> None:
        """What was worked out from answers was got as the first was, and is stale if any is."""
        found = [self.status(source) for source in sources]
        self._see(provenance, CacheStatus.STALE if CacheStatus.STALE in found else found[0])

    def status(self, provenance: Provenance) -> CacheStatus:
        """MISS for what this operation made itself."""
        found = self._seen.get(id(provenance))
        return found[1] if found else CacheStatus.MISS
