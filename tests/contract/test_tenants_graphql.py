"""Every GraphQL root field, asked by one tenant with the ids of another: nothing is told, nothing is changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import count

import pytest
from graphql import GraphQLField, GraphQLSchema
from sqlalchemy import delete, select

from gateway.core.store import Tx
from plugins.accounts.organisations.desk import OrganisationDesk
from plugins.alerts.store import AlertStore
from plugins.alerts.tables import alerts
from plugins.jobs.rows import JobRow
from plugins.jobs.store import JobStore
from plugins.jobs.tables import jobs
from tests.contract.questions import Ask, Ids, Told, told_by
from tests.contract.readable import READABLE
from tests.contract.tenants import fill, picture, tables
from tests.house import House
from tests.plugins.accounts.organisations.company import Company, found

MARK = "Alphamark"
ROOTS = ("query", "mutation")
HIDING = {"RATE_LIMITED", "LIMIT_EXCEEDED", "INTERNAL", "UNAUTHENTICATED", "GRAPHQL_VALIDATION_FAILED"}
"""Refusals behind which a leak would not show."""
BARRED = {"sessionCreate": {"RATE_LIMITED"}}
"""Attempts to sign in are few; the password is wrong, whatever the organisation."""
NEVER_LOOKING = {
    "accountTransfer": "the same id stands for both accounts",
    "chatComplete": "a call of a tool has its id from the model",
    "hedgeExecute": "a hedge has legs, or one candidate to be reckoned with",
    "node": "an id's form says of what kind it is",
    "orderGroupPlace": "a group has two orders or more",
    "organisationRestore": "a person's own organisations are read, and looked through",
    "organisationSwitch": "a person's own organisations are read, and looked through",
    "sessionCreate": "the password is wrong",
    "venue": "venues are in no table",
    "videos": "videos are in no table",
}
"""Fields that take an id and ask the database about none, and why. They are given all ids."""
SHOWING = {
    "apiKeys", "auditExport", "auditTrail", "closedPositions", "events", "fills", "invoice", "invoiceCsv", "invoices",
    "job", "ledgerEntries", "node", "orderPreview", "orderSchedules", "orders", "portfolio", "positions", "risk",
    "tradingAccount", "tradingStatistics", "universe", "viewer", "watchlists",
}  # fmt: skip
"""Queries that tell a tenant's owner something that the walk would know again."""


def unheard(told: Told) -> bool:
    """Whether ids were given and none was looked for, though the caller may ask."""
    return len(told.answers) > 1 and not told.looked and told.codes != {"FORBIDDEN"}


@pytest.fixture
async def company(house: House) -> Company:
    """Ada's, with a row in every table and with things made by mutations."""
    made = await found(house, MARK)
    await made.upgrade()
    await fill(house.store, made.tenant, instead=READABLE)
    for document in (
        f'mutation {{ r: apiKeyCreate(input: {{name: "{MARK}", scopes: ["market:read"]}}) {{ apiKey {{ id }} }} }}',
        f'mutation {{ r: watchlistCreate(input: {{name: "{MARK}", symbols: ["BTC/USD"]}}) {{ watchlist {{ id }} }} }}',
        'mutation { r: invitationCreate(input: {email: "alphamark@example.com", role: VIEWER}) { invitation { id } } }',
        'mutation { r: providerKeySet(input: {provider: "alphavantage", parts: [{name: "key", value: "alphamark1"}]})'
        " { providerKey { provider } } }",
    ):
        body = await house.ask(document, token=made.tokens["ada"])
        assert next(iter(body["data"]["r"].values())), body
    return made


async def everything(house: House, tenant: str) -> dict[str, list[tuple[object, ...]]]:
    """Rows of a tenant in all tables, its people and sessions included; its use of the gateway is its own affair."""
    async with house.store.read() as tx:
        return await picture(tx, tenant)


async def ids_of(house: House, tenant: str) -> Ids:
    """Of everything the tenant has."""
    rows = await everything(house, tenant)
    places = {table.name: [c.name for c in table.columns].index("id") for table in tables() if "id" in table.c}
    people = {
        table.name: [c.name for c in table.columns].index("user_id") for table in tables() if "user_id" in table.c
    }
    found = {str(row[place]) for name, place in {**people, **places}.items() for row in rows[name]}
    return Ids(tenant=tenant, rows=rows, all=sorted({*found, tenant} - {"None"}))


