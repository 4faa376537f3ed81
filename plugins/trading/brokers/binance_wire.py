"""Binance spot, REST version 3: requests, their signatures, answers. Pure.

Docs: https://developers.binance.com/docs/binance-spot-api-docs/rest-api
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from plugins.trading.brokers.port import Deal, Report, Stock, Ticket
from plugins.trading.brokers.wire import Fields, Sending, objects, plain, readable
from schema.symbols import AssetClass, InstrumentId
from schema.words.orders import Liquidity, OrderStatus, OrderType, TimeInForce
from schema.words.trades import Side

RECV_WINDOW_MS = 5_000
ORDER, REPLACE, OPEN = "/api/v3/order", "/api/v3/order/cancelReplace", "/api/v3/openOrders"
TRADES, ACCOUNT, TIME = "/api/v3/myTrades", "/api/v3/account", "/api/v3/time"
BIPS = Decimal(100)
TRADES_PAGE = 1_000

TYPES: Mapping[OrderType, str] = {
    OrderType.MARKET: "MARKET", OrderType.LIMIT: "LIMIT", OrderType.STOP_MARKET: "STOP_LOSS",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT", OrderType.TRAILING_STOP: "STOP_LOSS",
    OrderType.MARKET_IF_TOUCHED: "TAKE_PROFIT",
}  # fmt: skip
TIMED = frozenset({"LIMIT", "STOP_LOSS_LIMIT"})
TIMES: Mapping[TimeInForce, str] = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}

STATUSES: Mapping[str, OrderStatus] = {
    "NEW": OrderStatus.ACCEPTED, "PENDING_NEW": OrderStatus.ACCEPTED,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED, "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED, "PENDING_CANCEL": OrderStatus.PENDING_CANCEL,
    "REJECTED": OrderStatus.REJECTED, "EXPIRED": OrderStatus.EXPIRED, "EXPIRED_IN_MATCH": OrderStatus.CANCELED,
}  # fmt: skip
"""https://developers.binance.com/docs/binance-spot-api-docs/enums#order-status-status"""
SIDES: Mapping[str, Side] = {each.value: each for each in Side}
REASONS = {
    "CANCELED": "Binance says CANCELED",
    "REJECTED": "Binance says REJECTED",
    "EXPIRED_IN_MATCH": "Binance says EXPIRED_IN_MATCH: it would have met another order of the same owner",
}


def signature(secret: str, total: str) -> str:
    """HMAC-SHA256 of query and body together, in hexadecimal."""
    return hmac.new(secret.encode(), total.encode(), sha256).hexdigest()


def signed(method: str, path: str, asked: Mapping[str, str], key: str, secret: str, now_ms: int) -> Sending:
    """A request with its time, how long it is good for, and its signature: a copy that comes late does nothing."""
    query = urlencode({**asked, "recvWindow": str(RECV_WINDOW_MS), "timestamp": str(now_ms)})
    return Sending(
        method=method, path=path, query=f"{query}&signature={signature(secret, query)}",
        headers={"x-mbx-apikey": key, "accept": "application/json"},
    )  # fmt: skip


def symbol_of(instrument: InstrumentId) -> str | None:
    """`BTCUSDT`; None for what is no spot pair of coins, or has characters that no symbol there has."""
    here = instrument.venue in ("", "binance")
    spot = instrument.asset_class is AssetClass.CRYPTO and instrument.is_spot and instrument.quote and here
    name = f"{instrument.base}{instrument.quote}"
    return name if spot and name.isascii() and name.isalnum() else None


def unfit(ticket: Ticket) -> str | None:
    """Why there is no such order at Binance; None where there is."""
    if symbol_of(ticket.instrument) is None:
        return f"Binance trades spot pairs of coins here, and not {ticket.instrument}."
    if ticket.time_in_force not in TIMES:
        return f"Binance has no {ticket.time_in_force.value}: use GTC, IOC or FOK."
    if ticket.time_in_force is TimeInForce.FOK and TYPES[ticket.type] not in TIMED:
        return f"Binance fills a {ticket.type.value} order as far as it can: use IOC or GTC."
    if ticket.post_only and (ticket.type, ticket.time_in_force) != (OrderType.LIMIT, TimeInForce.GTC):
        return "At Binance only a LIMIT order that is GTC can be postOnly."
    if ticket.trail_amount is not None:
        return "Binance trails by per cent: give trailPercent."
    bips = None if ticket.trail_percent is None else ticket.trail_percent * BIPS
    if bips is not None and bips != bips.to_integral_value():
        return "Binance trails in hundredths of a per cent: give trailPercent with at most 2 decimals."
    return None


