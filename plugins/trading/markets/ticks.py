"""From quotes and books to ticks, and how old they are. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from gateway.core.matching.model import Level, Tick
from schema.provenance import DataMode, FeedDelay, Provenance
from schema.words.books import OrderBook, PriceLevel
from schema.words.quotes import PriceType, Quote
from schema.words.venues import MarketState

NOTHING = timedelta(0)
EXTENDED = frozenset({MarketState.PRE, MarketState.POST})
SETTLED = frozenset({PriceType.FIXING, PriceType.CLOSE})
"""Prices that are made once a day: the newest one is as new as it can be."""


def tick_of(quote: Quote, at: datetime) -> Tick:
    """What a quote tells; without a last trade its price stands for it. `as_of` is None for what does not age."""
    made = quote.provenance
    return Tick(
        instrument=quote.instrument, at=at, bid=quote.bid, ask=quote.ask,
        last=quote.price if quote.last is None else quote.last, bid_size=quote.bid_size, ask_size=quote.ask_size,
        provider=made.provider, mode=made.mode, as_of=stamp_of(made, quote.price_type),
    )  # fmt: skip


def tick_of_book(book: OrderBook, at: datetime) -> Tick:
    """What a book tells: depth, and the best of both sides. It has no last trade."""
    bids, asks = _levels(book.bids), _levels(book.asks)
    made = book.provenance
    return Tick(
        instrument=book.instrument, at=at, bid=bids[0].price if bids else None, ask=asks[0].price if asks else None,
        bid_size=bids[0].size if bids else None, ask_size=asks[0].size if asks else None, bids=bids, asks=asks,
        provider=made.provider, mode=made.mode, as_of=stamp_of(made),
    )  # fmt: skip


def middle_of(tick: Tick) -> Decimal | None:
    """Of its two sides, or the one that it tells; None without any."""
    sides = [price for price in (tick.bid, tick.ask) if price is not None]
    return sum(sides, Decimal(0)) / len(sides) if sides else None


def maker_of(tick: Tick) -> Provenance:
    """Whose it is, and when it came."""
    return Provenance(provider=tick.provider, mode=tick.mode, as_of=tick.as_of, fetched_at=tick.at)


def stamp_of(made: Provenance, kind: PriceType | None = None) -> datetime | None:
    """From when a price counts its age; None for what does not age: recordings, fixings, prices once a day.

    A feed that runs behind by design is as new as it can be where it is late by no more than that. None is newer than
    its fetching, however far ahead the clock of its provider is.
    """
    if made.mode is DataMode.RECORDED or made.delay is FeedDelay.END_OF_DAY or kind in SETTLED:
        return None
    return min(made.as_of or made.fetched_at, made.fetched_at) + timedelta(seconds=made.delay_seconds or 0)


def runs_behind(made: Provenance) -> bool:
    """Whether a feed does so by design."""
    return made.delay in (FeedDelay.DELAYED, FeedDelay.END_OF_DAY)


def age_of(tick: Tick, now: datetime) -> timedelta:
    """How old a tick is; nothing for what does not age."""
    return NOTHING if tick.as_of is None else max(now - tick.as_of, NOTHING)


def is_open(state: MarketState, *, extended: bool) -> bool:
    """Whether orders are filled; where nobody knows of hours, they are."""
    if state in EXTENDED:
        return extended
    return state in (MarketState.REGULAR, MarketState.UNKNOWN)


def _levels(levels: tuple[PriceLevel, ...]) -> tuple[Level, ...]:
    return tuple(Level(price=each.price, size=each.size) for each in levels)
