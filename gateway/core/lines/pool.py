"""Connections to one venue's feed with one key: topics are shared out within the venue's limits."""

from __future__ import annotations

import random

from gateway.core.clock import Clock
from gateway.core.lines.channels import Place
from gateway.core.lines.connection import Connection, Upstream
from gateway.core.lines.line import Ended
from providers.feeds import Feed
from schema.errors import QuotaReached


class Pool:
    """Opens a connection for the first topic, a further one when the others are full, and closes what nobody needs."""

    def __init__(self, upstream: Upstream, feed: type[Feed], clock: Clock, chance: random.Random) -> None:
        self._upstream, self._feed, self._clock, self._chance = upstream, feed, clock, chance
        self._connections: list[Connection] = []
        self._of: dict[Place, Connection] = {}
        self._suspects: set[str] = set()
        """Names of the channels that were silent for too long, over whichever connection."""

    def __len__(self) -> int:
        return len(self._connections)

    def join(self, place: Place) -> None:
        """Listen; `Ended` at once where the venue takes no further connection."""
        connection = self._room_for(place.topic.channel)
        if connection is None:
            most = (self._feed.connections or 0) * self._feed.topics_per_connection
            told = f"its live feed takes {most} topics, and all of them are taken"
            place.tell(Ended(error=QuotaReached(self._upstream.provider, told)))
            return
        self._of[place] = connection
        connection.join(place)

    def leave(self, place: Place) -> None:
        """Listen no more; a connection that nobody listens to any more closes itself."""
        connection = self._of.pop(place, None)
        if connection is not None:
            connection.leave(place)

    def end(self, why: str) -> None:
        """Nobody gets anything from these connections any more."""
        for place in list(self._of):
            self.leave(place)
            place.tell(Ended(error=QuotaReached(self._upstream.provider, why)))

    async def close(self) -> None:
        """All connections."""
        for connection in list(self._connections):
            await connection.close()

    def _room_for(self, channel: str) -> Connection | None:
        for connection in self._connections:
            if connection.channels.get(channel) is not None:
                return connection
        most = self._feed.topics_per_connection
        roomy = [each for each in self._connections if len(each.channels) < most]
        if roomy:
            return roomy[0]
        if self._feed.connections is not None and len(self._connections) >= self._feed.connections:
            return None
        made = Connection(self._upstream, self._clock, self._chance, self._done, self._suspects)
        self._connections.append(made)
        return made

    def _done(self, connection: Connection) -> None:
        self._connections.remove(connection)
