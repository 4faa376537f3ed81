"""`/metrics`: what it shows, to whom, and that its page lists all of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from gateway.app import create_app
from gateway.core.identity import OperatorRole
from gateway.core.metrics import DECLARED, REGISTRY
from tests.house import House, open_house
from tests.plugins.accounts.operator.office import TRIP_BREAKER, change, hired, tenant_with_key

PAGE = Path(__file__).parents[3] / "docs/metrics.md"
NEAR, FAR = ("127.0.0.1", 50_000), ("203.0.113.9", 50_000)


@pytest.fixture
async def small_house(sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(sqlite_url, tmp_path) as opened:
        yield opened


def app_of(house: House, **settings: object) -> Starlette:
    return create_app(house.host.settings.model_copy(update=settings), gateway=house.gateway)


async def get(app: Starlette, client: tuple[str, int] = NEAR, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    transport = httpx.ASGITransport(app, client=client)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as connection:
        return await connection.get("/metrics", headers=sent)


async def test_it_shows_breakers_and_the_process_to_the_machine_itself(small_house: House):
    _, key = await hired(small_house)
    app = app_of(small_house)
    before = sample(await get(app), "marketgate_breaker_trips_total", 'provider="kraken"', 'reason="operator"')
    await change(small_house, TRIP_BREAKER, key, provider="kraken", capability="quotes", reason="wrong prices")

    answer = await get(app)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert answer.headers["cache-control"] == "no-store"
    assert sample(answer, "marketgate_breaker_state", 'provider="kraken"', 'capability="quotes"') == 2
    assert sample(answer, "marketgate_breaker_state", 'provider="kraken"', 'capability="candles"') == 0
    assert sample(answer, "marketgate_breaker_trips_total", 'provider="kraken"', 'reason="operator"') == before + 1
    assert "process_resident_memory_bytes" in answer.text
    assert "python_gc_objects_collected_total" in answer.text


def sample(answer: httpx.Response, name: str, *labels: str) -> float:
    found = [line for line in answer.text.splitlines() if line.startswith(name + "{")]
    return sum(float(line.rpartition(" ")[2]) for line in found if all(label in line for label in labels))


async def test_requests_are_counted_by_kind_of_route_and_class_of_status(small_house: House):
    app = app_of(small_house)
    count = "marketgate_http_seconds_count"
    before = await get(app)
    transport = httpx.ASGITransport(app, client=NEAR)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        await client.post("/graphql", json={"query": "{ __typename }"})
        await client.get("/candles.csv")
        await client.get("/nothing/that/anybody/named")

    after = await get(app)

    def more(*labels: str) -> float:
        return sample(after, count, *labels) - sample(before, count, *labels)

    assert more('route="graphql"', 'status="2xx"') == 1
    assert more('route="candles"', 'status="4xx"') == 1
    assert more('route="other"', 'status="4xx"') == 1
    assert "anybody" not in after.text


async def test_elsewhere_nothing_is_there_without_an_operators_key(small_house: House):
    app = app_of(small_house)
    _, tenant_key = await tenant_with_key(small_house)

    nobody = await get(app, FAR)
    tenant = await get(app, FAR, x_api_key=tenant_key)
    unknown = await get(app, FAR, x_api_key="mg_live_0123456789abcdef_nonsense")

    assert (nobody.status_code, nobody.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")
    assert (tenant.status_code, tenant.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    assert (unknown.status_code, unknown.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
    assert all("marketgate_" not in answer.text for answer in (nobody, tenant, unknown))


@pytest.mark.parametrize("role", OperatorRole)
async def test_an_operators_key_opens_it_from_where_the_operators_are(small_house: House, role: OperatorRole):
    _, key = await hired(small_house, role)
    app = app_of(small_house)

    answer = await get(app, x_api_key=key, via="1.1 proxy")
    outside = await get(app, FAR, x_api_key=key)

    assert answer.status_code == 200
    assert outside.status_code == 403


@pytest.mark.parametrize("header", ["forwarded", "x_forwarded_for", "x_real_ip", "via"])
async def test_who_comes_through_an_unknown_proxy_on_the_machine_is_not_the_machine(small_house: House, header: str):
    answer = await get(app_of(small_house), NEAR, **{header: "203.0.113.9"})

    assert answer.status_code == 404


async def test_behind_a_known_proxy_the_callers_own_address_counts(small_house: House):
    app = app_of(
        small_house, trusted_proxies=(ip_network("127.0.0.0/8"),), metrics_networks=(ip_network("198.51.100.0/24"),)
    )

    inside = await get(app, x_forwarded_for="198.51.100.7")
    outside = await get(app, x_forwarded_for="203.0.113.9")
    proxy = await get(app)

    assert (inside.status_code, outside.status_code, proxy.status_code) == (200, 404, 404)


async def test_it_is_never_limited(small_house: House):
    app = app_of(small_house)

    answers = [await get(app) for _ in range(100)]

    assert {answer.status_code for answer in answers} == {200}


def test_the_page_lists_every_metric_and_labels_are_of_closed_sets():
    listed = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE))
    families = {family.name for family in REGISTRY.collect()}
    own = {name for name in families if name.startswith("marketgate_")}

    assert own <= {name.removesuffix("_total") for name in listed}
    assert set(DECLARED) <= listed
    assert not {label for each in DECLARED.values() for label in each.labels} & {
        "symbol",
        "tenant",
        "instrument",
        "key",
    }
