"""Alternative.me: the crypto fear and greed index, one value a day. Docs: https://alternative.me/crypto/api/"""

from __future__ import annotations

from datetime import date

from providers.contract import Licence, Profile, Provider, Reply, answers, per_minute
from providers.row import Row, ascending
from schema.errors import NotCovered, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass
from schema.words.sentiment import FEAR_AND_GREED, SENTIMENT, SentimentAsk, SentimentIndex


class AlternativeMe(Provider):
    """No key; the index of a day comes out at midnight UTC."""

    profile = Profile(
        id="alternative_me",
        name="Alternative.me",
        base_url="https://api.alternative.me",
        docs="https://alternative.me/crypto/fear-and-greed-index/#api",
        asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(
            note="Free, also for commercial use, with the source named beside the data.",
            attribution="Crypto Fear & Greed Index by Alternative.me",
            redistributable=True,
        ),
        limits=(per_minute(60),),
        delay=FeedDelay.END_OF_DAY,
        priority=30,
    )

    @answers(SENTIMENT, covers=lambda ask: ask.index == FEAR_AND_GREED, since=date(2018, 2, 1))
    async def sentiment(self, ask: SentimentAsk) -> tuple[SentimentIndex, ...]:
        """The upstream has the newest first; a limit of zero would mean all."""
        return parse_index(await self.http.get("/fng/", {"limit": max(ask.last, 1), "format": "json"}))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Whatever its status, a reply says in its metadata what is wrong."""
        metadata = reply.body.get("metadata")
        error = metadata.get("error") if metadata is not None else None
        return NotCovered(self.profile.id, f"refuses: {error.label()}") if error else None


def parse_index(body: Row) -> tuple[SentimentIndex, ...]:
    """Values and times are texts; the label is the upstream's, whose borders are not those of everybody."""
    return ascending(
        [
            SentimentIndex(
                index=FEAR_AND_GREED,
                time=row.epoch("timestamp"),
                value=row.decimal("value"),
                label=row.maybe_text("value_classification"),
            )
            for row in body["data"]
        ],
        lambda each: each.time,
    )
