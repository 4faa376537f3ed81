"""Twelve Data: quotes, candles with every adjustment, search, profiles and actions of many exchanges, with a key.

Docs: https://twelvedata.com/docs. A refusal is `{"status": "error", "code", "message"}` with any status, 200 included.
Calls are counted in credits: one for a symbol of a quote or a series, more for profiles and actions.
"""

from __future__ import annotations

from datetime import timedelta

from providers.contract import (
    Licence,
    Params,
    Profile,
    Provider,
    Reply,
    Tier,
    Usage,
    answers,
    header,
    per_day,
    per_minute,
)
from providers.equities._companies import actions_in
from providers.equities._listed import is_pair
from providers.equities._refusals import said
from providers.equities._twelvedata import (
    is_share,
    params_of,
    parse_candles,
    parse_dividends,
    parse_earnings,
    parse_middles,
    parse_profile,
    parse_quote,
    parse_rate,
    parse_search,
    parse_splits,
)
from schema.errors import (
    NotCovered,
    Overloaded,
    QuotaExhausted,
    Throttled,
    Unauthorized,
    UnknownInstrument,
    UpstreamError,
)
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, NO_BARS, Adjustment, Bars, CandlesAsk
from schema.words.companies import (
    COMPANY_PROFILE,
    CORPORATE_ACTIONS,
    CompanyProfile,
    CompanyProfileAsk,
    CorporateAction,
    CorporateActionsAsk,
)
from schema.words.fundamentals import EARNINGS, EarningsAsk, EarningsEvent
from schema.words.instruments import SEARCH, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.venues import TradingHours

DAY = timedelta(days=1)
SECONDS = "%Y-%m-%d %H:%M:%S"
# Pre and post market are told for these only.
SHORT = {Interval.M1: "1min", Interval.M5: "5min", Interval.M15: "15min", Interval.M30: "30min"}
INTERVALS = {
    **SHORT, Interval.H1: "1h", Interval.H2: "2h", Interval.H4: "4h", Interval.D1: "1day", Interval.W1: "1week",
    Interval.MO1: "1month",
}  # fmt: skip
ADJUSTMENTS = {Adjustment.NONE: "none", Adjustment.SPLITS: "splits", Adjustment.SPLITS_AND_DIVIDENDS: "all"}
NO_DATA = "no data is available"
LIMIT = per_minute(8, "credits")


def charted(ask: CandlesAsk) -> bool:
    """Any adjustment; pre and post market of the US in short intervals. When a day of currencies begins is not told."""
    if is_pair(ask.instrument):
        return ask.interval in SHORT or ask.interval is Interval.H1
    extended = ask.hours is TradingHours.EXTENDED
    inside = ask.interval in SHORT and not ask.instrument.venue if extended else ask.interval in INTERVALS
    return is_share(ask.instrument) and inside


def earnings_credits(ask: EarningsAsk) -> int:
    """One company's costs half of a calendar."""
    return 40 if ask.instrument is None else 20


