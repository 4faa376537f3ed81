"""CryptoPanic: news about coins, with votes. Docs: https://cryptopanic.com/developers/api/

The newest 20, without a range of time and without words. Links to further pages repeat the key, and are never followed.
Votes are counted by kind; what they mean for a price is nobody's statement, so there is no sentiment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from providers.contract import Licence, Profile, Provider, Reply, Tier, answers, per_second, query
from providers.markup import without_markup
from providers.news._articles import arranged
from providers.row import Row
from schema.errors import QuotaExhausted, Throttled, Unauthorized, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.news import NEWS, NewsArticle, NewsAsk

ROOT = "https://cryptopanic.com"
REGIONS = frozenset({"de", "en", "es", "it", "pt", "ru"})
TOPIC = "crypto"
_CODE = re.compile(r"[A-Z0-9]{1,12}")
# By what is in the text, first match first.
REFUSALS: tuple[tuple[str, type[UpstreamError], str], ...] = (
    ("token", Unauthorized, "the key is not known"),
    ("quota", QuotaExhausted, "the plan's requests are used up"),
    ("limit", Throttled, "too many requests"),
    ("throttle", Throttled, "too many requests"),
)


def is_coin(instrument: InstrumentId) -> bool:
    """A pair, which is asked for by its base."""
    return instrument.asset_class is AssetClass.CRYPTO and _CODE.fullmatch(instrument.base) is not None


def covered(ask: NewsAsk) -> bool:
    """By coins and a language, or all of it: everything is about coins."""
    if ask.text or ask.country or ask.start is not None or ask.end is not None:
        return False
    return ask.topic in ("", TOPIC) and ask.language in REGIONS | {""} and all(map(is_coin, ask.instruments))


class CryptoPanic(Provider):
    """The plan stands in the address."""

    profile = Profile(
        id="cryptopanic",
        name="CryptoPanic",
        base_url=f"{ROOT}/api/developer/v2",
        docs="https://cryptopanic.com/developers/api/",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note="By plan; not to be passed on.", attribution="CryptoPanic", shareable=False),
        credentials=(query("auth_token", sign_up="https://cryptopanic.com/developers/api/"),),
        limits=(per_second(2),),
        tiers={
            "growth": Tier(base_url=f"{ROOT}/api/growth/v2", limits=(per_second(5),)),
            "enterprise": Tier(base_url=f"{ROOT}/api/enterprise/v2", limits=(per_second(10),)),
        },
        priority=50,
    )

    @answers(NEWS, covers=covered)
    async def news(self, ask: NewsAsk) -> tuple[NewsArticle, ...]:
        """The newest posts."""
        params = {"kind": "news"}
        params |= {"currencies": ",".join(sorted({each.base for each in ask.instruments}))} if ask.instruments else {}
        params |= {"regions": ask.language} if ask.language else {}
        return arranged(ask, parse_posts(await self.http.get("/posts/", params)))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"status", "info"}`, whatever the status of the reply."""
        body = reply.body
        said = (body.maybe_text("info") or "").lower() if "info" in body else ""
        for words, kind, why in REFUSALS:
            if words in said:
                return kind(self.profile.id, why)
        return None


def parse_posts(body: Row) -> Iterator[NewsArticle]:
    """`{"results": [{"id", "slug", "title", "published_at", "instruments", "votes", …}]}`; plans leave members out."""
    for row in body["results"]:
        source, votes = row.get("source"), row.get("votes")
        number = row.label("id")
        own = f"{ROOT}/news/{number}/{row.maybe_text('slug') or ''}"
        yield NewsArticle(
            id=number,
            title=without_markup(row.text("title")) or own,
            url=row.maybe_text("original_url") or row.maybe_text("url") or own,
            published_at=row.instant("published_at"),
            summary=without_markup(row.maybe_text("description")),
            source=source.maybe_text("title") if source else None,
            author=row.maybe_text("author"),
            image=row.maybe_text("image"),
            symbols=tuple(symbols_of(row.get("instruments"))),
            score=votes.integer("positive") - votes.integer("negative") if votes else None,
            comments=votes.integer("comments") if votes and "comments" in votes else None,
        )


def symbols_of(instruments: Row | None) -> Iterator[str]:
    """Coins as pairs with the dollar."""
    codes = [row.text("code").upper() for row in instruments] if instruments else []
    return (f"crypto:{code}/USD" for code in codes if _CODE.fullmatch(code) and code != "USD")
