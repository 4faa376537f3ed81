"""How much may be sent to each endpoint now: slots, a breaker. Of this process, in memory; a rate is counted by all
processes together (`pace`), and here only so that the database is not asked in vain.

A lane begins with one slot and has one more after each success, up to its most: an endpoint of which nothing is known,
or that failed last, holds up one attempt at a time, however much waits for it.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

SLOTS = 4
"""Attempts under way to one endpoint at most."""
SHARES = 4
"""No tenant has more of all attempts under way than one part of so many."""
PATIENCE = 5
"""Failures in a row that open a breaker."""
LONGEST_PAUSE_S = 60.0
BURST = 0.05
"""Of a rate's attempts a second, how many may begin at once."""


@dataclass(slots=True)
class Lane:
    """One endpoint; times are monotonic seconds."""

    endpoint: str
    tenant: str = ""
    """Whose it is, once that is known."""
    window: int = 1
    flying: int = 0
    failures: int = 0
    """In a row."""
    open_until: float = 0.0
    """While its breaker is open."""
    next_at: float = 0.0
    """When its rate allows the next attempt."""
    rate: float | None = None
    """Attempts a second."""
    news: int = 0
    """Grows whenever something may have become due: who looks in the database compares it with before."""

    def free(self, now: float, window: int) -> int:
        """How many attempts may begin now."""
        if now < self.open_until or now < self.next_at:
            return 0
        most = min(self.window, window) - self.flying
        return most if self.rate is None else min(most, self._burst, 1 + int((now - self.next_at) * self.rate))

    @property
    def _burst(self) -> int:
        return max(1, int((self.rate or 0.0) * BURST))

    def wakes_at(self, now: float) -> float | None:
        """When more may begin, where it is a matter of time alone."""
        at = max(self.open_until, self.next_at)
        return at if at > now else None

    def began(self, now: float) -> None:
        """An attempt is under way."""
        self.flying += 1
        if self.rate is not None:
            self.next_at = max(self.next_at, now - (self._burst - 1) / self.rate) + 1 / self.rate

    def succeeded(self, slots: int) -> None:
        """An attempt ended well."""
        self.failures, self.open_until = 0, 0.0
        self.window = min(self.window + 1, slots)

    def failed(self, now: float, pauses_s: Sequence[float]) -> None:
        """An attempt ended otherwise; after so many in a row there is a pause, longer each time."""
        self.failures += 1
        self.window = 1
        if self.failures >= PATIENCE and pauses_s:
            pause = pauses_s[min(self.failures - PATIENCE, len(pauses_s) - 1)]
            self.open_until = now + min(pause, LONGEST_PAUSE_S)

    def idle(self, now: float) -> bool:
        """Whether it may be forgotten."""
        return not self.flying and not self.failures and self.next_at <= now


