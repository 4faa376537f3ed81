"""Alpaca's trading API, version 2: requests and answers. Pure. Docs: https://docs.alpaca.markets/reference/postorder"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from plugins.trading.brokers.port import Deal, Report, Stock, Ticket, Toll
from plugins.trading.brokers.wire import Fields, Sending, objects, plain
from schema.symbols import AssetClass, InstrumentId, crypto
from schema.words.orders import OrderStatus, OrderType, TimeInForce

PAGE = 100
OPEN_ORDERS = 500
DOLLAR = "USD"
VENUES = frozenset({"", "XNAS", "XNYS", "ARCX", "XASE", "BATS", "IEXG"})
"""Where US equities are listed."""

TYPES: Mapping[OrderType, str] = {
    OrderType.MARKET: "market", OrderType.LIMIT: "limit", OrderType.STOP_MARKET: "stop",
    OrderType.STOP_LIMIT: "stop_limit", OrderType.TRAILING_STOP: "trailing_stop",
}  # fmt: skip
CRYPTO_TYPES = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_LIMIT})
TIMES: Mapping[TimeInForce, str] = {
    TimeInForce.DAY: "day", TimeInForce.GTC: "gtc", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok",
}  # fmt: skip
CRYPTO_TIMES = frozenset({TimeInForce.GTC, TimeInForce.IOC})
REPLACED = "replaced"

STATUSES: Mapping[str, OrderStatus] = {
    "new": OrderStatus.ACCEPTED, "accepted": OrderStatus.ACCEPTED, "pending_new": OrderStatus.ACCEPTED,
    "accepted_for_bidding": OrderStatus.ACCEPTED, "held": OrderStatus.ACCEPTED,
    # Guaranteed or barred for now, but neither filled nor ended.
    "stopped": OrderStatus.ACCEPTED, "suspended": OrderStatus.ACCEPTED,
    # No more today; `filled`, `canceled` or `expired` follows.
    "done_for_day": OrderStatus.ACCEPTED, "calculated": OrderStatus.ACCEPTED,
    "partially_filled": OrderStatus.PARTIALLY_FILLED, "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED, "expired": OrderStatus.EXPIRED, "rejected": OrderStatus.REJECTED,
    "pending_cancel": OrderStatus.PENDING_CANCEL, "pending_replace": OrderStatus.PENDING_REPLACE,
    # The order that took its place is looked at instead.
    REPLACED: OrderStatus.CANCELED,
}  # fmt: skip
"""https://docs.alpaca.markets/docs/orders-at-alpaca#order-lifecycle"""
REASONS = {said: f"Alpaca says {said}" for said in ("canceled", "rejected", REPLACED)}


def headers(key: str, secret: str) -> dict[str, str]:
    """Of every request."""
    return {
        "apca-api-key-id": key, "apca-api-secret-key": secret, "accept": "application/json",
        "content-type": "application/json",
    }  # fmt: skip


def symbol_of(instrument: InstrumentId) -> str | None:
    """`AAPL`, `BTC/USD`; None for what is not traded there: the same ticker elsewhere is another security."""
    if instrument.asset_class is AssetClass.EQUITY and instrument.is_spot and instrument.venue in VENUES:
        return instrument.base
    if instrument.asset_class is AssetClass.CRYPTO and instrument.is_spot and instrument.venue in ("", "alpaca"):
        return f"{instrument.base}/{instrument.quote}"
    return None


def asset_of(instrument: InstrumentId) -> str:
    """As positions are named: `AAPL`, `BTCUSD`."""
    return f"{instrument.base}{instrument.quote}"


def unfit(ticket: Ticket) -> str | None:
    """Why there is no such order at Alpaca; None where there is."""
    if symbol_of(ticket.instrument) is None:
        return f"Alpaca trades US equities and spot crypto, and not {ticket.instrument}."
    coins = ticket.instrument.asset_class is AssetClass.CRYPTO
    types = CRYPTO_TYPES if coins else TYPES.keys()
    times = CRYPTO_TIMES if coins else TIMES.keys()
    what = "crypto" if coins else "equities"
    if ticket.type not in types:
        return f"Alpaca has no {ticket.type.value} for {what}: use {_either(types)}."
    if ticket.time_in_force not in times:
        return f"Alpaca has no {ticket.time_in_force.value} for {what}: use {_either(times)}."
    if ticket.currency not in ("", DOLLAR):
        return _undollared(ticket)
    if ticket.post_only:
        return "Alpaca has no orders that only make: leave postOnly out."
    return None


