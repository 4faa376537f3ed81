"""What mutations of orders take, and what comes of them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import strawberry

from plugins.trading.orders.types import Order, OrderFill
from plugins.trading.orders.wishes import Exit, Wish
from schema.model import choices, described, model
from schema.refusals import refusals
from schema.words.orders import OrderType, TimeInForce
from schema.words.problems import UserError
from schema.words.trades import Side

ERRORS = "Why nothing happened; empty where it did."
PLACING = {
    "ORDER_INVALID": "The order contradicts itself; the message names the field.",
    "UNKNOWN_INSTRUMENT": "Nobody knows the symbol, or it is ambiguous; the message lists candidates.",
    "EXPIRES_IN_PAST": "expiresAt lies in the past.",
    "KILL_SWITCH": "Trading is stopped: of the account, the organisation, or all.",
    "DAILY_LOSS_REACHED": "The account has lost as much as it may in a day; only reducing orders pass.",
    "MARKET_CLOSED": "The instrument's market is closed; a LIMIT order waits for it.",
    "NO_PRICE": "Nobody has a price now.",
    "STALE_PRICE": "The newest price is older than the account takes.",
    "PRICE_OFF_TICK": "A price is no multiple of the instrument's tick; the message gives the nearest ones.",
    "SIZE_OFF_STEP": "The quantity is no multiple of the instrument's step; the message gives the nearest ones.",
    "SIZE_BELOW_MINIMUM": "The quantity is below the instrument's least.",
    "SIZE_ABOVE_MAXIMUM": "The quantity is above the instrument's greatest.",
    "NOTIONAL_BELOW_MINIMUM": "The order's value is below the instrument's least.",
    "PRICE_COLLAR": "The limit lies too far beyond the market.",
    "POST_ONLY_WOULD_TAKE": "The limit would be filled at once.",
    "FOK_NOT_FILLABLE": "Less than the whole quantity is offered at the limit.",
    "REDUCE_ONLY_WOULD_INCREASE": "The order would open, turn or enlarge a position, at a broker with others.",
    "MARGIN_ACCOUNT_REQUIRED": "A derivative is traded in a margin account.",
    "NOT_ALLOWED": "You may look at the account, and not trade with it.",
    "SHORT_NOT_ALLOWED": "A cash account sells only what it has.",
    "INSUFFICIENT_FUNDS": "The account has too little cash; the message says how much would pass.",
    "INSUFFICIENT_MARGIN": "The account has too little margin; the message says how much would pass.",
    "TOO_MANY_ORDERS": "The account has as many open orders as it may have.",
    "BROKER_REFUSED": "The broker refused it; the message has its words.",
    "BROKER_UNAVAILABLE": "The broker cannot be reached now.",
}
WAITING = {
    "WRONG_SIDE_OF_MARKET": "A stop or a take-profit would be met at once; the message gives the nearest price.",
}
"""Of orders that are not simply at the market."""
_IDS = "The account's id."


@refusals("Why an order was not placed.", **PLACING, **WAITING)
class OrderPlaceErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    ORDER_INVALID = "ORDER_INVALID"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    EXPIRES_IN_PAST = "EXPIRES_IN_PAST"
    KILL_SWITCH = "KILL_SWITCH"
    DAILY_LOSS_REACHED = "DAILY_LOSS_REACHED"
    MARKET_CLOSED = "MARKET_CLOSED"
    NO_PRICE = "NO_PRICE"
    STALE_PRICE = "STALE_PRICE"
    PRICE_OFF_TICK = "PRICE_OFF_TICK"
    SIZE_OFF_STEP = "SIZE_OFF_STEP"
    SIZE_BELOW_MINIMUM = "SIZE_BELOW_MINIMUM"
    SIZE_ABOVE_MAXIMUM = "SIZE_ABOVE_MAXIMUM"
    NOTIONAL_BELOW_MINIMUM = "NOTIONAL_BELOW_MINIMUM"
    PRICE_COLLAR = "PRICE_COLLAR"
    WRONG_SIDE_OF_MARKET = "WRONG_SIDE_OF_MARKET"
    POST_ONLY_WOULD_TAKE = "POST_ONLY_WOULD_TAKE"
    FOK_NOT_FILLABLE = "FOK_NOT_FILLABLE"
    REDUCE_ONLY_WOULD_INCREASE = "REDUCE_ONLY_WOULD_INCREASE"
    SHORT_NOT_ALLOWED = "SHORT_NOT_ALLOWED"
    MARGIN_ACCOUNT_REQUIRED = "MARGIN_ACCOUNT_REQUIRED"
    NOT_ALLOWED = "NOT_ALLOWED"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    INSUFFICIENT_MARGIN = "INSUFFICIENT_MARGIN"
    TOO_MANY_ORDERS = "TOO_MANY_ORDERS"
    BROKER_REFUSED = "BROKER_REFUSED"
    BROKER_UNAVAILABLE = "BROKER_UNAVAILABLE"


@refusals(
    "Why an order was not replaced.",
    ORDER_ENDED="The order has reached a state for good: place a new one.",
    **PLACING,
    **WAITING,
)
class OrderReplaceErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    ORDER_ENDED = "ORDER_ENDED"
    ORDER_INVALID = "ORDER_INVALID"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    EXPIRES_IN_PAST = "EXPIRES_IN_PAST"
    KILL_SWITCH = "KILL_SWITCH"
    DAILY_LOSS_REACHED = "DAILY_LOSS_REACHED"
    MARKET_CLOSED = "MARKET_CLOSED"
    NO_PRICE = "NO_PRICE"
    STALE_PRICE = "STALE_PRICE"
    PRICE_OFF_TICK = "PRICE_OFF_TICK"
    SIZE_OFF_STEP = "SIZE_OFF_STEP"
    SIZE_BELOW_MINIMUM = "SIZE_BELOW_MINIMUM"
    SIZE_ABOVE_MAXIMUM = "SIZE_ABOVE_MAXIMUM"
    NOTIONAL_BELOW_MINIMUM = "NOTIONAL_BELOW_MINIMUM"
    PRICE_COLLAR = "PRICE_COLLAR"
    WRONG_SIDE_OF_MARKET = "WRONG_SIDE_OF_MARKET"
    POST_ONLY_WOULD_TAKE = "POST_ONLY_WOULD_TAKE"
    FOK_NOT_FILLABLE = "FOK_NOT_FILLABLE"
    REDUCE_ONLY_WOULD_INCREASE = "REDUCE_ONLY_WOULD_INCREASE"
    SHORT_NOT_ALLOWED = "SHORT_NOT_ALLOWED"
    MARGIN_ACCOUNT_REQUIRED = "MARGIN_ACCOUNT_REQUIRED"
    NOT_ALLOWED = "NOT_ALLOWED"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    INSUFFICIENT_MARGIN = "INSUFFICIENT_MARGIN"
    TOO_MANY_ORDERS = "TOO_MANY_ORDERS"
    BROKER_REFUSED = "BROKER_REFUSED"
    BROKER_UNAVAILABLE = "BROKER_UNAVAILABLE"


@refusals(
    "Why nothing was cancelled.",
    ORDER_ENDED="The order has reached a state for good.",
    NOT_ALLOWED="You may look at the account, and not trade with it.",
    UNKNOWN_INSTRUMENT="Nobody knows the symbol.",
    BROKER_UNAVAILABLE="The broker cannot be reached now.",
)
class OrderCancelErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    ORDER_ENDED = "ORDER_ENDED"
    NOT_ALLOWED = "NOT_ALLOWED"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    BROKER_UNAVAILABLE = "BROKER_UNAVAILABLE"


@choices(
    "What orders that are placed together are to each other.",
    OCO="One cancels the other: where one is filled or cancelled, so are the others.",
    OTO="The first one triggers the others: they wait until it is filled.",
    ALL="All are placed, or none; afterwards each is on its own.",
)
class GroupRule(StrEnum):
    """Of `orderGroupPlace`."""

    OCO = "OCO"
    OTO = "OTO"
    ALL = "ALL"


@strawberry.input(description="Where a bracket closes with a profit.")
class TakeProfitInput:
    """A limit order that only reduces."""

    limit_price: Decimal = strawberry.field(description="At this price or better.")


@strawberry.input(description="Where a bracket closes with a loss: a stop, or one that trails.")
class StopLossInput:
    """A stop order that only reduces."""

    stop_price: Decimal | None = strawberry.field(description="The price that triggers it.", default=None)
    limit_price: Decimal | None = strawberry.field(description="With it a stop-limit order.", default=None)
    trail_amount: Decimal | None = strawberry.field(description="Follow the best price so far behind.", default=None)
    trail_percent: Decimal | None = strawberry.field(description="The same in per cent of it.", default=None)

    def exit(self) -> Exit:
        """As a wish."""
        return Exit(
            limit_price=self.limit_price, stop_price=self.stop_price, trail_amount=self.trail_amount,
            trail_percent=self.trail_percent,
        )  # fmt: skip


@choices(
    "Which way a price, or an indicator, crosses.",
    ABOVE="At the level or above it.",
    BELOW="At the level or below it.",
)
class Crossing(StrEnum):
    """Of a condition."""

    ABOVE = "ABOVE"
    BELOW = "BELOW"


@choices("What is reckoned from daily closes.", SMA="Simple moving average.", EMA="Exponential moving average.",
         RSI="Relative strength index, Wilder's smoothing.")  # fmt: skip
class ConditionIndicator(StrEnum):
    """Of a condition."""

    SMA = "SMA"
    EMA = "EMA"
    RSI = "RSI"


@strawberry.input(description="A price of an instrument, by default the order's own.")
class PriceConditionInput:
    """By the last price, else the middle of bid and ask."""

    symbol: str | None = strawberry.field(description="Another instrument's price.", default=None)
    crossing: Crossing = strawberry.field(description="Which way.")
    level: Decimal = strawberry.field(description="The price.")


@strawberry.input(description="An indicator of closed candles: SMA and EMA are compared with the last close.")
class IndicatorConditionInput:
    """Looked at once a closed candle."""

    symbol: str | None = strawberry.field(description="Another instrument's.", default=None)
    indicator: ConditionIndicator = strawberry.field(description="Which.")
    period: int = strawberry.field(description="Over so many days, 2 to 200.")
    crossing: Crossing = strawberry.field(description="RSI against `level`; the close against an average.")
    level: Decimal | None = strawberry.field(description="For RSI: 0 to 100.", default=None)


@strawberry.input(description="What an order waits for before it is accepted: exactly one.", one_of=True)
class OrderConditionInput:
    """The order is NEW until then, and holds no buying power."""

    price: PriceConditionInput | None = strawberry.field(description="A price.", default=strawberry.UNSET)
    indicator: IndicatorConditionInput | None = strawberry.field(
        description="An indicator of daily candles.", default=strawberry.UNSET
    )
    time: datetime | None = strawberry.field(description="Not before this instant.", default=strawberry.UNSET)
    order_filled: strawberry.ID | None = strawberry.field(
        description="Until this order of the same account is filled whole.", default=strawberry.UNSET
    )


@strawberry.input(description="One order.")
class OrderInput:
    """Prices are in the instrument's quote currency."""

    symbol: str = strawberry.field(description="An id such as `crypto:BTC/USD`, or a short form.")
    side: Side = strawberry.field(description="BUY or SELL.")
    type: OrderType = strawberry.field(description="How it is priced.")
    quantity: Decimal | None = strawberry.field(description="In units of the base asset.", default=None)
    notional: Decimal | None = strawberry.field(description="Or so much money.", default=None)
    limit_price: Decimal | None = strawberry.field(description="For LIMIT and STOP_LIMIT.", default=None)
    stop_price: Decimal | None = strawberry.field(
        description="For STOP_MARKET, STOP_LIMIT and MARKET_IF_TOUCHED: what triggers it.", default=None
    )
    trail_amount: Decimal | None = strawberry.field(description="For TRAILING_STOP.", default=None)
    trail_percent: Decimal | None = strawberry.field(description="For TRAILING_STOP, below 100.", default=None)
    time_in_force: TimeInForce = strawberry.field(description="How long it works.", default=TimeInForce.GTC)
    expires_at: datetime | None = strawberry.field(description="For GTD.", default=None)
    post_only: bool = strawberry.field(description="Refuse it where it would take.", default=False)
    reduce_only: bool = strawberry.field(description="Only make a position smaller.", default=False)
    client_order_id: str | None = strawberry.field(
        description="Your own id, unique in the account: the same again is the same order.", default=None
    )
    take_profit: TakeProfitInput | None = strawberry.field(description="Makes it a bracket.", default=None)
    stop_loss: StopLossInput | None = strawberry.field(description="Makes it a bracket.", default=None)
    condition: OrderConditionInput | None = strawberry.field(description="What it waits for.", default=None)
    strategy: str | None = strawberry.field(description="A tag for statistics.", default=None)

    def wish(self) -> Wish:
        """As the desk takes it."""
        profit = self.take_profit
        return Wish(
            symbol=self.symbol, side=self.side, type=self.type, quantity=self.quantity, notional=self.notional,
            limit_price=self.limit_price, stop_price=self.stop_price, trail_amount=self.trail_amount,
            trail_percent=self.trail_percent, time_in_force=self.time_in_force, expires_at=self.expires_at,
            post_only=self.post_only, reduce_only=self.reduce_only, client_order_id=self.client_order_id,
            take_profit=Exit(limit_price=profit.limit_price) if profit else None,
            stop_loss=self.stop_loss.exit() if self.stop_loss else None, strategy=self.strategy,
        )  # fmt: skip


