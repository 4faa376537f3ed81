"""A gateway whose upstreams a test speaks for, accounts with money in hand, and an engine that works them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from sqlalchemy import select

from gateway.core.contract import Context
from gateway.core.identity import Principal
from gateway.core.lines.line import Event, Trouble, Update
from gateway.core.matching.model import ExecutionModel, Spec, Tick
from gateway.core.outbox.tables import events, log
from gateway.core.ports import Backstage, Desk
from gateway.core.store import Tx, new_id
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.trading.accounts.store import AccountStore
from plugins.trading.engine.engine import Engine
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.drafts import deposit
from plugins.trading.markets.heard import Heard
from plugins.trading.markets.marks import Mark, Marks
from plugins.trading.markets.priced import Priced
from plugins.trading.markets.prices import P, Prices
from plugins.trading.markets.specs import untradable
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.ground import Ground, ground_of
from plugins.trading.orders.placing import Place, place, replaced
from plugins.trading.orders.wishes import Wish
from plugins.trading.rows import AccountRow, OrderRow
from plugins.trading.tables import accounts, balances, fills, orders, positions
from plugins.trading.writing import writing
from schema.errors import DatabaseUnavailable, FailureCode, NoAnswer
from schema.provenance import Conversion, DataMode, Provenance
from schema.symbols import InstrumentId, parse_instrument
from schema.words.candles import Bars, CandleSeries
from schema.words.live import NoticeCode
from schema.words.orders import OrderType
from schema.words.problems import Refused
from schema.words.quotes import PriceType, Quote
from schema.words.trades import Side
from schema.words.venues import MarketState
from tests.gateway.live.handlines import HandLines
from tests.house import House, open_house
from tests.plugins.accounts.organisations.company import Company, found
from tests.plugins.trading import rowsof

SANDBOX = "sandbox"
BTC, ETH, PERP = "crypto:BTC/USD", "crypto:ETH/USD", "crypto:BTC/USDT:USDT"
D = Decimal
FREE = {"fees": {"maker": "0", "taker": "0", "least": "0"}}
"""A model without fees: figures are plain."""


@dataclass
class Board:
    """What everybody who is asked answers, beside what streams."""

    prices: dict[str, str] = field(default_factory=dict)
    rates: dict[tuple[str, str], str] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    rules: dict[str, Any] = field(default_factory=dict)
    """Of sizes, of all that is traded."""
    closes: dict[str, list[str]] = field(default_factory=dict)
    """Daily, the oldest first."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever a price is asked for."""
    hangs: asyncio.Event | None = None
    """Nobody answers before it is set."""
    hears: bool = False
    """Whether what streams counts where it is newer, as it does outside of tests."""

    def spec(self, symbol: str) -> Spec:
        instrument = parse_instrument(symbol)
        return Spec(
            instrument=instrument, currency=instrument.quote or "USD", derivative=bool(instrument.settle), **self.rules
        )  # fmt: skip


class HandPrices(Prices):
    """`Prices`, by the board."""

    def __init__(self, context: Context, board: Board) -> None:
        super().__init__(context)
        self._board, self._now = board, context.host.clock.now()

    async def spec(self, instrument: InstrumentId, *field: str, model: ExecutionModel | None = None) -> Spec:
        why = untradable(instrument)
        if why is not None:
            raise Refused("UNKNOWN_INSTRUMENT", f"{instrument} is {why}.", *field)
        return self._board.spec(str(instrument))

    async def state(self, instrument: InstrumentId, quote: Quote | None = None) -> MarketState:
        return MarketState.CLOSED if str(instrument) in self._board.closed else MarketState.REGULAR

    async def all_priced(
        self, instruments: Collection[InstrumentId], model: ExecutionModel
    ) -> dict[InstrumentId, Priced | NoAnswer]:
        told = await self.answered(sorted(instruments, key=str), model)
        return {each: self.newer(each, answer, model) for each, answer in told.items()}

    def newer(self, instrument: InstrumentId, answer: P, model: ExecutionModel) -> Priced | P:
        return super().newer(instrument, answer, model) if self._board.hears else answer

    async def answered(
        self, instruments: Sequence[InstrumentId], model: ExecutionModel, *, anew: bool = False
    ) -> dict[InstrumentId, Priced | NoAnswer]:
        self._board.asked.set()
        if self._board.hangs is not None:
            await self._board.hangs.wait()
        return {each: self._one(each) for each in instruments}

    async def lists(self, instrument: InstrumentId) -> bool:
        return True

    async def _rate(self, source: str, target: str) -> Conversion | NoAnswer:
        rate = self._board.rates.get((source, target))
        if rate is None:
            return NoAnswer(source, FailureCode.NOT_COVERED, "nobody", ())
        return Conversion(from_currency=source, to_currency=target, rate=D(rate), provenance=self._made())

    def _one(self, instrument: InstrumentId) -> Priced | NoAnswer:
        price = self._board.prices.get(str(instrument))
        if price is None:
            return NoAnswer(str(instrument), FailureCode.NOT_COVERED, "nobody", ())
        opened = str(instrument) not in self._board.closed
        return priced(instrument, price, self._made(), opened=opened)

    def _made(self) -> Provenance:
        return replace(rowsof.MADE, as_of=self._now, fetched_at=self._now)


