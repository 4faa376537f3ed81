"""The fill rules against quotes and books, one test each."""

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path

import pytest

from gateway.core.matching import venue
from gateway.core.matching.model import Fees
from gateway.core.matching.offers import Offered
from gateway.core.matching.venue import Meeting, accept, cancel, expire, match, resize, revise, step
from schema.words.orders import OrderStatus
from tests.gateway.matching.tapes import (
    BOOK,
    BUY,
    QUOTES,
    SELL,
    SPEC,
    at,
    depth,
    order,
    quote,
    resting,
    told,
)


def arrived(wanted, tick, model=QUOTES, **more):
    return told(accept(wanted, tick, SPEC, model, **more))


def stepped(wanted, tick, model=QUOTES, **more):
    return told(step(wanted, tick, SPEC, model, **more))


def test_a_purchase_takes_the_ask_and_a_sale_the_bid():
    now = quote(99, 101, last=100)

    assert arrived(order(BUY, "MARKET"), now) == ("FILLED", "1@101T", None)
    assert arrived(order(SELL, "MARKET"), now) == ("FILLED", "1@99T", None)


def test_the_last_price_is_taken_only_where_neither_side_is_known():
    assert arrived(order(BUY, "MARKET"), quote(last=100)) == ("FILLED", "1@100T", None)
    assert arrived(order(BUY, "MARKET"), quote(99, last=100)) == ("ACCEPTED", "", None)
    assert arrived(order(BUY, "MARKET"), quote(99, 0, last=100)) == ("ACCEPTED", "", None)


def test_a_marketable_limit_takes_the_market_price_and_never_a_worse_one_than_its_limit():
    assert arrived(order(BUY, "LIMIT", limit=102), quote(99, 101)) == ("FILLED", "1@101T", None)
    assert arrived(order(BUY, "LIMIT", limit=101), quote(99, 101)) == ("FILLED", "1@101T", None)
    assert arrived(order(SELL, "LIMIT", limit=98), quote(99, 101)) == ("FILLED", "1@99T", None)
    assert arrived(order(BUY, "LIMIT", limit=100), quote(99, 101)) == ("ACCEPTED", "", None)


def test_a_resting_limit_is_filled_as_maker_when_the_market_touches_it():
    wanted = resting(BUY, "LIMIT", limit=100)

    assert stepped(wanted, quote(99, 100.01)) == ("ACCEPTED", "", None)
    assert stepped(wanted, quote(99, 100)) == ("FILLED", "1@100M", None)
    assert stepped(resting(SELL, "LIMIT", limit=100), quote(100, 101)) == ("FILLED", "1@100M", None)


def test_a_favourable_gap_through_a_limit_fills_at_the_better_price():
    assert stepped(resting(BUY, "LIMIT", limit=100), quote(96, 97)) == ("FILLED", "1@97M", None)
    assert stepped(resting(SELL, "LIMIT", limit=100), quote(103, 104)) == ("FILLED", "1@103M", None)


@pytest.mark.parametrize(
    ("side", "stop", "before", "touch", "gap"),
    [(BUY, 110, (108, 109), "1@110T", "1@115T"), (SELL, 90, (91, 92), "1@90T", "1@85T")],
)
def test_a_stop_waits_for_its_own_side_and_a_gapped_one_fills_at_the_gap(side, stop, before, touch, gap):
    wanted = resting(side, "STOP_MARKET", stop=stop)
    touching, beyond = ((109, 110), (114, 115)) if side is BUY else ((90, 91), (85, 86))

    assert stepped(wanted, quote(*before)) == ("ACCEPTED", "", None)
    assert stepped(wanted, quote(*touching)) == ("FILLED", touch, None)
    assert stepped(wanted, quote(*beyond)) == ("FILLED", gap, None)
    assert step(wanted, quote(*beyond), SPEC, QUOTES).triggered


def test_a_stop_looks_at_the_side_that_it_takes_alone():
    assert stepped(resting(SELL, "STOP_MARKET", stop=90), quote(91, 200, last=80)) == ("ACCEPTED", "", None)
    assert stepped(resting(SELL, "STOP_MARKET", stop=90), quote(last=90)) == ("FILLED", "1@90T", None)


