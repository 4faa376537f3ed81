"""Shared execution: who subscribes to the same with the same rights shares one execution and one encoding an event.

A reader that falls behind is left out until it reads again, and goes on from a snapshot: it costs the others nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Hashable, Sequence
from contextlib import aclosing
from typing import Any, Protocol

import structlog

from gateway.core.metrics import counter, gauge
from gateway.core.watching import Joinable
from gateway.edge.frames import next_frame
from gateway.edge.operation import OperationResult
from gateway.edge.replies import encode

WAITING = 32
"""Messages that wait for one reader; they are the same bytes for all of them."""
RING = 64
"""Messages that are held for readers who come back."""

SHARED = gauge("marketgate_live_broadcasts", "Executions that subscribers share.")
READERS = gauge("marketgate_live_readers", "Subscribers of shared executions.")
SENT = counter("marketgate_live_messages", "Messages to subscribers of shared executions, by what came of them.", "end")
_SENT, _LEFT_OUT = SENT.labels("sent"), SENT.labels("left out")

LOG = structlog.get_logger(__name__)


class Shout:
    """One message for all: the payload's bytes, where it stands, and its frames by the ids of operations."""

    __slots__ = ("_frames", "cursor", "payload")

    def __init__(self, payload: bytes, cursor: str | None) -> None:
        self.payload, self.cursor = payload, cursor
        self._frames: dict[bytes, bytes] = {}

    def frame(self, head: bytes) -> bytes:
        """Made once for all who gave their operations the same id; *head* is its `head_of`."""
        found = self._frames.get(head)
        if found is None:
            found = self._frames[head] = next_frame(head, self.payload)
        return found

    def told(self) -> None:
        """Everybody has had it. Most clients give each operation an id of its own: nobody else will want its frame."""
        self._frames.clear()


class Ear(Protocol):
    """One reader's way out. `owner` is its tenant."""

    owner: str
    broadcast: Broadcast | None
    """What it listens to now."""

    def part(self) -> None:
        """This execution is not for it: join anew."""

    def replay(self, shouts: Sequence[Shout]) -> None:
        """Take what it missed, all of it, before anything else."""

    def tell(self, shout: Shout, skipped: int = 0) -> int:
        """Take it without waiting; how many messages were lost for it, where the reader is too slow for now."""

    def end(self, last: OperationResult | None) -> None:
        """Nothing more comes; *last* where the execution ended with an answer that is for all."""


class Source(Protocol):
    """One execution: its results, and what it listens to once the first is there."""

    def results(self) -> AsyncGenerator[OperationResult]:
        """One an event."""

    def subscription(self) -> Joinable | None:
        """Its live subscription; None where it has not exactly one."""


