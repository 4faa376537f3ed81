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
    op.create_table(
        "accounts_access_tokens",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("scopes", store.Json, nullable=False),
        sa.Column("origins", store.Json, nullable=False),
        sa.Column("max_points", sa.BigInteger(), nullable=True),
        sa.Column("spent_points", sa.BigInteger(), nullable=False),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("expires_at", store.Instant(), nullable=False),
        sa.Column("revoked_at", store.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("prefix"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("accounts_access_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accounts_access_tokens_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_accounts_access_tokens_parent"), ["parent"], unique=False)
        batch_op.create_index("ix_accounts_access_tokens_tenant", ["tenant_id"], unique=False)

    op.create_table(
        "accounts_api_keys",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("scopes", store.Json, nullable=False),
        sa.Column("origins", store.Json, nullable=False),
        sa.Column("networks", store.Json, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("expires_at", store.Instant(), nullable=True),
        sa.Column("last_used_at", store.Instant(), nullable=True),
        sa.Column("last_used_ip", sa.Text(), nullable=True),
        sa.Column("revoked_at", store.Instant(), nullable=True),
        sa.Column("replaced_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("prefix"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("accounts_api_keys", schema=None) as batch_op:
        batch_op.create_index("ix_accounts_api_keys_tenant", ["tenant_id"], unique=False)

    op.create_table(
        "accounts_attempts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", store.Instant(), nullable=False),
        sa.Column("locked_until", store.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "shared", "why": "counts what is tried on an address, some of which have no account"},
    )
    with op.batch_alter_table("accounts_attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accounts_attempts_last_at"), ["last_at"], unique=False)

    op.create_table(
        "accounts_audit",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", store.Instant(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("before", store.Json, nullable=True),
        sa.Column("after", store.Json, nullable=True),
        sa.Column("client_ip", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("tenant_id", "sequence"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("accounts_audit", schema=None) as batch_op:
        batch_op.create_index("ix_accounts_audit_tenant", ["tenant_id"], unique=False)
        batch_op.create_index("ix_accounts_audit_unsealed", ["sequence", "at"], unique=False)

    op.create_table(
        "accounts_audit_segments",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("first_sequence", sa.BigInteger(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("first_hash", sa.Text(), nullable=False),
        sa.Column("last_hash", sa.Text(), nullable=False),
        sa.Column("opened_at", store.Instant(), nullable=False),
        sa.Column("newest_at", store.Instant(), nullable=False),
        sa.Column("removed_at", store.Instant(), nullable=True),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "first_sequence"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("accounts_audit_segments", schema=None) as batch_op:
        batch_op.create_index("ix_accounts_audit_segments_tenant", ["tenant_id"], unique=False)

    op.create_table(
        "accounts_breaker_orders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("capability", sa.Text(), nullable=False),
        sa.Column("trip", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "shared", "why": "the operator's, for all tenants and processes"},
    )
    op.create_table(
        "accounts_invitations",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.Text(), nullable=False),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("expires_at", store.Instant(), nullable=False),
        sa.Column("accepted_at", store.Instant(), nullable=True),
        sa.Column("revoked_at", store.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("accounts_invitations", schema=None) as batch_op:
        batch_op.create_index("ix_accounts_invitations_tenant", ["tenant_id"], unique=False)

    op.create_table(
        "accounts_mails",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sealed_text", sa.Text(), nullable=False),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("due_at", store.Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", store.Instant(), nullable=True),
        sa.Column("failed_at", store.Instant(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "shared", "why": "an outbox to addresses, some of which have no account"},
    )
    with op.batch_alter_table("accounts_mails", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accounts_mails_due_at"), ["due_at"], unique=False)

    op.create_table(
        "accounts_operator_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("networks", store.Json, nullable=False),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("expires_at", store.Instant(), nullable=True),
        sa.Column("last_used_at", store.Instant(), nullable=True),
        sa.Column("revoked_at", store.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("prefix"),
        info={"scope": "shared", "why": "operators stand outside every tenant"},
    )
    op.create_table(
        "accounts_organisations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("suspended_at", store.Instant(), nullable=True),
        sa.Column("erase_at", store.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("external_id"),
        info={"scope": "shared", "why": "it is the tenant"},
    )
    op.create_table(
        "accounts_provider_switches",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("provider"),
        info={"scope": "shared", "why": "the operator's, for all tenants"},
    )
    op.create_table(
        "accounts_retries",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("input", sa.Text(), nullable=False),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "caller", "act", "key"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("accounts_retries", schema=None) as batch_op:
        batch_op.create_index("ix_accounts_retries_tenant", ["tenant_id"], unique=False)

    op.create_table(
        "accounts_users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("verified_at", store.Instant(), nullable=True),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("password_changed_at", store.Instant(), nullable=True),
        sa.Column("totp_secret", sa.Text(), nullable=True),
        sa.Column("totp_confirmed_at", store.Instant(), nullable=True),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
        info={"scope": "shared", "why": "a person, who may belong to several organisations"},
    )
    op.create_table(
        "accounts_identities",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("provider", "subject"),
        info={"scope": "shared", "why": "a person, who may belong to several organisations"},
    )
    with op.batch_alter_table("accounts_identities", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accounts_identities_user_id"), ["user_id"], unique=False)

    op.create_table(
        "accounts_memberships",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "user_id"),
        info={"scope": "tenant"},
    )
    with op.batch_alter_table("accounts_memberships", schema=None) as batch_op:
        batch_op.create_index("ix_accounts_memberships_tenant", ["tenant_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_accounts_memberships_user_id"), ["user_id"], unique=False)

    op.create_table(
        "accounts_one_time_tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("payload", store.Json, nullable=False),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("expires_at", store.Instant(), nullable=False),
        sa.Column("used_at", store.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
        info={"scope": "shared", "why": "a person, who may belong to several organisations"},
    )
    with op.batch_alter_table("accounts_one_time_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accounts_one_time_tokens_user_id"), ["user_id"], unique=False)

    op.create_table(
        "accounts_recovery_codes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("used_at", store.Instant(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        info={"scope": "shared", "why": "a person, who may belong to several organisations"},
    )
    with op.batch_alter_table("accounts_recovery_codes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accounts_recovery_codes_user_id"), ["user_id"], unique=False)

    op.create_table(
        "accounts_sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Text(), nullable=True),
        sa.Column("cookie", sa.Boolean(), nullable=False),
        sa.Column("secret_digest", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("client_ip", sa.Text(), nullable=True),
        sa.Column("created_at", store.Instant(), nullable=False),
        sa.Column("last_seen_at", store.Instant(), nullable=False),
        sa.Column("expires_at", store.Instant(), nullable=False),
        sa.Column("revoked_at", store.Instant(), nullable=True),
        sa.Column("revoked_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_digest"),
        info={"scope": "shared", "why": "a person's, who may switch between organisations"},
    )
    with op.batch_alter_table("accounts_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accounts_sessions_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_accounts_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "accounts_refresh_tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("issued_at", store.Instant(), nullable=False),
        sa.Column("expires_at", store.Instant(), nullable=False),
        sa.Column("rotated_at", store.Instant(), nullable=True),
        sa.Column("successor_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["accounts_sessions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
        info={"scope": "shared", "why": "part of a session"},
    )
    with op.batch_alter_table("accounts_refresh_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accounts_refresh_tokens_session_id"), ["session_id"], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("accounts_refresh_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_accounts_refresh_tokens_session_id"))

    op.drop_table("accounts_refresh_tokens")
    with op.batch_alter_table("accounts_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_accounts_sessions_user_id"))
        batch_op.drop_index(batch_op.f("ix_accounts_sessions_organisation_id"))

    op.drop_table("accounts_sessions")
    with op.batch_alter_table("accounts_recovery_codes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_accounts_recovery_codes_user_id"))

    op.drop_table("accounts_recovery_codes")
    with op.batch_alter_table("accounts_one_time_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_accounts_one_time_tokens_user_id"))

    op.drop_table("accounts_one_time_tokens")
    with op.batch_alter_table("accounts_memberships", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_accounts_memberships_user_id"))
        batch_op.drop_index("ix_accounts_memberships_tenant")

    op.drop_table("accounts_memberships")
    with op.batch_alter_table("accounts_identities", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_accounts_identities_user_id"))

    op.drop_table("accounts_identities")
    op.drop_table("accounts_users")
    with op.batch_alter_table("accounts_retries", schema=None) as batch_op:
        batch_op.drop_index("ix_accounts_retries_tenant")

    op.drop_table("accounts_retries")
    op.drop_table("accounts_provider_switches")
    op.drop_table("accounts_organisations")
    op.drop_table("accounts_operator_keys")
    with op.batch_alter_table("accounts_mails", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_accounts_mails_due_at"))

    op.drop_table("accounts_mails")
    with op.batch_alter_table("accounts_invitations", schema=None) as batch_op:
        batch_op.drop_index("ix_accounts_invitations_tenant")

    op.drop_table("accounts_invitations")
    op.drop_table("accounts_breaker_orders")
    with op.batch_alter_table("accounts_audit_segments", schema=None) as batch_op:
        batch_op.drop_index("ix_accounts_audit_segments_tenant")

    op.drop_table("accounts_audit_segments")
    with op.batch_alter_table("accounts_audit", schema=None) as batch_op:
        batch_op.drop_index("ix_accounts_audit_unsealed")
        batch_op.drop_index("ix_accounts_audit_tenant")

    op.drop_table("accounts_audit")
    with op.batch_alter_table("accounts_attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_accounts_attempts_last_at"))

    op.drop_table("accounts_attempts")
    with op.batch_alter_table("accounts_api_keys", schema=None) as batch_op:
        batch_op.drop_index("ix_accounts_api_keys_tenant")

    op.drop_table("accounts_api_keys")
    with op.batch_alter_table("accounts_access_tokens", schema=None) as batch_op:
        batch_op.drop_index("ix_accounts_access_tokens_tenant")
        batch_op.drop_index(batch_op.f("ix_accounts_access_tokens_parent"))
        batch_op.drop_index(batch_op.f("ix_accounts_access_tokens_expires_at"))

    op.drop_table("accounts_access_tokens")