def test_a_stop_limit_becomes_a_limit_at_its_trigger():
    wanted = resting(BUY, "STOP_LIMIT", stop=110, limit=111)

    triggered = step(wanted, quote(111, 112), SPEC, QUOTES)
    assert told(triggered) == ("TRIGGERED", "", None)
    assert triggered.triggered
    assert told(step(triggered.order, quote(110, 111), SPEC, QUOTES)) == ("FILLED", "1@111M", None)
    assert stepped(wanted, quote(109, 110)) == ("FILLED", "1@110T", None)


def test_market_if_touched_waits_for_the_other_side_of_the_market():
    buy, sell = resting(BUY, "MARKET_IF_TOUCHED", stop=90), resting(SELL, "MARKET_IF_TOUCHED", stop=110)

    assert stepped(buy, quote(90, 91)) == ("ACCEPTED", "", None)
    assert stepped(buy, quote(88, 89)) == ("FILLED", "1@89T", None)
    assert stepped(sell, quote(109, 120)) == ("ACCEPTED", "", None)
    assert stepped(sell, quote(111, 112)) == ("FILLED", "1@111T", None)


def test_a_trailing_stop_follows_the_best_price_and_never_goes_back():
    wanted = order(SELL, "TRAILING_STOP", trail_amount=5)

    seen = [accept(wanted, quote(100, 101), SPEC, QUOTES)]
    for bid in (103, 110, 106, 105.01):
        seen.append(step(seen[-1].order, quote(bid, bid + 1), SPEC, QUOTES))
    ended = step(seen[-1].order, quote(104, 105), SPEC, QUOTES)

    assert [each.order.trail_extreme for each in seen] == [100, 103, 110, 110, 110]
    assert [each.changed for each in seen] == [True, True, True, False, False]
    assert told(ended) == ("FILLED", "1@104T", None)


def test_a_trailing_stop_by_percent_buys_above_the_lowest_ask():
    first = accept(order(BUY, "TRAILING_STOP", trail_percent=10), quote(99, 100), SPEC, QUOTES)
    lower = step(first.order, quote(49, 50), SPEC, QUOTES)

    assert stepped(lower.order, quote(53, 54.99)) == ("ACCEPTED", "", None)
    assert stepped(lower.order, quote(54, 55)) == ("FILLED", "1@55T", None)


def test_partial_fills_take_what_is_offered_and_the_rest_rests_as_maker():
    first = accept(order(BUY, "LIMIT", "5", limit=100), quote(99, 100, 9, 2), SPEC, QUOTES)
    second = step(first.order, quote(98, 99, 9, 1), SPEC, QUOTES)
    third = step(second.order, quote(98, 99), SPEC, QUOTES)

    assert told(first) == ("PARTIALLY_FILLED", "2@100T", None)
    assert told(second) == ("PARTIALLY_FILLED", "1@99M", None)
    assert told(third) == ("FILLED", "2@99M", None)
    assert [third.order.filled, third.order.fills, third.executions[0].number] == [5, 3, 3]


def test_the_rest_of_a_market_order_takes_the_messages_that_follow():
    first = accept(order(BUY, "MARKET", "3"), quote(99, 100, 9, 2), SPEC, QUOTES)

    assert told(first) == ("PARTIALLY_FILLED", "2@100T", None)
    assert stepped(first.order, quote(104, 105, 9, 2)) == ("FILLED", "1@105T", None)


def test_an_order_takes_its_participation_of_the_size_rounded_down_to_the_step():
    third = replace(QUOTES, participation=D("0.333"))

    assert arrived(order(BUY, "MARKET", "5"), quote(99, 100, 9, "1.01"), third)[1] == "0.336@100T"
    assert arrived(order(BUY, "MARKET", "5"), quote(99, 100, 9, "0.002"), third) == ("ACCEPTED", "", None)
    assert arrived(order(BUY, "MARKET", "5"), quote(last=100, traded=3), third)[1] == "0.999@100T"


def test_a_book_is_taken_level_by_level():
    book = depth(bids=[(99, 1), (98, 5)], asks=[(100, "0.5"), (101, 2), (103, 9)])

    assert arrived(order(BUY, "MARKET", "3"), book, BOOK) == ("FILLED", "0.5@100T 2@101T 0.5@103T", None)
    assert arrived(order(BUY, "LIMIT", "3", limit=101), book, BOOK) == ("PARTIALLY_FILLED", "0.5@100T 2@101T", None)
    assert arrived(order(SELL, "MARKET", "2"), book, BOOK) == ("FILLED", "1@99T 1@98T", None)
    half = replace(BOOK, participation=D("0.5"))
    assert arrived(order(SELL, "MARKET", "2"), book, half) == ("FILLED", "0.5@99T 1.5@98T", None)


