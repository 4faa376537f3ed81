"""One tree of spans an operation: request, operation, root field, provider, call, exchange."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode
from starlette.applications import Starlette

from gateway.core.otlp import OtlpTracer
from gateway.core.tracing import TRACES, event, span
from tests.gateway.telemetry.conftest import Told, client
from tests.house import House

QUOTE = """query Price($symbol: String!, $providers: [String!]) {
  quote(symbol: $symbol, route: {providers: $providers}) { price provenance { provider } }
}"""
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def ask(app: Starlette, document: str, address: str = "127.0.0.1", **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    async with client(app, address) as asking:
        return await asking.post("/graphql", json={"query": document, **more}, headers=headers)


def attributes(found: ReadableSpan) -> dict[str, Any]:
    return dict(found.attributes or {})


async def test_a_query_is_one_tree_from_the_request_to_the_exchange(app: Starlette, told: Told):
    variables = {"symbol": "BTC/USD", "providers": ["coingecko"]}

    answer = await ask(app, QUOTE, variables=variables)

    assert answer.json()["data"]["quote"]["provenance"] == {"provider": "coingecko"}
    assert told.way("GET") == [
        "GET", "call coingecko", "ask coingecko", "resolve quote", "query", "POST /graphql"
    ]  # fmt: skip
    assert told.named("POST /graphql").kind is SpanKind.SERVER
    assert attributes(told.named("POST /graphql")) == {
        "http.request.method": "POST", "http.route": "/graphql", "http.response.status_code": 200,
    }  # fmt: skip
    exchange = attributes(told.named("GET"))
    assert (exchange["server.address"], exchange["url.path"]) == ("api.coingecko.com", "/simple/price")
    assert (exchange["http.response.status_code"], exchange["marketgate.provider"]) == (200, "coingecko")
    assert exchange["http.response.body.size"] > 10
    assert attributes(told.named("ask coingecko"))["marketgate.items.miss"] == 1
    assert attributes(told.named("call coingecko")) == {
        "marketgate.provider": "coingecko", "marketgate.capability": "quotes", "marketgate.items": 1,
        "marketgate.own_key": False, "marketgate.breaker": "closed", "marketgate.outcome": "answered",
    }  # fmt: skip


async def test_an_operation_tells_its_name_and_document_and_never_its_variables(app: Starlette, told: Told):
    await ask(app, QUOTE, variables={"symbol": "BTC/USD", "providers": ["coingecko"]}, operationName="Price")

    found = attributes(told.named("query"))
    assert found["graphql.operation.name"] == "Price"
    assert len(found["marketgate.document"]) == 64
    assert found["marketgate.plan"] == "anonymous"
    assert [each.name for each in told.named("query").events] == ["limits"]
    assert "BTC/USD" not in "".join(each.to_json() for each in told.spans)


async def test_an_answer_names_the_span_that_made_it(app: Starlette, told: Told):
    answer = await ask(app, "{ __typename }")

    span = told.named("POST /graphql")
    version, trace, parent, flags = answer.headers["traceresponse"].split("-")
    assert (version, trace, parent) == ("00", f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}")
    assert int(flags, 16) & 1


async def test_a_trace_goes_on_from_a_trusted_caller_and_begins_anew_from_others(app: Starlette, told: Told):
    await ask(app, "{ __typename }", headers={"traceparent": PARENT})
    await ask(app, "{ __typename }", address="203.0.113.9", headers={"traceparent": PARENT})

    near, far = [span for span in told.spans if span.name == "POST /graphql"]
    assert f"{near.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert near.parent is not None
    assert f"{near.parent.span_id:016x}" == "b7ad6b7169203331"
    assert far.parent is None
    assert far.context.trace_id != near.context.trace_id


@pytest.mark.parametrize("sent", ["", "00-0-0-01", "no trace", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
async def test_a_traceparent_that_is_none_begins_a_trace(app: Starlette, told: Told, sent: str):
    answer = await ask(app, "{ __typename }", headers={"traceparent": sent})

    assert answer.status_code == 200
    assert told.named("POST /graphql").parent is None


async def test_failures_have_codes_and_no_messages(app: Starlette, told: Told):
    await ask(app, QUOTE, variables={"symbol": "TAO/USD", "providers": ["coingecko"]})

    for name in ("resolve quote", "query", "ask coingecko"):
        assert told.named(name).status.status_code is StatusCode.ERROR
        assert told.named(name).status.description is None
    assert attributes(told.named("query"))["error.type"] == "NOT_RECORDED"
    assert "TAO/USD" not in "".join(each.to_json() for each in told.spans)


async def test_what_is_kept_is_told_as_kept(app: Starlette, told: Told):
    for _ in range(3):
        answer = await ask(app, '{ quote(symbol: "BTC/USD") { price } }')

    spans = [span for span in told.spans if span.name == "query"]
    assert [attributes(span)["marketgate.kept"] for span in spans] == [False, True, True]
    assert answer.headers["traceresponse"].split("-")[2] == f"{spans[2].context.span_id:016x}"


async def test_each_root_field_and_each_operation_of_a_batch_has_its_own(app: Starlette, told: Told):
    two = '{ a: quote(symbol: "BTC/USD") { price } b: quote(symbol: "ETH/USD") { price } }'

    async with client(app) as asking:
        await asking.post("/graphql", json=[{"query": two}, {"query": "{ __typename }"}])

    resolved = [span for span in told.spans if span.name == "resolve quote"]
    assert [told.parent(span) for span in resolved] == ["query", "query"]
    assert len([span for span in told.spans if told.parent(span) == "POST /graphql"]) == 2


async def test_an_operation_that_is_not_picked_leaves_no_span_and_names_none(app: Starlette, told: Told):
    TRACES.tracer = OtlpTracer(told.provider, ratio=0.0)

    quiet = await ask(app, QUOTE, variables={"symbol": "BTC/USD", "providers": ["coingecko"]})
    wanted = await ask(app, "{ __typename }", headers={"traceparent": PARENT})

    assert "traceresponse" not in quiet.headers
    assert "traceresponse" in wanted.headers
    assert [span.name for span in told.spans] == ["resolve __typename", "query", "POST /graphql"]


async def test_probes_are_not_traced(app: Starlette, told: Told):
    async with client(app) as asking:
        for path in ("/livez", "/readyz", "/metrics", "/health"):
            await asking.get(path)

    assert told.spans == []


async def test_a_stream_is_traced_at_its_start(traced_house: House, app: Starlette, told: Told):
    from gateway.edge.execute import ANY_OPERATION, OperationRequest, RequestFacts

    executor, facts = app.state.executor, RequestFacts(request_id="r", transport="websocket", client_ip="127.0.0.1")
    principal = await executor.identify(facts)
    request = OperationRequest(query='subscription { quotes(symbols: ["BTC/USD"]) { __typename } }')
    prepared = await executor.prepared(request, ANY_OPERATION, facts, principal)

    results = executor.subscribe(prepared, facts, principal)
    await anext(results)
    await results.aclose()

    assert told.named("subscription").parent is None
    assert [each.name for each in told.named("subscription").events] == ["limits"]
    assert attributes(told.named("subscription"))["graphql.operation.type"] == "subscription"


def test_while_nothing_is_traced_a_span_is_nothing():
    assert TRACES.tracer is None

    with span("anything", provider="p") as made:
        event("something")

    assert made is None
