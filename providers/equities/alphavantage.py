"""Alpha Vantage: end-of-day equity quotes, currency rates, candles, companies, search and news, with a key.

Docs: https://www.alphavantage.co/documentation/. Everything is `/query?function=…`, refusals come with status 200.
A quote is the close of the "latest trading day": `as_of` is the first moment of that day in UTC, because a day is
all that is told and no later moment is certain. Its currency is not told, so only exchanges that trade in one are
asked (in London a price may be in pence, pounds or dollars).
"""

from __future__ import annotations

from datetime import timedelta

from providers.contract import Licence, Profile, Provider, Reply, answers, per_day, per_minute, query
from providers.equities._alphavantage import is_exchanged, is_priced_security, symbol_of
from providers.equities._alphavantage_candles import months, parse_daily, parse_intraday, parse_longer
from providers.equities._alphavantage_companies import (
    FUNCTIONS,
    REPORTS,
    parse_dividends,
    parse_figures,
    parse_overview,
    parse_splits,
    parse_statements,
)
from providers.equities._alphavantage_earnings import HORIZON, parse_coming, parse_past, reports_in
from providers.equities._alphavantage_news import params_of, parse_news, reported
from providers.equities._alphavantage_quotes import parse_quote, parse_rate, parse_search
from providers.equities._companies import actions_in
from providers.row import Row
from schema.errors import NotCovered, QuotaExhausted, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, NO_BARS, Adjustment, Bars, CandlesAsk, join_bars
from schema.words.companies import (
    COMPANY_PROFILE,
    CORPORATE_ACTIONS,
    CompanyProfile,
    CompanyProfileAsk,
    CorporateAction,
    CorporateActionsAsk,
)
from schema.words.fundamentals import (
    EARNINGS,
    FUNDAMENTALS,
    KEY_FIGURES,
    EarningsAsk,
    EarningsEvent,
    Fundamentals,
    FundamentalsAsk,
    KeyFigures,
    KeyFiguresAsk,
)
from schema.words.instruments import SEARCH, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.news import NEWS, NewsArticle, NewsAsk
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.venues import TradingHours

DAY = timedelta(days=1)
INTRADAY = {
    Interval.M1: "1min", Interval.M5: "5min", Interval.M15: "15min", Interval.M30: "30min", Interval.H1: "60min",
}  # fmt: skip
LONGER = {Interval.W1: "TIME_SERIES_WEEKLY", Interval.MO1: "TIME_SERIES_MONTHLY"}
# A compact answer has the newest 100 sessions, which are never fewer days than these; a full one costs a plan.
COMPACT = 130 * DAY
# Without `month` an intraday answer has the newest 30 days.
RECENT = 29 * DAY
NOTHING = "no articles found"
# By what is in the text, first match first: the note about bursts also names the daily limit and premium endpoints.
# The texts themselves are never passed on, one of them repeats the key.
REFUSALS: tuple[tuple[str, type[UpstreamError], float | None, str], ...] = (
    ("sparingly", Throttled, 1, "more than one request a second"),
    ("per minute", Throttled, 60, "too many requests a minute"),
    ("per day", QuotaExhausted, None, "the plan's requests of the day are used up"),
    ("demo", Unauthorized, None, "the demo key answers examples only"),
    ("apikey is invalid", Unauthorized, None, "the key is invalid or missing"),
    ("premium", NotCovered, None, "the key's plan does not include this"),
    ("invalid api call", UnknownInstrument, None, "an invalid call, most likely an unknown symbol"),
    ("no data", UnknownInstrument, None, "no data for this symbol"),
    ("invalid inputs", UnknownInstrument, None, "invalid inputs, most likely an unknown symbol"),
)


def is_american(instrument: InstrumentId) -> bool:
    """Companies are told of where their US listing is asked for."""
    return symbol_of(instrument) is not None and not instrument.venue


