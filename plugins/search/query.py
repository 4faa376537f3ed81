"""The root field: pages by words."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from gateway.core.contract import Ctx, fetch_list
from schema.arguments import After, PageSize, Route, says, two_letters
from schema.errors import BadInput
from schema.facts import Shared, facts
from schema.paging import Connection, connected
from schema.scopes import Scope
from schema.words.costs import page_length
from schema.words.routes import terms_of
from schema.words.websearch import WEB_SEARCH, SearchResult, WebSearchAsk

LONGEST_TEXT = 400

Words = Annotated[str, says("What to look for.")]
Language = Annotated[str | None, says("ISO 639-1 code, such as `en`.")]
Country = Annotated[str | None, says("ISO 3166 code, such as `US`.")]


async def resolve_web_search(
    info: Ctx,
    search: Words,
    language: Language = None,
    country: Country = None,
    first: PageSize = 20,
    after: After = None,
    route: Route = None,
) -> Connection[SearchResult] | None:
    """A page of the best twenty results."""
    text = search.strip()
    if not 1 <= len(text) <= LONGEST_TEXT:
        raise BadInput("search", f"give 1 to {LONGEST_TEXT} characters")
    ask = WebSearchAsk(
        text=text, language=two_letters("language", language).lower(), country=two_letters("country", country).upper()
    )
    fetched = await fetch_list(info.context.market, WEB_SEARCH, ask, terms_of(route), kind="page", after=after)
    found = cast("tuple[SearchResult, ...]", fetched.value)[: ask.limit]
    return cast("Connection[SearchResult]", connected(found, fetched.provenance, kind="page", first=first, after=after))


@strawberry.type
class SearchQuery:
    """Pages; their texts are their authors', and untrusted."""

    web_search: Connection[SearchResult] | None = strawberry.field(
        resolver=resolve_web_search,
        description="Pages of the web or of an encyclopedia by words, the best twenty.",
        metadata=facts(times=page_length, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