def test_a_book_account_takes_the_quote_where_a_message_has_no_depth():
    assert arrived(order(BUY, "MARKET"), quote(99, 100, 1, 1), BOOK) == ("FILLED", "1@100T", None)


def test_immediate_or_cancel_cancels_what_is_not_filled_at_once():
    now = quote(99, 100, 9, 2)

    assert arrived(order(BUY, "MARKET", "3", tif="IOC"), now) == ("CANCELED", "2@100T", "IOC_UNFILLED")
    assert arrived(order(BUY, "LIMIT", "3", limit=99, tif="IOC"), now) == ("CANCELED", "", "IOC_UNFILLED")
    assert arrived(order(BUY, "LIMIT", "2", limit=100, tif="IOC"), now) == ("FILLED", "2@100T", None)


def test_fill_or_kill_is_all_or_nothing_and_takes_nothing_where_it_is_refused():
    book = depth(asks=[(100, 1), (101, 1)])
    offered = Offered.of(book, SPEC, BOOK)
    whole = order(BUY, "LIMIT", "2.5", limit=101, tif="FOK")

    refused = accept(whole, book, SPEC, BOOK, offered=offered)

    assert told(refused) == ("REJECTED", "", "FOK_NOT_FILLABLE")
    assert [offer.left for offer in offered.asks] == [1, 1]
    assert arrived(replace(whole, quantity=D(2)), book, BOOK) == ("FILLED", "1@100T 1@101T", None)
    assert arrived(replace(whole, limit_price=D(100)), book, BOOK) == ("REJECTED", "", "FOK_NOT_FILLABLE")


def test_a_stop_that_is_immediate_or_cancel_counts_from_its_trigger():
    wanted = resting(BUY, "STOP_MARKET", "3", stop=110, tif="IOC")

    assert stepped(wanted, quote(99, 100, 9, 2)) == ("ACCEPTED", "", None)
    assert stepped(wanted, quote(109, 110, 9, 2)) == ("CANCELED", "2@110T", "IOC_UNFILLED")


def test_post_only_is_rejected_where_it_would_take_and_rests_where_not():
    assert arrived(order(BUY, "LIMIT", limit=101, post_only=True), quote(99, 101)) == (
        "REJECTED", "", "POST_ONLY_WOULD_TAKE",
    )  # fmt: skip
    rests = accept(order(BUY, "LIMIT", limit=100, post_only=True), quote(99, 101), SPEC, QUOTES)
    assert told(rests) == ("ACCEPTED", "", None)
    assert stepped(rests.order, quote(99, 100)) == ("FILLED", "1@100M", None)


def test_nothing_happens_before_the_latency_is_over():
    slow = replace(QUOTES, latency_ms=1_500)
    first = accept(order(BUY, "MARKET"), quote(99, 100), SPEC, slow)

    assert told(first) == ("ACCEPTED", "", None)
    assert first.order.due_at == at(1.5)
    assert stepped(first.order, quote(99, 101, seconds=1), slow) == ("ACCEPTED", "", None)
    assert stepped(first.order, quote(99, 105, seconds=2), slow) == ("FILLED", "1@105T", None)
    assert stepped(first.order, quote(99, 101, seconds=1), slow, now=at(1.5)) == ("FILLED", "1@101T", None)


def test_a_message_is_not_looked_at_again_for_an_order_that_has_met_it():
    first = accept(order(BUY, "LIMIT", "3", limit=100), quote(99, 100, 9, 2), SPEC, QUOTES)

    assert stepped(first.order, quote(99, 100, 9, 2), now=at(1)) == ("PARTIALLY_FILLED", "", None)


def test_a_stale_price_fills_and_triggers_nothing():
    old = quote(99, 100, seconds=61, as_of=at(0))

    assert stepped(resting(BUY, "LIMIT", limit=100), old) == ("ACCEPTED", "", None)
    assert stepped(resting(BUY, "STOP_MARKET", stop=90), old) == ("ACCEPTED", "", None)
    assert stepped(resting(BUY, "LIMIT", limit=100), quote(99, 100, seconds=60, as_of=at(0)))[0] == "FILLED"
    assert arrived(order(BUY, "MARKET", seconds=61), quote(99, 100, as_of=at(0))) == ("ACCEPTED", "", None)


