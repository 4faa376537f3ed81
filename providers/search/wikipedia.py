"""Wikipedia: full-text search of its articles. Docs: https://www.mediawiki.org/wiki/API:Search

Each language is a host of its own. Errors come with status 200 and an `error`; unknown parameters are warnings. The
time of a hit is that of its last edit, which is no publication.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from providers.contract import Licence, Profile, Provider, Reply, answers
from providers.markup import without_markup
from providers.row import Row
from schema.errors import NotCovered, Overloaded, Throttled, UpstreamError
from schema.words.websearch import WEB_SEARCH, SearchResult, WebSearchAsk

LANGUAGES = (
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "he", "hi", "hr", "hu",
    "hy", "id", "it", "ja", "ka", "ko", "lt", "lv", "ms", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv",
    "ta", "te", "th", "tr", "uk", "ur", "vi", "zh",
)  # fmt: skip
HOSTS = {language: f"https://{language}.wikipedia.org" for language in LANGUAGES}
MOST = 50
# Left as they are in the addresses that Wikipedia itself writes.
SAFE = "/:(),!'@;*$~"
REFUSALS: dict[str, type[UpstreamError]] = {
    "cirrussearch-too-busy-error": Overloaded, "maxlag": Overloaded, "ratelimited": Throttled, "readonly": Overloaded,
}  # fmt: skip


class Wikipedia(Provider):
    """English unless another language is asked for."""

    profile = Profile(
        id="wikipedia",
        name="Wikipedia",
        base_url=HOSTS["en"],
        hosts=HOSTS,
        docs="https://www.mediawiki.org/wiki/API:Search",
        asset_classes=(),
        licence=Licence(note="Texts under CC BY-SA 4.0.", attribution="Wikipedia, CC BY-SA 4.0", redistributable=True),
        priority=40,
    )

    @answers(WEB_SEARCH, covers=lambda ask: not ask.country and ask.language in HOSTS | {"": ""})
    async def web_search(self, ask: WebSearchAsk) -> tuple[SearchResult, ...]:
        """Articles, best first."""
        params: dict[str, str | int] = {
            "action": "query", "format": "json", "formatversion": 2, "list": "search", "srsearch": ask.text,
            "srlimit": min(ask.limit, MOST), "srprop": "snippet",
        }  # fmt: skip
        body = await self.http.get("/w/api.php", params, host=ask.language)
        return tuple(parse_hits(ask.language or "en", body))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"error": {"code", "info"}}`."""
        error = reply.body.get("error")
        if error is None or "code" not in error:
            return None
        code = error.text("code")
        broken = Overloaded if code.startswith("internal_api_error") else NotCovered
        return REFUSALS.get(code, broken)(self.profile.id, f"refused: {code}")


def parse_hits(language: str, body: Row) -> Iterator[SearchResult]:
    """`{"query": {"search": [{"title", "snippet"}]}}`; the words that were found are marked in a snippet."""
    for row in body["query"]["search"]:
        title = row.text("title")
        yield SearchResult(
            title=title,
            url=f"{HOSTS[language]}/wiki/{quote(title.replace(' ', '_'), safe=SAFE)}",
            snippet=without_markup(row.maybe_text("snippet")),
            source="Wikipedia",
            language=language,
        )
