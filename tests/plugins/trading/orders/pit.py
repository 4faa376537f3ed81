"""Orders through a whole gateway on a market that a test sets: bids, asks and sizes by hand, a clock that is turned."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select

from gateway.core.identity import CallerKind, Principal, Scope
from gateway.core.outbox.tables import log
from gateway.edge.execute import OperationRequest, RequestFacts
from plugins.accounts.tables import audit
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.drafts import deposit
from plugins.trading.ledger.proof.proving import verify
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.ground import ground_of
from plugins.trading.rows import AccountRow
from plugins.trading.tables import TABLES, accounts
from plugins.trading.writing import writing
from providers import Discovered
from schema.symbols import parse_instrument
from schema.words.instruments import INSTRUMENTS, InstrumentType, Listing
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk
from schema.words.venues import MarketState
from tests.gateway.doubles import ManualClock
from tests.house import House, open_house
from tests.plugins.speakers import NOON, speaker
from tests.plugins.trading.ledger.books import BY, TENANT, account_row

BTC, ETH, PERP = "crypto:BTC/USD", "crypto:ETH/USD", "crypto:BTC/USD:USD"
SHUT, OLD, DEAD, GONE = "crypto:SHUT/USD", "crypto:OLD/USD", "crypto:DEAD/USD", "crypto:GONE/USD"
FREE, VAST = "crypto:FREE/USD", "crypto:VAST/USD"
D = Decimal

ORDER = """id number status reason type side timeInForce quantity notional filledQuantity averagePrice limitPrice
  stopPrice reserved leg groupId parentId cause version reduceOnly expiresAt clientOrderId strategy"""
FILL = "number quantity price fee liquidity realisedPnl currency provider mode"
ERRORS = "userErrors { field code message }"


def mutation(name: str, kind: str, wanted: str) -> str:
    return f"mutation($i: {kind}!) {{ r: {name}(input: $i) {{ {wanted} {ERRORS} }} }}"


PLACED = f"order {{ {ORDER} }} children {{ {ORDER} }} fills {{ {FILL} }}"
PLACE = mutation("orderPlace", "OrderPlaceInput", PLACED)
GROUP = mutation("orderGroupPlace", "OrderGroupPlaceInput", f"orders {{ {ORDER} }}")
REPLACE = mutation("orderReplace", "OrderReplaceInput", f"order {{ {ORDER} }}")
CANCEL = mutation("orderCancel", "OrderCancelInput", f"order {{ {ORDER} }} canceled {{ {ORDER} }}")
CANCEL_ALL = mutation("ordersCancelAll", "OrdersCancelAllInput", f"canceled {{ {ORDER} }}")
CLOSE = mutation("positionClose", "PositionCloseInput", PLACED)
PROTECT = mutation("positionProtect", "PositionProtectInput", f"orders {{ {ORDER} }} canceled {{ {ORDER} }}")


def caller(user: str = BY, *scopes: Scope, tenant: str = TENANT, **given: Any) -> Principal:
    """Somebody signed in; by default the accounts' owner, with all scopes."""
    return Principal(tenant=tenant, kind=CallerKind.USER, user=user, scopes=frozenset(scopes or Scope), **given)


def listed(symbol: str, **given: Any) -> Listing:
    values: dict[str, Any] = {
        "tick_size": D("0.01"), "step_size": D("0.001"), "min_size": D("0.001"), "max_size": D(100),
        "min_notional": D(10),
    }  # fmt: skip
    return Listing(instrument=parse_instrument(symbol), provider_symbol=symbol, **values | given)


LISTED = (
    listed(BTC), listed(ETH), listed(SHUT), listed(OLD), listed(DEAD), listed(GONE, tradable=False),
    listed(FREE, min_notional=None),
    listed(VAST, tick_size=None, step_size=None, min_size=None, max_size=None, min_notional=None),
    listed(PERP, type=InstrumentType.PERPETUAL, contract_size=D("0.01"), step_size=None, min_size=None),
)  # fmt: skip


