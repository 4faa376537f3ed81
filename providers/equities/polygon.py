"""Polygon (Massive): US stocks and currencies, candles, search, news, splits, dividends and statements out of filings.

Docs: https://polygon.io/docs. A plan without real-time data is answered with `"status": "DELAYED"`. Sizes of bid and
ask are left out: they were round lots and became shares on a day that the answers do not tell.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from providers.contract import Licence, Params, Profile, Provider, Reply, Tier, answers, header, per_minute, per_second
from providers.equities._companies import actions_in, newest_reports
from providers.equities._listed import is_pair
from providers.equities._polygon_bars import RANGES, US, charted, listed, parse_bars, ticker_of
from providers.equities._polygon_feed import SNAPSHOTS, PolygonFeed, minutely, parse_snapshot
from providers.equities._polygon_reports import (
    TIMEFRAMES,
    parse_dividends,
    parse_news,
    parse_profile,
    parse_report,
    parse_splits,
)
from providers.equities._refusals import refused, said
from providers.equities._venue_status import POLYGON_VENUES, parse_polygon
from providers.feeds import streams
from providers.news._articles import iso_seconds
from providers.row import Row
from schema.errors import NotCovered, Throttled, Unauthorized, UnknownInstrument, UpstreamError
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
from schema.words.fundamentals import FUNDAMENTALS, Fundamentals, FundamentalsAsk
from schema.words.instruments import SEARCH, InstrumentType, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.news import NEWS, NewsArticle, NewsAsk
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from schema.words.sessions import MARKET_STATUS, MarketStatus, MarketStatusAsk

TYPES = {
    **dict.fromkeys(("CS", "ADRC", "GDR", "NYRS", "OS", "PFD", "ADRP"), InstrumentType.STOCK),
    **dict.fromkeys(("ETF", "ETN", "ETV", "ETS"), InstrumentType.ETF),
    "FUND": InstrumentType.FUND,
}
REFUSALS: tuple[tuple[str, type[UpstreamError], str], ...] = (
    ("maximum requests", Throttled, "too many requests a minute"),
    ("api key", Unauthorized, "the key is invalid or missing"),
    ("entitled", NotCovered, "the key's plan does not include this"),
    ("upgrade", NotCovered, "the key's plan does not include this"),
    ("not found", UnknownInstrument, "an unknown symbol"),
)


def reported(ask: NewsAsk) -> bool:
    """By one instrument and times."""
    filtered = ask.text or ask.topic or ask.language or ask.country
    return len(ask.instruments) <= 1 and all(map(listed, ask.instruments)) and not filtered


def calls(ask: QuotesAsk) -> int:
    """One for all shares, one for each pair of currencies."""
    pairs = sum(map(is_pair, ask.instruments))
    return pairs + (pairs < len(ask.instruments))


class Polygon(Provider):
    """The free plan answers candles and reference data; snapshots and currencies cost a plan."""

    profile = Profile(
        id="polygon",
        name="Polygon",
        base_url="https://api.polygon.io",
        docs="https://polygon.io/docs",
        asset_classes=(AssetClass.EQUITY, AssetClass.FX),
        licence=Licence(note="Individual plans: personal use; redistribution needs an agreement.", shareable=False),
        credentials=(header("Authorization", template="Bearer {}", sign_up="https://polygon.io/dashboard/signup"),),
        limits=(per_minute(5),),
        # Paid plans have no limit but ask for fewer than this.
        tiers={"paid": Tier(limits=(per_second(100),))},
        delay=FeedDelay.UNKNOWN,
        priority=50,
    )

    @answers(
        QUOTES, covers=lambda ask: all(listed(i) or is_pair(i) for i in ask.instruments), max_batch=100, weight=calls
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Shares in one snapshot, of which unknown ones are left out; each pair of currencies by itself."""
        symbols = {symbol: i for i in ask.instruments if (symbol := US.symbol_of(i))}
        found = []
        if len(symbols) == 1:
            body = await self.http.get(f"{SNAPSHOTS}/{next(iter(symbols))}")
            found = [body["ticker"]]
        elif symbols:
            body = await self.http.get(SNAPSHOTS, {"tickers": ",".join(symbols)})
            found = list(body["tickers"])
        rows = [(symbols.get(row.text("ticker")), row) for row in found]
        quotes = [parse_snapshot(instrument, row) for instrument, row in rows if instrument is not None]
        return quotes + [await self._rate(i) for i in ask.instruments if is_pair(i)]

    # A quiet stock says nothing for hours: no silence of a channel means anything.
    @streams(QUOTES, feed=PolygonFeed, covers=lambda ask: listed(ask.instruments[0]))
    def quote_channel(self, ask: QuotesAsk) -> str:
        """Trades, best prices and the day so far; currencies are of another cluster."""
        return f"quotes:{US.symbol_of(ask.instruments[0])}"

    @streams(
        CANDLES, feed=PolygonFeed, covers=lambda ask: listed(ask.instrument) and minutely(ask), intervals=(Interval.M1,)
    )
    def candle_channel(self, ask: CandlesAsk) -> str:
        """Minutes."""
        return f"bars:{US.symbol_of(ask.instrument)}"

    async def _rate(self, pair: InstrumentId) -> Quote:
        return parse_rate(pair, await self.http.get(f"/v1/last_quote/currencies/{pair.base}/{pair.quote}"))

    @answers(CANDLES, covers=charted, intervals=tuple(RANGES), max_rows=5000)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """All pages of the range: longer bars are counted in the minutes that they are made of."""
        intraday = ask.interval.intraday
        last = ask.end - (timedelta(milliseconds=1) if intraday else timedelta(days=1))
        # Weeks are named by their Sunday.
        start = ask.start - timedelta(days=1) if ask.interval is Interval.W1 else ask.start
        first, end = (int(at.timestamp() * 1000) if intraday else at.date() for at in (start, last))
        path = f"/v2/aggs/ticker/{ticker_of(ask.instrument)}/range/{RANGES[ask.interval]}/{first}/{end}"
        adjusted = "false" if ask.adjustment is Adjustment.NONE else "true"
        params: Params = {"adjusted": adjusted, "sort": "asc", "limit": 50_000}
        rows: list[object] = []
        seen, following = set[str](), path
        while following not in seen:
            seen.add(following)
            page = await self.http.get(path, params)
            rows += [row.value for row in page.get("results") or ()]
            following = page.maybe_text("next_url") or following
            address = urlsplit(following)
            path, params = address.path, dict(parse_qsl(address.query))
        return parse_bars(ask, Row(self.profile.id, rows))

    @answers(SEARCH)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """Active US securities, by ticker."""
        params: Params = {"search": ask.text, "market": "stocks", "active": "true", "limit": ask.limit}
        return parse_search(await self.http.get("/v3/reference/tickers", params))[: ask.limit]

    @answers(COMPANY_PROFILE, covers=lambda ask: listed(ask.instrument))
    async def company_profile(self, ask: CompanyProfileAsk) -> CompanyProfile:
        """A company, or a fund."""
        body = await self.http.get(f"/v3/reference/tickers/{US.symbol_of(ask.instrument)}")
        return parse_profile(ask.instrument, body["results"])

    @answers(CORPORATE_ACTIONS, covers=lambda ask: listed(ask.instrument), weight=2)
    async def corporate_actions(self, ask: CorporateActionsAsk) -> tuple[CorporateAction, ...]:
        """The newest thousand dividends and splits of the range."""
        symbol = US.symbol_of(ask.instrument) or ""
        dividends = await self.http.get("/v3/reference/dividends", params_of(ask, symbol, "ex_dividend_date"))
        splits = await self.http.get("/v3/reference/splits", params_of(ask, symbol, "execution_date"))
        found = (*parse_dividends(symbol, dividends["results"]), *parse_splits(symbol, splits["results"]))
        return actions_in(ask, found)

    @answers(FUNDAMENTALS, covers=lambda ask: listed(ask.instrument))
    async def fundamentals(self, ask: FundamentalsAsk) -> tuple[Fundamentals, ...]:
        """As filed: each report has the numbers of its own filing."""
        params: dict[str, str | int] = {
            "ticker": US.symbol_of(ask.instrument) or "", "timeframe": TIMEFRAMES[ask.period],
            "limit": min(ask.limit, 100), "order": "desc", "sort": "period_of_report_date",
        }  # fmt: skip
        if ask.known_at is not None:
            params["filing_date.lte"] = f"{ask.known_at.date()}"
        body = await self.http.get("/vX/reference/financials", params)
        found = (parse_report(ask.statement, row) for row in body["results"])
        return newest_reports(ask, (each for each in found if each is not None and each.period is ask.period))

    @answers(MARKET_STATUS, covers=lambda ask: ask.venue in POLYGON_VENUES)
    async def market_status(self, ask: MarketStatusAsk) -> MarketStatus:
        """Of all venues in one answer."""
        return parse_polygon(ask.venue, await self.http.get("/v1/marketstatus/now"))

    @answers(NEWS, covers=reported)
    async def news(self, ask: NewsAsk) -> tuple[NewsArticle, ...]:
        """Newest first."""
        params: dict[str, str | int] = {"limit": ask.limit, "order": "desc", "sort": "published_utc"}
        if ask.instruments:
            params["ticker"] = US.symbol_of(ask.instruments[0]) or ""
        for name, moment in (("published_utc.gte", ask.start), ("published_utc.lt", ask.end)):
            if moment is not None:
                params[name] = iso_seconds(moment)
        return parse_news(ask, await self.http.get("/v2/reference/news", params))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"status": "ERROR" | "NOT_AUTHORIZED" | "NOT_FOUND", "error" | "message"}`."""
        if reply.status == 429 or reply.status >= 500 or said(reply.body, "status") in ("ok", "delayed", "success"):
            return None
        return refused(self.profile.id, said(reply.body, "error", "message"), REFUSALS)


def params_of(ask: CorporateActionsAsk, symbol: str, key: str) -> Params:
    """By the day that *key* names."""
    params: dict[str, str | int] = {"ticker": symbol, "sort": key, "order": "desc", "limit": 1000}
    params |= {f"{key}.{name}": f"{day}" for name, day in (("gte", ask.start), ("lt", ask.end)) if day is not None}
    return params


def parse_rate(pair: InstrumentId, body: Row) -> Quote:
    """Bid and ask of dealers: units of the quote currency for one of the base."""
    last = body["last"]
    bid, ask = last.decimal("bid"), last.decimal("ask")
    return Quote(
        instrument=pair,
        price=(bid + ask) / 2,
        price_type=PriceType.MID,
        bid=bid,
        ask=ask,
        as_of=last.maybe_epoch("timestamp", "ms"),
    )


def parse_search(body: Row) -> tuple[Listing, ...]:
    """Rights, warrants and units are left out, and preferred shares whose ticker has small letters."""
    found = []
    for row in body["results"]:
        symbol, kind = row.text("ticker"), TYPES.get(row.maybe_text("type") or "")
        instrument = US.instrument_of(symbol)
        if instrument is not None and kind is not None:
            found.append(
                Listing(
                    instrument=instrument,
                    provider_symbol=symbol,
                    name=row.maybe_text("name"),
                    type=kind,
                    currency=(row.maybe_text("currency_name") or "usd").upper(),
                    venue_name=row.maybe_text("primary_exchange"),
                    figi=row.maybe_text("composite_figi"),
                )
            )
    return tuple(found)
