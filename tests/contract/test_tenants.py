"""No tenant reads or writes another's: every store method is called with two of them, the wrong one's ids included."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from gateway.core.store import Store
from tests.contract.tenants import Method, fill, imprint, mentions, public_methods, store_classes, tables, tenant_tables

ALPHA, OMEGA, NOBODY = "alphamark", "omegamark", "nobodymark"
SCOPED = [
    Method(cls=cls, name=name)
    for cls in store_classes()
    for name in public_methods(cls)
    if "tenant" in inspect.signature(getattr(cls, name)).parameters
]
NOTHING_OF_ITS_OWN = {
    "accounts.organisations.store.OrganisationStore.add": "the tenant is there already",
    "accounts.audit.store.AuditStore.unsealed": "the line is sealed",
    "accounts.audit.store.AuditStore.seal": "no line waits",
    "accounts.keys.store.AccessTokenStore.revoke_minted": "the token was minted by a session",
    "accounts.organisations.store.RetryStore.forget": "nothing is that old",
    "billing.invoices.store.InvoiceRows.add": "its month has an invoice",
    "billing.payments.store.CustomerRows.put": "there is a customer",
    "providerkeys.store.KeyStore.works": "no key is refused",
    "alerts.store.AlertStore.hold": "it only waits",
    "risk.constraints.store.ConstraintStore.hold": "it only waits",
    "risk.constraints.store.ConstraintStore.named": "no set has the name that the walk gives",
    "risk.constraints.store.ConstraintStore.with_key": "no set was made with the key that the walk gives",
    "risk.limits.store.LimitStore.hold": "it only waits",
    "trading.ledger.store.LedgerStore.corrected": "no units were corrected",
    "trading.orders.store.OrderStore.failed_groups": "no order of its group was rejected",
    "trading.orders.store.GroupStore.placed_by": "nothing was placed with the key that the walk gives",
    "risk.limits.store.LimitStore.with_key": "no limit was made with the key that the walk gives",
    "portfolio.store.PortfolioStore.hold": "it only waits",
    "portfolio.store.PortfolioStore.with_key": "the key is an alert's",
    "portfolio.store.TransactionStore.with_key": "the key is an alert's",
    "portfolio.store.TransactionStore.imported": "the key is an alert's",
    "jobs.store.JobStore.hold": "it only waits",
    "jobs.store.JobStore.by_key": "no job was begun with this key",
    "trading.accounts.store.AccountStore.at_broker": "the account is on paper",
    "trading.accounts.store.AccountStore.hold": "it only waits",
    "trading.accounts.store.AccountStore.with_key": "the key is an alert's",
    "trading.accounts.store.MemberStore.set": "the member has the role already",
    "trading.ledger.store.LedgerStore.about": "no entry posts, voids or reverses another",
    "trading.ledger.store.LedgerStore.after": "there is one entry, and none behind it",
    "trading.ledger.store.LedgerStore.keyed": "no entry was booked with the key that the walk gives",
    "trading.hedging.store.HedgeStore.closed_by": "no hedge was closed with the key that the walk gives",
    "trading.hedging.store.HedgeStore.answered": "no hedge was closed with the key that the walk gives",
    "trading.hedging.store.HedgeStore.answer": "no hedge was closed with the key that the walk gives",
    "trading.ledger.store.LedgerStore.waiting": "no entry is pending",
    "trading.orders.store.FillStore.add": "there is a fill under its broker's id",
    "trading.orders.store.OrderStore.add": "there is an order under its client's id",
    "trading.schedules.store.ScheduleStore.change": "the schedule that the walk gives is a new one",
    "trading.schedules.store.ScheduleStore.with_key": "the key is an alert's",
    "watchlists.store.WatchlistStore.hold": "it only waits",
    "webhooks.store.EndpointStore.hold": "it only waits",
    "webhooks.store.EndpointStore.by_key": "no endpoint was made with a key",
    "webhooks.store.EndpointStore.tests": "no delivery is a test's",
}
"""Methods that do nothing for a tenant with one row of everything, and why."""


Imprint = list[tuple[Any, ...]]


class Undone(Exception):
    """Ends a transaction without keeping anything."""


async def rows_of(store: Store, tenant: str) -> Imprint:
    """All of a tenant; nothing that `outcome` does is kept, so that one look serves all calls."""
    async with store.read() as tx:
        return await imprint(tx, tenant)


async def outcome(store: Store, method: Method, tenant: str, other: str, before: Imprint) -> tuple[Any, bool]:
    """What a call answers, and whether it changed rows of the *other* tenant, whose ids it was given."""
    answer, changed = None, False
    try:
        async with store.write() as tx:
            answer = await method.call(tx, tenant, other)
            changed = await imprint(tx, other) != before
            raise Undone
    except Undone:
        pass
    except IntegrityError:
        return None, False
    return answer, changed


@pytest.fixture
async def store(database: str):
    made = Store(database)
    await fill(made, ALPHA, OMEGA)
    yield made
    await made.close()


def test_every_table_says_whose_its_rows_are():
    for table in tables():
        if table.info.get("scope") == "tenant":
            assert not table.c.tenant_id.nullable, table.name
        else:
            assert table.info.get("scope") == "shared", table.name
            assert len(table.info["why"]) > 10, table.name


def test_every_store_method_takes_a_tenant_or_is_of_a_kind_that_says_why_not():
    tenants = {table.name for table in tenant_tables()}
    bare = []
    for cls in store_classes():
        source = inspect.getsource(inspect.getmodule(cls) or cls)
        for name in public_methods(cls):
            parameters = list(inspect.signature(getattr(cls, name)).parameters)
            assert parameters[:2] == ["self", "tx"], (cls, name)
            if "tenant" not in parameters and not cls.__name__.endswith("Directory"):
                bare.append((cls.__module__, cls.__name__, name, source))

    # What is left are stores of people: their tables are shared, and none of them is a tenant's.
    assert {module for module, _, _, _ in bare} <= {
        "plugins.accounts.users.store", "plugins.accounts.mail.store", "plugins.accounts.oauth.store",
    }  # fmt: skip
    assert "accounts_users" not in tenants
    for cls in store_classes():
        if cls.__name__.endswith("Directory"):
            assert len(inspect.getdoc(cls) or "") > 20, cls


def test_there_are_methods_to_walk():
    assert len(SCOPED) > 60


async def test_a_method_called_for_one_tenant_with_the_others_ids_reads_and_writes_nothing(store: Store):
    leaks, before = [], await rows_of(store, ALPHA)
    for method in SCOPED:
        answer, changed = await outcome(store, method, OMEGA, ALPHA, before)
        leaks += [(str(method), answer, changed)] if mentions(answer, ALPHA) or changed else []

    assert leaks == []


async def test_the_same_call_for_the_right_tenant_reads_or_writes_something(store: Store):
    idle, before = [], await rows_of(store, ALPHA)
    for method in SCOPED:
        answer, changed = await outcome(store, method, ALPHA, ALPHA, before)
        nothing, _ = await outcome(store, method, NOBODY, ALPHA, before)
        idle += [] if changed or answer != nothing else [str(method)]

    assert set(idle) ^ NOTHING_OF_ITS_OWN.keys() == set()
