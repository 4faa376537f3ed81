"""Accounts on a market that a test sets, asked and priced by hand, and somebody who watches them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from graphql import OperationType
from sqlalchemy import select

from gateway.core.contract import Plugin
from gateway.core.identity import CallerKind, Principal, Scope
from gateway.core.outbox.tables import log
from gateway.edge.execute import OperationRequest, RequestFacts
from plugins.accounts.tables import audit
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.drafts import deposit
from plugins.trading.tables import TABLES, accounts
from plugins.trading.writing import writing
from providers import Discovered
from schema.symbols import parse_instrument
from schema.words.instruments import INSTRUMENTS, InstrumentType, Listing
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from tests.gateway.doubles import ManualClock
from tests.gateway.live.handlines import HandLines
from tests.house import House, open_house
from tests.plugins.speakers import NOON, speaker
from tests.plugins.trading.ledger.books import BY, TENANT, account_row

BTC, ETH, PERP, DEAD = "crypto:BTC/USD", "crypto:ETH/USD", "crypto:BTC/USD:USD", "crypto:DEAD/USD"
FREE = {"fees": {"maker": "0", "taker": "0", "least": "0"}}
"""A model without fees: figures are plain."""
D = Decimal
ERRORS = "userErrors { field code message }"
PLACE = f"""mutation($i: OrderPlaceInput!) {{ r: orderPlace(input: $i) {{
  order {{ id status }} fills {{ id price quantity }} {ERRORS} }} }}"""
CANCEL = f"mutation($i: OrderCancelInput!) {{ r: orderCancel(input: $i) {{ order {{ id status }} {ERRORS} }} }}"


def caller(user: str = BY, *scopes: Scope, tenant: str = TENANT) -> Principal:
    """Somebody signed in; by default the accounts' owner, with all scopes."""
    return Principal(tenant=tenant, kind=CallerKind.USER, user=user, scopes=frozenset(scopes or Scope))


def listed(symbol: str, **given: Any) -> Listing:
    values: dict[str, Any] = {"tick_size": D("0.01"), "step_size": D("0.001"), "min_size": D("0.001")}
    return Listing(instrument=parse_instrument(symbol), provider_symbol=symbol, **values | given)


LISTED = (
    listed(BTC), listed(ETH), listed(DEAD), listed(PERP, type=InstrumentType.PERPETUAL, step_size=None, min_size=None),
)  # fmt: skip


@dataclass
class Room:
    """Accounts `tacc_1` (cash) and `tacc_2` (margin, five times), each with 10,000 USD, without fees."""

    house: House
    lines: HandLines
    told: dict[str, dict[str, Any]] = field(default_factory=dict)

    def price(self, bid: str, ask: str, symbol: str = BTC) -> None:
        """What who asks is told from now on."""
        self.told[symbol] = {"bid": D(bid), "ask": D(ask), "price": (D(bid) + D(ask)) / 2}
        self.house.clock.turn(3)

    def tick(self, price: str, symbol: str = BTC) -> None:
        """What who listens is told now."""
        self.lines.price("alpha", price, instrument=parse_instrument(symbol))

    def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Of what has a price."""
        now = self.house.clock.now()
        return [
            Quote(instrument=each, price_type=PriceType.LAST, as_of=now, **self.told[str(each)])
            for each in ask.instruments
            if str(each) in self.told
        ]

    async def open(self, account: str, money: str = "10000", **given: Any) -> None:
        """An account with so many dollars."""
        usual: dict[str, Any] = {"currency": "USD", "shared": False, "model": FREE}
        row = account_row(account, **usual | given)
        async with self.house.store.write() as tx:
            await tx.run(accounts.insert().values(**asdict(row)))
        await self.pay(account, money)

    async def pay(self, account: str, money: str) -> None:
        """A deposit."""
        async with writing(self.house.host, TENANT, account) as w:
            await LedgerBook().post(w, [deposit("USD", D(money))], at=self.house.clock.now(), made_by=BY)

    async def ask(self, document: str, principal: Principal | None = None, **variables: Any) -> dict[str, Any]:
        """The whole body."""
        request = OperationRequest(query=document, variables=variables)
        facts = RequestFacts(request_id="req_test", transport="http")
        result = await self.house.executor.execute(request, facts, principal=principal or caller())
        return result.body()

    async def see(self, document: str, principal: Principal | None = None, **variables: Any) -> Any:
        """What the one root field answers."""
        body = await self.ask(document, principal, **variables)
        assert "errors" not in body, body
        (data,) = body["data"].values()
        return data

    async def place(self, side: str, type: str, quantity: str = "1", **given: Any) -> Any:
        """Of bitcoin in the cash account, unless something else is said."""
        payload = await self.see(PLACE, i=wish(side, type, quantity, **given))
        assert payload["userErrors"] == [], payload
        return payload

    async def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of trading, of the audit trail and of what is to be told."""
        found = {}
        async with self.house.store.read() as tx:
            for table in (*TABLES.sorted_tables, audit, log):
                rows = await tx.connection.execute(select(table).order_by(*table.primary_key.columns))
                found[table.name] = [tuple(row) for row in rows]
        return found

    @asynccontextmanager
    async def watching(
        self, document: str, principal: Principal | None = None, **variables: Any
    ) -> AsyncIterator[AsyncGenerator[dict[str, Any]]]:
        """What a subscription's root field tells, or whole bodies with errors."""
        executor = self.house.executor
        request = OperationRequest(query=document, variables=variables)
        prepared = executor.prepare(request, frozenset({OperationType.SUBSCRIPTION}))
        facts = RequestFacts(request_id="r", transport="websocket")
        results = executor.subscribe(prepared, facts, principal or caller())
        try:
            yield _bodies(results)
        finally:
            await results.aclose()


async def _bodies(results: Any) -> AsyncGenerator[dict[str, Any]]:
    while True:
        try:
            result = await asyncio.wait_for(anext(results), 5)
        except StopAsyncIteration:
            return
        body = result.body()
        if body.get("data"):
            (data,) = body["data"].values()
            yield data
        else:
            yield body


def wish(side: str, type: str, quantity: str | None = "1", **given: Any) -> dict[str, Any]:
    """The input of an order."""
    return {"accountId": "tacc_1", "symbol": BTC, "side": side, "type": type, "quantity": quantity} | given


@asynccontextmanager
async def open_room(database: str, folder: Path, found: list[Plugin] | None = None) -> AsyncIterator[Room]:
    """Bitcoin and its perpetual are bid 99 and asked 101, ether 49 and 51; any size."""
    rooms: list[Room] = []
    says: Any = {QUOTES: lambda ask: rooms[0].quotes(ask), INSTRUMENTS: lambda ask: LISTED}
    discovered, lines = Discovered(classes={"alpha": speaker(says)}, failed={}), HandLines()
    async with open_house(
        database, folder, discovered=discovered, upstreams="live", clock=ManualClock(NOON), lines=lines, found=found
    ) as house:
        room = Room(house, lines)
        rooms.append(room)
        for symbol in (BTC, PERP):
            room.price("99", "101", symbol)
        room.price("49", "51", ETH)
        await room.open("tacc_1")
        await room.open("tacc_2", margin="MARGIN", leverage=D(5))
        yield room
