"""The tables of accounts. A tenant is an organisation; people may belong to several."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, MetaData, PrimaryKeyConstraint, Text
from sqlalchemy import UniqueConstraint as Unique

from gateway.core.store import Instant, Json, shared_table, tenant_table

TABLES = MetaData()

PERSON = "a person, who may belong to several organisations"

users = shared_table(
    "accounts_users", TABLES,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True),  # normalised: what two spellings of one address share
    Column("password_hash", Text),
    Column("verified_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("password_changed_at", Instant),
    Column("totp_secret", Text),  # encrypted at rest
    Column("totp_confirmed_at", Instant),
    Column("totp_last_step", BigInteger),  # a code is taken once
    why=PERSON,
)  # fmt: skip

attempts = shared_table(
    "accounts_attempts", TABLES,
    Column("id", Text, primary_key=True),  # digest of a purpose and an address, whether or not somebody has it
    Column("failures", Integer, nullable=False),
    Column("last_at", Instant, nullable=False, index=True),
    Column("locked_until", Instant),
    why="counts what is tried on an address, some of which have no account",
)  # fmt: skip

recovery_codes = shared_table(
    "accounts_recovery_codes", TABLES,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("accounts_users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", Text, nullable=False),
    Column("used_at", Instant),
    why=PERSON,
)  # fmt: skip

one_time_tokens = shared_table(
    "accounts_one_time_tokens", TABLES,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # verify, reset, second_factor, oauth_state, sign_in_link
    Column("user_id", Text, ForeignKey("accounts_users.id", ondelete="CASCADE"), index=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("payload", Json, nullable=False, default=dict),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    why=PERSON,
)  # fmt: skip

identities = shared_table(
    "accounts_identities", TABLES,
    Column("provider", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("user_id", Text, ForeignKey("accounts_users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("provider", "subject"),
    why=PERSON,
)  # fmt: skip

mails = shared_table(
    "accounts_mails", TABLES,
    Column("id", Text, primary_key=True),
    Column("recipient", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("sealed_text", Text, nullable=False),  # encrypted: mails carry links that sign in; emptied once sent
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False, index=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("sent_at", Instant),
    Column("failed_at", Instant),
    Column("last_error", Text),
    why="an outbox to addresses, some of which have no account",
)  # fmt: skip

sessions = shared_table(
    "accounts_sessions", TABLES,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("accounts_users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("organisation_id", Text, index=True),  # the one that it acts in; null for a person without any
    Column("cookie", Boolean, nullable=False),
    Column("secret_digest", Text, unique=True),  # of what a browser's cookie holds; null without one
    Column("user_agent", Text),
    Column("client_ip", Text),
    Column("created_at", Instant, nullable=False),
    Column("last_seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_reason", Text),
    why="a person's, who may switch between organisations",
)  # fmt: skip

refresh_tokens = shared_table(
    "accounts_refresh_tokens", TABLES,
    Column("id", Text, primary_key=True),
    Column("session_id", Text, ForeignKey("accounts_sessions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("rotated_at", Instant),
    Column("successor_id", Text),
    why="part of a session",
)  # fmt: skip

organisations = shared_table(
    "accounts_organisations", TABLES,
    Column("id", Text, primary_key=True),  # this is the tenant
    Column("name", Text, nullable=False),
    Column("external_id", Text, unique=True),  # the operator's own name for it, in `tenants apply`
    Column("plan", Text, nullable=False),
    Column("status", Text, nullable=False),  # active, suspended, deleting
    Column("status_reason", Text),
    Column("created_at", Instant, nullable=False),
    Column("suspended_at", Instant),
    Column("erase_at", Instant),
    why="it is the tenant",
)  # fmt: skip

memberships = tenant_table(
    "accounts_memberships", TABLES,
    Column("user_id", Text, ForeignKey("accounts_users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "user_id"),
)  # fmt: skip

invitations = tenant_table(
    "accounts_invitations", TABLES,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("invited_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("accepted_at", Instant),
    Column("revoked_at", Instant),
)  # fmt: skip

retries = tenant_table(
    "accounts_retries", TABLES,
    Column("caller", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("key", Text, nullable=False),  # the caller's idempotency key
    Column("target", Text, nullable=False),  # what the first request made
    Column("input", Text, nullable=False),  # a digest of what it asked for
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "caller", "act", "key"),
)  # fmt: skip

api_keys = tenant_table(
    "accounts_api_keys", TABLES,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("origins", Json, nullable=False),
    Column("networks", Json, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("last_used_ip", Text),
    Column("revoked_at", Instant),
    Column("replaced_by", Text),  # after a rotation it lives until `expires_at`
)  # fmt: skip

access_tokens = tenant_table(
    "accounts_access_tokens", TABLES,
    Column("id", Text, primary_key=True),
    Column("parent", Text, nullable=False, index=True),  # the key or the session that minted it
    Column("prefix", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("origins", Json, nullable=False),
    Column("max_points", BigInteger),
    Column("spent_points", BigInteger, nullable=False, default=0),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("revoked_at", Instant),
)  # fmt: skip

operator_keys = shared_table(
    "accounts_operator_keys", TABLES,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("networks", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    why="operators stand outside every tenant",
)  # fmt: skip

provider_switches = shared_table(
    "accounts_provider_switches", TABLES,
    Column("provider", Text, primary_key=True),
    Column("state", Text, nullable=False),  # paused, disabled
    Column("reason", Text),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    why="the operator's, for all tenants",
)  # fmt: skip

breaker_orders = shared_table(
    "accounts_breaker_orders", TABLES,
    Column("id", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("capability", Text, nullable=False),
    Column("trip", Boolean, nullable=False),  # else reset
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
    why="the operator's, for all tenants and processes",
)  # fmt: skip

audit = tenant_table(
    "accounts_audit", TABLES,
    Column("id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("action", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("before", Json),
    Column("after", Json),
    Column("client_ip", Text),
    Column("request_id", Text),
    Column("sequence", BigInteger),  # null until sealed
    Column("hash", Text),
    Unique("tenant_id", "sequence"),
    Index("ix_accounts_audit_unsealed", "sequence", "at"),
)  # fmt: skip

audit_segments = tenant_table(
    "accounts_audit_segments", TABLES,
    Column("first_sequence", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("first_hash", Text, nullable=False),  # of the row before the first
    Column("last_hash", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("newest_at", Instant, nullable=False),  # the latest time in its rows
    Column("removed_at", Instant),
    Column("signature", Text, nullable=False),  # covers all of the above
    PrimaryKeyConstraint("tenant_id", "first_sequence"),
)  # fmt: skip