def test_a_price_without_a_stamp_does_not_age_however_long_ago_it_came():
    assert arrived(order(BUY, "MARKET", seconds=86_400), quote(99, 100)) == ("FILLED", "1@100T", None)


def test_a_closed_market_fills_nothing_and_moves_no_trailing_stop():
    trailing = resting(SELL, "TRAILING_STOP", trail_amount=5, trail_extreme=100)

    assert arrived(order(BUY, "MARKET"), quote(99, 100), open=False) == ("ACCEPTED", "", None)
    assert step(trailing, quote(120, 121), SPEC, QUOTES, open=False).order is trailing


def test_an_order_is_expired_from_its_time_on_and_filled_by_no_message_after():
    wanted = resting(BUY, "LIMIT", limit=100, tif="GTD", expires_at=at(10))

    assert told(expire(wanted, at(9))) == ("ACCEPTED", "", None)
    assert told(expire(wanted, at(10))) == ("EXPIRED", "", "EXPIRED")
    assert stepped(wanted, quote(99, 100, seconds=10)) == ("EXPIRED", "", "EXPIRED")
    assert stepped(wanted, quote(99, 100, seconds=9)) == ("FILLED", "1@100M", None)


def test_a_reduce_only_order_fills_what_is_held_and_ends():
    wanted = order(SELL, "MARKET", "3", reduce_only=True)
    now = quote(99, 100)

    assert arrived(wanted, now, most=D(2)) == ("CANCELED", "2@99T", "REDUCE_ONLY_WOULD_INCREASE")
    assert arrived(wanted, now, most=D(3)) == ("FILLED", "3@99T", None)
    assert arrived(wanted, now, most=D(0)) == ("REJECTED", "", "REDUCE_ONLY_WOULD_INCREASE")


def test_orders_share_a_message_in_price_time_order():
    waiting = [
        resting(BUY, "LIMIT", "2", limit=100, name="early", seconds=-3),
        resting(BUY, "LIMIT", "2", limit=101, name="better", seconds=-1),
        resting(BUY, "LIMIT", "2", limit=100, name="late", seconds=-2),
        resting(BUY, "MARKET", "1", name="market", seconds=0),
    ]

    steps = match(waiting, quote(99, 100, 9, 4), SPEC, QUOTES)

    assert [(each.order.id, *told(each)[:2]) for each in steps] == [
        ("market", "FILLED", "1@100T"),
        ("better", "FILLED", "2@100M"),
        ("early", "PARTIALLY_FILLED", "1@100M"),
        ("late", "ACCEPTED", ""),
    ]


def test_both_sides_share_what_was_traded_where_only_the_last_price_is_known():
    waiting = [resting(BUY, "LIMIT", "2", limit=100, name="buy"), resting(SELL, "LIMIT", "2", limit=100, name="sell")]

    assert [told(each)[1] for each in match(waiting, quote(last=100, traded=3), SPEC, QUOTES)] == ["2@100M", "1@100M"]


def test_of_orders_that_came_in_one_instant_the_one_that_was_placed_first_is_filled_first():
    waiting = [resting(BUY, "LIMIT", "3", limit=100, name=name, number=at_) for name, at_ in (("a", 2), ("b", 1))]

    found = {each.order.id: told(each)[1] for each in match(waiting, quote(99, 100, 9, 4), SPEC, QUOTES)}

    assert found == {"b": "3@100M", "a": "1@100M"}


def test_reduce_only_orders_close_the_position_together_at_most():
    waiting = [resting(SELL, "LIMIT", "2", limit=90 + n, name=f"s{n}", reduce_only=True) for n in range(3)]

    steps = match(waiting, quote(99, 100), SPEC, QUOTES, held=D(3))

    assert [told(each) for each in steps] == [
        ("FILLED", "2@99M", None),
        ("CANCELED", "1@99M", "REDUCE_ONLY_WOULD_INCREASE"),
        ("REJECTED", "", "REDUCE_ONLY_WOULD_INCREASE"),
    ]


