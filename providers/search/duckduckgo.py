"""DuckDuckGo: instant answers. Docs: https://api.duckduckgo.com/api

What it knows about a name, and names like it; no pages of the web. Members that are empty are empty texts, whatever
they are else. Throttled it answers with status 202.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from providers.contract import Licence, Profile, Provider, Reply, answers
from providers.markup import without_markup
from providers.row import Row
from schema.errors import Throttled, UpstreamError
from schema.words.websearch import WEB_SEARCH, SearchResult, WebSearchAsk

_NAME = re.compile(r"<a\b[^<>]*>(.*?)</a>", re.IGNORECASE | re.DOTALL)
ROOT = "https://duckduckgo.com"


class DuckDuckGo(Provider):
    """Asked behind the others: a few names rather than pages."""

    profile = Profile(
        id="duckduckgo",
        name="DuckDuckGo Instant Answers",
        base_url="https://api.duckduckgo.com",
        docs="https://api.duckduckgo.com/api",
        asset_classes=(),
        licence=Licence(note="Free with attribution; texts are their sources'.", attribution="Results from DuckDuckGo"),
        priority=70,
    )

    @answers(WEB_SEARCH, covers=lambda ask: not ask.language and not ask.country)
    async def web_search(self, ask: WebSearchAsk) -> tuple[SearchResult, ...]:
        """The article that is meant, then what is related to it."""
        return parse_answer(await self.http.get("/", {"q": ask.text, "format": "json", "no_redirect": "1"}))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """It says nothing."""
        return Throttled(self.profile.id, "too many requests") if reply.status == 202 else None


def parse_answer(body: Row) -> tuple[SearchResult, ...]:
    """`{"Heading", "AbstractURL", "AbstractText", "Results": […], "RelatedTopics": […]}`; each address once."""
    found: dict[str, SearchResult] = {}
    for result in (*abstract(body), *topics(body["Results"]), *topics(body["RelatedTopics"])):
        if result.url.startswith(("https://", "http://")):
            found.setdefault(result.url, result)
    return tuple(found.values())


def abstract(body: Row) -> Iterator[SearchResult]:
    """The article that the name means."""
    url, heading = body.maybe_text("AbstractURL"), body.maybe_text("Heading")
    if url is not None and heading is not None:
        image = body.maybe_text("Image")
        yield SearchResult(
            title=heading,
            url=url,
            snippet=without_markup(body.maybe_text("AbstractText")),
            source=body.maybe_text("AbstractSource"),
            image=f"{ROOT}{image}" if image and image.startswith("/") else image,
        )


def topics(rows: Row) -> Iterator[SearchResult]:
    """`{"FirstURL", "Text", "Result"}`, alone or in groups with a name; the name of one stands in its link."""
    for group in rows:
        for row in group.get("Topics") or (group,):
            if row.maybe_text("FirstURL") is not None:
                text = without_markup(row.maybe_text("Text"))
                name = _NAME.search(row.maybe_text("Result") or "")
                title = without_markup(name[1]) if name else None
                yield SearchResult(title=title or text or row.text("FirstURL"), url=row.text("FirstURL"), snippet=text)
