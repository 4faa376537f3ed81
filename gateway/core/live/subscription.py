"""The streams of some subjects as one: a snapshot first, then what is new, and a snapshot for whoever joins later."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gateway.core.live import cursors
from gateway.core.live.leader import Upstream
from gateway.core.live.mailbox import Delivery, Item, Mailbox
from gateway.core.live.messages import Position, Tap
from gateway.core.live.question import Question
from schema.words.live import StreamNotice

if TYPE_CHECKING:
    from gateway.core.live.hub import Hub

FIRST_S = 0.5
"""How long the first message waits for all of its subjects."""


class Subscription:
    """An iterator of deliveries. Several readers may share it: see `ask_snapshot`."""

    def __init__(
        self, hub: Hub, subjects: Mapping[str, Sequence[Upstream]], every_s: float, notices: Sequence[StreamNotice],
        tap: Tap | None = None,
    ) -> None:  # fmt: skip
        self._hub, self._every_s = hub, every_s
        self._mailbox = Mailbox(len(subjects))
        self._questions = [
            Question(hub, index, symbol, upstreams, self._mailbox, tap)
            for index, (symbol, upstreams) in enumerate(subjects.items())
        ]
        self._first, self._wanted = True, False
        self._stashed: Delivery | None = None
        self._sent: float | None = None
        self._asked = asyncio.Event()
        self.joining = False
        """Whether the last delivery is a snapshot for those who have joined: the others have all of it already."""
        self._standing = tuple(notices)
        """What holds as long as it lasts: part of each snapshot."""
        if notices:
            self._mailbox.tell(*notices)

    @property
    def cursor(self) -> str:
        """Of the last delivery."""
        return cursors.write(self._mailbox.positions)

    @property
    def private(self) -> bool:
        """Whether something of it may serve one tenant alone: by its own key, or by a licence."""
        return any(question.private for question in self._questions)

    @property
    def whole(self) -> bool:
        """Whether a snapshot stands for everything before it, so that nobody has to see what was before."""
        return all(question.whole for question in self._questions)

    async def begin(self, after: Mapping[bytes, Position] | None) -> None:
        """Listen; from where a client was, or from snapshots on."""
        await asyncio.gather(*(question.begin(dict(after or {})) for question in self._questions))

    def end(self) -> None:
        """Listen no more."""
        for question in self._questions:
            question.end()

    def ask_snapshot(self) -> None:
        """Deliver a snapshot soon, marked as `joining`, of what was delivered until then.

        Between two messages of a slow beat it is newer, where a snapshot stands for everything before it.
        """
        self._wanted = True
        self._asked.set()
        self._mailbox.poke()

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Delivery:
        if self._stashed is not None:
            stashed, self._stashed = self._stashed, None
            self.joining = True
            return stashed
        if self._first:
            await self._gathered()
        await self._mailbox.ready()
        if not await self._due():
            self._wanted, self.joining = False, True
            self._mailbox.rest()
            return self._snapshot()
        first, self._first, self.joining = self._first, False, False
        if self._mailbox.waits or not self._wanted:
            delivery = self._mailbox.take()
            if self._wanted:
                self._wanted, self._stashed = False, None if first else self._snapshot()
            return delivery
        self._wanted, self.joining = False, not first
        delivery = self._mailbox.take()
        return self._snapshot() if not first else delivery

    async def _gathered(self) -> None:
        try:
            async with asyncio.timeout(FIRST_S):
                await self._mailbox.complete()
        except TimeoutError:
            return

    async def _due(self) -> bool:
        """Until the next message may leave; false where somebody joins before and needs not wait for it."""
        clock = self._hub.clock
        while self._every_s and self._sent is not None:
            left = self._sent + self._every_s - clock.monotonic()
            if left <= 0:
                break
            if self._wanted and self.whole:
                return False
            self._asked.clear()
            waiting = [asyncio.ensure_future(clock.sleep(left)), asyncio.ensure_future(self._asked.wait())]
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waiting:
                    each.cancel()
        self._sent = clock.monotonic()
        return True

    def _snapshot(self) -> Delivery:
        """At the moment after everything was taken, states are what was delivered."""
        items: list[Item] = []
        notices = list(self._standing)
        for index, question in enumerate(self._questions):
            snapshot, told = question.shown()
            notices += told
            if snapshot is not None:
                items.append(
                    Item(index=index, values=snapshot.values, snapshot=True, provenance=snapshot.provenance)
                )  # fmt: skip
        cursor = cursors.write(self._mailbox.positions)
        return Delivery(items=tuple(items), notices=tuple(notices), cursor=cursor, snapshot=bool(items))
