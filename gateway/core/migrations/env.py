"""Alembic's entry: configures the connection that `gateway.core.migrations.runner` hands over."""

from __future__ import annotations

from typing import Any

from alembic import context

from gateway.core import store


def render_item(kind: str, item: Any, _: Any) -> Any:
    """Our own column types by the name that a migration imports them under."""
    if kind == "type" and isinstance(item, store.Instant | store.ExactDecimal):
        return f"store.{type(item).__name__}()"
    return "store.Json" if item is store.Json else False


given = context.config.attributes
context.configure(
    connection=given["connection"],
    target_metadata=given["metadata"],
    version_table=given["version_table"],
    include_name=given["include_name"],
    render_as_batch=True,
    render_item=render_item,
    compare_type=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
