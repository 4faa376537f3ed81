"""No text of any root field breaks an answer: PostgreSQL holds none with U+0000, so it is refused, or not there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

from plugins.accounts.organisations.desk import OrganisationDesk
from schema.errors import BadInput
from schema.paging import make_cursor, read_cursor
from tests.contract.readable import READABLE
from tests.contract.tenancy import value_for
from tests.contract.tenants import fill, tables
from tests.house import open_house
from tests.plugins.accounts.organisations.company import Company, found

Way = tuple[str, ...]
Question = tuple[str, Way, str]
"""An argument, where within it a text stands, and the text."""
Ask = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]

TEXTS = ("\0", "a\0b", "x" * 5_000)
MOST = 24
BROKEN = {"INTERNAL", "UNAUTHENTICATED", "GRAPHQL_VALIDATION_FAILED", "LIMIT_EXCEEDED", "RATE_LIMITED"}
"""Faults, and refusals behind which one would not show."""
NONE, INVALID, WRONG = {"NOT_FOUND"}, {"ORDER_INVALID"}, {"BAD_USER_INPUT"}
EXPECTED = {
    "query": {
        "auditTrail(actor: '\\x00')": WRONG, "closedPositions(strategy: 'a\\x00b')": WRONG,
        "jobs(kind: '\\x00')": WRONG, "orders(strategy: '\\x00')": WRONG, "orders(strategy: 'xxx')": WRONG,
        "tradingStatistics(strategy: '\\x00')": WRONG,
    },
    "mutation": {
        "ledgerEntryPost(input.entryId: '\\x00')": NONE, "ledgerEntryReverse(input.entryId: 'a\\x00b')": NONE,
        "ledgerEntryVoid(input.entryId: '\\x00')": NONE, "orderPlace(input.clientOrderId: '\\x00')": INVALID,
        "positionClose(input.clientOrderId: 'a\\x00b')": INVALID, "providerKeyTest(input.provider: '\\x00')": NONE,
        "riskReportStart(input.risk.currency: '\\x00')": {"INPUT_INVALID"},
    },
}  # fmt: skip
"""How some of them are refused: the walk gets as far."""
SIZED = frozenset({"OrderInput", "OrderPlaceInput", "OrderScheduleCreateInput"})
"""Inputs that need a quantity, and do not say so."""
ACCOUNTS = frozenset({"account", "fromaccount", "toaccount"})


def texts_in(kind: GraphQLInputType, depth: int = 4) -> Iterator[Way]:
    """Where texts stand within a value of a type."""
    named = get_named_type(kind)
    if named.name in ("String", "ID", "Cursor"):
        yield ()
    if isinstance(named, GraphQLInputObjectType) and depth:
        for name, field in named.fields.items():
            yield from ((name, *way) for way in texts_in(field.type, depth - 1))


def with_text(kind: GraphQLInputType, tenant: str, way: Way, text: str) -> Any:
    """A plausible value with the text in its place, and beside it only what must be there."""
    if isinstance(kind, GraphQLNonNull):
        return with_text(kind.of_type, tenant, way, text)
    if isinstance(kind, GraphQLList):
        return [with_text(kind.of_type, tenant, way, text)]
    if not isinstance(kind, GraphQLInputObjectType):
        return text
    made: dict[str, Any] = {"quantity": "1"} if kind.name in SIZED else {}
    for name, field in kind.fields.items():
        if name == way[0]:
            made[name] = with_text(field.type, tenant, way[1:], text)
        elif is_required_input_field(field):
            made[name] = beside(name, field.type, tenant)
    return made


def beside(name: str, kind: GraphQLInputType, tenant: str) -> Any:
    """What would pass, where anything would; an id is that of the row whose kind the name speaks of."""
    word = name.removesuffix("Id").lower()
    alike = (each.name for each in tables() if each.name.endswith((f"_{word}s", f"_{word[:-1]}ies")))
    table = "trading_accounts" if word in ACCOUNTS else next(alike, "nothing")
    return value_for(name, kind, f"{tenant}-{table}-id", lean=True)


def document_of(
    root: str, name: str, field: GraphQLField, tenant: str, some: Sequence[Question]
) -> tuple[str, dict[str, Any]]:
    """One operation that asks the field once for each."""
    declared, roots, variables = list[str](), list[str](), dict[str, Any]()
    named = get_named_type(field.type)
    refuses = "userErrors" in getattr(named, "fields", {})
    selected = "" if is_leaf_type(named) else " { userErrors { code } }" if refuses else " { __typename }"
    for number, (argument, way, text) in enumerate(some):
        taken = {n: a.type for n, a in field.args.items() if n == argument or is_required_argument(a)}
        declared += [f"${n}{number}: {kind}" for n, kind in taken.items()]
        roots.append(f"r{number}: {name}({', '.join(f'{n}: ${n}{number}' for n in taken)}){selected}")
        variables |= {
            f"{n}{number}": with_text(kind, tenant, way, text) if n == argument else beside(n, kind, tenant)
            for n, kind in taken.items()
        }
    return f"{root} Texts({', '.join(declared)}) {{ {' '.join(roots)} }}", variables


async def codes_of(ask: Ask, root: str, name: str, field: GraphQLField, tenant: str) -> dict[str, set[str]]:
    """Of errors and refusals, by the place and the text. Where one undoes those beside it, each is asked alone."""
    told = dict[str, set[str]]()
    all_ = [(n, way, text) for n, each in field.args.items() for way in texts_in(each.type) for text in TEXTS]
    parts = [all_[start : start + MOST] for start in range(0, len(all_), MOST)]
    while parts:
        some = parts.pop(0)
        body = await ask(*document_of(root, name, field, tenant, some))
        if body.get("data") is None and len(some) > 1:
            parts += [[each] for each in some]
            continue
        for number, code in codes_in(body):
            argument, way, text = some[number]
            told.setdefault(f"{name}({'.'.join((argument, *way))}: {text[:3]!r})", set()).add(code)
    return told


def codes_in(body: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """By the number of the question."""
    for error in body.get("errors", ()):
        yield int(error["path"][0][1:]) if "path" in error else 0, error["extensions"]["code"]
    for key, payload in (body.get("data") or {}).items():
        refused = payload.get("userErrors", ()) if isinstance(payload, dict) else ()
        yield from ((int(key[1:]), each["code"]) for each in refused)


@pytest.fixture
async def company(empty_postgresql_url: str, tmp_path: Path) -> AsyncIterator[Company]:
    """Ada's, with a row in every table; her points do not run out."""
    async with open_house(empty_postgresql_url, tmp_path) as house:
        made = await found(house)
        await made.upgrade()
        async with house.store.write() as tx:
            await house.host.service(OrganisationDesk).set_plan(tx, made.tenant, "unlimited")
        await fill(house.store, made.tenant, instead=READABLE)
        yield made