def priced(instrument: InstrumentId, price: str, made: Provenance, *, opened: bool = True) -> Priced:
    at = made.fetched_at
    tick = Tick(instrument=instrument, at=at, last=D(price), provider="alpha", mode=DataMode.LIVE, as_of=at)
    state = MarketState.REGULAR if opened else MarketState.CLOSED
    return Priced(
        tick=tick, price=D(price), currency=instrument.quote or "USD", provenance=made, state=state, open=opened,
        age=timedelta(0),
    )  # fmt: skip


@dataclass
class HandDesk:
    """`Desk`, with the board's closes."""

    real: Desk
    board: Board

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def candles(self, context: Context, instrument: InstrumentId, *how: Any) -> CandleSeries:
        closes = tuple(D(each) for each in self.board.closes[str(instrument)])
        times = tuple(rowsof.NOON + timedelta(days=n) for n in range(len(closes)))
        done = (*(True,) * (len(closes) - 1), False)
        bars = Bars(open_time=times, open=closes, high=closes, low=closes, close=closes, closed=done)
        return cast(CandleSeries, SimpleNamespace(bars=bars))


@dataclass
class HandBackstage:
    """Contexts whose prices are the board's."""

    real: Backstage
    board: Board

    def context(self, principal: Principal) -> Context:
        made = self.real.context(principal)
        made.local[Prices] = HandPrices(made, self.board)
        return made


