"""Accounts at two brokers that are doubles, through a whole gateway, on a market whose price stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import orjson
from graphql import OperationType
from sqlalchemy import select

from gateway.core.identity import CallerKind, Principal, Role, Scope
from gateway.core.outbox.tables import events, log
from gateway.core.ports import ProviderKeys
from gateway.edge.execute import OperationRequest, RequestFacts
from plugins.accounts.tables import organisations
from plugins.trading.accounts.store import PermitStore
from plugins.trading.brokers.catalog import Brokers
from plugins.trading.brokers.pacing import Urgency
from plugins.trading.brokers.port import BrokerBusy, Reference
from plugins.trading.brokers.reconciling import Reconciler
from plugins.trading.engine.engine import Engine
from plugins.trading.ledger.proof.proving import verify
from plugins.trading.rows import AccountRow, EntryRow, FillRow, OrderRow, PermitRow
from plugins.trading.tables import accounts, entries, fills, orders
from providers import Discovered
from schema.symbols import parse_instrument
from schema.words.instruments import INSTRUMENTS, Listing
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from tests.doubles.brokers import KEY, SECRET, AlpacaDouble, BinanceDouble, Venue, serving
from tests.gateway.doubles import ManualClock
from tests.house import House, open_house
from tests.plugins.speakers import NOON, speaker
from tests.plugins.trading.ledger.books import BY, TENANT, account_row
from tests.plugins.trading.rowsof import D

SYMBOLS = {"tacc_a": "crypto:BTC/USD", "tacc_b": "crypto:BTC/USDT"}
ETHER = "crypto:ETH/USDT"
BROKERS = {"tacc_a": "alpaca_paper", "tacc_b": "binance_testnet"}
MONEY = {"tacc_a": "USD", "tacc_b": "USDT"}
ORDER = "id status reason quantity filledQuantity averagePrice limitPrice"
ERRORS = "userErrors { field code message }"


def mutation(name: str, kind: str, wanted: str) -> str:
    return f"mutation($i: {kind}!) {{ r: {name}(input: $i) {{ {wanted} {ERRORS} }} }}"


PLACE = mutation("orderPlace", "OrderPlaceInput", f"order {{ {ORDER} }} fills {{ number quantity price fee mode }}")
REPLACE = mutation("orderReplace", "OrderReplaceInput", f"order {{ {ORDER} }}")
CANCEL = mutation("orderCancel", "OrderCancelInput", f"order {{ {ORDER} }} canceled {{ id }}")
CANCEL_ALL = mutation("ordersCancelAll", "OrdersCancelAllInput", f"canceled {{ {ORDER} }}")
ADJUST = mutation("positionAdjust", "PositionAdjustInput", "entry { kind memo lines { ledger asset amount } }")
CLOSE = mutation("positionClose", "PositionCloseInput", f"order {{ {ORDER} }} fills {{ quantity price }}")
GROUP = mutation("orderGroupPlace", "OrderGroupPlaceInput", "orders { id }")


class Keys:
    """gateway.core.ports.ProviderKeys, with the same key for all."""

    key = KEY

    def held(self, tenant: str) -> dict[str, dict[str, str]]:
        return {broker: {"key": self.key, "secret": SECRET} for broker in BROKERS.values()}

    async def of(self, tenant: str) -> dict[str, dict[str, str]]:
        return self.held(tenant)


@dataclass
class Quoted:
    """What whoever asks for a price is told."""

    price: str | None = "100"
    """None where nobody tells any."""
    age: timedelta = timedelta()
    others: dict[str, str] = field(default_factory=dict)
    """Prices of their own, by symbol."""
    asked: list[str] = field(default_factory=list)


@dataclass
class Room:
    """`tacc_a` is at Alpaca, `tacc_b` at Binance."""

    house: House
    venues: dict[str, Venue]
    quoted: Quoted
    role: Role | None = None
    """Ada's, in the organisation."""

    @property
    def who(self) -> Principal:
        """Ada, who may do all."""
        return Principal(tenant=TENANT, kind=CallerKind.USER, user=BY, scopes=frozenset(Scope), role=self.role)

    def venue(self, account: str) -> Any:
        return self.venues[BROKERS[account]]

    async def ask(self, document: str, **given: Any) -> Any:
        """The whole answer to a mutation."""
        request = OperationRequest(query=document, variables={"i": given})
        facts = RequestFacts(request_id="req_test", transport="http")
        return (await self.house.executor.execute(request, facts, principal=self.who)).body()

    async def see(self, document: str, **given: Any) -> Any:
        """The payload of a mutation."""
        body = await self.ask(document, **given)
        assert "errors" not in body, body
        return body["data"]["r"]

    async def do(self, document: str, **given: Any) -> Any:
        """The same, not refused."""
        payload = await self.see(document, **given)
        assert payload["userErrors"] == [], payload
        return payload

    async def code(self, document: str, **given: Any) -> str:
        """The code of the one refusal."""
        (error,) = (await self.see(document, **given))["userErrors"]
        return cast(str, error["code"])

    async def place(self, account: str, side: str = "BUY", type: str = "LIMIT", **given: Any) -> Any:
        """One of bitcoin, at 100 unless it is at the market."""
        price = {"limitPrice": "100"} if type == "LIMIT" else {}
        wanted = {"accountId": account, "symbol": SYMBOLS[account], "side": side, "type": type, "quantity": "1"}
        return await self.do(PLACE, **wanted | price | given)

    async def look(self, after: float = 5) -> None:
        """Time passes, and the books are compared with the brokers'."""
        self.house.clock.turn(after)
        await self.house.host.service(Reconciler).look()

    async def guard(self, price: str | None = None, after: float = 5) -> None:
        """Time passes, and what is held is worth so much for each."""
        if price is not None:
            self.quoted.price = price
        self.house.clock.turn(after)
        engine = self.house.host.service(Engine)
        await engine.look()
        await engine.settled()

    async def limit(self, account: str, loss: str | None = "50", **given: Any) -> None:
        """It may lose so much in a day."""
        values = {"max_daily_loss": None if loss is None else D(loss), **given}
        async with self.house.store.write() as tx:
            await tx.run(accounts.update().where(accounts.c.id == account).values(**values))

    async def account(self, id: str) -> AccountRow:
        async with self.house.store.read() as tx:
            (row,) = await tx.all(select(accounts).where(accounts.c.id == id), AccountRow)
        return row

    async def losses(self) -> list[dict[str, Any]]:
        """What was told of greatest daily losses."""
        told = select(events.c.data).join(log, log.c.event_id == events.c.id).order_by(log.c.position)
        wanted = told.where(log.c.type == "account.daily_loss_reached")
        async with self.house.store.read() as tx:
            return [orjson.loads(each) for each in await tx.values(wanted)]

    async def become(self, status: str) -> None:
        """The accounts' organisation is active, or suspended."""
        async with self.house.store.write() as tx:
            await tx.run(organisations.update().values(status=status))

    @asynccontextmanager
    async def watching(self, document: str, **variables: Any) -> AsyncIterator[AsyncIterator[Any]]:
        """What a subscription's one root field tells."""
        executor, facts = self.house.executor, RequestFacts(request_id="r", transport="websocket")
        request = OperationRequest(query=document, variables=variables)
        who = Principal(tenant=TENANT, kind=CallerKind.USER, user=BY, scopes=frozenset(Scope))
        results = executor.subscribe(executor.prepare(request, frozenset({OperationType.SUBSCRIPTION})), facts, who)
        try:
            yield _told(results)
        finally:
            await results.aclose()

    def switch(self, account: str, key: str, owner: str) -> None:
        """The organisation has set another key, of this account at the broker, where nothing is."""
        keys: Any = self.house.host.services[ProviderKeys]
        venue = self.venue(account)
        keys.key = venue.key = key
        venue.owner, venue.orders, venue.units = owner, {}, {}
        venue.cash = {MONEY[account]: "7777"}

    def restart(self) -> None:
        """Nothing is left of what the process had in memory."""
        host = self.house.host
        host.services[Brokers], host.services[Reconciler] = Brokers(host), Reconciler(host)

    async def order(self, id: str) -> OrderRow:
        (row,) = await self._rows(orders, OrderRow, orders.c.id == id)
        return cast(OrderRow, row)

    async def orders(self, account: str) -> list[OrderRow]:
        return await self._rows(orders, OrderRow, orders.c.account_id == account)

    async def fills(self, order: str) -> list[FillRow]:
        return await self._rows(fills, FillRow, fills.c.order_id == order)

    async def entries(self, account: str) -> list[EntryRow]:
        return await self._rows(entries, EntryRow, entries.c.account_id == account)

    async def _rows(self, table: Any, kind: Any, where: Any) -> list[Any]:
        async with self.house.store.read() as tx:
            return await tx.all(select(table).where(where).order_by(table.c.number), kind)

    async def findings(self) -> list[Any]:
        """What `ledger verify` finds."""
        async with self.house.store.read() as tx:
            return list(await verify(tx))

    async def kinds(self) -> list[str]:
        """Events that were told, in order."""
        async with self.house.store.read() as tx:
            return await tx.values(select(log.c.type).order_by(log.c.position))

    async def holds(self, account: str) -> tuple[dict[str, str], dict[str, str]]:
        """Money by currency and units by instrument, as texts."""
        document = """query($id: ID!) { a: tradingAccount(id: $id) { balances { currency cash } }
          p: positions(accountId: $id) { nodes { symbol quantity } } }"""
        request = OperationRequest(query=document, variables={"id": account})
        facts = RequestFacts(request_id="req_test", transport="http")
        body: Any = (await self.house.executor.execute(request, facts, principal=self.who)).body()
        data = body["data"]
        cash = {each["currency"]: each["cash"] for each in data["a"]["balances"]}
        return cash, {each["symbol"]: f"{D(each['quantity']).normalize():f}" for each in data["p"]["nodes"]}


