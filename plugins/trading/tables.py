"""The tables of trading."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, PrimaryKeyConstraint, Text, text

from gateway.core.store import ExactDecimal, Instant, Json, RareJson, shared_table, tenant_table, unique_where

TABLES = MetaData()

accounts = tenant_table(
    "trading_accounts", TABLES,
    Column("id", Text, primary_key=True),
    Column("made_by", Text, nullable=False),
    Column("owner", Text, nullable=False),  # the user, or the key, that it belongs to
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # AccountKind
    Column("broker", Text, nullable=False),  # `simulator`, or a broker's id
    Column("currency", Text, nullable=False),  # the base currency: of equity, margin and limits
    Column("initial_balance", ExactDecimal, nullable=False),
    Column("margin", Text, nullable=False),  # MarginType
    Column("leverage", ExactDecimal, nullable=False),
    Column("max_daily_loss", ExactDecimal, nullable=True),  # in the base currency
    Column("method", Text, nullable=False),  # LotMethod: which units a sale takes
    Column("shared", Boolean, nullable=False),  # whether every member may, as their role in the organisation allows
    Column("model", Json, nullable=False),  # how the simulator fills: ExecutionModel as plain values
    Column("halted", Boolean, nullable=False),  # the kill switch of the account
    Column("halt_reason", Text, nullable=True),
    Column("day", Text, nullable=True),  # the UTC day whose loss is counted
    Column("day_equity", ExactDecimal, nullable=True),  # at its beginning, and what was paid in or out since
    Column("loss_day", Text, nullable=True),  # the UTC day on which the greatest daily loss was reached
    Column("margin_called", Boolean, nullable=False),
    Column("shard", Integer, nullable=False),
    Column("version", Integer, nullable=False),  # grows with every change of anything of the account
    Column("entries", Integer, nullable=False),  # the number of the newest entry of its ledger
    Column("orders", Integer, nullable=False),  # the number of its newest order
    Column("idempotency_key", Text, nullable=True),
    Column("request_digest", Text, nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False, index=True),
    Column("deleted_at", Instant, nullable=True),
    Column("margin_interest_rate", ExactDecimal, nullable=False, server_default=text("0")),  # a year, of owed cash
    Column("funded_at", Instant, nullable=True),  # its perpetuals' funding is booked until then; null: none is owed
    Column("charged_at", Instant, nullable=True),  # interest is booked until then; null while it owes no cash
    Column("broker_account", Text, nullable=True),  # its broker's own id of it; null before that was told
    Index("ix_trading_accounts_page", "tenant_id", "created_at", "id"),
    Index("ix_trading_accounts_shard", "shard"),
    unique_where(
        "uq_trading_accounts_idempotency", "tenant_id", "idempotency_key", where="idempotency_key IS NOT NULL"
    ),
)  # fmt: skip

members = tenant_table(
    "trading_members", TABLES,
    Column("account_id", Text, nullable=False),
    Column("member", Text, nullable=False),  # a user's id
    Column("role", Text, nullable=False),  # TRADER or VIEWER
    PrimaryKeyConstraint("account_id", "member"),
)  # fmt: skip

orders = tenant_table(
    "trading_orders", TABLES,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("number", Integer, nullable=False),  # of the account's orders, in the order of placing
    Column("made_by", Text, nullable=False),
    Column("client_order_id", Text, nullable=True),
    Column("request_digest", Text, nullable=True),
    Column("broker_order_id", Text, nullable=True),
    Column("instrument", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("time_in_force", Text, nullable=False),
    Column("quantity", ExactDecimal, nullable=True),  # null while a notional waits for its price
    Column("notional", ExactDecimal, nullable=True),
    Column("limit_price", ExactDecimal, nullable=True),
    Column("stop_price", ExactDecimal, nullable=True),
    Column("trail_amount", ExactDecimal, nullable=True),
    Column("trail_percent", ExactDecimal, nullable=True),
    Column("trail_extreme", ExactDecimal, nullable=True),  # the best price since it was accepted
    Column("post_only", Boolean, nullable=False),
    Column("reduce_only", Boolean, nullable=False),
    Column("expires_at", Instant, nullable=True),  # of GTD as given; of DAY as the calendar has it
    Column("condition", RareJson, nullable=True),  # what it waits for
    Column("parent_id", Text, nullable=True),  # the order whose fill wakes it
    Column("group_id", Text, nullable=True),  # one cancels the other
    Column("leg", Text, nullable=True),  # OrderLeg
    Column("cause", Text, nullable=False),  # OrderCause
    Column("strategy", Text, nullable=True),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=True),  # why it was cancelled, rejected or expired
    Column("filled", ExactDecimal, nullable=False),
    Column("paid", ExactDecimal, nullable=False),  # the sum of price times quantity of its fills
    Column("fills", Integer, nullable=False),
    Column("reserved", ExactDecimal, nullable=False),  # of buying power, in `currency`
    Column("currency", Text, nullable=False),  # of prices
    Column("accepted_at", Instant, nullable=True),  # null while it is NEW
    Column("due_at", Instant, nullable=True),  # when it reaches the simulated venue; null once it has
    Column("triggered_at", Instant, nullable=True),
    Column("open", Boolean, nullable=False),  # whether its status is not for good
    Column("shard", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False, index=True),
    Column("ended_at", Instant, nullable=True),
    Column("replacements", Integer, nullable=False, server_default=text("0")),  # asked of its broker
    Index("ix_trading_orders_page", "tenant_id", "account_id", "number", unique=True),
    Index("ix_trading_orders_open", "open", "shard"),
    Index("ix_trading_orders_group", "account_id", "group_id"),
    unique_where("uq_trading_orders_client", "account_id", "client_order_id", where="client_order_id IS NOT NULL"),
)  # fmt: skip

fills = tenant_table(
    "trading_fills", TABLES,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("number", Integer, nullable=False),  # of the order's fills
    Column("broker_fill_id", Text, nullable=True),
    Column("instrument", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("quantity", ExactDecimal, nullable=False),
    Column("price", ExactDecimal, nullable=False),
    Column("contract_size", ExactDecimal, nullable=False),  # as it was then: base units of one contract
    Column("currency", Text, nullable=False),
    Column("reference", ExactDecimal, nullable=True),  # the market's price before slippage
    Column("fee", ExactDecimal, nullable=False),
    Column("liquidity", Text, nullable=False),
    Column("realised", ExactDecimal, nullable=False),  # before the fee
    Column("strategy", Text, nullable=True),
    Column("provider", Text, nullable=False),  # whose price it was
    Column("mode", Text, nullable=False),  # DataMode
    Column("priced_at", Instant, nullable=True),  # the stamp of that price
    Column("at", Instant, nullable=False),
    Index("ix_trading_fills_page", "tenant_id", "account_id", "at", "id"),
    Index("uq_trading_fills_order", "order_id", "number", unique=True),
    unique_where("uq_trading_fills_broker", "order_id", "broker_fill_id", where="broker_fill_id IS NOT NULL"),
)  # fmt: skip

entries = tenant_table(
    "trading_entries", TABLES,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("number", Integer, nullable=False),  # of the account's entries, without a gap
    Column("kind", Text, nullable=False),  # EntryKind
    Column("pending", Boolean, nullable=False),  # whether it moves nothing until another one posts it
    Column("resolves", Text, nullable=True),  # the pending entry that this one posts or voids
    Column("voids", Boolean, nullable=False),  # whether it voids that
    Column("reverses", Text, nullable=True),  # the entry that this one takes back
    Column("order_id", Text, nullable=True),
    Column("fill_id", Text, nullable=True),
    Column("memo", Text, nullable=True),
    Column("made_by", Text, nullable=False),
    Column("idempotency_key", Text, nullable=True),
    Column("request_digest", Text, nullable=True),
    Column("at", Instant, nullable=False),
    Column("instrument", Text, nullable=True),  # of the position that it belongs to
    Index("uq_trading_entries_number", "account_id", "number", unique=True),
    Index("ix_trading_entries_page", "tenant_id", "account_id", "at", "number"),
    unique_where("uq_trading_entries_resolves", "resolves", where="resolves IS NOT NULL"),
    unique_where("uq_trading_entries_reverses", "reverses", where="reverses IS NOT NULL"),
    unique_where(
        "uq_trading_entries_idempotency", "account_id", "idempotency_key", where="idempotency_key IS NOT NULL"
    ),
)  # fmt: skip
"""Never changed once they are written: what was wrong is reversed by another entry."""

lines = tenant_table(
    "trading_lines", TABLES,
    Column("account_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("ledger", Text, nullable=False),  # Ledger: cash, cost, pnl, fees, …
    Column("asset", Text, nullable=False),  # a currency, or an instrument whose units are counted
    Column("amount", ExactDecimal, nullable=False),  # debits above zero, credits below; an entry's sum by asset is zero
    PrimaryKeyConstraint("entry_id", "number"),
    Index("ix_trading_lines_asset", "account_id", "ledger", "asset"),
)  # fmt: skip

balances = tenant_table(
    "trading_balances", TABLES,
    Column("account_id", Text, nullable=False),
    Column("ledger", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("posted", ExactDecimal, nullable=False),
    Column("held", ExactDecimal, nullable=False),  # by pending entries, out of what is posted
    PrimaryKeyConstraint("account_id", "ledger", "asset"),
)  # fmt: skip
"""What the entries sum to; `marketgate ledger verify` works it out anew and compares."""

positions = tenant_table(
    "trading_positions", TABLES,
    Column("account_id", Text, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("quantity", ExactDecimal, nullable=False),  # below zero: short
    Column("cost", ExactDecimal, nullable=False),  # of what is held, signed as it is
    Column("currency", Text, nullable=False),
    Column("lots", Json, nullable=False),  # [[opened, quantity, cost]], the oldest first
    Column("bought", ExactDecimal, nullable=False),  # units that opened it, and their value
    Column("bought_value", ExactDecimal, nullable=False),
    Column("sold", ExactDecimal, nullable=False),  # units that closed it, and their value
    Column("sold_value", ExactDecimal, nullable=False),
    Column("realised", ExactDecimal, nullable=False),  # since it was opened, before fees
    Column("fees", ExactDecimal, nullable=False),
    Column("funding", ExactDecimal, nullable=False),
    Column("strategy", Text, nullable=True),  # of the order that opened it
    Column("mode", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    PrimaryKeyConstraint("account_id", "instrument"),
)  # fmt: skip
"""Open ones."""

trips = tenant_table(
    "trading_trips", TABLES,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("side", Text, nullable=False),  # BUY: it was long
    Column("quantity", ExactDecimal, nullable=False),
    Column("entry_price", ExactDecimal, nullable=False),
    Column("exit_price", ExactDecimal, nullable=False),
    Column("currency", Text, nullable=False),
    Column("realised", ExactDecimal, nullable=False),
    Column("fees", ExactDecimal, nullable=False),
    Column("funding", ExactDecimal, nullable=False),
    Column("strategy", Text, nullable=True),
    Column("mode", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant, nullable=False),
    Index("ix_trading_trips_page", "tenant_id", "account_id", "closed_at", "id"),
)  # fmt: skip
"""Positions that were closed, from their opening to their end."""

schedules = tenant_table(
    "trading_schedules", TABLES,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("quantity", ExactDecimal, nullable=True),
    Column("notional", ExactDecimal, nullable=True),
    Column("every", Text, nullable=False),  # HOUR, DAY, WEEK or MONTH
    Column("start_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=True),  # null once it has ended
    Column("end_at", Instant, nullable=True),
    Column("most", Integer, nullable=True),  # how many orders at most
    Column("placed", Integer, nullable=False),
    Column("strategy", Text, nullable=True),
    Column("active", Boolean, nullable=False),
    Column("problem", Text, nullable=True),  # why its last order was refused
    Column("last_order_id", Text, nullable=True),
    Column("shard", Integer, nullable=False),
    Column("idempotency_key", Text, nullable=True),
    Column("request_digest", Text, nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index("ix_trading_schedules_page", "tenant_id", "created_at", "id"),
    Index("ix_trading_schedules_due", "active", "shard", "next_at"),
    unique_where(
        "uq_trading_schedules_idempotency", "tenant_id", "idempotency_key", where="idempotency_key IS NOT NULL"
    ),
)  # fmt: skip

closings = tenant_table(
    "trading_closings", TABLES,
    Column("account_id", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("hedge_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("answer", Json, nullable=True),  # what was refused at a broker, empty for nothing; null: not answered
    PrimaryKeyConstraint("account_id", "idempotency_key"),
)  # fmt: skip
"""Under which keys hedges were closed: a hedge is nothing but its orders, and closing one may place none."""

groupings = tenant_table(
    "trading_groupings", TABLES,
    Column("account_id", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    Column("request_digest", Text, nullable=False),
    Column("order_ids", Json, nullable=False),  # in the order of placing
    Column("at", Instant, nullable=False),
    PrimaryKeyConstraint("account_id", "idempotency_key"),
)  # fmt: skip
"""Under which keys orders were placed together: those of an ALL have nothing else in common."""

permits = tenant_table(
    "trading_permits", TABLES,
    Column("halted", Boolean, nullable=False),  # the kill switch of the organisation
    Column("halt_reason", Text, nullable=True),
    Column("live", Boolean, nullable=False),  # whether the organisation wants live accounts at all
    Column("changed_by", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id"),
)  # fmt: skip

switches = shared_table(
    "trading_switches", TABLES,
    Column("name", Text, primary_key=True),
    Column("halted", Boolean, nullable=False),
    Column("reason", Text, nullable=True),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    why="the operator's kill switch over all tenants",
)  # fmt: skip

leases = shared_table(
    "trading_leases", TABLES,
    Column("shard", Integer, primary_key=True, autoincrement=False),
    Column("holder", Text, nullable=False),
    Column("until", Instant, nullable=False),
    why="which process works a part of all tenants' accounts",
)  # fmt: skip

evaluators = shared_table(
    "trading_evaluators", TABLES,
    Column("holder", Text, primary_key=True),
    Column("until", Instant, nullable=False),
    why="the processes that share the work out among each other",
)  # fmt: skip
