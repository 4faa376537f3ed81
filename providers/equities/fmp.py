"""Financial Modeling Prep: quotes, days with every adjustment, profiles, statements, actions and calendars, with a key.

Docs: https://site.financialmodelingprep.com/developer/docs. An unknown symbol is answered with an empty list. Each
statement has the time of its filing, but whether it was changed afterwards is not told: what was known at an instant
is not covered.
"""

from __future__ import annotations

import re
from datetime import timedelta

from providers.contract import Licence, Params, Profile, Provider, Reply, Tier, answers, per_day, per_minute, query
from providers.equities._companies import actions_in, newest_reports
from providers.equities._fmp import (
    FMP,
    PERIODS,
    SERIES,
    STATEMENTS,
    pair_symbol,
    parse_days,
    parse_dividends,
    parse_earnings,
    parse_profile,
    parse_quote,
    parse_rate,
    parse_report,
    parse_search,
    parse_splits,
)
from providers.equities._refusals import refused, said
from providers.equities._releases import releases
from schema.errors import NotCovered, Throttled, Unauthorized, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, Bars, CandlesAsk
from schema.words.companies import (
    COMPANY_PROFILE,
    CORPORATE_ACTIONS,
    CompanyProfile,
    CompanyProfileAsk,
    CorporateAction,
    CorporateActionsAsk,
)
from schema.words.economics import ECONOMIC_CALENDAR, EconomicCalendarAsk, EconomicEvent
from schema.words.fundamentals import EARNINGS, FUNDAMENTALS, EarningsAsk, EarningsEvent, Fundamentals, FundamentalsAsk
from schema.words.instruments import SEARCH, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.venues import TradingHours

spelled, priced = FMP.lists, FMP.prices
DAY = timedelta(days=1)
# So many events an answer holds, and so many days of the economic calendar.
MOST_EVENTS = 4000
MOST_DAYS = timedelta(days=90)
REFUSALS: tuple[tuple[str, type[UpstreamError], str], ...] = (
    ("invalid api key", Unauthorized, "the key is invalid or missing"),
    ("limit reach", Throttled, "the plan's calls are used up"),
    ("exclusive", NotCovered, "the key's plan does not include this"),
    ("premium", NotCovered, "the key's plan does not include this"),
    ("restricted", NotCovered, "the key's plan does not include this"),
    ("subscription", NotCovered, "the key's plan does not include this"),
    ("legacy", NotCovered, "closed to new keys"),
)
_TICKER = re.compile(r"[A-Z0-9.-]{1,12}")


def charted(ask: CandlesAsk) -> bool:
    """Days with any adjustment."""
    return ask.interval is Interval.D1 and ask.hours is TradingHours.REGULAR and priced(ask.instrument)


def filed(ask: FundamentalsAsk) -> bool:
    """Years and quarters, as they are told now."""
    return ask.period in PERIODS and ask.known_at is None and spelled(ask.instrument)


