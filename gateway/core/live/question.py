"""One subject of a subscription: which of its providers serves it now, and whose turn is next when that one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from gateway.core.live.bridging import Bridge
from gateway.core.live.channel import Channel
from gateway.core.live.folds import FOLDS
from gateway.core.live.leader import TAKEN_OVER, Upstream
from gateway.core.live.mailbox import Mailbox
from gateway.core.live.messages import Message, Position, Tap, Tapped
from schema.errors import FailureCode
from schema.words.live import NoticeCode, StreamNotice

if TYPE_CHECKING:
    from gateway.core.live.hub import Hub

PATIENCE_S = 5.0
"""How long a stream that is in trouble may mend itself before the next provider's takes its place."""
AROUND_S = (1.0, 30.0)
"""The pause after all of them have failed, before the first has its turn again: the shortest, and the longest."""
BRIDGE_S = 10.0
"""How long the next provider's stream may take to say something until what lies between is looked up."""
BEGIN_S = 1.0
"""How long a stream that a client comes back to may take to say where it stands."""

LOG = structlog.get_logger(__name__)

_TROUBLES = frozenset({NoticeCode.STALE, NoticeCode.RECONNECTING})


class Question:
    """Listens to one channel at a time."""

    def __init__(
        self, hub: Hub, index: int, symbol: str, upstreams: Sequence[Upstream], mailbox: Mailbox, tap: Tap | None
    ) -> None:  # fmt: skip
        self._hub, self._index, self._symbol, self._tap = hub, index, symbol, tap
        self._upstreams, self._mailbox = upstreams, mailbox
        self._turn = 0
        self._channel: Channel | None = None
        self._patience: asyncio.Task[None] | None = None
        self._turning: asyncio.Task[None] | None = None
        self._failed = 0
        """How many have, one after the other, since values came."""
        self._strangers: dict[int, str] = {}
        """Turns of those who do not know the instrument, and what they say."""
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
        if self._channel is None or self._channel.orphaned:
            return None, ()
        trouble = self._channel.trouble
        return self._channel.snapshot(), self._named(trouble.notices) if trouble else ()

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
        self._stay()
        if self._channel is not None:
            self._channel.detach(self)
            self._hub.release(self._channel)
            self._channel = None

    def heard(self, channel: Channel, message: Message) -> None:
        """See `Listener`."""
        self._pass_by(channel, message)
        why = message.notices[0].message if message.notices else f"{channel.key.provider}: {message.ended}"
        if message.ended == FailureCode.UNKNOWN_INSTRUMENT:
            self._strangers[self._turn] = why
        if message.notices:
            message = replace(message, notices=self._named(message.notices))
        self._mailbox.put(self._index, channel, message)
        codes = {each.code for each in message.notices}
        if message.ended is not None:
            self._switch(why)
        elif NoticeCode.FRESH_AGAIN in codes or (message.values and not codes):
            self._failed = 0
            self._stay()
        elif NoticeCode.MARKET_CLOSED in codes:
            self._calm()
        elif any(_is_trouble(each) for each in message.notices) and self._patience is None:
            self._patience = self._hub.task(partial(self._wait, channel), "patience")

    def _listen(self, channel: Channel) -> None:
        channel.attach(self)
        if channel.orphaned:
            return
        snapshot, trouble = channel.snapshot(), channel.trouble
        if snapshot is not None:
            self._pass_by(channel, snapshot, joined=True)
            self._mailbox.put(self._index, channel, snapshot)
        if trouble is not None:
            self.heard(channel, replace(trouble, values=()))

    def _pass_by(self, channel: Channel, message: Message, *, joined: bool = False) -> None:
        if self._tap is None:
            return
        tapped = Tapped(symbol=self._symbol, provider=channel.key.provider, message=message, joined=joined)
        try:
            self._tap(tapped)
        except Exception:
            # The stream has other listeners.
            LOG.exception("live_tap_failed", stream=str(channel.key.subject))

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
        """To the next provider that may know it; after a round of failures not at once."""
        self._calm()
        if self._over or self._turning is not None:
            return
        count = len(self._upstreams)
        order = [(self._turn + step) % count for step in range(1, count)]
        turn = next((each for each in order if each not in self._strangers), None)
        if turn is None:
            return
        self._failed += 1
        rounds, part = divmod(self._failed, count)
        first, longest = AROUND_S
        pause = 0.0 if part else min(first * 2 ** min(rounds - 1, 16), longest)
        self._turning = self._hub.task(partial(self._go_on, turn, pause, why), "switch")

    async def _go_on(self, turn: int, pause: float, why: str) -> None:
        if pause:
            await self._hub.clock.sleep(pause)
        channel = await self._hub.retain(self._upstreams[turn])
        self._turning, old = None, self._channel
        if self._over:
            self._hub.release(channel)
            return
        if old is not None:
            old.detach(self)
            self._hub.release(old)
        self._channel, self._turn = channel, turn
        told = f"{channel.key.provider} serves it now; {why}"
        self._mailbox.tell(replace(self._notice(NoticeCode.PROVIDER_SWITCHED, told), provider=channel.key.provider))
        self._listen(channel)
        if old is not None:
            self._hub.begin(partial(self._bridge, old, channel, self._upstreams[turn]), "bridge")

    async def _bridge(self, old: Channel, new: Channel, upstream: Upstream) -> None:
        """Tell what lies between the two providers' streams."""
        await self._hub.begun(new, BRIDGE_S)
        bridge = Bridge(old=old, new=new, upstream=upstream, ask=self._hub.ask, clock=self._hub.clock)
        found = bridge.lost() or await bridge.candles()
        if self._over or self._channel is not new or found is None:
            return
        if isinstance(found, str):
            self._mailbox.tell(replace(self._notice(NoticeCode.GAP, found), provider=new.key.provider))
        else:
            self._mailbox.put(self._index, new, replace(found, position=new.position))

    def _named(self, notices: Sequence[StreamNotice]) -> tuple[StreamNotice, ...]:
        """With the symbol as it was written; unknown is what all of its providers do not know."""
        return tuple(
            self._unknown(each) if each.code is NoticeCode.UNKNOWN_INSTRUMENT else replace(each, symbol=self._symbol)
            for each in notices
        )

    def _unknown(self, notice: StreamNotice) -> StreamNotice:
        if len(self._strangers) < len(self._upstreams):
            return replace(notice, code=NoticeCode.STALE, symbol=self._symbol)
        provider = notice.provider if len(self._upstreams) == 1 else None
        return replace(notice, message="; ".join(self._strangers.values()), symbol=self._symbol, provider=provider)

    def _calm(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _stay(self) -> None:
        """Nobody else's turn comes."""
        self._calm()
        if self._turning is not None:
            self._turning.cancel()
            self._turning = None

    def _notice(self, code: NoticeCode, message: str) -> StreamNotice:
        return StreamNotice(code=code, message=message, symbol=self._symbol, at=self._hub.clock.now())


def _is_trouble(notice: StreamNotice) -> bool:
    """Another process that takes a stream over is no trouble of the provider: what is, its line will say."""
    return notice.code in _TROUBLES and notice.message != TAKEN_OVER
