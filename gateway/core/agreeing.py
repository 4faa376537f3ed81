"""A consensus that lives: the last word of each provider's stream, agreed on anew whenever one of them has spoken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.core.consensus import Rules, agree
from gateway.core.fetchlog import Fetched
from gateway.core.live.mailbox import Delivery
from schema.errors import QuorumNotMet, Stale, UpstreamError
from schema.symbols import InstrumentId
from schema.words.consensus import Consensus
from schema.words.live import NoticeCode, StreamNotice

SILENT = frozenset({NoticeCode.STALE, NoticeCode.RECONNECTING, NoticeCode.UNKNOWN_INSTRUMENT})
"""What a source says that counts no more until it has a new value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """One step: `consensus` is None as long as too few sources count, and a notice says why."""

    cursor: str
    consensus: Consensus | None
    notices: tuple[StreamNotice, ...]


class Agreement:
    """Fed with the deliveries of one subscription whose subjects are the *providers*, in their order."""

    def __init__(
        self, instrument: InstrumentId, symbol: str, providers: Sequence[str], refused: Sequence[UpstreamError],
        *, quorum: int, max_age: timedelta | None,
    ) -> None:  # fmt: skip
        self._instrument, self._symbol, self._providers = instrument, symbol, providers
        self._quorum, self._max_age = quorum, max_age
        self._words: dict[str, Fetched | UpstreamError] = {
            name: Stale(name, "its stream has said nothing yet") for name in providers
        }
        self._words.update((error.provider, error) for error in refused)

    def take(self, delivery: Delivery, now: datetime) -> Agreed:
        """What the sources agree on with what is new of them."""
        for item in delivery.items:
            value = item.values[-1]
            self._words[self._providers[item.index]] = Fetched(value, value.provenance)
        for notice in delivery.notices:
            if notice.code in SILENT and notice.provider is not None:
                self._silence(notice.provider, notice)
        notices = tuple(replace(each, symbol=self._symbol) for each in delivery.notices)
        try:
            found = agree(self._instrument, self._words, self._rules(now))
        except QuorumNotMet as few:
            why = StreamNotice(code=NoticeCode.STALE, message=few.message, symbol=self._symbol, at=now)
            return Agreed(cursor=delivery.cursor, consensus=None, notices=(*notices, why))
        return Agreed(cursor=delivery.cursor, consensus=found, notices=notices)

    def _silence(self, provider: str, notice: StreamNotice) -> None:
        """A value that was received after the trouble was noticed has ended it."""
        word = self._words.get(provider)
        if word is None or (isinstance(word, Fetched) and word.provenance.fetched_at > notice.at):
            return
        self._words[provider] = Stale(provider, notice.message)

    def _rules(self, now: datetime) -> Rules:
        return Rules(quorum=self._quorum, max_age=self._max_age, now=now)
