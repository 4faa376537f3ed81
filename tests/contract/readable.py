"""Values that the gateway reads back, for columns whose text is a word, an instrument or a structure of its own.

A row that cannot be read answers a fault to whoever asks for it, and a fault hides what would have been told.
"""

from __future__ import annotations

from typing import Any

from gateway.core.matching.model import ExecutionModel
from plugins.alerts.conditions import AlertKind, Condition
from plugins.alerts.conditions import plain as plain_condition
from plugins.risk.constraints.rules import Rules
from plugins.risk.constraints.rules import plain as plain_rules

BITCOIN = "crypto:BTC/USD"
TRADED = {"instrument": BITCOIN, "side": "BUY"}

READABLE: dict[str, dict[str, Any]] = {
    "alerts_alerts": {
        "instrument": BITCOIN, "condition": plain_condition(Condition(kind=AlertKind.PRICE)), "price_type": None,
        "state": "WAITING",
    },
    "portfolio_portfolios": {"weights": [[BITCOIN, "1"]], "method": "FIFO", "benchmark": BITCOIN},
    "portfolio_transactions": {"instrument": BITCOIN},
    "portfolio_universes": {"symbols": [BITCOIN]},
    "risk_constraints": {"rules": plain_rules(Rules())},
    "trading_accounts": {
        "kind": "PAPER", "broker": "simulator", "margin": "MARGIN", "method": "FIFO", "day": "2026-11-20",
        "loss_day": None, "model": ExecutionModel().plain(),
    },
    "trading_members": {"role": "VIEWER"},
    "trading_orders": {
        **TRADED, "type": "LIMIT", "time_in_force": "GTC", "condition": None, "leg": "ENTRY", "cause": "USER",
        "status": "ACCEPTED", "reason": None,
    },
    "trading_fills": {**TRADED, "liquidity": "TAKER", "mode": "RECORDED"},
    "trading_entries": {"kind": "DEPOSIT"},
    "trading_lines": {"ledger": "cash", "asset": "USD"},
    "trading_balances": {"ledger": "cash", "asset": "USD"},
    "trading_positions": {"instrument": BITCOIN, "mode": "RECORDED", "lots": [["2026-11-19T00:00:00Z", "7", "7"]]},
    "trading_trips": {**TRADED, "mode": "RECORDED"},
    "trading_schedules": {**TRADED, "every": "DAY"},
}  # fmt: skip
"""By table and column."""
