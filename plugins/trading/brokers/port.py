"""The broker port: values that no broker's wire format reaches beyond, and what may go wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Protocol

from schema.symbols import InstrumentId
from schema.words.orders import Liquidity, OrderStatus, OrderType, TimeInForce
from schema.words.trades import Side

if TYPE_CHECKING:
    from plugins.trading.brokers.pacing import Urgency

ZERO = Decimal(0)
_EXACT = Context(prec=200)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An order as it is sent. `client_id` is ours: whatever becomes of the answer, the order is found by it."""

    client_id: str
    instrument: InstrumentId
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    post_only: bool = False
    extended_hours: bool = False
    same_size: bool = False
    """Of a replacement, whether it is as large as the order whose place it is to take."""
    currency: str = ""
    """Of its price; empty where that is not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Which order is meant: by the broker's id where it is known, else by ours."""

    instrument: InstrumentId
    client_id: str
    broker_id: str | None = None
    side: Side | None = None
    by: datetime | None = None
    """When it had been kept, or replaced, here; None where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """A fill as the broker tells it; `id` is the broker's, and the same fill has the same id for ever."""

    id: str
    broker_order_id: str
    quantity: Decimal
    price: Decimal
    at: datetime
    fee: Decimal = ZERO
    fee_asset: str | None = None
    """What the fee was taken in; None where there was none."""
    liquidity: Liquidity = Liquidity.TAKER


def gross(deals: Iterable[Deal]) -> Decimal:
    """How much was filled, before fees in kind; each fill once."""
    found = ZERO
    for quantity in {deal.id: deal.quantity for deal in deals}.values():
        found = _EXACT.add(found, quantity)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How an order stands at the broker."""

    broker_id: str
    client_id: str
    status: OrderStatus
    quantity: Decimal | None
    """None where it was placed by its notional."""
    filled: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_percent: Decimal | None = None
    reason: str | None = None
    """Why it has ended, in the broker's words."""
    replaced_by: str | None = None
    """The broker's id of the order that took its place."""
    replaces: str | None = None
    old_quantity: Decimal | None = None
    """How many the order has whose place it is to take, as long as that one works."""
    deals: tuple[Deal, ...] = ()
    """Fills that the same answer tells; perhaps not all."""
    side: Side | None = None
    made_at: datetime | None = None
    """When the broker took it; None where that is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What the broker holds for the account, by its own names of assets."""

    cash: Mapping[str, Decimal] = field(default_factory=dict)
    units: Mapping[str, Decimal] = field(default_factory=dict)
    pooled: bool = False
    """Whether an asset is money and units at once: then all stands in `cash`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """A fee that a broker has taken in units, apart from fills; `id` is the broker's."""

    id: str
    asset: str
    quantity: Decimal
    """Above zero."""
    price: Decimal | None = None
    """Of a unit, as the broker has reckoned."""
    day: date | None = None
    """On which it was taken; None where that is not told."""


class BrokerTrouble(Exception):
    """Something is wrong with a broker; the message holds no secret."""


class BrokerRefused(BrokerTrouble):
    """A clear no, in the broker's words: nothing has happened."""


class BrokerBusy(BrokerTrouble):
    """Nothing has happened: limits are used up, or the broker says so; `after` in seconds says when to try again."""

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message)
        self.after = after


class AskedTooOften(BrokerBusy):
    """The broker says itself that its limits are used up."""


class SendAnew(BrokerBusy):
    """Nothing has happened for a fault of ours that is mended: it may be sent once more, if it is wanted still."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 0.0)


class KeyRefused(BrokerRefused):
    """The broker does not take the key, or it is of another account there, or there is none."""


class OutcomeUnknown(BrokerTrouble):
    """No answer, or one that leaves open whether it was done: only asking for the order tells."""


class AnswerUnreadable(OutcomeUnknown):
    """An answer that does not keep to the wire format; the message names the place."""


class PastUnknown(AnswerUnreadable):
    """Of what an order has replaced the broker refuses to tell; `report` is of the order itself, and counts what is
    told."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


class Broker(Protocol):
    """One account at one broker, by one key. Each method is one exchange or a few, in order; none is repeated where
    that could do something twice.

    What changes something raises BrokerRefused, BrokerBusy or OutcomeUnknown; what reads raises the same.
    """

    id: str

    async def owner(self, urgency: Urgency) -> str | None:
        """The broker's own id of the account that the key is of, asked for until it is told; None where it is not."""

    def check(self, ticket: Ticket) -> str | None:
        """Why the broker has no such order, in words that say what it has; None where it could be sent."""

    def busy(self, orders: int = 1) -> float:
        """Seconds until so many orders may be sent, one after the other; 0 now."""

    async def place(self, ticket: Ticket) -> Report:
        """Send it; SendAnew where that is to be done once more."""

    async def replace(self, order: Reference, ticket: Ticket) -> Report:
        """Other terms in place of an order that works; the report is of what took its place, or where it was cancelled
        and nothing took its place, of itself. SendAnew as with `place`."""

    async def cancel(self, order: Reference) -> Report | None:
        """None where the broker takes note and says later how it ended."""

    async def cancel_all(self, orders: Sequence[Reference]) -> None:
        """All of these and no others; how they ended is told later. One that cannot be cancelled any more keeps no
        other from it; a trouble that is not of one order ends it, with those before it cancelled."""

    async def find(self, order: Reference, urgency: Urgency = ...) -> Report | None:
        """How it stands; None where the broker knows no such order. Reading, unless an order hangs on it."""

    async def open_orders(self) -> list[Report]:
        """All of the account, whoever placed them."""

    async def deals(self, order: Reference, since: datetime) -> list[Deal]:
        """All fills of an order, the oldest first; *since* is before it was sent."""

    async def stock(self) -> Stock:
        """Money and units."""

    async def tolls(self, since: datetime) -> list[Toll]:
        """Fees in units that no fill tells, the oldest first; none where fills tell theirs."""

    def asset_of(self, instrument: InstrumentId) -> str:
        """Under which name units of an instrument stand in `stock`."""
