"""Rows for every table of every plugin, and a way to call any store method with another tenant's ids."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache, reduce
from typing import Any, get_args, get_type_hints

from sqlalchemy import (
    Column,
    ColumnElement,
    CompoundSelect,
    Table,
    Text,
    bindparam,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.sql.type_api import TypeEngine

import plugins
from gateway.core.store import ExactDecimal, Instant, Json, Store, Tx
from gateway.domains import histories
from tests.house import own_plugins

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
WORDS = {
    "order_id": "{0}-trading_orders-id",
    "role": "owner", "status": "active", "plan": "free", "currency": "USD", "email": "{0}@example.com",
    "provider": "{0}-provider", "field": "", "owner": "{0}-owner", "instrument": "{0}-instrument",
    "account": "{0}-trading_accounts-id",
}  # fmt: skip
"""Columns whose text is read as one of a few words, or means the same in several tables."""

MEANT = {
    "order_id": "trading_orders-id",
    "account": "trading_accounts-id",
    "parent": "trading_orders-parent_id",
}
"""Parameters whose name several tables would answer to, or none."""
CHANGED = {"OrderRow": "trading_orders-id"}

NOTHING: Mapping[str, Mapping[str, Any]] = {}


@cache
def tables() -> tuple[Table, ...]:
    """Of all plugins, what is referred to before what refers."""
    every = histories(own_plugins())
    return tuple(table for history in every for table in history.metadata.sorted_tables)


def tenant_tables() -> list[Table]:
    """Those whose rows belong to a tenant."""
    return [table for table in tables() if table.info["scope"] == "tenant"]


CLOSED = {
    "jobs_jobs.state": "QUEUED",
    "jobs_jobs.progress": 0.5,
    "billing_invoices.status": "OPEN",
    "billing_notices.threshold": "SOFT",
    "billing_invoice_lines.kind": "BASE",
    "providerkeys_keys.outcome": None,
    "webhooks_endpoints.status": "ENABLED",
    "webhooks_endpoints.signing": "hmac",
    "webhooks_deliveries.status": "EXHAUSTED",
    "portfolio_transactions.kind": "SPLIT",
    "trading_balances.ledger": "cash",
    "trading_orders.open": True,
    "trading_schedules.active": True,
    "trading_permits.halted": True,
}
"""Columns of one table whose text is one of an enumeration's, or which hold a fraction."""
REFERRING_TO_AN_ACCOUNT = (
    "members", "orders", "fills", "entries", "lines", "balances", "positions", "trips", "schedules", "groupings"
)  # fmt: skip
REFERRING = {
    "webhooks_deliveries.endpoint_id": "webhooks_endpoints-id",
    "webhooks_attempts.delivery_id": "webhooks_deliveries-id",
    "portfolio_transactions.portfolio_id": "portfolio_portfolios-id",
    "portfolio_imports.portfolio_id": "portfolio_portfolios-id",
    **{
        f"trading_{each}.account_id": "trading_accounts-id"
        for each in [
            "members",
            "orders",
            "fills",
            "entries",
            "lines",
            "balances",
            "positions",
            "trips",
            "schedules",
            "groupings",
        ]
    },
    "trading_fills.order_id": "trading_orders-id",
    "trading_lines.entry_id": "trading_entries-id",
}
"""Columns that hold another row's id without a foreign key."""


def row_of(table: Table, tenant: str) -> dict[str, Any]:
    """One row in which every text names the tenant."""
    return {column.name: _value(table, column, tenant) for column in table.columns}


