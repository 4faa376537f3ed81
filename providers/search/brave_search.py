"""Brave Search: pages, news and videos of an index of its own. Docs: https://api-dashboard.search.brave.com/documentation

Texts have mark-up and entities. Times have no zone and are UTC; `age` is for people. News come by relevance: of the 50
best the newest stand first. Refusals are told by `error.code`, a bad key with status 422.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from providers.contract import Licence, Limit, Profile, Provider, Reply, answers, header, per_second
from providers.markup import without_markup
from providers.news._articles import arranged, refusal_by_code, words_of
from providers.row import Row
from schema.errors import NotCovered, QuotaExhausted, Throttled, Unauthorized, UpstreamError
from schema.words.news import NEWS, NewsArticle, NewsAsk
from schema.words.videos import VIDEOS, Video, VideoOrder, VideosAsk
from schema.words.websearch import WEB_SEARCH, SearchResult, WebSearchAsk

COUNTRIES = frozenset({
    "AR", "AT", "AU", "BE", "BR", "CA", "CH", "CL", "CN", "DE", "DK", "ES", "FI", "FR", "GB", "HK", "ID", "IN", "IT",
    "JP", "KR", "MX", "MY", "NL", "NO", "NZ", "PH", "PL", "PT", "RU", "SA", "SE", "TR", "TW", "US", "ZA", "",
})  # fmt: skip
# Chinese and Portuguese are told apart by script and country, which two letters do not say.
LANGUAGES = {code: code for code in (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu", "fi", "fr", "gl", "gu", "he", "hi", "hr",
    "hu", "is", "it", "kn", "ko", "lt", "lv", "ml", "mr", "ms", "nb", "nl", "pa", "pl", "ro", "ru", "sk", "sl", "sr",
    "sv", "ta", "te", "th", "tr", "uk", "vi", "",
)} | {"ja": "jp", "no": "nb"}  # fmt: skip
MOST_PAGES, MOST_NEWS, MOST_VIDEOS = 20, 50, 50
_LENGTH = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,2}):([0-9]{2})")
REFUSALS: dict[str, type[UpstreamError]] = {
    "OPTION_NOT_IN_PLAN": NotCovered, "QUOTA_LIMITED": QuotaExhausted, "RATE_LIMITED": Throttled,
    "RESOURCE_NOT_ALLOWED": NotCovered, "SUBSCRIPTION_TOKEN_INVALID": Unauthorized,
    "USAGE_LIMIT_EXCEEDED": QuotaExhausted,
}  # fmt: skip


def reported(ask: NewsAsk) -> bool:
    """By words; a range of days has a beginning."""
    if ask.instruments or ask.topic or (ask.end is not None and ask.start is None):
        return False
    return bool(words_of(ask.text)) and ask.country in COUNTRIES and ask.language in LANGUAGES


class BraveSearch(Provider):
    """One call an answer, of the first page."""

    profile = Profile(
        id="brave_search",
        name="Brave Search",
        base_url="https://api.search.brave.com/res/v1",
        docs="https://api-dashboard.search.brave.com/documentation",
        asset_classes=(),
        licence=Licence(note="By plan; results may be kept for the time of a session only.", cacheable=False),
        credentials=(header("X-Subscription-Token", sign_up="https://api-dashboard.search.brave.com/register"),),
        headers={"Accept": "application/json"},
        limits=(per_second(1), Limit(count=2_000, per=timedelta(days=30))),
        priority=30,
    )

    @answers(WEB_SEARCH, covers=lambda ask: ask.country in COUNTRIES and ask.language in LANGUAGES)
    async def web_search(self, ask: WebSearchAsk) -> tuple[SearchResult, ...]:
        """Pages, best first."""
        wanted = {"q": ask.text, "count": str(min(ask.limit, MOST_PAGES)), "result_filter": "web"}
        return tuple(parse_pages(await self.http.get("/web/search", wanted | placed(ask.country, ask.language))))

    @answers(NEWS, covers=reported)
    async def news(self, ask: NewsAsk) -> tuple[NewsArticle, ...]:
        """The best that fit, in order of time."""
        wanted = {"q": words_of(ask.text), "count": str(min(ask.limit, MOST_NEWS))}
        if ask.start is not None:
            wanted["freshness"] = f"{ask.start:%Y-%m-%d}to{ask.end or self.clock.now():%Y-%m-%d}"
        body = await self.http.get("/news/search", wanted | placed(ask.country, ask.language))
        return arranged(ask, parse_news(body))

    @answers(VIDEOS, covers=lambda ask: bool(ask.text) and not ask.channel and ask.order is VideoOrder.RELEVANCE)
    async def videos(self, ask: VideosAsk) -> tuple[Video, ...]:
        """Of all platforms; their addresses are their ids."""
        wanted = {"q": ask.text, "count": str(min(ask.limit, MOST_VIDEOS))}
        return tuple(parse_videos(await self.http.get("/videos/search", wanted)))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"type": "ErrorResponse", "error": {"code", "detail"}}`."""
        return refusal_by_code(self.profile.id, reply, REFUSALS)


def placed(country: str, language: str) -> dict[str, str]:
    """Only what was asked for."""
    sent = {"country": country, "search_lang": LANGUAGES[language]}
    return {name: value for name, value in sent.items() if value}


def parse_pages(body: Row) -> Iterator[SearchResult]:
    """`{"web": {"results": [{"title", "url", "description", "page_age", "profile"}]}}`; no part is none."""
    web = body.get("web")
    if web is None:
        body["query"].text("original")
    for row in web["results"] if web else ():
        profile = row.get("profile")
        yield SearchResult(
            title=without_markup(row.text("title")) or row.text("url"),
            url=row.text("url"),
            snippet=without_markup(row.maybe_text("description")),
            source=profile.maybe_text("name") if profile else None,
            published_at=row.maybe_instant("page_age"),
            image=picture(row),
            language=row.maybe_text("language"),
        )


def parse_news(body: Row) -> Iterator[NewsArticle]:
    """`{"results": [{"title", "url", "description", "page_age", "meta_url": {"hostname"}}]}`; without a time none."""
    for row in body["results"]:
        published = row.maybe_instant("page_age")
        if published is None:
            continue
        yield NewsArticle(
            id=row.text("url"),
            title=without_markup(row.text("title")) or row.text("url"),
            url=row.text("url"),
            published_at=published,
            summary=without_markup(row.maybe_text("description")),
            source=row["meta_url"].maybe_text("hostname"),
            image=picture(row),
        )


def parse_videos(body: Row) -> Iterator[Video]:
    """`{"results": [{"title", "url", "description", "page_age", "video": {"duration", "views", "creator"}}]}`."""
    for row in body["results"]:
        video = row["video"]
        if not row.text("url").startswith("https://"):
            continue
        yield Video(
            id=row.text("url"),
            title=without_markup(row.text("title")) or row.text("url"),
            url=row.text("url"),
            description=without_markup(row.maybe_text("description")),
            channel=video.maybe_text("creator"),
            published_at=row.maybe_instant("page_age"),
            duration_ms=length_of(video.maybe_text("duration")),
            views=video.maybe("views"),
            image=picture(row),
        )


def length_of(text: str | None) -> int | None:
    """`07:36` and `1:02:03` in milliseconds; zero is unknown."""
    found = _LENGTH.fullmatch(text or "")
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 or None


def picture(row: Row) -> str | None:
    """The original's address, not that of the copy."""
    thumbnail = row.get("thumbnail")
    return thumbnail.maybe_text("original") if thumbnail else None
