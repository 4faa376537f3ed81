"""What comes back and is no answer of a gateway: the Python client waits for it, or says so in an error of its own."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from marketgate_client import (
    UNSET,
    AsyncClient,
    Client,
    ConnectionFailed,
    DataError,
    InstrumentError,
    LimitError,
    Retry,
)
from marketgate_client.conversation import Conversation
from marketgate_client.errors import MarketgateError, error_of
from marketgate_client.gateway import asked, request_of, subscription_of
from marketgate_client.generated import OrderCancelInput, OrderPlaceInput
from marketgate_client.generated.operations import ORDER_PLACE, QUOTES_STREAM
from marketgate_client.http import answer_of, writes

STEADY = Retry(chance=lambda: 0.0)
FINE = '{"data": {"trades": []}}'
DEEP = "[" * 100_000


def page(status: int, body: str = "oops", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Told", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", body]).encode()


@contextmanager
def answering(*pages: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server's address, and what it was sent; a page for each connection, then none is taken."""
    asked: list[bytes] = []

    def answer(server: socket.socket, pages: Sequence[bytes]) -> None:
        for each in pages:
            caller, _ = server.accept()
            with caller:
                asked.append(caller.recv(1 << 16))
                caller.sendall(each)
        server.close()

    server = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=answer, args=(server, pages))
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
    thread.join(10)
    assert not thread.is_alive(), "not all pages were asked for"


def read(status: int, body: str, **headers: str) -> Any:
    request = httpx.Request("POST", "http://gateway/graphql")
    return answer_of(httpx.Response(status, content=body.encode(), headers=headers, request=request))


def failure(status: int, body: str, **headers: str) -> MarketgateError:
    with pytest.raises(MarketgateError) as caught:
        read(status, body, **headers)
    return caught.value


def test_a_question_that_a_balancer_turned_away_is_put_again():
    waits: list[float] = []
    busy, gone = page(503, "busy", "Retry-After: 7"), page(502)
    with (
        answering(busy, gone, page(200, FINE)) as (address, asked),
        Client(address, trust_env=False, retry=STEADY, sleep=waits.append) as client,
    ):
        assert client.trades("BTC/USD") == ()

    assert (waits, len(asked)) == ([7.0, 1.0], 3)


async def test_the_asynchronous_client_puts_it_again_too():
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    with answering(page(504), page(200, FINE)) as (address, asked):
        async with AsyncClient(address, trust_env=False, retry=STEADY, sleep=wait) as client:
            assert await client.trades("BTC/USD") == ()

    assert (waits, len(asked)) == ([0.5], 2)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_mutation_that_a_balancer_answered_may_have_run_and_is_not_sent_again(status: int):
    with (
        answering(page(status, "oops", "Retry-After: 1")) as (address, asked),
        Client(address, trust_env=False, sleep=lambda _: None) as client,
        pytest.raises(ConnectionFailed) as caught,
    ):
        client.order_cancel(OrderCancelInput(order_id="ord_1"))

    assert (caught.value.code, caught.value.retry_after_ms, len(asked)) == ("NO_GATEWAY", 1_000, 1)


@pytest.mark.parametrize(("status", "told", "wait"), [
    (429, None, 1.0), (502, None, 1.0), (503, None, 1.0), (504, None, 1.0), (503, "30", 30.0), (503, "0", 1.0),
    (429, "61", None), (503, "9" * 12, None), (503, "9" * 5_000, 1.0), (503, "soon", 1.0), (503, "-5", 1.0),
    (503, "Fri, 20 Nov 2026 12:00:00 GMT", 1.0), (200, None, None), (404, None, None), (500, "5", None),
])  # fmt: skip
def test_a_page_without_an_answer_is_asked_again_where_it_may_pass(status: int, told: str | None, wait: float | None):
    error = failure(status, "<html>", **({} if told is None else {"Retry-After": told}))

    assert (STEADY.wait(error, 2, False), STEADY.wait(error, 2, True)) == (wait, None)


