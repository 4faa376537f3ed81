"""Accounts at two brokers that are doubles, through a whole gateway, on a market whose price stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select

from gateway.core.identity import CallerKind, Principal, Scope
from gateway.core.outbox.tables import log
from gateway.core.ports import ProviderKeys
from gateway.edge.execute import OperationRequest, RequestFacts
from plugins.trading.accounts.store import PermitStore
from plugins.trading.brokers.catalog import Brokers
from plugins.trading.brokers.reconciling import Reconciler
from plugins.trading.ledger.proof.proving import verify
from plugins.trading.rows import EntryRow, FillRow, OrderRow, PermitRow
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
BROKERS = {"tacc_a": "alpaca_paper", "tacc_b": "binance_testnet"}
ORDER = "id status reason quantity filledQuantity averagePrice limitPrice"
ERRORS = "userErrors { field code message }"


def mutation(name: str, kind: str, wanted: str) -> str:
    return f"mutation($i: {kind}!) {{ r: {name}(input: $i) {{ {wanted} {ERRORS} }} }}"


PLACE = mutation("orderPlace", "OrderPlaceInput", f"order {{ {ORDER} }} fills {{ number quantity price fee mode }}")
REPLACE = mutation("orderReplace", "OrderReplaceInput", f"order {{ {ORDER} }}")
CANCEL = mutation("orderCancel", "OrderCancelInput", f"order {{ {ORDER} }} canceled {{ id }}")
CANCEL_ALL = mutation("ordersCancelAll", "OrdersCancelAllInput", f"canceled {{ {ORDER} }}")
CLOSE = mutation("positionClose", "PositionCloseInput", f"order {{ {ORDER} }} fills {{ quantity price }}")
GROUP = mutation("orderGroupPlace", "OrderGroupPlaceInput", "orders { id }")


class Keys:
    """gateway.core.ports.ProviderKeys, with the same key for all."""

    def held(self, tenant: str) -> dict[str, dict[str, str]]:
        return {broker: {"key": KEY, "secret": SECRET} for broker in BROKERS.values()}

    async def of(self, tenant: str) -> dict[str, dict[str, str]]:
        return self.held(tenant)


@dataclass
class Room:
    """`tacc_a` is at Alpaca, `tacc_b` at Binance."""

    house: House
    venues: dict[str, Venue]

    @property
    def who(self) -> Principal:
        """Ada, who may do all."""
        return Principal(tenant=TENANT, kind=CallerKind.USER, user=BY, scopes=frozenset(Scope))

    def venue(self, account: str) -> Any:
        return self.venues[BROKERS[account]]

    async def see(self, document: str, **given: Any) -> Any:
        """The payload of a mutation."""
        request = OperationRequest(query=document, variables={"i": given})
        facts = RequestFacts(request_id="req_test", transport="http")
        body: Any = (await self.house.executor.execute(request, facts, principal=self.who)).body()
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


def _quotes(ask: QuotesAsk, clock: ManualClock) -> list[Quote]:
    return [
        Quote(
            instrument=each, price_type=PriceType.LAST, price=D(100), bid=D(99), ask=D(101), as_of=clock.now(),
            currency=each.quote,
        )
        for each in ask.instruments
    ]  # fmt: skip


@asynccontextmanager
async def open_room(database: str, folder: Path) -> AsyncIterator[Room]:
    """Bitcoin is bid 99 and asked 101; both accounts are of a company whose key the doubles take."""
    clock = ManualClock(NOON)
    listed = tuple(
        Listing(instrument=parse_instrument(each), provider_symbol=each, tick_size=D("0.01"), step_size=D("0.001"))
        for each in SYMBOLS.values()
    )
    says: Any = {QUOTES: lambda ask: _quotes(ask, clock), INSTRUMENTS: lambda ask: listed}
    discovered = Discovered(classes={"alpha": speaker(says)}, failed={})
    venues: dict[str, Venue] = {"alpaca_paper": AlpacaDouble(clock), "binance_testnet": BinanceDouble(clock)}
    async with (
        serving(venues) as base,
        open_house(
            database, folder, discovered=discovered, upstreams="live", clock=clock, broker_base=base,
            brokers=tuple(venues),
        ) as house,
    ):  # fmt: skip
        house.host.services[ProviderKeys] = Keys()
        permit = PermitRow(
            tenant_id=TENANT, halted=False, halt_reason=None, live=True, changed_by=BY, changed_at=clock.now()
        )
        async with house.store.write() as tx:
            await PermitStore().put(tx, TENANT, permit)
            for id, broker in BROKERS.items():
                currency = "USD" if id == "tacc_a" else "USDT"
                row = account_row(id, kind="LIVE", broker=broker, currency=currency, day_equity=D(0), day="2026-11-20")
                await tx.run(accounts.insert().values(**asdict(row)))
        yield Room(house, venues)
