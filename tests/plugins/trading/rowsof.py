"""Rows for arithmetic: what a test does not say is plain."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from plugins.trading.markets.marks import Mark, Marks
from plugins.trading.rows import AccountRow, BalanceRow, PositionRow, TripRow
from schema.provenance import Conversion, DataMode, FeedDelay, Provenance

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
D = Decimal
MADE = Provenance(provider="alpha", mode=DataMode.LIVE, as_of=NOON, fetched_at=NOON, delay=FeedDelay.REALTIME)


def account(**given: Any) -> AccountRow:
    values: dict[str, Any] = {
        "tenant_id": "org_a", "id": "tacc_1", "made_by": "user_ada", "owner": "user_ada", "name": "Main",
        "kind": "PAPER", "broker": "simulator", "currency": "USD", "initial_balance": D(1000), "margin": "CASH",
        "leverage": D(1), "max_daily_loss": None, "method": "AVERAGE_COST", "shared": False, "model": {},
        "halted": False, "halt_reason": None, "day": None, "day_equity": None, "loss_day": None,
        "margin_called": False, "shard": 0, "version": 1, "entries": 0, "orders": 0, "idempotency_key": None,
        "request_digest": None, "created_at": NOON, "changed_at": NOON, "deleted_at": None,
    }  # fmt: skip
    return AccountRow(**values | given)


def cash(amount: str, currency: str = "USD", held: str = "0") -> BalanceRow:
    return BalanceRow(
        tenant_id="org_a", account_id="tacc_1", ledger="cash", asset=currency, posted=D(amount), held=D(held)
    )


def position(instrument: str, quantity: str, cost: str, **given: Any) -> PositionRow:
    values: dict[str, Any] = {
        "tenant_id": "org_a", "account_id": "tacc_1", "instrument": instrument, "quantity": D(quantity),
        "cost": D(cost), "currency": "USD", "lots": [[NOON.isoformat(), quantity, cost]], "bought": D(0),
        "bought_value": D(0), "sold": D(0), "sold_value": D(0), "realised": D(0), "fees": D(0), "funding": D(0),
        "strategy": None, "mode": "LIVE", "opened_at": NOON, "changed_at": NOON,
    }  # fmt: skip
    return PositionRow(**values | given)


def trip(id: str, realised: str, **given: Any) -> TripRow:
    values: dict[str, Any] = {
        "tenant_id": "org_a", "id": id, "account_id": "tacc_1", "instrument": "crypto:BTC/USD", "side": "BUY",
        "quantity": D(1), "entry_price": D(100), "exit_price": D(100) + D(realised), "currency": "USD",
        "realised": D(realised), "fees": D(0), "funding": D(0), "strategy": None, "mode": "LIVE", "opened_at": NOON,
        "closed_at": NOON,
    }  # fmt: skip
    return TripRow(**values | given)


def mark(price: str, currency: str = "USD", **given: Any) -> Mark:
    return Mark(price=D(price), currency=currency, provenance=MADE, **given)


def marks(prices: dict[str, Mark], rates: dict[str, str] | None = None, **given: Any) -> Marks:
    told = {
        source: Conversion(from_currency=source, to_currency="USD", rate=D(rate), provenance=MADE)
        for source, rate in (rates or {}).items()
    }
    return Marks(currency="USD", prices=prices, rates=told, **given)
