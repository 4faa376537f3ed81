"""Yahoo Finance: delayed and real-time quotes, candles, corporate actions, search and news, without key and contract.

The interface is not documented. A quote is read from the chart's `meta`, because the quote endpoint wants a
browser's cookie. Its prices are split-adjusted as sent; numbers keep the digits of the wire (many are single
precision floats printed in full). Prices in pence, cents and agorot are shifted to the whole currency.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from urllib.parse import quote

from providers.contract import Licence, Limit, Profile, Provider, Reply, answers
from providers.equities._yahoo import US_EXCHANGES, currency_of, instrument_of, same_symbol, shifted, symbol_of
from providers.equities._yahoo_actions import parse_actions
from providers.equities._yahoo_candles import parse_candles
from providers.equities._yahoo_news import parse_news, query_of, reported
from providers.row import Row
from schema.errors import NotCovered, Overloaded, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, Adjustment, Bars, CandlesAsk
from schema.words.companies import CORPORATE_ACTIONS, CorporateAction, CorporateActionsAsk
from schema.words.instruments import SEARCH, InstrumentType, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.news import NEWS, NewsArticle, NewsAsk
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.venues import MarketState, TradingHours

DAY = timedelta(days=1)
NOON = timedelta(hours=12)
# No chart begins earlier.
FIRST = date(1962, 1, 2)
INTERVALS = {
    Interval.M1: "1m", Interval.M5: "5m", Interval.M15: "15m", Interval.M30: "30m", Interval.H1: "1h",
    Interval.D1: "1d", Interval.W1: "1wk", Interval.MO1: "1mo",
}  # fmt: skip
# The upstream counts 30, 60 and 730 days back from its own clock; one day less is never refused at the edge.
REACH = {
    Interval.M1: 29 * DAY, Interval.M5: 59 * DAY, Interval.M15: 59 * DAY, Interval.M30: 59 * DAY,
    Interval.H1: 729 * DAY,
}  # fmt: skip
MOST_NEWS = 100
PRICE_TYPES = {AssetClass.EQUITY: PriceType.LAST, AssetClass.FX: PriceType.MID}
STATES = ((MarketState.REGULAR, "regular"), (MarketState.PRE, "pre"), (MarketState.POST, "post"))
TYPES = {
    "EQUITY": InstrumentType.STOCK, "ETF": InstrumentType.ETF, "MUTUALFUND": InstrumentType.FUND,
    "INDEX": InstrumentType.INDEX, "CURRENCY": InstrumentType.FX_PAIR, "CRYPTOCURRENCY": InstrumentType.SPOT,
}  # fmt: skip
_ERRORS: dict[str, type[UpstreamError]] = {
    "Not Found": UnknownInstrument, "Bad Request": NotCovered, "Unprocessable Entity": NotCovered,
    "Unauthorized": Unauthorized, "Too Many Requests": Throttled,
}  # fmt: skip


def charted(ask: CandlesAsk) -> bool:
    """Split-adjusted; dividends only where a bar has one factor for all of it; pre and post market intraday only."""
    if symbol_of(ask.instrument) is None or ask.interval not in INTERVALS:
        return False
    kind = ask.instrument.asset_class
    if kind in (AssetClass.FX, AssetClass.CRYPTO):
        return True
    if kind is AssetClass.INDEX:
        return ask.adjustment is not Adjustment.SPLITS_AND_DIVIDENDS
    return (ask.hours is TradingHours.REGULAR or ask.interval.intraday) and (
        ask.adjustment is Adjustment.SPLITS
        or (ask.adjustment is Adjustment.SPLITS_AND_DIVIDENDS and ask.interval is Interval.D1)
    )


def has_actions(instrument: InstrumentId) -> bool:
    """Only securities split and pay."""
    return instrument.asset_class is AssetClass.EQUITY and symbol_of(instrument) is not None


class Yahoo(Provider):
    """Unofficial, therefore asked last."""

    profile = Profile(
        id="yahoo",
        name="Yahoo Finance",
        base_url="https://query1.finance.yahoo.com",
        docs="https://finance.yahoo.com",
        asset_classes=(AssetClass.EQUITY, AssetClass.INDEX, AssetClass.FX, AssetClass.CRYPTO),
        licence=Licence(note="No published interface; personal use only, no redistribution.", shareable=False),
        # Undocumented: what public clients get along with.
        limits=(Limit(count=2000, per=timedelta(hours=1)),),
        # An unknown client is answered 429.
        headers={"User-Agent": "Mozilla/5.0 (compatible; marketgate/0.1)"},
        delay=FeedDelay.UNKNOWN,
        priority=70,
    )

    @answers(QUOTES, covers=lambda ask: all(symbol_of(i) is not None for i in ask.instruments), max_batch=1)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The newest day of the chart and what its head says about the market."""
        params = {"interval": "1d", "range": "1d"}
        return [parse_quote(i, await self._chart(i, params), self.clock.now()) for i in ask.instruments]

    # 5,000 minutes are less than the seven days that one call may ask for.
    @answers(CANDLES, covers=charted, intervals=tuple(INTERVALS), max_rows=5000, reach=REACH.get)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """The bars from a little before the start, because days begin at midnight of the exchange."""
        params: dict[str, str | int] = {
            "period1": int(earliest(ask).timestamp()),
            "period2": int(ask.end.timestamp()),
            "interval": INTERVALS[ask.interval],
            "includePrePost": "true" if ask.hours is TradingHours.EXTENDED else "false",
        }
        return parse_candles(ask, await self._chart(ask.instrument, params))

    @answers(CORPORATE_ACTIONS, covers=lambda ask: has_actions(ask.instrument))
    async def corporate_actions(self, ask: CorporateActionsAsk) -> tuple[CorporateAction, ...]:
        """The events of a chart of days; a day more on each side, because days begin at midnight of the exchange."""
        today = self.clock.now().date()
        first, end = max(ask.start or FIRST, FIRST), min(ask.end or today, today)
        if first > end:
            return ()
        params: dict[str, str | int] = {
            "period1": int(midnight(first - DAY).timestamp()),
            "period2": int(midnight(end + DAY).timestamp()),
            "interval": "1d",
            "events": "div|split",
        }
        return parse_actions(ask, await self._chart(ask.instrument, params))

    @answers(SEARCH)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """Securities, indices, currency pairs and coins, best first."""
        params: dict[str, str | int] = {"q": ask.text, "quotesCount": ask.limit, "newsCount": 0}
        return parse_search(await self.http.get("/v1/finance/search", params))[: ask.limit]

    @answers(NEWS, covers=reported)
    async def news(self, ask: NewsAsk) -> tuple[NewsArticle, ...]:
        """The newest of those that it finds."""
        params: dict[str, str | int] = {"q": query_of(ask), "quotesCount": 0, "newsCount": min(ask.limit, MOST_NEWS)}
        return parse_news(ask, await self.http.get("/v1/finance/search", params))

    async def _chart(self, instrument: InstrumentId, params: dict[str, str | int] | dict[str, str]) -> Row:
        symbol = quote(symbol_of(instrument) or "", safe="=&")
        chart = (await self.http.get(f"/v8/finance/chart/{symbol}", params))["chart"]["result"][0]
        same_symbol(instrument, chart["meta"])
        exchanges = US_EXCHANGES.get(instrument.venue)
        if exchanges is not None and chart["meta"].maybe_text("exchangeName") not in exchanges:
            raise UnknownInstrument(self.profile.id, f"{instrument.base} is not listed on {instrument.venue}")
        return chart

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"chart": {"error": {"code", "description"}}}`; `finance` stands for `chart` where the gate refuses."""
        if reply.status == 999:
            return Throttled(self.profile.id, "HTTP 999: refused as a robot")
        envelope = reply.body.get("chart" if "chart" in reply.body else "finance")
        error = None if envelope is None else envelope.get("error")
        if error is None or reply.status == 429 or reply.status >= 500:
            return None
        code, said = error.maybe_text("code"), error.maybe_text("description")
        return _ERRORS.get(code or "", Overloaded)(self.profile.id, f"{code}: {said}"[:200])


def midnight(day: date) -> datetime:
    """The first moment of a day in UTC."""
    return datetime.combine(day, time(), UTC)


def earliest(ask: CandlesAsk) -> datetime:
    """From where to ask, so that no zone's first bar is missed.

    The upstream counts weeks from the weekday of this moment: noon of a Monday is a Monday everywhere.
    """
    if ask.interval.intraday:
        return ask.start
    if ask.interval is Interval.W1:
        return ask.start - (7 + ask.start.weekday()) * DAY + NOON
    return (ask.start - DAY).replace(day=1) + NOON if ask.interval is Interval.MO1 else ask.start - DAY


def parse_quote(instrument: InstrumentId, chart: Row, now: datetime) -> Quote:
    """`meta` of a chart of one day; the day's open is the bar's."""
    meta, kind = chart["meta"], instrument.asset_class
    currency, power = currency_of(instrument, meta)

    def money(number: Decimal | None) -> Decimal | None:
        return None if number is None else shifted(number, power)

    state = market_state(meta, kind, now)
    # The close before the chart's first bar is the session's before only where the chart is of one day.
    before = meta.maybe("previousClose")
    if before is None and meta.get("range") is not None and meta["range"].value == "1d":
        before = meta.maybe("chartPreviousClose")
    extended = {MarketState.PRE: "preMarketPrice", MarketState.POST: "postMarketPrice"}.get(state)
    delay = meta.maybe("exchangeDataDelayedBy")
    return Quote(
        instrument=instrument,
        price=shifted(meta.decimal("regularMarketPrice"), power),
        # A coin's price is an average over venues, a currency's comes from dealers.
        price_type=PRICE_TYPES.get(kind, PriceType.INDEX),
        currency=currency,
        open=money(opening(chart)),
        high=money(meta.maybe("regularMarketDayHigh")),
        low=money(meta.maybe("regularMarketDayLow")),
        previous_close=money(before),
        # Of a coin it is the money of the last 24 hours and no part of this day; currencies have none.
        volume=meta.maybe("regularMarketVolume") if kind in (AssetClass.EQUITY, AssetClass.INDEX) else None,
        stats_window=StatsWindow.UTC_DAY if kind is AssetClass.CRYPTO else StatsWindow.SESSION,
        market_state=state,
        extended_price=money(meta.maybe(extended)) if extended else None,
        delay_seconds=None if delay is None else int(delay * 60),
        as_of=meta.maybe_epoch("regularMarketTime"),
    )


def market_state(meta: Row, kind: AssetClass, now: datetime) -> MarketState:
    """Where the clock stands in the current trading day; coins are always open."""
    periods = meta.get("currentTradingPeriod")
    if kind is AssetClass.CRYPTO or periods is None:
        return MarketState.UNKNOWN
    moment = int(now.timestamp())
    # A currency's day ends at 23:59, the next one begins at 00:00.
    late = 60 if kind is AssetClass.FX else 0
    for state, name in STATES:
        span = periods.get(name)
        if span is not None and span.decimal("start") <= moment < span.decimal("end") + late:
            return state
    return MarketState.CLOSED


def opening(chart: Row) -> Decimal | None:
    """The open of the last bar, if that is of the price's own day."""
    meta, stamps = chart["meta"], chart.get("timestamp")
    traded = meta.maybe("regularMarketTime")
    if stamps is None or not len(stamps) or not traded:
        return None
    last, offset = len(stamps) - 1, meta.maybe("gmtoffset") or 0
    if (stamps.decimal(last) + offset) // 86_400 != (traded + offset) // 86_400:
        return None
    opens = chart["indicators"]["quote"][0].get("open")
    return None if opens is None else opens.maybe(last)


def parse_search(body: Row) -> tuple[Listing, ...]:
    """Rows whose symbol leads back to itself; futures, options and companies without a listing are left out."""
    found = []
    for row in body["quotes"]:
        symbol, kind = row.maybe_text("symbol"), TYPES.get(row.maybe_text("quoteType") or "")
        instrument = None if symbol is None or kind is None else instrument_of(symbol)
        if symbol is None or kind is None or instrument is None:
            continue
        found.append(
            Listing(
                instrument=instrument,
                provider_symbol=symbol,
                name=row.maybe_text("longname") or row.maybe_text("shortname"),
                type=kind,
                currency=instrument.quote or None,
                venue_name=row.maybe_text("exchDisp"),
            )
        )
    return tuple(found)
