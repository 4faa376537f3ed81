"""Quotes of a live stream: a snapshot over HTTP and what came since, anew each day of New York."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from providers.equities._listed import NEW_YORK
from providers.row import Row
from schema.words.quotes import Quote

ZONE = ZoneInfo(NEW_YORK)


class LiveQuotes:
    """By channel. `changed` gives a quote with a message in it, `traded_at` the time of a trade (None: of no trade).

    A trade of a later day makes a quote worthless: its statistics are those of the day before. The snapshot is asked
    for once a minute at most, until it is of that day; meanwhile the newest messages of each kind wait.
    """

    def __init__(self, changed: Callable[[Quote, Row], Quote], traded_at: Callable[[Row], datetime | None]) -> None:
        self._changed, self._traded_at = changed, traded_at
        self._quotes: dict[str, Quote] = {}
        self._early: dict[str, dict[str, Row]] = {}
        self._asked: dict[str, datetime] = {}
        self._coming: set[str] = set()

    def forget(self, channel: str) -> None:
        """Drop a channel's quote."""
        self._coming.discard(channel)
        for held in (self._quotes, self._early, self._asked):
            held.pop(channel, None)

    def wants(self, channel: str, now: datetime) -> bool:
        """Whether the snapshot has to be asked for now: say so once."""
        minute = now.replace(second=0, microsecond=0)
        asked = self._asked.get(channel)
        if channel in self._quotes or channel in self._coming or (asked is not None and minute <= asked):
            return False
        self._asked[channel] = minute
        self._coming.add(channel)
        return True

    def take(self, channel: str, kind: str, message: Row) -> Quote | None:
        """The quote with a message in it; None where that changes nothing, or where it waits for the snapshot."""
        quote, at = self._quotes.get(channel), self._traded_at(message)
        if quote is None or (at is not None and day_of(quote) < local_day(at)):
            self._quotes.pop(channel, None)
            self._early.setdefault(channel, {})[kind] = message
            return None
        better = self._changed(quote, message)
        self._quotes[channel] = better
        return None if better == quote else better

    def begin(self, channel: str, quote: Quote) -> Quote | None:
        """The snapshot with what waited for it; None where it is of an earlier day than that."""
        self._coming.discard(channel)
        for message in self._early.get(channel, {}).values():
            at = self._traded_at(message)
            if at is not None and day_of(quote) < local_day(at):
                return None
            quote = self._changed(quote, message)
        self._early.pop(channel, None)
        self._quotes[channel] = quote
        return quote


def local_day(moment: datetime) -> date:
    """The day in New York."""
    return moment.astimezone(ZONE).date()


def day_of(quote: Quote) -> date:
    """The day of its price; the first one of all where that is not told."""
    return date.min if quote.as_of is None else local_day(quote.as_of)
