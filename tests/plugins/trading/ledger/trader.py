"""An account that has traded: orders, fills, entries, positions and trips, as the settlement of orders writes them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

from gateway.core.matching.positions import Position, apply
from gateway.core.quant.lots import LotMethod
from plugins.trading.ledger.drafts import commission, derivative_fill, spot_fill
from plugins.trading.rows import FillRow, OrderRow, PositionRow, TripRow
from plugins.trading.tables import fills, orders, positions, trips
from plugins.trading.writing import Writing
from schema.words.trades import Side
from tests.plugins.trading.ledger.books import BY, TENANT, Books, D

SPOT, PERP = "crypto:BTC/USDT", "crypto:BTC/USDT:perp"


@dataclass
class Trader:
    """Fills whole orders at once, or in parts."""

    books: Books
    method: LotMethod = LotMethod.FIFO
    held: dict[str, Position | None] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: count(1))

    async def trade(self, side: Side, parts: list[tuple[str, str]], instrument: str = SPOT, size: str = "1") -> None:
        """An order that is filled in parts: quantities and prices."""
        async with self.books.writing() as w:
            number = w.next_order()
            order = f"ord_{number}"
            for place, (quantity, price) in enumerate(parts, 1):
                await self._fill(w, order, place, side, D(quantity), D(price), instrument, D(size))
            row = order_row(self.books, order, number, side, parts, instrument)
            await w.tx.run(orders.insert().values(**asdict(row)))
            await self._keep(w, instrument)

    async def _fill(
        self, w: Writing, order: str, place: int, side: Side, quantity: Any, price: Any, instrument: str, size: Any
    ) -> None:
        at = self.books.later(1)
        fee, id = D("0.01"), f"fill_{next(self.numbers)}"
        applied = apply(
            self.held.get(instrument), side, quantity, price, at, self.method, size, quantum=D("0.00000001"), fee=fee
        )
        self.held[instrument] = applied.position
        book = derivative_fill if instrument == PERP else spot_fill
        units = quantity if side is Side.BUY else -quantity
        made = book(
            instrument=instrument, currency="USDT", units=units, price=price, realised=applied.realised,
            order_id=order, fill_id=id,
        )  # fmt: skip
        paid = commission("USDT", fee, order_id=order, fill_id=id)
        await self.books.book.post(w, [made, paid], at=at, made_by=BY)
        row = FillRow(
            tenant_id=TENANT, id=id, account_id=self.books.account, order_id=order, number=place, broker_fill_id=None,
            instrument=instrument, side=side.value, quantity=quantity, price=price, currency="USDT", reference=price,
            fee=fee, liquidity="TAKER", realised=applied.realised, strategy=None, provider="p", mode="LIVE",
            priced_at=at, at=at, contract_size=size,
        )  # fmt: skip
        await w.tx.run(fills.insert().values(**asdict(row)))
        if applied.trip is not None:
            trip = TripRow(
                tenant_id=TENANT, id=f"trip_{id}", account_id=self.books.account, instrument=instrument,
                currency="USDT", strategy=None, mode="LIVE", **asdict(applied.trip) | {"side": applied.trip.side.value},
            )  # fmt: skip
            await w.tx.run(trips.insert().values(**asdict(trip)))

    async def _keep(self, w: Writing, instrument: str) -> None:
        held, mine = self.held[instrument], positions.c.instrument == instrument
        await w.tx.run(positions.delete().where(mine))
        if held is None:
            return
        row = PositionRow(
            tenant_id=TENANT, account_id=self.books.account, instrument=instrument, quantity=held.quantity,
            cost=held.cost, currency="USDT",
            lots=[[lot.opened.isoformat(), str(lot.quantity), str(lot.cost)] for lot in held.lots],
            bought=held.bought, bought_value=held.bought_value, sold=held.sold, sold_value=held.sold_value,
            realised=held.realised, fees=held.fees, funding=held.funding, strategy=None, mode="LIVE",
            opened_at=held.opened_at, changed_at=self.books.at,
        )  # fmt: skip
        await w.tx.run(positions.insert().values(**asdict(row)))


def order_row(
    books: Books, id: str, number: int, side: Side, parts: list[tuple[str, str]], instrument: str
) -> OrderRow:  # fmt: skip
    filled = sum((D(quantity) for quantity, _ in parts), D(0))
    values: dict[str, Any] = dict.fromkeys(OrderRow.__slots__)
    values |= {
        "tenant_id": TENANT, "id": id, "account_id": books.account, "number": number, "made_by": BY,
        "instrument": instrument, "side": side.value, "type": "MARKET", "time_in_force": "GTC", "quantity": filled,
        "post_only": False, "reduce_only": False, "cause": "USER", "status": "FILLED", "filled": filled,
        "paid": sum((D(quantity) * D(price) for quantity, price in parts), D(0)), "fills": len(parts),
        "reserved": D(0), "currency": "USDT", "open": False, "shard": 0, "version": 1, "created_at": books.at,
        "replacements": 0, "changed_at": books.at, "ended_at": books.at,
    }  # fmt: skip
    return OrderRow(**values)