def order_params(ticket: Ticket) -> dict[str, str]:
    """What describes an order, in Binance's words."""
    kind = "LIMIT_MAKER" if ticket.post_only else TYPES[ticket.type]
    asked = {"symbol": symbol_of(ticket.instrument) or "", "side": ticket.side.value, "type": kind}
    if kind in TIMED:
        asked["timeInForce"] = TIMES[ticket.time_in_force]
    asked["quantity"] = plain(ticket.quantity)
    if ticket.limit_price is not None:
        asked["price"] = plain(ticket.limit_price)
    if ticket.stop_price is not None:
        asked["stopPrice"] = plain(ticket.stop_price)
    if ticket.trail_percent is not None:
        asked["trailingDelta"] = plain(ticket.trail_percent * BIPS)
    return asked | {"newClientOrderId": ticket.client_id, "newOrderRespType": "FULL"}


def replace_params(ticket: Ticket, broker_id: str) -> dict[str, str]:
    """POST /api/v3/order/cancelReplace: nothing new is placed where the old one was not cancelled, or has been filled
    in part meanwhile."""
    return order_params(ticket) | {
        "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": broker_id, "cancelRestrictions": "ONLY_NEW"
    }  # fmt: skip


def parse_order(row: Fields) -> Report:
    """An order; the answer to a cancellation names the order's own client id apart."""
    said = row.text("status")
    if said not in STATUSES:
        raise row.unknown("status", said)
    broker_id = row.text("orderId")
    at_once = row.text_or_none("timeInForce") in ("IOC", "FOK") or row.text_or_none("type") == "MARKET"
    unfilled = said == "EXPIRED" and at_once
    trail = row.above_zero("trailingDelta")
    return Report(
        broker_id=broker_id, client_id=row.text_or_none("origClientOrderId") or row.text("clientOrderId"),
        status=OrderStatus.CANCELED if unfilled else STATUSES[said], quantity=row.above_zero("origQty"),
        filled=row.number("executedQty"), limit_price=row.above_zero("price"), stop_price=row.above_zero("stopPrice"),
        trail_percent=None if trail is None else trail / BIPS,
        reason="IOC_UNFILLED" if unfilled else REASONS.get(said), deals=_deals_within(row, broker_id),
        side=SIDES.get(row.text_or_none("side") or ""), made_at=row.epoch_ms("time") if row.has("time") else None,
    )  # fmt: skip


def parse_orders(of: Any, where: str) -> list[Report]:
    """A list of them."""
    return readable(objects(of, where), parse_order)


def parse_trades(of: Any, where: str) -> list[Deal]:
    """GET /api/v3/myTrades."""
    return [
        Deal(
            id=trade_id(row.text("symbol"), row.text("id")), broker_order_id=row.text("orderId"),
            quantity=row.number("qty"), price=row.number("price"), at=row.epoch_ms("time"),
            fee=row.number("commission"), fee_asset=row.text("commissionAsset"),
            liquidity=Liquidity.MAKER if row.flag("isMaker") else Liquidity.TAKER,
        )
        for row in objects(of, where)
    ]  # fmt: skip


def behind(page: Sequence[Deal]) -> str:
    """Where the page of trades after this one begins."""
    return str(max(int(each.id.rpartition(":")[2]) for each in page) + 1)


def parse_stock(account: Fields) -> Stock:
    """All assets, what orders lock included."""
    return Stock(
        cash={row.text("asset"): row.number("free") + row.number("locked") for row in account.listed("balances")},
        pooled=True,
    )


def parse_owner(account: Fields) -> str | None:
    """Binance's id of the account; a sub-account has its own."""
    return account.text_or_none("uid")


def parse_error(of: Any) -> tuple[int | None, str]:
    """Code and words; no code where the body is no error of Binance's."""
    if not isinstance(of, dict):
        return None, ""
    code, said = of.get("code"), of.get("msg")
    known = code if isinstance(code, int) and not isinstance(code, bool) else None
    return known, said if isinstance(said, str) else ""


def trade_id(symbol: str, number: str) -> str:
    """Trades are numbered by symbol."""
    return f"{symbol}:{number}"


def _deals_within(row: Fields, broker_id: str) -> tuple[Deal, ...]:
    """What was filled on arrival: all of it took. Fills without a number are left for the list of trades."""
    return tuple(
        Deal(
            id=trade_id(row.text("symbol"), each.text("tradeId")), broker_order_id=broker_id,
            quantity=each.number("qty"), price=each.number("price"), at=row.epoch_ms("transactTime"),
            fee=each.number("commission"), fee_asset=each.text("commissionAsset"),
        )
        for each in row.each("fills")
        if each.has("tradeId")
    )  # fmt: skip
