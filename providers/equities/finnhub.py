"""Finnhub: quotes, days adjusted for splits, profiles, key figures, actions, calendars and news, with a key.

Docs: https://finnhub.io/docs/api. An unknown symbol is answered with zeros or an empty object. Amounts of the key
figures are in a currency that is not told, so only ratios and prices are read from them; a profile tells its currency.
Candles, dividends, splits and the economic calendar cost a plan.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

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
    per_minute,
    per_second,
)
from providers.equities._companies import actions_in
from providers.equities._finnhub import (
    CATEGORIES,
    FINNHUB,
    parse_articles,
    parse_candles,
    parse_dividends,
    parse_earnings,
    parse_figures,
    parse_profile,
    parse_quote,
    parse_search,
    parse_splits,
)
from providers.equities._finnhub_feed import FinnhubFeed
from providers.equities._refusals import refused, said
from providers.equities._releases import releases
from providers.equities._venue_status import US_VENUES, parse_finnhub
from providers.feeds import streams
from schema.errors import NotCovered, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, Adjustment, Bars, CandlesAsk
from schema.words.companies import (
    COMPANY_PROFILE,
    CORPORATE_ACTIONS,
    CompanyProfile,
    CompanyProfileAsk,
    CorporateAction,
    CorporateActionsAsk,
)
from schema.words.economics import ECONOMIC_CALENDAR, EconomicCalendarAsk, EconomicEvent
from schema.words.fundamentals import EARNINGS, KEY_FIGURES, EarningsAsk, EarningsEvent, KeyFigures, KeyFiguresAsk
from schema.words.instruments import SEARCH, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.news import NEWS, NewsArticle, NewsAsk
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.sessions import MARKET_STATUS, MarketStatus, MarketStatusAsk
from schema.words.venues import TradingHours

RESOLUTIONS = {Interval.D1: "D", Interval.W1: "W", Interval.MO1: "M"}
# So many events an answer holds; what is beyond is left out without a word.
MOST_EVENTS = 1500
RECENT = timedelta(days=30)
spelled, priced = FINNHUB.lists, FINNHUB.prices
DAY = timedelta(days=1)
REFUSALS: tuple[tuple[str, type[UpstreamError], str], ...] = (
    ("api limit", Throttled, "too many requests"),
    ("api key", Unauthorized, "the key is invalid or missing"),
    ("access to this resource", NotCovered, "the key's plan does not include this"),
    ("not supported", UnknownInstrument, "an unknown symbol"),
)
LIMIT = per_minute(60)


def charted(ask: CandlesAsk) -> bool:
    """Days and longer, adjusted for splits."""
    regular = ask.hours is TradingHours.REGULAR and ask.adjustment is Adjustment.SPLITS
    return regular and ask.interval in RESOLUTIONS and priced(ask.instrument)


def reported(ask: NewsAsk) -> bool:
    """About one security and of some time, or the newest of a category."""
    if ask.text or ask.language or ask.country:
        return False
    if ask.instruments:
        return len(ask.instruments) == 1 and not ask.topic and spelled(ask.instruments[0])
    return ask.topic in CATEGORIES and ask.start is None and ask.end is None


class Finnhub(Provider):
    """The free plan answers quotes, profiles, key figures, the earnings calendar and news."""

    profile = Profile(
        id="finnhub",
        name="Finnhub",
        base_url="https://finnhub.io/api/v1",
        docs="https://finnhub.io/docs/api",
        asset_classes=(AssetClass.EQUITY,),
        licence=Licence(note="Free plan: personal use; redistribution needs an agreement.", shareable=False),
        credentials=(header("X-Finnhub-Token", sign_up="https://finnhub.io/register"),),
        limits=(LIMIT, per_second(30)),
        usage=(Usage(header="X-Ratelimit-Remaining", limit=LIMIT, remaining=True),),
        tiers={"paid": Tier(limits=(per_minute(300), per_second(30)))},
        priority=50,
    )

    @answers(QUOTES, covers=lambda ask: all(map(priced, ask.instruments)), max_batch=1)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """There is no batch."""
        return [parse_quote(i, await self.http.get("/quote", {"symbol": symbol_of(i)})) for i in ask.instruments]

    # Trades of US stocks only. A quiet one says nothing for hours: no silence of a channel means anything.
    @streams(QUOTES, feed=FinnhubFeed, covers=lambda ask: not ask.instruments[0].venue and priced(ask.instruments[0]))
    def quote_channel(self, ask: QuotesAsk) -> str:
        """The symbol."""
        return symbol_of(ask.instruments[0])

    @answers(CANDLES, covers=charted, intervals=tuple(RESOLUTIONS), max_rows=5000)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Parallel arrays, oldest first."""
        # Weeks may be named by the Sunday before.
        params: Params = {
            "symbol": symbol_of(ask.instrument), "resolution": RESOLUTIONS[ask.interval],
            "from": int((ask.start - DAY).timestamp()), "to": int(ask.end.timestamp()),
        }  # fmt: skip
        return parse_candles(ask, await self.http.get("/stock/candle", params))

    @answers(SEARCH)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """Securities by name, ticker or ISIN, best first."""
        return parse_search(await self.http.get("/search", {"q": ask.text}))[: ask.limit]

    @answers(COMPANY_PROFILE, covers=lambda ask: spelled(ask.instrument))
    async def company_profile(self, ask: CompanyProfileAsk) -> CompanyProfile:
        """Companies only."""
        body = await self.http.get("/stock/profile2", {"symbol": symbol_of(ask.instrument)})
        return parse_profile(ask.instrument, body)

    @answers(KEY_FIGURES, covers=lambda ask: priced(ask.instrument))
    async def key_figures(self, ask: KeyFiguresAsk) -> KeyFigures:
        """The newest figures of all that there are."""
        params: Params = {"symbol": symbol_of(ask.instrument), "metric": "all"}
        return parse_figures(ask.instrument, await self.http.get("/stock/metric", params))

    @answers(CORPORATE_ACTIONS, covers=lambda ask: spelled(ask.instrument), weight=2)
    async def corporate_actions(self, ask: CorporateActionsAsk) -> tuple[CorporateAction, ...]:
        """Dividends and splits."""
        last = self.clock.now().date() + 365 * DAY if ask.end is None else ask.end - DAY
        params: Params = {
            "symbol": symbol_of(ask.instrument), "from": f"{ask.start or date(1960, 1, 1)}", "to": f"{last}",
        }  # fmt: skip
        dividends = await self.http.get("/stock/dividend", params)
        splits = await self.http.get("/stock/split", params)
        return actions_in(ask, (*parse_dividends(dividends), *parse_splits(splits)))

    @answers(EARNINGS, covers=lambda ask: ask.instrument is None or spelled(ask.instrument))
    async def earnings(self, ask: EarningsAsk) -> tuple[EarningsEvent, ...]:
        """Of one company, or of all for as many days as one answer holds."""
        params: dict[str, str | int] = {"from": f"{ask.start}", "to": f"{ask.end - DAY}"}
        if ask.instrument is not None:
            params["symbol"] = symbol_of(ask.instrument)
        body = await self.http.get("/calendar/earnings", params)
        if len(body["earningsCalendar"]) >= MOST_EVENTS:
            raise NotCovered(self.profile.id, "more reports in these days than one answer holds")
        return parse_earnings(ask, body)

    @answers(ECONOMIC_CALENDAR)
    async def economic_calendar(self, ask: EconomicCalendarAsk) -> tuple[EconomicEvent, ...]:
        """Of all countries; those that were not asked for are left out here."""
        body = await self.http.get("/calendar/economic", {"from": f"{ask.start}", "to": f"{ask.end - DAY}"})
        return releases(ask, body["economicCalendar"], time="time", forecast="estimate", previous="prev")

    @answers(NEWS, covers=reported)
    async def news(self, ask: NewsAsk) -> tuple[NewsArticle, ...]:
        """About one security in a range of days, or the newest of a category."""
        if not ask.instruments:
            return parse_articles(ask, await self.http.get("/news", {"category": CATEGORIES[ask.topic]}))
        last = ask.end or self.clock.now()
        params: Params = {
            "symbol": symbol_of(ask.instruments[0]), "from": day_text(ask.start or last - RECENT), "to": day_text(last),
        }  # fmt: skip
        return parse_articles(ask, await self.http.get("/company-news", params))

    @answers(MARKET_STATUS, covers=lambda ask: ask.venue in US_VENUES)
    async def market_status(self, ask: MarketStatusAsk) -> MarketStatus:
        """Of the US market as a whole."""
        return parse_finnhub(ask.venue, await self.http.get("/stock/market-status", {"exchange": "US"}))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"error"}` with a status, which for the plan is the same as for a wrong key."""
        return None if reply.status == 429 else refused(self.profile.id, said(reply.body, "error"), REFUSALS)


def symbol_of(instrument: InstrumentId) -> str:
    """The symbol of what is covered."""
    return FINNHUB.symbol_of(instrument) or ""


def day_text(moment: datetime) -> str:
    """Its day in UTC."""
    return f"{moment:%Y-%m-%d}"
