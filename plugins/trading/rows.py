"""Rows of the tables of trading, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """`trading_accounts`."""

    tenant_id: str
    id: str
    made_by: str
    owner: str
    name: str
    kind: str
    broker: str
    currency: str
    initial_balance: Decimal
    margin: str
    leverage: Decimal
    max_daily_loss: Decimal | None
    method: str
    shared: bool
    model: Any
    halted: bool
    halt_reason: str | None
    day: str | None
    day_equity: Decimal | None
    loss_day: str | None
    margin_called: bool
    shard: int
    version: int
    entries: int
    orders: int
    idempotency_key: str | None
    request_digest: str | None
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None
    margin_interest_rate: Decimal = Decimal(0)
    funded_at: datetime | None = None
    charged_at: datetime | None = None
    broker_account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """`trading_members`."""

    tenant_id: str
    account_id: str
    member: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """`trading_orders`."""

    tenant_id: str
    id: str
    account_id: str
    number: int
    made_by: str
    client_order_id: str | None
    request_digest: str | None
    broker_order_id: str | None
    instrument: str
    side: str
    type: str
    time_in_force: str
    quantity: Decimal | None
    notional: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    trail_amount: Decimal | None
    trail_percent: Decimal | None
    trail_extreme: Decimal | None
    post_only: bool
    reduce_only: bool
    expires_at: datetime | None
    condition: Any
    parent_id: str | None
    group_id: str | None
    leg: str | None
    cause: str
    strategy: str | None
    status: str
    reason: str | None
    filled: Decimal
    paid: Decimal
    fills: int
    reserved: Decimal
    currency: str
    accepted_at: datetime | None
    due_at: datetime | None
    triggered_at: datetime | None
    open: bool
    shard: int
    version: int
    created_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    replacements: int = 0
    """How often its broker was to be asked for another one in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillRow:
    """`trading_fills`."""

    tenant_id: str
    id: str
    account_id: str
    order_id: str
    number: int
    broker_fill_id: str | None
    instrument: str
    side: str
    quantity: Decimal
    price: Decimal
    currency: str
    reference: Decimal | None
    fee: Decimal
    liquidity: str
    realised: Decimal
    strategy: str | None
    provider: str
    mode: str
    priced_at: datetime | None
    at: datetime
    contract_size: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """`trading_entries`."""

    tenant_id: str
    id: str
    account_id: str
    number: int
    kind: str
    pending: bool
    resolves: str | None
    voids: bool
    reverses: str | None
    order_id: str | None
    fill_id: str | None
    memo: str | None
    made_by: str
    idempotency_key: str | None
    request_digest: str | None
    at: datetime
    instrument: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """`trading_lines`."""

    tenant_id: str
    account_id: str
    entry_id: str
    number: int
    ledger: str
    asset: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRow:
    """`trading_balances`."""

    tenant_id: str
    account_id: str
    ledger: str
    asset: str
    posted: Decimal
    held: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """`trading_positions`."""

    tenant_id: str
    account_id: str
    instrument: str
    quantity: Decimal
    cost: Decimal
    currency: str
    lots: Any
    bought: Decimal
    bought_value: Decimal
    sold: Decimal
    sold_value: Decimal
    realised: Decimal
    fees: Decimal
    funding: Decimal
    strategy: str | None
    mode: str
    opened_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TripRow:
    """`trading_trips`."""

    tenant_id: str
    id: str
    account_id: str
    instrument: str
    side: str
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    currency: str
    realised: Decimal
    fees: Decimal
    funding: Decimal
    strategy: str | None
    mode: str
    opened_at: datetime
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow:
    """`trading_schedules`."""

    tenant_id: str
    id: str
    account_id: str
    made_by: str
    instrument: str
    side: str
    quantity: Decimal | None
    notional: Decimal | None
    every: str
    start_at: datetime
    next_at: datetime | None
    end_at: datetime | None
    most: int | None
    placed: int
    strategy: str | None
    active: bool
    problem: str | None
    last_order_id: str | None
    shard: int
    idempotency_key: str | None
    request_digest: str | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitRow:
    """`trading_permits`."""

    tenant_id: str
    halted: bool
    halt_reason: str | None
    live: bool
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchRow:
    """`trading_switches`."""

    name: str
    halted: bool
    reason: str | None
    changed_by: str
    changed_at: datetime


def values_of(row: Any) -> dict[str, Any]:
    """A row's columns; what they hold is not copied, as `dataclasses.asdict` does."""
    return {name: getattr(row, name) for name in row.__slots__}
