"""A line of candles that the gateway builds itself, from the stream of the same provider's trades (or last prices).

The stream is the hub's: who listens to the trades as well shares it. A candle is told only when nothing of it can be
missing. What was before the stream, or was lost of it, is looked up over HTTP; where that does not help, candles begin
with the next whole one, and a GAP says so. A candle without trades does not exist.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta

from gateway.core.clock import Clock
from gateway.core.lines.alarm import Alarm
from gateway.core.lines.grid import opening
from gateway.core.lines.line import LOSSES, Ended, Event, Trouble, Update
from gateway.core.live.bars import KEPT, BarFold, Print, before, first_whole
from gateway.core.live.channel import Channel
from gateway.core.live.messages import Message
from gateway.core.live.seeding import PUBLISHED, Seeds, is_no_print, prints
from schema.errors import ConnectionFailed, FailureCode, NotCovered, UnknownInstrument, UpstreamError
from schema.words.candles import Candle
from schema.words.live import NoticeCode

GRACE = timedelta(seconds=0.5)
"""After a candle's end, for trades that are on their way."""
SETTLED = timedelta(seconds=2)
"""After the stream goes on, until HTTP shows what was missed."""
AGAIN = (timedelta(seconds=5), timedelta(seconds=60))
"""Between attempts to look up what was missed: the first, and the longest."""
ATTEMPTS = 3
"""In a row that fail, until candles begin with the next whole one."""
MOST_BARREN = 20
"""Messages in a row without a last price, until it is clear that none will come."""
MOST_WAITING = 1_000
MOST_HELD = 20_000
"""Prints that wait for the first part of the running candle."""

UNFILLED = "Trades before {:%H:%M:%S} are not known: candles begin with that of {:%Y-%m-%d %H:%M:%S} UTC."
UNREACHED = "Trades since {:%Y-%m-%d %H:%M:%S} UTC may be missing: the candles from then on are built anew."


