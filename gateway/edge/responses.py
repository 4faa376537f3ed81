"""The response cache: the `data` part of answers as bytes, for as long and for as many as all that is in it allows.

It stands behind authentication, permission, cost and limits and before execution; `extensions` are written anew for
every request. Bytes are held by each process for itself, bounded by their size.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from math import inf
from typing import TYPE_CHECKING, NamedTuple, Protocol

from gateway.core.bus import Bus, Message
from gateway.core.clock import Clock
from gateway.core.fetchlog import FetchLog
from gateway.core.identity import CallerKind, Principal
from gateway.core.metrics import counter, gauge
from gateway.edge.keeping import Keeping, Keepings
from gateway.edge.packing import Packed, framed, pack, unframed
from schema.facts import Shared

if TYPE_CHECKING:
    from gateway.edge.execute import PreparedOperation

CHANGED = "responses.changed"
"""On the bus: what a tenant sees may be different now."""
LANDING_S = 0.1
"""How long one waits for another's answer to the same question."""
LONGEST_S = 60.0
"""No answer is served longer, however fresh its parts are: what nobody told of changes is never older than this."""
LARGEST_SHARE = 8
"""An answer of more than one part in so many of the whole room is not kept."""
OVERHEAD = 600
"""Bytes that an entry takes beside its answer."""
MOST_CHANGES = 10_000

READS = counter(
    "marketgate_response_cache_reads", "Operations whose answers may be kept, by how they were answered.", "outcome"
)
HELD = gauge("marketgate_response_cache_bytes", "Bytes of answers that are kept.")
HIT, MISS = READS.labels("hit"), READS.labels("miss")


class Policy(NamedTuple):
    """What makes answers differ between callers: those of one policy may share, but for who has keys of its own."""

    fingerprint: Hashable
    public: bool


class Policies(Protocol):
    """Finds callers' policies."""

    def at_once(self, principal: Principal) -> Policy | None:
        """None where the tenant's keys must be read first."""

    async def find(self, principal: Principal) -> Policy:
        """Read what is not known."""


