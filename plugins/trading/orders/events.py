"""What is told of orders and positions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

import strawberry

from gateway.core.contract import Ctx
from plugins.trading.orders.reading import order_of
from plugins.trading.orders.types import Order, average_price
from plugins.trading.rows import FillRow, OrderRow, PositionRow, TripRow
from schema.events import Event, event
from schema.model import computed, described, named
from schema.provenance import DataMode
from schema.words.instruments import selected_fields
from schema.words.orders import Liquidity, OrderCause, OrderStatus, OrderType
from schema.words.trades import Side

_ACCOUNT, _ORDER = "The account that it is of.", "The order's id."


async def resolve_order(root: OrderEvent, info: Ctx) -> Order | None:
    """The order as it is now."""
    return await order_of(info.context, root.order_id, selected_fields(info))


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEvent(Event):
    """What all of them have."""

    account_id: strawberry.ID = described(_ACCOUNT)  # noqa: RUF009 - a field of its own
    order_id: strawberry.ID = described(_ORDER)  # noqa: RUF009

    @property
    def subject(self) -> str:
        """The account and the order."""
        return f"{self.account_id}\n{self.order_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent(AccountEvent):
    """What those of an order have."""

    client_order_id: str | None = described("The client's own id.", default=None)
    symbol: str = described("The instrument's id.")
    side: Side = described("To buy or to sell.")  # noqa: RUF009
    type: OrderType = described("How it is priced.", name="orderType")  # noqa: RUF009 - `type` is the event's own
    quantity: Decimal | None = described("In units of the base asset.", default=None)  # noqa: RUF009
    filled_quantity: Decimal = described("How much is filled.", default=Decimal(0))  # noqa: RUF009
    strategy: str | None = described("Its tag.", default=None)
    cause: OrderCause = described("Why there was an order.")  # noqa: RUF009


_AS_IT_IS = computed(
    resolve_order, "The order as it is now; null where it is gone.", name="order",
    direct=named(lambda root: Order.named(root.order_id)),
)  # fmt: skip


def _head(row: OrderRow, mode: DataMode, at: datetime) -> dict[str, Any]:
    """What all events of an order have."""
    return {
        "occurred_at": at, "mode": mode, "account_id": strawberry.ID(row.account_id),
        "order_id": strawberry.ID(row.id), "client_order_id": row.client_order_id, "symbol": row.instrument,
        "side": Side(row.side), "type": OrderType(row.type), "quantity": row.quantity, "filled_quantity": row.filled,
        "strategy": row.strategy, "cause": OrderCause(row.cause),
    }  # fmt: skip


_SAMPLE: dict[str, Any] = {
    "mode": DataMode.SIMULATED, "account_id": strawberry.ID("tacc_0123456789abcdefghjk"),
    "order_id": strawberry.ID("ord_0123456789abcdefghjk"), "client_order_id": "rebalance-42",
    "symbol": "crypto:BTC/USD", "side": Side.BUY, "type": OrderType.LIMIT, "quantity": Decimal("0.5"),
    "strategy": "momentum", "cause": OrderCause.USER,
}  # fmt: skip


@event("order.accepted", "An order was placed and works, or what it waited for has come.")
class OrderAccepted(OrderEvent):
    """Told once an order."""

    filled_quantity: Decimal = described("How much was filled before.", default=Decimal(0))
    cause: OrderCause = described("Why there is an order.")
    limit_price: Decimal | None = described("The worst price that it takes.", default=None)
    stop_price: Decimal | None = described("The price that triggers it.", default=None)
    order = _AS_IT_IS

    @classmethod
    def told(cls, row: OrderRow, mode: DataMode, at: datetime) -> Self:
        """Of an order's row."""
        return cls(**_head(row, mode, at), limit_price=row.limit_price, stop_price=row.stop_price)

    @classmethod
    def sample(cls) -> Self:
        """A limit order."""
        return cls(**_SAMPLE, limit_price=Decimal("91234.5"))