@strawberry.input(description="An order of an account.")
class OrderPlaceInput(OrderInput):
    """See `OrderInput`."""

    account_id: strawberry.ID = strawberry.field(description=_IDS)


@strawberry.input(description="Orders that belong together: all are placed, or none.")
class OrderGroupPlaceInput:
    """Of one account."""

    account_id: strawberry.ID = strawberry.field(description=_IDS)
    rule: GroupRule = strawberry.field(description="What they are to each other.")
    orders: list[OrderInput] = strawberry.field(description="2 to 10, without brackets of their own.")
    idempotency_key: str | None = strawberry.field(
        description="The same key with the same input is the same orders, as they stand.", default=None
    )


@strawberry.input(description="What is to be otherwise; what is left out stays. Its place in the queue is lost.")
class OrderReplaceInput:
    """Side, type and instrument stay."""

    order_id: strawberry.ID = strawberry.field(description="The order's id.")
    quantity: Decimal | None = strawberry.field(description="With what is filled already.", default=None)
    limit_price: Decimal | None = strawberry.field(description="Another limit.", default=None)
    stop_price: Decimal | None = strawberry.field(description="Another trigger.", default=None)
    trail_amount: Decimal | None = strawberry.field(description="Another trail.", default=None)
    trail_percent: Decimal | None = strawberry.field(description="Another trail.", default=None)
    expires_at: datetime | None = strawberry.field(description="For GTD.", default=None)


