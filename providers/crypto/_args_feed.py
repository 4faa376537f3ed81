"""Sockets that take `{"op", "args"}` and ping with a bare text: OKX and, after it, Bitget."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

from providers.feeds import Confirmed, Feed, Heartbeat, News, Out, Refused, Restart, Topic, batches, text
from providers.row import Row
from schema.errors import NotCovered, UpstreamError

PONG = ("pong", b"pong")
NAMED = re.compile(r"channel:([^,\s]+),\s?instId:([^,\s]+)")
WORD = re.compile(r"[\w-]+")
LONGEST = 500
"""Characters of an error's text that are searched."""
ARGS_A_FRAME = 50


class ArgsFeed(Feed):
    """A channel is the venue's name of it and the pair: `tickers:BTC-USDT`.

    Both close a connection that has been silent for 30 seconds; the limits are those of the two venues.
    """

    heartbeat = Heartbeat(every=timedelta(seconds=20), text="ping")
    product: ClassVar[Mapping[str, str]] = {}
    """What an argument says beside the channel and the pair."""
    refusals: ClassVar[Mapping[str, type[UpstreamError]]]
    """What an error's code means; others are not covered."""

    def subscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """Each channel is accepted or refused alone."""
        return self._requests_for("subscribe", topics)

    def unsubscribe(self, topics: Sequence[Topic]) -> Sequence[Out]:
        """The same the other way round."""
        return self._requests_for("unsubscribe", topics)

    def _requests_for(self, op: str, topics: Sequence[Topic]) -> list[Out]:
        return [
            text({"op": op, "args": [self._arg(topic.channel) for topic in batch]})
            for batch in batches(topics, ARGS_A_FRAME)
        ]

    def _arg(self, channel: str) -> dict[str, str]:
        name, _, pair = channel.partition(":")
        return {**self.product, "channel": name, "instId": pair}

    def decode(self, data: str | bytes) -> Row:
        """The answer to a ping is no JSON, and says nothing."""
        return Row(self.provider, {}) if data in PONG else super().decode(data)

    def read(self, frame: Row) -> Iterable[News]:
        """`{"event"}` is an answer or a notice, `{"arg", "data"}` has values."""
        if "event" in frame:
            return self._answered(frame, frame.text("event"))
        if "arg" not in frame:
            return []
        topic = self.topics.get(_channel(frame["arg"]))
        return [] if topic is None else self.valued(topic, frame)

    def valued(self, topic: Topic, frame: Row) -> Iterable[News]:
        """What a frame with values says."""
        raise NotImplementedError

    def _answered(self, frame: Row, event: str) -> Iterable[News]:
        """An error names its channel in `arg` or in its text, or a pair; one that names none spoils the connection."""
        if event == "subscribe":
            return [Confirmed(_channel(frame["arg"]))]
        if event not in ("error", "notice"):
            return []
        code, message = frame.label("code"), frame.text("msg")
        said = f"error {code}: {message}"
        named = NAMED.search(message[:LONGEST])
        if "arg" in frame:
            channel = _channel(frame["arg"])
        elif named is not None:
            channel = f"{named[1]}:{named[2]}"
        else:
            words = set(WORD.findall(message[:LONGEST]))
            ours = [each for each in self.topics if each.partition(":")[2] in words]
            return [self._refused(each, code, said) for each in ours] or [Restart(said)]
        return [self._refused(channel, code, said)]

    def _refused(self, channel: str, code: str, said: str) -> Refused:
        return Refused(channel, self.refusals.get(code, NotCovered)(self.provider, said))


def _channel(arg: Row) -> str:
    return f"{arg.text('channel')}:{arg.text('instId')}"
