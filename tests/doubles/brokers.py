"""Brokers on loopback that speak the wire format of the real ones, over real HTTP; how they fail is dialled in."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from gateway.core.clock import Clock

KEY, SECRET = "key-of-ada", "secret-of-ada"
LOST, HANG, DOWN, DOWN_AFTER, LIMITED, BANNED, GARBAGE = "lost", "hang", "500", "500 after", "429", "418", "garbage"
SLOW, CLOCK = "408 after", "-1021"
"""LOST, DOWN_AFTER, SLOW: it is carried out, and the answer does not come, or says that something broke."""


@dataclass(kw_only=True)
class Placed:
    """An order at a venue."""

    id: str
    client_id: str
    symbol: str
    side: str
    type: str
    tif: str
    quantity: Decimal
    price: str | None = None
    stop: str | None = None
    trail: str | None = None
    """As Binance has it, in basis points."""
    status: str = "new"
    replaces: str | None = None
    replaced_by: str | None = None
    deals: list[dict[str, Any]] = field(default_factory=list)
    at: datetime
    """When it was made."""

    @property
    def filled(self) -> Decimal:
        return sum((Decimal(each["qty"]) for each in self.deals), Decimal(0))

    @property
    def open(self) -> bool:
        return self.status in ("new", "partially_filled", "pending_cancel", "pending_replace")


@dataclass
class Venue:
    """What both have in common: orders, money, what was asked, and the faults that come next."""

    clock: Clock
    key: str = KEY
    """Which it takes."""
    owner: str | None = "904837e3"
    """Its id of the account that the key is of; None where it tells none."""
    orders: dict[str, Placed] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    faults: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, end of the path, what happens: each once, in order."""
    limited: dict[str, Any] = field(default_factory=lambda: {"code": -1003, "msg": "Too much", "message": "Too much"})
    """What it says to those who ask too often."""
    proxy: int | None = None
    """The status with which something between answers in its place, whatever it has done."""
    refuses: str | None = None
    """Words with which orders are refused."""
    refuses_from: int | None = None
    """The number of the request to place from which on orders are refused."""
    holds_cancels: bool = False
    """Cancelling is taken note of, and not done."""
    holds_replacements: bool = False
    """Replacing is taken note of, and not done: the order works until its venue has taken what is to replace it."""
    hides_fills: bool = False
    """Orders count as filled before the list of fills has them."""
    fills_at: str | None = None
    """The price at which orders are filled on arrival."""
    cash: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    keeps_units: bool = False
    """Sales take of `units`, and more than is there, or what is no multiple of a thousandth, is refused."""
    tolls: list[dict[str, str]] = field(default_factory=list)
    """Fees in coins, as Alpaca books them at the end of the day."""
    skew: timedelta = timedelta()
    fee: tuple[str, str] = ("0", "USDT")
    numbers: Any = field(default_factory=lambda: count(1))
    hangs: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def now(self) -> datetime:
        return self.clock.now() + self.skew

    def count(self, method: str, end: str) -> int:
        """How often something was asked."""
        return sum((method, True) == (each[0], each[1].endswith(end)) for each in self.asked)

    def fault(self, method: str, path: str) -> str | None:
        for place, (wanted, end, what) in enumerate(self.faults):
            if wanted == method and path.endswith(end):
                del self.faults[place]
                return what
        return None

    def by_client_id(self, client_id: str | None) -> Placed | None:
        return next((each for each in self.orders.values() if each.client_id == client_id), None)

    def add(self, **given: Any) -> Placed:
        made = Placed(id=str(next(self.numbers)), at=self.now, **given)
        self.orders[made.id] = made
        if self.fills_at is not None:
            self.fill(made, str(made.quantity), self.fills_at)
        return made

    def fill(self, order: Placed, quantity: str, price: str, id: str | None = None) -> None:
        """A trade happens at the venue."""
        at = self.now
        fee, asset = self.fee
        order.deals.append({
            "id": id or str(next(self.numbers)), "qty": quantity, "price": price, "at": at, "fee": fee, "asset": asset,
        })  # fmt: skip
        part = order.status if order.status == "pending_replace" else "partially_filled"
        order.status = "filled" if order.filled >= order.quantity else part

    def lacking(self, name: str, side: str, quantity: str) -> str | None:
        """Why it cannot be sold; where it can, it is gone."""
        if not self.keeps_units or side.upper() != "SELL":
            return None
        there, wanted = Decimal(self.units.get(name, "0")), Decimal(quantity)
        if wanted % Decimal("0.001"):
            return "Filter failure: LOT_SIZE"
        if wanted > there:
            return f"insufficient balance for {name} (requested: {quantity}, available: {there})"
        self.units[name] = str(there - wanted)
        return None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Everything comes through here: the fault before, then the venue's own answer, then the fault after."""
        self.asked.append((request.method, request.path))
        placed = sum(each[0] == "POST" for each in self.asked)
        if self.refuses_from is not None and placed >= self.refuses_from:
            self.refuses = "enough"
        what = self.fault(request.method, request.path)
        if what == DOWN:
            return web.json_response({"msg": "Internal error", "message": "internal"}, status=500)
        if what in (LIMITED, BANNED):
            headers = {"retry-after": "7" if what == LIMITED else "120"}
            return web.json_response(self.limited, status=int(what), headers=headers)
        if what == CLOCK:
            told = "Timestamp for this request is outside of the recvWindow."
            return web.json_response({"code": -1021, "msg": told}, status=400)
        found = await self.respond(request)
        if self.proxy is not None:
            return web.Response(text=f"<html>error {self.proxy}</html>", content_type="text/html", status=self.proxy)
        if what == SLOW:
            return web.json_response({"message": "request timed out"}, status=408)
        if what == DOWN_AFTER:
            return web.json_response({"code": -1007, "msg": "Timeout waiting for response"}, status=503)
        if what == GARBAGE:
            return web.Response(text="<html>all is well</html>", content_type="text/html")
        if what == HANG:
            self.hangs.set()
            await asyncio.sleep(1)
        if what == LOST and request.transport is not None:
            request.transport.close()
        return found

    async def respond(self, request: web.Request) -> web.Response:
        raise NotImplementedError


