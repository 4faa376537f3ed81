"""One subject of a subscription: which of its providers serves it now, and whose turn is next when that one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gateway.core.live.channel import Channel
from gateway.core.live.folds import FOLDS
from gateway.core.live.leader import Upstream
from gateway.core.live.mailbox import Mailbox
from gateway.core.live.messages import Message, Position
from schema.words.live import NoticeCode, StreamNotice

if TYPE_CHECKING:
    from gateway.core.live.hub import Hub

PATIENCE_S = 5.0
"""How long a stream that is in trouble may mend itself before the next provider's takes its place."""
BEGIN_S = 1.0
"""How long a stream that a client comes back to may take to say where it stands."""

_TROUBLES = frozenset({NoticeCode.STALE, NoticeCode.RECONNECTING})


class Question:
    """Listens to one channel at a time."""

    def __init__(self, hub: Hub, index: int, symbol: str, upstreams: Sequence[Upstream], mailbox: Mailbox) -> None:
        self._hub, self._index, self._symbol = hub, index, symbol
        self._upstreams, self._mailbox = upstreams, mailbox
        self._turn = 0
        self._channel: Channel | None = None
        self._patience: asyncio.Task[None] | None = None
        self._failed = 0
        self._switching = False
        self._over = False

    @property
    def private(self) -> bool:
        """Whether one of its providers may serve one tenant alone."""
        return any(upstream.lane.scope is not None for upstream in self._upstreams)

    @property
    def whole(self) -> bool:
        """Whether a snapshot stands for everything before it."""
        return FOLDS[self._upstreams[0].capability.name].whole

    def shown(self) -> tuple[Message | None, tuple[StreamNotice, ...]]:
        """What its stream's snapshot would be now, and the trouble that the stream is in."""
        if self._channel is None:
            return None, ()
        trouble = self._channel.trouble
        notices = tuple(replace(each, symbol=self._symbol) for each in trouble.notices) if trouble else ()
        return self._channel.snapshot(), notices

    async def begin(self, after: dict[bytes, Position]) -> None:
        """Listen to the first provider's stream, from where the client was or from a snapshot on."""
        channel = self._channel = await self._hub.retain(self._upstreams[0])
        if self._over:
            self._hub.release(channel)
            return
        if not after:
            self._listen(channel)
            return
        missed = await self._missed(channel, after.get(channel.name))
        if self._over:
            return
        if missed is None:
            self._mailbox.tell(self._notice(NoticeCode.GAP, "what was missed is not held any more: a snapshot follows"))
            self._listen(channel)
            return
        channel.attach(self)
        self._mailbox.stands(self._index, channel)
        for message in missed:
            self.heard(channel, message)

    def end(self) -> None:
        """No more of it."""
        self._over = True
        self._calm()
        if self._channel is not None:
            self._channel.detach(self)
            self._hub.release(self._channel)
            self._channel = None

    def heard(self, channel: Channel, message: Message) -> None:
        """See `Listener`."""
        if message.notices:
            named = tuple(replace(each, symbol=self._symbol) for each in message.notices)
            message = replace(message, notices=named)
        self._mailbox.put(self._index, channel, message)
        if message.ended is not None:
            self._switch(f"{channel.key.provider}: {message.notices[0].message if message.notices else message.ended}")
        elif message.values and not message.notices:
            self._failed = 0
            self._calm()
        elif any(each.code is NoticeCode.MARKET_CLOSED for each in message.notices):
            self._calm()
        elif any(each.code in _TROUBLES for each in message.notices) and self._patience is None:
            self._patience = self._hub.task(partial(self._wait, channel), "patience")

    def _listen(self, channel: Channel) -> None:
        channel.attach(self)
        snapshot, trouble = channel.snapshot(), channel.trouble
        if snapshot is not None:
            self._mailbox.put(self._index, channel, snapshot)
        if trouble is not None:
            self.heard(channel, replace(trouble, values=()))

    async def _missed(self, channel: Channel, after: Position | None) -> list[Message] | None:
        if after is None:
            return None
        await self._hub.begun(channel, BEGIN_S)
        found = channel.since(after)
        if found is None and channel.begun:
            found = channel.since(after, await self._hub.held(channel, after))
        return found

    async def _wait(self, channel: Channel) -> None:
        await self._hub.clock.sleep(PATIENCE_S)
        self._patience = None
        self._switch(f"{channel.key.provider} has sent nothing for too long")

    def _switch(self, why: str) -> None:
        """To the next provider, as long as there is one that did not fail just so."""
        self._calm()
        self._failed += 1
        if self._over or self._switching or self._failed >= len(self._upstreams):
            return
        self._switching = True
        self._hub.begin(partial(self._go_on, why), "switch")

    async def _go_on(self, why: str) -> None:
        old = self._channel
        self._turn = (self._turn + 1) % len(self._upstreams)
        upstream = self._upstreams[self._turn]
        channel = await self._hub.retain(upstream)
        self._switching = False
        if self._over:
            self._hub.release(channel)
            return
        if old is not None:
            old.detach(self)
            self._hub.release(old)
        self._channel = channel
        told = f"{channel.key.provider} serves it now; {why}"
        self._mailbox.tell(replace(self._notice(NoticeCode.PROVIDER_SWITCHED, told), provider=channel.key.provider))
        self._listen(channel)

    def _calm(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _notice(self, code: NoticeCode, message: str) -> StreamNotice:
        return StreamNotice(code=code, message=message, symbol=self._symbol, at=self._hub.clock.now())