class TwelveData(Provider):
    """The free plan answers US securities and currencies."""

    profile = Profile(
        id="twelvedata",
        name="Twelve Data",
        base_url="https://api.twelvedata.com",
        docs="https://twelvedata.com/docs",
        asset_classes=(AssetClass.EQUITY, AssetClass.FX),
        licence=Licence(note="Individual plans: personal use; redistribution needs an agreement.", shareable=False),
        credentials=(header("Authorization", template="apikey {}", sign_up="https://twelvedata.com/register"),),
        limits=(LIMIT, per_day(800, "credits")),
        usage=(Usage(header="api-credits-left", limit=LIMIT, remaining=True),),
        tiers={"grow": Tier(limits=(per_minute(55, "credits"),)), "pro": Tier(limits=(per_minute(610, "credits"),))},
        priority=50,
    )

    @answers(
        QUOTES,
        covers=lambda ask: all(is_share(i) or is_pair(i) for i in ask.instruments),
        max_batch=8,
        weight=lambda ask: len(ask.instruments),
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The shares of one exchange in one call, each pair of currencies by itself."""
        found = [await self._rate(instrument) for instrument in ask.instruments if is_pair(instrument)]
        shares = [instrument for instrument in ask.instruments if is_share(instrument)]
        for venue in dict.fromkeys(instrument.venue for instrument in shares):
            found += await self._listed([instrument for instrument in shares if instrument.venue == venue])
        return found

    async def _listed(self, shares: list[InstrumentId]) -> list[Quote]:
        symbols = ",".join(share.base for share in shares)
        body = await self.http.get("/quote", params_of(shares[0]) | {"symbol": symbols})
        if len(shares) == 1:
            return [parse_quote(shares[0], body)]
        rows = ((share, body.get(share.base)) for share in shares)
        return [parse_quote(share, row) for share, row in rows if row is not None and "code" not in row]

    async def _rate(self, pair: InstrumentId) -> Quote:
        return parse_rate(pair, await self.http.get("/exchange_rate", {"symbol": pair.symbol}))

    # A call answers at most 5,000 rows; a day is asked for on either side, because its times are local.
    @answers(CANDLES, covers=charted, intervals=tuple(INTERVALS), max_rows=2000)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Of a share from the day before the range to the day behind it, of a pair by the second and in UTC."""
        pair = is_pair(ask.instrument)
        body = await self.http.get("/time_series", moments_of(ask) if pair else days_of(ask))
        if NO_DATA in said(body, "message"):
            return NO_BARS
        return parse_middles(ask, body) if pair else parse_candles(ask, body)

    @answers(SEARCH)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """Securities and currencies by ticker, name, ISIN or FIGI, best first."""
        body = await self.http.get("/symbol_search", {"symbol": ask.text, "outputsize": ask.limit})
        return parse_search(body)[: ask.limit]

    @answers(COMPANY_PROFILE, covers=lambda ask: is_share(ask.instrument), weight=10)
    async def company_profile(self, ask: CompanyProfileAsk) -> CompanyProfile:
        """Companies and funds."""
        return parse_profile(ask.instrument, await self.http.get("/profile", params_of(ask.instrument)))

    @answers(CORPORATE_ACTIONS, covers=lambda ask: is_share(ask.instrument), weight=40)
    async def corporate_actions(self, ask: CorporateActionsAsk) -> tuple[CorporateAction, ...]:
        """Dividends and splits."""
        params = params_of(ask.instrument)
        if ask.start is None and ask.end is None:
            params["range"] = "full"
        for name, day in (("start_date", ask.start), ("end_date", ask.end)):
            if day is not None:
                params[name] = f"{day}"
        # As declared: without this they are adjusted for later splits.
        dividends = await self.http.get("/dividends", params | {"adjust": "false"})
        splits = await self.http.get("/splits", params)
        return actions_in(ask, (*parse_dividends(dividends), *parse_splits(splits)))

    @answers(EARNINGS, covers=lambda ask: ask.instrument is None or is_share(ask.instrument), weight=earnings_credits)
    async def earnings(self, ask: EarningsAsk) -> tuple[EarningsEvent, ...]:
        """Of one company, or of all."""
        params: dict[str, str | int] = {"start_date": f"{ask.start}", "end_date": f"{ask.end - DAY}"}
        if ask.instrument is None:
            return parse_earnings(ask, await self.http.get("/earnings_calendar", params))
        return parse_earnings(ask, await self.http.get("/earnings", params_of(ask.instrument) | params))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """The code in the body tells more than the status; an empty range is an answer."""
        body, name = reply.body, self.profile.id
        if said(body, "status") != "error":
            return None
        text, code = said(body, "message"), said(body, "code")
        if code == "401" or "apikey" in text:
            return Unauthorized(name, "the key is invalid or missing")
        if code == "429":
            if "day" in text:
                return QuotaExhausted(name, "the plan's credits of the day are used up")
            return Throttled(name, "the credits of the minute are used up", retry_after=60)
        if code == "404" or "not found" in text or "missing or invalid" in text:
            return UnknownInstrument(name, "an unknown symbol")
        if NO_DATA in text and reply.status < 300:
            return None
        if code.startswith("5"):
            return Overloaded(name, f"error {code}")
        return NotCovered(name, "not in the key's plan" if code == "403" else "an invalid call")


def moments_of(ask: CandlesAsk) -> Params:
    """A range of a pair."""
    return {
        "symbol": ask.instrument.symbol, "interval": INTERVALS[ask.interval], "start_date": f"{ask.start:{SECONDS}}",
        "end_date": f"{ask.end:{SECONDS}}", "timezone": "UTC", "outputsize": 5000, "order": "asc",
    }  # fmt: skip


def days_of(ask: CandlesAsk) -> Params:
    """The days of a share's range."""
    params = params_of(ask.instrument) | {
        "interval": INTERVALS[ask.interval], "start_date": f"{ask.start - DAY:%Y-%m-%d}",
        "end_date": f"{ask.end + DAY:%Y-%m-%d}", "outputsize": 5000, "order": "asc",
        "adjust": ADJUSTMENTS[ask.adjustment],
    }  # fmt: skip
    return params | {"prepost": "true"} if ask.hours is TradingHours.EXTENDED else params