def charted(ask: CandlesAsk) -> bool:
    """Intraday: as traded or fully adjusted. Days: any adjustment. Weeks and months: as traded."""
    if not is_priced_security(ask.instrument):
        return False
    if ask.interval in INTRADAY:
        return not ask.instrument.venue and ask.adjustment is not Adjustment.SPLITS
    if ask.hours is TradingHours.EXTENDED:
        return False
    # An adjusted week has one factor for its close only: a dividend inside it would bend the rest.
    return ask.interval is Interval.D1 or (ask.interval in LONGER and ask.adjustment is Adjustment.NONE)


class AlphaVantage(Provider):
    """The free plan answers end-of-day data; a paid one adds intraday candles, full history and adjusted days."""

    profile = Profile(
        id="alphavantage",
        name="Alpha Vantage",
        base_url="https://www.alphavantage.co",
        docs="https://www.alphavantage.co/documentation/",
        asset_classes=(AssetClass.EQUITY, AssetClass.FX, AssetClass.CRYPTO),
        licence=Licence(
            note="Free key: personal use; commercial use and redistribution need an agreement.", shareable=False
        ),
        credentials=(query("apikey", sign_up="https://www.alphavantage.co/support/#api-key"),),
        limits=(per_minute(5), per_day(25)),
        delay=FeedDelay.END_OF_DAY,
        priority=50,
    )

    @answers(
        QUOTES, covers=lambda ask: all(is_priced_security(i) or is_exchanged(i) for i in ask.instruments), max_batch=1
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The latest session of a security, or the present rate of a pair."""
        return [await self._rate(i) if i.quote else await self._close(i) for i in ask.instruments]

    async def _close(self, instrument: InstrumentId) -> Quote:
        params = {"function": "GLOBAL_QUOTE", "symbol": symbol_of(instrument) or ""}
        return parse_quote(instrument, await self.http.get("/query", params))

    async def _rate(self, instrument: InstrumentId) -> Quote:
        params = {
            "function": "CURRENCY_EXCHANGE_RATE",
            "from_currency": instrument.base,
            "to_currency": instrument.quote,
        }
        return parse_rate(instrument, await self.http.get("/query", params))

    # As many minutes as a month has: intraday history is asked for by the month.
    @answers(CANDLES, covers=charted, intervals=(*INTRADAY, Interval.D1, *LONGER), max_rows=44_640)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """One call, or one for each month of older intraday history."""
        params: dict[str, str | int] = {"symbol": symbol_of(ask.instrument) or ""}
        if ask.interval in LONGER:
            body = await self.http.get("/query", {"function": LONGER[ask.interval], **params})
            return parse_longer(ask, body)
        if ask.interval in INTRADAY:
            return await self._intraday(ask, params)
        plain = ask.adjustment is Adjustment.NONE
        recent = self.clock.now() - ask.start <= COMPACT
        params = {
            "function": "TIME_SERIES_DAILY" if plain else "TIME_SERIES_DAILY_ADJUSTED",
            **params,
            "outputsize": "compact" if recent else "full",
        }
        return parse_daily(ask, await self.http.get("/query", params))

    async def _intraday(self, ask: CandlesAsk, params: dict[str, str | int]) -> Bars:
        common: dict[str, str | int] = {
            "function": "TIME_SERIES_INTRADAY",
            **params,
            "interval": INTRADAY[ask.interval],
            "adjusted": "false" if ask.adjustment is Adjustment.NONE else "true",
            "extended_hours": "true" if ask.hours is TradingHours.EXTENDED else "false",
            "outputsize": "full",
        }
        now = self.clock.now()
        if now - ask.start <= RECENT:
            return parse_intraday(ask, await self.http.get("/query", common))
        found = []
        for month in months(ask.start, min(ask.end, now)):
            found.append(parse_intraday(ask, await self.http.get("/query", {**common, "month": month})))
        return join_bars(ask, found) if found else NO_BARS

    @answers(SEARCH)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """Securities by name or ticker, best first."""
        body = await self.http.get("/query", {"function": "SYMBOL_SEARCH", "keywords": ask.text})
        return parse_search(body)[: ask.limit]

    @answers(COMPANY_PROFILE, covers=lambda ask: is_american(ask.instrument))
    async def company_profile(self, ask: CompanyProfileAsk) -> CompanyProfile:
        """The head of the overview."""
        return parse_overview(ask.instrument, await self._of("OVERVIEW", ask.instrument))

    @answers(KEY_FIGURES, covers=lambda ask: is_american(ask.instrument))
    async def key_figures(self, ask: KeyFiguresAsk) -> KeyFigures:
        """The ratios of the overview."""
        return parse_figures(ask.instrument, await self._of("OVERVIEW", ask.instrument))

    @answers(
        FUNDAMENTALS,
        covers=lambda ask: is_american(ask.instrument) and ask.known_at is None and ask.period in REPORTS,
    )
    async def fundamentals(self, ask: FundamentalsAsk) -> tuple[Fundamentals, ...]:
        """Years and quarters come together."""
        return parse_statements(ask, await self._of(FUNCTIONS[ask.statement], ask.instrument))

    @answers(CORPORATE_ACTIONS, covers=lambda ask: is_american(ask.instrument))
    async def corporate_actions(self, ask: CorporateActionsAsk) -> tuple[CorporateAction, ...]:
        """Dividends and splits are two calls, each with all of history."""
        dividends = parse_dividends(ask.instrument, await self._of("DIVIDENDS", ask.instrument))
        return actions_in(ask, [*dividends, *parse_splits(await self._of("SPLITS", ask.instrument))])

    @answers(EARNINGS, covers=lambda ask: ask.instrument is not None and is_american(ask.instrument))
    async def earnings(self, ask: EarningsAsk) -> tuple[EarningsEvent, ...]:
        """Of one company: what was and what is to come are two calls."""
        instrument, today = ask.instrument, self.clock.now().date()
        found: list[EarningsEvent] = []
        if instrument is not None and ask.start <= today:
            found += parse_past(instrument, await self._of("EARNINGS", instrument))
        if instrument is not None and ask.end > today:
            params = {"function": "EARNINGS_CALENDAR", "symbol": symbol_of(instrument) or "", "horizon": HORIZON}
            found += parse_coming(instrument, await self.http.get_csv("/query", params))
        return reports_in(ask, found)

    @answers(NEWS, covers=reported, delay=FeedDelay.REALTIME)
    async def news(self, ask: NewsAsk) -> tuple[NewsArticle, ...]:
        """The newest, with what a model makes of their mood."""
        return parse_news(ask, await self.http.get("/query", params_of(ask)))

    async def _of(self, function: str, instrument: InstrumentId) -> Row:
        return await self.http.get("/query", {"function": function, "symbol": symbol_of(instrument) or ""})

    def explain(self, reply: Reply) -> UpstreamError | None:
        """A word in place of the data, or no data at all, which is how an unknown symbol is answered."""
        body, name = reply.body, self.profile.id
        if reply.status < 300 and (body.value == {} or ("Global Quote", {}) in _members(body)):
            return UnknownInstrument(name, "an empty answer: an unknown symbol")
        said = [str(value).lower() for key, value in _members(body) if key in ("Error Message", "Note", "Information")]
        # Of news nothing is found in words, and that is an answer.
        if not said or NOTHING in said[0]:
            return None
        for words, kind, wait, why in REFUSALS:
            if words in said[0]:
                return kind(name, why, retry_after=wait)
        if "Error Message" in body:
            return NotCovered(name, "an invalid call")
        return Throttled(name, "a note in place of the data", retry_after=60)


def _members(body: Row) -> list[tuple[str, object]]:
    return list(body.value.items()) if isinstance(body.value, dict) else []
