"""The root field: news by words, instruments or topics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, cast

import strawberry

from gateway.core.contract import Context, Ctx, fetch_list
from gateway.core.ports import Desk
from schema.arguments import After, From, PageSize, Route, Until, says, two_letters
from schema.errors import BadInput
from schema.facts import Shared, facts
from schema.paging import Connection, connected
from schema.scopes import Scope
from schema.words.costs import page_length
from schema.words.news import NEWS, NewsArticle, NewsAsk
from schema.words.routes import terms_of

LONGEST_TEXT = 200
MOST_SYMBOLS = 20

Words = Annotated[str | None, says("Words that articles must hold.")]
Symbols = Annotated[list[str] | None, says("Instruments of which articles must be about one, at most 20.")]
Topic = Annotated[str | None, says("A topic such as `business`, `technology` or `crypto`.")]
Language = Annotated[str | None, says("ISO 639-1 code, such as `en`.")]
Country = Annotated[str | None, says("ISO 3166 code of the publishers.")]
Source = Annotated[str | None, says("Only this publisher, as its provider writes it.")]


async def news_ask(
    context: Context, *, search: str | None, symbols: Sequence[str] | None, topic: str | None, language: str | None,
    country: str | None, start: datetime | None = None, end: datetime | None = None,
) -> NewsAsk:  # fmt: skip
    """The filters as an ask; BadInput for what no filter can be."""
    text = (search or "").strip()
    if len(text) > LONGEST_TEXT:
        raise BadInput("search", f"has {len(text)} characters: at most {LONGEST_TEXT}")
    if len(symbols or ()) > MOST_SYMBOLS:
        raise BadInput("symbols", f"give at most {MOST_SYMBOLS}")
    if start is not None and end is not None and not start < end:
        raise BadInput("end", "must be after start")
    desk = context.service(Desk)
    meant = await asyncio.gather(*(desk.find(context, symbol) for symbol in symbols or ()))
    return NewsAsk(
        text=text, instruments=tuple(sorted(set(meant))),
        topic=(topic or "").strip().lower(), language=two_letters("language", language).lower(),
        country=two_letters("country", country).upper(), start=start, end=end,
    )  # fmt: skip


async def resolve_news(
    info: Ctx,
    search: Words = None,
    symbols: Symbols = None,
    topic: Topic = None,
    language: Language = None,
    country: Country = None,
    source: Source = None,
    start: From = None,
    end: Until = None,
    first: PageSize = 20,
    after: After = None,
    route: Route = None,
) -> Connection[NewsArticle] | None:
    """A page of the newest hundred articles that fit."""
    ask = await news_ask(
        info.context, search=search, symbols=symbols, topic=topic, language=language, country=country, start=start,
        end=end,
    )  # fmt: skip
    fetched = await fetch_list(info.context.market, NEWS, ask, terms_of(route), kind="news", after=after)
    found = [
        article
        for article in cast("tuple[NewsArticle, ...]", fetched.value)[: ask.limit]
        if source is None or article.source == source
    ]
    return cast("Connection[NewsArticle]", connected(found, fetched.provenance, kind="news", first=first, after=after))


@strawberry.type
class NewsQuery:
    """Articles; their texts are their publishers', and untrusted."""

    news: Connection[NewsArticle] | None = strawberry.field(
        resolver=resolve_news,
        description="The newest hundred articles by words, instruments or a topic, newest first. A provider that "
        "cannot filter by what is asked for is not asked.",
        metadata=facts(times=page_length, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
