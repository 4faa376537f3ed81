"""Tiingo: quotes of IEX, days raw or fully adjusted, actions, statements, search and news of US securities, with a key.

Docs: https://www.tiingo.com/documentation/general/overview. Without an agreement with IEX a quote has Tiingo's own
reference price and neither trade, bid nor ask. Market caps come without their currency: left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from providers.contract import Licence, Limit, Params, Profile, Provider, Reply, Tier, answers, header, per_day
from providers.equities._companies import actions_in, split_by
from providers.equities._listed import Spelling, about, bars_at, first_moments
from providers.equities._refusals import refused, said
from providers.equities._tiingo_statements import currency_in, parse_statements, since, stated
from providers.markup import without_markup
from providers.news._articles import arranged
from providers.row import Row
from schema.errors import NotCovered, QuotaExhausted, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, Adjustment, Bars, CandlesAsk
from schema.words.companies import (
    COMPANY_PROFILE,
    CORPORATE_ACTIONS,
    ActionKind,
    CompanyProfile,
    CompanyProfileAsk,
    CorporateAction,
    CorporateActionsAsk,
)
from schema.words.fundamentals import (
    FUNDAMENTALS,
    KEY_FIGURES,
    Fundamentals,
    FundamentalsAsk,
    KeyFigures,
    KeyFiguresAsk,
)
from schema.words.instruments import SEARCH, InstrumentType, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.news import NEWS, NewsArticle, NewsAsk
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.venues import TradingHours

US = Spelling(mark="-")
listed = US.lists
DAY = timedelta(days=1)
INTRADAY = {Interval.M1: "1min", Interval.M5: "5min", Interval.M15: "15min", Interval.M30: "30min"}
LONGER = {Interval.D1: "daily", Interval.W1: "weekly", Interval.MO1: "monthly"}
RAW = {"open": "open", "high": "high", "low": "low", "close": "close", "volume": "volume"}
ADJUSTED = {"open": "adjOpen", "high": "adjHigh", "low": "adjLow", "close": "adjClose", "volume": "adjVolume"}
FIRST_DAY = date(1962, 1, 2)
# Figures are of the day before, or of the last session.
LATELY = timedelta(days=10)
TYPES = {"Stock": InstrumentType.STOCK, "ETF": InstrumentType.ETF, "Mutual Fund": InstrumentType.FUND}
REFUSALS: tuple[tuple[str, type[UpstreamError], str], ...] = (
    ("request allocation", QuotaExhausted, "the plan's requests of the hour or the day are used up"),
    ("run over", QuotaExhausted, "the plan's requests of the hour or the day are used up"),
    ("not found", UnknownInstrument, "an unknown symbol"),
    ("permission", NotCovered, "the key's plan does not include this"),
    ("token", Unauthorized, "the key is invalid or missing"),
)


def symbol_of(instrument: InstrumentId) -> str:
    """The symbol of what is covered."""
    return US.symbol_of(instrument) or ""


def charted(ask: CandlesAsk) -> bool:
    """Intraday as traded on IEX, with pre and post market where asked for; longer ones raw or fully adjusted."""
    if not listed(ask.instrument):
        return False
    if ask.interval in INTRADAY:
        return ask.adjustment is Adjustment.NONE
    regular = ask.hours is TradingHours.REGULAR
    return ask.interval in LONGER and regular and ask.adjustment is not Adjustment.SPLITS


def reported(ask: NewsAsk) -> bool:
    """By instruments and times."""
    return all(map(listed, ask.instruments)) and not (ask.text or ask.topic or ask.language or ask.country)


class Tiingo(Provider):
    """The free plan answers everything but news and the figures of most companies."""

    profile = Profile(
        id="tiingo",
        name="Tiingo",
        base_url="https://api.tiingo.com",
        docs="https://www.tiingo.com/documentation/general/overview",
        asset_classes=(AssetClass.EQUITY,),
        licence=Licence(note="Internal use only; redistribution needs an agreement.", shareable=False),
        credentials=(header("Authorization", template="Token {}", sign_up="https://www.tiingo.com/account/api/token"),),
        limits=(Limit(count=50, per=timedelta(hours=1)), per_day(1000)),
        tiers={"power": Tier(limits=(Limit(count=10_000, per=timedelta(hours=1)), per_day(100_000)))},
        priority=50,
    )

    @answers(QUOTES, covers=lambda ask: all(map(listed, ask.instruments)), max_batch=100)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Unknown symbols are left out of a batch."""
        symbols = {symbol_of(instrument): instrument for instrument in ask.instruments}
        rows = await self.http.get("/iex", {"tickers": ",".join(symbols)})
        found = ((symbols.get(row.text("ticker").upper()), row) for row in rows)
        return [parse_quote(instrument, row) for instrument, row in found if instrument is not None]

    @answers(CANDLES, covers=charted, intervals=(*INTRADAY, *LONGER), max_rows=5000, since=FIRST_DAY)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """By days, both of which are included."""
        intraday, symbol = ask.interval in INTRADAY, symbol_of(ask.instrument)
        # A week or a month is named by its last day.
        last = ask.end - timedelta(microseconds=1)
        params: dict[str, str | int] = {
            "startDate": f"{ask.start:%Y-%m-%d}", "endDate": f"{last:%Y-%m-%d}",
            "resampleFreq": INTRADAY[ask.interval] if intraday else LONGER[ask.interval],
        }  # fmt: skip
        if intraday:
            params["afterHours"] = "true" if ask.hours is TradingHours.EXTENDED else "false"
        path = f"/iex/{symbol}/prices" if intraday else f"/tiingo/daily/{symbol}/prices"
        return parse_bars(ask, await self.http.get(path, params))

    @answers(SEARCH)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """Active securities by name or ticker, best first."""
        params: Params = {"query": ask.text, "limit": ask.limit}
        return parse_search(await self.http.get("/tiingo/utilities/search", params))[: ask.limit]

    @answers(COMPANY_PROFILE, covers=lambda ask: listed(ask.instrument))
    async def company_profile(self, ask: CompanyProfileAsk) -> CompanyProfile:
        """A company, or a fund."""
        return parse_profile(ask.instrument, await self.http.get(f"/tiingo/daily/{symbol_of(ask.instrument)}"))

    @answers(KEY_FIGURES, covers=lambda ask: listed(ask.instrument))
    async def key_figures(self, ask: KeyFiguresAsk) -> KeyFigures:
        """Of the newest day."""
        first = self.clock.now().date() - LATELY
        path = f"/tiingo/fundamentals/{symbol_of(ask.instrument)}/daily"
        return parse_figures(ask.instrument, await self.http.get(path, {"startDate": f"{first}"}))

    @answers(FUNDAMENTALS, covers=lambda ask: listed(ask.instrument) and stated(ask), weight=2)
    async def fundamentals(self, ask: FundamentalsAsk) -> tuple[Fundamentals, ...]:
        """All statements of each period, as revised; their currency is a call of its own."""
        symbol, first = symbol_of(ask.instrument), since(ask, self.clock.now().date(), FIRST_DAY)
        currency = currency_in(await self.http.get("/tiingo/fundamentals/meta", {"tickers": symbol}))
        params: Params = {"startDate": f"{first}", "asReported": "false"}
        return parse_statements(ask, currency, await self.http.get(f"/tiingo/fundamentals/{symbol}/statements", params))

    @answers(CORPORATE_ACTIONS, covers=lambda ask: listed(ask.instrument))
    async def corporate_actions(self, ask: CorporateActionsAsk) -> tuple[CorporateAction, ...]:
        """They stand on their days among the prices: those to come are not known."""
        params: Params = {
            "startDate": f"{ask.start or FIRST_DAY}",
            **({} if ask.end is None else {"endDate": f"{ask.end - DAY}"}),
            "columns": "divCash,splitFactor",
        }
        return actions_in(
            ask, parse_actions(await self.http.get(f"/tiingo/daily/{symbol_of(ask.instrument)}/prices", params))
        )

    @answers(NEWS, covers=reported)
    async def news(self, ask: NewsAsk) -> tuple[NewsArticle, ...]:
        """Newest first."""
        params: dict[str, str | int] = {"limit": ask.limit, "sortBy": "publishedDate"}
        if ask.instruments:
            params["tickers"] = ",".join(symbol_of(instrument).lower() for instrument in ask.instruments)
        if ask.start is not None:
            params["startDate"] = f"{ask.start:%Y-%m-%d}"
        if ask.end is not None:
            params["endDate"] = f"{ask.end:%Y-%m-%d}"
        return parse_news(ask, await self.http.get("/tiingo/news", params))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"detail"}`."""
        return refused(self.profile.id, said(reply.body, "detail"), REFUSALS) if reply.status < 500 else None


def parse_quote(instrument: InstrumentId, row: Row) -> Quote:
    """A trade on IEX, or the reference price that stands for one: the last trade or the middle, whichever is nearer."""
    last, reference = row.positive("last"), row.decimal("tngoLast")
    traded = row.maybe_instant("lastSaleTimestamp")
    return Quote(
        instrument=instrument,
        price=reference if last is None else last,
        price_type=PriceType.MID if last is None else PriceType.LAST,
        currency="USD",
        bid=row.positive("bidPrice"),
        ask=row.positive("askPrice"),
        bid_size=row.positive("bidSize"),
        ask_size=row.positive("askSize"),
        last_size=row.positive("lastSize"),
        open=row.positive("open"),
        high=row.positive("high"),
        low=row.positive("low"),
        previous_close=row.positive("prevClose"),
        stats_window=StatsWindow.SESSION,
        as_of=row.maybe_instant("timestamp") if last is None or traded is None else traded,
    )


def parse_bars(ask: CandlesAsk, rows: Row) -> Bars:
    """Moments, or days as midnight UTC. Volumes inside of a day would be those of IEX alone: they are left out."""
    moments = tuple([row.instant("date") for row in rows])
    if ask.interval.intraday:
        return bars_at(ask, rows, moments, open="open", high="high", low="low", close="close", currency="USD")
    names = RAW if ask.adjustment is Adjustment.NONE else ADJUSTED
    times = first_moments(ask.interval, [moment.date() for moment in moments])
    return bars_at(
        ask, rows, times, open=names["open"], high=names["high"], low=names["low"], close=names["close"],
        volume=names["volume"], currency="USD",
    )  # fmt: skip


def parse_search(rows: Row) -> tuple[Listing, ...]:
    """US securities that are still traded."""
    found = []
    for row in rows:
        symbol, kind = row.maybe_text("ticker"), TYPES.get(row.maybe_text("assetType") or "")
        if symbol is None or kind is None or row.maybe_text("countryCode") != "US" or not row["isActive"].flag():
            continue
        instrument = US.instrument_of(symbol.upper())
        if instrument is not None:
            listing = Listing(
                instrument=instrument, provider_symbol=symbol, name=row.maybe_text("name"), type=kind,
                currency="USD", figi=row.maybe_text("openFIGIComposite"),
            )  # fmt: skip
            found.append(listing)
    return tuple(found)


def parse_profile(instrument: InstrumentId, body: Row) -> CompanyProfile:
    """The days of its prices are not those of its listing."""
    return CompanyProfile(
        instrument=instrument,
        name=body.text("name"),
        description=body.maybe_text("description"),
        exchange=body.maybe_text("exchangeCode"),
    )


def parse_figures(instrument: InstrumentId, rows: Row) -> KeyFigures:
    """Days, oldest first."""
    days = sorted(rows, key=lambda row: row.instant("date"))
    if not days:
        raise UnknownInstrument(rows.provider, f"no figures of {instrument.base} of late")
    row = days[-1]
    return KeyFigures(
        instrument=instrument,
        date=row.instant("date").date(),
        price_to_earnings=row.maybe("peRatio"),
        price_to_book=row.maybe("pbRatio"),
        peg=row.maybe("trailingPEG1Y"),
    )


def parse_actions(rows: Row) -> Iterator[CorporateAction]:
    """A day without an action has a dividend of zero and a factor of one."""
    for row in rows:
        day, paid = row.instant("date").date(), row.decimal("divCash")
        if row.decimal("splitFactor") != 1:
            yield split_by(row["splitFactor"], day)
        if paid:
            yield CorporateAction(kind=ActionKind.CASH_DIVIDEND, ex_date=day, amount=paid, currency="USD")


def parse_news(ask: NewsAsk, rows: Row) -> tuple[NewsArticle, ...]:
    """Tickers have small letters."""
    found = (
        NewsArticle(
            id=row.label("id"),
            title=without_markup(row.text("title")) or row.text("url"),
            url=row.text("url"),
            published_at=row.instant("publishedDate"),
            summary=without_markup(row.maybe_text("description")),
            source=row.maybe_text("source"),
            symbols=about(US, (ticker.text().upper() for ticker in row["tickers"])),
            topics=tuple(tag.text() for tag in row.get("tags") or ()),
        )
        for row in rows
    )
    return arranged(ask, found)[: ask.limit]
