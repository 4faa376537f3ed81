"""Cboe: quotes and option chains of the US, levels and days of indices, 15 minutes late and without a key.

What stands behind the pages of cboe.com is not documented. Times are New York's and do not say so. `price_change`
may be of another moment than `current_price`, so the change is left to be counted from the close before. Days are
offered of indices only: nothing says whether those of shares are adjusted. By night a row has been turned over in part:
the close before is then the session's own, and the one before it is not sent.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from providers.contract import Licence, Limit, Profile, Provider, Reply, answers
from providers.equities._listed import NEW_YORK, Spelling, bars_at, first_moments
from providers.equities._occ import day_of, expiry_in, in_order, option_of, terms_of
from providers.row import Row
from schema.errors import UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.intervals import Interval
from schema.words.options import OPTION_CHAIN, OptionChain, OptionChainAsk, OptionContract
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.venues import TradingHours

DOLLAR = "USD"
SPELLING = Spelling(mark=".")
_INDEX = re.compile(r"[A-Z][A-Z0-9]{0,7}")


def symbol_of(instrument: InstrumentId) -> str | None:
    """`AAPL`, and `_SPX` for an index; None for options by themselves and for other exchanges."""
    if instrument.asset_class is AssetClass.INDEX and instrument.is_spot and instrument.venue in ("", "cboe"):
        return f"_{instrument.base}" if _INDEX.fullmatch(instrument.base) else None
    return SPELLING.symbol_of(instrument)


def charted(ask: CandlesAsk) -> bool:
    """Days of indices."""
    index = ask.instrument.asset_class is AssetClass.INDEX and symbol_of(ask.instrument) is not None
    return index and ask.interval is Interval.D1 and ask.hours is TradingHours.REGULAR


class Cboe(Provider):
    """The exchange of the index options, by way of its website."""

    profile = Profile(
        id="cboe",
        name="Cboe",
        base_url="https://cdn.cboe.com/api/global/delayed_quotes",
        docs="https://www.cboe.com/delayed_quotes",
        asset_classes=(AssetClass.EQUITY, AssetClass.INDEX),
        licence=Licence(note="No published interface; for personal use, no redistribution.", shareable=False),
        # Undocumented: what a reader of the pages would need.
        limits=(Limit(count=30, per=timedelta(minutes=1)),),
        delay=FeedDelay.DELAYED,
        delay_seconds=900,
        priority=72,
    )

    @answers(QUOTES, covers=lambda ask: all(symbol_of(i) is not None for i in ask.instruments), max_batch=1)
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """There is no batch endpoint."""
        (instrument,) = ask.instruments
        return [parse_quote(instrument, await self.http.get(f"/quotes/{symbol_of(instrument)}.json"))]

    @answers(CANDLES, covers=charted, intervals=(Interval.D1,))
    async def candles(self, ask: CandlesAsk) -> Bars:
        """All days at once."""
        return parse_days(ask, await self.http.get(f"/charts/historical/{symbol_of(ask.instrument)}.json"))

    @answers(OPTION_CHAIN, covers=lambda ask: symbol_of(ask.instrument) is not None, fresh_for=timedelta(minutes=1))
    async def option_chain(self, ask: OptionChainAsk) -> OptionChain:
        """All expiries come at once, of the S&P 500 some 30,000 contracts: those of one day are read."""
        body = await self.http.get(f"/options/{symbol_of(ask.instrument)}.json")
        return parse_chain(ask, body["data"], self.clock.now().astimezone(ZoneInfo(NEW_YORK)).date())

    def explain(self, reply: Reply) -> UpstreamError | None:
        """A file that is not there is refused as if it were forbidden."""
        if reply.status == 403 and isinstance(reply.body.value, str) and "AccessDenied" in reply.body.value:
            return UnknownInstrument(self.profile.id, "has no such symbol")
        return None


def traded_at(row: Row) -> datetime | None:
    """The time of the last trade, in New York."""
    moment = row.maybe_instant("last_trade_time")
    return None if moment is None else moment.replace(tzinfo=ZoneInfo(NEW_YORK)).astimezone(UTC)


def close_before(row: Row) -> Decimal | None:
    """The close before the session that is told of; None where it is that session's own."""
    before, change = row.positive("prev_day_close"), row.maybe("price_change")
    if before is None or before != row.maybe("close") or not change or change == row.decimal("current_price") - before:
        return before
    return None


def parse_quote(instrument: InstrumentId, body: Row) -> Quote:
    """`{"data": {"current_price", "bid", "ask", "open", "high", "low", "prev_day_close", …}}`."""
    row, index = body["data"], instrument.asset_class is AssetClass.INDEX
    return Quote(
        instrument=instrument,
        price=row.decimal("current_price"),
        price_type=PriceType.INDEX if index else PriceType.LAST,
        currency=DOLLAR,
        bid=row.positive("bid"),
        ask=row.positive("ask"),
        open=row.positive("open"),
        high=row.positive("high"),
        low=row.positive("low"),
        previous_close=close_before(row),
        volume=None if index else row.maybe("volume"),
        stats_window=StatsWindow.SESSION,
        as_of=traded_at(row),
    )


def parse_days(ask: CandlesAsk, body: Row) -> Bars:
    """`{"data": [{"date", "open", "high", "low", "close"}]}`; an old day may have nothing but its close."""
    found = [row.value for row in body["data"] if row.positive("open") is not None]
    rows = Row(body.provider, found, body, "data")
    if not found:
        return NO_BARS
    times = first_moments(ask.interval, [row.day("date") for row in rows])
    return bars_at(ask, rows, times, open="open", high="high", low="low", close="close", currency=DOLLAR)


def parse_chain(ask: OptionChainAsk, data: Row, today: date) -> OptionChain:
    """`{"current_price", "options": [{"option", "bid", "ask", "iv", "delta", …}]}`."""
    by_day: dict[str, list[Row]] = {}
    for row in data["options"]:
        by_day.setdefault(expiry_in(row, "option"), []).append(row)
    days = {day: day_of(rows[0], "option", day) for day, rows in by_day.items()}
    expiries = tuple(sorted(day for day in days.values() if day >= today))
    if not expiries:
        raise UnknownInstrument(data.provider, f"lists no options on {ask.instrument}")
    wanted = f"{ask.expiry or expiries[0]:%y%m%d}"
    return OptionChain(
        instrument=ask.instrument,
        as_of=traded_at(data),
        currency=DOLLAR,
        underlying_price=data.positive("current_price"),
        expiries=expiries,
        contracts=in_order(parse_contract(ask.instrument, row) for row in by_day.get(wanted, ())),
    )


def parse_contract(underlying: InstrumentId, row: Row) -> OptionContract:
    """Volatility is a fraction; theta a day, vega and rho a percentage point."""
    instrument = option_of(row, "option", underlying.asset_class)
    expiry, strike, right = terms_of(instrument)
    return OptionContract(
        instrument=instrument,
        expiry=expiry,
        strike=strike,
        right=right,
        bid=row.positive("bid"),
        ask=row.positive("ask"),
        bid_size=row.positive("bid_size"),
        ask_size=row.positive("ask_size"),
        last=row.positive("last_trade_price"),
        mark=row.positive("theo"),
        volume=row.maybe("volume"),
        open_interest=row.maybe("open_interest"),
        implied_volatility=row.positive("iv"),
        delta=row.maybe("delta"),
        gamma=row.maybe("gamma"),
        theta=row.maybe("theta"),
        vega=row.maybe("vega"),
        rho=row.maybe("rho"),
    )