class Entry:
    """An answer that is kept; `etag` is of its `data`. The packed form is made at its first use."""

    __slots__ = ("etag", "framed", "key", "made", "packed", "size", "tenant", "until")

    def __init__(self, key: Hashable, data: bytes, made: float, until: float, tenant: str | None) -> None:
        self.key, self.made, self.until, self.tenant = key, made, until, tenant
        self.framed = framed(data)
        self.etag = b'W/"' + sha256(data).hexdigest()[:32].encode() + b'"'
        self.size = len(self.framed) + OVERHEAD
        self.packed: Packed | None = None

    @property
    def data(self) -> bytes:
        """The answer without its frame."""
        return unframed(self.framed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one caller's answer to one operation is kept: among those of its policy, or with its own."""

    prepared: PreparedOperation
    principal: Principal
    policy: Policy
    keeping: Keeping
    public: Hashable | None
    own: Hashable | None
    epoch: tuple[int, int]
    """What was dropped so far: an answer begun before a drop is not kept after it."""

    @property
    def flight(self) -> Hashable:
        """Who waits for one another."""
        return self.public or self.own, self.epoch


class ResponseCache:
    """One a process. Least recently used answers go first."""

    def __init__(
        self, *, clock: Clock, keepings: Keepings, policies: Policies, most_bytes: int, bus: Bus
    ) -> None:  # fmt: skip
        self.clock, self.policies = clock, policies
        self._keepings, self._bus, self._most = keepings, bus, most_bytes
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._bytes = 0
        self._cleared = 0
        self._changes: dict[str, int] = {}
        self._own: dict[str, set[Hashable]] = {}
        self._flights: dict[Hashable, asyncio.Future[None]] = {}
        bus.subscribe(CHANGED, self._on_changed)
        bus.on_gap(self.clear)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def held_bytes(self) -> int:
        """What is held now."""
        return self._bytes

    async def place(self, prepared: PreparedOperation, principal: Principal) -> Place | None:
        """Where the answer belongs; None where it is never kept."""
        document, operation = prepared.document, prepared.operation
        keeping = self._keepings.of(document, operation)
        if keeping.shared is Shared.NONE:
            return None
        variables = self._keepings.variables(document, operation, prepared.request.variables)
        if variables is None:
            return None
        # Before anything is waited for: what changes meanwhile makes the place a past one.
        epoch = self.epoch(principal.tenant)
        policy = self.policies.at_once(principal) or await self.policies.find(principal)
        question = (document.hash, operation.name.value if operation.name else None, variables, policy.fingerprint)
        tenant = principal.tenant if principal.kind is not CallerKind.ANONYMOUS else ""
        return Place(
            prepared=prepared, principal=principal, policy=policy, keeping=keeping,
            public=question if policy.public and keeping.shared is Shared.PUBLIC else None,
            own=(*question, tenant, principal.actor) if tenant else None, epoch=epoch,
        )  # fmt: skip

    def find(self, place: Place) -> Entry | None:
        """What is kept there and fresh: the caller's own before everybody's."""
        found = self.get(place.own) if place.own is not None else None
        if found is None and place.public is not None:
            found = self.get(place.public)
        return found

    async def landed(self, place: Place) -> Entry | None:
        """The answer to the same question of the same policy that is under way, if it is there soon.

        Whoever waited longer asks for itself: its own deadline counts from then, so the wait is short.
        """
        flight = self._flights.get(place.flight)
        if flight is None:
            return None
        await asyncio.wait({flight}, timeout=LANDING_S)
        return self.find(place)

    @contextmanager
    def flying(self, place: Place) -> Iterator[None]:
        """While the question is answered others who ask it may wait: at an expiry many ask at once."""
        if place.flight in self._flights:
            yield
            return
        flight = self._flights[place.flight] = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            del self._flights[place.flight]
            flight.set_result(None)

    def get(self, key: Hashable) -> Entry | None:
        """What is kept under a key and fresh."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if self.clock.monotonic() >= entry.until:
            self._drop(entry)
            return None
        self._entries.move_to_end(key)
        return entry

    def keep(self, place: Place, encode: Callable[[], bytes], log: FetchLog) -> Entry | None:
        """Keep an answer without errors, as long and as widely as its log allows; None where it may not be kept."""
        now = self.clock.monotonic()
        until = min(log.fresh_until, now + place.keeping.fresh_for)
        shared = min(log.shared, place.keeping.shared)
        key = place.public if shared is Shared.PUBLIC and place.public is not None else place.own
        if key is None or shared is Shared.NONE or until == inf or until <= now:
            return None
        if place.epoch != self.epoch(place.principal.tenant):
            return None
        data = encode()
        if len(data) * LARGEST_SHARE > self._most:
            return None
        tenant = place.principal.tenant if key is place.own else None
        entry = Entry(key, data, now, min(until, now + LONGEST_S), tenant)
        if (old := self._entries.get(key)) is not None:
            self._drop(old)
        self._entries[key] = entry
        if tenant is not None:
            self._own.setdefault(tenant, set()).add(key)
        self._grow(entry.size)
        return entry

    def packed(self, entry: Entry) -> Packed:
        """The answer packed, which is done once."""
        if entry.packed is None:
            entry.packed = pack(entry.framed)
            if self._entries.get(entry.key) is entry:
                entry.size += len(entry.packed.body)
                self._grow(len(entry.packed.body))
        return entry.packed

    def clear(self) -> None:
        """Nothing that is held, or under way, is served any more."""
        self._cleared += 1
        self._entries.clear()
        self._own.clear()
        self._grow(-self._bytes)

    async def changed(self, tenant: str) -> None:
        """A tenant's mutation: what is kept for it alone is dropped, in all processes."""
        await self._bus.publish(CHANGED, {"tenant": tenant})

    def forget(self, tenant: str) -> None:
        """What is kept for a tenant alone, and what was known of its policy, holds no more."""
        if len(self._changes) >= MOST_CHANGES:
            self._changes.clear()
            self.clear()
        self._changes[tenant] = self._changes.get(tenant, 0) + 1
        for key in tuple(self._own.get(tenant, ())):
            self._drop(self._entries[key])

    def _on_changed(self, message: Message) -> None:
        self.forget(str(message.get("tenant")))

    def epoch(self, tenant: str) -> tuple[int, int]:
        """What was dropped so far of everybody's and of a tenant's."""
        return self._cleared, self._changes.get(tenant, 0)

    def _drop(self, entry: Entry) -> None:
        if self._entries.get(entry.key) is not entry:
            return
        del self._entries[entry.key]
        if entry.tenant is not None:
            keys = self._own[entry.tenant]
            keys.discard(entry.key)
            if not keys:
                del self._own[entry.tenant]
        self._grow(-entry.size)

    def _grow(self, size: int) -> None:
        self._bytes += size
        HELD.set(self._bytes)
        while self._bytes > self._most and self._entries:
            self._drop(next(iter(self._entries.values())))