@dataclass
class Hall:
    """One process with an engine."""

    house: House
    company: Company
    lines: HandLines
    board: Board

    @property
    def engine(self) -> Engine:
        return self.house.host.service(Engine)

    async def account(self, balance: str = "1000", currency: str = "USD", **given: Any) -> AccountRow:
        """An account with money."""
        now, id = self.house.clock.now(), new_id("tacc")
        row = rowsof.account(**{
            "tenant_id": self.company.tenant, "id": id, "model": FREE, "created_at": now, "changed_at": now,
            "currency": currency, "name": id, **given,
        })  # fmt: skip
        async with self.house.store.write() as tx:
            await AccountStore().add(tx, row.tenant_id, row)
        async with writing(self.house.host, row.tenant_id, row.id) as w:
            await LedgerBook().post(w, [deposit(currency, D(balance))], at=now, made_by="user_ada")
        return w.account

    async def place(self, account: AccountRow, *wishes: Wish, price: str | None = None, **how: Any) -> list[OrderRow]:
        """Orders, checked and accepted at a price; none is known where it is not given."""
        made = []
        async with writing(self.house.host, account.tenant_id, account.id) as w:
            floor = await Floor.opened(self.house.host, w)
            for wish in wishes:
                made += place(floor, self.ground(w.account, wish.symbol, price), wish, Place(made_by="ada", **how))
            await floor.write()
        return [floor.orders[row.id] for row in made]

    async def trader(self, balance: str = "10000", **given: Any) -> AccountRow:
        """An account that holds five of bitcoin, and whose feed tells prices."""
        account = await self.account(balance, **given)
        await self.place(account, wish("BUY", "MARKET", "5"), price="100")
        await self.look()
        self.house.clock.turn(1)
        await self.tick("100")
        self.house.clock.turn(1)
        return account

    async def halt(self, account: AccountRow, halted: bool = True) -> None:
        """The account's kill switch; the engine has not heard of it yet."""
        async with writing(self.house.host, account.tenant_id, account.id) as w:
            w.set(halted=halted)
            w.touch()

    async def replace(self, order: OrderRow, price: str, **terms: Any) -> None:
        """As `orderReplace` does, at a price; the engine has not heard of it yet."""
        async with writing(self.house.host, order.tenant_id, order.account_id) as w:
            floor = await Floor.opened(self.house.host, w)
            replaced(floor, self.ground(w.account, order.instrument, price), floor.orders[order.id], terms, None)
            await floor.write()

    def ground(self, account: AccountRow, symbol: str, price: str | None) -> Ground:
        now = self.house.clock.now()
        made = replace(rowsof.MADE, as_of=now, fetched_at=now)
        found = None if price is None else priced(parse_instrument(symbol), price, made)
        known = {**self.board.prices, **({} if price is None else {symbol: price})}
        prices = {name: self._mark(name, each) for name, each in known.items()}
        rates = {
            source: Conversion(from_currency=source, to_currency=target, rate=D(rate), provenance=made)
            for (source, target), rate in self.board.rates.items()
        }
        marks = Marks(currency=account.currency, prices=prices, rates=rates)
        return Ground(
            spec=self.board.spec(symbol), model=ExecutionModel.read(account.model), priced=found, lacking="nobody",
            marks=marks, closes_at=None,
        )  # fmt: skip

    def _mark(self, symbol: str, price: str) -> Mark:
        spec = self.board.spec(symbol)
        return rowsof.mark(price, spec.currency, derivative=spec.derivative)

    async def look(self) -> None:
        """The engine looks for changes; streams begin."""
        await self.engine.look()
        await self.settle()

    async def asked(self) -> None:
        """A price is asked for once more, and what came of it is done."""
        self.board.asked.clear()
        async with asyncio.timeout(5):
            await self.board.asked.wait()
        await self.settle()

    async def settle(self) -> None:
        """Everything that is under way is done."""
        for _ in range(3):
            for _ in range(30):
                await asyncio.sleep(0)
            await self.engine.settled()

    async def tick(self, price: str, symbol: str = BTC, *, provider: str = SANDBOX, **more: str) -> None:
        """The sandbox says a price, now, and all that follows is written; bid, ask and their sizes beside it."""
        now = self.house.clock.now()
        told: dict[str, Any] = {name: D(value) for name, value in more.items()}
        quote = Quote(
            instrument=parse_instrument(symbol), price=D(price), price_type=PriceType.LAST, as_of=now,
            currency=parse_instrument(symbol).quote or "USD", **told,
        )  # fmt: skip
        update = Update(values=(quote,), as_of=now, snapshot=False, received=now)
        await self._send(provider, update, symbol)

    async def say(self, provider: str, value: Any, symbol: str, *, snapshot: bool = False) -> None:
        """A provider says a book or a candle."""
        now = self.house.clock.now()
        update = Update(values=(value,), as_of=now, snapshot=snapshot, received=now)
        await self._send(provider, update, symbol)

    async def trouble(self, code: NoticeCode, symbol: str = BTC) -> None:
        """The sandbox's line says what is wrong with it."""
        told = Trouble(code=code, message="trouble", at=self.house.clock.now())
        await self._send(SANDBOX, told, symbol)

    async def _send(self, provider: str, event: Event, symbol: str) -> None:
        # A line opens once the database has told whose keys it takes.
        for _ in range(1000):
            if len(self.lines.open_now) >= len(self.engine.feeds):
                break
            await asyncio.sleep(0.001)
        await self.settle()
        queue = self.lines._queue(provider, parse_instrument(symbol))
        queue.put_nowait(event)
        for _ in range(1000 if len(self.engine.feeds) else 0):
            if queue.empty():
                break
            await asyncio.sleep(0.001)
        await self.settle()

    async def order(self, order_id: str) -> OrderRow:
        """As it is stored."""
        async with self.house.store.read() as tx:
            row = await tx.first(select(orders).where(orders.c.id == order_id), OrderRow)
        assert row is not None
        return row

    async def stand(self, order_id: str) -> tuple[str, str]:
        """Status and what is filled."""
        row = await self.order(order_id)
        return row.status, format(row.filled.normalize(), "f")

    async def fills(self, account: AccountRow) -> list[tuple[str, str, str]]:
        """Side, quantity, price; the oldest first."""
        query = select(fills.c.side, fills.c.quantity, fills.c.price).join(orders, orders.c.id == fills.c.order_id)
        mine = query.where(fills.c.account_id == account.id).order_by(fills.c.at, orders.c.number, fills.c.number)
        async with self.house.store.read() as tx:
            rows = await tx.connection.execute(mine)
            return [(row.side, format(row.quantity, "f"), format(row.price, "f")) for row in rows]

    async def held(self, account: AccountRow) -> dict[str, str]:
        """Quantities by instrument."""
        query = select(positions.c.instrument, positions.c.quantity).where(positions.c.account_id == account.id)
        async with self.house.store.read() as tx:
            return {row.instrument: format(row.quantity.normalize(), "f") for row in await tx.connection.execute(query)}

    async def cash(self, account: AccountRow, currency: str = "USD") -> str:
        """What stands on the ledger."""
        mine = (balances.c.account_id == account.id, balances.c.ledger == "cash", balances.c.asset == currency)
        async with self.house.store.read() as tx:
            return format(await tx.value(select(balances.c.posted).where(*mine)), "f")

    async def row(self, account: AccountRow) -> AccountRow:
        """The account as it is stored."""
        async with self.house.store.read() as tx:
            found = await tx.first(select(accounts).where(accounts.c.id == account.id), AccountRow)
        assert found is not None
        return found

    async def data(self, kind: str) -> list[dict[str, Any]]:
        """Events of a type, as they are delivered; the oldest first."""
        query = select(events.c.data).join(log, log.c.event_id == events.c.id)
        mine = query.where(log.c.tenant_id == self.company.tenant, log.c.type == kind).order_by(log.c.position)
        async with self.house.store.read() as tx:
            return [orjson.loads(row) for row in await tx.values(mine)]

    async def told(self, *kinds: str) -> list[str]:
        """Types of events in the organisation's log, the oldest first."""
        query = select(log.c.type).where(log.c.tenant_id == self.company.tenant).order_by(log.c.position)
        async with self.house.store.read() as tx:
            return [each for each in await tx.values(query) if each in kinds]