@dataclass
class Pit:
    """Accounts `tacc_1` (cash) and `tacc_2` (margin, five times), each with 10,000 USD, unless others are opened."""

    house: House
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    principal: Principal = field(default_factory=caller)

    def price(self, bid: str, ask: str, symbol: str = BTC, size: str | None = None, **given: Any) -> None:
        """What the market tells from now on."""
        sizes = D(size) if size is not None else None
        self.told[symbol] = {
            "bid": D(bid), "ask": D(ask), "price": (D(bid) + D(ask)) / 2, "bid_size": sizes, "ask_size": sizes, **given
        }  # fmt: skip
        self.house.clock.turn(3)

    def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """Of what has a price."""
        now = self.house.clock.now()
        return [
            Quote(instrument=each, price_type=PriceType.LAST, **{"as_of": now} | self.told[str(each)])
            for each in ask.instruments
            if str(each) in self.told
        ]

    async def open(self, account: str, money: str = "10000", **given: Any) -> str:
        """An account with so many dollars."""
        values: dict[str, Any] = {"currency": "USD", "shared": False} | given
        row = account_row(account, **values)
        async with self.house.store.write() as tx:
            await tx.run(accounts.insert().values(**asdict(row)))
        if D(money):
            await self.pay_in(account, "USD", money)
        return account

    async def pay_in(self, account: str, currency: str, amount: str) -> None:
        """A deposit."""
        async with writing(self.house.host, TENANT, account) as w:
            draft = deposit(currency, D(amount))
            await LedgerBook().post(w, [draft], at=self.house.clock.now(), made_by=BY)

    async def ask(self, document: str, principal: Principal | None = None, **variables: Any) -> dict[str, Any]:
        """The whole body."""
        request = OperationRequest(query=document, variables=variables)
        facts = RequestFacts(request_id="req_test", transport="http")
        result = await self.house.executor.execute(request, facts, principal=principal or self.principal)
        return result.body()

    async def see(self, document: str, principal: Principal | None = None, **variables: Any) -> Any:
        """What the one root field answers."""
        body = await self.ask(document, principal, **variables)
        assert "errors" not in body, body
        (data,) = body["data"].values()
        return data

    async def do(self, document: str, principal: Principal | None = None, **given: Any) -> Any:
        """The payload of a mutation that is not refused."""
        payload = await self.see(document, principal, i=given)
        assert payload["userErrors"] == [], payload
        return payload

    async def place(self, side: str, type: str, quantity: str | None = "1", **given: Any) -> Any:
        """Of bitcoin in the cash account, unless something else is said."""
        return await self.do(PLACE, **wish(side, type, quantity, **given))

    async def refused(self, document: str, principal: Principal | None = None, **given: Any) -> tuple[str, str, str]:
        """Code, field and message of the one refusal, after which all is as it was."""
        before = await self.state()
        payload = await self.see(document, principal, i=given)
        assert len(payload["userErrors"]) == 1, (given, payload)
        (error,) = payload["userErrors"]
        assert not [value for name, value in payload.items() if name != "userErrors" and value]
        assert await self.state() == before, error
        return error["code"], ".".join(error["field"] or ()), error["message"]

    async def state(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of trading, of the audit trail and of what is to be told."""
        found = {}
        async with self.house.store.read() as tx:
            for table in (*TABLES.sorted_tables, audit, log):
                rows = await tx.connection.execute(select(table).order_by(*table.primary_key.columns))
                found[table.name] = [tuple(row) for row in rows]
        return found

    async def findings(self) -> list[Any]:
        """What `ledger verify` finds."""
        async with self.house.store.read() as tx:
            return list(await verify(tx))

    async def kinds(self) -> list[str]:
        """Events that were told, in order."""
        async with self.house.store.read() as tx:
            return await tx.values(select(log.c.type).order_by(log.c.position))

    async def tick(self, account: str = "tacc_1", symbol: str = BTC) -> None:
        """The market's price meets the open orders of one instrument, as the engine does it."""
        context = self.house.context(self.principal)
        async with self.house.store.read() as tx:
            row = await tx.first(select(accounts).where(accounts.c.id == account), AccountRow)
        assert row is not None
        ground = await ground_of(context, row, parse_instrument(symbol), held=[symbol], currencies=["USD"])
        async with writing(self.house.host, row.tenant_id, account) as w:
            floor = await Floor.opened(self.house.host, w)
            rows = {each.id: each for each in floor.open if each.instrument == symbol and each.status != "NEW"}
            floor.marks = ground.marks if floor.lends else None
            floor.take(floor.round(rows.values(), ground.market))
            await floor.write()

    async def order(self, id: str) -> Any:
        """As it stands."""
        return await self.see(f"query($id: ID!) {{ r: node(id: $id) {{ ... on Order {{ {ORDER} }} }} }}", id=id)

    async def held(self, account: str = "tacc_1", asset: str = "USD") -> tuple[str, str]:
        """Cash that is posted and held back by orders."""
        document = """query($id: ID!) { tradingAccount(id: $id) { balances { currency cash reserved } } }"""
        found = (await self.see(document, id=account))["balances"]
        (row,) = (each for each in found if each["currency"] == asset)
        return row["cash"], row["reserved"]

    async def positions(self, account: str = "tacc_1") -> dict[str, str]:
        """Quantities by instrument."""
        document = "query($id: ID!) { positions(accountId: $id) { nodes { symbol quantity } } }"
        return {each["symbol"]: each["quantity"] for each in (await self.see(document, id=account))["nodes"]}


def wish(side: str, type: str, quantity: str | None = "1", **given: Any) -> dict[str, Any]:
    """The input of an order."""
    return {"accountId": "tacc_1", "symbol": BTC, "side": side, "type": type, "quantity": quantity} | given


@asynccontextmanager
async def open_pit(database: str, folder: Path) -> AsyncIterator[Pit]:
    """Bitcoin is bid 99 and asked 101, ether 49 and 51, the perpetual of bitcoin 99 and 101; any size."""
    pits: list[Pit] = []
    says: Any = {QUOTES: lambda ask: pits[0].quotes(ask), INSTRUMENTS: lambda ask: LISTED}
    discovered = Discovered(classes={"alpha": speaker(says)}, failed={})
    async with open_house(database, folder, discovered=discovered, upstreams="live", clock=ManualClock(NOON)) as house:
        pit = Pit(house)
        pits.append(pit)
        pit.price("99", "101")
        pit.price("49", "51", ETH)
        pit.price("99", "101", PERP)
        pit.told[FREE] = pit.told[VAST] = pit.told[PERP]
        pit.price("99", "101", SHUT, market_state=MarketState.CLOSED)
        pit.price("99", "101", OLD, as_of=NOON - timedelta(minutes=5))
        await pit.open("tacc_1")
        await pit.open("tacc_2", margin="MARGIN", leverage=D(5))
        yield pit
