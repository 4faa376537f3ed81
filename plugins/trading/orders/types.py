"""GraphQL types of orders and fills."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any, Self

import strawberry

from gateway.core.matching.positions import PRICE_DIGITS
from gateway.core.matching.rounding import EXACT, quotient
from plugins.trading.rows import FillRow, OrderRow
from schema.events import EPOCH
from schema.model import computed, described, model
from schema.paging import PageInfo
from schema.provenance import DataMode
from schema.symbols import InstrumentId, parse_instrument
from schema.words.instruments import DESCRIBED, Node, instrument_of
from schema.words.orders import Liquidity, OrderCause, OrderLeg, OrderStatus, OrderType, TimeInForce
from schema.words.trades import Side

_NOTHING = parse_instrument("crypto:BTC/USD")


@model("What a fill was, and by whose price.")
class OrderFill:
    """Written once, never changed."""

    instrument: strawberry.Private[InstrumentId]
    id: strawberry.ID = described("The fill's id.")
    order_id: strawberry.ID = described("The order that was filled.")
    number: int = described("Of the order's fills, from 1.")
    symbol: str = described("The instrument's id.")
    side: Side = described("Of the order.")
    quantity: Decimal = described("In units of the base asset, of derivatives too.")
    price: Decimal = described("For a unit, with slippage.")
    currency: str = described("Of price, fee and profit.")
    reference_price: Decimal | None = described("The market's price before slippage.", default=None)
    slippage_bps: Decimal | None = described("How much worse than that price, in basis points of it.", default=None)
    fee: Decimal = described("Commission; below zero where it is a rebate.")
    liquidity: Liquidity = described("Whether it made or took liquidity.")
    realised_pnl: Decimal = described("Profit of what it closed, before the fee.")
    strategy: str | None = described("The order's tag.", default=None)
    provider: str = described("Whose price filled it: a provider, or the broker.")
    mode: DataMode = described("Whether that price was live, recorded or simulated.")
    priced_at: datetime | None = described("The stamp of that price.", default=None)
    at: datetime = described("When it was filled.")
    instrument_ = computed(instrument_of, "What was traded.", name="instrument", direct=DESCRIBED)

    @classmethod
    def of(cls, row: FillRow) -> Self:
        """From a row."""
        return cls(
            instrument=parse_instrument(row.instrument), id=strawberry.ID(row.id),
            order_id=strawberry.ID(row.order_id), number=row.number, symbol=row.instrument, side=Side(row.side),
            quantity=row.quantity, price=row.price, currency=row.currency, reference_price=row.reference,
            slippage_bps=_slippage(row), fee=row.fee, liquidity=Liquidity(row.liquidity), realised_pnl=row.realised,
            strategy=row.strategy, provider=row.provider, mode=DataMode(row.mode), priced_at=row.priced_at, at=row.at,
        )  # fmt: skip


def _slippage(row: FillRow) -> Decimal | None:
    if not row.reference:
        return None
    with localcontext(EXACT):
        worse = row.price - row.reference if row.side == Side.BUY else row.reference - row.price
        return (worse / row.reference * 10_000).quantize(Decimal("0.0001"))


@model("A page of fills.")
class OrderFillConnection:
    """The newest first."""

    nodes: list[OrderFill] = described("The fills.")
    page_info: PageInfo = described("Where this page stands.")


@model("An order, as it stands.", implements=(Node,))
class Order:
    """FILLED, CANCELED, EXPIRED and REJECTED are for good."""

    instrument: strawberry.Private[InstrumentId]
    id: strawberry.ID = described("Give it to `node(id:)`; the subject of its events.")
    account_id: strawberry.ID = described("The account that it is of.")
    number: int = described("Of the account's orders, in the order of placing, from 1.")
    client_order_id: str | None = described("The client's own id: placing it again is the same order.", default=None)
    broker_order_id: str | None = described("What the broker calls it, where there is one.", default=None)
    symbol: str = described("The instrument's id.")
    side: Side = described("To buy or to sell.")
    type: OrderType = described("How it is priced.")
    time_in_force: TimeInForce = described("How long it works.")
    quantity: Decimal | None = described(
        "In units of the base asset, of derivatives too; null while a notional waits for its price.", default=None
    )
    notional: Decimal | None = described("So much money is to be spent, where it was asked for so.", default=None)
    limit_price: Decimal | None = described("The worst price that it takes.", default=None)
    stop_price: Decimal | None = described("The price that triggers it.", default=None)
    trail_amount: Decimal | None = described("How far behind the best price its stop follows.", default=None)
    trail_percent: Decimal | None = described("The same in per cent of that price.", default=None)
    currency: str = described("Of its prices.")
    post_only: bool = described("Whether it must not take.")
    reduce_only: bool = described("Whether it only makes a position smaller.")
    expires_at: datetime | None = described("When it expires by itself; null for until it is cancelled.", default=None)
    leg: OrderLeg | None = described("What it is to the others of its group.", default=None)
    group_id: str | None = described(
        "Orders of one group: bracket, OCO, OTO; a hedge; at a broker also ALL.", default=None
    )
    parent_id: strawberry.ID | None = described("The order that it waits for.", default=None)
    cause: OrderCause = described("Why there is an order.")
    strategy: str | None = described("The tag that its placer gave it.", default=None)
    status: OrderStatus = described("Where it stands.")
    reason: str | None = described("Why it ended without being filled, as a code and words.", default=None)
    filled_quantity: Decimal = described("How much is filled.")
    average_price: Decimal | None = described("Of its fills; null before the first.", default=None)
    reserved: Decimal = described("How much buying power it holds, in `currency`.")
    version: int = described("Grows with every change.")
    owner: str = described("Who placed it: a person's or a key's id.")
    created_at: datetime = described("When it was placed.")
    changed_at: datetime = described("When it changed last.")
    ended_at: datetime | None = described("When it reached a state for good.", default=None)
    instrument_ = computed(instrument_of, "What is traded.", name="instrument", direct=DESCRIBED)

    @classmethod
    def named(cls, id: str) -> Self:
        """One of which nothing but its id is shown."""
        return cls(
            instrument=_NOTHING, id=strawberry.ID(id), account_id=strawberry.ID(""), number=0, symbol="",
            side=Side.BUY, type=OrderType.MARKET, time_in_force=TimeInForce.GTC, currency="", post_only=False,
            reduce_only=False, cause=OrderCause.USER, status=OrderStatus.NEW, filled_quantity=Decimal(0),
            reserved=Decimal(0), version=0, owner="", created_at=EPOCH, changed_at=EPOCH,
        )  # fmt: skip

    @classmethod
    def of(cls, row: OrderRow) -> Self:
        """From a row."""
        return cls(
            instrument=parse_instrument(row.instrument), id=strawberry.ID(row.id),
            account_id=strawberry.ID(row.account_id), number=row.number, client_order_id=row.client_order_id,
            broker_order_id=row.broker_order_id, symbol=row.instrument, side=Side(row.side), type=OrderType(row.type),
            time_in_force=TimeInForce(row.time_in_force), quantity=row.quantity, notional=row.notional,
            **_terms(row), currency=row.currency, leg=OrderLeg(row.leg) if row.leg else None,
            parent_id=strawberry.ID(row.parent_id) if row.parent_id else None, cause=OrderCause(row.cause),
            status=OrderStatus(row.status), filled_quantity=row.filled, average_price=average_price(row),
            owner=row.made_by,
        )  # fmt: skip


def _terms(row: OrderRow) -> dict[str, Any]:
    """What a row and an order call the same."""
    same = (
        "limit_price", "stop_price", "trail_amount", "trail_percent", "post_only", "reduce_only", "expires_at",
        "group_id", "strategy", "reason", "reserved", "version", "created_at", "changed_at", "ended_at",
    )  # fmt: skip
    return {name: getattr(row, name) for name in same}


def average_price(row: OrderRow) -> Decimal | None:
    """Of its fills, to twelve digits behind the point."""
    if not row.filled:
        return None
    return quotient(row.paid, row.filled, PRICE_DIGITS)


@model("A page of orders.")
class OrderConnection:
    """The newest first."""

    nodes: list[Order] = described("The orders.")
    page_info: PageInfo = described("Where this page stands.")
