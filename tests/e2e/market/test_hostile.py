"""Hostile callers: nothing that they send ends in INTERNAL or leaves a traceback."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
from websockets import Subprotocol
from websockets.sync.client import connect

from tests.e2e.market.hostile import FIELDS, operation, variables
from tests.e2e.market.process import Gateway
from tests.e2e.market.upstream import Answer, Fault, Upstream

SLOW = 'query ($s: String!) { quote(symbol: $s, route: {providers: ["kraken"], timeoutMs: 1000}) { price } }'
HEAD = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


async def flood(gateway: Gateway, bodies: list[dict[str, Any]]) -> list[httpx.Response]:
    turn = asyncio.Semaphore(20)

    async def send(client: httpx.AsyncClient, body: dict[str, Any]) -> httpx.Response:
        async with turn:
            return await client.post("/graphql", content=json.dumps(body), headers={"content-type": "application/json"})

    async with httpx.AsyncClient(
        base_url=gateway.url, headers={"x-api-key": gateway.key}, timeout=30, trust_env=False
    ) as client:
        return list(await asyncio.gather(*(send(client, body) for body in bodies)))


@pytest.mark.parametrize("field", FIELDS)
def test_every_argument_survives_what_no_sane_client_sends(gateway: Gateway, upstream: Upstream, field: str) -> None:
    asked = list(variables(field))

    answers = asyncio.run(flood(gateway, [{"query": operation(field), "variables": each} for each in asked]))

    for given, answer in zip(asked, answers, strict=True):
        assert answer.status_code == 200, (given, answer.text)
        body = answer.json()
        codes = [error["extensions"]["code"] for error in body.get("errors", ())]
        assert "INTERNAL" not in codes, (str(given)[:300], body["errors"])
        assert body.get("errors") or body["data"], given
        # Nobody is answered with the hundred kilobytes that he sent.
        assert len(answer.content) < 60_000, (str(given)[:100], len(answer.content))
    assert "internal_error" not in gateway.log
    assert "adapter_defect" not in gateway.log
    # Two dots within a part are Frankfurter's range of days; a part of two dots would be another path.
    assert not any("\r" in asked.path or {".", ".."} & set(asked.path.split("/")) for asked in upstream.log)


NEARLY = {
    "{ quot(symbol: 1) { price } }": "Cannot query field 'quot' on type 'Query'.",
    '{ quote(symbo: "x") { price } }': "Unknown argument 'symbo' on field 'Query.quote'.",
    '{ quote(symbol: "x", assetClass: CRYPT) { price } }': "Value 'CRYPT' does not exist in '…' enum.",
    '{ quote(symbol: "x", route: {provider: ["okx"]}) { price } }':
        "Expected value of type '…' not to include unknown field 'provider'.",
    'query ($r: RouteInpu) { quote(symbol: "x", route: $r) { price } }': "Unknown type 'RouteInpu'.",
    "{ ...F } fragment F on Quer { __typename }": "Unknown type 'Quer'.",
    "{ __typename @skp(if: true) }": "Unknown directive '@skp'.",
    "mutation { apiKeyCreat { id } }": "Cannot query field 'apiKeyCreat' on type 'Mutation'.",
}  # fmt: skip


def test_neither_http_nor_a_socket_tells_a_name_that_was_nearly_right(gateway: Gateway) -> None:
    url = gateway.url.replace("http", "ws") + "/graphql"
    said = {}
    with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {gateway.key}"}}))
        assert json.loads(socket.recv())["type"] == "connection_ack"
        for query in NEARLY:
            socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": query}}))
            said[query] = json.loads(socket.recv())["payload"][0]["message"]

    assert said == NEARLY
    assert {query: gateway.send(query)["errors"][0]["message"] for query in NEARLY} == NEARLY


def test_two_hundred_different_queries_at_once(gateway: Gateway, upstream: Upstream) -> None:
    bodies = [
        {"query": f'{{ a{n}: quote(symbol: "crypto:C{n}/USDT", route: {{providers: ["{provider}"]}}) {{ price }} }}'}
        for n in range(50)
        for provider in ("okx", "bybit", "binance", "kraken")
    ]

    answers = asyncio.run(flood(gateway, bodies))

    assert [next(iter(answer.json()["data"].values())) for answer in answers] == [
        {"price": f"1{n}.25"} for n in range(50) for _ in range(4)
    ]


def test_clients_that_leave_midway_do_no_harm(gateway: Gateway, upstream: Upstream) -> None:
    upstream.on("kraken", Answer(fault=Fault.BLACK_HOLE))

    async def leave(number: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.client.base_url.port or 0)
        body = json.dumps({"query": SLOW, "variables": {"s": f"crypto:C{number}/USD"}}).encode()
        head = HEAD + f"X-API-Key: {gateway.key}\r\nContent-Length: {len(body)}\r\n\r\n"
        # Every third leaves before its body is complete, every third is cut off hard.
        writer.write(head.encode() + (body[:10] if number % 3 == 0 else body))
        await writer.drain()
        await asyncio.sleep(0.05)
        if number % 3 == 1:
            writer.transport.abort()
        else:
            writer.close()

    async def crowd() -> None:
        await asyncio.gather(*(leave(number) for number in range(100, 160)))

    asyncio.run(crowd())
    time.sleep(1.2)  # the time that the abandoned asks were given, in another process

    assert gateway.ask('{ quote(symbol: "crypto:BTC/USDT", route: {providers: ["okx"]}) { price } }')["quote"]
    assert gateway.client.get("/readyz").status_code == 200


def test_a_wide_query_costs_no_more_than_its_answers(gateway: Gateway, upstream: Upstream) -> None:
    fields = " ".join(
        f'q{n}: quote(symbol: "crypto:BTC/USDT", route: {{providers: ["okx"]}}) {{ price }}' for n in range(250)
    )
    too_many = " ".join(f'q{n}: quote(symbol: "crypto:BTC/USDT") {{ price }}' for n in range(251))

    found = gateway.ask(f"{{ {fields} }}")
    refused = gateway.send(f"{{ {too_many} }}")

    assert len(found) == 250
    assert len(upstream.asked("okx")) <= 1
    assert refused["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


def test_a_body_larger_than_any_query_is_refused(gateway: Gateway, upstream: Upstream) -> None:
    response = gateway.client.post(
        "/graphql", json={"query": "{ providers { id } }", "variables": {"x": "A" * 2_000_000}}
    )

    assert response.status_code == 413
