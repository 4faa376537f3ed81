"""What one message offers, and what is left of it: orders that share it take it in price-time order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Self

from gateway.core.matching.model import Bar, ExecutionModel, Level, Spec, Tick
from gateway.core.matching.rounding import COIN_STEP, EXACT, floor_to, plain
from schema.words.orders import FillSource
from schema.words.trades import Side


@dataclass(slots=True)
class Offer:
    """A price, how much the message offered there, and how much of it nobody took; None: as much as anyone wants."""

    price: Decimal
    size: Decimal | None
    left: Decimal | None

    def portion(self, wanted: Decimal, participation: Decimal, step: Decimal | None) -> Decimal:
        """At most `participation × size`, and what is left; rounded down to the step, or to 8 digits."""
        if self.size is None or self.left is None:
            return wanted
        most = min(EXACT.multiply(participation, self.size), self.left)
        return wanted if wanted <= most else max(Decimal(0), plain(floor_to(most, step or COIN_STEP)))

    def take(self, quantity: Decimal) -> None:
        """Somebody took it."""
        if self.left is not None:
            self.left = EXACT.subtract(self.left, quantity)


@dataclass(slots=True, kw_only=True)
class Offered:
    """One message's offers, the best first. Where only a last price or a bar is known, both sides share one size."""

    asks: Sequence[Offer] = ()
    bids: Sequence[Offer] = ()
    bar: Bar | None = None
    pool: Offer | None = None
    """Of a bar: its volume, at any price in it."""
    whole: bool = False
    """Whether nobody is on a side without offers: a book's. A quote without a side just does not tell it."""
    traded: Decimal | None = None
    """Volume that the message tells of, in contracts."""

    @classmethod
    def of(cls, tick: Tick, spec: Spec, model: ExecutionModel) -> Self:
        """What a message offers to an account that matches against `model.source`.

        QUOTES: bid and ask with their sizes. BOOK: each level; a message without depth offers its quote. Where neither
        side is known: the last price with what was traded since the message before. BARS: the bar's volume, and
        nothing where the message is none. An unknown size is unlimited. Prices of 0 and below, and levels of no size,
        are no offers. Each message offers its sizes anew.
        """
        traded = spec.contracts(tick.traded)
        if model.source is FillSource.BARS:
            if tick.bar is None:
                return cls()
            volume = spec.contracts(tick.bar.volume)
            return cls(bar=tick.bar, pool=_offer(tick.bar.open, volume), traded=volume)
        if model.source is FillSource.BOOK and (tick.bids or tick.asks):
            return cls(asks=_levels(tick.asks, spec), bids=_levels(tick.bids, spec), whole=True, traded=traded)
        asks = _side(tick.ask, spec.contracts(tick.ask_size))
        bids = _side(tick.bid, spec.contracts(tick.bid_size))
        if not asks and not bids:
            asks = bids = _side(tick.last, traded)
        return cls(asks=asks, bids=bids, traded=traded)

    @property
    def touched(self) -> bool:
        """Whether anybody took anything of it."""
        pools = () if self.pool is None else (self.pool,)
        return any(each.left != each.size for each in (*self.asks, *self.bids, *pools))

    def side(self, side: Side) -> Sequence[Offer]:
        """What an order of a side takes: a purchase the asks, a sale the bids."""
        return self.asks if side is Side.BUY else self.bids


def is_stale(tick: Tick, now: datetime, model: ExecutionModel) -> bool:
    """Whether a message is older than `max_age_ms`: by the end of its bar, or its stamp. Without either it is as new as
    it can be: a recording, a fixing, a price of once a day."""
    stamp = tick.bar.end if model.source is FillSource.BARS and tick.bar is not None else tick.as_of
    if stamp is None:
        return False
    return now - stamp > timedelta(milliseconds=model.max_age_ms)


def _side(price: Decimal | None, size: Decimal | None) -> Sequence[Offer]:
    return () if price is None or price <= 0 else (_offer(price, size),)


def _levels(levels: Sequence[Level], spec: Spec) -> Sequence[Offer]:
    return tuple(_offer(each.price, spec.contracts(each.size)) for each in levels if each.price > 0 and each.size > 0)


def _offer(price: Decimal, size: Decimal | None) -> Offer:
    return Offer(price, size, size)