def wish(side: str, type: str, quantity: str | None = "1", symbol: str = BTC, **given: Any) -> Wish:
    """An order; prices as texts."""
    for name, value in given.items():
        if isinstance(value, str) and name in _AMOUNTS:
            given[name] = D(value)
    amount = None if quantity is None else D(quantity)
    return Wish(symbol=symbol, side=Side(side), type=OrderType(type), quantity=amount, **given)


_AMOUNTS = frozenset({"limit_price", "stop_price", "trail_amount", "trail_percent", "notional"})


@asynccontextmanager
async def hall(database: str, folder: Path, **how: Any) -> AsyncIterator[Hall]:
    """A process with Ada's organisation, on a plan without limits."""
    lines, board = HandLines(), Board()
    async with open_house(database, folder, lines=lines, **how) as house:
        company = await found(house)
        async with house.store.write() as tx:
            await house.host.service(OrganisationDesk).set_plan(tx, company.tenant, "unlimited")
        yield _furnished(Hall(house, company, lines, board))
        await house.host.service(Engine).close()


def losing(
    made: Hall, monkeypatch: pytest.MonkeyPatch, *, committed: bool = True,
    then: Callable[[], Awaitable[None]] | None = None,
) -> list[int]:  # fmt: skip
    """Of the next transaction of an account the answer is lost, whether or not it is *committed*; *then* another one.
    Empty once that was so."""
    real, left = made.house.store.write, [1]

    @asynccontextmanager
    async def write(*turns: str) -> AsyncIterator[Tx]:
        lost = bool(turns and left and left.pop())
        try:
            async with real(*turns) as tx:
                yield tx
                if lost and not committed:
                    raise DatabaseUnavailable
            if lost:
                raise DatabaseUnavailable
        except DatabaseUnavailable:
            if lost and then is not None:
                await then()
            raise

    monkeypatch.setattr(made.house.store, "write", write)
    return left


def tell_once_priced(made: Hall, monkeypatch: pytest.MonkeyPatch, module: str, price: str) -> None:
    """The one stream tells a price now, after a module has asked for what its orders go by."""
    (feed,), now = made.engine.feeds, made.house.clock.now()
    before = feed.priced(ExecutionModel())
    assert before is not None
    own = replace(before.provenance, as_of=now, fetched_at=now)
    tick = replace(before.tick, last=D(price), at=now, as_of=now)
    told = replace(before, price=D(price), provenance=own, tick=tick)

    async def then_told(*how: Any, **more: Any) -> Ground:
        found = await ground_of(*how, **more)
        made.house.host.service(Heard).begin(feed.key, lambda _: told)
        return found

    monkeypatch.setattr(f"plugins.trading.engine.{module}.ground_of", then_told)


async def deaf(_: Engine) -> None:
    """What `Engine._reload` is where the bus is slow: what others write is read by the next look."""


@asynccontextmanager
async def another(made: Hall, database: str, folder: Path) -> AsyncIterator[Hall]:
    """One more process on the same database, or the same one started again."""
    lines = HandLines()
    async with open_house(database, folder, lines=lines, clock=made.house.clock) as house:
        company = Company(house, made.company.tenant, made.company.people, made.company.tokens)
        yield _furnished(Hall(house, company, lines, made.board))
        await house.host.service(Engine).close()


def _furnished(made: Hall) -> Hall:
    services = made.house.host.services
    services[Backstage] = HandBackstage(services[Backstage], made.board)
    services[Desk] = HandDesk(services[Desk], made.board)
    return made


__all__: Sequence[str] = ("BTC", "ETH", "PERP", "Hall", "another", "hall", "wish")