def _value(table: Table, column: Column[Any], tenant: str) -> Any:
    if column.name == "tenant_id":
        return tenant
    for key in column.foreign_keys:
        return _value(key.column.table, key.column, tenant)
    if (place := f"{table.name}.{column.name}") in CLOSED:
        return CLOSED[place]
    if place in REFERRING:
        return f"{tenant}-{REFERRING[place]}"
    if column.name in WORDS:
        return WORDS[column.name].format(tenant)
    if table.name == "accounts_organisations" and column.name == "id":
        return tenant
    kind: TypeEngine[Any] = column.type
    if isinstance(kind, Instant):
        # What ends, ends later; what is over does not show.
        return AT + timedelta(days=3) if column.name in ("expires_at", "erase_at") else None if column.nullable else AT
    if isinstance(kind, ExactDecimal):
        return Decimal(7)
    if kind is Json or type(kind) is type(Json):
        return [f"{tenant} {column.name}"]
    if kind.python_type is date:
        return AT.date()
    if kind.python_type is bool:
        return False
    if kind.python_type is int:
        return number(tenant)
    return f"{tenant}-{table.name}-{column.name}"


def number(tenant: str) -> int:
    """A small number of the tenant's own: some columns are unique over all."""
    return ord(tenant[0]) - ord("Z")


async def fill(store: Store, *tenants: str, instead: Mapping[str, Mapping[str, Any]] = NOTHING) -> None:
    """One row for each tenant in every table, shared ones included: a person, a session. *instead* are values
    by table and column."""
    async with store.write() as tx:
        for table in tables():
            for tenant in tenants:
                row = {**row_of(table, tenant), **instead.get(table.name, {})}
                rows = [row, {**row, "field": f"{tenant}-field"}] if "field" in row else [row]
                for each in rows:
                    await tx.run(tx.insert(table).values(**each).on_conflict_do_nothing())


async def picture(tx: Tx, tenant: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows that belong to a tenant, or that were made for it in a shared table."""
    found = {}
    for table in tables():
        mine = table.c.tenant_id == tenant if "tenant_id" in table.c else _shared(table, tenant)
        rows = (await tx.connection.execute(select(table).where(mine))).all()
        found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return found


async def imprint(tx: Tx, tenant: str) -> list[tuple[Any, ...]]:
    """The same rows as one text each, in one statement: enough to tell whether any has changed."""
    rows = await tx.connection.execute(_imprinting(), {"tenant": tenant, **_keys(tenant)})
    return sorted(map(tuple, rows))


@cache
def _imprinting() -> CompoundSelect[Any]:
    return union_all(*(select(literal(table.name), _text_of(table)).where(_whose(table)) for table in tables()))


def _text_of(table: Table) -> ColumnElement[str]:
    words = [func.coalesce(cast(column, Text), "NULL") for column in table.columns]
    return reduce(lambda before, word: before + "|" + word, words)


def _whose(table: Table) -> ColumnElement[bool]:
    if "tenant_id" in table.c:
        return table.c.tenant_id == bindparam("tenant", type_=Text)
    keyed = next(iter(table.primary_key.columns))
    return keyed == bindparam(f"key_{table.name}", type_=keyed.type)


def _keys(tenant: str) -> dict[str, Any]:
    keyed = {t.name: (t, next(iter(t.primary_key.columns))) for t in tables() if "tenant_id" not in t.c}
    return {f"key_{name}": _value(table, column, tenant) for name, (table, column) in keyed.items()}


def _shared(table: Table, tenant: str) -> Any:
    keyed = next(iter(table.primary_key.columns))
    return keyed == _value(table, keyed, tenant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of a store class that takes a tenant."""

    cls: type
    name: str

    def __str__(self) -> str:
        return f"{self.cls.__module__.removeprefix('plugins.')}.{self.cls.__name__}.{self.name}"

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """Without `self`."""
        return dict(list(inspect.signature(getattr(self.cls, self.name)).parameters.items())[1:])

    async def call(self, tx: Tx, tenant: str, other: str) -> Any:
        """With a tenant, and with whatever is the *other* tenant's in all further arguments."""
        hints = get_type_hints(getattr(self.cls, self.name))
        given = {
            name: argument(name, hints[name], other)
            for name, parameter in self.parameters.items()
            if name not in ("tx", "tenant") and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        }
        if self.name == "change" and "rows" in given:
            # What changes rows finds them by the ids that stand in them.
            given["rows"] = [replace(row, id=f"{other}-{CHANGED[type(row).__name__]}") for row in given["rows"]]
        # `change(**values)` takes columns; every table of a tenant that has one has a name.
        open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in self.parameters.values())
        return await getattr(self.cls(), self.name)(
            tx, tenant=tenant, **given, **({"name": "walked"} if open_ended else {})
        )