class AlpacaDouble(Venue):
    """https://docs.alpaca.markets/reference"""

    left = "150"
    """So many requests it still takes in this minute."""

    async def respond(self, request: web.Request) -> web.Response:
        if (request.headers.get("apca-api-key-id"), request.headers.get("apca-api-secret-key")) != (self.key, SECRET):
            return self._no(401, "request is not authorized")
        path, body = request.path.partition("/v2")[2], await request.read()
        given: dict[str, Any] = json.loads(body) if body else {}
        if body:
            self.bodies.append(given)
        match request.method, path:
            case "POST", "/orders":
                return self._place(given)
            case "GET", "/orders":
                return web.json_response([self._shown(each) for each in reversed(self.orders.values()) if each.open])
            case "GET", "/orders:by_client_order_id":
                return self._one(self.by_client_id(request.query.get("client_order_id")))
            case "GET", "/account/activities/FILL":
                return web.json_response(self._activities(request.query))
            case "GET", "/account/activities/CFEE":
                return web.json_response(self.tolls)
            case "GET", "/account":
                told = {"id": self.owner, "cash": self.cash.get("USD", "0"), "currency": "USD"}
                return web.json_response(told)
            case "GET", "/positions":
                held = self.units.items()
                return web.json_response(
                    [{"symbol": a, "qty": n, "side": "short" if n.startswith("-") else "long"} for a, n in held]
                )
        return self._of_order(request.method, path.removeprefix("/orders/"), given)

    def _of_order(self, method: str, id: str, given: dict[str, Any]) -> web.Response:
        order = self.orders.get(id)
        if order is None or method == "GET":
            return self._one(order)
        if not order.open:
            return self._no(422, f"order is not open: {order.status}")
        if order.status == "pending_replace":
            return self._no(422, "order is pending replace")
        if method == "DELETE":
            order.status = "pending_cancel" if self.holds_cancels else "canceled"
            return web.Response(status=204)
        if self.by_client_id(given["client_order_id"]) is not None:
            return self._no(422, "client_order_id must be unique", 40010001)
        if self.refuses:
            return self._no(422, self.refuses)
        order.status = "pending_replace" if self.holds_replacements else "replaced"
        new = self.add(
            client_id=given["client_order_id"], symbol=order.symbol, side=order.side, type=order.type, tif=order.tif,
            quantity=Decimal(given.get("qty", order.quantity)), price=given.get("limit_price", order.price),
            stop=given.get("stop_price", order.stop), replaces=order.id,
        )  # fmt: skip
        order.replaced_by = new.id
        return self._one(new)

    def decide(self, new: Placed, *, taken: bool) -> None:
        """A replacement reaches its venue, which takes it or not: one of an order that was filled before never."""
        old = self.orders[new.replaces or ""]
        new.status = new.status if taken else "rejected"
        if old.status == "pending_replace":
            old.status = "replaced" if taken else "partially_filled" if old.deals else "new"

    def _place(self, given: dict[str, Any]) -> web.Response:
        if self.by_client_id(given["client_order_id"]) is not None:
            return self._no(422, "client_order_id must be unique", 40010001)
        if self.refuses:
            return self._no(403, self.refuses)
        if lacking := self.lacking(given["symbol"].replace("/", ""), given["side"], given["qty"]):
            return self._no(403, lacking)
        made = self.add(
            client_id=given["client_order_id"], symbol=given["symbol"], side=given["side"], type=given["type"],
            tif=given["time_in_force"], quantity=Decimal(given["qty"]), price=given.get("limit_price"),
            stop=given.get("stop_price"),
        )  # fmt: skip
        return self._one(made)

    def _activities(self, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        found = [
            {"id": each["id"], "activity_type": "FILL", "order_id": order.id, "qty": each["qty"],
             "price": each["price"], "side": order.side, "symbol": order.symbol,
             "transaction_time": each["at"].isoformat()}
            for order in self.orders.values() if order.id == asked["order_id"] and not self.hides_fills
            for each in order.deals if each["at"] > datetime.fromisoformat(asked["after"])
        ]  # fmt: skip
        found.sort(key=lambda each: str(each["transaction_time"]), reverse=True)
        places = [n for n, each in enumerate(found) if each["id"] == asked.get("page_token")]
        return found[places[0] + 1 if places else 0 :][: int(asked["page_size"])]

    def _one(self, order: Placed | None) -> web.Response:
        if order is None:
            return self._no(404, "order not found")
        return web.json_response(self._shown(order), headers={"x-ratelimit-remaining": self.left})

    def _shown(self, order: Placed) -> dict[str, Any]:
        return {
            "id": order.id, "client_order_id": order.client_id, "symbol": order.symbol, "side": order.side,
            "type": order.type, "time_in_force": order.tif, "qty": str(order.quantity), "notional": None,
            "filled_qty": str(order.filled), "limit_price": order.price, "stop_price": order.stop,
            "trail_price": None, "trail_percent": None, "status": order.status, "replaces": order.replaces,
            "replaced_by": order.replaced_by, "submitted_at": self.now.isoformat(),
        }  # fmt: skip

    def _no(self, status: int, message: str, code: int | None = None) -> web.Response:
        return web.json_response({"code": code or status * 10**5, "message": message}, status=status)


class BinanceDouble(Venue):
    """https://developers.binance.com/docs/binance-spot-api-docs/rest-api"""

    refuses_new: tuple[int, str] | None = None

    async def respond(self, request: web.Request) -> web.Response:
        path = request.path.partition("/api/v3")[2]
        if path == "/time":
            return web.json_response({"serverTime": int(self.now.timestamp() * 1000)})
        wrong = self._unsigned(request)
        if wrong is not None:
            return wrong
        given = dict(request.query)
        self.bodies.append(given)
        number, name = given.get("orderId"), given.get("origClientOrderId")
        known = self.by_client_id(name) if number is None else self.orders.get(number)
        if known is not None and name is not None and known.client_id != name:
            # https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints: both have to match.
            deleting = request.method == "DELETE"
            return self._no(
                *((-2011, "Unknown order sent.") if deleting else (-2039, "Client order ID is not correct."))
            )
        match request.method, path:
            case "POST", "/order":
                return self._place(given)
            case "POST", "/order/cancelReplace":
                return self._replace(given)
            case "GET", "/order":
                return self._no(-2013, "Order does not exist.") if known is None else self._one(known)
            case "DELETE", "/order":
                return self._cancel(known)
            case "GET", "/openOrders":
                return web.json_response([self._told(each) for each in self.orders.values() if each.open])
            case "GET", "/myTrades":
                told = [] if known is None or self.hides_fills else [self._trade(known, each) for each in known.deals]
                rest = [each for each in told if each["id"] >= int(given["fromId"])]
                return web.json_response(rest[: int(given["limit"])])
            case "GET", "/account":
                held = (self.cash | self.units).items()
                told = [{"asset": a, "free": n, "locked": "0"} for a, n in held]
                return web.json_response({"uid": self.owner, "balances": told})
        return web.Response(status=404)

    def _unsigned(self, request: web.Request) -> web.Response | None:
        total, _, made = request.query_string.partition("&signature=")
        if request.headers.get("x-mbx-apikey") != self.key:
            return self._no(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        if not hmac.compare_digest(hmac.new(SECRET.encode(), total.encode(), sha256).hexdigest(), made):
            return self._no(-1022, "Signature for this request is not valid.")
        given, now = dict(parse_qsl(total)), int(self.now.timestamp() * 1000)
        sent = int(given["timestamp"])
        if not (sent < now + 1000 and now - sent <= int(given["recvWindow"])):
            return self._no(-1021, "Timestamp for this request is outside of the recvWindow.")
        return None

    def _place(self, given: dict[str, str]) -> web.Response:
        held = self.by_client_id(given["newClientOrderId"])
        if held is not None and held.open:
            return self._no(-2010, "Duplicate order sent.")
        if self.refuses:
            return self._no(-2010, self.refuses)
        if lacking := self.lacking(given["symbol"].removesuffix("USDT"), given["side"], given["quantity"]):
            return self._no(-2010, lacking)
        made = self._made(given)
        body = self._shown(made) | {"transactTime": int(self.now.timestamp() * 1000)}
        fills = [
            {"price": each["price"], "qty": each["qty"], "commission": each["fee"], "commissionAsset": each["asset"],
             "tradeId": int(each["id"])}
            for each in made.deals
        ]  # fmt: skip
        return web.json_response(body | {"fills": fills}, headers={"x-mbx-order-count-10s": "1"})

    def _replace(self, given: dict[str, str]) -> web.Response:
        old = self.orders[given["cancelOrderId"]]
        if old.status != "new" or self.refuses:
            said = {"code": -2011, "msg": "Order was not canceled due to cancel restrictions."}
            data = {"cancelResult": "FAILURE", "cancelResponse": said, "newOrderResponse": None}
            return self._no(-2022, "Order cancel-replace failed.", data=data)
        old.status = "canceled"
        if self.refuses_new is not None:
            said = dict(zip(("code", "msg"), self.refuses_new, strict=True))
            data = {"cancelResult": "SUCCESS", "newOrderResult": "FAILURE", "cancelResponse": self._shown(old)}
            return self._no(-2021, "Cancel-replace partially failed.", 409, data=data | {"newOrderResponse": said})
        new = self._made(given)
        return web.json_response({
            "cancelResult": "SUCCESS", "newOrderResult": "SUCCESS", "cancelResponse": self._shown(old),
            "newOrderResponse": self._shown(new) | {"transactTime": int(self.now.timestamp() * 1000), "fills": []},
        })  # fmt: skip

    def _cancel(self, order: Placed | None) -> web.Response:
        if order is None or not order.open:
            return self._no(-2011, "Unknown order sent.")
        order.status = "canceled"
        body = self._shown(order)
        return web.json_response(body | {"origClientOrderId": body["clientOrderId"], "clientOrderId": "cancel"})

    def _made(self, given: dict[str, str]) -> Placed:
        return self.add(
            client_id=given["newClientOrderId"], symbol=given["symbol"], side=given["side"], type=given["type"],
            tif=given.get("timeInForce", "GTC"), quantity=Decimal(given["quantity"]), price=given.get("price"),
            stop=given.get("stopPrice"), trail=given.get("trailingDelta"),
        )  # fmt: skip

    def _one(self, order: Placed) -> web.Response:
        return web.json_response(self._told(order))

    def _told(self, order: Placed) -> dict[str, Any]:
        return self._shown(order) | {"time": int(order.at.timestamp() * 1000)}

    def _shown(self, order: Placed) -> dict[str, Any]:
        # https://developers.binance.com/legacy-docs/binance-spot-api-docs/rest-api/conditional-fields-in-order-responses
        trailing = {} if order.trail is None else {"trailingDelta": int(order.trail)}
        return trailing | {
            "symbol": order.symbol, "orderId": int(order.id), "clientOrderId": order.client_id,
            "price": order.price or "0.00000000", "origQty": str(order.quantity), "executedQty": str(order.filled),
            "status": order.status.upper(), "timeInForce": order.tif, "type": order.type, "side": order.side,
            "stopPrice": order.stop or "0.00000000",
        }  # fmt: skip

    def _trade(self, order: Placed, each: dict[str, Any]) -> dict[str, Any]:
        return {
            "symbol": order.symbol, "id": int(each["id"]), "orderId": int(order.id), "price": each["price"],
            "qty": each["qty"], "commission": each["fee"], "commissionAsset": each["asset"],
            "time": int(each["at"].timestamp() * 1000), "isBuyer": order.side == "BUY", "isMaker": False,
        }  # fmt: skip

    def _no(self, code: int, message: str, status: int = 400, **more: Any) -> web.Response:
        return web.json_response({"code": code, "msg": message} | more, status=status)


@asynccontextmanager
async def serving(venues: dict[str, Venue]) -> AsyncIterator[str]:
    """All of them behind one address, each under its broker's id."""
    app = web.Application()
    for broker, venue in venues.items():
        app.router.add_route("*", f"/{broker}/{{rest:.*}}", _handler(venue))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


def _handler(venue: Venue) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await venue.answer(request)

    return handle
