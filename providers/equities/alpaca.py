"""Alpaca: US stocks in snapshots, bars with every adjustment, corporate actions and news, with a key and a secret.

Docs: https://docs.alpaca.markets/reference/stocksnapshots-1. Without a paid plan prices are those of IEX alone.
Bid and ask sizes are left out: they were round lots and became shares on a day that the answers do not tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from providers.contract import Licence, Params, Profile, Provider, Reply, Tier, Usage, answers, header, per_minute
from providers.equities._alpaca_feed import AlpacaFeed, local_day, parse_snapshot
from providers.equities._companies import actions_in, maybe_day
from providers.equities._listed import Spelling, about, bars_at, first_moments
from providers.equities._refusals import refused, said
from providers.feeds import streams
from providers.markup import without_markup
from providers.news._articles import arranged, iso_seconds
from providers.row import Row
from schema.errors import NotCovered, Unauthorized, UnknownInstrument, UpstreamError
from schema.symbols import AssetClass
from schema.words.candles import CANDLES, Adjustment, Bars, CandlesAsk
from schema.words.companies import CORPORATE_ACTIONS, ActionKind, CorporateAction, CorporateActionsAsk
from schema.words.intervals import Interval
from schema.words.news import NEWS, NewsArticle, NewsAsk
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.venues import TradingHours

US = Spelling(mark=".")
listed = US.lists
# Bars begin on whole hours, with what is traded before the opening: only those of half an hour end with the session.
SHORT = {
    Interval.M1: "1Min", Interval.M3: "3Min", Interval.M5: "5Min", Interval.M15: "15Min", Interval.M30: "30Min",
}  # fmt: skip
HOURS = {Interval.H1: "1Hour", Interval.H2: "2Hour", Interval.H4: "4Hour"}
LONGER = {Interval.D1: "1Day", Interval.W1: "1Week", Interval.MO1: "1Month"}
TIMEFRAMES = {**SHORT, **HOURS, **LONGER}
ADJUSTMENTS = {Adjustment.NONE: "raw", Adjustment.SPLITS: "split", Adjustment.SPLITS_AND_DIVIDENDS: "all"}
ACTIONS = "forward_split,reverse_split,cash_dividend,stock_dividend"
FIRST_DAY = date(2016, 1, 1)
# Actions are found by the day on which they were processed, which for a dividend is that of its payment.
PAID_WITHIN = timedelta(days=370)
NEWS_PAGE = 50
REFUSALS: tuple[tuple[str, type[UpstreamError], str], ...] = (
    ("invalid symbol", UnknownInstrument, "an invalid symbol"),
    ("subscription", NotCovered, "the key's plan does not include this"),
    ("forbidden", Unauthorized, "the key or its secret is invalid"),
)
LIMIT = per_minute(200)


def charted(ask: CandlesAsk) -> bool:
    """Any adjustment; pre and post market come with all intraday bars, and whole hours hold both."""
    if not listed(ask.instrument):
        return False
    extended = ask.hours is TradingHours.EXTENDED
    return ask.interval in SHORT or ask.interval in (HOURS if extended else LONGER)


def minutely(ask: CandlesAsk) -> bool:
    """Of the session; the newest minutes are the same in every adjustment."""
    return listed(ask.instrument) and ask.hours is TradingHours.REGULAR


def reported(ask: NewsAsk) -> bool:
    """By instruments and times."""
    return all(map(listed, ask.instruments)) and not (ask.text or ask.topic or ask.language or ask.country)


class Alpaca(Provider):
    """A broker's market data; asked after the aggregators, whose prices are of all exchanges without a paid plan."""

    profile = Profile(
        id="alpaca",
        name="Alpaca",
        base_url="https://data.alpaca.markets",
        docs="https://docs.alpaca.markets",
        asset_classes=(AssetClass.EQUITY,),
        licence=Licence(note="For the account's holder; redistribution needs an agreement.", shareable=False),
        credentials=(
            header("APCA-API-KEY-ID", sign_up="https://app.alpaca.markets/signup"),
            header("APCA-API-SECRET-KEY", name="secret"),
        ),
        limits=(LIMIT,),
        usage=(Usage(header="X-RateLimit-Remaining", limit=LIMIT, remaining=True),),
        tiers={"plus": Tier(limits=(per_minute(10_000),))},
        priority=55,
    )

    @answers(QUOTES, covers=lambda ask: all(map(listed, ask.instruments)), max_batch=100)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Unknown symbols are left out of a batch."""
        symbols = {US.symbol_of(i) or "": i for i in ask.instruments}
        body = await self.http.get("/v2/stocks/snapshots", {"symbols": ",".join(symbols)})
        found = ((instrument, body.get(symbol)) for symbol, instrument in symbols.items())
        return [parse_snapshot(instrument, row) for instrument, row in found if row and row.get("latestTrade")]

    @answers(CANDLES, covers=charted, intervals=tuple(TIMEFRAMES), max_rows=10_000, since=FIRST_DAY)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """All pages of the range."""
        symbol = US.symbol_of(ask.instrument) or ""
        # Bars of New York's days begin up to five hours after midnight UTC, weeks on a Monday and months on the 1st.
        params: Params = {
            "symbols": symbol, "timeframe": TIMEFRAMES[ask.interval], "start": iso_seconds(ask.start),
            "end": iso_seconds(ask.end), "limit": 10_000, "adjustment": ADJUSTMENTS[ask.adjustment],
        }  # fmt: skip
        rows: list[object] = []
        for page in await self._pages("/v2/stocks/bars", params):
            bars = page["bars"].get(symbol) if page["bars"].value else None
            rows += [] if bars is None else [row.value for row in bars]
        return parse_bars(ask, Row(self.profile.id, rows))

    @answers(CORPORATE_ACTIONS, covers=lambda ask: listed(ask.instrument))
    async def corporate_actions(self, ask: CorporateActionsAsk) -> tuple[CorporateAction, ...]:
        """Splits and dividends."""
        params: Params = {
            "symbols": US.symbol_of(ask.instrument) or "", "types": ACTIONS,
            "start": f"{ask.start or FIRST_DAY}", "end": f"{(ask.end or self.clock.now().date()) + PAID_WITHIN}",
            "limit": 1000,
        }  # fmt: skip
        pages = await self._pages("/v1/corporate-actions", params)
        return actions_in(ask, [action for page in pages for action in parse_actions(page["corporate_actions"])])

    @answers(NEWS, covers=reported)
    async def news(self, ask: NewsAsk) -> tuple[NewsArticle, ...]:
        """Newest first, in pages of 50."""
        params: dict[str, str | int] = {"limit": min(ask.limit, NEWS_PAGE), "sort": "desc"}
        if ask.instruments:
            params["symbols"] = ",".join(US.symbol_of(i) or "" for i in ask.instruments)
        for name, moment in (("start", ask.start), ("end", ask.end)):
            if moment is not None:
                params[name] = iso_seconds(moment)
        pages = await self._pages("/v1beta1/news", params, most=-(-ask.limit // NEWS_PAGE))
        return arranged(ask, (article for page in pages for article in parse_news(page)))[: ask.limit]

    # A quiet stock says nothing for hours: no silence of a channel means anything.
    @streams(QUOTES, feed=AlpacaFeed, covers=lambda ask: listed(ask.instruments[0]))
    def quote_channel(self, ask: QuotesAsk) -> str:
        """Trades, best prices and the day so far."""
        return f"quotes:{US.symbol_of(ask.instruments[0])}"

    @streams(CANDLES, feed=AlpacaFeed, covers=minutely, intervals=(Interval.M1,))
    def candle_channel(self, ask: CandlesAsk) -> str:
        """Minutes."""
        return f"bars:{US.symbol_of(ask.instrument)}"

    async def _pages(self, path: str, params: Params, most: int = 100) -> list[Row]:
        """Until there is no next page; a token that comes again would lead round in a circle."""
        pages: list[Row] = []
        seen, token = set[str](), ""
        while len(pages) < most and token not in seen:
            seen.add(token)
            page = await self.http.get(path, {**params, "page_token": token} if token else params)
            pages.append(page)
            token = page.maybe_text("next_page_token") or ""
        return pages

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"message"}` with a status, which for a symbol and for the plan is the same as for other refusals."""
        text = said(reply.body, "message") if reply.status in (400, 403, 422) else ""
        return refused(self.profile.id, text, REFUSALS)


