"""Open Exchange Rates: mid rates of the dollar. Docs: https://docs.openexchangerates.org

The free plan has the dollar as its only base, so no other is asked for. A day's historical rates are those of its end.
"""

from __future__ import annotations

from datetime import date, timedelta

from providers.contract import Licence, Limit, Profile, Provider, Reply, answers, header
from providers.fx._apilayer import FIRST, Days, by_code, mids, newest, parse_days, priced, ranged, rated
from providers.fx._reference import of_base
from schema.errors import NotCovered, QuotaExhausted, Throttled, Unauthorized, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk

BASE = "USD"
# By the name of the refusal, which says more than its status does: a plan that lacks something is a 403 as well.
REFUSALS: dict[str, tuple[type[UpstreamError], str]] = {
    "missing_app_id": (Unauthorized, "the key is missing"),
    "invalid_app_id": (Unauthorized, "the key is invalid"),
    "app_id_inactive": (Unauthorized, "the key is not active"),
    "not_allowed": (NotCovered, "the key's plan does not include this"),
    "invalid_base": (NotCovered, "the base currency is unknown"),
    "not_available": (NotCovered, "there are no rates for this date"),
}


class OpenExchangeRates(Provider):
    """One answer holds all rates; ranges need a paid plan."""

    profile = Profile(
        id="openexchangerates",
        name="Open Exchange Rates",
        base_url="https://openexchangerates.org/api",
        docs="https://docs.openexchangerates.org",
        asset_classes=(AssetClass.FX,),
        licence=Licence(note="Own use and display; resale is prohibited.", redistributable=False),
        credentials=(
            header("Authorization", template="Token {}", sign_up="https://openexchangerates.org/signup/free"),
        ),
        limits=(Limit(count=1000, per=timedelta(days=30)),),
        delay=FeedDelay.DELAYED,
        priority=50,
    )

    # The free plan has new rates once an hour.
    @answers(
        QUOTES,
        covers=lambda ask: all(priced(i, "openexchangerates", BASE) for i in ask.instruments),
        fresh_for=timedelta(minutes=30),
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Mid rates of a moment."""
        wanted = ",".join(sorted({i.quote for i in ask.instruments}))
        body = of_base(await self.http.get("/latest.json", {"symbols": wanted}), BASE)
        return mids(ask.instruments, by_code(body["rates"]), body.epoch("timestamp"))

    @answers(FX_RATES, covers=lambda ask: rated(ask, BASE), since=FIRST, fresh_for=timedelta(minutes=30))
    async def fx_rates(self, ask: FxRatesAsk) -> tuple[FxRate, ...]:
        """The newest rates, or the last ones of every day of a range."""
        chosen = {"symbols": ",".join(sorted(ask.quotes))} if ask.quotes else {}
        if ask.start is None:
            body = of_base(await self.http.get("/latest.json", chosen), BASE)
            return newest(ask, by_code(body["rates"]), body.epoch("timestamp"))

        async def fetch(first: date, last: date) -> Days:
            days = {"start": str(first), "end": str(last)}
            body = of_base(await self.http.get("/time-series.json", {**days, **chosen}), BASE)
            return parse_days(body["rates"], by_code)

        return await ranged(ask, self.clock.now().date(), fetch)

    def explain(self, reply: Reply) -> UpstreamError | None:
        """Refusals have a name; that of too many requests is also the name of a ban for other reasons."""
        body = reply.body.value
        if not isinstance(body, dict) or body.get("error") is not True:
            return None
        name, told = body.get("message"), str(body.get("description", ""))
        if name == "access_restricted":
            month = "too_many_requests" not in told
            kind: type[UpstreamError] = QuotaExhausted if month else Throttled
            return kind("openexchangerates", "access is restricted for now")
        kind, why = REFUSALS.get(str(name), (None, ""))  # type: ignore[assignment]
        return kind("openexchangerates", why) if kind else None
