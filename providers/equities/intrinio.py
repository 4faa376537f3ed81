"""Intrinio: quotes, days (raw and fully adjusted), splits and dividends, and profiles of US companies, with a key.

Docs: https://docs.intrinio.com/documentation/api_v2. Lists come newest first, in pages. A side without an order is
written as a bid or an ask of zero. Their sizes are shares or lots, whichever the source has, and are left out.
"""

from __future__ import annotations

from datetime import timedelta

from providers.contract import Licence, Profile, Provider, Reply, answers, per_minute, query
from providers.equities._companies import actions_in, split_by
from providers.equities._listed import Spelling, bars_at, first_moments
from providers.row import Row
from schema.errors import NotCovered, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, NO_BARS, Adjustment, Bars, CandlesAsk
from schema.words.companies import (
    COMPANY_PROFILE,
    CORPORATE_ACTIONS,
    ActionKind,
    CompanyProfile,
    CompanyProfileAsk,
    CorporateAction,
    CorporateActionsAsk,
)
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.venues import TradingHours

DAY = timedelta(days=1)
DOLLAR = "USD"
PAGE = 10_000
SPELLING = Spelling(mark=".")
# What stands before the names of columns.
COLUMNS = {Adjustment.NONE: "", Adjustment.SPLITS_AND_DIVIDENDS: "adj_"}
# Seconds by which a source is late; other sources are exchanges' own and are not.
LATE = {"delayed_sip": 900, "utp_delayed": 900, "cta_a_delayed": 900, "cta_b_delayed": 900}


def symbol_of(instrument: InstrumentId) -> str | None:
    """A US ticker, or None for anything else."""
    return SPELLING.symbol_of(instrument)


def charted(ask: CandlesAsk) -> bool:
    """Days as traded or with every adjustment."""
    regular = ask.interval is Interval.D1 and ask.hours is TradingHours.REGULAR
    return regular and ask.adjustment in COLUMNS and symbol_of(ask.instrument) is not None


class Intrinio(Provider):
    """What a key is answered depends on what its contract has."""

    profile = Profile(
        id="intrinio",
        name="Intrinio",
        base_url="https://api-v2.intrinio.com",
        docs="https://docs.intrinio.com/documentation/api_v2",
        asset_classes=(AssetClass.EQUITY,),
        licence=Licence(note="By contract; display and redistribution need their own agreement.", shareable=False),
        credentials=(query("api_key", sign_up="https://account.intrinio.com/register"),),
        limits=(per_minute(300),),
        delay=FeedDelay.UNKNOWN,
        priority=40,
    )

    @answers(QUOTES, covers=lambda ask: all(symbol_of(i) is not None for i in ask.instruments), max_batch=1)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """From the best source that the contract has."""
        (instrument,) = ask.instruments
        return [parse_quote(instrument, await self.http.get(f"/securities/{symbol_of(instrument)}/prices/realtime"))]

    @answers(CANDLES, covers=charted, intervals=(Interval.D1,), max_rows=PAGE)
    async def candles(self, ask: CandlesAsk) -> Bars:
        """From the first day to the last, both included."""
        params: dict[str, str | int] = {
            "start_date": ask.start.date().isoformat(), "end_date": (ask.end - DAY).date().isoformat(),
            "frequency": "daily", "page_size": PAGE,
        }  # fmt: skip
        rows, security = await self._all(f"/securities/{symbol_of(ask.instrument)}/prices", "stock_prices", params)
        return parse_prices(ask, rows, security)

    @answers(CORPORATE_ACTIONS, covers=lambda ask: symbol_of(ask.instrument) is not None)
    async def corporate_actions(self, ask: CorporateActionsAsk) -> tuple[CorporateAction, ...]:
        """The days on which prices were adjusted."""
        params: dict[str, str | int] = {"page_size": PAGE}
        if ask.start is not None:
            params["start_date"] = ask.start.isoformat()
        if ask.end is not None:
            params["end_date"] = ask.end.isoformat()
        path = f"/securities/{symbol_of(ask.instrument)}/prices/adjustments"
        rows, _ = await self._all(path, "stock_price_adjustments", params)
        return actions_in(ask, [action for row in rows for action in parse_adjustment(row)])

    @answers(COMPANY_PROFILE, covers=lambda ask: symbol_of(ask.instrument) is not None)
    async def company_profile(self, ask: CompanyProfileAsk) -> CompanyProfile:
        """Facts that companies file."""
        return parse_company(ask.instrument, await self.http.get(f"/companies/{symbol_of(ask.instrument)}"))

    async def _all(self, path: str, name: str, params: dict[str, str | int]) -> tuple[Row, Row]:
        body = await self.http.get(path, params)
        rows = [row.value for row in body[name]]
        while (token := body.maybe_text("next_page")) is not None:
            body = await self.http.get(path, {**params, "next_page": token})
            rows += [row.value for row in body[name]]
        return Row(self.profile.id, rows, body, name), body["security"]

    def explain(self, reply: Reply) -> UpstreamError | None:
        """A key that is right and may not see this is told apart from one that is wrong by the status."""
        if reply.status in (402, 403) and "error" in reply.body:
            return NotCovered(self.profile.id, "the key's contract does not include this")
        return None


