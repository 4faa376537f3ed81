"""What a connection knows of its channels: who listens, what was said last, when, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from gateway.core.clock import Clock
from gateway.core.lines.line import Ended, Event, Trouble, Update
from providers.feeds import Said, Topic
from schema.errors import Stale, UpstreamError
from schema.words.books import ORDER_BOOK
from schema.words.live import NoticeCode
from schema.words.trades import TRADES

REOPENED = "The market is open again."
MOST_GAPS = 5
"""Gaps in a row, without a snapshot between them, that a channel is mended after."""


@dataclass(slots=True, kw_only=True, eq=False)
class Place:
    """One listener of a channel. Two instruments may have the same channel: `BTC/USDT` and `BTC/USDT@binance`."""

    topic: Topic
    tell: Callable[[Event], None]
    silence: timedelta | None = None


@dataclass(slots=True, eq=False)
class Channel:
    """One channel and its listeners."""

    topic: Topic
    clock: Clock
    places: list[Place] = field(default_factory=list)
    last: Said | None = None
    heard: float = 0.0
    troubled: NoticeCode | None = None
    """What was told last is this trouble: values are fresh again when they come."""
    warned: bool = False
    """It has been silent for too long once already."""
    shut: bool = False
    """Its listeners were told that its market is closed."""
    broken: bool = False
    """Nothing but a snapshot can be believed."""
    gaps: int = 0
    mending: bool = False
    """A new subscription is waiting for its time."""

    @property
    def silence(self) -> float | None:
        """Seconds."""
        told = [place.silence.total_seconds() for place in self.places if place.silence is not None]
        return max(told, default=None)

    def join(self, place: Place) -> None:
        """Who comes later is told where things stand, but for trades, which are no state."""
        self.places.append(place)
        if self.last is not None and not self.troubled and self.topic.capability is not TRADES:
            self._tell(place, replace(self.last, snapshot=True))

    def said(self, said: Said) -> None:
        """New values, to every listener under its own instrument."""
        if self.broken and not said.snapshot:
            return
        self.heard, self.last, self.broken, self.warned = self.clock.monotonic(), said, False, False
        if said.snapshot or self.topic.capability is not ORDER_BOOK:
            self.gaps = 0
        if self.troubled:
            self.troubled = None
            self.trouble(NoticeCode.FRESH_AGAIN, "Values come again.")
        for place in list(self.places):
            self._tell(place, said)

    def alive(self) -> None:
        """In order, with nothing new."""
        self.heard, self.warned = self.clock.monotonic(), False

    def lost(self, code: NoticeCode, message: str) -> None:
        """What was said last does not hold any more."""
        self.last = None
        self.broken = self.topic.capability is ORDER_BOOK
        if not (code is NoticeCode.RECONNECTING and self.troubled is code):
            self.trouble(code, message)
            self.shut = False
        self.troubled = code

    def trouble(self, code: NoticeCode, message: str) -> None:
        """Tell all listeners."""
        told = Trouble(code=code, message=message, at=self.clock.now())
        for place in list(self.places):
            place.tell(told)

    def end(self, error: UpstreamError) -> None:
        """Tell all listeners that it is over."""
        places, self.places = self.places, []
        for place in places:
            place.tell(Ended(error=error))

    def silent(self) -> bool:
        """Whether nothing was heard for longer than is usual."""
        silence = self.silence
        return silence is not None and self.clock.monotonic() - self.heard > silence

    def excuse(self) -> None:
        """Its market is closed: no silence is counted."""
        self.heard = self.clock.monotonic()
        if not self.shut:
            self.trouble(NoticeCode.MARKET_CLOSED, "The market is closed: no news is no failure.")
        self.shut = True

    def reopen(self) -> None:
        """Its market is open; silence is counted from now on."""
        if not self.shut:
            return
        self.shut, self.warned, self.heard = False, False, self.clock.monotonic()
        if not self.troubled:
            self.trouble(NoticeCode.FRESH_AGAIN, REOPENED)

    def warn(self, provider: str) -> UpstreamError | None:
        """Silent for too long: once is a notice, twice in a row is the end, which is returned."""
        told = f"nothing came for {self.silence:g} s"
        if self.warned:
            return Stale(provider, f"{told}, twice in a row")
        self.heard, self.warned = self.clock.monotonic(), True
        self.lost(NoticeCode.STALE, f"{provider}: {told}; subscribing again.")
        return None

    def _tell(self, place: Place, said: Said) -> None:
        values = said.values
        if place.topic.instrument != self.topic.instrument:
            values = tuple([_renamed(value, place.topic) for value in values])
        place.tell(Update(values=values, as_of=said.as_of, snapshot=said.snapshot, received=self.clock.now()))


def _renamed(value: Any, topic: Topic) -> Any:
    return replace(value, instrument=topic.instrument) if hasattr(value, "instrument") else value


class Channels:
    """All channels of a connection, by name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._channels: dict[str, Channel] = {}

    def __len__(self) -> int:
        return len(self._channels)

    def __iter__(self) -> Iterator[Channel]:
        return iter(list(self._channels.values()))

    def get(self, name: str) -> Channel | None:
        """None for one that nobody listens to any more."""
        return self._channels.get(name)

    def join(self, place: Place) -> Channel | None:
        """The channel, if it is new."""
        found = self._channels.get(place.topic.channel)
        channel = found or Channel(place.topic, self._clock, heard=self._clock.monotonic())
        self._channels[place.topic.channel] = channel
        channel.join(place)
        return None if found else channel

    def leave(self, place: Place) -> Channel | None:
        """The channel, if nobody is left there."""
        channel = self._channels.get(place.topic.channel)
        if channel is None or place not in channel.places:
            return None
        channel.places.remove(place)
        return None if channel.places else self._channels.pop(place.topic.channel)

    def end(self, channel: Channel, error: UpstreamError) -> None:
        """One channel is over; another one of the same name, which came meanwhile, is not."""
        if self._channels.get(channel.topic.channel) is channel:
            del self._channels[channel.topic.channel]
        channel.end(error)

    def end_all(self, error: UpstreamError) -> None:
        """Everything is over."""
        for channel in self:
            self.end(channel, error)

    def lose_all(self, message: str) -> None:
        """The connection is lost; each channel says so once."""
        for channel in self:
            channel.lost(NoticeCode.RECONNECTING, message)
