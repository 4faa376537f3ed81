"""Binance spot, by one key. Docs: https://developers.binance.com/docs/binance-spot-api-docs/rest-api"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from gateway.core.matching.lifecycle import TERMINAL
from plugins.trading.brokers import binance_wire as wire
from plugins.trading.brokers.course import root_id
from plugins.trading.brokers.link import BARRED, LIMITED, Answer, Link
from plugins.trading.brokers.pacing import READING, Urgency
from plugins.trading.brokers.port import (
    ZERO,
    BrokerBusy,
    BrokerRefused,
    Deal,
    KeyRefused,
    OutcomeUnknown,
    Reference,
    Report,
    SendAnew,
    Stock,
    Ticket,
    Toll,
)
from plugins.trading.brokers.wire import Fields, Sending, decode, millis, words
from schema.symbols import InstrumentId
from schema.words.orders import OrderStatus

WEIGHT, WEIGHT_A_MINUTE = "weight", 6_000
"""Of an address, whatever the key."""
READING_OF_A_KEY = 1_000
"""Of that weight, in a minute: the list of all open orders every 5 seconds is 960."""
ORDERS_IN_10_S, ORDERS_A_DAY = 50, 160_000
"""Of an account; Binance has raised the first one since, and says by its headers what is used."""
PAUSE_S = 60.0
"""After a 429 without Retry-After: that is how the limit of orders is told."""
WEIGHTS = {
    ("POST", wire.ORDER): 1, ("DELETE", wire.ORDER): 1, ("GET", wire.ORDER): 4, ("POST", wire.REPLACE): 1,
    ("GET", wire.OPEN): 80, ("DELETE", wire.OPEN): 1, ("GET", wire.TRADES): 5, ("GET", wire.ACCOUNT): 20,
    ("GET", wire.TIME): 1,
}  # fmt: skip
"""That of trades is of those of one order: without one it is 20."""
CLOCK, NO_ORDER, PARTLY, ARCHIVED = -1021, -2013, -2021, -2026
OFTEN = -1015
BUSY = frozenset({-1003, -1008, OFTEN})
OPEN_OUTCOME = frozenset({-1000, -1001, -1006, -1007})
"""Binance does not know itself whether it was done."""
KEYS = frozenset({-1002, -1022, -2014, -2015})
TAKEN = "Duplicate order sent."
OURS = "ord_"
"""So the names begin under which we send orders."""
ON_ITS_WAY = timedelta(seconds=60)
"""So long after it was kept here an order may be made there, clocks that differ included."""
UNDONE = "BROKER_REFUSED: it was cancelled, and what was to replace it refused"


class Binance:
    """Serves `Broker`."""

    def __init__(self, link: Link, key: str, secret: str) -> None:
        self.id, self._link, self._key, self._secret = link.broker, link, key, secret
        owner = sha256(key.encode()).hexdigest()
        self._often, self._daily, self._share = f"10 s {owner}", f"day {owner}", f"reading {owner}"
        link.pace.limit(WEIGHT, WEIGHT_A_MINUTE, 60.0, reading=READING)
        link.pace.limit(self._share, READING_OF_A_KEY, 60.0, reading=1.0)
        link.pace.limit(self._often, ORDERS_IN_10_S, 10.0)
        link.pace.limit(self._daily, ORDERS_A_DAY, 86_400.0)

    def __repr__(self) -> str:
        return f"<{self.id}>"

    async def owner(self, urgency: Urgency) -> str | None:
        """See `Broker`."""
        owners = self._link.owners
        if self._often not in owners:
            answer = await self._signed("GET", wire.ACCOUNT, {"omitZeroBalances": "true"}, urgency)
            if (found := wire.parse_owner(_object(answer))) is None:
                return None
            owners[self._often] = found
        return owners[self._often]

    def check(self, ticket: Ticket) -> str | None:
        """See `Broker`."""
        return wire.unfit(ticket)

    def asset_of(self, instrument: InstrumentId) -> str:
        """See `Broker`."""
        return instrument.base

    def busy(self, orders: int = 1) -> float:
        """See `Broker`."""
        return self._link.pace.wait(self._counts(orders), Urgency.ORDER)

    async def place(self, ticket: Ticket) -> Report:
        """See `Broker`."""
        asked = wire.order_params(ticket)
        answer = await self._signed("POST", wire.ORDER, asked, Urgency.ORDER, self._counts(1), again=False)
        return wire.parse_order(_object(answer))

    async def replace(self, order: Reference, ticket: Ticket) -> Report:
        """See `Broker`."""
        asked = wire.replace_params(ticket, await self._broker_id(order))
        try:
            answer = await self._signed("POST", wire.REPLACE, asked, Urgency.ORDER, self._counts(1), again=False)
        except _Undone as undone:
            return undone.report
        return wire.parse_order(_object(answer).inner("newOrderResponse"))

    async def cancel(self, order: Reference) -> Report | None:
        """See `Broker`."""
        which = self._which(order)
        try:
            return await self._cancel(which | {"origClientOrderId": order.client_id})
        except KeyRefused:
            raise
        except BrokerRefused:
            # It may bear another name by now; and by its number alone another one would be cancelled.
            found = None if order.broker_id is None else await self.find(order, Urgency.CANCEL)
            if found is None or found.status in TERMINAL or found.client_id == order.client_id:
                raise
        return await self._cancel(which | {"origClientOrderId": found.client_id})

    async def _cancel(self, asked: Mapping[str, str]) -> Report:
        """By number and name: where both are sent, both have to be right."""
        return wire.parse_order(_object(await self._signed("DELETE", wire.ORDER, asked, Urgency.CANCEL)))

    async def cancel_all(self, orders: Sequence[Reference]) -> None:
        """One by one: the one exchange for a symbol would take others' orders along."""
        for each in orders:
            try:
                await self.cancel(each)
            except KeyRefused:
                raise
            except BrokerRefused:
                continue

    async def find(self, order: Reference, urgency: Urgency = Urgency.READ) -> Report | None:
        """See `Broker`."""
        try:
            answer = await self._signed("GET", wire.ORDER, self._which(order), urgency)
        except _NoOrder:
            return None
        except _Archived as error:
            if order.broker_id is None:
                raise
            return Report(
                broker_id=order.broker_id, client_id=order.client_id, status=OrderStatus.CANCELED, quantity=None,
                filled=ZERO, reason=f"Binance says: {error}",
            )  # fmt: skip
        report = wire.parse_order(_object(answer))
        ahead = timedelta(milliseconds=self._link.offset_ms or 0)
        return None if _is_another(report, order, ahead) else report

    async def open_orders(self) -> list[Report]:
        """See `Broker`."""
        answer = await self._signed("GET", wire.OPEN, {}, Urgency.READ)
        return wire.parse_orders(answer.json(), answer.where)

    async def deals(self, order: Reference, since: datetime) -> list[Deal]:
        """See `Broker`; page by page: an order may have more trades than stand on one."""
        asked = {
            "symbol": self._symbol(order), "orderId": await self._broker_id(order), "limit": str(wire.TRADES_PAGE)
        }  # fmt: skip
        found: list[Deal] = []
        begin = "0"
        while True:
            answer = await self._signed("GET", wire.TRADES, {**asked, "fromId": begin}, Urgency.READ)
            page = wire.parse_trades(answer.json(), answer.where)
            found += page
            if len(page) < wire.TRADES_PAGE or wire.behind(page) == begin:
                break
            begin = wire.behind(page)
        return sorted(found, key=lambda each: (each.at, each.id))

    async def stock(self) -> Stock:
        """See `Broker`."""
        answer = await self._signed("GET", wire.ACCOUNT, {"omitZeroBalances": "true"}, Urgency.READ)
        return wire.parse_stock(_object(answer))

    async def tolls(self, since: datetime) -> list[Toll]:
        """See `Broker`: its trades tell all fees."""
        return []

    def _which(self, order: Reference) -> dict[str, str]:
        named = {"origClientOrderId": order.client_id} if order.broker_id is None else {"orderId": order.broker_id}
        return {"symbol": self._symbol(order)} | named

    def _symbol(self, order: Reference) -> str:
        found = wire.symbol_of(order.instrument)
        if found is None:
            raise BrokerRefused(f"{self.id} does not trade {order.instrument}")
        return found

    async def _broker_id(self, order: Reference) -> str:
        if order.broker_id is not None:
            return order.broker_id
        found = await self.find(order)
        if found is None:
            raise BrokerRefused(f"{self.id} knows no order {order.client_id}")
        return found.broker_id

    def _counts(self, orders: int) -> dict[str, int]:
        return {WEIGHT: orders, self._often: orders, self._daily: orders}

    async def _signed(
        self, method: str, path: str, asked: Mapping[str, str], urgency: Urgency, counts: dict[str, int] | None = None,
        *, again: bool = True,
    ) -> Answer:  # fmt: skip
        """An answer that is a yes. A request that our clock has spoilt was not carried out: it is sent once more, or
        left to whoever knows whether it is wanted still (SendAnew), with the clock asked for anew."""
        weights = {**(counts or {}), WEIGHT: WEIGHTS[method, path]}
        for attempt in (1, 2):
            if self._link.offset_ms is None:
                self._link.offset_ms = await self._measure(urgency)
            now_ms = self._now_ms() + self._link.offset_ms
            sending = wire.signed(method, path, asked, self._key, self._secret, now_ms)
            answer = await self._link.ask(sending, *self._shared(weights, urgency))
            self._note(answer)
            self._check_limits(answer)
            if 200 <= answer.status < 300:
                return answer
            if _code(answer) != CLOCK or attempt == 2:
                raise self._trouble(answer)
            self._link.offset_ms = None
            if not again:
                self._link.offset_ms = await self._measure(urgency)
                raise SendAnew(f"{self.id} has refused it for our clock: {self._trouble(answer)}")
        raise AssertionError("the second attempt ends")

    def _shared(self, weights: dict[str, int], urgency: Urgency) -> tuple[dict[str, int], Urgency]:
        """Reading is taken out of the key's own share, and what goes beyond out of what all leave: whoever asks without
        a pause keeps no other from being looked at."""
        share = {self._share: weights[WEIGHT]}
        if urgency is not Urgency.READ:
            return weights, urgency
        pace = self._link.pace
        if pace.wait(share, Urgency.READ) > 0 and not pace.rests(self._share):
            return weights, Urgency.SPARE
        return weights | share, Urgency.READ

    async def _measure(self, urgency: Urgency) -> int:
        """By how many milliseconds Binance's clock is ahead; half of the way there and back is taken off."""
        before = self._now_ms()
        answer = await self._link.ask(Sending(method="GET", path=wire.TIME), {WEIGHT: 1}, urgency)
        self._check_limits(answer)
        if answer.status != 200:
            raise BrokerBusy(f"{self.id} does not tell its time: status {answer.status}", 5.0)
        after = self._now_ms()
        theirs = millis(_object(answer).epoch_ms("serverTime"))
        return theirs - (before + after) // 2

    def _now_ms(self) -> int:
        return millis(self._link.clock.now())

    def _note(self, answer: Answer) -> None:
        """What Binance has counted."""
        for header, bucket in (
            ("x-mbx-used-weight-1m", WEIGHT), ("x-mbx-order-count-10s", self._often),
            ("x-mbx-order-count-1d", self._daily),
        ):  # fmt: skip
            told = answer.headers.get(header, "")
            if told.isascii() and told.isdigit() and len(told) < 9:
                self._link.pace.used(bucket, float(told))

    def _check_limits(self, answer: Answer) -> None:
        """Orders are counted for each key, and what they weigh for the gateway's address."""
        code = _code(answer)
        if answer.status in LIMITED or (code in BUSY and answer.status < 500):
            raise self._link.rest(answer, self._often if code == OFTEN else None)
        if answer.status == BARRED and code is None:
            self._link.rest(answer, self._share)

    def _trouble(self, answer: Answer) -> Exception:
        code, said = wire.parse_error(_body(answer))
        told = words(said) or f"status {answer.status}"
        if answer.status >= 500 or code is None or code in OPEN_OUTCOME or TAKEN in said:
            return OutcomeUnknown(f"{self.id}: {told}")
        if code in KEYS:
            return KeyRefused(f"{self.id} does not take the key: {told} ({code})")
        if code == NO_ORDER:
            return _NoOrder(f"{told} ({code})")
        if code == ARCHIVED:
            return _Archived(told)
        if code == PARTLY:
            return self._undone(answer) or OutcomeUnknown(f"{self.id}: {_inner(answer) or told}")
        return BrokerRefused(f"{_inner(answer) or told} ({code})")

    def _undone(self, answer: Answer) -> _Undone | None:
        """Of a replacement of which a half failed; None where it is open which one, and only looking tells."""
        data = _object(answer).inner("data")
        if (data.text_or_none("cancelResult"), data.text_or_none("newOrderResult")) != ("SUCCESS", "FAILURE"):
            return None
        code, said = wire.parse_error((_body(answer) or {})["data"].get("newOrderResponse"))
        if code is None or code in OPEN_OUTCOME or TAKEN in said:
            return None
        report = wire.parse_order(data.inner("cancelResponse"))
        return _Undone(replace(report, reason=f"{UNDONE}: {words(said)} ({code})"))


