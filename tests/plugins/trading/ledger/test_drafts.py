from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.matching.positions import apply
from gateway.core.matching.rounding import quantum_of
from gateway.core.quant.lots import LotMethod
from plugins.trading.ledger.chart import Ledger, money, shown, total
from plugins.trading.ledger.drafts import (
    Draft,
    Unbalanced,
    adjustment,
    commission,
    conversion,
    deposit,
    derivative_fill,
    draft,
    funding,
    interest,
    outgoing,
    reversal,
    spot_fill,
    transfer,
    withdrawal,
)
from schema.words.orders import EntryKind
from schema.words.trades import Side
from tests.doubles.clocks import NOON

BTC = "crypto:BTC/USDT"


def told(made: Draft) -> list[str]:
    return [f"{line.ledger} {line.asset} {line.amount}" for line in made.lines]


def fill(units: str, price: str, realised: str = "0", currency: str = "USDT") -> Draft:
    return spot_fill(instrument=BTC, currency=currency, units=D(units), price=D(price), realised=D(realised))


def test_each_kind_of_entry_books_its_lines() -> None:
    out, into = transfer("USD", D("5"))
    cases = {
        "deposit": (deposit("USD", D("100")), ["cash USD 100.00", "external USD -100.00"]),
        "withdrawal": (withdrawal("USD", D("100")), ["cash USD -100.00", "external USD 100.00"]),
        "commission": (commission("USD", D("0.04")), ["cash USD -0.04", "fees USD 0.04"]),
        "rebate": (commission("USD", D("-0.04")), ["cash USD 0.04", "fees USD -0.04"]),
        "funding paid": (funding("USD", D("-1.5"), instrument="p"), ["cash USD -1.50", "funding USD 1.50"]),
        "interest got": (interest("USD", D("1.5")), ["cash USD 1.50", "interest USD -1.50"]),
        "adjustment": (adjustment("USD", D("-2"), memo="x"), ["cash USD -2.00", "adjustment USD 2.00"]),
        "transfer out": (out, ["cash USD -5.00", "exchange USD 5.00"]),
        "transfer in": (into, ["cash USD 5.00", "exchange USD -5.00"]),
        "conversion": (
            conversion("USD", D("10"), "JPY", D("1500.5")),
            ["cash USD -10.00", "exchange USD 10.00", "cash JPY 1500", "exchange JPY -1500"],
        ),
    }  # fmt: skip

    for name, (made, lines) in cases.items():
        assert told(made) == lines, name


def test_a_purchase_turns_cash_into_cost_and_brings_units() -> None:
    made = fill("2", "100")

    assert told(made) == [
        "cash USDT -200.00000000", "cost USDT 200.00000000",
        "units crypto:BTC/USDT 2", "market crypto:BTC/USDT -2",
    ]  # fmt: skip
    assert made.memo == "buy 2 crypto:BTC/USDT at 100"


def test_a_sale_takes_its_cost_away_and_credits_the_profit() -> None:
    made = fill("-1", "120", "20")

    assert told(made) == [
        "cash USDT 120.00000000", "cost USDT -100.00000000", "pnl USDT -20.00000000",
        "units crypto:BTC/USDT -1", "market crypto:BTC/USDT 1",
    ]  # fmt: skip
    assert made.moved(Ledger.COST, "USDT") == D("-100")


def test_a_short_sale_and_its_cover_are_the_same_with_signs_turned() -> None:
    assert told(fill("-1", "120"))[:2] == ["cash USDT 120.00000000", "cost USDT -120.00000000"]
    assert told(fill("1", "100", "20"))[:3] == [
        "cash USDT -100.00000000", "cost USDT 120.00000000", "pnl USDT -20.00000000",
    ]  # fmt: skip


def test_what_rounding_leaves_stays_in_cost() -> None:
    made = fill("0.333", "10.01", "0.005", "USD")

    assert told(made)[:2] == ["cash USD -3.33", "cost USD 3.33"]
    assert fill("0.001", "0.01", currency="USD").lines[0].ledger is Ledger.UNITS


def test_a_derivative_moves_cash_by_what_it_closed_alone() -> None:
    def made(units: str, realised: str) -> list[str]:
        return told(
            derivative_fill(instrument="p", currency="USDT", units=D(units), price=D("9"), realised=D(realised))
        )

    assert made("3", "0") == ["units p 3", "market p -3"]
    assert made("-3", "-7.5") == ["cash USDT -7.50000000", "pnl USDT 7.50000000", "units p -3", "market p 3"]