class Built:
    """Listens to the channel of the trades; `events` is the line."""

    def __init__(self, channel: Channel, seeds: Seeds, clock: Clock) -> None:
        self._channel, self._seeds, self._clock = channel, seeds, clock
        self._interval = seeds.wanted.interval
        self._fold = BarFold(self._interval)
        self._shown: dict[datetime, Candle] = {}
        """Candles as they were told last."""
        self._alarm = Alarm(clock)
        self._waiting: deque[Message] = deque()
        self._overrun = False
        self._epoch = self._barren = 0
        self._doubt = True
        """Whether something may be missing since `_anchor` (None: since ever)."""
        self._anchor: datetime | None = None
        self._sure = self._fold.copy()
        """As it stood then."""
        self._doubtful: list[Print] = []
        """What was printed since then."""
        self._mend_at: datetime | None = None
        self._failures = 0
        self._joint: datetime | None = None
        """Where the running candle's first part, which it lacks, will end."""
        self._held: list[Print] = []
        """What was printed since the tape begins, as long as that part is lacking."""

    def heard(self, channel: Channel, message: Message) -> None:
        """See `Listener`."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.clear()
            self._overrun = True
        self._waiting.append(message)
        self._alarm.ring()

    async def events(self) -> AsyncGenerator[Event]:
        """Until the trades' line ends, or this is closed."""
        self._channel.attach(self)
        self._epoch = self._channel.position.epoch
        if (shown := self._channel.snapshot()) is not None:
            self._waiting.append(shown)
        try:
            for event in await self._mended():
                yield event
            while True:
                if not self._waiting:
                    await self._alarm.wait(self._next())
                for event in await self._due():
                    yield event
                while self._waiting and not self._overrun:
                    for event in self._taken(self._waiting.popleft()):
                        yield event
                        if isinstance(event, Ended):
                            return
        finally:
            self._channel.detach(self)
            self._alarm.close()

    def _next(self) -> datetime | None:
        """When the clock has something to say."""
        joint, end = self._joint, self._fold.next_end()
        times = [
            self._mend_at,
            None if joint is None or self._doubt else joint + PUBLISHED,
            None if end is None or self._unproven else end + GRACE,
        ]
        return min([time for time in times if time is not None], default=None)

    @property
    def _unproven(self) -> bool:
        """Whether no candle can be told closed until more is known."""
        return self._doubt and (self._mend_at is not None or self._seeds.trades is None)

    async def _due(self) -> list[Event]:
        """What the clock says."""
        now = self._clock.now()
        told: list[Event] = []
        if self._overrun:
            self._overrun = False
            self._lose(now)
        if self._doubt and not self._unproven and self._fold.over(now - GRACE):
            self._mend_at = now
        if self._mend_at is not None and self._mend_at <= now:
            told += await self._mended()
        if self._joint is not None and not self._doubt and self._joint + PUBLISHED <= now:
            told += await self._seeded()
        over = [] if self._unproven else self._fold.over(self._clock.now() - GRACE)
        return [*told, *self._update(over)]

    def _taken(self, message: Message) -> list[Event]:
        """One message of the trades' stream."""
        now = self._clock.now()
        told: list[Event] = []
        if message.position.epoch != self._epoch:
            if self._epoch:
                self._lose(None)
            self._epoch = message.position.epoch
        if message.ended is not None:
            return [Ended(error=self._error(message))]
        for notice in message.notices:
            if notice.code in LOSSES:
                self._lose(now + SETTLED if notice.code is NoticeCode.GAP else None)
            if notice.code is not NoticeCode.GAP:
                told.append(Trouble(code=notice.code, message=notice.message, at=notice.at))
        # What comes with notices is what was told before.
        if message.values and not message.notices:
            self._barren = self._barren + 1 if all(map(is_no_print, message.values)) else 0
            if self._barren > MOST_BARREN:
                return [Ended(error=NotCovered(self._channel.key.provider, "its quotes are no prices of trades"))]
            told += self._printed(prints(message.values), now)
        return told

    def _printed(self, found: Sequence[Print], now: datetime) -> list[Event]:
        if not found:
            return []
        told: list[Event] = []
        if self._doubt and self._seeds.trades is None:
            told += self._begun_after(found[0].time)
        elif self._doubt:
            self._doubtful += found
            self._mend_at = self._mend_at or now + SETTLED
        elif self._joint is not None:
            self._held += found
        return [*told, *self._update(self._fold.take(found))]

    def _lose(self, mend_at: datetime | None) -> None:
        """Something may be missing from the last print on."""
        if not self._doubt:
            self._settle(doubt=True)
        if mend_at is not None and self._seeds.trades is not None:
            self._mend_at = mend_at if self._mend_at is None else min(self._mend_at, mend_at)

    async def _mended(self) -> list[Event]:
        """Look up what may be missing. A tape that reaches back to what was told leaves nothing to tell."""
        self._mend_at = None
        found = await self._seeds.tape()
        if found is None:
            return []
        if isinstance(found, UpstreamError):
            return self._failed(found)
        self._failures = 0
        anchor = self._anchor
        known = self._known(found, anchor)
        if anchor is not None and any(each.time <= anchor for each in found):
            if self._joint is not None:
                self._held += known
            changed = {opening(self._interval, each.time) for each in self._doubtful}
            self._fold = self._sure
            changed.update(self._fold.take(known))
            told = self._update([at for at in self._fold.times() if at in changed])
        else:
            told = await self._begun(found, known, anchor)
        self._settle(doubt=not self._live)
        return told

    def _known(self, tape: Sequence[Print], anchor: datetime | None) -> list[Print]:
        """What was printed after the anchor, by the tape as far as it goes and then by the stream.

        Not both at once: some venues' streams tell several trades as one, which over HTTP are several.
        """
        seen = [at for at, each in enumerate(tape) if self._sure.knows(each)]
        first = seen[-1] + 1 if seen else 0
        later = [each for each in tape[first:] if anchor is None or seen or each.time > anchor]
        rest = [
            each
            for each in self._doubtful
            if not tape or each.time >= tape[-1].time or (anchor is not None and each.time < anchor)
        ]
        return sorted([*later, *rest], key=lambda each: each.time)

    @property
    def _live(self) -> bool:
        """Whether trades come from the stream itself: else what was looked up is all that there is."""
        channel = self._channel
        return channel.trouble is None and bool(channel.state)

    def _settle(self, *, doubt: bool) -> None:
        """Nothing is missing until now."""
        self._doubt, self._doubtful, self._anchor = doubt, [], None
        if doubt:
            self._anchor, self._sure = self._fold.last, self._fold.copy()

    def _failed(self, error: UpstreamError) -> list[Event]:
        first, longest = AGAIN
        now, self._failures = self._clock.now(), self._failures + 1
        if self._failures >= ATTEMPTS and self._live:
            self._failures = 0
            return self._begun_after(now)
        self._mend_at = now + min(first * 2 ** (self._failures - 1), longest)
        if self._failures > 1:
            return []
        return [self._gap(f"What may be missing could not be looked up: {error.message}")]

    async def _begun(
        self, tape: Sequence[Print], known: list[Print], anchor: datetime | None
    ) -> list[Event]:  # fmt: skip
        """Begin anew from a tape that does not reach back to what was told, or before anything was."""
        now = self._clock.now()
        running = opening(self._interval, now)
        # Where nothing was ever traded, all trades are known.
        known_since = tape[0].time if tape else before(running)
        whole = first_whole(self._interval, known_since)
        told: list[Event] = [] if anchor is None else [self._gap(UNREACHED.format(anchor))]
        since = self._seeds.previous(running) if anchor is None else opening(self._interval, anchor)
        past = await self._seeds.history(since, min(whole, running)) if now >= running + PUBLISHED else []
        self._fold.start(whole)
        known = [each for each in known if each.time >= known_since]
        changed = self._fold.take(known)
        self._fold.told([at for at in changed if at < since], now - GRACE)
        told += self._update([at for at in changed if at >= since], past, snapshot=True)
        self._held, self._joint = [], None
        if whole <= running:
            return told
        self._held, self._joint = known, self._seeds.joint(known_since)
        return [*told, *await self._seeded(first=True)]

    async def _seeded(self, *, first: bool = False) -> list[Event]:
        """The running candle from whole shorter ones and the tape; else candles begin with the next one."""
        now, joint, known_since = self._clock.now(), self._joint, self._held[0].time
        running, whole = opening(self._interval, now), first_whole(self._interval, known_since)
        possible = joint is not None and joint + PUBLISHED < whole and running < whole and len(self._held) <= MOST_HELD
        if joint is not None and possible and joint + PUBLISHED <= now:
            if (parts := await self._parts(running, joint)) is not None:
                self._fold.start(joint, parts)
                held, self._held, self._joint = self._held, [], None
                self._fold.take(sorted(held, key=lambda each: each.time))
                return self._update(self._fold.times())
            possible = False
        if not possible:
            self._held, self._joint = [], None
        return [self._gap(UNFILLED.format(known_since, whole))] if first else []

    async def _parts(self, running: datetime, joint: datetime) -> list[Candle] | None:
        """None, too, where trades are known and no candle of theirs is."""
        parts = await self._seeds.parts(running, joint)
        return parts if parts or not any(running <= each.time < joint for each in self._held) else None

    def _begun_after(self, time: datetime) -> list[Event]:
        """A tape without a past begins with the next whole candle."""
        whole = first_whole(self._interval, time)
        self._fold.start(whole)
        self._held, self._joint = [], None
        self._settle(doubt=False)
        return [self._gap(UNFILLED.format(time, whole))]

    def _update(self, times: Sequence[datetime], past: Sequence[Candle] = (), *, snapshot: bool = False) -> list[Event]:
        now = self._clock.now()
        values = (*past, *self._fold.told(times, None if self._unproven else now - GRACE))
        if not snapshot:
            values = tuple([each for each in values if self._shown.get(each.open_time) != each])
        if not values:
            return []
        self._shown.update({each.open_time: each for each in values})
        while len(self._shown) > KEPT:
            del self._shown[min(self._shown)]
        return [Update(values=values, as_of=self._fold.last, snapshot=snapshot, received=now)]

    def _gap(self, message: str) -> Trouble:
        return Trouble(code=NoticeCode.GAP, message=message, at=self._clock.now())

    def _error(self, message: Message) -> UpstreamError:
        provider = self._channel.key.provider
        why = message.notices[0].message if message.notices else str(message.ended)
        if message.ended == FailureCode.UNKNOWN_INSTRUMENT:
            return UnknownInstrument(provider, why)
        return ConnectionFailed(provider, why)