class Fmp(Provider):
    """The free plan answers US securities for a few years."""

    profile = Profile(
        id="fmp",
        name="Financial Modeling Prep",
        base_url="https://financialmodelingprep.com/stable",
        docs="https://site.financialmodelingprep.com/developer/docs",
        asset_classes=(AssetClass.EQUITY, AssetClass.FX),
        licence=Licence(note="Individual plans: personal use; display needs an agreement.", shareable=False),
        credentials=(query("apikey", sign_up="https://site.financialmodelingprep.com/register"),),
        limits=(per_day(250),),
        tiers={
            "starter": Tier(limits=(per_minute(300),)),
            "premium": Tier(limits=(per_minute(750),)),
            "ultimate": Tier(limits=(per_minute(3000),)),
        },
        priority=50,
    )

    @answers(
        QUOTES,
        covers=lambda ask: all(priced(i) or pair_symbol(i) is not None for i in ask.instruments),
        max_batch=1,
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """A batch would cost a plan."""
        return [await (self._rate(i) if pair_symbol(i) else self._price(i)) for i in ask.instruments]

    async def _price(self, instrument: InstrumentId) -> Quote:
        return parse_quote(instrument, await self.http.get("/quote", {"symbol": symbol_of(instrument)}))

    async def _rate(self, pair: InstrumentId) -> Quote:
        return parse_rate(pair, await self.http.get("/quote", {"symbol": pair_symbol(pair) or ""}))

    @answers(CANDLES, covers=charted, intervals=(Interval.D1,), max_rows=5000)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Each adjustment is a series of its own."""
        params: Params = {
            "symbol": symbol_of(ask.instrument), "from": f"{ask.start:%Y-%m-%d}", "to": f"{ask.end - DAY:%Y-%m-%d}",
        }  # fmt: skip
        return parse_days(ask, await self.http.get(f"/historical-price-eod/{SERIES[ask.adjustment]}", params))

    @answers(SEARCH)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """By ticker where the text looks like one, else by name."""
        kind = "search-symbol" if _TICKER.fullmatch(ask.text) else "search-name"
        return parse_search(await self.http.get(f"/{kind}", {"query": ask.text, "limit": ask.limit}))[: ask.limit]

    @answers(COMPANY_PROFILE, covers=lambda ask: spelled(ask.instrument))
    async def company_profile(self, ask: CompanyProfileAsk) -> CompanyProfile:
        """A company, or a fund."""
        body = await self.http.get("/profile", {"symbol": symbol_of(ask.instrument)})
        return parse_profile(ask.instrument, body)

    @answers(CORPORATE_ACTIONS, covers=lambda ask: priced(ask.instrument), weight=2)
    async def corporate_actions(self, ask: CorporateActionsAsk) -> tuple[CorporateAction, ...]:
        """All dividends and splits that there are."""
        params: Params = {"symbol": symbol_of(ask.instrument), "limit": 1000}
        dividends = await self.http.get("/dividends", params)
        splits = await self.http.get("/splits", params)
        return actions_in(ask, (*parse_dividends(ask.instrument, dividends), *parse_splits(splits)))

    @answers(FUNDAMENTALS, covers=filed)
    async def fundamentals(self, ask: FundamentalsAsk) -> tuple[Fundamentals, ...]:
        """One statement."""
        params: Params = {
            "symbol": symbol_of(ask.instrument), "period": PERIODS[ask.period], "limit": ask.limit,
        }  # fmt: skip
        rows = await self.http.get(f"/{STATEMENTS[ask.statement]}", params)
        return newest_reports(ask, [parse_report(ask.statement, ask.period, row) for row in rows])

    @answers(EARNINGS, covers=lambda ask: ask.instrument is None or spelled(ask.instrument))
    async def earnings(self, ask: EarningsAsk) -> tuple[EarningsEvent, ...]:
        """Of one company, or of all for as many days as one answer holds."""
        if ask.instrument is not None:
            params: Params = {"symbol": symbol_of(ask.instrument), "limit": 1000}
            return parse_earnings(ask, await self.http.get("/earnings", params))
        rows = await self.http.get("/earnings-calendar", {"from": f"{ask.start}", "to": f"{ask.end - DAY}"})
        if len(rows) >= MOST_EVENTS:
            raise NotCovered(self.profile.id, "more reports in these days than one answer holds")
        return parse_earnings(ask, rows)

    @answers(ECONOMIC_CALENDAR, covers=lambda ask: ask.end - ask.start <= MOST_DAYS)
    async def economic_calendar(self, ask: EconomicCalendarAsk) -> tuple[EconomicEvent, ...]:
        """Of all countries; those that were not asked for are left out here."""
        rows = await self.http.get("/economic-calendar", {"from": f"{ask.start}", "to": f"{ask.end - DAY}"})
        return releases(ask, rows, time="date", forecast="estimate", previous="previous")

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"Error Message"}`, or a text, with a status that tells the plan from the key; 402 is the plan too."""
        if reply.status == 402:
            return NotCovered(self.profile.id, "the key's plan does not include this")
        if reply.status == 429 or reply.status >= 500 or "Error Message" not in reply.body:
            return None
        found = refused(self.profile.id, said(reply.body, "Error Message"), REFUSALS)
        # A refusal in unknown words is one all the same, where the status says that all is well.
        return NotCovered(self.profile.id, "an invalid call") if found is None and reply.status < 300 else found


def symbol_of(instrument: InstrumentId) -> str:
    """The symbol of what is covered."""
    return FMP.symbol_of(instrument) or ""
