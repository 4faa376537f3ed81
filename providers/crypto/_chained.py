"""Books of sockets that send all levels first, and then changes that each name the one before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from providers.books import Book, Levels, Order, following
from providers.feeds import Gap, News, Said, Topic


class ChainedBooks:
    """A book for each channel; with a *depth* it is no deeper than the venue's."""

    def __init__(self, depth: int | None = None) -> None:
        self._depth = depth
        self._books: dict[str, Book] = {}
        self._held: dict[str, int] = {}

    def forget(self, channel: str) -> None:
        """The book of a channel, and its number."""
        self._books.pop(channel, None)
        self._held.pop(channel, None)

    def begin(self, topic: Topic, number: int, bids: Levels, asks: Levels, as_of: datetime | None) -> Sequence[News]:
        """All levels."""
        book = self._books[topic.channel] = Book(topic.instrument, self._depth)
        book.start(bids, asks)
        return self._said(topic.channel, number, as_of, snapshot=True)

    def follow(
        self, topic: Topic, previous: int, number: int, bids: Levels, asks: Levels, as_of: datetime | None
    ) -> Sequence[News]:
        """A change; one that is known already says nothing, one that does not follow ends the book."""
        channel = topic.channel
        book = self._books.get(channel)
        if book is None:
            return []
        held = self._held[channel]
        order = following(held, previous, number)
        if order is Order.GAP:
            self.forget(channel)
            return [Gap(channel, f"change {held} is followed by one after {previous}")]
        if order is Order.OLD:
            return []
        book.change(bids, asks)
        return self._said(channel, number, as_of, snapshot=False)

    def _said(self, channel: str, number: int, as_of: datetime | None, *, snapshot: bool) -> Sequence[News]:
        self._held[channel] = number
        shown = self._books[channel].shown(as_of=as_of, sequence=str(number), verified=True)
        return [Said(channel=channel, values=(shown,), as_of=as_of, snapshot=snapshot)]