@strawberry.input(description="Which order to cancel.")
class OrderCancelInput:
    """With those that wait for it."""

    order_id: strawberry.ID = strawberry.field(description="The order's id.")


@strawberry.input(description="Which orders to cancel.")
class OrdersCancelAllInput:
    """All open ones of an account."""

    account_id: strawberry.ID = strawberry.field(description=_IDS)
    symbol: str | None = strawberry.field(description="Only of this instrument.", default=None)


@strawberry.input(description="Which position to close.")
class PositionCloseInput:
    """At the market, by an order that only reduces."""

    account_id: strawberry.ID = strawberry.field(description=_IDS)
    symbol: str = strawberry.field(description="Of which instrument.")
    quantity: Decimal | None = strawberry.field(description="How much of it; by default all.", default=None)
    client_order_id: str | None = strawberry.field(description="Your own id.", default=None)


@strawberry.input(description="How a position is protected; what is left out is taken away.")
class PositionProtectInput:
    """Takes the place of what protected it before."""

    account_id: strawberry.ID = strawberry.field(description=_IDS)
    symbol: str = strawberry.field(description="Of which instrument.")
    take_profit: TakeProfitInput | None = strawberry.field(description="Where it closes with a profit.", default=None)
    stop_loss: StopLossInput | None = strawberry.field(description="Where it closes with a loss.", default=None)


