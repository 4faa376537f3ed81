"""Tradier: quotes, days and longer, option chains, search and the calendar of the US market, with an account's key.

Docs: https://docs.tradier.com. What a list has one item of is sent as that item. Days, hours and sessions are New
York's. Candles are adjusted for splits. Sizes of quotes are in lots of a size that is not told, so they are
left out; those of options are in contracts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from providers.contract import Licence, Profile, Provider, Reply, Tier, Usage, answers, header, per_minute
from providers.equities._listed import NEW_YORK, Spelling, bars_at, first_moments
from providers.equities._occ import in_order, occ_of, option_of, terms_of
from providers.equities._tradier_sessions import months, parse_calendar, parse_clock, several
from providers.equities._venue_status import US_VENUES
from providers.row import Row
from schema.errors import NotCovered, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, NO_BARS, Adjustment, Bars, CandlesAsk
from schema.words.instruments import SEARCH, InstrumentType, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.options import OPTION_CHAIN, OptionChain, OptionChainAsk, OptionContract, OptionRight
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.sessions import MARKET_STATUS, TRADING_SESSIONS, MarketStatus, MarketStatusAsk, TradingSessionsAsk
from schema.words.venues import TradingHours, TradingSession

DAY = timedelta(days=1)
# Far behind what the calendar holds.
LAST = date(2100, 1, 1)
DOLLAR = "USD"
SPELLING = Spelling(mark="/")
TYPES = {"stock": InstrumentType.STOCK, "etf": InstrumentType.ETF, "index": InstrumentType.INDEX}
CLASSES = {"stock": "share", "etf": "share", "index": "index", "option": "option"}
INTERVALS = {Interval.D1: "daily", Interval.W1: "weekly", Interval.MO1: "monthly"}
LIMIT = per_minute(120)
# Indices on which options are listed: https://www.marketdata.app/education/options/complete-list-of-index-tickers/
INDICES = frozenset({
    "SPX", "XSP", "NDX", "XND", "RUT", "RUI", "VIX", "DJX", "OEX", "XEO", "MXACW", "MXWLD", "MXUSA", "MXEF", "MXEA",
})  # fmt: skip
_INDEX = re.compile(r"[A-Z]{1,6}")


def symbol_of(instrument: InstrumentId) -> str | None:
    """`AAPL`, `BRK/B`, `SPX` and `SPY261218P00450000`, or None for what is not listed in the US."""
    if instrument.right:
        return occ_of(instrument)
    if instrument.asset_class is AssetClass.INDEX:
        return instrument.base if not instrument.venue and _INDEX.fullmatch(instrument.base) else None
    return SPELLING.symbol_of(instrument)


def is_certain(instrument: InstrumentId) -> bool:
    """Days and chains do not say whether a symbol is that of a share or of an index, as quotes do."""
    index = instrument.asset_class is AssetClass.INDEX
    return symbol_of(instrument) is not None and not instrument.right and (instrument.base in INDICES) is index


def charted(ask: CandlesAsk) -> bool:
    """Days and longer, of shares adjusted for splits; an index needs no adjustment."""
    plain = ask.adjustment is Adjustment.SPLITS or ask.instrument.asset_class is AssetClass.INDEX
    regular = ask.interval in INTERVALS and ask.hours is TradingHours.REGULAR
    return regular and plain and is_certain(ask.instrument)


class Tradier(Provider):
    """A broker's own data: in real time for accounts, 15 minutes late in the sandbox."""

    profile = Profile(
        id="tradier",
        name="Tradier",
        base_url="https://api.tradier.com/v1",
        docs="https://docs.tradier.com",
        asset_classes=(AssetClass.EQUITY, AssetClass.INDEX),
        licence=Licence(note="For the account's holder; real-time data may not be passed on.", shareable=False),
        credentials=(header("Authorization", template="Bearer {}", sign_up="https://developer.tradier.com"),),
        limits=(LIMIT,),
        usage=(Usage(header="x-ratelimit-used", limit=LIMIT),),
        tiers={"sandbox": Tier(base_url="https://sandbox.tradier.com/v1", limits=(per_minute(60),))},
        # XML without it.
        headers={"Accept": "application/json"},
        delay=FeedDelay.REALTIME,
        priority=30,
    )

    @answers(QUOTES, covers=lambda ask: all(symbol_of(i) is not None for i in ask.instruments), max_batch=100)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """One call for all; what is not known is told beside them."""
        symbols = dict.fromkeys(symbol_of(instrument) or "" for instrument in ask.instruments)
        return parse_quotes(ask.instruments, await self.http.get("/markets/quotes", {"symbols": ",".join(symbols)}))

    @answers(CANDLES, covers=charted, intervals=tuple(INTERVALS), max_rows=10_000)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """Days from the first to the last, both included."""
        params = {
            "symbol": symbol_of(ask.instrument) or "", "interval": INTERVALS[ask.interval],
            "start": ask.start.date().isoformat(), "end": (ask.end - DAY).date().isoformat(),
        }  # fmt: skip
        return parse_history(ask, await self.http.get("/markets/history", params))

    @answers(OPTION_CHAIN, covers=lambda ask: is_certain(ask.instrument))
    async def option_chain(self, ask: OptionChainAsk) -> OptionChain:
        """The contracts of a day; where none is asked for, the days come first."""
        params = {"symbol": symbol_of(ask.instrument) or ""}
        expiries: tuple[date, ...] = ()
        if ask.expiry is None:
            # Weekly contracts on an index have a root of their own.
            every = {**params, "includeAllRoots": "true"}
            expiries = parse_expiries(await self.http.get("/markets/options/expirations", every))
            today = self.clock.now().astimezone(ZoneInfo(NEW_YORK)).date()
            expiries = tuple(day for day in expiries if day >= today)
            if not expiries:
                raise UnknownInstrument(self.profile.id, f"lists no options on {ask.instrument}")
        params |= {"expiration": (ask.expiry or expiries[0]).isoformat(), "greeks": "true"}
        return parse_chain(ask.instrument, expiries, await self.http.get("/markets/options/chains", params))

    @answers(SEARCH)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """US listings by name or ticker, the most traded first."""
        return parse_search(await self.http.get("/markets/search", {"q": ask.text}))[: ask.limit]

    @answers(MARKET_STATUS, covers=lambda ask: ask.venue in US_VENUES)
    async def market_status(self, ask: MarketStatusAsk) -> MarketStatus:
        """The clock of the US market."""
        return parse_clock(ask.venue, await self.http.get("/markets/clock"))

    @answers(TRADING_SESSIONS, covers=lambda ask: ask.venue in US_VENUES and ask.end <= LAST)
    async def trading_sessions(self, ask: TradingSessionsAsk) -> tuple[TradingSession, ...]:
        """A call for every month of the range."""
        found: list[TradingSession] = []
        for month in months(ask.start, ask.end):
            params = {"month": f"{month:%m}", "year": f"{month:%Y}"}
            found += parse_calendar(await self.http.get("/markets/calendar", params))
        inside = (each for each in found if ask.start <= each.date < ask.end)
        return tuple(sorted(inside, key=lambda each: each.opens))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"fault": {"faultstring", "detail": {"errorcode"}}}` of the gate before the broker."""
        fault = reply.body.get("fault")
        code = None if fault is None else (fault.get("detail") or fault).get("errorcode")
        if code is None or reply.status == 429:
            return None
        if "ratelimit" in str(code.value):
            return Throttled(self.profile.id, "too many requests a minute")
        if "access_token" in str(code.value) or "keymanagement" in str(code.value):
            return Unauthorized(self.profile.id, "the key is not valid")
        return NotCovered(self.profile.id, f"refused: {str(code.value)[:100]}")


def inside(body: Row, outer: str, key: str) -> Row:
    """`{"options": {"option": …}}`; the outer one is null where there is nothing."""
    held = body[outer]
    return Row(body.provider, [], body, outer) if held.value is None else several(held, key)


def parse_quotes(instruments: Sequence[InstrumentId], body: Row) -> list[Quote]:
    """Those that have a price and are what was asked for: `SPX` is an index and no share."""
    asked = {(symbol_of(instrument), class_of(instrument)): instrument for instrument in instruments}
    found = []
    for row in inside(body, "quotes", "quote"):
        instrument = asked.get((row.text("symbol"), CLASSES.get(row.text("type"), "")))
        price = row.maybe("last")
        if instrument is None or price is None:
            continue
        found.append(
            Quote(
                instrument=instrument,
                price=price,
                price_type=PriceType.INDEX if row.text("type") == "index" else PriceType.LAST,
                currency=DOLLAR,
                bid=row.positive("bid"),
                ask=row.positive("ask"),
                open=row.positive("open"),
                high=row.positive("high"),
                low=row.positive("low"),
                previous_close=row.positive("prevclose"),
                change=row.maybe("change"),
                change_percent=row.maybe("change_percentage"),
                volume=None if row.text("type") == "index" else row.maybe("volume"),
                stats_window=StatsWindow.SESSION,
                as_of=row.maybe_epoch("trade_date", "ms"),
            )
        )
    return found


def class_of(instrument: InstrumentId) -> str:
    """What a row about it is: a symbol may be that of a share and of an index."""
    if instrument.right:
        return "option"
    return "index" if instrument.asset_class is AssetClass.INDEX else "share"


def parse_history(ask: CandlesAsk, body: Row) -> Bars:
    """`{"history": {"day": [{"date", "open", "high", "low", "close", "volume"}]}}`."""
    days = inside(body, "history", "day")
    if not len(days):
        return NO_BARS
    times = first_moments(ask.interval, [row.day("date") for row in days])
    return bars_at(
        ask, days, times, open="open", high="high", low="low", close="close", volume="volume", currency=DOLLAR
    )


def parse_expiries(body: Row) -> tuple[date, ...]:
    """`{"expirations": {"date": ["2026-12-18", …]}}`."""
    return tuple(sorted({row.day() for row in inside(body, "expirations", "date")}))


def parse_chain(instrument: InstrumentId, expiries: tuple[date, ...], body: Row) -> OptionChain:
    """`{"options": {"option": [{…, "greeks": {…}}]}}`."""
    rows = list(inside(body, "options", "option"))
    quoted = [row.maybe_epoch(side, "ms") for row in rows for side in ("bid_date", "ask_date")]
    return OptionChain(
        instrument=instrument,
        as_of=max((moment for moment in quoted if moment is not None), default=None),
        currency=DOLLAR,
        expiries=expiries,
        contracts=in_order(parse_contract(instrument, row) for row in rows),
    )


def parse_contract(underlying: InstrumentId, row: Row) -> OptionContract:
    """Greeks come hourly from ORATS: theta a day, vega and rho a percentage point; zero volatility is none."""
    instrument = option_of(row, "symbol", underlying.asset_class)
    expiry, strike, right = terms_of(instrument)
    greeks = row.get("greeks") or Row(row.provider, {}, row, "greeks")
    return OptionContract(
        instrument=instrument,
        expiry=expiry,
        strike=strike,
        right=right,
        bid=row.positive("bid"),
        ask=row.positive("ask"),
        bid_size=row.positive("bidsize"),
        ask_size=row.positive("asksize"),
        last=row.maybe("last"),
        volume=row.maybe("volume"),
        open_interest=row.maybe("open_interest"),
        implied_volatility=greeks.positive("mid_iv"),
        delta=greeks.maybe("delta"),
        gamma=greeks.maybe("gamma"),
        theta=greeks.maybe("theta"),
        vega=greeks.maybe("vega"),
        # A put has the rho of the call with its strike.
        rho=greeks.maybe("rho") if right is OptionRight.CALL else None,
        contract_size=row.positive("contract_size"),
    )


def parse_search(body: Row) -> tuple[Listing, ...]:
    """Shares, funds and indices whose symbol leads back to itself."""
    found = []
    for row in inside(body, "securities", "security"):
        symbol, kind = row.text("symbol"), TYPES.get(row.maybe_text("type") or "")
        instrument = SPELLING.instrument_of(symbol)
        if kind is InstrumentType.INDEX and _INDEX.fullmatch(symbol):
            instrument = InstrumentId(asset_class=AssetClass.INDEX, base=symbol)
        if kind is None or instrument is None:
            continue
        found.append(
            Listing(
                instrument=instrument, provider_symbol=symbol, name=row.maybe_text("description"), type=kind,
                currency=DOLLAR, venue_name=row.maybe_text("exchange"),
            )
        )  # fmt: skip
    return tuple(found)