def test_one_message_fills_one_order_of_a_group():
    waiting = [resting(SELL, "LIMIT", limit=90, name=name, group="g") for name in ("a", "b")]

    assert [told(each)[0] for each in match(waiting, quote(99, 100), SPEC, QUOTES)] == ["FILLED", "ACCEPTED"]


def test_what_trails_follows_a_message_that_passes_it_by():
    profit = resting(SELL, "LIMIT", limit=105, name="profit", group="g")
    trails = resting(SELL, "TRAILING_STOP", name="trails", group="g", trail_amount="5", trail_extreme="104")

    passed = match([profit, trails], quote(108, 109), SPEC, QUOTES)[1]
    touched = match([profit, replace(trails, trail_extreme=D(115))], quote(108, 109), SPEC, QUOTES)[1]
    arriving = match([profit, replace(trails, due_at=at(0))], quote(108, 109), SPEC, QUOTES)[1]

    assert (passed.order.trail_extreme, passed.changed, told(passed)[:2]) == (D(108), True, ("ACCEPTED", ""))
    assert (touched.changed, told(touched)[:2]) == (False, ("ACCEPTED", ""))
    assert not arriving.changed


def test_a_message_of_another_instrument_and_an_ended_order_are_passed_by():
    other = replace(quote(99, 100), instrument=replace(SPEC.instrument, base="ETH"))
    ended = replace(order(BUY, "MARKET"), status=OrderStatus.CANCELED)

    assert stepped(resting(BUY, "MARKET"), other) == ("ACCEPTED", "", None)
    for made in (step(ended, quote(99, 100), SPEC, QUOTES), expire(ended, at(9)), cancel(ended), resize(ended, D(9))):
        assert made.order is ended
        assert not made.changed


def test_a_replaced_order_arrives_anew_and_loses_its_place():
    slow = replace(QUOTES, latency_ms=500)
    rests = resting(BUY, "LIMIT", "3", limit=100, filled=D(1), fills=1)

    other = replace(resting(BUY, "LIMIT", limit=102, name="other"), accepted_at=at(4))

    made = revise(replace(rests, limit_price=D(102)), at(5), slow)

    assert made.order.due_at == at(5) + timedelta(milliseconds=500)
    assert stepped(made.order, quote(99, 101, seconds=6), slow) == ("FILLED", "2@101T", None)
    queue = Meeting(quote(99, 101), SPEC, QUOTES).queue([made.order, other])
    assert [each.id for each in queue] == [other.id, rests.id]


def test_a_quantity_that_falls_to_what_is_filled_fills_the_order():
    partly = resting(BUY, "LIMIT", "3", limit=100, filled=D(2), fills=1)
    partly = replace(partly, status=OrderStatus.PARTIALLY_FILLED)

    assert told(resize(partly, D(2)))[0] == "FILLED"
    assert told(revise(replace(partly, quantity=D(1)), at(1), QUOTES))[0] == "FILLED"
    assert resize(partly, D(4)).order.left == 2
    assert not resize(partly, D(1)).changed


def test_an_order_with_nothing_left_meets_nothing_and_does_not_end():
    asleep = replace(resting(SELL, "STOP_MARKET", "3", stop=90), quantity=D(0), reduce_only=True)

    made = step(asleep, quote(85, 86), SPEC, QUOTES, most=D(0))

    assert (made.order, made.changed) == (asleep, False)


def test_a_stop_that_is_passed_on_arrival_is_triggered_at_once():
    made = accept(order(SELL, "STOP_MARKET", stop=90), quote(85, 86), SPEC, QUOTES)

    assert (told(made), made.triggered) == (("FILLED", "1@85T", None), True)


def test_a_triggered_stop_waits_where_its_message_offers_nothing():
    made = step(resting(SELL, "STOP_MARKET", stop=90), quote(90, 91, 0, 5), SPEC, QUOTES)

    assert (told(made), made.triggered) == (("TRIGGERED", "", None), True)
    assert stepped(made.order, quote(95, 96)) == ("FILLED", "1@95T", None)


def test_levels_of_no_size_and_no_price_are_no_offers():
    book = depth(bids=[(0, 5), (98, 1)], asks=[(100, 0), (101, 1)])

    assert arrived(order(BUY, "MARKET"), book, BOOK) == ("FILLED", "1@101T", None)
    assert arrived(order(SELL, "MARKET"), book, BOOK) == ("FILLED", "1@98T", None)