@model("What came of placing an order.")
class OrderPlacePayload:
    """The order as it stands after it was placed, or why there is none."""

    order: Order | None = described("The order, perhaps filled already.", default=None)
    children: list[Order] = described("Of a bracket: what waits for its fill.")
    fills: list[OrderFill] = described("What was filled at once; of one that was placed before, all its fills.")
    user_errors: list[UserError[OrderPlaceErrorCode]] = described(ERRORS)


@model("What came of `orderGroupPlace`.")
class OrderGroupPlacePayload:
    """All of them, or none."""

    orders: list[Order] = described("In the order of the input.")
    user_errors: list[UserError[OrderPlaceErrorCode]] = described(ERRORS)


@model("What came of `orderReplace`.")
class OrderReplacePayload:
    """All of the change was made, or nothing."""

    order: Order | None = described("The order as it is now.", default=None)
    user_errors: list[UserError[OrderReplaceErrorCode]] = described(ERRORS)


@model("What came of `orderCancel`.")
class OrderCancelPayload:
    """With what waited for it."""

    order: Order | None = described("The order as it is now.", default=None)
    canceled: list[Order] = described("All that was cancelled with it.")
    user_errors: list[UserError[OrderCancelErrorCode]] = described(ERRORS)


@model("What came of `ordersCancelAll`.")
class OrdersCancelAllPayload:
    """What was open."""

    canceled: list[Order] = described("All that was cancelled.")
    user_errors: list[UserError[OrderCancelErrorCode]] = described(ERRORS)


@model("What came of `positionProtect`.")
class PositionProtectPayload:
    """The protecting orders, one cancels the other."""

    orders: list[Order] = described("What protects it now.")
    canceled: list[Order] = described("What protected it before, and entries whose rest nothing would protect.")
    user_errors: list[UserError[OrderPlaceErrorCode]] = described(ERRORS)
