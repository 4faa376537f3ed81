"""Lots by average cost and first in, first out: exact to the last digit."""

import subprocess
import sys
import time
from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.quant.lots import Closing, Fee, Income, Lot, LotMethod, Split, Trade, book
from schema.errors import BadInput

FIFO, AVERAGE = LotMethod.FIFO, LotMethod.AVERAGE_COST


def day(number):
    return date(2024, 1, 1) + timedelta(days=number)


def trade(number, quantity, price, fee="0"):
    return Trade(at=day(number), quantity=D(quantity), price=D(price), fee=D(fee))


BOUGHT_TWICE = [trade(0, "100", "10", "1"), trade(1, "100", "12", "1"), trade(2, "-150", "15", "1.5")]


def test_first_in_first_out_sells_the_oldest_first():
    found = book(BOUGHT_TWICE, FIFO)

    assert found.closings == (
        Closing(opened=day(0), closed=day(2), quantity=D(100), cost=D(1000), proceeds=D(1500)),
        Closing(opened=day(1), closed=day(2), quantity=D(50), cost=D(600), proceeds=D(750)),
    )
    assert [closing.pnl for closing in found.closings] == [D(500), D(150)]
    assert found.lots == (Lot(opened=day(1), quantity=D(50), cost=D(600)),)
    assert (found.realised, found.unrealised(D(16)), found.fees) == (D(650), D(200), D("3.5"))
    assert found.total(D(16)) == D("846.5")


def test_average_cost_sells_at_the_average():
    found = book(BOUGHT_TWICE, AVERAGE)

    assert found.closings == (Closing(opened=day(0), closed=day(2), quantity=D(150), cost=D(1650), proceeds=D(2250)),)
    assert (found.quantity, found.cost, found.realised, found.unrealised(D(16))) == (D(50), D(550), D(600), D(250))
    assert found.total(D(16)) == D("846.5")


def test_selling_more_than_is_held_goes_short_and_buying_covers():
    entries = [trade(0, "10", "100"), trade(1, "-15", "110"), trade(2, "5", "90")]

    short = book(entries[:2], FIFO)
    flat = book(entries, FIFO)

    assert short.lots == (Lot(opened=day(1), quantity=D(-5), cost=D(-550)),)
    assert (short.realised, short.unrealised(D(100))) == (D(100), D(50))
    assert flat.lots == ()
    assert flat.closings[1] == Closing(opened=day(1), closed=day(2), quantity=D(-5), cost=D(-550), proceeds=D(-450))
    assert flat.realised == D(200)


@pytest.mark.parametrize("method", LotMethod)
def test_a_split_changes_quantities_and_not_cost(method):
    entries = [trade(0, "10", "400"), Split(at=day(1), new=D(4)), trade(2, "-15", "110")]

    found = book(entries, method)

    assert found.lots == (Lot(opened=day(0), quantity=D(25), cost=D(2500)),)
    assert found.realised == D(150)


def test_a_reverse_split_of_a_short_position():
    found = book([trade(0, "-30", "2"), Split(at=day(1), new=D(1), old=D(10)), trade(2, "3", "15")], AVERAGE)

    assert (found.lots, found.realised) == ((), D(15))


def test_income_and_fees_are_apart_from_pnl():
    entries = [trade(0, "10", "5"), Income(at=day(1), amount=D("2.5")), Fee(at=day(2), amount=D("0.75"))]

    found = book(entries, FIFO)

    assert (found.realised, found.unrealised(D(5)), found.income, found.fees) == (D(0), D(0), D("2.5"), D("0.75"))
    assert found.total(D(5)) == D("1.75")


def test_a_third_of_a_cost_is_rounded_and_the_rest_stays_with_the_lot():
    found = book([trade(0, "1", "1"), trade(0, "2", "0"), trade(1, "-1", "1"), trade(2, "-2", "1")], AVERAGE)

    assert [closing.cost for closing in found.closings] == [D("0." + "3" * 24), D("0." + "6" * 23 + "7")]
    assert found.realised == D(2)