@event("order.filled", "An order was filled, whole or in part: `status` says which.")
class OrderFilled(OrderEvent):
    """Told for every fill."""

    quantity: Decimal | None = described("Of the order.", default=None)
    filled_quantity: Decimal = described("Of the order, with this fill.", default=Decimal(0))
    cause: OrderCause = described("Why there is an order.")
    status: OrderStatus = described("FILLED, PARTIALLY_FILLED, or for good with a part filled.")
    average_price: Decimal | None = described("Of the order's fills.", default=None)
    fill_id: strawberry.ID = described("This fill's id.")
    fill_quantity: Decimal = described("Of this fill.")
    fill_price: Decimal = described("Of this fill.")
    fee: Decimal = described("Of this fill.")
    realised_pnl: Decimal = described("Profit of what this fill closed, before the fee.")
    currency: str = described("Of prices, fee and profit.")
    liquidity: Liquidity = described("Whether this fill made or took liquidity.")
    provider: str = described("Whose price it was.")
    order = _AS_IT_IS

    @classmethod
    def told(cls, row: OrderRow, fill: FillRow) -> Self:
        """Of a fill; the order as it is after it."""
        return cls(
            **_head(row, DataMode(fill.mode), fill.at), status=OrderStatus(row.status),
            average_price=average_price(row), fill_id=strawberry.ID(fill.id), fill_quantity=fill.quantity,
            fill_price=fill.price, fee=fill.fee, realised_pnl=fill.realised, currency=fill.currency,
            liquidity=Liquidity(fill.liquidity), provider=fill.provider,
        )  # fmt: skip

    @classmethod
    def sample(cls) -> Self:
        """A whole fill."""
        return cls(
            **_SAMPLE, filled_quantity=Decimal("0.5"), status=OrderStatus.FILLED, average_price=Decimal("91234.5"),
            fill_id=strawberry.ID("fill_0123456789abcdefghjk"), fill_quantity=Decimal("0.5"),
            fill_price=Decimal("91234.5"), fee=Decimal("9.12"), realised_pnl=Decimal(0), currency="USD",
            liquidity=Liquidity.MAKER, provider="sandbox",
        )  # fmt: skip


@event("order.canceled", "An order was cancelled, by somebody or by a rule: `reason` says which.")
class OrderCanceled(OrderEvent):
    """For good; a part may be filled."""

    reason: str | None = described("Why it was cancelled.", default=None)
    order = _AS_IT_IS

    @classmethod
    def told(cls, row: OrderRow, mode: DataMode, at: datetime) -> Self:
        """Of an order's row."""
        return cls(**_head(row, mode, at), reason=row.reason)

    @classmethod
    def sample(cls) -> Self:
        """By its owner."""
        return cls(**_SAMPLE, reason="CANCELED: by its owner")


@event("order.expired", "An order's time ran out.")
class OrderExpired(OrderEvent):
    """For good; a part may be filled."""

    expires_at: datetime | None = described("When that was.", default=None)
    order = _AS_IT_IS

    @classmethod
    def told(cls, row: OrderRow, mode: DataMode, at: datetime) -> Self:
        """Of an order's row."""
        return cls(**_head(row, mode, at), expires_at=row.expires_at)

    @classmethod
    def sample(cls) -> Self:
        """At the end of its day."""
        return cls(**_SAMPLE)


@event("order.rejected", "An order that was kept was refused: by the venue, or by a check when it was to work.")
class OrderRejected(OrderEvent):
    """What `orderPlace` refuses is no order, and no event."""

    reason: str | None = described("Why, as a code and words.", default=None)
    order = _AS_IT_IS

    @classmethod
    def told(cls, row: OrderRow, mode: DataMode, at: datetime) -> Self:
        """Of an order's row."""
        return cls(**_head(row, mode, at), reason=row.reason)

    @classmethod
    def sample(cls) -> Self:
        """At its trigger."""
        return cls(**_SAMPLE, reason="INSUFFICIENT_FUNDS: the account has 12.50 USD")