@dataclass(slots=True, kw_only=True)
class Lanes:
    """All endpoints for which something waits or is under way, asked in turn."""

    most: int
    """Attempts under way in all."""
    pauses_s: Sequence[float]
    slots: int = SLOTS
    flying: int = 0
    flying_of: Counter[str] = field(default_factory=Counter)
    """By tenant."""
    doubtful: int = 0
    """Of them, to endpoints that had failed before: these have half of all slots at most, and of their tenant's."""
    doubtful_of: Counter[str] = field(default_factory=Counter)
    """By tenant."""
    _lanes: dict[str, Lane] = field(default_factory=dict)
    _ready: OrderedDict[str, None] = field(default_factory=OrderedDict)
    """Endpoints for which something may be due, the longest unasked first."""
    _alarms: dict[str, float] = field(default_factory=dict)
    _later: list[tuple[float, str]] = field(default_factory=list)
    """A heap; an entry that is not its endpoint's alarm any more is passed over."""

    def __len__(self) -> int:
        return len(self._lanes)

    def due(self, endpoints: Iterable[str]) -> None:
        """Something may wait for these now."""
        for endpoint in endpoints:
            self._lane(endpoint).news += 1
            self._ready.setdefault(endpoint)

    def due_at(self, endpoint: str, at: float) -> None:
        """Something waits for it from an instant on."""
        if at < self._alarms.get(endpoint, float("inf")):
            self._alarms[endpoint] = at
            heappush(self._later, (at, endpoint))

    def next_at(self) -> float | None:
        """When time alone makes something possible."""
        while self._later and self._alarms.get(self._later[0][1]) != self._later[0][0]:
            heappop(self._later)
        return self._later[0][0] if self._later else None

    def wishes(self, now: float, most: int) -> dict[str, tuple[int, int]]:
        """Whom to claim for: by endpoint how many, and its `news` at this moment."""
        self._ring(now)
        found: dict[str, tuple[int, int]] = {}
        taken, doubted = Counter[str](), Counter[str]()
        room, doubtful = min(most, self.most - self.flying), self.most // 2 - self.doubtful
        for endpoint in tuple(self._ready):
            if room <= 0:
                break
            lane = self._lanes[endpoint]
            tenant = lane.tenant
            count = min(lane.free(now, self._window(tenant, taken[tenant])), room, self.room(tenant) - taken[tenant])
            if lane.failures:
                count = min(count, doubtful, self._doubtful_room(tenant) - doubted[tenant])
            if count > 0:
                found[endpoint] = (count, lane.news)
                room -= count
                taken[tenant] += count
                if lane.failures:
                    doubtful -= count
                    doubted[tenant] += count
                self._ready.move_to_end(endpoint)
            elif (at := lane.wakes_at(now)) is not None:
                # Time brings it back; while it only lacks slots, it stays for when one is free.
                del self._ready[endpoint]
                self.due_at(endpoint, at)
        return found

    def room(self, tenant: str) -> int:
        """How many more attempts a tenant may have under way: a quarter of all at most, so that many endpoints of one
        that never answer leave slots to others. Of a tenant that is not known yet, any number."""
        return self._share - self.flying_of[tenant] if tenant else self.most

    @property
    def _share(self) -> int:
        return max(self.most // SHARES, 1)

    def _window(self, tenant: str, taken: int) -> int:
        """Where it gets narrow, for all or for one tenant, no endpoint has more than one."""
        narrow = self.flying >= self.most // 2 or (tenant and self.flying_of[tenant] + taken >= self._share // 2)
        return 1 if narrow else self.slots

    def _doubtful_room(self, tenant: str) -> int:
        """How many more attempts to its endpoints that failed a tenant may have under way: the other half of its slots
        is for those that answer."""
        return max(self._share // 2, 1) - self.doubtful_of[tenant] if tenant else self.most

    def owned(self, endpoint: str, tenant: str) -> None:
        """Whose an endpoint is that was just wished for."""
        self._lane(endpoint).tenant = tenant

    def pause(self, endpoint: str, at: float) -> None:
        """Its rate allows nothing until then, by what all processes have sent."""
        lane = self._lane(endpoint)
        lane.next_at = max(lane.next_at, at)

    def nothing_left(self, endpoint: str, news: int, now: float) -> None:
        """A claim that began at *news* found less than it wished."""
        lane = self._lanes.get(endpoint)
        if lane is not None and lane.news == news:
            self._ready.pop(endpoint, None)
            self._forget(lane, now)

    def began(self, endpoint: str, now: float, rate: float | None, tenant: str = "") -> bool:
        """An attempt is under way; the answer says whether the endpoint was doubtful, for `ended`."""
        lane = self._lane(endpoint)
        lane.rate, lane.tenant = rate, tenant
        lane.began(now)
        self.flying += 1
        self.flying_of[tenant] += 1
        if lane.failures:
            self.doubtful += 1
            self.doubtful_of[tenant] += 1
        return lane.failures > 0

    def ended(self, endpoint: str, now: float, *, doubtful: bool, well: bool | None) -> None:
        """It is over; *well* is None where that says nothing of the endpoint."""
        lane = self._lanes[endpoint]
        lane.flying -= 1
        self.flying -= 1
        _less(self.flying_of, lane.tenant)
        if doubtful:
            self.doubtful -= 1
            _less(self.doubtful_of, lane.tenant)
        if well:
            lane.succeeded(self.slots)
        elif well is not None:
            lane.failed(now, self.pauses_s)
        self._forget(lane, now)

    def disabled(self, endpoint: str) -> None:
        """Nothing is sent to it any more: what was known of it is forgotten."""
        lane = self._lanes.get(endpoint)
        if lane is not None:
            lane.failures, lane.open_until, lane.next_at = 0, 0.0, 0.0
            self._ready.pop(endpoint, None)
            self._alarms.pop(endpoint, None)
            self._forget(lane, 0.0)

    def _ring(self, now: float) -> None:
        while (at := self.next_at()) is not None and at <= now:
            _, endpoint = heappop(self._later)
            del self._alarms[endpoint]
            self.due((endpoint,))

    def _lane(self, endpoint: str) -> Lane:
        found = self._lanes.get(endpoint)
        if found is None:
            found = self._lanes[endpoint] = Lane(endpoint)
        return found

    def _forget(self, lane: Lane, now: float) -> None:
        """Many endpoints hear of something once a day."""
        if lane.endpoint not in self._ready and lane.idle(now):
            self._lanes.pop(lane.endpoint, None)


def _less(counts: Counter[str], tenant: str) -> None:
    counts[tenant] -= 1
    if not counts[tenant]:
        del counts[tenant]
