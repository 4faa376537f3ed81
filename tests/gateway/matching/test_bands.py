"""The prices between which a message changes nothing of orders that rest: the first that does something is outside."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from gateway.core.matching.bands import Band
from gateway.core.matching.venue import match
from schema.words.orders import OrderStatus
from tests.gateway.matching.tapes import BARS, BOOK, BUY, QUOTES, SELL, SPEC, at, bar, depth, order, quote, resting

LOW = resting(BUY, "LIMIT", limit=90)
RISES = resting(SELL, "TRAILING_STOP", trail_amount=5, trail_extreme=100)
FALLS = resting(BUY, "TRAILING_STOP", trail_percent=5, trail_extreme=100)


def passes(one, tick, model=QUOTES, held=0, **how):
    """What the band says. A message that it lets pass changes nothing."""
    found = Band([one], SPEC, D(held)).passes(tick, SPEC, model, **how)
    [step] = match([one], tick, SPEC, model, held=D(held), **how)
    assert not (found and step.changed)
    return found


@pytest.mark.parametrize(
    ("one", "inside", "outside"),
    [
        (LOW, quote(89, "90.01"), quote(89, 90)),
        (LOW, quote(last="90.01"), quote(last=90)),
        (LOW, quote(90), quote(90, 90)),
        (resting(SELL, "LIMIT", limit=110), quote("109.99", 111), quote(110, 111)),
        (resting(BUY, "STOP_MARKET", stop=110), quote(111, "109.99"), quote(109, 110)),
        (resting(SELL, "STOP_MARKET", stop=90), quote("90.01", 89), quote(90, 91)),
        (resting(BUY, "STOP_LIMIT", stop=110, limit=120), quote(111, "109.99"), quote(109, 110)),
        (resting(SELL, "STOP_LIMIT", stop=90, limit=80), quote("90.01", 89), quote(90, 91)),
        (
            order(BUY, "STOP_LIMIT", stop=80, limit=90, status=OrderStatus.TRIGGERED),
            quote(89, "90.01"),
            quote(89, 90),
        ),
        (resting(BUY, "MARKET_IF_TOUCHED", stop=90), quote(89, "90.01"), quote(89, 90)),
        (resting(SELL, "MARKET_IF_TOUCHED", stop=110), quote("109.99", 111), quote(110, 111)),
        (RISES, quote("95.01"), quote(95)),
        (FALLS, quote(None, "104.99"), quote(None, 105)),
        (replace(LOW, expires_at=at(60)), quote(99, 100, seconds=59), quote(99, 100, seconds=60)),
    ],
)
def test_a_band_ends_at_the_first_price_or_instant_that_does_something(one, inside, outside):
    told = [passes(one, inside), passes(one, outside)]

    assert told == [True, False]


def test_of_a_book_stops_look_at_the_best_price_and_limits_at_each() -> None:
    stop = resting(SELL, "STOP_MARKET", stop=90)

    assert passes(stop, depth(bids=[(95, 1), (80, 1)]), BOOK)
    assert not passes(stop, depth(bids=[(90, 1), (80, 1)]), BOOK)
    assert passes(LOW, depth(bids=[(95, 1)]), BOOK)
    assert passes(LOW, depth(asks=[(95, 1), (91, 1)]), BOOK)
    assert not passes(LOW, depth(asks=[(95, 1), (90, 1)]), BOOK)
    assert not passes(resting(SELL, "LIMIT", limit=110), depth(bids=[(105, 1), (110, 1)]), BOOK)


@pytest.mark.parametrize(
    "one",
    [
        resting(BUY, "MARKET"),
        resting(BUY, "LIMIT", limit=90, tif="IOC"),
        resting(BUY, "LIMIT", limit=90, tif="FOK"),
        resting(BUY, "LIMIT"),
        resting(BUY, "STOP_MARKET"),
        resting(SELL, "LIMIT", limit=110, reduce_only=True),
        resting(SELL, "TRAILING_STOP", trail_amount=5),
        resting(SELL, "TRAILING_STOP", trail_amount=0, trail_extreme=110),
        resting(SELL, "TRAILING_STOP", trail_extreme=110),
        order(SELL, "STOP_MARKET", "2", stop=90, status=OrderStatus.PARTIALLY_FILLED, filled=D(1)),
        replace(LOW, due_at=at(60)),
        replace(LOW, status=OrderStatus.PENDING_CANCEL),
    ],
)
def test_an_order_that_may_do_more_than_rest_is_looked_at_with_every_message(one):
    band = Band([LOW, one], SPEC, D(0))

    assert band.wary
    assert not band.passes(quote(99, 100), SPEC, QUOTES)


def test_what_has_nothing_left_to_fill_or_closes_what_is_held_rests() -> None:
    empty = Band([replace(RISES, quantity=D(0))], SPEC, D(0))

    assert passes(replace(RISES, filled=D(1)), quote(90))
    assert [empty.passes(quote(price), SPEC, QUOTES) for price in (90, 110)] == [True, True]
    assert list(empty.moved()) == []
    assert passes(resting(SELL, "LIMIT", limit=110, reduce_only=True), quote(100), held=1)


def test_a_closed_market_and_an_old_price_do_nothing_to_what_rests_and_bars_are_looked_at() -> None:
    old = quote(80, 80, seconds=90, as_of=at(90) - timedelta(milliseconds=QUOTES.max_age_ms + 1))

    assert passes(LOW, quote(80, 80), open=False)
    assert passes(LOW, old)
    assert not passes(LOW, replace(old, as_of=at(30)))
    assert not passes(LOW, bar(0, 100, 100, 100, 100), BARS)


def test_stops_follow_a_message_that_passes_and_the_band_follows_them() -> None:
    band = Band([RISES, replace(RISES, id="o2", trail_amount=None, trail_percent=D(4))], SPEC, D(0))

    told = [band.passes(quote(price), SPEC, QUOTES) for price in ("110", "112", "107.53", "107.52", "111")]

    # Four per cent behind 112 are 107.52.
    assert told == [True, True, True, False, True]
    assert list(band.moved()) == [("o1", D(112)), ("o2", D(112))]
    assert list(band.moved()) == []


def test_no_stop_follows_a_message_that_is_looked_at() -> None:
    band = Band([RISES, FALLS], SPEC, D(0))

    assert not band.passes(quote(110, 110), SPEC, QUOTES)
    assert list(band.moved()) == []
