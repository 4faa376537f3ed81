"""currencylayer: mid rates of the dollar. Docs: https://currencylayer.com/documentation

The free plan has the dollar as its only base, so no other is asked for.
"""

from __future__ import annotations

from datetime import timedelta

from providers.contract import Licence, Limit, Profile, Provider, Reply, answers, query
from providers.fx._apilayer import FIRST, pair_quotes, pair_rates, priced, rated, refusal
from schema.errors import UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk

BASE = "USD"


class Currencylayer(Provider):
    """One answer holds all rates; ranges need a paid plan."""

    profile = Profile(
        id="currencylayer",
        name="currencylayer",
        base_url="https://api.currencylayer.com",
        docs="https://currencylayer.com/documentation",
        asset_classes=(AssetClass.FX,),
        licence=Licence(note="Paid service: own use and display; redistribution needs an agreement."),
        credentials=(query("access_key", sign_up="https://currencylayer.com/product"),),
        limits=(Limit(count=100, per=timedelta(days=30)),),
        delay=FeedDelay.DELAYED,
        priority=50,
    )

    # Plans are counted by the month: what is newer is not worth a request.
    @answers(
        QUOTES,
        covers=lambda ask: all(priced(i, "currencylayer", BASE) for i in ask.instruments),
        fresh_for=timedelta(hours=1),
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Mid rates of a moment."""
        return await pair_quotes(self.http, ask, BASE)

    @answers(FX_RATES, covers=lambda ask: rated(ask, BASE), since=FIRST, fresh_for=timedelta(hours=1))
    async def fx_rates(self, ask: FxRatesAsk) -> tuple[FxRate, ...]:
        """The newest rates, or the last ones of every day of a range."""
        return await pair_rates(self.http, ask, self.clock.now().date())

    def explain(self, reply: Reply) -> UpstreamError | None:
        """A refusal comes with status 200."""
        return refusal("currencylayer", reply)
