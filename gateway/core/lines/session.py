"""An open connection from its greeting to its end: what is sent at which pace, what comes, and what does not."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from traceback import format_exc
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import structlog

from gateway.core.clock import Clock
from gateway.core.lines.channels import MOST_GAPS, Channel, Channels
from gateway.core.lines.closing import NEVER_CLOSING
from gateway.core.lines.line import HOPELESS
from gateway.core.lines.socket import Wire
from providers.feeds import Alive, Confirmed, Feed, Gap, News, Out, Pong, Refused, Restart, Said, Wants
from providers.row import Row
from schema.errors import ConnectionFailed, Malformed, NotCovered, Timeout, UnknownInstrument, UpstreamError
from schema.symbols import InstrumentId
from schema.words.books import ORDER_BOOK
from schema.words.live import NoticeCode
from schema.words.quotes import QUOTES
from schema.words.trades import TRADES

if TYPE_CHECKING:
    from gateway.core.lines.connection import Guarded

P = ParamSpec("P")
T = TypeVar("T")

TICK = 1.0
LOOK = 10.0
"""Seconds between two looks at whether a venue with sessions is open."""
MOST_GARBAGE = 10
GARBAGE_S = 60.0
ALL_SILENT = 0.9
"""Share of the time of a channel's silence in which nobody on its connection has spoken, where that is to blame."""
"""Frames that nobody can read, within so many seconds, until the connection is taken for broken."""
UNREAD = "a frame could not be read"
SNAPSHOT_TRIES = 4
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0

log = structlog.get_logger(__name__)


class Readdressed(Exception):
    """What is asked for stands in the address, and it has changed: nothing is wrong, another stream is needed."""