def parse_quote(instrument: InstrumentId, body: Row) -> Quote:
    """`{"last_price", "last_time", "bid_price", …, "source", "security": {"ticker"}}`."""
    if body["security"].text("ticker") != symbol_of(instrument):
        body["security"]["ticker"].broken(f"is not {symbol_of(instrument)!r}")
    return Quote(
        instrument=instrument,
        price=body.decimal("last_price"),
        price_type=PriceType.LAST,
        currency=DOLLAR,
        bid=body.positive("bid_price"),
        ask=body.positive("ask_price"),
        last_size=body.positive("last_size"),
        open=body.positive("open_price"),
        high=body.positive("high_price"),
        low=body.positive("low_price"),
        # `exchange_volume` is that of the source alone.
        volume=body.maybe("market_volume"),
        stats_window=StatsWindow.SESSION,
        delay_seconds=LATE.get(body.maybe_text("source") or "", 0),
        as_of=body.maybe_instant("last_time"),
    )


def parse_prices(ask: CandlesAsk, rows: Row, security: Row) -> Bars:
    """`[{"date", "open", …, "adj_open", …}]`, whose currency the security tells."""
    if not len(rows):
        return NO_BARS
    times = first_moments(ask.interval, [row.day("date") for row in rows])
    open, high, low, close, volume = (
        f"{COLUMNS[ask.adjustment]}{name}" for name in ("open", "high", "low", "close", "volume")
    )
    currency = security.text("currency")
    return bars_at(ask, rows, times, open=open, high=high, low=low, close=close, volume=volume, currency=currency)


def parse_adjustment(row: Row) -> list[CorporateAction]:
    """A day may have a split, a dividend or both; `split_ratio` is 1 and `dividend` 0 where there is none."""
    day, found = row.day("date"), []
    ratio, dividend = row.positive("split_ratio"), row.positive("dividend")
    if ratio is not None and ratio != 1:
        found.append(split_by(row["split_ratio"], day))
    if dividend is not None:
        currency = row.maybe_text("dividend_currency") or DOLLAR
        found.append(CorporateAction(kind=ActionKind.CASH_DIVIDEND, ex_date=day, amount=dividend, currency=currency))
    return found


def parse_company(instrument: InstrumentId, body: Row) -> CompanyProfile:
    """Facts about a company."""
    cik = body.maybe_text("cik")
    employees = body.maybe("employees")
    return CompanyProfile(
        instrument=instrument,
        name=body.text("name"),
        description=body.maybe_text("long_description") or body.maybe_text("short_description"),
        sector=body.maybe_text("sector"),
        industry=body.maybe_text("industry_category"),
        exchange=body.maybe_text("stock_exchange"),
        website=body.maybe_text("company_url"),
        employees=None if employees is None else int(employees),
        cik=None if cik is None else cik.zfill(10),
        lei=body.maybe_text("lei"),
    )
