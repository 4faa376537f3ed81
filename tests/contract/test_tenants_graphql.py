"""Every GraphQL root field, asked by one tenant with the ids of another: nothing is told, nothing is changed."""

from __future__ import annotations

import json
from itertools import count

import pytest
from graphql import GraphQLSchema

from tests.contract.tenancy import document_of, takes_an_object
from tests.contract.tenants import fill, picture, tables
from tests.house import House
from tests.plugins.accounts.organisations.company import Company, found

MARK = "Alphamark"
ROOTS = ("query", "mutation")


@pytest.fixture
async def company(house: House) -> Company:
    """Ada's, with a row in every table and with things made by mutations."""
    made = await found(house, MARK)
    await made.upgrade()
    await fill(house.store, made.tenant)
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


async def ids_of(house: House, tenant: str) -> list[str]:
    """The ids of everything the tenant has."""
    rows = await everything(house, tenant)
    places = {table.name: [c.name for c in table.columns].index("id") for table in tables() if "id" in table.c}
    people = {
        table.name: [c.name for c in table.columns].index("user_id") for table in tables() if "user_id" in table.c
    }
    found = {str(row[place]) for name, place in {**people, **places}.items() for row in rows[name]}
    return sorted({*found, tenant} - {"None"})


def schema_of(house: House) -> GraphQLSchema:
    return house.gateway.schema._schema


async def test_no_field_tells_or_changes_anything_of_another_tenant(company: Company, house: House):
    schema, number = schema_of(house), count()
    ids = await ids_of(house, company.tenant)
    before = await everything(house, company.tenant)
    leaks, walked = [], set()

    for root, kind in zip(ROOTS, (schema.query_type, schema.mutation_type), strict=True):
        assert kind is not None
        for name, field in kind.fields.items():
            # A stranger of one's own for each field: some end their session or their organisation.
            stranger = f"stranger{next(number)}"
            await company.guest(stranger, "Omega")
            for id in ids if takes_an_object(field) else [company.tenant]:
                document, variables = document_of(root, name, field, id)
                ip = f"10.1.{next(number) % 250}.{next(number) % 250}"
                body = await house.ask(document, variables, token=company.tokens[stranger], ip=ip)
                told = json.dumps(body).replace(id, "")
                if company.tenant in told or MARK in told or "ada@example.com" in told:
                    leaks.append((name, id, told[:300]))
                walked.add(name)
    assert leaks == []
    assert await everything(house, company.tenant) == before
    assert walked >= {"viewer", "node", "apiKeys", "auditTrail", "apiKeyRevoke", "watchlistDelete", "memberRemove"}


async def test_the_same_questions_of_the_tenant_itself_are_answered(company: Company, house: House):
    schema, answered = schema_of(house), set()
    assert schema.query_type is not None
    for name, field in schema.query_type.fields.items():
        for id in await ids_of(house, company.tenant) if takes_an_object(field) else [company.tenant]:
            document, variables = document_of("query", name, field, id)
            told = json.dumps((await house.ask(document, variables, token=company.tokens["ada"])).get("data"))
            if company.tenant in told or MARK in told or "ada@example.com" in told:
                answered.add(name)

    assert answered >= {
        "viewer", "node", "apiKeys", "watchlists", "auditTrail", "invoices", "invoice", "quotaNotices", "usageCsv",
    }  # fmt: skip
