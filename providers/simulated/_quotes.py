"""Quotes of the simulated exchange: the newest trade, the best prices and the statistics of the market's window."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TypedDict

from providers.simulated._calendar import DAY, CurrencyWeek, Sessions
from providers.simulated._markets import CURRENCY_WEEK, Market
from providers.simulated._tape import Tape
from providers.simulated._track import Track
from schema.symbols import InstrumentId
from schema.words.quotes import PriceType, Quote, StatsWindow
from schema.words.trades import Side


class Sides(TypedDict, total=False):
    """What a market with trades of its own shows besides its price."""

    bid: Decimal
    ask: Decimal
    bid_size: Decimal
    ask_size: Decimal
    last: Decimal
    last_size: Decimal
    volume: Decimal
    quote_volume: Decimal
    vwap: Decimal


def quote(seed: int, instrument: InstrumentId, market: Market, now: int) -> Quote:
    """As of the newest trade. Without one of its own a currency pair has a middle price, an index its level."""
    last = market.calendar.latest(now)
    kind, first, before = _window(market, last)
    # The side of a session's first trade depends on the last one of the session before.
    track = Track(seed, market, min(first, market.calendar.latest(last - 1)), last)
    span, tick = track.span(first, last), market.tick
    if market.turnover:
        price_type, sides = PriceType.LAST, _traded(Tape(seed, market, track), first, last)
    elif market.calendar is CURRENCY_WEEK:
        price_type, sides = PriceType.MID, _around(Tape(seed, market, track), span.close, last)
    else:
        price_type, sides = PriceType.INDEX, Sides()
    return Quote(
        instrument=instrument, currency=market.currency, as_of=datetime.fromtimestamp(last, UTC),
        price=span.close * tick, price_type=price_type, stats_window=kind,
        open=span.open * tick, high=span.high * tick, low=span.low * tick,
        previous_close=None if before is None else Track(seed, market, before, before).price(before) * tick, **sides,
    )  # fmt: skip


def _window(market: Market, last: int) -> tuple[StatsWindow, int, int | None]:
    """What the statistics cover, its first second, and the last second of the session before."""
    calendar = market.calendar
    if isinstance(calendar, Sessions | CurrencyWeek):
        first, before = calendar.around(last)
        return StatsWindow.SESSION, first, before
    return StatsWindow.ROLLING_24H, last - DAY + 1, None


def _traded(tape: Tape, first: int, last: int) -> Sides:
    bid, ask = tape.best(last)
    volume = tape.track.volume(first, last) * tape.step
    vwap = tape.track.vwap(first, last) * tape.tick
    return Sides(
        bid=bid * tape.tick, bid_size=tape.resting(Side.BUY, bid, last),
        ask=ask * tape.tick, ask_size=tape.resting(Side.SELL, ask, last),
        last=tape.track.price(last) * tape.tick, last_size=tape.fills(last)[-1] * tape.step,
        volume=volume, vwap=vwap, quote_volume=volume * vwap,
    )  # fmt: skip


def _around(tape: Tape, middle: int, last: int) -> Sides:
    half = max(1, tape.spread(last) // 2)
    return Sides(bid=(middle - half) * tape.tick, ask=(middle + half) * tape.tick)
