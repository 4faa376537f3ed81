"""Articles that were not there before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import cast

from cachetools import LRUCache

from gateway.core.store import Tx
from plugins.events.producers.stage import TERMS, Stage
from plugins.events.producers.store import ProducedDirectory, StateDirectory, WatchDirectory
from plugins.events.producers.types import NewsPublished
from plugins.events.producers.wanted import Headlines
from schema.words.news import NEWS, NewsArticle, NewsAsk

OLDEST = timedelta(days=1)
"""Articles that were published longer ago are no news, wherever they turn up. What was told is kept for longer."""
KNOWN = 2_000
SEEN = "SEEN"


class NewsProducer:
    """One channel, looked at as often as an answer stays fresh."""

    def __init__(self, stage: Stage, key: str, headlines: Headlines) -> None:
        self._stage, self._host, self._key, self._headlines = stage, stage.host, key, headlines
        self._watches, self._produced, self._states = WatchDirectory(), ProducedDirectory(), StateDirectory()
        self._known: LRUCache[str, bool] = LRUCache(KNOWN)

    async def run(self) -> None:
        """See `Producer`."""
        while True:
            now = self._host.clock.now()
            await self.look()
            await self._host.clock.sleep(NEWS.window(self._ask, now).total_seconds())

    @property
    def _ask(self) -> NewsAsk:
        instrument = self._headlines.instrument
        return NewsAsk(instruments=(instrument,) if instrument else (), topic=self._headlines.topic)

    async def look(self) -> None:
        """Once; NoAnswer where nobody has news that may be passed on."""
        fetched = await self._stage.context().market.fetch(NEWS, self._ask, TERMS)
        articles, now = cast("Sequence[NewsArticle]", fetched.value), self._host.clock.now()
        async with self._host.store.write() as tx:
            since = max(await self._since(tx, fetched.provenance.provider, now), now - OLDEST)
            for article, row in self._fresh(articles, since):
                if await self._produced.claim(tx, row, now):
                    mode = article.provenance.mode
                    event = NewsPublished(channel=self._headlines.channel, article=article, mode=mode)
                    self._stage.tell(tx, event)
            await self._watches.advance(tx, self._key, now)
        for _, row in self._fresh(articles, since):
            self._known[row] = True

    async def _since(self, tx: Tx, provider: str, now: datetime) -> datetime:
        """What this provider published before is past.

        At first that is the present; another provider that takes over goes on from the last look.
        """
        key = f"{self._key}|{provider}"
        known = await self._states.find(tx, key)
        if known is not None:
            return known.since
        since = await self._watches.mark(tx, self._key) or now
        await self._states.put(tx, key, SEEN, since)
        return since

    def _fresh(self, articles: Sequence[NewsArticle], since: datetime) -> Iterator[tuple[NewsArticle, str]]:
        """The oldest first, as they are told."""
        for article in reversed(articles):
            row = f"{NewsPublished.name}|{self._headlines.channel}|{_short(article.url)}"
            if article.published_at > since and row not in self._known:
                yield article, row


def _short(url: str) -> str:
    """An address in a few letters: providers have ids of their own for the same article."""
    return blake2b(url.encode(errors="replace"), digest_size=16).hexdigest()
