"""What `/metrics` counts of operations, providers, the database and the business, and under which labels."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from gateway.app import create_app
from gateway.cli.codes import CODES
from gateway.core.courses import BOUNDS, Courses
from gateway.core.identity import PlanLimits
from gateway.core.metrics import DECLARED, REGISTRY, exposition
from gateway.core.outbox.tables import heads, log
from gateway.core.writes import Removal, Upsert
from gateway.edge.endings import ASKED_WRONG, FAMILIES, FIELDS, family_of
from gateway.edge.graphqlcore import core_schema
from plugins.accounts import figures as accounts
from plugins.accounts.tables import api_keys
from plugins.billing.usage import figures as billing
from plugins.billing.usage.meter import Meter
from plugins.webhooks import figures as webhooks
from tests.gateway.telemetry.conftest import client
from tests.house import House, open_house, own_schema
from tests.plugins.accounts.operator.office import tenant_with_key

QUOTE = '{ quote(symbol: "BTC/USD") { price } }'


def value(name: str, **labels: str) -> float:
    """A sample of this process; 0 where there is none."""
    found = 0.0
    for family in text_string_to_metric_families(exposition().decode()):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                found += sample.value
    return found


class Change:
    """How much a sample grew."""

    def __init__(self, name: str, **labels: str) -> None:
        self._name, self._labels, self._before = name, labels, value(name, **labels)

    def __call__(self) -> float:
        return value(self._name, **self._labels) - self._before


@pytest.fixture
async def plain_app(sqlite_url: str, tmp_path: Path) -> Any:
    async with open_house(sqlite_url, tmp_path) as opened:
        yield create_app(opened.host.settings, gateway=opened.gateway)


async def ask(app: Starlette, document: str, **headers: str) -> dict[str, Any]:
    async with client(app) as asking:
        found: dict[str, Any] = (await asking.post("/graphql", json={"query": document}, headers=headers)).json()
        return found


async def test_an_operation_counts_for_its_plan_and_for_each_root_field_by_how_it_ended(plain_app: Starlette):
    answered = Change("marketgate_field_operations_total", field="quote", outcome="answered")
    kept = Change("marketgate_field_operations_total", field="quote", outcome="kept")
    plan = Change("marketgate_operations_total", plan="anonymous")
    timed = Change("marketgate_field_operations_seconds_count", field="quote")
    quick = Change("marketgate_operations_seconds_bucket", plan="anonymous", le="+Inf")

    for _ in range(3):
        await ask(plain_app, QUOTE)
    await ask(plain_app, 'query { ...Q } fragment Q on Query { one: quote(symbol: "ETH/USD") { price } __typename }')

    assert (answered(), kept(), plan(), timed(), quick()) == (2, 2, 4, 4, 4)


async def test_errors_count_at_their_own_field_by_the_family_of_their_code(plain_app: Starlette):
    wrong = Change("marketgate_field_operations_total", field="quote", outcome="wrong")
    right = Change("marketgate_field_operations_total", field="providers", outcome="answered")
    denied = Change("marketgate_field_operations_total", field="apiKeys", outcome="denied")
    plan = Change("marketgate_operations_total", plan="anonymous", outcome="wrong")

    await ask(plain_app, '{ a: quote(symbol: "NOPE/USD") { price } providers { id } }')
    await ask(plain_app, "{ apiKeys { nodes { id } } }")

    assert (wrong(), right(), denied(), plan()) == (1, 1, 1, 1)


async def test_what_was_turned_away_takes_no_time_that_says_anything(plain_app: Starlette):
    denied = Change("marketgate_field_operations_total", field="apiKeys", outcome="denied")
    at_fields = Change("marketgate_field_operations_seconds_count", field="apiKeys")
    of_plan = Change("marketgate_operations_seconds_count", plan="anonymous")

    await ask(plain_app, "{ apiKeys { nodes { id } } }")
    assert (denied(), at_fields(), of_plan()) == (1, 0, 0)

    await ask(plain_app, '{ quote(symbol: "NOPE/USD") { price } }')
    assert of_plan() == 1


def test_every_code_of_a_family_is_one_that_errors_have():
    assert set(FAMILIES) <= {str(code) for code in CODES}
    assert family_of("INTERNAL") == "failed"
    assert family_of("UNKNOWN_INSTRUMENT") == ASKED_WRONG


def labels() -> set[str]:
    return {sample.labels["field"] for family in FIELDS.collect() for sample in family.samples}


async def test_labels_of_fields_are_the_schemas_own_whatever_callers_write(plain_app: Starlette):
    schema = core_schema(own_schema())
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    known = {name for root in roots if isinstance(root, GraphQLObjectType) for name in root.fields}
    before = labels()

    await ask(plain_app, '{ secretAlias: quote(symbol: "BTC/USD") { price } }')
    await ask(plain_app, "{ noSuchField }")

    assert labels() - before <= known
    assert {"secretAlias", "noSuchField"} & labels() == set()


def test_a_course_counts_what_was_kept_as_quicker_than_its_first_bound():
    courses = Courses("marketgate_test_courses", "Trials", "plan")
    REGISTRY.unregister(courses)
    del DECLARED["marketgate_test_courses_total"], DECLARED["marketgate_test_courses_seconds"]
    courses.of("pro").kept += 2
    courses.of("pro").answer(BOUNDS.index(0.1), 0.1)
    courses.of("pro").end("late", 40.0)

    count, seconds = courses.collect()

    assert {sample.labels["outcome"]: sample.value for sample in count.samples} == {"kept": 2, "answered": 1, "late": 1}
    buckets = {sample.labels["le"]: sample.value for sample in seconds.samples if sample.name.endswith("_bucket")}
    assert (buckets["0.001"], buckets["0.05"], buckets["0.1"], buckets["30.0"], buckets["+Inf"]) == (2, 2, 3, 3, 4)
    assert 0.1 in BOUNDS


async def test_calls_count_for_their_provider_by_how_they_ended(plain_app: Starlette):
    answered = Change("marketgate_provider_calls_total", provider="coingecko", outcome="answered")
    refused = Change("marketgate_provider_calls_total", provider="coingecko", outcome="not_recorded")

    await ask(plain_app, '{ quote(symbol: "BTC/USD", route: {providers: ["coingecko"]}) { price } }')
    await ask(plain_app, '{ quote(symbol: "TAO/USD", route: {providers: ["coingecko"]}) { price } }')

    assert (answered(), refused()) == (1, 1)


async def test_statements_waits_and_the_pool_are_counted(sqlite_url: str, tmp_path: Path):
    async with open_house(sqlite_url, tmp_path) as house:
        selects = Change("marketgate_db_statement_seconds_count", kind="select")
        waits = Change("marketgate_db_wait_seconds_count", place="writer")

        async with house.store.write() as tx:
            await tx.value(api_keys.select())
            in_use = value("marketgate_db_pool_connections", state="in_use")

        assert (selects(), waits(), in_use) == (1, 1, 1)
        assert value("marketgate_db_pool_connections", state="in_use") == 0


async def test_writes_that_go_together_are_counted_once_and_as_a_kind_of_their_own(sqlite_url: str, tmp_path: Path):
    async with open_house(sqlite_url, tmp_path) as house:
        together, inserts = [
            Change("marketgate_db_statement_seconds_count", kind=kind) for kind in ("together", "insert")
        ]

        async with house.store.write() as tx:
            tx.later(Upsert(heads, "tenant_id"), [{"tenant_id": "a", "position": 1}])
            tx.later(Removal(log, "tenant_id"), [{"tenant_id": "a"}])

        assert (together(), inserts()) == (1, 0)


async def test_business_figures_are_read_from_the_database(house: House):
    _, key = await tenant_with_key(house)
    await house.ask(QUOTE, key=key)
    await house.host.service(Meter).flush()

    for figures in (billing, accounts, webhooks):
        await figures.show(house.host)

    assert value("marketgate_active_tenants") == 1
    assert value("marketgate_operations_of_day") >= 1
    assert value("marketgate_api_keys") == 1
    assert value("marketgate_tenants", status="active") == 1
    assert value("marketgate_webhook_endpoints") == 0
    house.clock.turn(timedelta(days=2).total_seconds())
    await billing.show(house.host)
    assert value("marketgate_active_tenants") == 0


def test_no_label_names_anybody():
    forbidden = {"tenant", "org", "organisation", "user", "key", "symbol", "instrument", "session", "email"}

    assert not forbidden & {label for each in DECLARED.values() for label in each.labels}
    for family in REGISTRY.collect():
        for sample in family.samples:
            assert not forbidden & sample.labels.keys(), sample.name


async def test_no_plan_but_a_thousand_has_a_row_of_its_own():
    courses = Courses("marketgate_test_plans", "Trials", "plan")
    REGISTRY.unregister(courses)
    del DECLARED["marketgate_test_plans_total"], DECLARED["marketgate_test_plans_seconds"]
    limits = [PlanLimits(plan=f"p{n}", points_per_minute=1, concurrency=1, streams=1, webhooks=1) for n in range(1_005)]

    for each in limits:
        courses.of(each.plan).note("limited")

    rows = [sample for sample in next(iter(courses.collect())).samples if sample.labels["outcome"] == "limited"]
    assert len(rows) == 1_001
    assert {row.value for row in rows if row.labels["plan"] == "other"} == {5}
