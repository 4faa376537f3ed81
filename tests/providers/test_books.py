"""Order books kept from snapshots and changes, against a plain dictionary and the venues' own sums."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.books import (
    MOST_WAITING,
    SHOWN,
    Book,
    Change,
    NumberedBook,
    Order,
    changes,
    crc32,
    following,
    signed_crc32,
    spanning,
)
from providers.row import Row
from schema.errors import Malformed
from schema.symbols import parse_instrument
from schema.words.books import PriceLevel

BTC = parse_instrument("crypto:BTC/USD")
PRICES = st.integers(1, 30).map(lambda tenths: Decimal(tenths) / 10)
LEVELS = st.lists(st.tuples(PRICES, st.integers(0, 3).map(Decimal)), max_size=8)


def levels(pairs: list[tuple[Decimal, Decimal]]) -> tuple[PriceLevel, ...]:
    return tuple(PriceLevel(price=price, size=size) for price, size in pairs)


def level(price: str, size: str) -> PriceLevel:
    return PriceLevel(price=Decimal(price), size=Decimal(size))


@given(start=LEVELS, steps=st.lists(LEVELS, max_size=6))
def test_a_book_holds_what_a_dictionary_would_best_first(
    start: list[tuple[Decimal, Decimal]], steps: list[list[tuple[Decimal, Decimal]]]
):
    book, plain = Book(BTC), dict(start)
    book.start(levels(start), levels(start))

    for step in steps:
        plain |= dict(step)
        book.change(levels(step), levels(step))

    resting = sorted((price, size) for price, size in plain.items() if size)
    assert [(each.price, each.size) for each in book.asks(99)] == resting
    assert [(each.price, each.size) for each in book.bids(99)] == resting[::-1]


@given(start=LEVELS, step=LEVELS, depth=st.integers(1, 5))
def test_a_book_of_a_depth_forgets_what_lies_deeper(
    start: list[tuple[Decimal, Decimal]], step: list[tuple[Decimal, Decimal]], depth: int
):
    book = Book(BTC, depth)
    book.start(levels(start), levels(start))
    kept = dict(sorted((price, size) for price, size in dict(start).items() if size)[:depth])

    book.change((), levels(step))

    resting = sorted((price, size) for price, size in (kept | dict(step)).items() if size)
    assert [(each.price, each.size) for each in book.asks(99)] == resting[:depth]
    assert len(book.bids(99)) <= depth


def test_long_prices_keep_every_digit_on_both_sides():
    price = "12345678901234567890.1234567890123456789"
    book = Book(BTC)

    book.start((level(price, "1"),), (level(price, "1"),))

    assert str(book.bids(1)[0].price) == str(book.asks(1)[0].price) == price
    assert book.size_at(Decimal(price), bid=True) == 1
    assert book.size_at(Decimal("5"), bid=False) == 0


@pytest.mark.parametrize(("bid", "ask", "crossed"), [("1", "2", False), ("2", "2", True), ("3", "2", True)])
def test_a_book_is_crossed_where_a_bid_reaches_an_ask(bid: str, ask: str, crossed: bool):
    book = Book(BTC)

    book.start((level(bid, "1"),), (level(ask, "1"),))

    assert book.crossed is crossed


def test_what_is_shown_is_bounded_and_an_empty_side_crosses_nothing():
    book = Book(BTC)
    book.start((), tuple(level(str(price), "1") for price in range(1, SHOWN + 5)))

    shown = book.shown(as_of=None, sequence="7", verified=True)

    assert (len(shown.bids), len(shown.asks), shown.sequence, shown.verified) == (0, SHOWN, "7", True)
    assert not book.crossed


@pytest.mark.parametrize(
    ("held", "first", "final", "order"),
    [(10, 5, 10, Order.OLD), (10, 11, 11, Order.NEXT), (10, 8, 12, Order.NEXT), (10, 12, 13, Order.GAP)],
)
def test_changes_that_say_what_they_span_are_old_next_or_after_a_gap(held: int, first: int, final: int, order: Order):
    assert spanning(held, first, final) is order


@pytest.mark.parametrize(
    ("held", "previous", "final", "order"),
    [(10, 9, 10, Order.OLD), (10, 10, 14, Order.NEXT), (10, 11, 14, Order.GAP), (10, 9, 14, Order.GAP)],
)
def test_changes_that_name_the_one_before_are_old_next_or_after_a_gap(
    held: int, previous: int, final: int, order: Order
):
    assert following(held, previous, final) is order


def change(first: int, final: int, price: str = "1") -> Change:
    return Change(first=first, final=final, bids=(level(price, "1"),), asks=())


def test_changes_wait_for_the_snapshot_and_those_that_it_has_are_dropped():
    book = NumberedBook(BTC)

    assert [book.take(change(1, 2, "5")), book.take(change(3, 6, "6"))] == [Order.OLD, Order.OLD]
    assert book.begin(4, (level("4", "1"),), ()) is Order.NEXT

    assert [str(each.price) for each in book.bids(9)] == ["6", "4"]
    assert book.held == 6
    assert [book.take(change(7, 7)), book.take(change(7, 7)), book.take(change(9, 9))] == [
        Order.NEXT, Order.OLD, Order.GAP,
    ]  # fmt: skip


def test_a_snapshot_from_before_the_first_change_that_waited_is_a_gap():
    book = NumberedBook(BTC)
    book.take(change(7, 8))

    assert book.begin(5, (), ()) is Order.GAP


def test_not_everything_waits_for_a_snapshot_that_never_comes():
    book = NumberedBook(BTC)

    orders = [book.take(change(number, number)) for number in range(MOST_WAITING + 1)]

    assert orders.count(Order.GAP) == 1
    assert orders[-1] is Order.GAP


def test_the_checksum_of_the_documentation_comes_out_signed_or_not():
    # "123456789" is the check value of CRC-32: https://reveng.sourceforge.io/crc-catalogue/17plus.htm
    assert crc32("123456789") == 0xCBF43926
    assert signed_crc32("123456789") == 0xCBF43926 - 2**32
    assert signed_crc32("") == 0


def test_levels_of_size_zero_are_changes_and_broken_rows_say_where():
    rows = Row("x", {"b": [["1.50", "0.00"], ["2", 3, 4]]})["b"]

    assert changes(rows) == (level("1.50", "0.00"), level("2", "3"))
    with pytest.raises(Malformed, match=r"x: \$\.b\[0\] has no 2"):
        changes(rows, orders=2)