def fields_of(house: House, root: str) -> dict[str, GraphQLField]:
    schema: GraphQLSchema = house.gateway.schema._schema
    kind = schema.query_type if root == "query" else schema.mutation_type
    assert kind is not None
    fields: dict[str, GraphQLField] = kind.fields
    return fields


async def stranger(company: Company, number: int) -> Ask:
    """Somebody of another organisation, whose points do not run out."""
    house, name = company.house, f"stranger{number}"
    made = await company.guest(name, "Omega")
    async with house.store.write() as tx:
        await house.host.service(OrganisationDesk).set_plan(tx, made.tenant, "unlimited")
    return asking(company, name)


def asking(company: Company, name: str) -> Ask:
    """Questions by somebody, each from another address."""
    number = count()

    async def ask(document: str, variables: dict[str, object]) -> dict[str, object]:
        ip = f"10.1.{next(number) % 250}.{next(number) % 250}"
        return await company.house.ask(document, variables, token=company.tokens[name], ip=ip)

    return ask


async def walk(company: Company, only: Collection[str] = ()) -> dict[str, Told]:
    """What strangers are told, by field. Queries are one stranger's; every mutation has one of its own, as some end
    their session or their organisation."""
    house, number, found = company.house, count(), {}
    ids, reader = await ids_of(house, company.tenant), await stranger(company, next(number))
    for root in ROOTS:
        for name, field in fields_of(house, root).items():
            if not only or name in only:
                ask = reader if root == "query" else await stranger(company, next(number))
                found[name] = await told_by(house.store, ask, root, name, field, ids)
    return found


def leaks(found: Mapping[str, Told], tenant: str) -> dict[str, list[str]]:
    """Fields that tell something of the tenant, with the ids that they tell it for."""
    marks = (tenant, MARK, "ada@example.com")
    telling = {name: [each.id for each in told.answers if each.tells(*marks)] for name, told in found.items()}
    return {name: ids for name, ids in telling.items() if ids}


async def test_no_field_tells_or_changes_anything_of_another_tenant(company: Company, house: House):
    before = await everything(house, company.tenant)

    found = await walk(company)

    assert leaks(found, company.tenant) == {}
    assert await everything(house, company.tenant) == before
    assert {name: told.codes & HIDING for name, told in found.items() if told.codes & HIDING} == BARRED
    assert {name for name, told in found.items() if unheard(told)} == NEVER_LOOKING.keys()


async def test_the_same_questions_of_the_tenant_itself_are_answered(company: Company, house: House):
    ids, ask, found = await ids_of(house, company.tenant), asking(company, "ada"), {}

    for name, field in fields_of(house, "query").items():
        found[name] = await told_by(house.store, ask, "query", name, field, ids)

    assert leaks(found, company.tenant).keys() == SHOWING
    assert {name for name, told in found.items() if told.codes & HIDING} == set()


async def test_fields_that_look_past_the_tenant_are_found(company: Company, house: House, monkeypatch):
    async def find(_self: JobStore, tx: Tx, _tenant: str, job_id: str) -> JobRow | None:
        return await tx.first(select(jobs).where(jobs.c.id == job_id), JobRow)

    async def remove(_self: AlertStore, tx: Tx, _tenant: str, alert_id: str) -> bool:
        return await tx.run(delete(alerts).where(alerts.c.id == alert_id)) > 0

    before = await everything(house, company.tenant)
    monkeypatch.setattr(JobStore, "find", find)
    monkeypatch.setattr(AlertStore, "remove", remove)

    found = await walk(company, only={"alertDelete", "apiKeyRevoke", "invoice", "job"})

    alert, job = f"{company.tenant}-alerts_alerts-id", f"{company.tenant}-jobs_jobs-id"
    assert leaks(found, company.tenant) == {"job": [job], "alertDelete": [alert]}
    after = await everything(house, company.tenant)
    assert {name for name, rows in after.items() if rows != before[name]} == {"alerts_alerts"}