@event("position.opened", "An account holds something that it did not hold before.")
class PositionOpened(AccountEvent):
    """Also where a fill turns a long position into a short one."""

    order_id: strawberry.ID = described("The order that opened it.")
    symbol: str = described("The instrument's id.")
    side: Side = described("BUY: it is long.")
    quantity: Decimal = described("Below zero where it is short.")
    entry_price: Decimal = described("What a unit cost on average.")
    currency: str = described("Of the price.")
    strategy: str | None = described("The order's tag.", default=None)

    @classmethod
    def told(cls, row: PositionRow, order: OrderRow, price: Decimal) -> Self:
        """Of a position's row."""
        return cls(
            occurred_at=row.opened_at, mode=DataMode(row.mode), account_id=strawberry.ID(row.account_id),
            order_id=strawberry.ID(order.id), symbol=row.instrument, side=Side(order.side), quantity=row.quantity,
            entry_price=price, currency=row.currency, strategy=row.strategy,
        )  # fmt: skip

    @classmethod
    def sample(cls) -> Self:
        """A purchase."""
        return cls(
            mode=DataMode.SIMULATED, account_id=_SAMPLE["account_id"], order_id=_SAMPLE["order_id"],
            symbol="crypto:BTC/USD", side=Side.BUY, quantity=Decimal("0.5"), entry_price=Decimal("91234.5"),
            currency="USD", strategy="momentum",
        )  # fmt: skip


@event("position.closed", "A position is back at zero.")
class PositionClosed(AccountEvent):
    """With what it brought."""

    order_id: strawberry.ID = described("The order that closed it.")
    symbol: str = described("The instrument's id.")
    side: Side = described("BUY: it was long.")
    quantity: Decimal = described("Units that were opened and closed, above zero.")
    entry_price: Decimal = described("What a unit cost on average.")
    exit_price: Decimal = described("What a unit brought on average.")
    currency: str = described("Of all amounts.")
    realised_pnl: Decimal = described("Before fees and funding.")
    fees: Decimal = described("Of all its fills.")
    funding: Decimal = described("Received above zero, paid below.")
    strategy: str | None = described("The tag of the order that opened it.", default=None)
    opened_at: datetime = described("When it was opened.")

    @classmethod
    def told(cls, row: TripRow, order: OrderRow) -> Self:
        """Of a position that is no more."""
        return cls(
            occurred_at=row.closed_at, mode=DataMode(row.mode), account_id=strawberry.ID(row.account_id),
            order_id=strawberry.ID(order.id), symbol=row.instrument, side=Side(row.side), quantity=row.quantity,
            entry_price=row.entry_price, exit_price=row.exit_price, currency=row.currency, realised_pnl=row.realised,
            fees=row.fees, funding=row.funding, strategy=row.strategy, opened_at=row.opened_at,
        )  # fmt: skip

    @classmethod
    def sample(cls) -> Self:
        """A profit."""
        return cls(
            mode=DataMode.SIMULATED, account_id=_SAMPLE["account_id"], order_id=_SAMPLE["order_id"],
            symbol="crypto:BTC/USD", side=Side.BUY, quantity=Decimal("0.5"), entry_price=Decimal("91234.5"),
            exit_price=Decimal("92000"), currency="USD", realised_pnl=Decimal("382.75"), fees=Decimal("18.32"),
            funding=Decimal(0), strategy="momentum", opened_at=datetime.fromisoformat("2026-11-20T09:30:00+00:00"),
        )  # fmt: skip


def told_end(row: OrderRow, mode: DataMode, at: datetime) -> OrderCanceled | OrderExpired | OrderRejected:
    """Of an order that has ended, and is not filled."""
    if row.status == OrderStatus.CANCELED:
        return OrderCanceled.told(row, mode, at)
    return (OrderExpired if row.status == OrderStatus.EXPIRED else OrderRejected).told(row, mode, at)


EVENTS = (OrderAccepted, OrderFilled, OrderCanceled, OrderExpired, OrderRejected, PositionOpened, PositionClosed)
