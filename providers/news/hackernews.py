"""Hacker News, by its search. Docs: https://hn.algolia.com/api

Stories by words or all of them, the newest first, with their points and comments. A story without an address of its own
is its discussion; its text has mark-up.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from providers.contract import Licence, Limit, Profile, Provider, answers
from providers.markup import without_markup
from providers.news._articles import arranged
from providers.row import Row
from schema.words.news import NEWS, NewsArticle, NewsAsk

DISCUSSION = "https://news.ycombinator.com/item?id="
TOPICS = {"": "story", "ask": "story,ask_hn", "front page": "story,front_page", "show": "story,show_hn"}
"""Tags by topic: all must fit."""
NAMED = {"ask_hn": "ask", "show_hn": "show"}
MOST = 1_000


def covered(ask: NewsAsk) -> bool:
    """Its stories have no language, no country and no instruments."""
    return not (ask.instruments or ask.language or ask.country) and ask.topic in TOPICS


class HackerNews(Provider):
    """One call, whose hits have everything that single items would have."""

    profile = Profile(
        id="hackernews",
        name="Hacker News",
        base_url="https://hn.algolia.com/api/v1",
        docs="https://hn.algolia.com/api",
        asset_classes=(),
        licence=Licence(note="Free to use; texts stay their authors'.", attribution="Hacker News, search by Algolia"),
        limits=(Limit(count=10_000, per=timedelta(hours=1)),),
        priority=70,
    )

    @answers(NEWS, covers=covered)
    async def news(self, ask: NewsAsk) -> tuple[NewsArticle, ...]:
        """The newest stories that fit."""
        params: dict[str, str | int] = {"query": ask.text, "tags": TOPICS[ask.topic]}
        bounds = [f"created_at_i>={int(ask.start.timestamp())}"] if ask.start else []
        bounds += [f"created_at_i<{int(ask.end.timestamp())}"] if ask.end else []
        if bounds:
            params["numericFilters"] = ",".join(bounds)
        params["hitsPerPage"] = min(ask.limit, MOST)
        return arranged(ask, parse_hits(await self.http.get("/search_by_date", params)))


def parse_hits(body: Row) -> Iterator[NewsArticle]:
    """`{"hits": [{"objectID", "title", "url", "author", "points", "num_comments", "created_at_i", "_tags"}]}`."""
    for row in body["hits"]:
        title = row.maybe_text("title")
        if title is None:
            continue
        points, comments = row.maybe("points"), row.maybe("num_comments")
        tags = [tag.text() for tag in row.get("_tags") or ()]
        yield NewsArticle(
            id=row.text("objectID"),
            title=title,
            url=row.maybe_text("url") or f"{DISCUSSION}{row.text('objectID')}",
            published_at=row.epoch("created_at_i"),
            summary=without_markup(row.maybe_text("story_text")),
            author=row.maybe_text("author"),
            topics=tuple(NAMED[tag] for tag in tags if tag in NAMED),
            score=None if points is None else row.integer("points"),
            comments=None if comments is None else row.integer("num_comments"),
        )
