"""What a connection knows of its channels: who listens, what was said last, when, and what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from gateway.core.clock import Clock
from gateway.core.lines.closing import NEVER_CLOSING
from gateway.core.lines.doubt import FIRST_S, LONGEST_S, missed, patience
from gateway.core.lines.line import Ended, Event, Trouble, Update
from gateway.core.lines.newest import Newest
from gateway.core.lines.pace import Pace
from gateway.core.metrics import counter
from providers.feeds import Said, Topic
from schema.errors import BudgetReached, QuotaExhausted, QuotaReached, Stale, Throttled, UpstreamError
from schema.words.books import ORDER_BOOK
from schema.words.live import NoticeCode
from schema.words.trades import TRADES

REOPENED = "The market is open again."
MOST_DOUBTS = 10
OURS = (QuotaReached, QuotaExhausted, BudgetReached, Throttled)
"""Refusals that say nothing about the venue."""
ACCEPTED_S = 3.0
"""After its subscription a channel is in order where the venue confirms none."""
MOST_GAPS = 5
"""Gaps in a row, without a snapshot between them, that a channel is mended after."""

STALE = counter(
    "marketgate_live_stale", "Channels of feeds that said nothing when they should have spoken.", "provider"
)


@dataclass(slots=True, kw_only=True, eq=False)
class Place:
    """One listener of a channel. Two instruments may have the same channel: `BTC/USDT` and `BTC/USDT@binance`."""

    topic: Topic
    tell: Callable[[Event], None]
    silence: timedelta | None = None
    ask: Callable[[], Awaitable[Sequence[Any] | UpstreamError]] | None = None
    """What the provider answers over HTTP, where it does."""
    resumed: bool = False
    """It goes on from where another line ended, and is to be told when it does."""


@dataclass(slots=True, eq=False)
class Channel:
    """One channel and its listeners."""

    topic: Topic
    clock: Clock
    suspects: set[str] = field(default_factory=set)
    """Names of the channels that were silent for too long, and have said nothing since, over whichever connection."""
    places: list[Place] = field(default_factory=list)
    last: Said | None = None
    newest: Newest = field(init=False)
    """Also of what was said before the channel was lost."""
    pace: Pace = field(default_factory=Pace)
    """Of what came since it was subscribed."""
    heard: float = 0.0
    troubled: NoticeCode | None = None
    """What was told last is this trouble: values are fresh again when they come."""
    fresh: bool = False
    """Values have come since it was subscribed, or the venue has confirmed it."""
    asking: bool = True
    """Its subscription has not been confirmed yet: some venues confirm all of them again with each new one."""
    proven: bool = False
    """It has said something, or HTTP has shown that it may be quiet."""
    asked: float = 0.0
    """When HTTP was asked about it last."""
    doubts: int = 0
    """How often in a row HTTP has shown that it is quiet."""
    unanswered: int = 0
    """How often in a row HTTP has failed."""
    since: datetime | None = None
    """When it was subscribed, or lost."""
    warned: bool = False
    """It has been silent for too long once already."""
    shut: bool = False
    """Its listeners were told that its market is closed."""
    broken: bool = False
    """Nothing but a snapshot can be believed."""
    gaps: int = 0
    mending: bool = False
    """A new subscription is waiting for its time."""

    def __post_init__(self) -> None:
        self.newest = Newest(self.topic.capability)

    @property
    def silence(self) -> float | None:
        """Seconds: by its own pace at most what its venue declares; after a session that ends all slows down."""
        told = [place.silence.total_seconds() for place in self.places if place.silence is not None]
        if told and self.topic.instrument.asset_class in NEVER_CLOSING:
            return self.pace.allowed(max(told))
        return max(told, default=None)

    def join(self, place: Place) -> None:
        """Who comes later is told where things stand, but for trades, which are no state."""
        self.places.append(place)
        if self.fresh:
            self._freshen("The stream goes on.", quiet=True)
        if self.last is not None and not self.troubled and self.topic.capability is not TRADES:
            self._tell(place, replace(self.last, snapshot=True))

    def said(self, said: Said) -> bool:
        """New values, to every listener under its own instrument; whether there are any: older ones are no news."""
        if self.broken and not said.snapshot:
            return False
        values = self.newest.of(said.values, said.as_of, self.clock.now(), snapshot=said.snapshot)
        if said.values and not values:
            return False
        said = said if len(values) == len(said.values) else replace(said, values=values)
        self.heard, self.last, self.broken, self.warned = self.clock.monotonic(), said, False, False
        self.pace.beat(self.heard)
        self.proven, self.doubts, self.unanswered = True, 0, 0
        self.suspects.discard(self.topic.channel)
        if said.snapshot or self.topic.capability is not ORDER_BOOK:
            self.gaps = 0
        self._freshen("Values come again.")
        for place in list(self.places):
            self._tell(place, said)
        return True

    def alive(self) -> None:
        """In order, with nothing new."""
        self.heard, self.warned = self.clock.monotonic(), False
        self.pace.beat(self.heard)
        if self.topic.capability is not ORDER_BOOK:
            self._freshen("The venue says that the stream is in order.", quiet=True)

    def confirmed(self) -> None:
        """The venue has accepted its subscription: where it may say nothing for long, no more is to be waited for."""
        if self.asking:
            self.heard, self.asking = self.clock.monotonic(), False
        if self._may_be_quiet:
            self._freshen("The venue has accepted the stream.", quiet=True)

    def accepted(self) -> bool:
        """Whether a venue that does not confirm has not refused it either, for a while."""
        waited = self.clock.monotonic() - self.heard
        return not self.fresh and self._may_be_quiet and waited >= ACCEPTED_S

    @property
    def _may_be_quiet(self) -> bool:
        """Whether nothing has to come, though it is in order: not where it was silent when it should have spoken."""
        suspected = self.warned or self.topic.channel in self.suspects
        return self.silence is None and not suspected and self.topic.capability is not ORDER_BOOK

    def _freshen(self, message: str, *, quiet: bool = False) -> None:
        """Tell those who know of trouble that it is over."""
        troubled, self.troubled, self.fresh = self.troubled, None, True
        told = Trouble(code=NoticeCode.FRESH_AGAIN, message=message, at=self.clock.now(), quiet=quiet)
        for place in list(self.places):
            if troubled or place.resumed:
                place.resumed = False
                place.tell(told)

    def lost(self, code: NoticeCode, message: str) -> None:
        """What was said last does not hold any more."""
        self.last, self.fresh, self.since = None, False, self.clock.now()
        if code is not NoticeCode.STALE:
            self.pace = Pace()
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

    def doubtful(self) -> bool:
        """Whether HTTP should be asked if it is quiet or dead."""
        if self.proven and (self.shut or self.silence is not None):
            return False
        if all(place.ask is None for place in self.places):
            return False
        wait = min(patience(self.topic) * 2.0**self.doubts, LONGEST_S) if self.proven else FIRST_S * 2.0**self.doubts
        return self.clock.monotonic() - max(self.heard, self.asked) > wait

    def quiet(self) -> None:
        """HTTP has been asked and tells nothing that is missing."""
        self.asked, self.doubts = self.clock.monotonic(), min(self.doubts + 1, MOST_DOUBTS)
        self.proven, self.unanswered = True, 0

    def failed(self, error: UpstreamError) -> bool:
        """HTTP fails as well: whether that has been so twice in a row of a channel that was there."""
        self.asked = self.clock.monotonic()
        if isinstance(error, OURS):
            self.doubts = min(self.doubts + 1, MOST_DOUBTS)
        else:
            self.unanswered += 1
        return self.proven and self.unanswered > 1

    def missed(self, found: Sequence[Any]) -> bool:
        """Whether it should have said something of what HTTP tells."""
        now = self.clock.now()
        return missed(self.topic, self.last, self.since or now, found, now)

    def warn(self, provider: str, why: str = "") -> UpstreamError | None:
        """Silent for too long: the first time it is told, after that the error is returned that it may end with."""
        silence = self.clock.monotonic() - self.heard if self.silence is None else self.silence
        told = f"nothing came for {round(silence)} s{why}"
        if self.warned:
            return Stale(provider, f"{told}, twice in a row")
        self.heard, self.warned = self.clock.monotonic(), True
        STALE.labels(provider).inc()
        self.lost(NoticeCode.STALE, f"{provider}: {told}; asking for it again.")
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

    def __init__(self, clock: Clock, suspects: set[str] | None = None) -> None:
        self._clock, self._suspects = clock, set() if suspects is None else suspects
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
        channel = found or Channel(
            place.topic, self._clock, self._suspects, heard=self._clock.monotonic(), since=self._clock.now()
        )  # fmt: skip
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

    def blames(self, channel: Channel) -> bool:
        """Whether its silence may be the connection's fault: not when another connection did not help before."""
        known = channel.topic.channel in self._suspects
        self._suspects.add(channel.topic.channel)
        return not known

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
