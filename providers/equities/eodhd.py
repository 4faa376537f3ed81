"""EODHD: delayed quotes, days raw or adjusted, currencies, search, profiles, statements, actions and news, with a key.

Docs: https://eodhd.com/financial-apis/. Volumes are adjusted for splits, so a series as traded has none. Refusals are
plain text. Each statement has the day of its filing, but numbers are replaced when they are corrected: what was known
at an instant is not covered.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote as quoted

from providers.contract import Licence, Params, Profile, Provider, Reply, Tier, answers, per_day, per_minute, query
from providers.equities._companies import actions_in, newest_reports
from providers.equities._eodhd import (
    EODHD,
    PERIODS,
    STATEMENTS,
    parse_articles,
    parse_days,
    parse_dividends,
    parse_earnings,
    parse_figures,
    parse_profile,
    parse_quote,
    parse_report,
    parse_search,
    parse_splits,
)
from providers.equities._eodhd_rates import INTRADAY, charted, pair_symbol, parse_minutes, parse_rate, range_of
from providers.equities._refusals import refused, said
from providers.row import Row
from schema.errors import NotCovered, QuotaExhausted, UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
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

spelled, priced = EODHD.lists, EODHD.prices
DAY = timedelta(days=1)
LENGTHS = {Interval.D1: "d", Interval.W1: "w", Interval.MO1: "m"}
REFUSALS: tuple[tuple[str, type[UpstreamError], str], ...] = (
    ("limit", QuotaExhausted, "the plan's calls of the day are used up"),
    ("free", NotCovered, "the key's plan does not include this"),
    ("upgrade", NotCovered, "the key's plan does not include this"),
)


def daily(ask: CandlesAsk) -> bool:
    """Raw, and days fully adjusted: of a week or a month only the close is."""
    if ask.interval not in LENGTHS or ask.hours is TradingHours.EXTENDED or not priced(ask.instrument):
        return False
    whole = ask.adjustment is Adjustment.SPLITS_AND_DIVIDENDS and ask.interval is Interval.D1
    return whole or ask.adjustment is Adjustment.NONE


def filed(ask: FundamentalsAsk) -> bool:
    """Years and quarters, as they are told now."""
    return ask.period in PERIODS and ask.known_at is None and spelled(ask.instrument)


def reported(ask: NewsAsk) -> bool:
    """About one security, or with a tag."""
    if ask.text or ask.language or ask.country or not all(map(spelled, ask.instruments)):
        return False
    return bool(ask.topic) != bool(ask.instruments) and len(ask.instruments) <= 1


class Eodhd(Provider):
    """The free plan answers days of the last year; each package adds some of the rest."""

    profile = Profile(
        id="eodhd",
        name="EODHD",
        base_url="https://eodhd.com/api",
        docs="https://eodhd.com/financial-apis/",
        asset_classes=(AssetClass.EQUITY, AssetClass.FX),
        licence=Licence(note="Personal plans: no redistribution; commercial use needs its own plan.", shareable=False),
        credentials=(query("api_token", sign_up="https://eodhd.com/register"),),
        limits=(per_day(20, "calls"),),
        tiers={"paid": Tier(limits=(per_minute(1000, "calls"), per_day(100_000, "calls")))},
        delay=FeedDelay.DELAYED,
        delay_seconds=900,
        priority=50,
    )

    @answers(
        QUOTES,
        covers=lambda ask: all(priced(i) or pair_symbol(i) is not None for i in ask.instruments),
        max_batch=15,
        weight=lambda ask: len(ask.instruments),
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The first symbol stands in the path; with others the answer is a list."""
        symbols = {symbol_of(instrument): instrument for instrument in ask.instruments}
        first, *others = symbols
        more = {"s": ",".join(others)} if others else {}
        body = await self.http.get(f"/real-time/{first}", {"fmt": "json", **more})
        rows = [(symbols.get(row.text("code")), row) for row in (body if others else [body])]
        found = [parser_of(instrument)(instrument, row) for instrument, row in rows if instrument is not None]
        quotes = [quote for quote in found if quote is not None]
        if not quotes and not others:
            raise UnknownInstrument(self.profile.id, f"{first} has no price")
        return quotes

    @answers(
        CANDLES,
        covers=lambda ask: daily(ask) or charted(ask),
        intervals=(*INTRADAY, *LENGTHS),
        max_rows=5000,
        weight=lambda ask: 5 if ask.interval in INTRADAY else 1,
    )
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Oldest first."""
        if ask.interval in INTRADAY:
            return parse_minutes(ask, await self.http.get(f"/intraday/{symbol_of(ask.instrument)}", range_of(ask)))
        params: Params = {
            "from": f"{ask.start:%Y-%m-%d}", "to": f"{ask.end - DAY:%Y-%m-%d}", "period": LENGTHS[ask.interval],
            "order": "a", "fmt": "json",
        }  # fmt: skip
        return parse_days(ask, await self.http.get(f"/eod/{symbol_of(ask.instrument)}", params))

    @answers(SEARCH)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """Securities by ticker, name or ISIN, the most traded first."""
        params: Params = {"limit": ask.limit, "fmt": "json"}
        return parse_search(await self.http.get(f"/search/{quoted(ask.text, safe='')}", params))[: ask.limit]

    @answers(COMPANY_PROFILE, covers=lambda ask: spelled(ask.instrument), weight=10)
    async def company_profile(self, ask: CompanyProfileAsk) -> CompanyProfile:
        """A company, or a fund."""
        params: Params = {"filter": "General", "fmt": "json"}
        body = await self.http.get(f"/fundamentals/{symbol_of(ask.instrument)}", params)
        return parse_profile(ask.instrument, body)

    @answers(KEY_FIGURES, covers=lambda ask: spelled(ask.instrument), weight=10)
    async def key_figures(self, ask: KeyFiguresAsk) -> KeyFigures:
        """Three parts of a company's or a fund's facts."""
        params: Params = {"filter": "Highlights,Valuation,Technicals", "fmt": "json"}
        body = await self.http.get(f"/fundamentals/{symbol_of(ask.instrument)}", params)
        return parse_figures(ask.instrument, body)

    @answers(FUNDAMENTALS, covers=filed, weight=10)
    async def fundamentals(self, ask: FundamentalsAsk) -> tuple[Fundamentals, ...]:
        """All reports of one statement."""
        params: Params = {
            "filter": f"Financials::{STATEMENTS[ask.statement]}::{PERIODS[ask.period]}", "fmt": "json",
        }  # fmt: skip
        body = await self.http.get(f"/fundamentals/{symbol_of(ask.instrument)}", params)
        return newest_reports(ask, [parse_report(ask.statement, ask.period, row) for _, row in body.items()])

    @answers(CORPORATE_ACTIONS, covers=lambda ask: spelled(ask.instrument), weight=2)
    async def corporate_actions(self, ask: CorporateActionsAsk) -> tuple[CorporateAction, ...]:
        """Dividends and splits."""
        params: dict[str, str | int] = {"fmt": "json"}
        if ask.start is not None:
            params["from"] = f"{ask.start}"
        if ask.end is not None:
            params["to"] = f"{ask.end - DAY}"
        dividends = await self.http.get(f"/div/{symbol_of(ask.instrument)}", params)
        splits = await self.http.get(f"/splits/{symbol_of(ask.instrument)}", params)
        return actions_in(ask, (*parse_dividends(ask.instrument, dividends), *parse_splits(splits)))

    @answers(EARNINGS, covers=lambda ask: ask.instrument is None or spelled(ask.instrument))
    async def earnings(self, ask: EarningsAsk) -> tuple[EarningsEvent, ...]:
        """Of one company, or of all."""
        params: dict[str, str | int] = {"from": f"{ask.start}", "to": f"{ask.end - DAY}", "fmt": "json"}
        if ask.instrument is not None:
            params["symbols"] = symbol_of(ask.instrument)
        return parse_earnings(ask, (await self.http.get("/calendar/earnings", params))["earnings"])

    @answers(NEWS, covers=reported, weight=5)
    async def news(self, ask: NewsAsk) -> tuple[NewsArticle, ...]:
        """Newest first."""
        params: dict[str, str | int] = {"limit": min(ask.limit, 1000), "fmt": "json"}
        params |= {"s": symbol_of(ask.instruments[0])} if ask.instruments else {"t": ask.topic}
        if ask.start is not None:
            params["from"] = f"{ask.start:%Y-%m-%d}"
        if ask.end is not None:
            params["to"] = f"{ask.end:%Y-%m-%d}"
        return parse_articles(ask, await self.http.get("/news", params))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """A text; 402 where the calls of the day are used up."""
        if reply.status == 402:
            return QuotaExhausted(self.profile.id, "the plan's calls of the day are used up")
        return refused(self.profile.id, said(reply.body), REFUSALS) if reply.status == 403 else None


def symbol_of(instrument: InstrumentId) -> str:
    """The symbol of what is covered."""
    return pair_symbol(instrument) or EODHD.symbol_of(instrument) or ""


def parser_of(instrument: InstrumentId) -> Callable[[InstrumentId, Row], Quote | None]:
    """What reads its row: currencies have neither a session nor a last trade."""
    return parse_quote if pair_symbol(instrument) is None else parse_rate
