"""GDELT: articles of the last three months, of all the world. Docs: https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/

Refusals are lines of text, with status 200 for a query that it does not take and 429 for haste. Its JSON may hold
control characters that JSON does not allow. Languages are named in English, countries by FIPS 10-4. The time is when
GDELT saw an article, in steps of 15 minutes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from providers.contract import Licence, Limit, Profile, Provider, Reply, answers
from providers.news._articles import arranged, words_of
from providers.row import Row
from schema.errors import NotCovered, Throttled, UpstreamError
from schema.provenance import FeedDelay
from schema.words.news import NEWS, NewsArticle, NewsAsk

LANGUAGES = {
    "ar": "Arabic", "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch",
    "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sr": "Serbian",
    "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
CODES = {name: code for code, name in LANGUAGES.items()}
FIPS = {
    "AR": "AR", "AT": "AU", "AU": "AS", "BE": "BE", "BR": "BR", "CA": "CA", "CH": "SZ", "CN": "CH", "DE": "GM",
    "DK": "DA", "ES": "SP", "FI": "FI", "FR": "FR", "GB": "UK", "IE": "EI", "IL": "IS", "IN": "IN", "IT": "IT",
    "JP": "JA", "KR": "KS", "MX": "MX", "NL": "NL", "NO": "NO", "NZ": "NZ", "PL": "PL", "PT": "PO", "RU": "RS",
    "SE": "SW", "SG": "SN", "TR": "TU", "UA": "UP", "US": "US", "ZA": "SF",
}  # fmt: skip
WINDOW = timedelta(days=90)
MOST = 250
PAUSE = 5
_CONTROL = re.compile(r"[\x00-\x1f]")


def covered(ask: NewsAsk) -> bool:
    """By words, in a language and of a country or not."""
    filters = ask.language in LANGUAGES | {"": ""} and ask.country in FIPS | {"": ""}
    return bool(words_of(ask.text)) and filters and not ask.topic and not ask.instruments


class Gdelt(Provider):
    """Titles and addresses; a request every five seconds."""

    profile = Profile(
        id="gdelt",
        name="GDELT",
        base_url="https://api.gdeltproject.org/api/v2/doc",
        docs="https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/",
        asset_classes=(),
        licence=Licence(
            note="Free for any use with GDELT named and linked; articles stay their publishers'.",
            attribution="Source: The GDELT Project (https://www.gdeltproject.org)",
            redistributable=True,
        ),
        limits=(Limit(count=1, per=timedelta(seconds=PAUSE)),),
        delay=FeedDelay.DELAYED,
        delay_seconds=900,
        priority=60,
    )

    @answers(NEWS, covers=covered)
    async def news(self, ask: NewsAsk) -> tuple[NewsArticle, ...]:
        """The newest by words."""
        if ask.start is not None and ask.start < self.clock.now() - WINDOW:
            raise NotCovered(self.profile.id, "holds the last three months only")
        terms = [words_of(ask.text)]
        terms += [f"sourcelang:{LANGUAGES[ask.language].lower()}"] if ask.language else []
        terms += [f"sourcecountry:{FIPS[ask.country]}"] if ask.country else []
        params = {"query": " ".join(terms), "mode": "artlist", "format": "json", "sort": "datedesc"}
        params |= {"startdatetime": written(ask.start)} if ask.start else {}
        params |= {"enddatetime": written(ask.end)} if ask.end else {}
        text = await self.http.get_text("/doc", {**params, "maxrecords": min(ask.limit, MOST)})
        return arranged(ask, parse_articles(text))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """A line of text in place of JSON; the text may hold the query, and is not passed on."""
        said = reply.body.value
        if not isinstance(said, str) or not said.strip() or said.lstrip()[0] in "{<":
            return None
        if "limit requests" in said.lower():
            return Throttled(self.profile.id, "more than one request every five seconds", retry_after=PAUSE)
        return NotCovered(self.profile.id, "the query is not taken") if reply.status == 200 else None


def written(moment: datetime) -> str:
    """`20261120120000`, of a time in UTC."""
    return f"{moment:%Y%m%d%H%M%S}"


def parse_articles(text: Row) -> Iterator[NewsArticle]:
    """`{"articles": [{"url", "title", "seendate", "socialimage", "domain", "language"}]}`; nothing found is `{}`."""
    body = Row.json(text.provider, _CONTROL.sub(" ", text.text()).encode())
    if not isinstance(body.value, dict):
        body.broken("is not an object")
    return (parse_article(row) for row in body.get("articles") or () if row.maybe_text("title") is not None)


def parse_article(row: Row) -> NewsArticle:
    """Its address is its identity."""
    return NewsArticle(
        id=row.text("url"),
        title=" ".join(row.text("title").split()),
        url=row.text("url"),
        published_at=row.instant("seendate"),
        source=row.maybe_text("domain"),
        image=row.maybe_text("socialimage"),
        language=CODES.get(row.maybe_text("language") or ""),
    )
