"""Order books kept from a snapshot and changes, with the rules by which venues let their readers check them."""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from providers.row import Key, Row
from schema.symbols import InstrumentId
from schema.words.books import OrderBook, PriceLevel

SHOWN = 100
"""Levels of each side that a feed says: what the widest screen shows; the whole book stays with the feed."""
MOST_WAITING = 2_000
"""Changes that wait for a snapshot."""

Levels = tuple[PriceLevel, ...]


def changes(rows: Iterable[Row], *, price: Key = 0, size: Key = 1, orders: Key | None = None) -> Levels:
    """Levels as they are sent, those of size zero too: in a change they take a price away."""
    return tuple(
        [
            PriceLevel(
                price=row.decimal(price),
                size=row.decimal(size),
                order_count=None if orders is None else row.integer(orders),
            )
            for row in rows
        ]
    )


class _Half:
    """Levels by price, best first; of bids the prices are held with the other sign."""

    def __init__(self, falling: bool, depth: int | None) -> None:
        self._falling, self._depth = falling, depth
        self._keys: list[Decimal] = []
        self._levels: dict[Decimal, PriceLevel] = {}

    def start(self, levels: Levels) -> None:
        last = {self._key(level.price): level for level in levels}
        self._levels = {key: level for key, level in last.items() if level.size}
        self._keys = sorted(self._levels)
        self._cut()

    def change(self, levels: Levels) -> None:
        for level in levels:
            key = self._key(level.price)
            if not level.size:
                if self._levels.pop(key, None) is not None:
                    del self._keys[bisect_left(self._keys, key)]
                continue
            if key not in self._levels:
                self._keys.insert(bisect_left(self._keys, key), key)
            self._levels[key] = level
        self._cut()

    def best(self, count: int) -> Levels:
        return tuple([self._levels[key] for key in self._keys[:count]])

    def at(self, price: Decimal) -> PriceLevel | None:
        return self._levels.get(self._key(price))

    def _key(self, price: Decimal) -> Decimal:
        # Negation with a minus sign would round to the context's digits.
        return price.copy_negate() if self._falling else price

    def _cut(self) -> None:
        if self._depth is not None and len(self._keys) > self._depth:
            for key in self._keys[self._depth :]:
                del self._levels[key]
            del self._keys[self._depth :]


class Book:
    """One instrument's book. With a *depth* what lies deeper is forgotten, as a venue with that depth does."""

    def __init__(self, instrument: InstrumentId, depth: int | None = None) -> None:
        self.instrument = instrument
        self.started = False
        self._bids, self._asks = _Half(True, depth), _Half(False, depth)

    def start(self, bids: Levels, asks: Levels) -> None:
        """A snapshot: everything before is forgotten."""
        self.started = True
        self._bids.start(bids)
        self._asks.start(asks)

    def change(self, bids: Levels, asks: Levels) -> None:
        """New sizes at prices; zero takes the price away."""
        self._bids.change(bids)
        self._asks.change(asks)

    def bids(self, count: int) -> Levels:
        """The highest first."""
        return self._bids.best(count)

    def asks(self, count: int) -> Levels:
        """The lowest first."""
        return self._asks.best(count)

    def size_at(self, price: Decimal, *, bid: bool) -> Decimal:
        """What rests at a price, zero for nothing: for venues that send differences."""
        level = (self._bids if bid else self._asks).at(price)
        return Decimal(0) if level is None else level.size

    @property
    def crossed(self) -> bool:
        """Somebody would buy for more than another sells for: then a change is missing."""
        bids, asks = self.bids(1), self.asks(1)
        return bool(bids and asks) and bids[0].price >= asks[0].price

    def shown(self, *, as_of: datetime | None, sequence: str | None, verified: bool) -> OrderBook:
        """Its best levels, as a query would answer."""
        return OrderBook(
            instrument=self.instrument, as_of=as_of, bids=self.bids(SHOWN), asks=self.asks(SHOWN),
            sequence=sequence, verified=verified,
        )  # fmt: skip


class Order(Enum):
    """Where a numbered change stands: what is known already, what comes next, what comes too late for one between."""

    OLD = "old"
    NEXT = "next"
    GAP = "gap"


def spanning(held: int, first: int, final: int) -> Order:
    """Changes that say which numbers they cover: Binance and Gate U and u, KuCoin sequenceStart and sequenceEnd."""
    if final <= held:
        return Order.OLD
    return Order.NEXT if first <= held + 1 else Order.GAP


def following(held: int, previous: int, final: int) -> Order:
    """Changes that name the one before (OKX prevSeqId, Deribit prev_change_id, futures of Binance pu)."""
    if final <= held:
        return Order.OLD
    return Order.NEXT if previous == held else Order.GAP


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change that covers the numbers from *first* to *final*."""

    first: int
    final: int
    bids: Levels
    asks: Levels


class NumberedBook(Book):
    """A book whose snapshot comes over HTTP while changes wait for it, all of them numbered."""

    def __init__(self, instrument: InstrumentId, depth: int | None = None) -> None:
        super().__init__(instrument, depth)
        self.held = 0
        self._waiting: list[Change] = []

    def take(self, change: Change) -> Order:
        """OLD as well while the snapshot is not there: there is nothing to show."""
        if not self.started:
            self._waiting.append(change)
            return Order.GAP if len(self._waiting) > MOST_WAITING else Order.OLD
        order = spanning(self.held, change.first, change.final)
        if order is Order.NEXT:
            self.change(change.bids, change.asks)
            self.held = change.final
        return order

    def begin(self, held: int, bids: Levels, asks: Levels) -> Order:
        """The snapshot, and what has come since; GAP where it is older than the first change that waited for it."""
        self.start(bids, asks)
        self.held = held
        waiting, self._waiting = self._waiting, []
        orders = [self.take(change) for change in waiting]
        return Order.GAP if Order.GAP in orders else Order.NEXT


def crc32(text: str) -> int:
    """Unsigned, as Kraken sends it."""
    return zlib.crc32(text.encode())


def signed_crc32(text: str) -> int:
    """The same as a signed number of 32 bits, as OKX, Bitget and Bitfinex send it."""
    found = zlib.crc32(text.encode())
    return found - (1 << 32) if found >= 1 << 31 else found
