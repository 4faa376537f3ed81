# Written by `make gen` from schema.graphql and operations/*.graphql; edit there.
"""The input objects of the operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from marketgate_client.generated import enums, inputs
from marketgate_client.wire import UNSET, Input, Unset


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorConditionInput(Input):
    """An indicator of closed candles: SMA and EMA are compared with the last close."""

    symbol: str | Unset | None = UNSET
    """Another instrument's."""
    indicator: enums.ConditionIndicator | str
    """Which."""
    period: int
    """Over so many days, 2 to 200."""
    crossing: enums.Crossing | str
    """RSI against `level`; the close against an average."""
    level: Decimal | Unset | None = UNSET
    """For RSI: 0 to 100."""
    _names: ClassVar[Mapping[str, str]] = {
        "symbol": "symbol",
        "indicator": "indicator",
        "period": "period",
        "crossing": "crossing",
        "level": "level",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelInput(Input):
    """Which order to cancel."""

    order_id: str
    """The order's id."""
    _names: ClassVar[Mapping[str, str]] = {"order_id": "orderId"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderConditionInput(Input):
    """What an order waits for before it is accepted: exactly one."""

    price: inputs.PriceConditionInput | Unset | None = UNSET
    """A price."""
    indicator: inputs.IndicatorConditionInput | Unset | None = UNSET
    """An indicator of daily candles."""
    time: datetime | Unset | None = UNSET
    """Not before this instant."""
    order_filled: str | Unset | None = UNSET
    """Until this order of the same account is filled whole."""
    _names: ClassVar[Mapping[str, str]] = {
        "price": "price",
        "indicator": "indicator",
        "time": "time",
        "order_filled": "orderFilled",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaceInput(Input):
    """An order of an account."""

    symbol: str
    """An id such as `crypto:BTC/USD`, or a short form."""
    side: enums.Side | str
    """BUY or SELL."""
    type: enums.OrderType | str
    """How it is priced."""
    quantity: Decimal | Unset | None = UNSET
    """In units of the base asset."""
    notional: Decimal | Unset | None = UNSET
    """Or so much money."""
    limit_price: Decimal | Unset | None = UNSET
    """For LIMIT and STOP_LIMIT."""
    stop_price: Decimal | Unset | None = UNSET
    """For STOP_MARKET, STOP_LIMIT and MARKET_IF_TOUCHED: what triggers it."""
    trail_amount: Decimal | Unset | None = UNSET
    """For TRAILING_STOP."""
    trail_percent: Decimal | Unset | None = UNSET
    """For TRAILING_STOP, below 100."""
    time_in_force: enums.TimeInForce | str | Unset = UNSET
    """How long it works."""
    expires_at: datetime | Unset | None = UNSET
    """For GTD."""
    post_only: bool | Unset = UNSET
    """Refuse it where it would take."""
    reduce_only: bool | Unset = UNSET
    """Only make a position smaller."""
    client_order_id: str | Unset | None = UNSET
    """Your own id, unique in the account: the same again is the same order."""
    take_profit: inputs.TakeProfitInput | Unset | None = UNSET
    """Makes it a bracket."""
    stop_loss: inputs.StopLossInput | Unset | None = UNSET
    """Makes it a bracket."""
    condition: inputs.OrderConditionInput | Unset | None = UNSET
    """What it waits for."""
    strategy: str | Unset | None = UNSET
    """A tag for statistics."""
    account_id: str
    """The account's id."""
    _names: ClassVar[Mapping[str, str]] = {
        "symbol": "symbol",
        "side": "side",
        "type": "type",
        "quantity": "quantity",
        "notional": "notional",
        "limit_price": "limitPrice",
        "stop_price": "stopPrice",
        "trail_amount": "trailAmount",
        "trail_percent": "trailPercent",
        "time_in_force": "timeInForce",
        "expires_at": "expiresAt",
        "post_only": "postOnly",
        "reduce_only": "reduceOnly",
        "client_order_id": "clientOrderId",
        "take_profit": "takeProfit",
        "stop_loss": "stopLoss",
        "condition": "condition",
        "strategy": "strategy",
        "account_id": "accountId",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceConditionInput(Input):
    """A price of an instrument, by default the order's own."""

    symbol: str | Unset | None = UNSET
    """Another instrument's price."""
    crossing: enums.Crossing | str
    """Which way."""
    level: Decimal
    """The price."""
    _names: ClassVar[Mapping[str, str]] = {"symbol": "symbol", "crossing": "crossing", "level": "level"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteInput(Input):
    """How an ask is to be carried out: by whom, how old, how long."""

    providers: Sequence[str] | Unset | None = UNSET
    """Only these providers, in this order."""
    exclude: Sequence[str] | Unset | None = UNSET
    """Never these providers."""
    max_age_ms: int | Unset | None = UNSET
    """Refuse anything older; 0 asks anew and takes what comes. By default the capability's freshness window."""
    stale_if_error_ms: int | Unset | None = UNSET
    """Accept a copy this much older when every provider fails; it is marked."""
    timeout_ms: int | Unset | None = UNSET
    """Give up after this long; at most 30000."""
    hedge: bool | Unset | None = UNSET
    """Ask the next provider too where the first takes longer than nineteen of twenty of its calls did; of all
    calls of a process one in twenty at most is such a second one.
    """
    _names: ClassVar[Mapping[str, str]] = {
        "providers": "providers",
        "exclude": "exclude",
        "max_age_ms": "maxAgeMs",
        "stale_if_error_ms": "staleIfErrorMs",
        "timeout_ms": "timeoutMs",
        "hedge": "hedge",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLossInput(Input):
    """Where a bracket closes with a loss: a stop, or one that trails."""

    stop_price: Decimal | Unset | None = UNSET
    """The price that triggers it."""
    limit_price: Decimal | Unset | None = UNSET
    """With it a stop-limit order."""
    trail_amount: Decimal | Unset | None = UNSET
    """Follow the best price so far behind."""
    trail_percent: Decimal | Unset | None = UNSET
    """The same in per cent of it."""
    _names: ClassVar[Mapping[str, str]] = {
        "stop_price": "stopPrice",
        "limit_price": "limitPrice",
        "trail_amount": "trailAmount",
        "trail_percent": "trailPercent",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeProfitInput(Input):
    """Where a bracket closes with a profit."""

    limit_price: Decimal
    """At this price or better."""
    _names: ClassVar[Mapping[str, str]] = {"limit_price": "limitPrice"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingAccountCreateInput(Input):
    """A new trading account."""

    name: str
    """1 to 100 characters."""
    kind: enums.AccountKind | str | Unset = UNSET
    """Paper or live."""
    broker: str | Unset | None = UNSET
    """Who fills its orders; by default the simulator. LIVE needs one."""
    currency: str | Unset = UNSET
    """The base currency, such as USD, EUR or USDT."""
    initial_balance: Decimal | Unset = UNSET
    """Its first deposit, in that currency; 0 for LIVE."""
    margin: enums.MarginType | str | Unset = UNSET
    """Whether it may borrow."""
    leverage: Decimal | Unset = UNSET
    """How many times its equity a MARGIN account may hold, 1 to 100."""
    margin_interest_rate: Decimal | Unset | None = UNSET
    """What a MARGIN account pays a year for cash that it owes, 0 to 1: by default 0.05, which is 5 %."""
    max_daily_loss: Decimal | Unset | None = UNSET
    """What it may lose in a UTC day; by default there is no limit."""
    method: enums.LotMethod | str | Unset = UNSET
    """Which units a sale takes."""
    shared: bool | Unset = UNSET
    """Whether every member may look and trade, as their role lets them."""
    model: inputs.TradingExecutionModelInput | Unset | None = UNSET
    """How its orders are filled."""
    confirm: str | Unset | None = UNSET
    """For LIVE: the account's name once more."""
    idempotency_key: str | Unset | None = UNSET
    """The same key with the same input makes no second one."""
    _names: ClassVar[Mapping[str, str]] = {
        "name": "name",
        "kind": "kind",
        "broker": "broker",
        "currency": "currency",
        "initial_balance": "initialBalance",
        "margin": "margin",
        "leverage": "leverage",
        "margin_interest_rate": "marginInterestRate",
        "max_daily_loss": "maxDailyLoss",
        "method": "method",
        "shared": "shared",
        "model": "model",
        "confirm": "confirm",
        "idempotency_key": "idempotencyKey",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingExecutionModelInput(Input):
    """How a paper account's orders are filled; what is left out has its default."""

    provider: str | Unset | None = UNSET
    """Whose prices; by default whoever answers first."""
    source: enums.FillSource | str | Unset = UNSET
    """What orders are matched against."""
    participation: Decimal | Unset = UNSET
    """The greatest share of what is offered that one order takes, up to 1."""
    slippage: inputs.TradingSlippageInput | Unset | None = UNSET
    """How much worse than the market a taker's fill is."""
    fees: inputs.TradingFeesInput | Unset | None = UNSET
    """What fills cost."""
    latency_ms: int | Unset = UNSET
    """How long an order takes to reach the venue, 0 to 60,000."""
    seed: int | Unset = UNSET
    """Of what is random, 0 or more."""
    max_age_ms: int | Unset = UNSET
    """Of a price: an older one fills nothing while its market is open; 1 to 86,400,000."""
    collar_bps: int | Unset | None = UNSET
    """How far a limit may lie on the wrong side of the market, 1 to 10,000; null lets any pass."""
    extended_hours: bool | Unset = UNSET
    """Whether orders are filled before and after regular hours too."""
    _names: ClassVar[Mapping[str, str]] = {
        "provider": "provider",
        "source": "source",
        "participation": "participation",
        "slippage": "slippage",
        "fees": "fees",
        "latency_ms": "latencyMs",
        "seed": "seed",
        "max_age_ms": "maxAgeMs",
        "collar_bps": "collarBps",
        "extended_hours": "extendedHours",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingFeesInput(Input):
    """What fills cost, in the currency of the price."""

    maker: Decimal | Unset = UNSET
    """Where another order came to it while it rested, 0 to 0.1."""
    taker: Decimal | Unset = UNSET
    """Where it took what was there, 0 to 0.1."""
    per_unit: Decimal | Unset = UNSET
    """For each unit, 0 to 1,000."""
    fixed: Decimal | Unset = UNSET
    """For each order, with its first fill, 0 to 1,000."""
    least: Decimal | Unset = UNSET
    """Never less than this, 0 to 1,000. 0.01 is a cent: it counts where the price is in money of ISO 4217 or in
    a stablecoin, and not in coins such as BTC; any other counts in all.
    """
    _names: ClassVar[Mapping[str, str]] = {
        "maker": "maker",
        "taker": "taker",
        "per_unit": "perUnit",
        "fixed": "fixed",
        "least": "least",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingSlippageInput(Input):
    """How much worse than the market a taker's fill is."""

    kind: enums.SlippageKind | str | Unset = UNSET
    """By what rule."""
    bps: Decimal | Unset = UNSET
    """Of BASIS_POINTS, and the base of SIZE: 0 to 1,000 basis points."""
    per_unit: Decimal | Unset = UNSET
    """Of SIZE: a fraction for each unit of size, 0 to 1."""
    jitter: Decimal | Unset = UNSET
    """Of SIZE: the greatest random part, either way, 0 to 0.1."""
    most: Decimal | Unset = UNSET
    """Of SIZE and VOLUME_SHARE: never more than this fraction, 0 to 0.5."""
    impact: Decimal | Unset = UNSET
    """Of VOLUME_SHARE: the fraction at a share of 1, 0 to 1."""
    _names: ClassVar[Mapping[str, str]] = {
        "kind": "kind",
        "bps": "bps",
        "per_unit": "perUnit",
        "jitter": "jitter",
        "most": "most",
        "impact": "impact",
    }
