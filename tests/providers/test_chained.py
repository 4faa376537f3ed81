"""Books whose changes name the one before: shown while the chain holds, given up where it breaks."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from providers.crypto._chained import ChainedBooks
from providers.feeds import Gap, Said, Topic
from schema.symbols import parse_instrument
from schema.words.books import ORDER_BOOK, OrderBookAsk, PriceLevel

TOPIC = Topic(
    channel="book", capability=ORDER_BOOK, ask=OrderBookAsk(instrument=parse_instrument("crypto:BTC/USD"))
)  # fmt: skip
LINKS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 5)), max_size=12)


def level(size: int, price: int = 10) -> tuple[PriceLevel, ...]:
    return (PriceLevel(price=Decimal(price), size=Decimal(size)),)


@given(links=LINKS)
def test_a_change_is_shown_if_it_follows_the_last_one_and_nothing_after_one_that_does_not(
    links: list[tuple[int, int, int]],
):
    books = ChainedBooks()
    books.begin(TOPIC, 1, level(1), (), None)
    held: int | None = 1

    for previous, number, size in links:
        news = books.follow(TOPIC, previous, number, level(size), (), None)
        if held is None or number <= held:
            assert news == []
        elif previous != held:
            assert [type(each) for each in news] == [Gap]
            held = None
        else:
            (said,) = news
            assert isinstance(said, Said)
            assert (said.values[0].bids, said.values[0].sequence) == (level(size), str(number))
            assert (said.values[0].verified, said.snapshot) == (True, False)
            held = number


def test_after_a_gap_all_levels_begin_the_book_anew():
    books = ChainedBooks()
    books.begin(TOPIC, 1, level(1, price=9), (), None)
    books.follow(TOPIC, 5, 6, level(2), (), None)

    (said,) = books.begin(TOPIC, 7, level(3), (), None)

    assert isinstance(said, Said)
    assert (said.values[0].bids, said.snapshot) == (level(3), True)


def test_a_forgotten_book_is_changed_no_more():
    books = ChainedBooks()
    books.begin(TOPIC, 1, level(1), (), None)

    books.forget("book")

    assert books.follow(TOPIC, 1, 2, level(2), (), None) == []
