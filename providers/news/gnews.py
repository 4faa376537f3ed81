"""GNews: articles by words and headlines by category. Docs: https://docs.gnews.io

Refusals are told by status, with `errors` as a list, or as an object where a parameter is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

from providers.contract import Licence, Profile, Provider, Reply, answers, header, per_day, per_second
from providers.markup import without_markup
from providers.news._articles import arranged, iso_seconds, wordless, words_of
from providers.row import Row
from schema.errors import QuotaExhausted, UpstreamError
from schema.provenance import FeedDelay
from schema.words.news import NEWS, NewsArticle, NewsAsk

LANGUAGES = frozenset({
    "ar", "de", "el", "en", "es", "fr", "he", "hi", "it", "ja", "ml", "mr", "nl", "no", "pt", "ro", "ru", "sv", "ta",
    "te", "uk", "zh",
})  # fmt: skip
COUNTRIES = frozenset({
    "AU", "BR", "CA", "CH", "CN", "DE", "EG", "ES", "FR", "GB", "GR", "HK", "IE", "IL", "IN", "IT", "JP", "NL", "NO",
    "PE", "PH", "PK", "PT", "RO", "RU", "SE", "SG", "TW", "UA", "US",
})  # fmt: skip
CATEGORIES = frozenset(
    {"business", "entertainment", "general", "health", "nation", "science", "sports", "technology", "world"}
)
MOST = 100


def covered(ask: NewsAsk) -> bool:
    """Words without a category, or a category, which `general` is where nothing is said."""
    if wordless(ask) or ask.instruments or ask.language not in LANGUAGES | {""} or ask.country not in COUNTRIES | {""}:
        return False
    return not ask.topic if words_of(ask.text) else ask.topic in CATEGORIES | {""}


class GNews(Provider):
    """The free plan has ten articles a call, twelve hours late, of the last 30 days."""

    profile = Profile(
        id="gnews",
        name="GNews",
        base_url="https://gnews.io/api/v4",
        docs="https://docs.gnews.io",
        asset_classes=(),
        licence=Licence(note="Free key: no commercial use; articles stay their publishers'.", shareable=False),
        credentials=(header("X-Api-Key", sign_up="https://gnews.io/register"),),
        limits=(per_second(1), per_day(100)),
        delay=FeedDelay.DELAYED,
        delay_seconds=43_200,
        priority=50,
    )

    @answers(NEWS, covers=covered)
    async def news(self, ask: NewsAsk) -> tuple[NewsArticle, ...]:
        """The newest by words, or the headlines of a category."""
        words = words_of(ask.text)
        params = {"q": words, "sortby": "publishedAt"} if words else {"category": ask.topic or "general"}
        params |= {"lang": ask.language} if ask.language else {}
        params |= {"country": ask.country.lower()} if ask.country else {}
        params |= {"from": iso_seconds(ask.start)} if ask.start else {}
        params |= {"to": iso_seconds(ask.end)} if ask.end else {}
        path = "/search" if words else "/top-headlines"
        return arranged(ask, parse_articles(await self.http.get(path, {**params, "max": min(ask.limit, MOST)})))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """A day that is used up is refused with 403, as a bad key is with 401; the rest is as its status says."""
        if reply.status == 403 and "errors" in reply.body:
            return QuotaExhausted(self.profile.id, "the requests of the day are used up")
        return None


def parse_articles(body: Row) -> Iterator[NewsArticle]:
    """`{"articles": [{"id", "title", "description", "url", "image", "publishedAt", "lang", "source": {"name"}}]}`."""
    for row in body["articles"]:
        yield NewsArticle(
            id=row.maybe_text("id") or row.text("url"),
            title=without_markup(row.text("title")) or row.text("url"),
            url=row.text("url"),
            published_at=row.instant("publishedAt"),
            summary=without_markup(row.maybe_text("description")),
            source=row["source"].maybe_text("name"),
            image=row.maybe_text("image"),
            language=row.maybe_text("lang"),
        )
