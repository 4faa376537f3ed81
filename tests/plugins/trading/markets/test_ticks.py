"""Rules from reference data, ticks from quotes and books, and their age: no I/O."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.core.matching.model import ExecutionModel, Level
from plugins.trading.markets.priced import Priced
from plugins.trading.markets.specs import spec_of, untradable
from plugins.trading.markets.ticks import age_of, is_open, tick_of, tick_of_book
from schema.provenance import DataMode, FeedDelay
from schema.symbols import parse_instrument
from schema.words.books import OrderBook, PriceLevel
from schema.words.instruments import Instrument, InstrumentType, type_of
from schema.words.quotes import PriceType, Quote
from schema.words.venues import MarketState
from tests.plugins.trading.rowsof import MADE, NOON, D

BTC = parse_instrument("crypto:BTC/USD")
LATER = NOON + timedelta(seconds=90)


def known(symbol: str, **given: Any) -> Instrument:
    key = parse_instrument(symbol)
    values: dict[str, Any] = {
        "key": key, "id": str(key), "symbol": symbol, "asset_class": key.asset_class, "type": type_of(key),
        "quote_currency": key.quote or "XXX",
    }  # fmt: skip
    return Instrument(**values | given)


def quote(**given: Any) -> Quote:
    values: dict[str, Any] = {
        "instrument": BTC, "price": D(100), "price_type": PriceType.LAST, "provenance": MADE,
    }  # fmt: skip
    return Quote(**values | given)


def test_rules_come_from_lists_where_zero_is_none_and_quantities_are_in_units_of_the_base_asset():
    key, perpetual, share = (
        parse_instrument(each) for each in ("crypto:BTC/USD", "crypto:BTC/USDT:USDT", "equity:AAPL")
    )

    spot = spec_of(key, known(str(key), tick_size=D("0.01"), step_size=D(0), contract_size=D(10)))
    future = spec_of(perpetual, known(str(perpetual), contract_size=D("0.01"), step_size=D("0.001"), min_size=D(1)))

    assert (spot.tick, spot.step, spot.derivative, spot.currency) == (D("0.01"), None, False, "USD")
    assert (future.step, future.min_size, future.derivative, future.currency) == (D("0.01"), D(1), True, "USDT")
    listed = spec_of(share, known("equity:AAPL", type=InstrumentType.FUTURE, contract_size=D(5)))

    assert (listed.derivative, listed.step) == (True, D(5))
    assert spot.contract_size == future.contract_size == 1
    assert spec_of(share, known("equity:AAPL", quote_currency="USD")).currency == "USD"
    assert spec_of(share, known("equity:AAPL"), "CHF").currency == "CHF"


@pytest.mark.parametrize(
    ("symbol", "why"),
    [
        ("crypto:BTC/USD", None),
        ("crypto:BTC/USDT:USDT", None),
        ("equity:AAPL", None),
        ("fx:EUR/USD", None),
        ("index:SPX", "a number made of others"),
        ("crypto:BTC/USD:BTC", "settled in BTC though priced in USD"),
        ("crypto:BTC/USD:BTC-261225-100000-C", "an option"),
    ],
)
def test_what_cannot_be_traded_says_why(symbol: str, why: str | None):
    found = untradable(parse_instrument(symbol))

    assert (found is None) if why is None else str(found).startswith(why)


def test_a_tick_carries_both_sides_the_stamp_and_the_mode():
    found = tick_of(quote(bid=D(99), ask=D(101), bid_size=D(2), ask_size=D(3)), LATER)

    assert (found.bid, found.ask, found.last, found.bid_size, found.ask_size) == (D(99), D(101), D(100), D(2), D(3))
    assert (found.provider, found.mode, found.as_of, found.at) == ("alpha", DataMode.LIVE, NOON, LATER)
    assert age_of(found, LATER) == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("changes", "kind", "age"),
    [
        ({"as_of": None}, PriceType.LAST, 90),
        ({"delay": FeedDelay.DELAYED, "delay_seconds": 60}, PriceType.LAST, 30),
        ({"delay": FeedDelay.DELAYED, "delay_seconds": 900}, PriceType.LAST, 0),
        ({"mode": DataMode.SIMULATED}, PriceType.LAST, 90),
        ({"as_of": NOON + timedelta(hours=1)}, PriceType.LAST, 90),
        ({"as_of": NOON + timedelta(hours=1), "delay": FeedDelay.DELAYED, "delay_seconds": 60}, PriceType.LAST, 30),
        ({"mode": DataMode.RECORDED}, PriceType.LAST, 0),
        ({"delay": FeedDelay.END_OF_DAY}, PriceType.LAST, 0),
        ({}, PriceType.FIXING, 0),
    ],
)
def test_a_price_ages_beyond_the_delay_of_its_feed_unless_it_cannot(changes: dict[str, Any], kind: PriceType, age: int):
    told = quote(provenance=replace(MADE, **changes), price_type=kind)

    assert age_of(tick_of(told, LATER), LATER) == timedelta(seconds=age)


def test_a_book_is_a_tick_with_depth_and_one_side_may_be_empty():
    bids = (PriceLevel(price=D(99), size=D(1)), PriceLevel(price=D(98), size=D(4)))

    found = tick_of_book(OrderBook(instrument=BTC, bids=bids, asks=(), provenance=MADE), LATER)

    assert found.bids == (Level(price=D(99), size=D(1)), Level(price=D(98), size=D(4)))
    assert (found.bid, found.bid_size, found.ask, found.ask_size, found.last) == (D(99), D(1), None, None, None)


def test_orders_are_filled_in_regular_hours_and_in_extended_ones_where_the_account_says_so():
    states = [MarketState.REGULAR, MarketState.UNKNOWN, MarketState.PRE, MarketState.POST, MarketState.CLOSED]

    assert [is_open(state, extended=False) for state in states] == [True, True, False, False, False]
    assert [is_open(state, extended=True) for state in states] == [True, True, True, True, False]
    assert not is_open(MarketState.HALTED, extended=True)


def test_an_old_price_of_an_open_market_is_too_old_and_that_of_a_closed_one_is_not():
    model = ExecutionModel(max_age_ms=60_000)
    new = Priced(
        tick=tick_of(quote(), NOON), price=D(100), currency="USD", provenance=MADE, state=MarketState.REGULAR,
        open=True, age=timedelta(seconds=60),
    )  # fmt: skip
    old = replace(new, age=timedelta(seconds=61))
    closed = replace(old, open=False, state=MarketState.CLOSED)

    assert [each.too_old(model) for each in (new, old, closed)] == [False, True, False]
    assert replace(new, held_copy=True).too_old(model)


def test_how_old_a_price_is_is_told_as_finely_as_it_takes_and_an_old_copy_is_called_one():
    new = Priced(
        tick=tick_of(quote(), NOON), price=D(100), currency="USD", provenance=MADE, state=MarketState.REGULAR,
        open=True, age=timedelta(milliseconds=3, microseconds=400),
    )  # fmt: skip
    old, barely = replace(new, age=timedelta(seconds=61)), replace(new, age=timedelta(seconds=60, microseconds=1))
    copy = replace(new, held_copy=True)

    cases = ((old, 60_000), (new, 1), (barely, 60_000), (copy, 60_000))
    told = [priced.told_old(ExecutionModel(max_age_ms=most)) for priced, most in cases]

    name = "The newest price of crypto:BTC/USD is"
    assert told == [
        f"{name} 61 s old, and the account takes none older than 60 s: try again, or raise model.maxAgeMs",
        f"{name} 0.0034 s old, and the account takes none older than 0.001 s: try again, or raise model.maxAgeMs",
        f"{name} 60.000001 s old, and the account takes none older than 60 s: try again, or raise model.maxAgeMs",
        f"{name} our old copy, as every provider failed, and nothing is filled by it: try again",
    ]
