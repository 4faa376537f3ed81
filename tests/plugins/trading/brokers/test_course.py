"""What reports and fills mean: tables, without a gateway."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from gateway.core.matching.lifecycle import TERMINAL, may
from plugins.trading.brokers.course import Charged, charged, following, next_client_id, root_id, with_terms
from plugins.trading.brokers.holdings import differences
from plugins.trading.brokers.link import retry_after
from plugins.trading.brokers.pacing import Pace, Urgency
from plugins.trading.brokers.port import BrokerBusy, Deal, Report, Stock, gross
from plugins.trading.rows import OrderRow
from schema.words.orders import OrderStatus
from schema.words.trades import Side
from tests.doubles.clocks import HeldClock
from tests.plugins.trading.rowsof import NOON, D

S = OrderStatus


def row(status: OrderStatus = S.ACCEPTED, fills: int = 0, **given: Any) -> OrderRow:
    values: dict[str, Any] = dict.fromkeys(OrderRow.__dataclass_fields__) | {
        "id": "ord_1", "status": status.value, "fills": fills, "broker_order_id": "7", "quantity": D("1.50"),
        "limit_price": D(100),
    }  # fmt: skip
    return OrderRow(**values | given)


def report(status: OrderStatus, **given: Any) -> Report:
    values: dict[str, Any] = {"broker_id": "7", "client_id": "ord_1", "quantity": D(1), "filled": D(0)}
    return Report(status=status, **values | given)


def deal(**given: Any) -> Deal:
    values: dict[str, Any] = {"id": "1", "broker_order_id": "7", "quantity": D(2), "price": D(50), "at": NOON}
    return Deal(**values | given)


@pytest.mark.parametrize(
    ("now", "fills", "told", "complete", "settled", "then"),
    [
        (S.NEW, 0, S.ACCEPTED, True, False, S.ACCEPTED), (S.NEW, 0, S.REJECTED, True, False, S.REJECTED),
        (S.NEW, 1, S.FILLED, True, False, S.FILLED), (S.NEW, 1, S.FILLED, False, False, S.PARTIALLY_FILLED),
        (S.ACCEPTED, 0, S.CANCELED, False, False, S.ACCEPTED),
        (S.ACCEPTED, 1, S.ACCEPTED, True, False, S.PARTIALLY_FILLED),
        (S.ACCEPTED, 0, S.PENDING_CANCEL, True, False, S.ACCEPTED), (S.ACCEPTED, 0, S.EXPIRED, True, False, S.EXPIRED),
        (S.PARTIALLY_FILLED, 1, S.ACCEPTED, True, False, S.PARTIALLY_FILLED),
        (S.PARTIALLY_FILLED, 1, S.REJECTED, True, False, S.CANCELED),
        (S.PARTIALLY_FILLED, 2, S.FILLED, True, False, S.FILLED),
        (S.TRIGGERED, 0, S.ACCEPTED, True, False, S.TRIGGERED),
        (S.PENDING_CANCEL, 0, S.ACCEPTED, True, False, S.PENDING_CANCEL),
        (S.PENDING_CANCEL, 1, S.PARTIALLY_FILLED, True, False, S.PENDING_CANCEL),
        (S.PENDING_CANCEL, 0, S.ACCEPTED, True, True, S.ACCEPTED),
        (S.PENDING_CANCEL, 0, S.CANCELED, True, False, S.CANCELED),
        (S.PENDING_CANCEL, 1, S.FILLED, True, False, S.FILLED),
        (S.PENDING_REPLACE, 0, S.ACCEPTED, True, False, S.PENDING_REPLACE),
        (S.PENDING_REPLACE, 0, S.ACCEPTED, True, True, S.ACCEPTED),
        (S.PENDING_REPLACE, 0, S.CANCELED, True, False, S.PENDING_REPLACE),
        (S.PENDING_REPLACE, 1, S.CANCELED, True, True, S.CANCELED),
        (S.PENDING_REPLACE, 1, S.FILLED, True, False, S.FILLED),
        (S.CANCELED, 0, S.FILLED, True, True, S.CANCELED), (S.FILLED, 1, S.CANCELED, True, True, S.FILLED),
    ],
)  # fmt: skip
def test_each_report_has_its_next_state(
    now: OrderStatus, fills: int, told: OrderStatus, complete: bool, settled: bool, then: OrderStatus
) -> None:
    assert following(row(now, fills), report(told), complete=complete, settled=settled) is then


def test_no_report_makes_a_step_that_an_order_may_not_take() -> None:
    for now in S:
        for told in S:
            for fills in (0, 1):
                for complete in (True, False):
                    for settled in (True, False):
                        then = following(row(now, fills), report(told), complete=complete, settled=settled)
                        through = S.ACCEPTED if now is S.NEW else now
                        assert then is now or may(now, then) or may(through, then) or then is through
                        assert now not in TERMINAL or then is now


def test_fees_are_booked_as_they_were_taken() -> None:
    cases: list[tuple[dict[str, Any], Side, Charged]] = [
        ({}, Side.BUY, Charged(quantity=D(2), fee=D(0))),
        ({"fee": D(0), "fee_asset": "BNB"}, Side.BUY, Charged(quantity=D(2), fee=D(0))),
        ({"fee": D("0.125"), "fee_asset": "USDT"}, Side.SELL, Charged(quantity=D(2), fee=D("0.125"))),
        ({"fee": D("0.002"), "fee_asset": "BTC"}, Side.BUY, Charged(quantity=D("1.998"), fee=D("0.1"))),
        ({"fee": D("0.2"), "fee_asset": "BTC"}, Side.SELL, Charged(quantity=D(2), fee=D(0), other=("BTC", D("0.2")))),
        ({"fee": D("0.1"), "fee_asset": "BNB"}, Side.BUY, Charged(quantity=D(2), fee=D(0), other=("BNB", D("0.1")))),
    ]  # fmt: skip
    for given, side, expected in cases:
        assert charged(deal(**given), side, "BTC", "USDT") == expected


def test_a_fill_that_is_told_twice_counts_once() -> None:
    assert gross([deal(), deal(), deal(id="2", quantity=D("0.1"))]) == D("2.1")


def test_replacements_have_ids_that_follow_from_what_is_stored() -> None:
    known = row()

    assert next_client_id(known) == next_client_id(row(quantity=D("1.5"), limit_price=D("100.00")))
    assert next_client_id(known) != next_client_id(row(limit_price=D(101)))
    assert next_client_id(known) != next_client_id(row(broker_order_id="8"))
    assert len(next_client_id(row(id="ord_" + "x" * 20))) <= 36
    assert root_id(next_client_id(known)) == root_id("ord_1") == "ord_1"


def test_terms_are_the_brokers_where_it_tells_them_and_the_order_has_them() -> None:
    after = with_terms(row(), report(S.ACCEPTED, quantity=None, limit_price=D(99), stop_price=D(5)))

    assert (after.quantity, after.limit_price, after.stop_price) == (D("1.50"), D(99), None)


def test_one_pot_is_compared_with_money_and_units_together() -> None:
    def asset_of(instrument: Any) -> str:
        return str(instrument.base)

    stock = Stock(cash={"USDT": D(10), "BTC": D("1.5"), "ETH": D(2)}, pooled=True)
    cash, units = {"USDT": D(7), "BNB": D("-0.1")}, {"crypto:BTC/USDT": D(1), "crypto:BTC/USDC": D("0.5")}

    found = differences(stock, cash, units, {"USDT"}, asset_of)

    assert [(each.asset, each.more, each.bookable) for each in found] == [
        ("BNB", D("0.1"), True), ("ETH", D(2), False), ("USDT", D(3), True)
    ]  # fmt: skip


def test_a_pot_of_money_and_one_of_units_are_compared_apart() -> None:
    stock = Stock(cash={"USD": D(5)}, units={"AAPL": D(3), "USD": D(1)})

    found = differences(stock, {"USD": D(5)}, {"equity:AAPL": D(1)}, {"USD"}, lambda each: each.base)

    assert [(each.asset, each.more, each.bookable) for each in found] == [("AAPL", D(2), False), ("USD", D(1), False)]
    assert found[0].told("alpaca_live") == "alpaca_live holds 3 AAPL, the books had 1"


async def test_a_bucket_refills_and_keeps_a_rest_for_what_is_urgent() -> None:
    clock = HeldClock()
    pace = Pace(clock.monotonic)
    pace.limit("a", 100, 10.0)
    pace.take({"a": 80}, Urgency.READ, "broker")

    with pytest.raises(BrokerBusy, match=r"^broker takes no more requests for 0\.1 s$"):
        pace.take({"a": 1}, Urgency.READ, "broker")
    pace.take({"a": 15}, Urgency.ORDER, "broker")
    assert pace.wait({"a": 1}, Urgency.ORDER) == pytest.approx(0.1)
    pace.take({"a": 5}, Urgency.CANCEL, "broker")
    await clock.turn(10)
    assert pace.wait({"a": 80}, Urgency.READ) == 0

    pace.used("a", 99)
    assert pace.wait({"a": 1}, Urgency.CANCEL) == 0
    pace.used("a", 10)
    assert pace.wait({"a": 2}, Urgency.CANCEL) == pytest.approx(0.1)
    pace.close(30)
    assert pace.wait({}, Urgency.CANCEL) == 30


async def test_orders_that_never_stop_leave_reading_its_share() -> None:
    clock = HeldClock()
    pace = Pace(clock.monotonic)
    pace.limit("a", 100, 10.0, reading=0.2)
    taken = dict.fromkeys((Urgency.ORDER, Urgency.READ), 0)

    async def second() -> None:
        await clock.turn(1)
        for urgency, tries in ((Urgency.ORDER, 100), (Urgency.READ, 2)):
            for _ in range(tries):
                with suppress(BrokerBusy):
                    pace.take({"a": 1}, urgency, "broker")
                    taken[urgency] += 1

    for _ in range(60):
        await second()

    # Two a second were asked for, which is all of its share; orders have had the rest.
    assert taken == {Urgency.READ: 120, Urgency.ORDER: 547}
    assert pace.wait({"a": 5}, Urgency.CANCEL) == 0


async def test_reading_that_never_stops_leaves_orders_theirs() -> None:
    clock = HeldClock()
    pace = Pace(clock.monotonic)
    pace.limit("a", 100, 10.0, reading=0.2)
    while pace.wait({"a": 1}, Urgency.READ) == 0:
        pace.take({"a": 1}, Urgency.READ, "broker")

    assert pace.wait({"a": 15}, Urgency.ORDER) == 0
    assert pace.wait({"a": 16}, Urgency.ORDER) == pytest.approx(0.1)
    assert pace.wait({"a": 20}, Urgency.CANCEL) == 0


def test_how_long_to_wait_is_bounded() -> None:
    told = {"7": 7.0, "0": 1.0, "": 60.0, "soon": 60.0, "999999999": 259_200.0, "-1": 60.0, "1e3": 60.0}

    assert {given: retry_after({"retry-after": given}, 60.0) for given in told} == told