def parse_bars(ask: CandlesAsk, rows: Row) -> Bars:
    """Moments; days, weeks and months by midnight in New York."""
    intraday = ask.interval.intraday
    times: tuple[datetime, ...] = (
        tuple([row.instant("t") for row in rows])
        if intraday
        else first_moments(ask.interval, [local_day(row) for row in rows])
    )
    return bars_at(
        ask, rows, times, open="o", high="h", low="l", close="c", volume="v", vwap="vw", trade_count="n",
        currency="USD",
    )  # fmt: skip


def parse_actions(body: Row) -> Iterator[CorporateAction]:
    """Lists by kind, which are left out where they are empty."""
    for name in ("forward_splits", "reverse_splits"):
        for row in body.get(name) or ():
            yield CorporateAction(
                kind=ActionKind.SPLIT,
                ex_date=row.day("ex_date"),
                split_to=row.decimal("new_rate"),
                split_from=row.decimal("old_rate"),
                record_date=maybe_day(row, "record_date"),
                paid_on=maybe_day(row, "payable_date"),
            )
    for row in body.get("cash_dividends") or ():
        special = row.get("special")
        yield CorporateAction(
            kind=ActionKind.SPECIAL_DIVIDEND if special is not None and special.flag() else ActionKind.CASH_DIVIDEND,
            ex_date=row.day("ex_date"),
            amount=row.decimal("rate"),
            currency="USD",
            record_date=maybe_day(row, "record_date"),
            paid_on=maybe_day(row, "payable_date"),
        )
    for row in body.get("stock_dividends") or ():
        yield CorporateAction(
            kind=ActionKind.STOCK_DIVIDEND,
            ex_date=row.day("ex_date"),
            # So many new shares for each old one, which stays.
            split_to=row.decimal("rate") + 1,
            split_from=Decimal(1),
            record_date=maybe_day(row, "record_date"),
            paid_on=maybe_day(row, "payable_date"),
        )


def parse_news(page: Row) -> Iterator[NewsArticle]:
    """Articles of Benzinga."""
    for row in page["news"]:
        image = next((each for each in row["images"]), None)
        yield NewsArticle(
            id=row.label("id"),
            title=without_markup(row.text("headline")) or row.text("url"),
            url=row.text("url"),
            published_at=row.instant("created_at"),
            updated_at=row.maybe_instant("updated_at"),
            summary=without_markup(row.maybe_text("summary")),
            source=row.maybe_text("source"),
            author=row.maybe_text("author"),
            image=None if image is None else image.maybe_text("url"),
            symbols=about(US, (symbol.text() for symbol in row["symbols"])),
        )
