"""GraphQL types of hedges."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Self

import strawberry

from plugins.trading.hedging.desk import Hedge
from plugins.trading.hedging.legs import Leg, held_of, left_of
from plugins.trading.hedging.proposing import USUAL_DAYS, Proposed, Wanted
from plugins.trading.orders.inputs import ERRORS, PLACING
from plugins.trading.orders.types import Order
from schema.model import described, model
from schema.refusals import refusals
from schema.words.figures import Figure
from schema.words.hedges import HedgeCost, HedgeKind
from schema.words.problems import UserError
from schema.words.trades import Side

_HEDGES = {
    "HEDGE_INVALID": "The hedge contradicts itself; the message names the field.",
    "HEDGE_NOT_COMPUTABLE": "No hedge can be reckoned, or there is nothing to order; the message says why.",
    "HEDGES_UNAVAILABLE": "No plugin of this gateway proposes hedges: give the legs.",
}


@refusals("Why a hedge was not executed.", **_HEDGES, **PLACING)
class HedgeExecuteErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    HEDGE_INVALID = "HEDGE_INVALID"
    HEDGE_NOT_COMPUTABLE = "HEDGE_NOT_COMPUTABLE"
    HEDGES_UNAVAILABLE = "HEDGES_UNAVAILABLE"
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
    "Why a hedge was not closed.", HEDGE_CLOSED="Nothing of the hedge is open, or held any more.", **PLACING
)  # fmt: skip
class HedgeCloseErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    HEDGE_CLOSED = "HEDGE_CLOSED"
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


@strawberry.input(description="An order of a hedge, at the market.")
class HedgeLegInput:
    """As `hedgeAnalyze` proposes it, or your own."""

    symbol: str = strawberry.field(description="The instrument that hedges.")
    side: Side = strawberry.field(description="BUY or SELL.")
    quantity: Decimal = strawberry.field(description="Units.")

    def leg(self) -> Leg:
        """As a value."""
        return Leg(symbol=self.symbol, side=self.side, quantity=self.quantity)


@strawberry.input(description="A hedge that is reckoned when it is executed.")
class HedgeWithInput:
    """As `hedgeAnalyze` reckons it."""

    candidate: str = strawberry.field(description="The instrument that hedges.")
    symbol: str | None = strawberry.field(description="Of this position alone; else of all.", default=None)
    kind: HedgeKind = strawberry.field(description="How its ratio is reckoned.", default=HedgeKind.MINIMUM_VARIANCE)
    benchmark: str | None = strawberry.field(description="For BETA.", default=None)
    target_beta: float = strawberry.field(description="What BETA leaves.", default=0.0)

    def wanted(self) -> Wanted:
        """As a value."""
        return Wanted(
            candidates=[self.candidate], symbol=self.symbol, benchmark=self.benchmark, target_beta=self.target_beta,
            days=USUAL_DAYS,
        )  # fmt: skip


@strawberry.input(description="What to hedge: give `legs`, or `with`.")
class HedgeExecuteInput:
    """Of one account."""

    account_id: strawberry.ID = strawberry.field(description="The account's id.")
    legs: list[HedgeLegInput] | None = strawberry.field(description="1 to 10 orders.", default=None)
    with_: HedgeWithInput | None = strawberry.field(
        name="with", description="One order, reckoned now.", default=None
    )  # fmt: skip
    client_hedge_id: str | None = strawberry.field(
        description="Your own id, unique in the account: the same again is the same hedge.", default=None
    )
    strategy: str | None = strawberry.field(description="A tag for statistics.", default=None)


@strawberry.input(description="Which hedge to close.")
class HedgeCloseInput:
    """Of one account."""

    account_id: strawberry.ID = strawberry.field(description="The account's id.")
    hedge_id: strawberry.ID = strawberry.field(description="The hedge's id.")
    idempotency_key: str | None = strawberry.field(
        description="Your own key: the same again changes nothing more.", default=None
    )


@model("What a hedge has opened and not closed again.")
class HedgeOpen:
    """Of one instrument."""

    symbol: str = described("The instrument's id.")
    quantity: Decimal = described("Units; below zero where they were sold.")


@model("Orders that hedge what an account holds.")
class TradingHedge:
    """All of its orders were kept, or there is none."""

    id: strawberry.ID = described("Give it to `hedgeClose`; the `groupId` of its orders.")
    account_id: strawberry.ID = described("The account that it is of.")
    complete: bool = described(
        "Whether all that opens it is filled whole. At a broker, where one order that is sent is refused, what is "
        "filled of the others stays, what is not is cancelled, and `userErrors` says which was refused."
    )
    orders: list[Order] = described("What opened it, and what closes it, in the order of placing.")
    open: list[HedgeOpen] = described(
        "What its fills have opened and not closed again, as far as the account still holds it."
    )

    @classmethod
    def of(cls, found: Hedge, held: Mapping[str, Decimal]) -> Self:
        """As it stands; *held* is what the account has of each instrument."""
        left = held_of(left_of(found.orders), held)
        return cls(
            id=strawberry.ID(found.id), account_id=strawberry.ID(found.account.id), complete=found.complete,
            orders=[Order.of(row) for row in found.orders],
            open=[HedgeOpen(symbol=name, quantity=left[name]) for name in sorted(left)],
        )  # fmt: skip


@model("What came of `hedgeExecute`.")
class HedgeExecutePayload:
    """Both, where a broker refused one of several orders."""

    hedge: TradingHedge | None = described("The hedge; null where nothing happened.", default=None)
    user_errors: list[UserError[HedgeExecuteErrorCode]] = described(ERRORS)


@model("What came of `hedgeClose`.")
class HedgeClosePayload:
    """Both, where a broker refused one of several orders."""

    hedge: TradingHedge | None = described("The hedge as it is now; null where nothing happened.", default=None)
    user_errors: list[UserError[HedgeCloseErrorCode]] = described(ERRORS)


@model("A hedge of an account's positions with one instrument: a proposal, nothing was ordered.")
class AccountHedge:
    """Rounded to whole steps: figures of what is left are at the rounded ratio."""

    symbol: str = described("The instrument that hedges.")
    kind: HedgeKind = described("How its ratio was reckoned.")
    side: Side | None = described("Of the order to place; null where there is nothing to order.", default=None)
    quantity: Decimal = described("Of that order: what the hedge needs less what is held of it.")
    target: Decimal = described("Units that the hedge needs; below zero where they are sold.")
    held: Decimal = described("What the account holds of it already, where all positions are hedged; else zero.")
    price: Decimal = described("Of now, in the account's currency.")
    value: Decimal = described("Of the target, signed.")
    ratio: Figure = described("Value of the hedge over that of the positions, the other way round.")
    rounded_ratio: float = described("What the rounding leaves of it.")
    effectiveness: Figure = described("1 - var(hedged) / var(unhedged).")
    residual: Figure = described("Volatility a year of what is left.")
    residual_value: Decimal = described("The same in money.")
    cost: HedgeCost = described("What the target costs.")
    warnings: list[str] = described("What it is to be taken with.")


@model("What could hedge an account's positions, the least residual first.")
class AccountHedgeAnalysis:
    """Nothing was ordered."""

    account_id: strawberry.ID = described("The account's id.")
    currency: str = described("Of all values: the account's.")
    positions: list[str] = described("What is hedged: instruments.")
    value: Decimal = described("Of these positions; below 0 for a short one.")
    unhedged: Figure = described("Their volatility a year.")
    hedges: list[AccountHedge] = described("The least residual first.")
    warnings: list[str] = described("What the figures are to be taken with.")

    @classmethod
    def of(cls, found: Proposed) -> Self:
        """From offers."""
        return cls(
            account_id=strawberry.ID(found.account.id), currency=found.account.currency,
            positions=list(found.positions), value=found.found.value, unhedged=found.found.unhedged,
            hedges=_hedges(found), warnings=list(found.found.warnings),
        )  # fmt: skip


def _hedges(found: Proposed) -> list[AccountHedge]:
    made = []
    for each in found.found.offers:
        missing = found.missing(each)
        side = None if not missing else Side.BUY if missing > 0 else Side.SELL
        made.append(AccountHedge(
            symbol=str(each.instrument), kind=each.kind, side=side, quantity=missing.copy_abs(), target=each.quantity,
            held=found.held.get(each.instrument, Decimal(0)), price=each.price, value=each.value, ratio=each.ratio,
            rounded_ratio=each.rounded_ratio, effectiveness=each.effectiveness, residual=each.residual,
            residual_value=each.residual_value, cost=each.cost, warnings=list(each.warnings),
        ))  # fmt: skip
    return made