class Session:
    """Runs until the connection ends, which raises an UpstreamError, or until nobody listens any more."""

    def __init__(
        self,
        feed: Feed,
        wire: Wire,
        channels: Channels,
        ask: Guarded,
        is_open: Callable[[InstrumentId], Awaitable[bool]],
        clock: Clock,
    ) -> None:
        self._feed, self._wire, self._channels, self._ask = feed, wire, channels, ask
        self._is_open, self._clock = is_open, clock
        self._outs: deque[Out] = deque()
        self._new: list[Channel] = []
        self._left: list[Channel] = []
        self._wake = asyncio.Event()
        self._errands: set[asyncio.Task[None]] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard = self._spoke = clock.monotonic()
        """When anything came, and when a channel had something to say."""
        self._garbage: deque[float] = deque()
        """When frames came that nobody could read."""
        self._doubted: Channel | None = None
        """The one that HTTP is being asked about."""
        self.fruitful = False
        """Whether it ever brought values, or could not because a market is closed."""

    def want(self, channel: Channel) -> None:
        """Subscribe, together with others that are wanted at the same moment."""
        self._new.append(channel)
        self._wake.set()

    def drop(self, channel: Channel) -> None:
        """Unsubscribe."""
        self._left.append(channel)
        self._wake.set()

    async def run(self) -> None:
        """Greet, subscribe to everything, then serve."""
        self._outs.extend([*self._made(self._feed.greet), *self._subscribing(list(self._channels))])
        self._wake.set()
        for channel in self._channels:
            channel.heard, channel.mending = self._heard, False
        parts = [self._read(), self._write(), self._watch()]
        tasks = [asyncio.create_task(part, name=f"live {self._feed.provider}") for part in parts]
        try:
            done, _ = await asyncio.wait([*tasks, self._failed], return_when=asyncio.FIRST_COMPLETED)
            for ended in done:
                ended.result()
        finally:
            self._failed.cancel()
            left = [*tasks, *self._errands]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _read(self) -> None:
        while True:
            data = await self._wire.receive()
            self._heard = self._clock.monotonic()
            if data is None:
                continue
            try:
                news = self._made(self._news, data)
            except Malformed as error:
                self._unreadable(error)
                continue
            await self._take(news)

    def _news(self, data: str | bytes) -> list[News]:
        return list(self._feed.read(self._feed.decode(data)))

    async def _write(self) -> None:
        """Frames at the venue's pace; ends when nobody listens any more."""
        pause = 1 / self._feed.frames_per_second
        while True:
            while self._outs:
                await self._wire.send(self._outs.popleft())
                await self._clock.sleep(pause)
            if not len(self._channels):
                return
            await self._wake.wait()
            self._wake.clear()
            self._plan()

    def _plan(self) -> None:
        """Frames for who came and who left since the last time."""
        left, self._left = self._left, []
        new, self._new = self._new, []
        if self._wire.one_way:
            if new:
                raise Readdressed
            return
        # Who left and came again meanwhile has a new channel of the same name.
        gone = [channel for channel in left if self._channels.get(channel.topic.channel) is None]
        come = [channel for channel in new if self._channels.get(channel.topic.channel) is channel]
        if gone:
            self._outs.extend(self._made(self._feed.leave, [channel.topic for channel in gone]))
        if come:
            self._outs.extend(self._subscribing(come))

    async def _watch(self) -> None:
        """Heartbeats, a connection that brings nothing, and channels that are silent."""
        heartbeat, beaten = self._feed.heartbeat, self._clock.monotonic()
        every, looked = heartbeat.every.total_seconds(), float("-inf")
        while True:
            await self._clock.sleep(min(TICK, every))
            now = self._clock.monotonic()
            if now - self._heard > 2 * every:
                raise Timeout(self._feed.provider, f"nothing came over its live connection for {2 * every:g} s")
            if now - beaten >= every:
                beaten = now
                await (self._wire.send(heartbeat.text) if heartbeat.text else self._wire.ping())
            looks = now - looked >= LOOK
            looked = now if looks else looked
            for channel in self._channels:
                if looks and channel.topic.instrument.asset_class not in NEVER_CLOSING:
                    await self._look(channel)
                if self._outs and channel.last is None:
                    channel.heard = now  # its subscription may still be waiting
                elif channel.silent():
                    await self._judge(channel)
                elif not self._feed.confirms and channel.accepted():
                    channel.confirmed()
                elif self._doubted is None and channel.doubtful():
                    self._doubted = channel
                    self._start(self._ask_about(channel))

    async def _look(self, channel: Channel) -> bool:
        """Whether its market is open, which its listeners are told when it changes."""
        is_open = await self._is_open(channel.topic.instrument)
        if is_open:
            channel.reopen()
        else:
            channel.excuse()
            self.fruitful = True
        return is_open

    async def _judge(self, channel: Channel) -> None:
        shut = channel.shut
        if not await self._look(channel) or shut:
            return
        self._warn(channel)

    def _warn(self, channel: Channel, why: str = "") -> None:
        """Where others speak, another subscription, then another connection; what that does not bring back ends."""
        now = self._clock.monotonic()
        if now - self._spoke >= ALL_SILENT * (now - channel.heard):
            self._warn_all(channel, why)
        elif (end := channel.warn(self._feed.provider, why)) is None:
            self._again(channel)
        elif self._channels.blames(channel):
            raise self._wedged()
        else:
            self._end(channel, end)

    def _warn_all(self, channel: Channel, why: str) -> None:
        """Nobody has spoken either: who is left, or comes just now, gets another connection."""
        others = [each for each in self._channels if each is not channel and each.silent() and not each.shut]
        for each, told in ((channel, why), *[(other, "") for other in others]):
            end = each.warn(self._feed.provider, told)
            if not self._channels.blames(each) and end is not None:
                self._end(each, end)
        raise self._wedged()

    def _wedged(self) -> UpstreamError:
        return Timeout(self._feed.provider, "its live connection lives and brings no values")

    async def _ask_about(self, channel: Channel) -> None:
        """Quiet, dead, or unknown to the venue, which does not say so: one channel at a time, over HTTP."""
        heard = channel.heard
        try:
            ask = next((place.ask for place in channel.places if place.ask is not None), None)
            found = await ask() if ask is not None else ()
        finally:
            self._doubted = None
        if channel.heard != heard or self._channels.get(channel.topic.channel) is not channel:
            return
        if isinstance(found, UnknownInstrument) or (isinstance(found, NotCovered) and not channel.proven):
            self._end(channel, found)
        elif isinstance(found, UpstreamError):
            if channel.failed(found) and not channel.shut:
                self._warn(channel, ", and its provider does not answer over HTTP either")
        elif channel.missed(found) and not channel.shut:
            self._warn(channel, ", and its provider tells more over HTTP")
        else:
            channel.quiet()

    async def _take(self, news: Iterable[News]) -> None:
        for each in news:
            match each:
                case Pong(out=out):
                    await self._wire.send(out)
                    continue
                case Restart(reason=reason):
                    raise ConnectionFailed(self._feed.provider, reason)
            channel = self._channels.get(each.channel)
            if channel is None:
                continue
            match each:
                case Said():
                    if channel.said(each):
                        self.fruitful, self._spoke = True, self._clock.monotonic()
                case Alive():
                    channel.alive()
                    self._spoke = self._clock.monotonic()
                case Confirmed():
                    channel.confirmed()
                case Refused(error=error):
                    self._end(channel, error)
                case Gap(detail=detail):
                    self._mend(channel, detail)
                case Wants():
                    self._start(self._fetch(channel, each))

    def _unreadable(self, error: Malformed) -> None:
        """One frame that cannot be read may have been anybody's: what depends on every frame begins anew."""
        self._garbage.append(self._clock.monotonic())
        while self._garbage[0] < self._garbage[-1] - GARBAGE_S:
            self._garbage.popleft()
        if len(self._garbage) > MOST_GARBAGE:
            raise error
        log.warning("live_frame_unreadable", provider=self._feed.provider, detail=error.detail)
        for channel in self._channels:
            if channel.topic.capability is ORDER_BOOK:
                self._mend(channel, UNREAD)
            elif channel.topic.capability is not QUOTES:
                channel.trouble(NoticeCode.GAP, f"{self._feed.provider}: {UNREAD}.")

    def _mend(self, channel: Channel, detail: str) -> None:
        """Say that something is missing and subscribe anew, at growing distances where that does not help.

        Trades are no state: what is missing is looked up over HTTP, and a new subscription would only miss more.
        """
        if channel.topic.capability is TRADES:
            channel.trouble(NoticeCode.GAP, f"{self._feed.provider}: {detail}; what is missing is looked up.")
            return
        if channel.mending:
            return
        channel.lost(NoticeCode.GAP, f"{self._feed.provider}: {detail}; subscribing again.")
        channel.gaps += 1
        if channel.gaps > MOST_GAPS:
            self._end(channel, Malformed(self._feed.provider, f"{detail}, {channel.gaps} times in a row"))
        elif channel.gaps == 1:
            self._again(channel)
        else:
            channel.mending = True
            self._start(self._later(channel, min(FIRST_PAUSE * 2 ** (channel.gaps - 2), LONGEST_PAUSE)))

    async def _later(self, channel: Channel, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._again(channel)

    def _again(self, channel: Channel) -> None:
        channel.mending = False
        if self._channels.get(channel.topic.channel) is not channel:
            return
        if self._wire.one_way:
            raise Readdressed
        topics = [channel.topic]
        self._outs.extend([*self._made(self._feed.leave, topics), *self._subscribing([channel])])
        self._wake.set()

    def _end(self, channel: Channel, error: UpstreamError) -> None:
        self._channels.end(channel, error)
        self.drop(channel)

    async def _fetch(self, channel: Channel, wanted: Wants) -> None:
        for attempt in range(SNAPSHOT_TRIES):
            try:
                row: Row = await self._ask(wanted.fetch, wanted.weight)
                news = self._made(self._given, wanted.channel, row)
            except UpstreamError as error:
                if attempt == SNAPSHOT_TRIES - 1 or isinstance(error, HOPELESS):
                    self._end(channel, error)
                    return
                pause = min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE)
                await self._clock.sleep(max(pause, error.retry_after or 0.0))
            else:
                await self._take(news)
                return

    def _given(self, channel: str, row: Row) -> list[News]:
        return list(self._feed.given(channel, row))

    def _start(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand, name=f"live {self._feed.provider}")
        self._errands.add(task)
        task.add_done_callback(self._over)

    def _over(self, errand: asyncio.Task[None]) -> None:
        self._errands.discard(errand)
        if not errand.cancelled() and (error := errand.exception()) and not self._failed.done():
            self._failed.set_exception(error)

    def _subscribing(self, channels: Sequence[Channel]) -> Sequence[Out]:
        topics = [channel.topic for channel in channels]
        for each in channels:
            each.asking = True
        outs = self._made(self._feed.enter, topics)
        for wanted in self._made(lambda: list(self._feed.begin(topics))):
            if (channel := self._channels.get(wanted.channel)) is not None:
                self._start(self._fetch(channel, wanted))
        return outs

    def _made(self, make: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """What the feed makes; its own defect is an answer that broke it, never the end of the process."""
        try:
            return make(*given, **named)
        except UpstreamError:
            raise
        except Exception:  # noqa: BLE001 - a feed's own defect must not end the connection's task
            log.error("feed_defect", provider=self._feed.provider, exception=format_exc())
            raise Malformed(self._feed.provider, "a frame broke the feed") from None