def _quotes(ask: QuotesAsk, clock: ManualClock, quoted: Quoted) -> list[Quote]:
    quoted.asked += map(str, ask.instruments)
    if quoted.price is None:
        return []
    at, found = clock.now() - quoted.age, []
    for each in ask.instruments:
        price = D(quoted.others.get(str(each), quoted.price))
        bid, offered = price - 1, price + 1
        found.append(Quote(
            instrument=each, price_type=PriceType.LAST, price=price, bid=bid, ask=offered, as_of=at,
            currency=each.quote or "USD",
        ))  # fmt: skip
    return found


async def hold(room: Room, account: str, quantity: str = "5", loss: str | None = "50") -> None:
    """So much of bitcoin, bought at 100, in an account that may lose so much."""
    await room.limit(account, loss)
    venue = room.venue(account)
    venue.fills_at = "100"
    await room.place(account, type="MARKET", quantity=quantity)
    venue.fills_at = None
    venue.cash = {MONEY[account]: str(-100 * int(quantity))}
    venue.units = {"BTCUSD" if account == "tacc_a" else "BTC": quantity}


async def use_up(room: Room, account: str, urgency: Urgency = Urgency.READ) -> None:
    """So much was asked of its broker that nothing so urgent is left of the key's limits, or less."""
    broker = await room.house.host.service(Brokers).by_key(TENANT, BROKERS[account])
    none = Reference(instrument=parse_instrument(SYMBOLS[account]), client_id="none")
    with suppress(BrokerBusy):
        while True:
            await broker.find(none, urgency)


