"""Alpaca's wire format, by the examples of its documentation."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from plugins.trading.brokers import alpaca_wire as wire
from plugins.trading.brokers.port import AnswerUnreadable, Deal, Report, Ticket, Toll
from plugins.trading.brokers.wire import Fields, decode
from schema.symbols import parse_instrument
from schema.words.orders import OrderStatus, OrderType, TimeInForce
from schema.words.trades import Side
from tests.plugins.trading.rowsof import D

KEYS = wire.headers("PKTEST", "hush")
ORDER = b"""{"id": "61e69015-8549-4bfd-b9c3-01e75843f47d", "client_order_id": "eb9e2aaa-f71a-4f51-b5b4-52a6c565dad4",
 "created_at": "2021-03-16T18:38:01.942282Z", "submitted_at": "2021-03-16T18:38:01.937734Z", "filled_at": null,
 "expired_at": null, "canceled_at": null, "failed_at": null, "replaced_at": null, "replaced_by": null,
 "replaces": null, "asset_id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415", "symbol": "AAPL", "asset_class": "us_equity",
 "notional": "500", "qty": null, "filled_qty": "0", "filled_avg_price": null, "order_class": "", "type": "market",
 "side": "buy", "time_in_force": "day", "limit_price": null, "stop_price": null, "status": "accepted",
 "extended_hours": false, "legs": null, "trail_percent": null, "trail_price": null, "hwm": null}"""
FILL = b"""[{"id": "20210510100104650::88b5f678-fef5-447b-af15-f21e367e6d8c", "activity_type": "FILL",
 "transaction_time": "2021-05-10T14:01:04.650275Z", "type": "fill", "price": "128.33", "qty": "0.38962051",
 "side": "buy", "symbol": "AAPL", "leaves_qty": "0", "order_id": "fe060a1b-5b45-4eba-ba46-c3a3345d8255",
 "cum_qty": "0.38962051", "order_status": "filled"}]"""


def ticket(symbol: str = "equity:AAPL", **given: Any) -> Ticket:
    values: dict[str, Any] = {
        "client_id": "ord_1", "instrument": parse_instrument(symbol), "side": Side.BUY, "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.DAY, "quantity": D("1.50"), "limit_price": D("100.10"),
    }  # fmt: skip
    return Ticket(**values | given)


def order(**given: Any) -> Report:
    return wire.parse_order(Fields(decode(ORDER, "alpaca") | given, "alpaca"))


def test_orders_are_sent_as_documented() -> None:
    none: dict[str, Any] = {"limit_price": None}
    cases: list[tuple[Ticket, dict[str, Any]]] = [
        (ticket(), {"type": "limit", "limit_price": "100.1", "time_in_force": "day"}),
        (ticket(extended_hours=True), {"limit_price": "100.1", "extended_hours": True, "type": "limit"}),
        (ticket(type=OrderType.MARKET, **none), {"type": "market"}),
        (ticket(type=OrderType.STOP_MARKET, stop_price=D(90), **none), {"type": "stop", "stop_price": "90"}),
        (ticket(type=OrderType.STOP_LIMIT, stop_price=D(90)), {"type": "stop_limit", "stop_price": "90"}),
        (ticket(type=OrderType.TRAILING_STOP, trail_amount=D("0.5"), **none),
         {"type": "trailing_stop", "trail_price": "0.5"}),
        (ticket("crypto:BTC/USD", time_in_force=TimeInForce.IOC), {"symbol": "BTC/USD", "time_in_force": "ioc"}),
    ]  # fmt: skip
    for each, expected in cases:
        sent = wire.place(each, KEYS)
        body = json.loads(sent.body or b"")

        assert (sent.method, sent.path, sent.query) == ("POST", "/v2/orders", "")
        assert {name: body[name] for name in expected} == expected
        assert (body["qty"], body["side"], body["client_order_id"]) == ("1.5", "buy", "ord_1")
        assert ("limit_price" in body) == (each.limit_price is not None)


def test_keys_go_in_headers_and_show_nowhere() -> None:
    sent = wire.by_client_id("ord_1", KEYS)

    assert (sent.path, sent.query) == ("/v2/orders:by_client_order_id", "client_order_id=ord_1")
    assert (sent.headers["apca-api-key-id"], sent.headers["apca-api-secret-key"]) == ("PKTEST", "hush")
    assert "hush" not in repr(sent)
    assert "PKTEST" not in repr(sent)


def test_other_requests_are_built_as_documented() -> None:
    since = datetime(2026, 11, 20, 12, tzinfo=UTC)
    patch = wire.replace("61e6/9015", ticket(type=OrderType.TRAILING_STOP, trail_percent=D(2), limit_price=None), KEYS)

    assert (patch.method, patch.path) == ("PATCH", "/v2/orders/61e6%2F9015")
    assert json.loads(patch.body or b"") == {"qty": "1.5", "client_order_id": "ord_1", "trail": "2"}
    same = [wire.replace("b1", ticket(quantity=D(each), same_size=True), KEYS) for each in ("1.5", "2")]
    assert [json.loads(each.body or b"").get("qty") for each in same] == [None, "2"]
    assert wire.cancel("x", KEYS).method == "DELETE"
    assert wire.activities("b1", since, KEYS, "t::1").query == (
        "order_id=b1&after=2026-11-20T12%3A00%3A00Z&direction=desc&page_size=100&page_token=t%3A%3A1"
    )


def test_what_alpaca_does_not_have_is_told_with_what_it_has() -> None:
    told = {
        "MARKET_IF_TOUCHED": ticket(type=OrderType.MARKET_IF_TOUCHED), "GTD": ticket(time_in_force=TimeInForce.GTD),
        "STOP_MARKET for crypto": ticket("crypto:BTC/USD", type=OrderType.STOP_MARKET, time_in_force=TimeInForce.GTC),
        "DAY for crypto: use GTC or IOC": ticket("crypto:BTC/USD"), "postOnly": ticket(post_only=True),
        "US equities and spot crypto": ticket("fx:EUR/USD"), "not equity:VOD@XLON": ticket("equity:VOD@XLON"),
        "priced in GBP": ticket("equity:VOD", currency="GBP"),
        "trade crypto:ETH/USD instead": ticket("crypto:ETH/BTC", currency="BTC", time_in_force=TimeInForce.GTC),
    }  # fmt: skip

    for said, each in told.items():
        assert said in (wire.unfit(each) or "")
    assert wire.unfit(ticket()) is None


def test_the_documented_order_is_read() -> None:
    assert order() == Report(
        broker_id="61e69015-8549-4bfd-b9c3-01e75843f47d", client_id="eb9e2aaa-f71a-4f51-b5b4-52a6c565dad4",
        status=OrderStatus.ACCEPTED, quantity=None, filled=D(0),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "filled", "status"),
    [
        ("new", "0", "ACCEPTED"), ("pending_new", "0", "ACCEPTED"), ("held", "0", "ACCEPTED"),
        ("done_for_day", "0", "ACCEPTED"), ("done_for_day", "3", "PARTIALLY_FILLED"), ("stopped", "0", "ACCEPTED"),
        ("suspended", "0", "ACCEPTED"), ("calculated", "2", "PARTIALLY_FILLED"),
        ("partially_filled", "3", "PARTIALLY_FILLED"), ("filled", "5", "FILLED"), ("canceled", "0", "CANCELED"),
        ("expired", "0", "EXPIRED"), ("rejected", "0", "REJECTED"), ("pending_cancel", "0", "PENDING_CANCEL"),
        ("pending_replace", "0", "PENDING_REPLACE"), ("replaced", "0", "CANCELED"),
    ],
)  # fmt: skip
def test_each_status_has_its_place(said: str, filled: str, status: str) -> None:
    assert order(status=said, filled_qty=filled, qty="5").status == status


def test_the_documented_fill_is_read_to_the_last_digit() -> None:
    assert wire.parse_deals(decode(FILL, "alpaca"), "alpaca") == [
        Deal(
            id="20210510100104650::88b5f678-fef5-447b-af15-f21e367e6d8c",
            broker_order_id="fe060a1b-5b45-4eba-ba46-c3a3345d8255", quantity=D("0.38962051"), price=D("128.33"),
            at=datetime(2021, 5, 10, 14, 1, 4, 650275, tzinfo=UTC),
        )
    ]  # fmt: skip


def test_money_and_units_are_read_with_their_signs() -> None:
    held = [
        Fields({"symbol": "AAPL", "qty": "5", "side": "long"}, "a"),
        Fields({"symbol": "TSLA", "qty": "-2", "side": "short"}, "a"),
        Fields({"symbol": "BTC/USD", "qty": "0.1", "side": "long"}, "a"),
    ]

    told = Fields({"id": "904837e3-3b76-47ec", "cash": "-23140.2", "currency": "USD"}, "a")

    stock = wire.parse_stock(told, held)

    assert (wire.parse_owner(told), wire.parse_owner(Fields({}, "a"))) == ("904837e3-3b76-47ec", None)
    assert stock.cash == {"USD": D("-23140.2")}
    assert stock.units == {"AAPL": D(5), "TSLA": D(-2), "BTCUSD": D("0.1")}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"status": "bewitched"}, "alpaca: $.status says 'bewitched', which is unknown"),
        ({"filled_qty": "NaN"}, "alpaca: $.filled_qty is no number"),
        ({"filled_qty": None}, "alpaca: $.filled_qty is no number"),
        ({"filled_qty": True}, "alpaca: $.filled_qty is no number"),
        ({"id": None}, "alpaca: $.id is no text"),
        ({"qty": "1e99"}, "alpaca: $.qty is no number"),
    ],
)
def test_what_does_not_keep_to_the_format_is_no_answer(given: dict[str, Any], said: str) -> None:
    with pytest.raises(AnswerUnreadable) as error:
        order(**given)

    assert str(error.value) == said


def test_a_fee_in_coins_has_its_day_where_one_is_told() -> None:
    """https://docs.alpaca.markets/docs/crypto-fees"""
    fee = {"id": "20210510::1", "symbol": "ETH/USD", "qty": "-0.005", "price": "2540", "date": "2021-05-10"}
    toll = Toll(id="20210510::1", asset="ETHUSD", quantity=D("0.005"), price=D("2540"), day=date(2021, 5, 10))

    dated, undated = wire.parse_tolls([Fields(fee, "w"), Fields({**fee, "date": None}, "w")])

    assert dated == toll
    assert undated.day is None
    with pytest.raises(AnswerUnreadable, match=r"w: \$\.date says 'soon', which is unknown"):
        wire.parse_tolls([Fields(fee | {"date": "soon"}, "w")])
