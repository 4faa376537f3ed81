"""Marketstack: closes and days raw or fully adjusted, splits, dividends and search of many exchanges, with a key.

Docs: https://docs.apilayer.com/marketstack/docs. A quote is the newest close: `as_of` is the first moment of its day in
UTC, because a day is all that is told. Intraday rows are left out: they are running totals of the day, not candles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from providers.contract import Licence, Limit, Params, Profile, Provider, Reply, Tier, answers, per_second, query
from providers.equities._companies import actions_in, maybe_day, split_by
from providers.equities._listed import TRADED_IN, Spelling, bars_at, first_moments
from providers.row import Row
from schema.errors import NotCovered, QuotaExhausted, Unauthorized, UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId, equity
from schema.words.candles import CANDLES, Adjustment, Bars, CandlesAsk
from schema.words.companies import CORPORATE_ACTIONS, ActionKind, CorporateAction, CorporateActionsAsk
from schema.words.instruments import SEARCH, InstrumentType, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.venues import TradingHours

# `VOD.XLON`. How the class of a share is written differs between its lists: such shares are left out.
LISTED = Spelling(mark=".", suffixes={venue: venue for venue in TRADED_IN})
US = frozenset({"XNAS", "XNYS", "ARCX", "XASE", "BATS"})
DAY = timedelta(days=1)
PAGE = 1000
RAW = {"open": "open", "high": "high", "low": "low", "close": "close", "volume": "volume"}
ADJUSTED = {"open": "adj_open", "high": "adj_high", "low": "adj_low", "close": "adj_close", "volume": "adj_volume"}
_MIC, _TICKER = re.compile(r"[A-Z0-9]{4}"), re.compile(r"[A-Z0-9]+")
FREQUENCIES = {"m": 12, "q": 4, "s": 2, "sa": 2, "a": 1}
ERRORS: dict[str, tuple[type[UpstreamError], str]] = {
    "invalid_access_key": (Unauthorized, "the key is invalid"),
    "missing_access_key": (Unauthorized, "the key is missing"),
    "inactive_user": (Unauthorized, "the account is not active"),
    "https_access_restricted": (NotCovered, "the key's plan does not include HTTPS"),
    "function_access_restricted": (NotCovered, "the key's plan does not include this"),
    "usage_limit_reached": (QuotaExhausted, "the plan's requests of the month are used up"),
    "too_many_requests": (QuotaExhausted, "the plan's requests of the month are used up"),
    "no_valid_symbols_provided": (UnknownInstrument, "an unknown symbol"),
    "not_found_error": (UnknownInstrument, "an unknown symbol"),
    "404_not_found": (UnknownInstrument, "an unknown symbol"),
    "validation_error": (NotCovered, "an invalid call"),
}


def per_month(count: int) -> Limit:
    """A limit over a month."""
    return Limit(count=count, per=timedelta(days=30))


def priced(instrument: InstrumentId) -> bool:
    """A security whose price has a known currency."""
    return "." not in instrument.base and LISTED.symbol_of(instrument) is not None


def charted(ask: CandlesAsk) -> bool:
    """Days, raw or fully adjusted."""
    daily = ask.interval is Interval.D1 and ask.hours is TradingHours.REGULAR
    return daily and ask.adjustment is not Adjustment.SPLITS and priced(ask.instrument)


class Marketstack(Provider):
    """End of day; each symbol of a call counts as a request."""

    profile = Profile(
        id="marketstack",
        name="Marketstack",
        base_url="https://api.marketstack.com/v2",
        docs="https://docs.apilayer.com/marketstack/docs",
        asset_classes=(AssetClass.EQUITY,),
        licence=Licence(note="Paid plans: commercial use; redistribution needs an agreement."),
        credentials=(query("access_key", sign_up="https://marketstack.com/signup/free"),),
        limits=(per_second(5), per_month(100)),
        tiers={
            "basic": Tier(limits=(per_second(5), per_month(10_000))),
            "professional": Tier(limits=(per_second(5), per_month(100_000))),
            "business": Tier(limits=(per_second(5), per_month(500_000))),
        },
        delay=FeedDelay.END_OF_DAY,
        priority=60,
    )

    @answers(
        QUOTES,
        covers=lambda ask: all(map(priced, ask.instruments)),
        max_batch=100,
        weight=lambda ask: len(ask.instruments),
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The newest close of each; unknown symbols are left out."""
        symbols = {symbol_of(instrument): instrument for instrument in ask.instruments}
        params: Params = {"symbols": ",".join(symbols), "limit": PAGE}
        rows = (await self.http.get("/eod/latest", params))["data"]
        found = [(symbols.get(row.text("symbol")), row) for row in rows]
        return [parse_close(instrument, row) for instrument, row in found if instrument is not None]

    @answers(CANDLES, covers=charted, intervals=(Interval.D1,), max_rows=PAGE)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """One page: a thousand days and no more are asked for."""
        params: Params = {
            "symbols": symbol_of(ask.instrument), "date_from": f"{ask.start:%Y-%m-%d}",
            "date_to": f"{ask.end - DAY:%Y-%m-%d}", "limit": PAGE, "sort": "ASC",
        }  # fmt: skip
        return parse_days(ask, (await self.http.get("/eod", params))["data"])

    @answers(SEARCH)
    async def search(self, ask: SearchAsk) -> tuple[Listing, ...]:
        """Securities by name or ticker."""
        body = await self.http.get("/tickerslist", {"search": ask.text, "limit": min(ask.limit, PAGE)})
        return parse_search(body["data"])[: ask.limit]

    @answers(CORPORATE_ACTIONS, covers=lambda ask: priced(ask.instrument), weight=2)
    async def corporate_actions(self, ask: CorporateActionsAsk) -> tuple[CorporateAction, ...]:
        """The newest thousand splits and dividends of the range."""
        params: dict[str, str | int] = {"symbols": symbol_of(ask.instrument), "limit": PAGE}
        if ask.start is not None:
            params["date_from"] = f"{ask.start}"
        if ask.end is not None:
            params["date_to"] = f"{ask.end - DAY}"
        splits = (await self.http.get("/splits", params))["data"]
        dividends = (await self.http.get("/dividends", params))["data"]
        return actions_in(ask, (*parse_splits(splits), *parse_dividends(ask.instrument, dividends)))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"error": {"code", "message"}}`."""
        error = reply.body.get("error")
        code = None if error is None else error.maybe_text("code")
        # Of the rate the status and its headers tell more.
        if code is None or code == "rate_limit_reached" or reply.status >= 500:
            return None
        kind, why = ERRORS.get(code, (NotCovered, "an invalid call"))
        return kind(self.profile.id, why)


def symbol_of(instrument: InstrumentId) -> str:
    """The symbol of what is covered."""
    return LISTED.symbol_of(instrument) or ""


def parse_close(instrument: InstrumentId, row: Row) -> Quote:
    """The newest day as traded."""
    return Quote(
        instrument=instrument,
        price=row.decimal("close"),
        price_type=PriceType.CLOSE,
        currency=TRADED_IN[instrument.venue],
        open=row.maybe("open"),
        high=row.maybe("high"),
        low=row.maybe("low"),
        volume=row.maybe("volume"),
        stats_window=StatsWindow.SESSION,
        as_of=datetime.combine(row.instant("date").date(), time(), UTC),
    )


def parse_days(ask: CandlesAsk, rows: Row) -> Bars:
    """Both series stand in one row; the adjusted one is null where it was not worked out."""
    plain = ask.adjustment is Adjustment.NONE
    if not plain and any(row.maybe("adj_close") is None for row in rows):
        raise NotCovered(rows.provider, f"days of {ask.instrument} that are not adjusted")
    names = RAW if plain else ADJUSTED
    times = first_moments(ask.interval, [row.instant("date").date() for row in rows])
    return bars_at(
        ask, rows, times, open=names["open"], high=names["high"], low=names["low"], close=names["close"],
        volume=names["volume"], currency=TRADED_IN[ask.instrument.venue],
    )  # fmt: skip


def parse_search(rows: Row) -> tuple[Listing, ...]:
    """What has no code of its exchange, or a class of shares, is left out; whether one is a fund is not told."""
    found = []
    for row in rows:
        symbol = row.maybe_text("ticker") or row.text("symbol")
        exchange = row.get("stock_exchange")
        mic = None if exchange is None else exchange.maybe_text("mic")
        ticker = symbol.removesuffix(f".{mic}")
        if mic is not None and _MIC.fullmatch(mic) and _TICKER.fullmatch(ticker):
            listing = Listing(
                instrument=equity(ticker, "" if mic in US else mic), provider_symbol=symbol,
                name=row.maybe_text("name"), type=InstrumentType.STOCK, venue_name=row["stock_exchange"]["name"].text(),
                currency=TRADED_IN.get("" if mic in US else mic),
            )  # fmt: skip
            found.append(listing)
    return tuple(found)


def parse_splits(rows: Row) -> Iterator[CorporateAction]:
    """By their factor."""
    for row in rows:
        yield split_by(row["split_factor"], row.instant("date").date())


def parse_dividends(instrument: InstrumentId, rows: Row) -> Iterator[CorporateAction]:
    """As declared; days without one may be among them."""
    for row in rows:
        amount = row.decimal("dividend")
        if amount:
            yield CorporateAction(
                kind=ActionKind.CASH_DIVIDEND,
                ex_date=row.instant("date").date(),
                amount=amount,
                currency=TRADED_IN[instrument.venue],
                declared_on=maybe_day(row, "declaration_date"),
                record_date=maybe_day(row, "record_date"),
                paid_on=maybe_day(row, "payment_date"),
                frequency=FREQUENCIES.get(row.maybe_text("distr_freq") or ""),
            )