@pytest.fixture
def ask(company: Company) -> Ask:
    """Ada's questions, each from another address."""
    number = count()

    async def asked(document: str, variables: dict[str, Any]) -> dict[str, Any]:
        n = next(number)
        ip = f"10.2.{n // 250}.{n % 250}"
        return await company.house.ask(document, variables, token=company.tokens["ada"], ip=ip)

    return asked


@pytest.mark.parametrize("root", ["query", "mutation"])
async def test_a_text_that_no_database_holds_and_one_without_end_are_refused_or_not_there(
    company: Company, ask: Ask, root: str
):
    schema = company.house.gateway.schema._schema
    kind = schema.query_type if root == "query" else schema.mutation_type
    assert kind is not None

    told = dict[str, set[str]]()
    for name, field in kind.fields.items():
        told |= await codes_of(ask, root, name, field, company.tenant)

    assert {place: codes & BROKEN for place, codes in told.items() if codes & BROKEN} == {}
    assert {place: told.get(place) for place in EXPECTED[root]} == EXPECTED[root]


def test_a_cursor_that_somebody_made_with_such_a_text_is_none():
    assert read_cursor("order", make_cursor("order", "a|b")) == "a|b"
    with pytest.raises(BadInput):
        read_cursor("order", make_cursor("order", "a|\0"))
