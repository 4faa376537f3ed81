"""Books of sockets that send the best levels whole each time, with their time and no number."""

from __future__ import annotations

from datetime import datetime

from providers.feeds import Alive, News, Said
from schema.words.books import OrderBook


class WholeBooks:
    """Remembers of each channel how old its book is."""

    def __init__(self) -> None:
        self._times: dict[str, datetime | None] = {}

    def forget(self, channel: str) -> None:
        """The next book is a snapshot."""
        self._times.pop(channel, None)

    def told(self, channel: str, book: OrderBook) -> list[News]:
        """The first book is a snapshot; one that is older than the last, sent once more, is not shown."""
        first, last = channel not in self._times, self._times.get(channel)
        if last and book.as_of and book.as_of < last:
            return [Alive(channel)]
        self._times[channel] = book.as_of or last
        return [Said(channel=channel, values=(book,), as_of=book.as_of, snapshot=first)]
