"""Polygon's bars: of shares in New York's days, of currencies (`C:EURUSD`) in UTC."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

from providers.equities._listed import NEW_YORK, Spelling, bars_at, first_moments, is_pair
from providers.row import Row
from schema.symbols import InstrumentId
from schema.words.candles import Adjustment, Bars, CandlesAsk
from schema.words.intervals import Interval
from schema.words.venues import TradingHours

US = Spelling(mark=".")
ZONE = ZoneInfo(NEW_YORK)
# Bars begin on whole hours, with what is traded before the opening: only those of half an hour end with the session.
SHORT = {Interval.M1: "1/minute", Interval.M5: "5/minute", Interval.M15: "15/minute", Interval.M30: "30/minute"}
HOURS = {Interval.H1: "1/hour", Interval.H4: "4/hour"}
LONGER = {Interval.D1: "1/day", Interval.W1: "1/week", Interval.MO1: "1/month"}
RANGES = {**SHORT, **HOURS, **LONGER}
listed = US.lists


def ticker_of(instrument: InstrumentId) -> str:
    """The symbol of what is covered."""
    return f"C:{instrument.base}{instrument.quote}" if is_pair(instrument) else US.symbol_of(instrument) or ""


def charted(ask: CandlesAsk) -> bool:
    """As traded or adjusted for splits; pre and post market come with intraday bars, and whole hours hold both.

    Currencies are quoted around the clock: all bars, which begin in UTC.
    """
    if is_pair(ask.instrument):
        return ask.interval in RANGES
    if not listed(ask.instrument) or ask.adjustment is Adjustment.SPLITS_AND_DIVIDENDS:
        return False
    extended = ask.hours is TradingHours.EXTENDED
    return ask.interval in SHORT or ask.interval in (HOURS if extended else LONGER)


def parse_bars(ask: CandlesAsk, rows: Row) -> Bars:
    """Moments; days, weeks (from their Sunday) and months by midnight in New York, of currencies in UTC.

    What is counted of currencies are quotes: they have neither a volume nor trades.
    """
    pair = is_pair(ask.instrument)
    moments = tuple([row.epoch("t", "ms") for row in rows])
    if not ask.interval.intraday:
        zone = UTC if pair else ZONE
        moments = first_moments(ask.interval, [moment.astimezone(zone).date() for moment in moments])
    if pair:
        bars = bars_at(ask, rows, moments, open="o", high="h", low="l", close="c", currency=ask.instrument.quote)
        return replace(bars, currency=None, time_zone=None, session_date=None)
    return bars_at(
        ask, rows, moments, open="o", high="h", low="l", close="c", volume="v", vwap="vw", trade_count="n",
        currency="USD",
    )  # fmt: skip
