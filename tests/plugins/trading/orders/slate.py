"""An account in memory: what a floor makes of orders, replacements and messages, without a database."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

from gateway.core.contract import Host
from gateway.core.matching.lifecycle import WORKING
from gateway.core.matching.margin import initial
from gateway.core.matching.model import Bar, ExecutionModel, Spec, Tick
from gateway.core.store import Tx
from plugins.trading.markets.marks import Marks
from plugins.trading.markets.priced import Priced
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.ground import Ground
from plugins.trading.orders.placing import Place, arrive, place, replaced
from plugins.trading.orders.wishes import Wish
from plugins.trading.positions.standing import Standing, standing
from plugins.trading.rows import OrderRow
from plugins.trading.writing import Writing
from schema.symbols import parse_instrument
from schema.words.orders import OrderStatus
from schema.words.venues import MarketState
from tests.plugins.trading import rowsof

BTC = parse_instrument("crypto:BTC/USD")
D = Decimal
FREE = {"fees": {"maker": "0", "taker": "0", "least": "0"}}
"""A model without fees: figures are plain."""
HOW = Place(made_by="user_ada")


@dataclass
class Slate:
    """One account, and the market of bitcoin."""

    floor: Floor
    tick: Tick = field(default_factory=lambda: Tick(instrument=BTC, at=rowsof.NOON))
    spec: Spec = field(default_factory=lambda: Spec(instrument=BTC, currency="USD", step=D("0.001"), tick=D("0.01")))

    @property
    def ground(self) -> Ground:
        """As the desk asks for it."""
        model = ExecutionModel.read(self.floor.w.account.model)
        price = self.tick.last or D(0)
        priced = Priced(
            tick=self.tick, price=price, currency="USD", provenance=rowsof.MADE, state=MarketState.REGULAR, open=True,
            age=timedelta(0),
        )  # fmt: skip
        return Ground(
            spec=self.spec, model=model, priced=priced, lacking=None, marks=self.marks, closes_at=None
        )  # fmt: skip

    @property
    def marks(self) -> Marks:
        """The newest price."""
        bar = self.tick.bar
        return rowsof.marks({str(BTC): rowsof.mark(format((bar.close if bar else self.tick.last) or D(0), "f"))})

    @property
    def standing(self) -> Standing:
        """By the newest price; what open orders reserve is left out."""
        cash = [rowsof.cash(format(amount, "f"), currency) for currency, amount in self.floor.cash.items()]
        return standing(self.floor.w.account, cash, {}, tuple(self.floor.positions.values()), self.marks)

    @property
    def room(self) -> Decimal:
        """Equity less the initial margin of what is held."""
        held, leverage = self.standing, self.floor.leverage
        return (held.equity or D(0)) - sum((initial(each.value_base or D(0), leverage) for each in held.holdings), D(0))

    def price(self, bid: str, ask: str | None = None, size: str | None = None, **more: str) -> None:
        """A message, a second later, that nothing has met yet."""
        self.floor.now += timedelta(seconds=1)
        told = {"bid_size": size, "ask_size": size, **more}
        sizes: dict[str, Any] = {name: None if value is None else D(value) for name, value in told.items()}
        buys, sells = D(bid), D(ask or bid)
        at, last = self.floor.now, (buys + sells) / 2
        self.tick = Tick(instrument=BTC, at=at, as_of=at, bid=buys, ask=sells, last=last, **sizes)

    def meet(self, bid: str, ask: str | None = None, size: str | None = None, **more: str) -> None:
        """A message meets what works, as the engine lets it."""
        self.price(bid, ask, size, **more)
        self.meet_now()

    def meet_bar(self, open: str, high: str, low: str, close: str) -> None:
        """The next whole minute does, as the engine hears it: four prices, and neither sides nor a last one."""
        start = self.floor.now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        self.floor.now = end = start + timedelta(minutes=1)
        bar = Bar(start=start, end=end, open=D(open), high=D(high), low=D(low), close=D(close))
        self.tick = Tick(instrument=BTC, at=end, as_of=end, bar=bar)
        self.meet_now()

    def meet_now(self) -> None:
        """The message that was set does."""
        rows = [row for row in self.floor.open if OrderStatus(row.status) in WORKING]
        self.floor.marks = self.marks if self.floor.lends else None
        self.floor.take(self.floor.round(rows, self.ground.market))
        self.floor.marks = None

    def place(self, wish: Wish, **how: Any) -> list[OrderRow]:
        """An order, and its exits; the floor is as it was where it is refused."""
        return place(self.floor, self.ground, wish, replace(HOW, **how))

    def replace(self, row: OrderRow, **terms: Any) -> OrderRow:
        """Other terms, which the floor is left with only where they pass."""
        before = self.floor.orders.copy()
        try:
            return replaced(self.floor, self.ground, before[row.id], terms, None)
        except BaseException:
            # What is refused is rolled back.
            self.floor.orders = before
            raise

    def arrive(self, row: OrderRow) -> None:
        """What it waits for has come."""
        arrive(self.floor, self.ground, self.floor.orders[row.id])

    def cancel(self, row: OrderRow) -> None:
        """As its owner does."""
        self.floor.end(self.floor.orders[row.id], OrderStatus.CANCELED, "CANCELED")

    def stand(self, row: OrderRow) -> tuple[str, str]:
        """Status, and what is filled."""
        now = self.floor.orders[row.id]
        return now.status, format(now.filled.normalize(), "f")

    @property
    def sold(self) -> list[tuple[str, str]]:
        """Quantity and price of each sale, the oldest first."""
        mine = (fill for fill in self.floor.fills if fill.side == "SELL")
        return [(format(fill.quantity.normalize(), "f"), format(fill.price.normalize(), "f")) for fill in mine]

    def held(self) -> str:
        """Of bitcoin."""
        return format(self.floor.held(str(BTC)).normalize(), "f")


def slate(cash: str = "1000", bid: str = "100", ask: str | None = None, **account: Any) -> Slate:
    """A cash account without fees, unless something else is said."""
    w = Writing(tx=cast(Tx, None), account=rowsof.account(**{"model": FREE, **account}))
    made = Slate(Floor(cast(Host, SimpleNamespace(settings=SimpleNamespace(mode="live"))), w, rowsof.NOON))
    made.floor.cash["USD"] = D(cash)
    made.price(bid, ask)
    return made
