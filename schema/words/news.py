"""News articles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import strawberry

from schema.capability import Capability
from schema.checks import newest_first, unique, within
from schema.model import described, model
from schema.provenance import UNSTAMPED, Provenance
from schema.symbols import InstrumentId


@model("An article.")
class NewsArticle:
    """Texts are the source's own, without mark-up; they are untrusted."""

    as_of: strawberry.Private[datetime | None] = None
    id: str = described("The provider's id; its address where it has none.")
    title: str = described("The headline.")
    url: str = described("Where it can be read.")
    published_at: datetime = described("When it was published, or first seen.")
    updated_at: datetime | None = described("When it was changed last.", default=None)
    summary: str | None = described("The first sentences, or what its provider makes of it.", default=None)
    source: str | None = described("Who published it, in words.", default=None)
    author: str | None = described("Who wrote it.", default=None)
    image: str | None = described("Address of a picture.", default=None)
    language: str | None = described("ISO 639-1 code, lower-case.", default=None)
    symbols: tuple[str, ...] = described("Instruments that it is about, such as `equity:AAPL`.", default=())
    topics: tuple[str, ...] = described("In its provider's words.", default=())
    sentiment: Decimal | None = described("-1 is bad news, 1 is good news, in its provider's opinion.", default=None)
    score: int | None = described("Votes, where its source counts them.", default=None)
    comments: int | None = described("Comments, where its source counts them.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsAsk:
    """At most `limit` articles, newest first, published in `[start, end)`; empty filters do not filter.

    `text` are words, `instruments` any of which it is about, `topic` a category (`business`, `technology`, `crypto`),
    `language` an ISO 639-1 code, `country` an ISO 3166 code. An adapter covers the combinations that its upstream can
    filter by, and no other: what is asked for must not be dropped silently.
    """

    text: str = ""
    instruments: tuple[InstrumentId, ...] = ()
    topic: str = ""
    language: str = ""
    country: str = ""
    start: datetime | None = None
    end: datetime | None = None
    limit: int = 100


def check_news(ask: NewsAsk, articles: Sequence[NewsArticle]) -> Iterator[str]:
    """Newest first, real addresses."""
    yield from newest_first("publishedAt", [article.published_at for article in articles])
    yield from unique("ids", [article.id for article in articles])
    for article in articles:
        yield from within(f"{article.id}: ", -1, 1, sentiment=article.sentiment)
        if not article.url.startswith(("https://", "http://")):
            yield f"{article.id}: {article.url!r} is no address"


NEWS: Capability[NewsAsk, tuple[NewsArticle, ...]] = Capability(
    name="news",
    ask=NewsAsk,
    answer=tuple[NewsArticle, ...],
    description="News articles by words, instruments or topics.",
    fresh_for=timedelta(minutes=1),
    revalidate_for=timedelta(minutes=4),
    keep_for=timedelta(hours=6),
    as_of=lambda articles: max((article.published_at for article in articles), default=None),
    check=check_news,
)
