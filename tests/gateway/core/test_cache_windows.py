"""Copies past their window: answered at once while one refresh runs, where a capability allows it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.core.fetchlog import FetchLog
from gateway.core.keeping import SPREAD
from schema.capability import Capability
from schema.provenance import CacheStatus
from schema.words.books import ORDER_BOOK
from schema.words.candles import CANDLES
from schema.words.caps import MARKET_CAPS
from schema.words.instruments import INSTRUMENTS, SEARCH
from schema.words.quotes import QUOTES
from schema.words.rates import FX_RATES
from schema.words.trades import TRADES
from tests.gateway.doubles import World, failing, in_turn, price_of, priced, venue, world


@pytest.fixture
def late() -> World:
    """Quotes as if they might be shown three seconds late."""
    object.__setattr__(QUOTES, "revalidate_for", timedelta(seconds=3))
    w = world(venue("alpha"))
    w.wire.handlers["alpha"] = in_turn(priced("1"), priced("2"))
    return w


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = QUOTES.revalidate_for
    yield
    object.__setattr__(QUOTES, "revalidate_for", before)


async def test_a_late_copy_is_answered_at_once_and_fetched_anew_once(late: World) -> None:
    await late.quote()
    late.clock.turn(4)
    log = FetchLog()

    found = [await late.quote(log=log) for _ in range(3)]
    await asyncio.sleep(1)

    assert [price_of(each) for each in found] == [1, 1, 1]
    assert log.status(found[0].provenance) is CacheStatus.HIT
    assert len(late.wire.requests) == 2
    assert price_of(await late.quote()) == 2


async def test_past_its_time_a_copy_is_waited_for(late: World) -> None:
    await late.quote()
    late.clock.turn(5)

    assert price_of(await late.quote()) == 2


async def test_a_caller_who_limits_the_age_gets_no_late_copy(late: World) -> None:
    await late.quote()
    late.clock.turn(4)

    assert price_of(await late.quote(max_age=timedelta(seconds=3))) == 2


async def test_windows_end_early_by_chance_and_never_late() -> None:
    w = world(venue("alpha"))
    w.pipeline.keeper._chance = random.Random(7)
    ends = set()
    for _ in range(50):
        await w.quote()
        ends.add(next(iter(w.pipeline.cache._entries.values()))[0].fresh_until - w.clock.monotonic())
        w.clock.turn(3)

    assert len(ends) > 40
    assert 2 * (1 - SPREAD) <= min(ends) < max(ends) <= 2


def test_prices_are_never_shown_late() -> None:
    assert isinstance(QUOTES, Capability)
    assert QUOTES.revalidate_for == timedelta(0)


def test_the_page_shows_the_windows_that_hold() -> None:
    shown = (Path(__file__).parents[3] / "docs" / "caching.md").read_text()

    for each in (QUOTES, CANDLES, ORDER_BOOK, TRADES, INSTRUMENTS, SEARCH, FX_RATES, MARKET_CAPS):
        seconds = (f"{round(w.total_seconds())} s" for w in (each.fresh_for, each.revalidate_for, each.keep_for))
        assert f"| {each.name} | {' | '.join(seconds)} |" in shown


async def test_a_copy_is_served_for_an_error_no_longer_than_its_capability_keeps_it() -> None:
    w = world(venue("alpha"))
    await w.quote()
    w.wire.handlers["alpha"] = failing(500)
    w.clock.turn(1 + QUOTES.keep_for.total_seconds())
    accepted = timedelta(days=365)

    assert price_of(await w.quote(stale_if_error=accepted)) == 1
    w.clock.turn(2)

    await w.refused(stale_if_error=accepted)