class _Undone(Exception):
    """An order was cancelled, and none took its place."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.reason)
        self.report = report


class _NoOrder(BrokerRefused):
    """There is none of this id."""


class _Archived(BrokerRefused):
    """It ended long ago, and nothing of it was filled."""


def _is_another(report: Report, order: Reference, ahead: timedelta = timedelta()) -> bool:
    """Whether the order's number is another one's by now, as after a test network was wiped: that one was made later.
    One that was cancelled may bear the name of its cancellation, and one that was amended in place any."""
    root = root_id(report.client_id)
    if root == root_id(order.client_id):
        return False
    if root.startswith(OURS) or (order.side is not None and report.side not in (None, order.side)):
        return True
    if order.by is None or report.made_at is None:
        return report.status is not OrderStatus.CANCELED
    return report.made_at - ahead > order.by + ON_ITS_WAY


def _object(answer: Answer) -> Fields:
    return Fields(answer.json(), answer.where)


def _body(answer: Answer) -> Any:
    try:
        return decode(answer.content, answer.where)
    except OutcomeUnknown:
        return None


def _code(answer: Answer) -> int | None:
    return wire.parse_error(_body(answer))[0]


def _inner(answer: Answer) -> str:
    """Why a replacement failed: it says so of both its halves."""
    data = (_body(answer) or {}).get("data")
    halves = [data.get(name) for name in ("cancelResponse", "newOrderResponse")] if isinstance(data, dict) else []
    return "; ".join(told for each in halves if (told := words(wire.parse_error(each)[1])))
