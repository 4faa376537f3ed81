"""The example on an error's page is what the gateway says, and `extensions.docs` leads to that page."""

from __future__ import annotations

import re

import httpx
import pytest

from gateway.cli.codes import CODES
from gateway.errorpages import error_routes
from gateway.errorsamples import SAMPLES, sample_of

JSON = {"content-type": "application/json", "accept": "application/graphql-response+json"}
HASH = {"version": 1, "sha256Hash": "0" * 64}
REFUSED = {
    "BAD_REQUEST": ("POST", {}, {}),
    "GRAPHQL_PARSE_FAILED": ("POST", {"query": "{"}, {}),
    "OPERATION_RESOLUTION_FAILURE": ("POST", {"query": "query A { __typename } query B { __typename }"}, {}),
    "SUBSCRIPTION_NOT_SUPPORTED": ("POST", {"query": "subscription { __typename }"}, {}),
    "BATCH_LIMIT_EXCEEDED": ("POST", [], {}),
    "PERSISTED_QUERY_NOT_FOUND": ("POST", {"extensions": {"persistedQuery": HASH}}, {}),
    "PERSISTED_QUERY_HASH_MISMATCH": (
        "POST", {"query": "{ __typename }", "extensions": {"persistedQuery": HASH}}, {},
    ),
    "NOT_ACCEPTABLE": ("POST", {"query": "{ __typename }"}, {"accept": "text/csv"}),
    "UNSUPPORTED_MEDIA_TYPE": ("POST", {"query": "{ __typename }"}, {"content-encoding": "gzip"}),
    "PAYLOAD_TOO_LARGE": ("POST", {"query": "{ __typename }" + " " * 1_048_576}, {}),
}  # fmt: skip


def test_every_code_has_a_sample():
    assert SAMPLES.keys() == CODES.keys()
    assert [code for code in SAMPLES if sample_of(code).error["extensions"]["code"] != code] == []


@pytest.mark.parametrize("code", REFUSED)
async def test_a_refusal_says_what_its_page_says(connect, code: str):
    method, body, headers = REFUSED[code]
    sample = sample_of(code)

    answer = await connect().request(method, "/graphql", json=body, headers={**JSON, **headers})

    (error,) = answer.json()["errors"]
    error.pop("locations", None)
    assert error["extensions"].pop("requestId") == answer.headers["x-request-id"]
    del sample.error["extensions"]["requestId"]
    assert (answer.status_code, error) == (sample.status, sample.error)


@pytest.fixture
async def pages():
    from starlette.applications import Starlette

    transport = httpx.ASGITransport(app=Starlette(routes=error_routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://edge.test") as client:
        yield client


@pytest.mark.parametrize("code", CODES)
async def test_the_link_of_an_error_leads_to_a_page_that_asks_for_nothing_else(pages: httpx.AsyncClient, code: str):
    link = str(sample_of(code).error["extensions"]["docs"])

    answer = await pages.get(link)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert f"<h1>{code}</h1>" in answer.text
    assert "`" not in answer.text.partition("<pre>")[0]
    assert "src=" not in answer.text
    # Without an icon of its own a browser would ask for /favicon.ico.
    assert '<link rel="icon" href="data:,">' in answer.text
    assert "://" not in answer.text
    assert re.findall(r'href="(/[^"]*)"', answer.text) == ["/", "/docs", "/docs/errors"]


async def test_the_index_links_every_code_and_a_code_that_is_none_is_not_there(pages: httpx.AsyncClient):
    index = (await pages.get("/docs/errors")).text

    assert [code for code in CODES if f'href="/docs/errors/{code}"' not in index] == []
    assert (await pages.get("/docs/errors/NOTHING")).status_code == 404


async def test_the_documentation_begins_with_what_the_gateway_shows_and_where_the_rest_is(pages: httpx.AsyncClient):
    answer = await pages.get("/docs")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert re.findall(r'href="(/[^"]*)"', answer.text) == ["/", "/docs/errors", "/health", "/metrics"]
    assert [
        each for each in ("README.md", "make docs", "marketgate --help", "/console") if each not in answer.text
    ] == []
    assert "`" not in answer.text