def test_a_reversal_turns_every_side() -> None:
    made = reversal(fill("-1", "120", "20"), memo="typo")

    assert told(made) == [
        "cash USDT -120.00000000", "cost USDT 100.00000000", "pnl USDT 20.00000000",
        "units crypto:BTC/USDT 1", "market crypto:BTC/USDT -1",
    ]  # fmt: skip
    assert (made.kind, made.memo) == (EntryKind.TRADE_PNL, "typo")


def test_lines_that_do_not_sum_to_zero_are_no_entry() -> None:
    wrong = {
        "USD does not sum to zero: 1 is left": [(Ledger.CASH, "USD", D(1))],
        "EUR does not sum to zero: -1 is left": [(Ledger.CASH, "USD", D(1)), (Ledger.FEES, "USD", D(-1)),
                                                 (Ledger.CASH, "EUR", D(-1))],
        "an entry without lines": [(Ledger.CASH, "USD", D(0))],
        "NaN USD is no amount of cash": [(Ledger.CASH, "USD", D("NaN"))],
    }  # fmt: skip

    for message, lines in wrong.items():
        with pytest.raises(Unbalanced) as caught:
            draft(EntryKind.ADJUSTMENT, lines)
        assert str(caught.value) == message


def test_entries_of_nothing_are_refused_in_words() -> None:
    for made, message in (
        (lambda: deposit("USD", D("0.004")), "0 is not above zero"),
        (lambda: withdrawal("USD", D("-1")), "-1 is not above zero"),
        (lambda: commission("USD", D("0.001")), "an entry of nothing"),
        (lambda: conversion("USD", D(1), "USD", D(1)), "USD into itself is no conversion"),
        (lambda: fill("0", "1"), "an entry of nothing"),
    ):
        with pytest.raises(Unbalanced, match=f"^{message}$"):
            made()


def test_sums_are_exact_however_long_the_amounts() -> None:
    long = D("123456789012345678901234567890.00000001")

    made = draft(EntryKind.ADJUSTMENT, [
        (Ledger.CASH, "X", long), (Ledger.CASH, "X", D("-0.00000001")),
        (Ledger.ADJUSTMENT, "X", D("-123456789012345678901234567890")),
    ])  # fmt: skip

    assert len(made.lines) == 3


def test_what_a_pending_entry_holds_is_the_cash_that_it_takes() -> None:
    assert outgoing(withdrawal("USD", D(5)).lines) == {"USD": D("5.00")}
    assert outgoing(deposit("USD", D(5)).lines) == {}
    assert outgoing(conversion("USD", D(5), "EUR", D(4)).lines) == {"USD": D("5.00")}


def test_amounts_have_the_digits_of_their_currency() -> None:
    assert [str(money(D("2.5"), each)) for each in ("JPY", "USD", "KWD", "USDT")] == [
        "2", "2.50", "2.500", "2.50000000",
    ]  # fmt: skip
    assert str(money(D("-0.001"), "USD")) == "0.00"
    assert [shown(D(each)) for each in ("100.00000000", "0.10", "100", "-0.00")] == ["100", "0.1", "100", "0"]


@given(
    fills=st.lists(st.tuples(st.integers(-900, 900).filter(bool), st.integers(1, 10**9)), min_size=1, max_size=25),
    method=st.sampled_from(LotMethod),
    currency=st.sampled_from(["JPY", "USD", "USDT"]),
)
def test_what_the_ledger_holds_is_what_the_position_has_cost_whatever_was_rounded(
    fills: list[tuple[int, int]], method: LotMethod, currency: str
) -> None:
    held, cost, pnl, realised = None, D(0), D(0), D(0)
    for units, price in fills:
        signed, each = D(units) / 7, D(price) / 10**5
        applied = apply(
            held, Side.BUY if units > 0 else Side.SELL, abs(signed), each, NOON, method, quantum=quantum_of(currency)
        )
        made = spot_fill(instrument=BTC, currency=currency, units=signed, price=each, realised=applied.realised)
        held, realised = applied.position, total((realised, applied.realised))
        cost = total((cost, made.moved(Ledger.COST, currency)))
        pnl = total((pnl, made.moved(Ledger.PNL, currency)))

    assert cost == (held.cost if held else 0)
    assert pnl == -realised