def test_an_empty_book():
    found = book([], FIFO)

    assert (found.lots, found.quantity, found.total(D(10))) == ((), D(0), D(0))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            [trade(1, "1", "1"), trade(0, "1", "1")],
            "entries[1].at: 2024-01-01 is before 2024-01-02: give them in order",
        ),
        ([trade(0, "0", "1")], "entries[0].quantity: a trade of nothing: leave it out"),
        ([trade(0, "NaN", "1")], "entries[0].quantity: NaN is not a number"),
        ([trade(0, "1", "Infinity")], "entries[0].price: Infinity is not a number"),
        ([trade(0, "1", "1E+31")], "entries[0].price: 1E+31: at most 24 decimals, and below 10^31"),
        ([trade(0, "1", "1E-25")], "entries[0].price: 1E-25: at most 24 decimals, and below 10^31"),
        ([Split(at=day(0), new=D(0))], "entries[0].new: a split of 0 for 1: both must be above 0"),
        ([Income(at=day(0), amount=D("sNaN"))], "entries[0].amount: sNaN is not a number"),
    ],
)
def test_what_cannot_be_an_entry_is_named(entries, message):
    with pytest.raises(BadInput) as refused:
        book(entries, FIFO)

    assert refused.value.message.startswith(message)


quantities = st.decimals(-1_000, 1_000, places=8).filter(bool)
prices = st.decimals("0.0001", 100_000, places=4)
entries = st.one_of(
    st.tuples(quantities, prices, st.decimals(0, 10, places=2)),
    st.sampled_from((D(2), D("0.5"), D(10))),
)


def tape(steps):
    return [
        Split(at=day(at), new=step)
        if isinstance(step, D)
        else Trade(at=day(at), quantity=step[0], price=step[1], fee=step[2])
        for at, step in enumerate(steps)
    ]


@pytest.mark.parametrize("method", LotMethod)
@given(steps=st.lists(entries, max_size=16), last=prices)
def test_realised_and_unrealised_sum_to_cash_and_value_exactly(method, steps, last):
    cash = quantity = fees = D(0)
    for entry in tape(steps):
        if isinstance(entry, Split):
            quantity *= entry.new
        else:
            cash, quantity, fees = cash - entry.quantity * entry.price, quantity + entry.quantity, fees + entry.fee

    found = book(tape(steps), method)

    assert found.quantity == quantity
    assert found.total(last) == cash + quantity * last - fees
    assert len({lot.quantity > 0 for lot in found.lots}) <= 1


@given(st.lists(entries, max_size=16), prices)
def test_both_methods_agree_once_all_is_closed(steps, last):
    open_quantity = book(tape(steps), FIFO).quantity
    closing = [Trade(at=day(99), quantity=-open_quantity, price=last)] if open_quantity else []

    by_age, by_average = (book([*tape(steps), *closing], method) for method in (FIFO, AVERAGE))

    assert by_age.lots == by_average.lots == ()
    assert by_age.realised == by_average.realised


def test_a_split_and_its_reverse_leave_units_as_they_were():
    entries = [trade(0, "10", "3"), Split(at=day(1), new=D(1), old=D(3)), Split(at=day(2), new=D(3))]

    assert book(entries, FIFO).lots == (Lot(opened=day(0), quantity=D(10), cost=D(30)),)


@pytest.mark.parametrize("method", LotMethod)
def test_thousands_of_splits_of_thousands_of_lots_take_no_time(method):
    steps = [(trade(n, "1", "5"), Split(at=day(n), new=D(2) if n % 2 else D("0.5"))) for n in range(2_500)]
    begun = time.thread_time()

    found = book([entry for step in steps for entry in step], method)

    assert time.thread_time() - begun < 1
    # A pair of days brings 1 unit, halves all, brings another, and doubles all.
    assert (found.quantity, found.cost) == (D(1_250 + 2 * 1_250), D(12_500))


def test_lots_need_no_numpy():
    code = "import sys; import gateway.core.quant.lots; print('numpy' in sys.modules)"

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout == "False\n"
