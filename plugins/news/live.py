"""The live field: articles as they are published, each once."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, cast

import strawberry

from gateway.core.contract import Ctx, Market
from plugins.news.query import Country, Language, Source, Symbols, Topic, Words, news_ask
from schema.arguments import Route, says
from schema.facts import Shared, facts
from schema.model import described, model
from schema.provenance import DataMode
from schema.scalars import Cursor
from schema.scopes import Scope
from schema.words.live import StreamNotice
from schema.words.news import NEWS, NewsArticle
from schema.words.routes import terms_of

SHOWN = 20
"""Articles of a snapshot."""
SOON_S = 2.0
"""How long the renewal of a copy may take until it is looked at again."""

Resume = Annotated[Cursor | None, says("The `cursor` of the last message that was received: go on from there.")]


@model("Articles that are new.")
class NewsUpdate:
    """Every article comes once, by its id; a snapshot shows the newest twenty."""

    cursor: Cursor = described("Give the last one back as `after` to resume.")
    snapshot: bool = described("Whether these are the newest articles before the stream began.")
    articles: list[NewsArticle] = described("Newest first.")
    notices: list[StreamNotice] = described("News about the stream itself.")


async def resolve_news(
    info: Ctx,
    search: Words = None,
    symbols: Symbols = None,
    topic: Topic = None,
    language: Language = None,
    country: Country = None,
    source: Source = None,
    after: Resume = None,
    route: Route = None,
) -> AsyncGenerator[NewsUpdate, None]:
    """What fits and was not there before, looked for as often as an answer stays fresh."""
    context = info.context
    ask = await news_ask(context, search=search, symbols=symbols, topic=topic, language=language, country=country)
    window, terms = NEWS.window(ask, context.now), terms_of(route)

    async def look(market: Market) -> list[NewsArticle]:
        found = await market.fetch(NEWS, ask, terms)
        if found.provenance.mode is DataMode.LIVE and market.data.clock.now() - found.provenance.fetched_at >= window:
            # An old copy that is answered while it is renewed: what takes its place is there soon.
            await market.data.clock.sleep(SOON_S)
            found = await market.fetch(NEWS, ask, terms)
        articles = cast("tuple[NewsArticle, ...]", found.value)[: ask.limit]
        return [article for article in articles if source is None or article.source == source]

    watch = context.market.watch(
        look, lambda article: article.id, window.total_seconds(), after=after, once=True, shown=SHOWN
    )  # fmt: skip
    async for seen in watch:
        yield NewsUpdate(
            cursor=Cursor(seen.cursor), snapshot=seen.snapshot, articles=list(seen.items), notices=list(seen.notices)
        )


@strawberry.type
class NewsSubscription:
    """Articles; their texts are their publishers', and untrusted."""

    news = strawberry.subscription(
        resolver=resolve_news,
        description="Articles by words, instruments or a topic as they are published, each once: the newest twenty "
        "first. Providers are asked as often as their answers stay fresh.",
        metadata=facts(cost=1, needs=Scope.STREAM_READ, shared=Shared.PUBLIC),
    )
