"""Units, cash and days of a portfolio: properties that hold whatever happens."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.quant.lots import LotMethod, Split, Trade, book
from gateway.core.quant.refusals import NotComputable
from plugins.portfolio.ledger import Ratios, held_after, total
from plugins.portfolio.money import money, share
from plugins.portfolio.prices.days import bounds, expected, floor, following
from plugins.portfolio.prices.panels import Series
from plugins.portfolio.store import TransactionRow
from plugins.portfolio.valuation.daily import Prices, contributions_of, course_of, return_of
from schema.provenance import UNSTAMPED
from schema.symbols import parse_instrument
from schema.words.intervals import Interval

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
