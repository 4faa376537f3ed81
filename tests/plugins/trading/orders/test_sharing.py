"""Orders of an account share what one message offers, whichever way they meet it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.core.matching.model import Level
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.offers import MOST_ACCOUNTS, OfferBook
from schema.words.orders import OrderLeg, TimeInForce
from schema.words.problems import Refused
from tests.plugins.trading.engine.floorhouse import wish
from tests.plugins.trading.orders.pit import PLACE, Pit
from tests.plugins.trading.orders.pit import wish as wish_of
from tests.plugins.trading.orders.slate import FREE, Slate, slate

D = Decimal
PREVIEW = "query($i: OrderPlaceInput!) { r: orderPreview(input: $i) { fills { quantity } } }"


def test_orders_that_arrive_one_after_the_other_share_the_message_that_they_meet():
    desk = slate()
    desk.price("99", "100", ask_size="3", bid_size="2")

    (first,) = desk.place(wish("BUY", "MARKET", "2"))
    with pytest.raises(Refused) as refused:
        desk.place(wish("BUY", "MARKET", "2", time_in_force=TimeInForce.FOK))
    (second,) = desk.place(wish("BUY", "LIMIT", "2", limit_price="100"))
    (third,) = desk.place(wish("BUY", "MARKET", "1"))

    assert (refused.value.code, refused.value.message) == (
        "FOK_NOT_FILLABLE", "Only 1 of 2 is offered now: 1 would pass, as would IOC or GTC, which take what there is.",
    )  # fmt: skip
    assert [desk.stand(each) for each in (first, second, third)] == [
        ("FILLED", "2"), ("PARTIALLY_FILLED", "1"), ("ACCEPTED", "0"),
    ]  # fmt: skip
    desk.meet("99", "100", ask_size="3")
    assert [desk.stand(each) for each in (second, third)] == [("FILLED", "2"), ("FILLED", "1")]


def test_what_orders_before_it_took_is_not_named_to_one_that_wants_all_of_it():
    desk = slate()
    desk.price("99", "100", ask_size="1")
    desk.place(wish("BUY", "MARKET", "1"))

    with pytest.raises(Refused) as refused:
        desk.place(wish("BUY", "LIMIT", "1", limit_price="99.5", time_in_force=TimeInForce.FOK))

    assert refused.value.message == "Nothing is offered now: use GTC, which waits for it."


def test_an_order_whose_terms_change_shares_the_message_that_it_meets_then():
    desk = slate()
    desk.price("99", "100", ask_size="3")
    (resting,) = desk.place(wish("BUY", "LIMIT", "2", limit_price="98"))
    desk.place(wish("BUY", "MARKET", "2"))

    desk.replace(resting, limit_price=D(100))

    assert desk.stand(resting) == ("PARTIALLY_FILLED", "1")


def gap(desk: Slate, first: str, **how: str) -> list[str]:
    """A stop that a message at 200 fills for more than there is, and one behind it that it does not."""
    placed = desk.place(wish("BUY", "STOP_MARKET", first, stop_price="120"), **how)
    desk.price("100")
    placed += desk.place(wish("BUY", "STOP_MARKET", "0.5", stop_price="121"), **how)
    desk.meet("199", "200", ask_size=first)
    return [row.id for row in placed]


def test_a_resting_order_that_cannot_be_paid_leaves_the_message_to_those_behind_it():
    desk = slate()

    dear, cheap = gap(desk, "7")

    assert desk.floor.orders[dear].reason == (
        "INSUFFICIENT_FUNDS: its fill costs 1400 USD, and 936.47 is free"
    )  # fmt: skip
    assert [desk.stand(desk.floor.orders[each]) for each in (dear, cheap)] == [("REJECTED", "0"), ("FILLED", "0.5")]
    assert [(fill.quantity, fill.price) for fill in desk.floor.fills] == [(D("0.5"), D(200))]


def test_one_of_a_group_that_cannot_be_paid_leaves_the_message_to_another_of_it():
    desk = slate()

    dear, cheap = gap(desk, "7", group="grp_1", leg=OrderLeg.OCO)

    assert [desk.stand(desk.floor.orders[each]) for each in (dear, cheap)] == [("REJECTED", "0"), ("FILLED", "0.5")]


def test_what_only_closes_for_want_of_margin_takes_what_those_before_it_left_and_leaves_the_rest():
    desk = slate("2000", margin="MARGIN", leverage=D(1), model={**FREE, "source": "BOOK"})
    desk.place(wish("SELL", "MARKET", "2"))
    (first,) = desk.place(wish("BUY", "LIMIT", "1", limit_price="99", reduce_only=True))
    (second,) = desk.place(wish("BUY", "LIMIT", "9", limit_price="98.5"))
    (third,) = desk.place(wish("BUY", "LIMIT", "1", limit_price="98.2"))
    # Most of what it counted on is gone by now.
    desk.floor.cash["USD"] = D(350)

    desk.price("96", "97")
    asks = (Level(price=D(97), size=D(1)), Level(price=D(98), size=D(9)))
    desk.tick = replace(desk.tick, asks=asks, bids=(Level(price=D(96), size=D(9)),))
    desk.meet_now()

    assert [desk.stand(each) for each in (first, second, third)] == [
        ("FILLED", "1"), ("CANCELED", "1"), ("FILLED", "1"),
    ]  # fmt: skip
    assert [(fill.quantity, fill.price) for fill in desk.floor.fills[1:]] == [
        (D(1), D(97)),
        (D(1), D(98)),
        (D(1), D(98)),
    ]
    assert str(desk.floor.orders[second.id].reason).startswith("INSUFFICIENT_MARGIN: its fill takes a margin of ")


def test_a_message_that_is_the_same_but_for_when_it_was_asked_for_offers_nothing_anew():
    desk = slate()
    desk.price("99", "100", ask_size="3")
    desk.place(wish("BUY", "MARKET", "2"))
    desk.tick = replace(desk.tick, at=desk.floor.now.replace(second=30))

    (again,) = desk.place(wish("BUY", "MARKET", "2"))
    desk.tick = replace(desk.tick, as_of=desk.floor.now.replace(second=30))
    (anew,) = desk.place(wish("BUY", "MARKET", "2"))

    assert (desk.stand(again), desk.stand(anew)) == (("PARTIALLY_FILLED", "1"), ("FILLED", "2"))


def test_a_message_that_was_asked_for_before_a_stream_sends_it_has_one_size():
    desk = slate()
    desk.price("99", "100", ask_size="3")
    (rests,) = desk.place(wish("BUY", "LIMIT", "5", limit_price="100"))
    desk.tick = replace(desk.tick, at=desk.floor.now.replace(second=1))

    desk.meet_now()
    once = desk.stand(rests)
    desk.tick = replace(desk.tick, at=desk.floor.now.replace(second=2))
    desk.meet_now()

    # The same again from the stream is offered again.
    assert (once, desk.stand(rests)) == (("PARTIALLY_FILLED", "3"), ("FILLED", "5"))


def test_a_message_keeps_its_size_while_another_one_is_asked_for():
    desk = slate()
    desk.price("99", "100", ask_size="3")
    first = desk.tick
    desk.place(wish("BUY", "MARKET", "2"))
    desk.tick = replace(first, as_of=desk.floor.now.replace(second=1))
    desk.place(wish("BUY", "MARKET", "1"))

    desk.tick = first
    (late,) = desk.place(wish("BUY", "MARKET", "2"))

    assert desk.stand(late) == ("PARTIALLY_FILLED", "1")


async def test_orders_of_transactions_one_after_the_other_share_one_message(pit: Pit):
    pit.price("99", "101", size="3")

    first = await pit.place("BUY", "MARKET", "2")
    dear = await pit.refused(PLACE, **wish_of("BUY", "MARKET", "99"))
    seen = await pit.see(PREVIEW, i=wish_of("BUY", "MARKET", "2", timeInForce="IOC"))
    second = await pit.place("BUY", "MARKET", "2", timeInForce="IOC")
    other = await pit.place("BUY", "MARKET", "2", accountId="tacc_2")
    pit.price("99", "101", size="3")
    anew = await pit.place("BUY", "MARKET", "2")

    assert dear[0] == "INSUFFICIENT_FUNDS"
    assert [(each["order"]["status"], each["order"]["filledQuantity"]) for each in (first, second, other, anew)] == [
        ("FILLED", "2"), ("CANCELED", "1"), ("FILLED", "2"), ("FILLED", "2"),
    ]  # fmt: skip
    assert [each["quantity"] for each in seen["fills"]] == ["1"]


async def test_what_was_undone_has_taken_nothing(pit: Pit, monkeypatch: pytest.MonkeyPatch):
    pit.price("99", "101", size="3")
    real, failures = Floor.write, [RuntimeError("away")]

    async def write(floor: Floor) -> None:
        if failures:
            raise failures.pop()
        await real(floor)

    monkeypatch.setattr(Floor, "write", write)
    body = await pit.ask(PLACE, i=wish_of("BUY", "MARKET", "3"))
    placed = await pit.place("BUY", "MARKET", "3")

    assert ("errors" in body, failures, placed["order"]["status"]) == (True, [], "FILLED")


def test_a_process_holds_what_few_accounts_have_taken_lately():
    book, desk = OfferBook(), slate()
    desk.price("99", "100", ask_size="3")
    for number in range(MOST_ACCOUNTS + 1):
        with book.taking(f"tacc_{number}"):
            (offer,) = book.of(f"tacc_{number}").of(desk.ground.market).asks  # type: ignore[union-attr]
            offer.take(D(1))
    with book.taking("tacc_none"):
        book.of("tacc_none").of(desk.ground.market)

    assert len(book._lately) == MOST_ACCOUNTS == len(book._all)
    assert {"tacc_0", "tacc_none"} & {*book._lately} == set()