def _undollared(ticket: Ticket) -> str:
    """Crypto is traded against other coins too, but `cash` is dollars alone: what another pair costs would be lost."""
    name = ticket.instrument
    if name.asset_class is not AssetClass.CRYPTO:
        return f"Alpaca trades equities in US dollars, and {name} is priced in {ticket.currency}."
    way = f"trade {crypto(name.base, DOLLAR)} instead"
    return f"Alpaca tells money in US dollars only, and {name} is paid in {ticket.currency}: {way}."


def place(ticket: Ticket, secrets: Mapping[str, str]) -> Sending:
    """POST /v2/orders."""
    body: dict[str, Any] = {
        "symbol": symbol_of(ticket.instrument), "qty": plain(ticket.quantity), "side": ticket.side.value.lower(),
        "type": TYPES[ticket.type], "time_in_force": TIMES[ticket.time_in_force], **_prices(ticket),
        "client_order_id": ticket.client_id,
    }  # fmt: skip
    if ticket.extended_hours and (ticket.type, ticket.time_in_force) == (OrderType.LIMIT, TimeInForce.DAY):
        body["extended_hours"] = True
    return Sending(method="POST", path="/v2/orders", body=msgspec.json.encode(body), headers=secrets)


def replace(broker_id: str, ticket: Ticket, secrets: Mapping[str, str]) -> Sending:
    """PATCH /v2/orders/{id}: another order with another id takes its place. What is left out stays; a size that is no
    whole number is not taken there. https://docs.alpaca.markets/us/v1.1/reference/patchorderbyorderid-1"""
    body: dict[str, Any] = {"client_order_id": ticket.client_id}
    if not ticket.same_size or ticket.quantity == ticket.quantity.to_integral_value():
        body["qty"] = plain(ticket.quantity)
    prices = _prices(ticket)
    for name in ("limit_price", "stop_price"):
        if name in prices:
            body[name] = prices[name]
    trail = prices.get("trail_price", prices.get("trail_percent"))
    if trail is not None:
        body["trail"] = trail
    path = f"/v2/orders/{quote(broker_id, safe='')}"
    return Sending(method="PATCH", path=path, body=msgspec.json.encode(body), headers=secrets)


def cancel(broker_id: str, secrets: Mapping[str, str]) -> Sending:
    """DELETE /v2/orders/{id}: 204, and how it ends is told later."""
    return Sending(method="DELETE", path=f"/v2/orders/{quote(broker_id, safe='')}", headers=secrets)


def by_id(broker_id: str, secrets: Mapping[str, str]) -> Sending:
    """GET /v2/orders/{id}."""
    return Sending(method="GET", path=f"/v2/orders/{quote(broker_id, safe='')}", headers=secrets)


def by_client_id(client_id: str, secrets: Mapping[str, str]) -> Sending:
    """GET /v2/orders:by_client_order_id."""
    query = urlencode({"client_order_id": client_id})
    return Sending(method="GET", path="/v2/orders:by_client_order_id", query=query, headers=secrets)


def open_orders(secrets: Mapping[str, str], until: str | None = None) -> Sending:
    """GET /v2/orders, the newest first; *until* is where the page before ended."""
    asked = {"status": "open", "limit": str(OPEN_ORDERS), "direction": "desc", "nested": "false"}
    if until is not None:
        asked["until"] = until
    return Sending(method="GET", path="/v2/orders", query=urlencode(asked), headers=secrets)


def activities(broker_id: str, since: datetime, secrets: Mapping[str, str], token: str | None = None) -> Sending:
    """GET /v2/account/activities/FILL, the newest first; *token* is the id at the end of the page before."""
    after = since.isoformat().replace("+00:00", "Z")
    asked = {"order_id": broker_id, "after": after, "direction": "desc", "page_size": str(PAGE)}
    if token is not None:
        asked["page_token"] = token
    return Sending(method="GET", path="/v2/account/activities/FILL", query=urlencode(asked), headers=secrets)


