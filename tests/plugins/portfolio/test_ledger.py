"""Units, cash and days of a portfolio: properties that hold whatever happens."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, getcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ports import PanelAsk
from gateway.core.quant import performance_requests
from gateway.core.quant.lots import LotMethod, Split, Trade, book, book_in_steps
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.steps import whole
from plugins.portfolio.ledger import Ratios, held_after, held_in_steps, total
from plugins.portfolio.money import money, share
from plugins.portfolio.prices.days import bounds, expected, floor, following
from plugins.portfolio.prices.panels import MOST_CELLS, MOST_OF_JOB, Series, check_cells
from plugins.portfolio.prices.rates import Rates
from plugins.portfolio.shapes.holdings import PortfolioHoldings
from plugins.portfolio.store import TransactionRow
from plugins.portfolio.transactions import Draft, TransactionKind, check_draft
from plugins.portfolio.valuation.daily import (
    Prices,
    contributions_in_steps,
    contributions_of,
    course_in_steps,
    course_of,
    flows_in_steps,
    return_of,
)
from plugins.portfolio.valuation.holdings import Worth
from plugins.portfolio.valuation.how import LONGEST_WINDOW, How
from plugins.portfolio.valuation.income import earned, within
from plugins.portfolio.valuation.marks import Marks
from schema.currencies import read_currency
from schema.errors import BadInput
from schema.provenance import UNSTAMPED
from schema.symbols import parse_instrument
from schema.words.intervals import Interval
from schema.words.problems import Refused

BTC, ETH = "crypto:BTC/USD", "crypto:ETH/USD"
FIRST = date(2026, 1, 1)
D = Decimal


def row(day: int, kind: str, **more: Any) -> TransactionRow:
    at = datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)
    usual: dict[str, Any] = {
        "instrument": None, "quantity": None, "price": None, "amount": None, "fee": D(0), "ratio": None,
        "currency": "USD", "note": None, "idempotency_key": None, "request_digest": None,
    }  # fmt: skip
    return TransactionRow(
        tenant_id="t", id="x", portfolio_id="p", sequence=1, at=at, kind=kind, made_by="u", created_at=at,
        **{**usual, **more},
    )  # fmt: skip


def series(name: str, closes: dict[date, Decimal]) -> Series:
    return Series(instrument=parse_instrument(name), currency="USD", closes=closes, due=(), provenance=UNSTAMPED)


def every_day(prices: list[Decimal]) -> dict[date, Decimal]:
    return {FIRST + timedelta(days=n): price for n, price in enumerate(prices)}


amounts = st.decimals(min_value=D("0.01"), max_value=D(10_000), places=2)
prices = st.lists(amounts, min_size=6, max_size=6)
events = st.lists(
    st.tuples(
        st.integers(1, 5), st.sampled_from(["BUY", "SELL", "DIVIDEND", "FEE", "DEPOSIT", "TRANSFER_IN"]),
        st.sampled_from([BTC, ETH]), amounts, amounts,
    ),
    max_size=12,
)  # fmt: skip


def happened(told: list[tuple[int, str, str, Decimal, Decimal]]) -> list[TransactionRow]:
    """In order, after so much cash that no money is ever borrowed in all."""
    rows = [row(0, "DEPOSIT", amount=D(10) ** 10)]
    for day, kind, name, one, two in sorted(told):
        if kind in ("BUY", "SELL", "TRANSFER_IN"):
            rows.append(row(day, kind, instrument=name, quantity=one, price=two, fee=D("0.5")))
        elif kind == "DIVIDEND":
            rows.append(row(day, kind, instrument=name, amount=one))
        else:
            rows.append(row(day, kind, amount=one))
    return rows


@given(events, prices, prices)
def test_contributions_always_sum_to_the_compounded_return(told: Any, bitcoin: list[Decimal], ether: list[Decimal]):
    rows = happened(told)
    known = Prices([series(BTC, every_day(bitcoin)), series(ETH, every_day(ether))], {}, "USD", Ratios(rows))
    axis = [FIRST + timedelta(days=n) for n in range(-1, 6)]

    course = course_of(rows, axis, known, tracks_cash=True)

    worked = course.worked
    wealth = D(1)
    for day in worked:
        wealth *= 1 + return_of(day)
    assert course.unpriced == ()
    assert float(total(contributions_of(worked).values())) == pytest.approx(float(wealth - 1), rel=1e-9, abs=1e-15)


@given(events, prices, prices)
def test_what_came_and_what_was_gained_is_what_is_there(told: Any, bitcoin: list[Decimal], ether: list[Decimal]):
    rows = happened(told)
    known = Prices([series(BTC, every_day(bitcoin)), series(ETH, every_day(ether))], {}, "USD", Ratios(rows))

    course = course_of(rows, [FIRST + timedelta(days=n) for n in range(-1, 6)], known, tracks_cash=True)

    last = course.days[-1]
    assert total(day.flow for day in course.days) + total(day.gain for day in course.days) == last.value
    held = held_after(rows, tracks_cash=True)
    worth = held.cash["USD"] + held.units.get(BTC, D(0)) * bitcoin[5] + held.units.get(ETH, D(0)) * ether[5]
    assert last.value == worth


def test_what_came_from_outside_is_payments_and_transfers_and_without_cash_what_trades_need():
    rows = [
        row(0, "DEPOSIT", amount=D(1000)),
        row(1, "TRANSFER_IN", instrument=BTC, quantity=D(3), price=D(50), fee=D(2)),
        row(2, "SPLIT", instrument=BTC, ratio=D(2)),
        row(3, "BUY", instrument=BTC, quantity=D(1), price=D(90), fee=D(1)),
        row(4, "FEE", amount=D(5)),
        row(5, "TRANSFER_OUT", instrument=BTC, quantity=D(1), price=D(95)),
        row(6, "WITHDRAWAL", amount=D(100), currency="EUR"),
    ]

    with_cash, without = (held_after(told, tracks_cash=cash) for told, cash in ((rows, True), (rows[1:5], False)))

    assert (dict(with_cash.came), with_cash.moved) == ({"USD": D(1000), "EUR": D(-100)}, {BTC: D(5)})
    assert (dict(without.came), without.moved) == ({"USD": D(98)}, {BTC: D(6)})


@given(st.lists(st.tuples(st.sampled_from(["BUY", "SELL", "SPLIT"]), st.integers(1, 9), amounts), max_size=10))
def test_the_ledger_and_the_lots_hold_the_same_units(told: list[tuple[str, int, Decimal]]):
    rows = [
        row(n, kind, instrument=BTC, ratio=D(count))
        if kind == "SPLIT"
        else row(n, kind, instrument=BTC, quantity=D(count), price=price)
        for n, (kind, count, price) in enumerate(told)
    ]
    entries = [
        Split(at=each.at, new=each.ratio or D(1))
        if each.kind == "SPLIT"
        else Trade(
            at=each.at, quantity=(each.quantity or D(0)) * (1 if each.kind == "BUY" else -1), price=each.price or D(0)
        )
        for each in rows
    ]

    units = held_after(rows, tracks_cash=False).units.get(BTC, D(0))

    assert all(book(entries, method).quantity == units for method in LotMethod)


def split(day: int, ratio: str, name: str = BTC) -> TransactionRow:
    return row(day, "SPLIT", instrument=name, ratio=D(ratio))


def test_a_unit_of_a_day_is_as_many_of_today_as_later_splits_make_of_it():
    ratios = Ratios([split(1, "2"), split(1, "3"), split(2, "10", ETH), split(4, "0.5")])

    assert [ratios.since(BTC, FIRST + timedelta(days=n)) for n in range(6)] == [3, D("0.5"), D("0.5"), D("0.5"), 1, 1]
    assert (ratios.since(ETH, FIRST), ratios.since("equity:AAPL", FIRST)) == (D(10), D(1))


def test_an_instant_counts_splits_that_come_after_it_and_a_day_those_of_later_days():
    ratios = Ratios([split(1, "2")])
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)

    assert [ratios.since(BTC, noon + timedelta(seconds=n)) for n in (-1, 0, 1)] == [2, 1, 1]
    assert [ratios.since(BTC, FIRST + timedelta(days=n)) for n in (0, 1)] == [2, 1]


def test_thousands_of_splits_cost_a_price_no_time():
    ratios = Ratios([split(n, "2" if n % 2 else "0.5") for n in range(5_000)])
    begun = time.thread_time()

    assert {ratios.since(BTC, FIRST + timedelta(days=n)) for n in range(5_000)} == {D(1), D(2)}
    assert time.thread_time() - begun < 0.5


def test_a_portfolio_that_owes_more_than_it_has_has_no_return():
    rows = [row(0, "DEPOSIT", amount=D(10)), row(0, "SELL", instrument=BTC, quantity=D(1), price=D(10))]
    known = Prices([series(BTC, every_day([D(10), D(50), D(60)]))], {}, "USD", Ratios(rows))

    course = course_of(rows, [FIRST + timedelta(days=n) for n in range(-1, 3)], known, tracks_cash=True)

    assert [str(day.value) for day in course.days] == ["0", "10", "-30", "-40"]
    with pytest.raises(NotComputable, match="worth less than nothing on 2026-01-03: no return can be counted from it"):
        course.worked  # noqa: B018 - it raises


def test_what_is_transferred_before_a_split_of_the_same_day_is_worth_its_units_of_then():
    early = datetime(2026, 1, 2, 9, tzinfo=UTC)
    moved = {
        "TRANSFER_IN": replace(row(1, "TRANSFER_IN", instrument=BTC, quantity=D(2)), at=early),
        "TRANSFER_OUT": replace(row(1, "TRANSFER_OUT", instrument=BTC, quantity=D(1)), at=early),
    }
    split, later = row(1, "SPLIT", instrument=BTC, ratio=D(4)), row(1, "TRANSFER_IN", instrument=BTC, quantity=D(2))
    cases = [
        ([moved["TRANSFER_IN"], split], "80", "0"),
        ([moved["TRANSFER_OUT"], split], "0", "40"),
        ([split, replace(later, at=datetime(2026, 1, 2, 15, tzinfo=UTC))], "20", "0"),
    ]

    for told, came, went in cases:
        rows = [row(0, "TRANSFER_IN", instrument=BTC, quantity=D(3)), *told]
        known = Prices([series(BTC, every_day([D(10), D(10), D(10)]))], {}, "USD", Ratios(rows))
        course = course_of(rows, [FIRST + timedelta(days=n) for n in range(3)], known, tracks_cash=False)

        assert (str(course.days[1].came), str(course.days[1].went), course.days[1].gain) == (came, went, D(0))


def test_long_arithmetic_has_a_step_a_day_and_a_step_a_row():
    rows = [row(n // 100, "BUY", instrument=BTC, quantity=D(1), price=D(10)) for n in range(1_000)]
    axis = [FIRST + timedelta(days=n) for n in range(500)]
    known = Prices([series(BTC, every_day([D(10)] * 500))], {}, "USD", Ratios(rows))
    course = course_of(rows, axis, known, tracks_cash=False)
    trades = [Trade(at=each.at, quantity=D(1), price=D(10)) for each in rows]
    precision = getcontext().prec

    steps = {
        "course": course_in_steps(rows, axis, known, tracks_cash=False),
        "contributions": contributions_in_steps(course.worked),
        "holdings": held_in_steps(rows, tracks_cash=False),
        "book": book_in_steps(trades, LotMethod.FIFO),
    }

    assert {name: sum(getcontext().prec == precision for _ in taken) for name, taken in steps.items()} == {
        "course": 500, "contributions": 499, "holdings": 1_000, "book": 10,
    }  # fmt: skip


def test_money_moves_on_its_own_day_also_where_the_next_valued_day_spans_it():
    shares = "equity:AAPL"
    closes = {FIRST + timedelta(days=n): D(100) for n in (0, 1, 4)}
    rows = [
        row(0, "DEPOSIT", amount=D(1_000)), row(0, "BUY", instrument=shares, quantity=D(10), price=D(100)),
        row(2, "DEPOSIT", amount=D(50)), row(3, "WITHDRAWAL", amount=D(20)), row(3, "DEPOSIT", amount=D(5)),
        row(5, "FEE", amount=D(1)), row(6, "DEPOSIT", amount=D(7)),
        row(7, "TRANSFER_OUT", instrument=shares, quantity=D(1), price=D(100)),
    ]  # fmt: skip
    known = Prices([series(shares, closes)], {}, "USD", Ratios(rows))

    course = course_of(rows, [FIRST + timedelta(days=n) for n in (-1, 0, 1, 4)], known, tracks_cash=True)

    assert whole(flows_in_steps(course)) == [
        (FIRST, D(-1_000)), (FIRST + timedelta(days=2), D(-50)), (FIRST + timedelta(days=3), D(15)),
        (FIRST + timedelta(days=4), D(1_035)),
    ]  # fmt: skip
    assert course.late == (FIRST + timedelta(days=6), FIRST + timedelta(days=7))


@pytest.mark.parametrize("written", ["GBp", "GBX", "gbx", "ZAc", "ZAC", "ILA"])
def test_hundredths_of_a_currency_are_no_currency(written: str):
    with pytest.raises(BadInput, match=r"is a hundredth of (GBP|ZAR|ILS): write (GBP|ZAR|ILS), and amounts in it"):
        read_currency("currency", written)

    assert [read_currency("currency", text) for text in ("GBP", "gbp", " Gbp", "usdt")] == ["GBP"] * 3 + ["USDT"]


def test_a_job_takes_more_prices_than_a_field_and_both_have_an_end():
    def ask(count: int, years: int) -> PanelAsk:
        until = datetime(2026, 1, 1, tzinfo=UTC)
        names = tuple(parse_instrument(f"equity:A{n}") for n in range(count))
        return PanelAsk(instruments=names, start=until - timedelta(days=365 * years), end=until)

    check_cells(ask(200, 10), MOST_OF_JOB)
    with pytest.raises(BadInput, match="730000 prices at once: at most 400000; of so many symbols 2000 rows each"):
        check_cells(ask(200, 10), MOST_CELLS)
    with pytest.raises(BadInput, match="at most 1000000"):
        check_cells(ask(500, 10), MOST_OF_JOB)


def test_numbers_that_cannot_be_computed_with_are_refused_at_once():
    for wrong, field in (
        (How(window=1), "window"), (How(window=LONGEST_WINDOW + 1), "window"), (How(risk_free=-1.0), "riskFree"),
        (How(risk_free=float("nan")), "riskFree"),
    ):  # fmt: skip
        with pytest.raises(BadInput) as refused:
            wrong.check()
        assert refused.value.field == field
    How(window=LONGEST_WINDOW, risk_free=0.03).check()
    assert LONGEST_WINDOW == performance_requests.LONGEST_WINDOW


def test_a_note_is_refused_for_what_is_wrong_with_it():
    for note, told in (("x\0", "A note cannot hold the character U+0000: leave it out."),
                       ("x" * 10_000, "A note has at most ")):  # fmt: skip
        draft = Draft(kind=TransactionKind.DEPOSIT, at=datetime(2026, 1, 1, tzinfo=UTC), amount=D(1), note=note)
        with pytest.raises(Refused) as refused:
            check_draft(draft, datetime(2026, 1, 2, tzinfo=UTC), tracks_cash=True)
        assert refused.value.message.startswith(told)


def test_income_of_other_currencies_is_worth_the_rate_of_its_day():
    rows = [
        row(0, "DIVIDEND", instrument=BTC, amount=D(10), currency="EUR"),
        row(1, "DIVIDEND", instrument=BTC, amount=D(10), currency="EUR"),
        row(1, "INTEREST", amount=D(3)), row(1, "FEE", amount=D(2), currency="GBP"), row(1, "DEPOSIT", amount=D(9)),
        row(2, "INTEREST", amount=D(100)),
    ]  # fmt: skip
    days = (FIRST, FIRST + timedelta(days=1))
    rates = {"EUR": Rates(source="EUR", target="USD", days=days, values=(D("1.1"), D("1.2")))}
    prices = Prices((), rates, "USD", Ratios(()))

    found = whole(earned(within(rows, None, FIRST + timedelta(days=2)), prices.worth))

    assert [(line.kind, line.currency, line.amount, line.worth, line.count) for line in found] == [
        ("FEE", "GBP", D(-2), None, 1), ("INTEREST", "USD", D(3), D(3), 1), ("DIVIDEND", "EUR", D(20), D("23.0"), 2),
    ]  # fmt: skip


def test_what_cannot_be_converted_leaves_all_days_behind_it_without_a_value():
    rows = [row(0, "DEPOSIT", amount=D(10)), row(1, "DEPOSIT", amount=D(10), currency="EUR")]

    course = course_of(rows, [FIRST + timedelta(days=n) for n in range(-1, 3)], Prices([], {}, "USD", Ratios(rows)),
                       tracks_cash=True)  # fmt: skip

    assert [day.date.day for day in course.days] == [31, 1]
    assert [day.day for day in course.unpriced] == [2, 3]


def test_money_is_rounded_to_the_minor_unit_half_to_even():
    told = [
        ("USD", "2.345"),
        ("USD", "2.355"),
        ("JPY", "2.5"),
        ("KWD", "1.00051"),
        ("USDT", "0.123456785"),
        ("USD", "-0.001"),
    ]

    assert [str(money(D(amount), currency)) for currency, amount in told] == [
        "2.34", "2.36", "2", "1.001", "0.12345678", "0.00",
    ]  # fmt: skip
    assert (share(D(1), D(3)), share(D(1), D(0)), share(None, D(1))) == (D("0.3333333333"), None, None)


@given(st.dates(date(1990, 1, 1), date(2030, 1, 1)), st.sampled_from([Interval.D1, Interval.W1, Interval.MO1]))
def test_every_day_belongs_to_one_interval(day: date, interval: Interval):
    name = floor(interval, day)

    assert name <= day < following(interval, day)
    assert floor(interval, following(interval, day)) == following(interval, day)


def test_a_range_holds_the_intervals_that_open_in_it():
    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert bounds(Interval.D1, at("2026-11-02"), at("2026-11-04")) == (date(2026, 11, 2), date(2026, 11, 4))
    assert bounds(Interval.D1, at("2026-11-02T01:00"), at("2026-11-04T01:00")) == (date(2026, 11, 3), date(2026, 11, 5))
    assert bounds(Interval.W1, at("2026-11-03"), at("2026-11-17")) == (date(2026, 11, 9), date(2026, 11, 23))
    assert bounds(Interval.MO1, at("2026-11-01"), at("2026-12-01")) == (date(2026, 11, 1), date(2026, 12, 1))
    until = at("2026-11-23T12:00")
    weeks = list(expected(Interval.W1, date(2026, 11, 9), date(2026, 11, 30), "UTC", None, until))
    assert weeks == [date(2026, 11, 9), date(2026, 11, 16)]


def test_cash_is_shown_to_its_minor_unit():
    marks = Marks(currency="USD", prices={}, rates={})
    held = Worth(
        portfolio=cast(Any, SimpleNamespace(currency="USD")), at=datetime(2026, 1, 1, tzinfo=UTC), lines=(),
        cash={"USD": D("10.005"), "JPY": D("7.5"), "USDT": D("0.123456789")}, marks=marks,
    )  # fmt: skip

    shown = PortfolioHoldings.of(held)

    assert [(each.currency, each.amount, each.value) for each in shown.cash] == [
        ("USD", D("10.00"), D("10.00")), ("JPY", D(8), None), ("USDT", D("0.12345679"), None),
    ]  # fmt: skip
