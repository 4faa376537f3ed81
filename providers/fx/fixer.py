"""Fixer: mid rates of the euro. Docs: https://fixer.io/documentation

The free plan has the euro as its only base, so no other is asked for. Keys of fixer.io itself are for the tier
`fixer`, which that plan's host serves; keys of its marketplace are the default.
"""

from __future__ import annotations

from datetime import date, timedelta

from providers.contract import Licence, Limit, Profile, Provider, Reply, Tier, answers, header, query
from providers.fx._apilayer import FIRST, Days, by_code, mids, newest, parse_days, priced, ranged, rated, refusal
from providers.fx._reference import of_base
from schema.errors import UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk

BASE = "EUR"


class Fixer(Provider):
    """One answer holds all rates; ranges need a paid plan."""

    profile = Profile(
        id="fixer",
        name="Fixer",
        base_url="https://api.apilayer.com/fixer",
        docs="https://fixer.io/documentation",
        asset_classes=(AssetClass.FX,),
        licence=Licence(note="Paid service: own use and display; redistribution needs an agreement."),
        credentials=(header("apikey", sign_up="https://apilayer.com/marketplace/fixer-api"),),
        limits=(Limit(count=100, per=timedelta(days=30)),),
        tiers={"fixer": Tier(base_url="https://data.fixer.io/api", credentials=(query("access_key"),))},
        delay=FeedDelay.DELAYED,
        priority=50,
    )

    # Plans are counted by the month: what is newer is not worth a request.
    @answers(
        QUOTES, covers=lambda ask: all(priced(i, "fixer", BASE) for i in ask.instruments), fresh_for=timedelta(hours=1)
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Mid rates of a moment."""
        wanted = ",".join(sorted({i.quote for i in ask.instruments}))
        body = of_base(await self.http.get("/latest", {"base": BASE, "symbols": wanted}), BASE)
        return mids(ask.instruments, by_code(body["rates"]), body.epoch("timestamp"))

    @answers(FX_RATES, covers=lambda ask: rated(ask, BASE), since=FIRST, fresh_for=timedelta(hours=1))
    async def fx_rates(self, ask: FxRatesAsk) -> tuple[FxRate, ...]:
        """The newest rates, or the last ones of every day of a range."""
        chosen = {"base": BASE, **({"symbols": ",".join(sorted(ask.quotes))} if ask.quotes else {})}
        if ask.start is None:
            body = of_base(await self.http.get("/latest", chosen), BASE)
            return newest(ask, by_code(body["rates"]), body.epoch("timestamp"))

        async def fetch(first: date, last: date) -> Days:
            days = {"start_date": str(first), "end_date": str(last)}
            return parse_days(of_base(await self.http.get("/timeseries", {**days, **chosen}), BASE)["rates"], by_code)

        return await ranged(ask, self.clock.now().date(), fetch)

    def explain(self, reply: Reply) -> UpstreamError | None:
        """A refusal comes with status 200."""
        return refusal("fixer", reply)
