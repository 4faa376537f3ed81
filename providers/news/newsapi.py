"""NewsAPI: articles of 150,000 publishers. Docs: https://newsapi.org/docs

Two endpoints: everything by words and language, and headlines by country and category. They do not mix: headlines have
no range of time and no language. Refusals carry `"status": "error"` and a `code`.
"""

from __future__ import annotations

from collections.abc import Iterator

from providers.contract import Licence, Profile, Provider, Reply, answers, header, per_day
from providers.markup import without_markup
from providers.news._articles import arranged, iso_seconds, wordless, words_of
from providers.row import Row
from schema.errors import (
    NotCovered,
    Overloaded,
    QuotaExhausted,
    Throttled,
    Unauthorized,
    UnknownInstrument,
    UpstreamError,
)
from schema.provenance import FeedDelay
from schema.words.news import NEWS, NewsArticle, NewsAsk

LANGUAGES = frozenset({"ar", "de", "en", "es", "fr", "he", "it", "nl", "no", "pt", "ru", "sv", "zh"})
COUNTRIES = frozenset({
    "AE", "AR", "AT", "AU", "BE", "BG", "BR", "CA", "CH", "CN", "CO", "CU", "CZ", "DE", "EG", "FR", "GB", "GR", "HK",
    "HU", "ID", "IE", "IL", "IN", "IT", "JP", "KR", "LT", "LV", "MA", "MX", "MY", "NG", "NL", "NO", "NZ", "PH", "PL",
    "PT", "RO", "RS", "RU", "SA", "SE", "SG", "SI", "SK", "TH", "TR", "TW", "UA", "US", "VE", "ZA",
})  # fmt: skip
CATEGORIES = frozenset({"business", "entertainment", "general", "health", "science", "sports", "technology"})
MOST = 100
REMOVED = "[Removed]"
# https://newsapi.org/docs/errors
REFUSALS: dict[str, type[UpstreamError]] = {
    "apiKeyDisabled": Unauthorized, "apiKeyExhausted": QuotaExhausted, "apiKeyInvalid": Unauthorized,
    "apiKeyMissing": Unauthorized, "rateLimited": Throttled, "sourceDoesNotExist": UnknownInstrument,
    "unexpectedError": Overloaded,
}  # fmt: skip


def searched(ask: NewsAsk) -> bool:
    """By words, in a language or in all."""
    return bool(words_of(ask.text)) and not ask.topic and not ask.country and ask.language in LANGUAGES | {""}


def headlined(ask: NewsAsk) -> bool:
    """Of a country or a category, with words or without."""
    if wordless(ask) or ask.language or ask.start is not None or ask.end is not None or not (ask.country or ask.topic):
        return False
    return ask.country in COUNTRIES | {""} and ask.topic in CATEGORIES | {""}


class NewsApi(Provider):
    """The free plan is for development, a day late and goes back a month."""

    profile = Profile(
        id="newsapi",
        name="NewsAPI",
        base_url="https://newsapi.org/v2",
        docs="https://newsapi.org/docs",
        asset_classes=(),
        licence=Licence(
            note="Free key: development only; articles stay their publishers'.",
            attribution="NewsAPI.org",
            shareable=False,
        ),
        credentials=(header("X-Api-Key", sign_up="https://newsapi.org/register"),),
        limits=(per_day(100),),
        delay=FeedDelay.DELAYED,
        delay_seconds=86_400,
        priority=50,
    )

    @answers(NEWS, covers=lambda ask: not ask.instruments and (searched(ask) or headlined(ask)))
    async def news(self, ask: NewsAsk) -> tuple[NewsArticle, ...]:
        """The newest by words, or the headlines."""
        words = {"q": words_of(ask.text)} if words_of(ask.text) else {}
        if searched(ask):
            params = {**words, "language": ask.language, "sortBy": "publishedAt"}
            params |= {"from": iso_seconds(ask.start)} if ask.start else {}
            params |= {"to": iso_seconds(ask.end)} if ask.end else {}
        else:
            params = {**words, "country": ask.country.lower(), "category": ask.topic}
        path = "/everything" if searched(ask) else "/top-headlines"
        sent = {name: value for name, value in params.items() if value}
        return arranged(ask, parse_articles(await self.http.get(path, {**sent, "pageSize": min(ask.limit, MOST)})))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"status": "error", "code", "message"}`."""
        body = reply.body
        if "code" not in body or "message" not in body:
            return None
        code = body.text("code")
        return REFUSALS.get(code, NotCovered)(self.profile.id, f"refused: {code}")


def parse_articles(body: Row) -> Iterator[NewsArticle]:
    """`{"articles": [{"source": {"name"}, "title", "url", "publishedAt", …}]}`; withdrawn ones have no title."""
    for row in body["articles"]:
        title = without_markup(row.maybe_text("title"))
        if title is None or title == REMOVED:
            continue
        yield NewsArticle(
            id=row.text("url"),
            title=title,
            url=row.text("url"),
            published_at=row.instant("publishedAt"),
            summary=without_markup(row.maybe_text("description")),
            source=row["source"].maybe_text("name"),
            author=row.maybe_text("author"),
            image=row.maybe_text("urlToImage"),
        )