def test_nobody_is_on_the_empty_side_of_a_book():
    empty = depth(bids=[(98, 1)])

    assert arrived(order(BUY, "MARKET", tif="IOC"), empty, BOOK) == ("CANCELED", "", "IOC_UNFILLED")
    assert arrived(order(BUY, "LIMIT", limit=99, tif="FOK"), empty, BOOK) == ("REJECTED", "", "FOK_NOT_FILLABLE")
    assert arrived(order(BUY, "STOP_MARKET", stop=99, tif="IOC"), empty, BOOK) == ("ACCEPTED", "", None)
    rests = accept(order(BUY, "LIMIT", limit=99, post_only=True), empty, SPEC, BOOK)
    assert stepped(rests.order, depth(asks=[(99, 1)]), BOOK) == ("FILLED", "1@99M", None)
    assert step(step(rests.order, empty, SPEC, BOOK).order, empty, SPEC, BOOK).changed is False
    assert arrived(order(BUY, "MARKET", tif="IOC"), quote(98), QUOTES) == ("ACCEPTED", "", None)


def test_sizes_in_units_are_offered_as_contracts():
    contracts = replace(SPEC, contract_size=D("0.1"), step=D("0.1"), derivative=True)

    made = accept(order(BUY, "MARKET", "9"), quote(99, 100, 1, "0.55"), contracts, replace(QUOTES, fees=Fees()))

    assert told(made)[1] == "5@100T"
    assert made.executions[0].fee == D("0.01")


def test_quantities_of_twenty_digits_behind_the_point_are_filled_to_the_last():
    fine, loose = "12345678901.12345678901234567891", replace(SPEC, tick=None, step=None)

    first = accept(order(BUY, "MARKET", fine), quote(99, 100, 1, "5.123456789"), loose, QUOTES)
    second = step(first.order, quote(99, 100), loose, QUOTES)

    assert first.executions[0].quantity == D("5.12345678")
    assert (second.order.status, second.order.filled) == (OrderStatus.FILLED, D(fine))


def test_a_reduce_only_order_does_not_touch_what_an_order_before_it_closed():
    waiting = [resting(SELL, "MARKET", "2", name="market"), resting(SELL, "LIMIT", "2", limit=90, reduce_only=True)]

    assert [told(each)[1] for each in match(waiting, quote(99, 100), SPEC, QUOTES, held=D(3))] == ["2@99T", "1@99M"]


def test_matching_loads_no_numpy():
    modules = [path.stem for path in Path(venue.__file__).parent.glob("*.py") if path.stem != "__init__"]
    program = "import sys\n" + "".join(f"import gateway.core.matching.{each}\n" for each in sorted(modules))

    done = subprocess.run(
        [sys.executable, "-c", program + "print('numpy' in sys.modules)"], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"


def test_what_waits_for_nothing_ends_where_it_reaches_a_market_that_has_closed():
    late = replace(QUOTES, latency_ms=1000)
    for tif in ("IOC", "FOK"):
        sent = accept(order(BUY, "LIMIT", tif=tif, limit=102), None, SPEC, late).order

        assert stepped(sent, quote(99, 101, seconds=0.5), open=False) == ("ACCEPTED", "", None)
        assert stepped(sent, quote(99, 101, seconds=1), open=False) == ("REJECTED", "", "MARKET_CLOSED")
    rests = accept(order(BUY, "MARKET"), None, SPEC, late).order
    assert stepped(rests, quote(99, 101, seconds=1), open=False) == ("ACCEPTED", "", None)


def test_what_comes_to_nothing_in_money_is_not_filled_while_more_of_the_order_is_left():
    wanted, fine = order(BUY, "LIMIT", "0.011", limit=1), replace(SPEC, step=D("0.000001"))

    little = accept(wanted, quote("0.9", 1, 1, "0.005"), fine, QUOTES)
    enough = accept(wanted, quote("0.9", 1, 1, "0.006"), fine, QUOTES)
    last = step(enough.order, quote("0.9", 1, 1, 1), fine, QUOTES)

    filled = [[each.quantity for each in made.executions] for made in (little, enough, last)]
    assert filled == [[], [D("0.006")], [D("0.005")]]