@pytest.mark.parametrize("body", [
    "", "null", "5", "[]", "{}", '{"data": null}', '{"data": 5}', '{"data": []}', '{"errors": []}', '{"errors": "x"}',
    '{"errors": [null]}', '{"errors": [{"message": "a"}, 5]}', '{"errors": {"message": "a"}}',
    '{"errors": [{"message": "a", "extensions": "x"}]}', '{"data": "x", "errors": [{"message": "a"}]}',
    '{"data": {"quote": null}, "errors": "x"}', DEEP,
])  # fmt: skip
def test_a_body_of_another_shape_is_no_answer(body: str):
    error = failure(200, body)

    assert isinstance(error, ConnectionFailed)
    assert error.code == "NO_GATEWAY"
    assert error.message == "status 200 without a GraphQL answer: is http://gateway/graphql a gateway's /graphql?"


@pytest.mark.parametrize("cost", [
    "x", 5, {}, {"requested": 1, "remaining": 5, "resetsAt": "2026-11-20T12:00:00Z"},
    {"requested": 1, "actual": 1, "remaining": 5, "resetsAt": "soon"},
    {"requested": 1, "actual": None, "remaining": 5, "resetsAt": "2026-11-20T12:00:00Z"},
])  # fmt: skip
def test_a_cost_of_another_shape_is_none_and_the_data_are_there(cost: object):
    answer = read(200, json.dumps({"data": {"a": 1}, "extensions": {"cost": cost, "requestId": 5}}))

    assert (answer["a"], answer.cost, answer.request_id) == (1, None, None)
    assert read(200, '{"data": {"a": 1}, "extensions": ["x"]}').cost is None


@pytest.mark.parametrize("told", ["100", -5, True, 1.5, [], {}])
def test_a_wait_that_is_no_number_of_milliseconds_is_none(told: object):
    extensions = {"code": "RATE_LIMITED", "retryAfterMs": told}
    error = failure(429, json.dumps({"errors": [{"message": "later", "extensions": extensions}]}))

    assert isinstance(error, LimitError)
    assert (error.retry_after_ms, STEADY.wait(error, 1, False)) == (None, None)


def test_details_of_another_shape_are_none():
    told: dict[str, Any] = {"attempts": "x", "candidates": 5}
    listed = {"code": "UPSTREAM_UNAVAILABLE", "attempts": [{"provider": "a"}]}

    odd = error_of([{"extensions": {**told, "code": ["x"]}}])
    unknown = error_of([{"extensions": {**told, "code": "UNKNOWN_INSTRUMENT"}}])
    failed = error_of([{"extensions": listed}])

    assert (odd.code, STEADY.wait(odd, 1, False)) == ("['x']", None)
    assert isinstance(unknown, InstrumentError)
    assert (unknown.attempts, unknown.candidates) == ((), ())
    assert isinstance(failed, DataError)
    assert failed.attempts == ()


@pytest.mark.parametrize("root", ['{"quote": {}}', '{"quote": "x"}', '{"quote": []}', "{}"])
def test_data_of_another_shape_than_the_question_are_an_error_of_the_client(root: str):
    with (
        answering(page(200, f'{{"data": {root}}}')) as (address, _),
        Client(address, trust_env=False) as client,
        pytest.raises(ConnectionFailed, match="ANSWER_UNREADABLE: the answer has another shape than was asked for"),
    ):
        client.quote("BTC/USD")


async def test_the_asynchronous_client_raises_the_same():
    with answering(page(200, '{"data": {"quote": {}}}')) as (address, _):
        async with AsyncClient(address, trust_env=False) as client:
            with pytest.raises(ConnectionFailed, match="ANSWER_UNREADABLE"):
                await client.quote("BTC/USD")


