"""Binance's wire format, by the examples of its documentation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest

from plugins.trading.brokers import binance_wire as wire
from plugins.trading.brokers.port import AnswerUnreadable, Deal, Report, Ticket
from plugins.trading.brokers.wire import Fields, decode
from schema.symbols import parse_instrument
from schema.words.orders import Liquidity, OrderStatus, OrderType, TimeInForce
from schema.words.trades import Side
from tests.plugins.trading.rowsof import D

# The example of the documentation: nobody's key.
KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
QUERY = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
MADE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
ORDER = b"""{"symbol": "LTCBTC", "orderId": 1, "orderListId": -1, "clientOrderId": "myOrder1", "price": "0.1",
 "origQty": "1.0", "executedQty": "0.0", "cummulativeQuoteQty": "0.0", "status": "NEW", "timeInForce": "GTC",
 "type": "LIMIT", "side": "BUY", "stopPrice": "0.0", "icebergQty": "0.0", "time": 1499827319559,
 "updateTime": 1499827319559, "isWorking": true, "workingTime": 1499827319559, "origQuoteOrderQty": "0.000000"}"""
FULL = b"""{"symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": "6gCrw2kRUAF9CvJDGP16IP",
 "transactTime": 1507725176595, "price": "0.00000000", "origQty": "10.00000000", "executedQty": "10.00000000",
 "cummulativeQuoteQty": "10.00000000", "status": "FILLED", "timeInForce": "GTC", "type": "MARKET", "side": "SELL",
 "fills": [{"price": "4000.00000000", "qty": "1.00000000", "commission": "4.00000000", "commissionAsset": "USDT",
 "tradeId": 56}, {"price": "3999.00000000", "qty": "9.00000000", "commission": "19.99500000",
 "commissionAsset": "USDT", "tradeId": 57}]}"""
CANCELED = b"""{"symbol": "LTCBTC", "origClientOrderId": "myOrder1", "orderId": 4, "orderListId": -1,
 "clientOrderId": "cancelMyOrder1", "transactTime": 1684804350068, "price": "2.00000000", "origQty": "1.00000000",
 "executedQty": "0.00000000", "cummulativeQuoteQty": "0.00000000", "status": "CANCELED", "timeInForce": "GTC",
 "type": "LIMIT", "side": "BUY"}"""
TRADE = b"""[{"symbol": "BNBBTC", "id": 28457, "orderId": 100234, "orderListId": -1, "price": "4.00000100",
 "qty": "12.00000000", "quoteQty": "48.000012", "commission": "10.10000000", "commissionAsset": "BNB",
 "time": 1499865549590, "isBuyer": true, "isMaker": false, "isBestMatch": true}]"""


def ticket(**given: Any) -> Ticket:
    values: dict[str, Any] = {
        "client_id": "ord_1", "instrument": parse_instrument("crypto:LTC/BTC"), "side": Side.BUY,
        "type": OrderType.LIMIT, "time_in_force": TimeInForce.GTC, "quantity": D("1.0"), "limit_price": D("0.10"),
    }  # fmt: skip
    return Ticket(**values | given)


def order(of: bytes = ORDER, **given: Any) -> Report:
    return wire.parse_order(Fields(decode(of, "binance") | given, "binance"))


def test_signatures_are_those_of_the_documentation() -> None:
    mixed = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTCquantity=1&price=0.1&recvWindow=5000&timestamp="

    assert wire.signature(SECRET, QUERY) == MADE
    assert wire.signature(SECRET, f"{mixed}1499827319559") == (
        "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77"
    )


def test_the_documented_request_is_signed_as_a_whole() -> None:
    asked = dict(parse_qsl(QUERY.partition("&recvWindow")[0]))

    sent = wire.signed("POST", wire.ORDER, asked, KEY, SECRET, 1499827319559)

    assert (sent.method, sent.path, sent.query) == ("POST", "/api/v3/order", f"{QUERY}&signature={MADE}")
    assert sent.headers["x-mbx-apikey"] == KEY
    assert KEY not in repr(sent)


def test_orders_are_described_as_documented() -> None:
    none: dict[str, Any] = {"limit_price": None}
    ends = {"newClientOrderId": "ord_1", "newOrderRespType": "FULL", "symbol": "LTCBTC", "side": "BUY", "quantity": "1"}
    cases: list[tuple[Ticket, dict[str, str]]] = [
        (ticket(), {"type": "LIMIT", "timeInForce": "GTC", "price": "0.1"}),
        (ticket(time_in_force=TimeInForce.FOK), {"type": "LIMIT", "timeInForce": "FOK", "price": "0.1"}),
        (ticket(post_only=True), {"type": "LIMIT_MAKER", "price": "0.1"}),
        (ticket(type=OrderType.MARKET, **none), {"type": "MARKET"}),
        (ticket(type=OrderType.STOP_MARKET, stop_price=D("0.2"), **none), {"type": "STOP_LOSS", "stopPrice": "0.2"}),
        (ticket(type=OrderType.STOP_LIMIT, stop_price=D("0.2")),
         {"type": "STOP_LOSS_LIMIT", "timeInForce": "GTC", "price": "0.1", "stopPrice": "0.2"}),
        (ticket(type=OrderType.MARKET_IF_TOUCHED, stop_price=D("0.2"), **none),
         {"type": "TAKE_PROFIT", "stopPrice": "0.2"}),
        (ticket(type=OrderType.TRAILING_STOP, trail_percent=D("1.25"), **none),
         {"type": "STOP_LOSS", "trailingDelta": "125"}),
    ]  # fmt: skip

    for each, expected in cases:
        assert wire.order_params(each) == ends | expected
        assert wire.unfit(each) is None
    assert wire.replace_params(ticket(), "28") == wire.order_params(ticket()) | {
        "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": "28", "cancelRestrictions": "ONLY_NEW"
    }  # fmt: skip


def test_what_binance_does_not_have_is_told_with_what_it_has() -> None:
    trail: dict[str, Any] = {"type": OrderType.TRAILING_STOP, "limit_price": None}
    told = {
        "use GTC, IOC or FOK": ticket(time_in_force=TimeInForce.DAY),
        "LIMIT order that is GTC": ticket(post_only=True, time_in_force=TimeInForce.IOC),
        "as far as it can": ticket(type=OrderType.MARKET, time_in_force=TimeInForce.FOK, limit_price=None),
        "not crypto:LTC/BTC@kraken": ticket(instrument=parse_instrument("crypto:LTC/BTC@kraken")),
        "give trailPercent": ticket(trail_amount=D(1), **trail),
        "at most 2 decimals": ticket(trail_percent=D("0.125"), **trail),
        "spot pairs of coins": ticket(instrument=parse_instrument("equity:AAPL")),
        "not crypto:$X/USDT": ticket(instrument=parse_instrument("crypto:$X/USDT")),
    }

    for said, each in told.items():
        assert said in (wire.unfit(each) or "")


def test_the_documented_orders_are_read() -> None:
    at = datetime(2017, 10, 11, 12, 32, 56, 595000, tzinfo=UTC)

    assert order() == Report(
        broker_id="1",
        client_id="myOrder1",
        status=OrderStatus.ACCEPTED,
        quantity=D(1),
        filled=D(0),
        limit_price=D("0.1"),
        side=Side.BUY,
        made_at=datetime(2017, 7, 12, 2, 41, 59, 559000, tzinfo=UTC),
    )
    assert (order(trailingDelta=10).trail_percent, order(trailingDelta="525").trail_percent) == (D("0.1"), D("5.25"))
    assert (order(CANCELED).client_id, order(CANCELED).status) == ("myOrder1", "CANCELED")
    assert order(FULL).deals == (
        Deal(id="BTCUSDT:56", broker_order_id="28", quantity=D(1), price=D(4000), at=at, fee=D(4), fee_asset="USDT"),
        Deal(id="BTCUSDT:57", broker_order_id="28", quantity=D(9), price=D(3999), at=at, fee=D("19.995"),
             fee_asset="USDT"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "tif", "status", "reason"),
    [
        ("NEW", "GTC", "ACCEPTED", None), ("PENDING_NEW", "GTC", "ACCEPTED", None),
        ("PARTIALLY_FILLED", "GTC", "PARTIALLY_FILLED", None), ("FILLED", "GTC", "FILLED", None),
        ("CANCELED", "GTC", "CANCELED", "Binance says CANCELED"), ("PENDING_CANCEL", "GTC", "PENDING_CANCEL", None),
        ("REJECTED", "GTC", "REJECTED", "Binance says REJECTED"), ("EXPIRED", "GTC", "EXPIRED", None),
        ("EXPIRED", "IOC", "CANCELED", "IOC_UNFILLED"), ("EXPIRED", "FOK", "CANCELED", "IOC_UNFILLED"),
        ("EXPIRED_IN_MATCH", "GTC", "CANCELED",
         "Binance says EXPIRED_IN_MATCH: it would have met another order of the same owner"),
    ],
)  # fmt: skip
def test_each_status_has_its_place(said: str, tif: str, status: str, reason: str | None) -> None:
    found = order(status=said, timeInForce=tif)

    assert (found.status, found.reason) == (status, reason)


def test_the_documented_trade_is_read_with_its_fee() -> None:
    assert wire.parse_trades(decode(TRADE, "binance"), "binance") == [
        Deal(
            id="BNBBTC:28457", broker_order_id="100234", quantity=D(12), price=D("4.00000100"),
            at=datetime(2017, 7, 12, 13, 19, 9, 590000, tzinfo=UTC), fee=D("10.1"), fee_asset="BNB",
            liquidity=Liquidity.TAKER,
        )
    ]  # fmt: skip


def test_assets_are_what_is_free_and_what_is_locked() -> None:
    balances = [{"asset": "BTC", "free": "4723846.89208129", "locked": "0.5"}]

    told = Fields({"balances": balances, "uid": 354937868}, "binance")

    stock = wire.parse_stock(told)

    assert (wire.parse_owner(told), wire.parse_owner(Fields({}, "binance"))) == ("354937868", None)
    assert (stock.cash, stock.pooled) == ({"BTC": D("4723847.39208129")}, True)


def test_an_account_without_a_list_of_assets_is_no_answer_and_an_empty_list_is_one() -> None:
    assert wire.parse_stock(Fields({"balances": []}, "binance")).cash == {}
    for said in ({}, {"msg": "maintenance"}, {"balances": None}):
        with pytest.raises(AnswerUnreadable, match=r"^binance: \$\.balances is no list$"):
            wire.parse_stock(Fields(said, "binance"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"status": "ODD"}, "binance: $.status says 'ODD', which is unknown"),
        ({"executedQty": "abc"}, "binance: $.executedQty is no number"),
        ({"fills": {}}, "binance: $.fills is no list"),
        ({"fills": [7]}, "binance: $.fills[0] is no object"),
    ],
)
def test_what_does_not_keep_to_the_format_is_no_answer(given: dict[str, Any], said: str) -> None:
    with pytest.raises(AnswerUnreadable) as error:
        order(**given)

    assert str(error.value) == said


def test_errors_are_read_where_they_are_errors() -> None:
    assert wire.parse_error({"code": -1121, "msg": "Invalid symbol."}) == (-1121, "Invalid symbol.")
    assert wire.parse_error([]) == (None, "")
    assert wire.parse_error({"code": "x", "msg": 4}) == (None, "")