def coin_fees(since: datetime, secrets: Mapping[str, str], token: str | None = None) -> Sending:
    """GET /v2/account/activities/CFEE, the oldest first. https://docs.alpaca.markets/docs/crypto-fees"""
    asked = {"after": since.isoformat().replace("+00:00", "Z"), "direction": "asc", "page_size": str(PAGE)}
    if token is not None:
        asked["page_token"] = token
    return Sending(method="GET", path="/v2/account/activities/CFEE", query=urlencode(asked), headers=secrets)


def account(secrets: Mapping[str, str]) -> Sending:
    """GET /v2/account."""
    return Sending(method="GET", path="/v2/account", headers=secrets)


def positions(secrets: Mapping[str, str]) -> Sending:
    """GET /v2/positions."""
    return Sending(method="GET", path="/v2/positions", headers=secrets)


def parse_order(row: Fields) -> Report:
    """An order; a status that nobody has heard of is no answer."""
    said = row.text("status")
    return Report(
        broker_id=row.text("id"), client_id=row.text("client_order_id"), status=_status(row, said),
        quantity=row.number_or_none("qty"), filled=row.number("filled_qty"),
        limit_price=row.number_or_none("limit_price"), stop_price=row.number_or_none("stop_price"),
        trail_amount=row.number_or_none("trail_price"), trail_percent=row.number_or_none("trail_percent"),
        reason=REASONS.get(said),
        # As long as it still works another one is only to replace it, which may fail.
        replaced_by=row.text_or_none("replaced_by") if said == REPLACED else None,
        replaces=row.text_or_none("replaces"),
    )  # fmt: skip


def parse_deals(of: Any, where: str) -> list[Deal]:
    """Fills of all orders; Alpaca books its fees apart from them, at the end of the day."""
    return [
        Deal(
            id=row.text("id"), broker_order_id=row.text("order_id"), quantity=row.number("qty"),
            price=row.number("price"), at=row.instant("transaction_time"),
        )
        for row in objects(of, where)
    ]  # fmt: skip


def parse_tolls(rows: Iterable[Fields]) -> list[Toll]:
    """Those that were taken in coins; what a sale costs is taken in dollars."""
    return [
        Toll(
            id=row.text("id"), asset=row.text("symbol").replace("/", ""), quantity=quantity.copy_abs(),
            price=row.above_zero("price"), day=_day(row),
        )
        for row in rows
        if (quantity := row.number_or_none("qty")) is not None and quantity < 0
    ]  # fmt: skip


def _day(row: Fields) -> date | None:
    said = row.text_or_none("date")
    try:
        return None if said is None else date.fromisoformat(said[:10])
    except ValueError:
        raise row.unknown("date", said or "") from None


def parse_stock(account: Fields, held: Iterable[Fields]) -> Stock:
    """Dollars, and units by symbol, below zero where short."""
    return Stock(
        cash={(account.text_or_none("currency") or DOLLAR).upper(): account.number("cash")},
        units={row.text("symbol").replace("/", ""): _signed(row) for row in held},
    )


def parse_owner(account: Fields) -> str | None:
    """Alpaca's id of the account, which its keys come and go with."""
    return account.text_or_none("id")


def _signed(row: Fields) -> Decimal:
    quantity = row.number("qty")
    short = row.text_or_none("side") == "short"
    return quantity.copy_abs().copy_negate() if short else quantity


def _status(row: Fields, said: str) -> OrderStatus:
    if said not in STATUSES:
        raise row.unknown("status", said)
    found = STATUSES[said]
    working = found is OrderStatus.ACCEPTED and row.number("filled_qty") > 0
    return OrderStatus.PARTIALLY_FILLED if working else found


def _prices(ticket: Ticket) -> dict[str, str]:
    given = {
        "limit_price": ticket.limit_price, "stop_price": ticket.stop_price, "trail_price": ticket.trail_amount,
        "trail_percent": ticket.trail_percent,
    }  # fmt: skip
    return {name: plain(value) for name, value in given.items() if value is not None}


def _either(of: Iterable[Any]) -> str:
    names = sorted(each.value for each in of)
    return f"{', '.join(names[:-1])} or {names[-1]}"
