"""first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from gateway.core import store

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    _accounts()
    _members()
    _orders()
    _fills()
    _entries()
    _lines()
    _balances()
    _positions()
    _trips()
    _schedules()
    _permits()
    _switches()
    _leases()
    _evaluators()
    _keep_entries()


def _accounts() -> None:
    op.create_table(
        "trading_accounts",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("broker", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("initial_balance", store.ExactDecimal(), nullable=False),
        sa.Column("margin", sa.Text(), nullable=False),
        sa.Column("leverage", store.ExactDecimal(), nullable=False),
        sa.Column("max_daily_loss", store.ExactDecimal(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("model", store.Json, nullable=False),
        sa.Column("halted", sa.Boolean(), nullable=False),
        sa.Column("halt_reason", sa.Text(), nullable=True),
        sa.Column("day", sa.Text(), nullable=True),
        sa.Column("day_equity", store.ExactDecimal(), nullable=True),
        sa.Column("loss_day", sa.Text(), nullable=True),
        sa.Column("margin_called", sa.Boolean(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("changed_at", store.Instant(), nullable=False),
        sa.Column("deleted_at", store.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("trading_accounts", schema=None) as batch_op:
        batch_op.create_index("ix_trading_accounts_changed_at", ["changed_at"], unique=False)
        batch_op.create_index("ix_trading_accounts_page", ["tenant_id", "created_at", "id"], unique=False)
        batch_op.create_index("ix_trading_accounts_shard", ["shard"], unique=False)
        batch_op.create_index("ix_trading_accounts_tenant", ["tenant_id"], unique=False)
        given = sa.text("idempotency_key IS NOT NULL")
        batch_op.create_index(
            "uq_trading_accounts_idempotency", ["tenant_id", "idempotency_key"], unique=True, sqlite_where=given,
            postgresql_where=given,
        )  # fmt: skip


def _members() -> None:
    op.create_table(
        "trading_members",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("member", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "member"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("trading_members", schema=None) as batch_op:
        batch_op.create_index("ix_trading_members_tenant", ["tenant_id"], unique=False)


def _orders() -> None:
    op.create_table(
        "trading_orders",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("client_order_id", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        sa.Column("broker_order_id", sa.Text(), nullable=True),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("time_in_force", sa.Text(), nullable=False),
        sa.Column("quantity", store.ExactDecimal(), nullable=True),
        sa.Column("notional", store.ExactDecimal(), nullable=True),
        sa.Column("limit_price", store.ExactDecimal(), nullable=True),
        sa.Column("stop_price", store.ExactDecimal(), nullable=True),
        sa.Column("trail_amount", store.ExactDecimal(), nullable=True),
        sa.Column("trail_percent", store.ExactDecimal(), nullable=True),
        sa.Column("trail_extreme", store.ExactDecimal(), nullable=True),
        sa.Column("post_only", sa.Boolean(), nullable=False),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column("expires_at", store.Instant(), nullable=True),
        sa.Column("condition", store.Json, nullable=True),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("group_id", sa.Text(), nullable=True),
        sa.Column("leg", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("filled", store.ExactDecimal(), nullable=False),
        sa.Column("paid", store.ExactDecimal(), nullable=False),
        sa.Column("fills", sa.Integer(), nullable=False),
        sa.Column("reserved", store.ExactDecimal(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("accepted_at", store.Instant(), nullable=True),
        sa.Column("due_at", store.Instant(), nullable=True),
        sa.Column("triggered_at", store.Instant(), nullable=True),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("changed_at", store.Instant(), nullable=False),
        sa.Column("ended_at", store.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("trading_orders", schema=None) as batch_op:
        batch_op.create_index("ix_trading_orders_changed_at", ["changed_at"], unique=False)
        batch_op.create_index("ix_trading_orders_group", ["account_id", "group_id"], unique=False)
        batch_op.create_index("ix_trading_orders_open", ["open", "shard"], unique=False)
        batch_op.create_index("ix_trading_orders_page", ["tenant_id", "account_id", "number"], unique=True)
        batch_op.create_index("ix_trading_orders_tenant", ["tenant_id"], unique=False)
        given = sa.text("client_order_id IS NOT NULL")
        batch_op.create_index(
            "uq_trading_orders_client", ["account_id", "client_order_id"], unique=True, sqlite_where=given,
            postgresql_where=given,
        )  # fmt: skip


def _fills() -> None:
    op.create_table(
        "trading_fills",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("broker_fill_id", sa.Text(), nullable=True),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("quantity", store.ExactDecimal(), nullable=False),
        sa.Column("price", store.ExactDecimal(), nullable=False),
        sa.Column("contract_size", store.ExactDecimal(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reference", store.ExactDecimal(), nullable=True),
        sa.Column("fee", store.ExactDecimal(), nullable=False),
        sa.Column("liquidity", sa.Text(), nullable=False),
        sa.Column("realised", store.ExactDecimal(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("priced_at", store.Instant(), nullable=True),
        sa.Column("at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("trading_fills", schema=None) as batch_op:
        batch_op.create_index("ix_trading_fills_page", ["tenant_id", "account_id", "at", "id"], unique=False)
        batch_op.create_index("ix_trading_fills_tenant", ["tenant_id"], unique=False)
        given = sa.text("broker_fill_id IS NOT NULL")
        batch_op.create_index(
            "uq_trading_fills_broker", ["account_id", "broker_fill_id"], unique=True, sqlite_where=given,
            postgresql_where=given,
        )  # fmt: skip
        batch_op.create_index("uq_trading_fills_order", ["order_id", "number"], unique=True)


def _entries() -> None:
    op.create_table(
        "trading_entries",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("resolves", sa.Text(), nullable=True),
        sa.Column("voids", sa.Boolean(), nullable=False),
        sa.Column("reverses", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("fill_id", sa.Text(), nullable=True),
        sa.Column("memo", sa.Text(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        sa.Column("at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("trading_entries", schema=None) as batch_op:
        batch_op.create_index("ix_trading_entries_page", ["tenant_id", "account_id", "at", "number"], unique=False)
        batch_op.create_index("ix_trading_entries_tenant", ["tenant_id"], unique=False)
        given = sa.text("idempotency_key IS NOT NULL")
        batch_op.create_index(
            "uq_trading_entries_idempotency", ["account_id", "idempotency_key"], unique=True, sqlite_where=given,
            postgresql_where=given,
        )  # fmt: skip
        batch_op.create_index("uq_trading_entries_number", ["account_id", "number"], unique=True)
        given = sa.text("resolves IS NOT NULL")
        batch_op.create_index(
            "uq_trading_entries_resolves", ["resolves"], unique=True, sqlite_where=given,
            postgresql_where=given,
        )  # fmt: skip
        given = sa.text("reverses IS NOT NULL")
        batch_op.create_index(
            "uq_trading_entries_reverses", ["reverses"], unique=True, sqlite_where=given,
            postgresql_where=given,
        )  # fmt: skip


def _lines() -> None:
    op.create_table(
        "trading_lines",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("amount", store.ExactDecimal(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "number"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("trading_lines", schema=None) as batch_op:
        batch_op.create_index("ix_trading_lines_asset", ["account_id", "ledger", "asset"], unique=False)
        batch_op.create_index("ix_trading_lines_tenant", ["tenant_id"], unique=False)


def _balances() -> None:
    op.create_table(
        "trading_balances",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("ledger", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("posted", store.ExactDecimal(), nullable=False),
        sa.Column("held", store.ExactDecimal(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "ledger", "asset"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("trading_balances", schema=None) as batch_op:
        batch_op.create_index("ix_trading_balances_tenant", ["tenant_id"], unique=False)


def _positions() -> None:
    op.create_table(
        "trading_positions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("quantity", store.ExactDecimal(), nullable=False),
        sa.Column("cost", store.ExactDecimal(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("lots", store.Json, nullable=False),
        sa.Column("bought", store.ExactDecimal(), nullable=False),
        sa.Column("bought_value", store.ExactDecimal(), nullable=False),
        sa.Column("sold", store.ExactDecimal(), nullable=False),
        sa.Column("sold_value", store.ExactDecimal(), nullable=False),
        sa.Column("realised", store.ExactDecimal(), nullable=False),
        sa.Column("fees", store.ExactDecimal(), nullable=False),
        sa.Column("funding", store.ExactDecimal(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("opened_at", store.Instant(), nullable=False),
        sa.Column("changed_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "instrument"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("trading_positions", schema=None) as batch_op:
        batch_op.create_index("ix_trading_positions_tenant", ["tenant_id"], unique=False)


def _trips() -> None:
    op.create_table(
        "trading_trips",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("quantity", store.ExactDecimal(), nullable=False),
        sa.Column("entry_price", store.ExactDecimal(), nullable=False),
        sa.Column("exit_price", store.ExactDecimal(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("realised", store.ExactDecimal(), nullable=False),
        sa.Column("fees", store.ExactDecimal(), nullable=False),
        sa.Column("funding", store.ExactDecimal(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("opened_at", store.Instant(), nullable=False),
        sa.Column("closed_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("trading_trips", schema=None) as batch_op:
        batch_op.create_index("ix_trading_trips_page", ["tenant_id", "account_id", "closed_at", "id"], unique=False)
        batch_op.create_index("ix_trading_trips_tenant", ["tenant_id"], unique=False)


def _schedules() -> None:
    op.create_table(
        "trading_schedules",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("quantity", store.ExactDecimal(), nullable=True),
        sa.Column("notional", store.ExactDecimal(), nullable=True),
        sa.Column("every", sa.Text(), nullable=False),
        sa.Column("start_at", store.Instant(), nullable=False),
        sa.Column("next_at", store.Instant(), nullable=True),
        sa.Column("end_at", store.Instant(), nullable=True),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.Column("placed", sa.Integer(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("last_order_id", sa.Text(), nullable=True),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.Text(), nullable=True),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("changed_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("trading_schedules", schema=None) as batch_op:
        batch_op.create_index("ix_trading_schedules_due", ["active", "shard", "next_at"], unique=False)
        batch_op.create_index("ix_trading_schedules_page", ["tenant_id", "created_at", "id"], unique=False)
        batch_op.create_index("ix_trading_schedules_tenant", ["tenant_id"], unique=False)
        given = sa.text("idempotency_key IS NOT NULL")
        batch_op.create_index(
            "uq_trading_schedules_idempotency", ["tenant_id", "idempotency_key"], unique=True, sqlite_where=given,
            postgresql_where=given,
        )  # fmt: skip


def _permits() -> None:
    op.create_table(
        "trading_permits",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("halted", sa.Boolean(), nullable=False),
        sa.Column("halt_reason", sa.Text(), nullable=True),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("trading_permits", schema=None) as batch_op:
        batch_op.create_index("ix_trading_permits_tenant", ["tenant_id"], unique=False)


def _switches() -> None:
    op.create_table(
        "trading_switches",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("halted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        info={"scope": "shared"},
    )


def _leases() -> None:
    op.create_table(
        "trading_leases",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("shard"),
        info={"scope": "shared"},
    )


def _evaluators() -> None:
    op.create_table(
        "trading_evaluators",
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("holder"),
        info={"scope": "shared"},
    )


def _keep_entries() -> None:
    """Entries and their lines are never changed, by nobody; an organisation's end deletes them."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        op.execute(
            "CREATE FUNCTION trading_refuse_update() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is never changed: book another entry', TG_TABLE_NAME; END $$"
        )
    for table in ("trading_entries", "trading_lines"):
        deed = (
            "FOR EACH ROW EXECUTE FUNCTION trading_refuse_update()"
            if postgresql
            else f"FOR EACH ROW BEGIN SELECT RAISE(ABORT, '{table} is never changed: book another entry'); END"
        )
        op.execute(f"CREATE TRIGGER {table}_never_changed BEFORE UPDATE ON {table} {deed}")


def downgrade() -> None:
    """Back."""
    for name in (
        "trading_evaluators",
        "trading_leases",
        "trading_switches",
        "trading_permits",
        "trading_schedules",
        "trading_trips",
        "trading_positions",
        "trading_balances",
        "trading_lines",
        "trading_entries",
        "trading_fills",
        "trading_orders",
        "trading_members",
        "trading_accounts",
    ):
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION trading_refuse_update()")
