"""The tables of webhooks: endpoints, deliveries, attempts."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, PrimaryKeyConstraint, Text, UniqueConstraint

from gateway.core.store import Instant, Json, tenant_table, unique_where

TABLES = MetaData()

endpoints = tenant_table(
    "webhooks_endpoints", TABLES,
    Column("id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("description", Text),
    Column("owner", Text, nullable=False),  # who made it
    Column("event_types", Json, nullable=False),  # patterns over the catalogue
    Column("channels", Json, nullable=False),  # subjects; none means all
    Column("header_names", Json, nullable=False, default=list),
    Column("headers", Text, nullable=False),  # an object of names and values, encrypted at rest
    Column("rate_per_second", Integer),
    Column("status", Text, nullable=False),
    Column("disabled_reason", Text),
    Column("disabled_at", Instant),
    Column("failing_since", Instant),  # the first failure since the last success
    Column("failed_at", Instant),  # about the last failure
    Column("allowed_at", Instant),  # when the next attempt is allowed, whichever process makes it
    Column("secret", Text, nullable=False),  # whsec_…, encrypted at rest
    Column("previous_secret", Text),
    Column("previous_until", Instant),
    Column("signing", Text, nullable=False),
    Column("signing_key", Text),  # whsk_…, encrypted at rest
    Column("public_key", Text),  # whpk_…
    Column("pins", Json, nullable=False),  # versions of event types, as they were when they were asked for
    Column("root", Text, index=True),  # mark of the root secret that the encrypted columns are sealed with
    Column("idempotency_key", Text),
    Column("request_digest", Text),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    unique_where(
        "ix_webhooks_endpoints_idempotency", "tenant_id", "idempotency_key", where="idempotency_key IS NOT NULL"
    ),
)  # fmt: skip

deliveries = tenant_table(
    "webhooks_deliveries", TABLES,
    Column("id", Text, primary_key=True),
    Column("endpoint_id", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    # How many of them were made before it was last sent anew: the schedule begins there.
    Column("earlier_attempts", Integer, nullable=False, default=0),
    Column("due_at", Instant),  # none once it is settled
    Column("leased_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("last_status", Integer),
    Column("last_error", Text),
    UniqueConstraint("endpoint_id", "event_id", name="uq_webhooks_deliveries_once"),
    # What waits, endpoint by endpoint.
    Index("ix_webhooks_deliveries_waiting", "endpoint_id", "due_at", info={"where": "due_at IS NOT NULL"}),
    Index("ix_webhooks_deliveries_settled", "settled_at"),
    Index("ix_webhooks_deliveries_endpoint", "endpoint_id", "created_at"),
)  # fmt: skip

attempts = tenant_table(
    "webhooks_attempts", TABLES,
    Column("delivery_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("url", Text),  # where it went; none in lines of before this was kept
    Column("response_status", Integer),
    Column("latency_ms", Integer),
    Column("error", Text),
    Column("excerpt", Text),
    PrimaryKeyConstraint("delivery_id", "number"),
)  # fmt: skip