def store_classes() -> Iterator[type]:
    """Every class of every `store` module of the plugins that is no row."""
    for module in pkgutil.walk_packages(plugins.__path__, "plugins."):
        if module.name.rpartition(".")[2] != "store":
            continue
        loaded = importlib.import_module(module.name)
        for cls in vars(loaded).values():
            if inspect.isclass(cls) and cls.__module__ == module.name and not is_dataclass(cls):
                yield cls


def public_methods(cls: type) -> list[str]:
    """Coroutine methods that others call."""
    return [n for n, f in vars(cls).items() if inspect.iscoroutinefunction(f) and not n.startswith("_")]


def argument(name: str, hint: Any, tenant: str) -> Any:
    """What a tenant would pass for a parameter: its own ids, rows, names."""
    text = str(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        return row_value(hint, tenant)
    if type(None) in get_args(hint) and not name.endswith("_id"):
        return None
    if "Sequence" in text or "list[" in text or "Collection" in text or "Iterable" in text:
        inner = hint.__args__[0]
        return [argument(name.removesuffix("s"), inner, tenant)]
    if "Mapping" in text or "dict[" in text:
        return {"description" if name == "changes" else "name": "walked"}
    if inspect.isclass(hint) and issubclass(hint, Enum):
        return list(hint)[-1]
    if hint is date:
        return AT.date()
    if hint is datetime:
        return AT - timedelta(days=30) if name in ("start", "since", "before") else AT + timedelta(days=1)
    if hint is int:
        return number(tenant)
    if hint is bool:
        return True
    if hint is Decimal:
        return Decimal(1)
    if hint is float:
        return 0.5
    return named(name, tenant)


def named(name: str, tenant: str) -> str:
    """A text that is in the tenant's rows, by the parameter's name: `key_id` is the id of its API key."""
    if name in MEANT:
        return f"{tenant}-{MEANT[name]}"
    if name in WORDS:
        return WORDS[name].format(tenant)
    subject = name.removesuffix("_id")
    for table in tables():
        plurals = (f"_{subject}s", f"_{subject.removesuffix('y')}ies", f"_{subject}")
        if name.endswith("_id") and table.name.endswith(plurals) and "id" in table.c:
            return str(_value(table, table.c.id, tenant))
    for table in tenant_tables():
        if name in table.c:
            return str(_value(table, table.c[name], tenant))
    return f"{tenant} {name}"


def row_value(cls: type, tenant: str) -> Any:
    """A new row as a store takes it: it refers to what the tenant has, its other texts are new."""
    hints = get_type_hints(cls)
    return cls(**{f.name: _new(f.name, hints[f.name], tenant) for f in fields(cls)})


def _new(name: str, hint: Any, tenant: str) -> Any:
    if name == "tenant_id":
        return tenant
    if hint is str and not name.endswith("_id") and name not in MEANT:
        return WORDS.get(name, "{0} new").format(tenant)
    return number(tenant) + 100 if hint is int else argument(name, hint, tenant)


def mentions(found: Any, tenant: str) -> bool:
    """Whether anything in an answer is the tenant's."""
    if isinstance(found, str):
        return tenant in found
    if isinstance(found, Mapping):
        return any(mentions(part, tenant) for pair in found.items() for part in pair)
    if isinstance(found, list | tuple | set | frozenset):
        return any(mentions(part, tenant) for part in found)
    if is_dataclass(found) and not isinstance(found, type):
        return any(mentions(getattr(found, f.name), tenant) for f in fields(found))
    return False