class Broadcast:
    """One shared execution, as long as it has readers."""

    def __init__(
        self, key: Hashable, owner: str, source: Source, *, after: str | None, main: Hashable, house: Broadcasts
    ) -> None:
        self.key, self.owner, self._source, self._house = key, owner, source, house
        self.main = main
        """The key of the execution that its readers go over to once they are where that one is."""
        self._origin = after
        """The cursor that it began behind, as long as all that it has said since is held."""
        self._ears: dict[Ear, int] = {}
        """Who hears every message, with how many each has lost since the last one it got."""
        self._joining: dict[Ear, int | None] = {}
        """Who waits for a snapshot, or until it reads again, likewise; None where it has just come."""
        self._ring: deque[Shout] = deque(maxlen=RING)
        self._last: OperationResult | None = None
        self.over = False
        self._task = asyncio.create_task(self._run(), name="broadcast")
        SHARED.inc()

    @property
    def private(self) -> bool:
        """Whether it may serve one tenant alone: by its own key with a provider, or by a provider's licence."""
        subscription = self._source.subscription()
        return subscription is not None and subscription.private

    @property
    def readers(self) -> int:
        """How many there are."""
        return len(self._ears) + len(self._joining)

    def join(self, ear: Ear, after: str | None) -> bool:
        """From a snapshot on, or from behind a cursor that is still held; false for another cursor."""
        missed = None if after is None else self._since(after)
        if after is not None and missed is None:
            return False
        ear.broadcast = self
        READERS.inc()
        if missed is None:
            self._joining[ear] = None
            self._ask()
        else:
            self._ears[ear] = 0
            ear.replay(missed)
        return True

    def leave(self, ear: Ear) -> None:
        """No more of it."""
        if ear in self._ears or ear in self._joining:
            READERS.dec()
        self._ears.pop(ear, None)
        self._joining.pop(ear, None)
        if not self.readers and not self.over:
            self.over = True
            self._task.cancel()
            self._house.forget(self)

    def again(self, ear: Ear) -> None:
        """A reader that was left out reads again: from a snapshot on, or from the next message where each counts."""
        if ear not in self._joining:
            return
        subscription = self._source.subscription()
        if subscription is not None and subscription.whole:
            self._ask()
        else:
            self._ears[ear] = self._joining.pop(ear) or 0

    async def closed(self) -> None:
        """Until nothing of it is left."""
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def cursor(self) -> str | None:
        """Where it stands."""
        return self._ring[-1].cursor if self._ring else self._origin

    def hand_over(self, main: Broadcast) -> None:
        """Its readers who have all of it go on with another one that stands at the same place."""
        for ear in tuple(self._ears):
            main._ears[ear] = self._ears.pop(ear)
            ear.broadcast = main
        if not self.readers:
            self.over = True
            self._task.cancel()
            self._house.forget(self)

    def hand_over_anew(self, main: Broadcast) -> None:
        """The same by a snapshot, where nothing before a snapshot counts."""
        ears, self._ears = self._ears, {}
        for ear, lost in ears.items():
            main._joining[ear] = lost
            ear.broadcast = main
        main._ask()
        self.hand_over(main)

    @property
    def whole(self) -> bool:
        """Whether a snapshot of it stands for everything before."""
        subscription = self._source.subscription()
        return subscription is not None and subscription.whole

    @property
    def long_since(self) -> bool:
        """Whether it has said more since its beginning than is held."""
        return len(self._ring) == RING

    def _since(self, cursor: str) -> list[Shout] | None:
        shouts = list(self._ring)
        if cursor == self._origin:
            return shouts
        for index in range(len(shouts) - 1, -1, -1):
            if shouts[index].cursor == cursor:
                return shouts[index + 1 :]
        return None

    def _ask(self) -> None:
        """Before the first event all wait for it anyway."""
        subscription = self._source.subscription()
        if subscription is not None:
            subscription.ask_snapshot()

    async def _run(self) -> None:
        first = True
        try:
            async with aclosing(self._source.results()) as results:
                async for result in results:
                    if not result.executed:
                        self._last = result
                        return
                    subscription = self._source.subscription()
                    body = result.body()
                    del body["extensions"]
                    shout = Shout(encode(body), subscription.cursor if subscription is not None else None)
                    if first and self.private:
                        self._part()
                    if first and self._origin is not None:
                        # It begins behind a cursor: whoever has none waits for a snapshot.
                        self._tell(shout)
                        if self._joining:
                            self._ask()
                    elif first or (subscription is not None and subscription.joining):
                        self._welcome(shout, keep=first)
                    else:
                        self._tell(shout)
                    first = False
                    self._house.told(self)
                    # A source that always has an event at hand must not keep the others from running.
                    await asyncio.sleep(0)
        except asyncio.CancelledError:
            raise
        except Exception:
            LOG.exception("broadcast_failed")
        finally:
            self._end()

    def _part(self) -> None:
        """Other tenants came before it was known whom it may serve."""
        for ear in [ear for ear in self._joining if ear.owner != self.owner]:
            del self._joining[ear]
            READERS.dec()
            ear.part()

    def _tell(self, shout: Shout) -> None:
        self._keep(shout)
        for ear, lost in self._joining.items():
            if lost is not None:
                self._joining[ear] = lost + 1
        for ear in tuple(self._ears):
            self._to(ear, shout)
        shout.told()

    def _keep(self, shout: Shout) -> None:
        if len(self._ring) == RING:
            self._origin = None
        self._ring.append(shout)

    def _to(self, ear: Ear, shout: Shout) -> None:
        skipped = self._ears.get(ear, 0)
        if lost := ear.tell(shout, skipped):
            _LEFT_OUT.inc()
            self._ears.pop(ear, None)
            self._joining[ear] = skipped + lost
            return
        _SENT.inc()
        if skipped:
            self._ears[ear] = 0

    def _welcome(self, shout: Shout, *, keep: bool) -> None:
        if keep:
            self._keep(shout)
        joining, self._joining = self._joining, {}
        self._ears.update({ear: lost or 0 for ear, lost in joining.items()})
        for ear in joining:
            self._to(ear, shout)
        shout.told()

    def _end(self) -> None:
        if not self.over:
            self.over = True
            self._house.forget(self)
        SHARED.dec()
        ears = [*self._ears, *self._joining]
        READERS.dec(len(ears))
        self._ears.clear()
        self._joining.clear()
        for ear in ears:
            ear.end(self._last)


class Broadcasts:
    """All of a process, by what is the same for their readers.

    Who comes back with a cursor that the execution of a key does not hold has one that began behind it, together with
    all who come back with the same one, until both stand at the same place.
    """

    def __init__(self) -> None:
        self._by_key: dict[Hashable, Broadcast] = {}
        self._resumed: dict[Hashable, dict[Broadcast, None]] = {}
        """Those that began behind a cursor, by the key of the one that they lead to."""

    def __len__(self) -> int:
        return len(self._by_key)

    def join(self, key: Hashable, ear: Ear, after: str | None, make: Callable[[], Source]) -> None:
        """Let a reader in to the execution of a key, begun where there is none that it can go on with."""
        found = self._by_key.get(key)
        if found is not None and found.private and found.owner != ear.owner:
            key = (key, ear.owner)
            found = self._by_key.get(key)
        if found is not None and found.join(ear, after):
            return
        main = key
        if found is not None:
            key = (main, after)
            back = self._by_key.get(key)
            if back is not None and back.join(ear, after):
                return
        made = self._by_key[key] = Broadcast(key, ear.owner, make(), after=after, main=main, house=self)
        if key != main:
            self._resumed.setdefault(main, {})[made] = None
        made.join(ear, after)

    def told(self, broadcast: Broadcast) -> None:
        """It has said something: those who stand where the one that they lead to stands go over to it."""
        resumed = self._resumed.get(broadcast.main)
        main = self._by_key.get(broadcast.main)
        if not resumed or main is None:
            return
        for each in (broadcast,) if broadcast in resumed else tuple(resumed):
            if each.cursor == main.cursor:
                each.hand_over(main)
            elif each.long_since and main.whole:
                each.hand_over_anew(main)

    def forget(self, broadcast: Broadcast) -> None:
        """It is over."""
        if self._by_key.get(broadcast.key) is broadcast:
            del self._by_key[broadcast.key]
        resumed = self._resumed.get(broadcast.main)
        if resumed is not None:
            resumed.pop(broadcast, None)
            if not resumed:
                del self._resumed[broadcast.main]

    async def close(self) -> None:
        """Nothing is left."""
        for broadcast in tuple(self._by_key.values()):
            await broadcast.closed()


def with_extensions(payload: bytes, extensions: Any) -> bytes:
    """A payload without extensions, with them."""
    return b"".join((payload[:-1], b',"extensions":', encode(extensions), b"}"))
