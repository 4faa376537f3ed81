"""Alembic's entry: configures the connection that `gateway.core.migrations.runner` hands over."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import MetaData, text

from gateway.core import store


def render_item(kind: str, item: Any, _: Any) -> Any:
    """Our own column types by the name that a migration imports them under."""
    if kind == "type" and isinstance(item, store.Instant | store.ExactDecimal):
        return f"store.{type(item).__name__}()"
    return "store.Json" if item is store.Json else False


def tell_conditions(metadata: MetaData) -> None:
    """Say the conditions of `store.unique_where` as SQLAlchemy reads them."""
    for index in (index for table in metadata.tables.values() for index in table.indexes):
        if (where := index.info.get("where")) is not None:
            index.dialect_kwargs.update(sqlite_where=text(where), postgresql_where=text(where))


given = context.config.attributes
tell_conditions(given["metadata"])
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