async def _told(results: Any) -> AsyncIterator[Any]:
    while True:
        (data,) = (await asyncio.wait_for(anext(results), 5)).body()["data"].values()
        yield data


@asynccontextmanager
async def open_room(database: str, folder: Path) -> AsyncIterator[Room]:
    """Bitcoin is bid 99 and asked 101; both accounts are of a company whose key the doubles take."""
    clock = ManualClock(NOON)
    venues: dict[str, Venue] = {"alpaca_paper": AlpacaDouble(clock), "binance_testnet": BinanceDouble(clock)}
    async with serving(venues) as base, _process(database, folder, clock, base, venues) as room:
        await _furnish(room)
        yield room


@asynccontextmanager
async def beside(room: Room, database: str, folder: Path) -> AsyncIterator[Room]:
    """One more process on the same database, at the same brokers."""
    base = room.house.host.settings.broker_base
    async with _process(database, folder, room.house.clock, base, room.venues) as other:
        yield other


@asynccontextmanager
async def _process(
    database: str, folder: Path, clock: ManualClock, base: str, venues: dict[str, Venue]
) -> AsyncIterator[Room]:  # fmt: skip
    quoted = Quoted()
    listed = tuple(
        Listing(
            instrument=parse_instrument(each),
            provider_symbol=each,
            tick_size=D("0.01"),
            step_size=D("0.001"),
            max_size=D(1000),
        )
        for each in (*SYMBOLS.values(), ETHER)
    )
    says: Any = {QUOTES: lambda ask: _quotes(ask, clock, quoted), INSTRUMENTS: lambda ask: listed}
    discovered = Discovered(classes={"alpha": speaker(says)}, failed={})
    async with open_house(
        database, folder, discovered=discovered, upstreams="live", clock=clock, broker_base=base, brokers=tuple(venues)
    ) as house:
        house.host.services[ProviderKeys] = Keys()
        yield Room(house, venues, quoted)
        await house.host.service(Engine).close()


async def _furnish(room: Room) -> None:
    now = room.house.clock.now()
    permit = PermitRow(tenant_id=TENANT, halted=False, halt_reason=None, live=True, changed_by=BY, changed_at=now)
    company = {"id": TENANT, "name": "A", "plan": "unlimited", "status": "active", "created_at": now}
    async with room.house.store.write() as tx:
        await tx.run(organisations.insert().values(**company))
        await PermitStore().put(tx, TENANT, permit)
        for id, broker in BROKERS.items():
            currency = "USD" if id == "tacc_a" else "USDT"
            row = account_row(id, kind="LIVE", broker=broker, currency=currency, day_equity=D(0), day="2026-11-20")
            await tx.run(accounts.insert().values(**asdict(row)))
