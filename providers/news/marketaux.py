"""Marketaux: financial news with the companies that it is about, and a search of these. Docs: https://www.marketaux.com/documentation

What a text means for a company, from -1 to 1, is told for each of its entities, never for an article: an article of one
entity alone has its sentiment. Tickers without a suffix are of the United States.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from providers.contract import Licence, Params, Profile, Provider, Reply, answers, per_day, per_minute, query
from providers.markup import without_markup
from providers.news._articles import arranged, refusal_by_code, wordless, words_of
from providers.row import Row
from schema.errors import NotCovered, QuotaExhausted, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId, equity
from schema.words.instruments import SEARCH, InstrumentType, Listing, SearchAsk
from schema.words.news import NEWS, NewsArticle, NewsAsk

LANGUAGES = frozenset({
    "ar", "bg", "bn", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "id", "it",
    "ja", "ko", "lt", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sv", "ta", "th", "tr", "uk", "vi", "zh",
})  # fmt: skip
_TICKER = re.compile(r"[A-Z]{1,5}")
MOST_SYMBOLS = 20
# https://www.marketaux.com/documentation#errors
REFUSALS: dict[str, type[UpstreamError]] = {
    "invalid_api_token": Unauthorized, "usage_limit_reached": QuotaExhausted, "rate_limit_reached": Throttled,
    "endpoint_access_restricted": NotCovered, "malformed_parameters": NotCovered,
    "resource_not_found": UnknownInstrument,
}  # fmt: skip


def is_company(instrument: InstrumentId) -> bool:
    """A ticker of the United States."""
    listed = instrument.asset_class is AssetClass.EQUITY and instrument.is_spot and not instrument.venue
    return listed and _TICKER.fullmatch(instrument.base) is not None


def covered(ask: NewsAsk) -> bool:
    """By words and companies, or all; countries are of the companies, not of the publishers."""
    if wordless(ask) or ask.topic or ask.country or ask.language not in LANGUAGES | {""}:
        return False
    return len(ask.instruments) <= MOST_SYMBOLS and all(map(is_company, ask.instruments))


class Marketaux(Provider):
    """As many articles a call as the plan has, three on the free one."""

    profile = Profile(
        id="marketaux",
        name="Marketaux",
        base_url="https://api.marketaux.com/v1",
        docs="https://www.marketaux.com/documentation",
        asset_classes=(AssetClass.EQUITY,),
        licence=Licence(note="By plan; articles stay their publishers'."),
        credentials=(query("api_token", sign_up="https://www.marketaux.com/register"),),
        limits=(per_minute(60), per_day(100)),
        priority=50,
    )

    @answers(NEWS, covers=covered)
    async def news(self, ask: NewsAsk) -> tuple[NewsArticle, ...]:
        """The newest that fit."""
        params: dict[str, str] = {}
        if ask.instruments:
            params |= {"symbols": ",".join(each.base for each in ask.instruments), "filter_entities": "true"}
        # Without words the newest come first unasked.
        params |= {"search": words_of(ask.text), "sort": "published_at"} if ask.text else {}
        params |= {"language": ask.language} if ask.language else {}
        params |= {"published_after": f"{ask.start:%Y-%m-%dT%H:%M:%S}"} if ask.start else {}
        params |= {"published_before": f"{ask.end:%Y-%m-%dT%H:%M:%S}"} if ask.end else {}
        return arranged(ask, parse_articles(await self.http.get("/news/all", params)))

    @answers(SEARCH)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """Companies of the United States by name or ticker."""
        params: Params = {"search": ask.text, "countries": "us", "types": "equity"}
        return tuple(parse_entities(await self.http.get("/entity/search", params)))[: ask.limit]

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"error": {"code", "message"}}`."""
        return refusal_by_code(self.profile.id, reply, REFUSALS)


def parse_articles(body: Row) -> Iterator[NewsArticle]:
    """`{"data": [{"uuid", "title", "url", "published_at", "entities": […]}]}`."""
    for row in body["data"]:
        entities = list(row["entities"])
        yield NewsArticle(
            id=row.text("uuid"),
            title=without_markup(row.text("title")) or row.text("url"),
            url=row.text("url"),
            published_at=row.instant("published_at"),
            summary=without_markup(row.maybe_text("description") or row.maybe_text("snippet")),
            source=row.maybe_text("source"),
            image=row.maybe_text("image_url"),
            language=row.maybe_text("language"),
            symbols=tuple(dict.fromkeys(symbol for entity in entities for symbol in symbols_of(entity))),
            sentiment=entities[0].maybe("sentiment_score") if len(entities) == 1 else None,
        )


def parse_entities(body: Row) -> Iterator[Listing]:
    """`{"data": [{"symbol", "name", "type", "exchange", "country"}]}`; of most the exchange is null."""
    for row in body["data"]:
        company = company_of(row)
        if company is not None:
            yield Listing(
                instrument=company, provider_symbol=row.text("symbol"), name=row.maybe_text("name"),
                type=InstrumentType.STOCK, currency="USD", venue_name=row.maybe_text("exchange"),
            )  # fmt: skip


def company_of(entity: Row) -> InstrumentId | None:
    """A company of the United States by its ticker; None for all others."""
    american = entity.maybe_text("type") == "equity" and entity.maybe_text("country") == "us"
    ticker = entity.text("symbol")
    return equity(ticker) if american and _TICKER.fullmatch(ticker) else None


def symbols_of(entity: Row) -> Iterator[str]:
    """Its company's id."""
    company = company_of(entity)
    if company is not None:
        yield str(company)
