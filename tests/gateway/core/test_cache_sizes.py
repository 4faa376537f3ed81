"""The estimate of what an answer holds, against the interpreter's own count."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.core.guards.cache import MemoryCache, Stored, weight
from schema.provenance import DataMode, Provenance
from schema.symbols import crypto
from schema.words.books import OrderBook, PriceLevel
from schema.words.candles import Bars
from schema.words.instruments import Listing
from schema.words.quotes import PriceType, Quote
from schema.words.trades import Trade
from tests.collecting import loosen, settle
from tests.gateway.doubles import NOON, priced, venue, world

FACTOR = 1.6
"""The estimate is right within this factor, in both directions."""
PRICES = ("open", "high", "low", "close", "volume")


def number(n: int) -> Decimal:
    return Decimal(f"{n}.123456789")


def stamp() -> Provenance:
    return Provenance(provider="alpha", mode=DataMode.LIVE, as_of=NOON + timedelta(0), fetched_at=NOON + timedelta(0))


def quote(n: int) -> Any:
    return Quote(
        instrument=crypto(f"A{n}", "USD"), price=number(n), price_type=PriceType.LAST, as_of=NOON + timedelta(n),
        bid=number(n), ask=number(n), high=number(n), low=number(n), volume=number(n), provenance=stamp(),
    )  # fmt: skip


def bars(n: int) -> Any:
    columns: dict[str, Any] = {
        name: tuple(number(n + i) for i in range(500)) for name in ("open", "high", "low", "close", "volume")
    }
    return Bars(open_time=tuple(NOON + timedelta(minutes=i) for i in range(500)), **columns)


def book(n: int) -> Any:
    sides: dict[str, Any] = {
        side: tuple(PriceLevel(price=number(i), size=number(n)) for i in range(100)) for side in ("bids", "asks")
    }
    return OrderBook(instrument=crypto(f"A{n}", "USD"), **sides, provenance=stamp())


def listings(n: int) -> Any:
    return tuple(
        Listing(
            instrument=crypto("BTC", "USD"), provider_symbol=f"symbol {n} {i}", name=f"the name of number {n} {i}",
            tick_size=number(i), step_size=number(i),
        )
        for i in range(200)
    )  # fmt: skip


def trades(n: int) -> Any:
    shared = stamp()
    return tuple(
        Trade(id=f"{n}-{i}", time=NOON + timedelta(seconds=i), price=number(i), size=number(i), provenance=shared)
        for i in range(100)
    )


@pytest.mark.parametrize("make", [quote, bars, book, listings, trades], ids=lambda make: make.__name__)
def test_the_estimate_is_near_what_the_interpreter_counts(make: Callable[[int], Any]) -> None:
    cache, count = MemoryCache(), 300 if make is quote else 20
    make(0)  # what is made once and shared by all
    settle()  # what other tests have left behind need not be looked through again
    tracemalloc.start()

    for n in range(1000, 1000 + count):
        value = make(n)
        key = ("quotes", 1, "alpha", crypto(f"B{n}", "USD"))
        own = getattr(value, "provenance", None) or stamp()
        cache.put(key, Stored(value=value, provenance=own, fetched=n + 0.5, fresh_until=n + 2.5))
    del value, own, key
    gc.collect()
    counted, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    gc.unfreeze()
    loosen()

    assert counted / FACTOR <= cache.bytes <= counted * FACTOR, (cache.bytes, counted)


def test_rows_beyond_those_looked_at_count_as_much() -> None:
    short, long = weight(entry(bars(0), 250)), weight(entry(bars(0), 500))

    assert 1.8 < (long - 1_200) / (short - 1_200) < 2.2


def entry(value: Bars, rows: int) -> Stored:
    columns: dict[str, Any] = {name: getattr(value, name)[:rows] for name in ("open_time", *PRICES)}
    return Stored(value=Bars(**columns), provenance=stamp(), fetched=0.0, fresh_until=1.0)


def test_what_replaces_an_entry_is_counted_instead_of_it() -> None:
    cache = MemoryCache()
    cache.put("key", entry(bars(0), 500))

    cache.put("key", entry(bars(0), 1))

    assert (len(cache), cache.bytes) == (1, weight(entry(bars(0), 1)))


def test_what_is_dropped_is_counted_no_more() -> None:
    cache = MemoryCache()
    for key in ("a", "b"):
        cache.put(key, entry(bars(0), 5))

    dropped = cache.drop(lambda key: key == "a")

    assert (dropped, len(cache), cache.bytes) == (1, 1, weight(entry(bars(0), 5)))


async def test_ten_thousand_keys_in_flight_leave_no_more_than_the_bounded_cache() -> None:
    w = world(venue("alpha", max_batch=100), cache_bytes=1_000_000)
    w.wire.handlers["alpha"] = priced("1")
    instruments = tuple(crypto(f"A{n}", "USD") for n in range(10_000))
    await w.quotes(*instruments)  # routes are remembered, and bounded
    w.clock.turn(10)
    gc.collect()
    before = len(gc.get_objects())

    await w.quotes(*instruments)

    gc.collect()
    assert len(w.wire.requests) == 200
    assert w.pipeline._flights == {}
    assert 500_000 < w.pipeline.cache.bytes <= 1_000_000
    assert len(gc.get_objects()) - before < 500