@pytest.mark.parametrize("text", [
    "hello", b"\xff", "null", "5", "{}", DEEP, '{"type": "next"}', '{"type": "next", "payload": null}',
    '{"type": "next", "payload": {"data": {}}}', '{"type": "next", "payload": {"data": "x"}}',
    '{"type": "next", "payload": {"data": {"quotes": {}}}}', '{"type": "next", "payload": {"errors": [null]}}',
    '{"type": "error", "payload": []}', '{"type": "error", "payload": [null]}', '{"type": "error", "payload": "x"}',
])  # fmt: skip
def test_a_message_of_another_shape_ends_a_stream_with_an_error_of_the_client(text: str | bytes):
    talk = Conversation(QUOTES_STREAM, {"symbols": ["BTC/USD"]}, after=None, credential={}, retry=STEADY)

    with pytest.raises(ConnectionFailed, match="ANSWER_UNREADABLE") as caught:
        talk.take(text)
    with pytest.raises(ConnectionFailed, match="ANSWER_UNREADABLE"):
        talk.pause(caught.value)


@pytest.mark.parametrize(("document", "expected"), [
    ("mutation { a }", True),
    ("mutation{ a }", True),
    ('\ufeff, mutation Order($mutation: String = ")") @live(if: true) { a(b: $mutation) }', True),
    ("# query {\nfragment F on Order { id }\r\n# }\rmutation { a { ...F } }", True),
    ("query A { a } mutation B { a }", True),
    ('query ($b: C = {d: ["}", "(", 2]}) { a(b: """ " \\""" { """) }mutation{ a }', True),
    ("{ mutation }", False),
    ("# mutation { a }\nquery mutation { a }", False),
    ('{ a(b: "} mutation {", c: """} mutation { \\""" } mutation {""") }', False),
    ("query ($mutation: Int) { a } fragment mutation on mutation { mutation }", False),
])  # fmt: skip
def test_what_is_a_mutation_is_found_in_the_document(document: str, expected: bool):
    assert writes(document) is expected


def test_a_mutation_with_fragments_and_comments_is_sent_once():
    document = "# { orders }\nfragment F on A { id } query Q { a } mutation M { a { ...F } }"
    lost = ConnectionFailed("gone", code="CONNECTION_FAILED", extensions={"sent": True})
    request = request_of(document, None, "M")

    assert STEADY.wait(lost, 1, request.writes) is None
    assert STEADY.wait(lost, 1, request_of("{ mutation }", None, None).writes) == 0.5


async def test_a_mutation_is_no_stream_and_nothing_is_sent():
    with Client("http://127.0.0.1:1") as client, pytest.raises(ValueError, match="a mutation is sent by execute"):
        client.subscribe("mutation { a }")
    async with AsyncClient("http://127.0.0.1:1") as client:
        with pytest.raises(ValueError, match="a mutation is sent by execute"):
            client.subscribe("mutation { a }")


def test_null_is_sent_and_what_is_not_given_is_left_out():
    given = {"id": "1", "description": None, "none": UNSET, "in": {"a": None, "b": UNSET, "c": [None]}}

    free = json.loads(request_of("query { a }", given, None).body)["variables"]
    order = OrderPlaceInput(account_id="a", symbol="s", side="BUY", type="MARKET", quantity=None)
    typed = json.loads(asked(ORDER_PLACE, {"input": order, "other": None}).body)["variables"]

    assert free == {"id": "1", "description": None, "in": {"a": None, "c": [None]}}
    assert typed == {"input": {"accountId": "a", "symbol": "s", "side": "BUY", "type": "MARKET", "quantity": None}}


def test_a_free_form_subscription_sends_null_and_a_typed_one_leaves_none_out():
    def variables(operation: Any) -> Any:
        given = {"symbols": ["BTC/USD"], "everyMs": None}
        talk = Conversation(operation, given, after=None, credential={}, retry=STEADY)
        return json.loads(talk.take('{"type": "connection_ack"}').send or "")["payload"]["variables"]

    assert variables(QUOTES_STREAM) == {"symbols": ["BTC/USD"]}
    assert variables(subscription_of("subscription { a }")) == {"symbols": ["BTC/USD"], "everyMs": None}


def test_what_is_unset_is_falsy_and_says_so():
    assert (bool(UNSET), repr(UNSET)) == (False, "UNSET")


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_two_credentials_are_refused(client: Any):
    with pytest.raises(ValueError, match="give api_key or token, not both"):
        client("http://127.0.0.1:1", api_key="a", token="b")
