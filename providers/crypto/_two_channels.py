"""Quotes that two channels tell: the statistics, and the best prices as they change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from providers.contract import Clock
from providers.feeds import Alive, News, Said
from providers.latest import Latest
from schema.words.quotes import Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The best prices with their sizes, and since when."""

    bid: Decimal | None
    ask: Decimal | None
    bid_size: Decimal | None
    ask_size: Decimal | None
    as_of: datetime | None = field(compare=False)


class TwoChannels:
    """What either channel said last, by channel."""

    def __init__(self, clock: Clock) -> None:
        self._latest = Latest(clock)
        self._quotes: dict[str, Quote] = {}
        self._bests: dict[str, Best] = {}

    def forget(self, channel: str) -> None:
        """Both."""
        self._latest.forget(channel)
        self._quotes.pop(channel, None)
        self._bests.pop(channel, None)

    def ticked(self, channel: str, quote: Quote) -> Iterable[News]:
        """Statistics, with the best prices as they were last; older ones, sent once more, are nothing new."""
        if self._latest.passed(channel, "statistics", quote.as_of):
            return []
        self._quotes[channel] = quote
        return [self._whole(channel, quote)]

    def bettered(self, channel: str, best: Best) -> Iterable[News]:
        """Best prices alone are no quote; the same ones once more are nothing new, nor are older ones."""
        if self._latest.passed(channel, "best", best.as_of):
            return []
        known, self._bests[channel] = self._bests.get(channel), best
        quote = self._quotes.get(channel)
        return [Alive(channel)] if quote is None or best == known else [self._whole(channel, quote)]

    def _whole(self, channel: str, quote: Quote) -> Said:
        best = self._bests.get(channel)
        if best is not None:
            stamps = [stamp for stamp in (best.as_of, quote.as_of) if stamp is not None]
            quote = replace(
                quote, as_of=max(stamps, default=None), bid=best.bid, ask=best.ask,
                bid_size=best.bid_size if best.bid else None, ask_size=best.ask_size if best.ask else None,
            )  # fmt: skip
        return Said(channel=channel, values=(quote,), as_of=quote.as_of)
