"""The rows of the graphql-transport-ws protocol, one by one, on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from websockets.exceptions import InvalidStatus

from gateway.edge.limits import EdgeSettings
from schema.errors import CredentialNotAllowed, TenantSuspended, Unauthenticated
from tests.gateway.edge.sockets import KNOWN, Stage, dialled, serving, stage_app

INIT = {"type": "connection_init"}
QUERY = {"query": "{ hello }"}


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def limits(settings: EdgeSettings) -> EdgeSettings:
    return replace(settings, cors_origins=("https://app.example",))


@pytest.fixture
async def url(stage: Stage, limits: EdgeSettings) -> AsyncIterator[str]:
    async with serving(stage_app(stage, limits)) as address:
        yield address


async def test_a_query_a_mutation_and_a_subscription_go_over_one_socket(url, stage):
    async with dialled(url) as peer:
        await peer.initialise()

        assert peer.connection.subprotocol == "graphql-transport-ws"
        assert await peer.answer("{ hello }", "q") == {"hello": "hello world"}
        assert await peer.answer('mutation { note(text: "kept") }', "m") == {"note": "kept"}
        await peer.ask("subscription ($to: Int!) { count(to: $to) { number } }", "s", variables={"to": 2})
        heard = [await peer.hear() for _ in range(3)]

    assert [each["type"] for each in heard] == ["next", "next", "complete"]
    assert [each["payload"]["data"] for each in heard[:2]] == [{"count": {"number": 0}}, {"count": {"number": 1}}]
    assert stage.calls == ["kept", "count closed"]


async def test_operation_name_and_variables_are_heeded(url):
    document = "query A { hello } query B($name: String!) { hello(name: $name) }"

    async with dialled(url) as peer:
        await peer.initialise()
        data = await peer.answer(document, operationName="B", variables={"name": "you"}, extensions={})

    assert data == {"hello": "hello you"}


@pytest.mark.parametrize("offered", [[], ["graphql-ws"], ["soap", "graphql-ws"]], ids=str)
async def test_another_subprotocol_is_not_acceptable(url, offered):
    async with dialled(url, protocols=offered) as peer:
        ended = await peer.end()

    assert ended == (4406, "Subprotocol not acceptable: only graphql-transport-ws is served")


async def test_the_protocol_is_found_among_several(url):
    async with dialled(url, protocols=["graphql-ws", "graphql-transport-ws"]) as peer:
        await peer.initialise()

        assert peer.connection.subprotocol == "graphql-transport-ws"


async def test_another_path_has_no_socket(url):
    with pytest.raises(InvalidStatus) as refused:
        async with dialled(url.replace("/graphql", "/nothing")):
            pass

    assert refused.value.response.status_code in (403, 404)


MALFORMED = {
    "not JSON": "hello",
    "empty": "",
    "a list": [INIT],
    "a string": '"connection_init"',
    "null": "null",
    "a number": "7",
    "no type": {},
    "type is a number": {"type": 7},
    "type is a list": {"type": []},
    "unknown type": {"type": "connection_terminate"},
    "a type of the server": {"type": "connection_ack"},
    "payload of init is a string": {"type": "connection_init", "payload": "key"},
    "payload of ping is a list": {"type": "ping", "payload": []},
    "subscribe without id": {"type": "subscribe", "payload": QUERY},
    "subscribe with an empty id": {"type": "subscribe", "id": "", "payload": QUERY},
    "subscribe with a number as id": {"type": "subscribe", "id": 1, "payload": QUERY},
    "subscribe with an endless id": {"type": "subscribe", "id": "x" * 1_001, "payload": QUERY},
    "subscribe without payload": {"type": "subscribe", "id": "1"},
    "subscribe without query": {"type": "subscribe", "id": "1", "payload": {}},
    "query is null": {"type": "subscribe", "id": "1", "payload": {"query": None}},
    "query is an object": {"type": "subscribe", "id": "1", "payload": {"query": {}}},
    "operationName is a number": {"type": "subscribe", "id": "1", "payload": {**QUERY, "operationName": 7}},
    "variables are a list": {"type": "subscribe", "id": "1", "payload": {**QUERY, "variables": []}},
    "extensions are a string": {"type": "subscribe", "id": "1", "payload": {**QUERY, "extensions": "x"}},
    "complete without id": {"type": "complete"},
    "nested too deep": '{"type": "ping", "payload": {"a": ' + "[" * 2_000 + "]" * 2_000 + "}}",
    "an integer that would lose digits": '{"type": "ping", "payload": {"a": 123456789012345678901234567890}}',
    "a binary frame": b'{"type": "ping"}',
}


@pytest.mark.parametrize("message", MALFORMED.values(), ids=MALFORMED.keys())
async def test_an_invalid_message_closes_the_socket_before_and_after_the_ack(url, stage, message):
    for initialised in (False, True):
        async with dialled(url) as peer:
            if initialised:
                await peer.initialise()
            await peer.say(message)
            code, reason = await peer.end()

        assert code == 4400
        assert reason.startswith("Invalid message: ")
        assert len(reason.encode()) <= 123
        assert stage.calls == []


async def test_a_frame_that_is_not_utf8_closes_the_socket(url):
    async with dialled(url) as peer:
        await peer.connection.send(b"\xff\xfe", text=True)
        code, _ = await peer.end()

    assert code == 1007


async def test_a_frame_of_ten_megabytes_is_not_read(url, stage):
    async with dialled(url) as peer:
        await peer.initialise()
        await peer.ask("{ hello }", variables={"x": "x" * 10_000_000})
        code, _ = await peer.end()

    assert code == 1009
    assert stage.facts == stage.facts[:1]


async def test_a_message_over_the_limit_of_bodies_is_refused(stage, limits):
    async with serving(stage_app(stage, replace(limits, max_body_bytes=1_000))) as url, dialled(url) as peer:
        await peer.initialise()
        await peer.say({"type": "ping", "payload": {"x": "é" * 500}})
        ended = await peer.end()

    assert ended == (1009, "A message has at most 1000 bytes")


async def test_connection_init_must_come_in_time(stage, limits):
    async with serving(stage_app(stage, replace(limits, socket_init_s=0.05))) as url, dialled(url) as peer:
        ended = await peer.end()

    assert ended == (4408, "Connection initialisation timeout")
    assert stage.facts == []


async def test_who_has_sent_connection_init_is_not_late_while_it_is_found_out_who_asks(stage, limits):
    stage.slow_s = 0.2
    async with serving(stage_app(stage, replace(limits, socket_init_s=0.05))) as url, dialled(url) as peer:
        await peer.initialise()


async def test_a_second_connection_init_is_one_too_many(url):
    async with dialled(url) as peer:
        await peer.initialise()
        await peer.say(INIT)
        ended = await peer.end()

    assert ended == (4429, "Too many initialisation requests")


async def test_subscribing_before_the_ack_is_unauthorised(url, stage):
    async with dialled(url) as peer:
        await peer.ask('mutation { note(text: "x") }')
        ended = await peer.end()

    assert ended == (4401, "Unauthorized: send connection_init and wait for connection_ack")
    assert (stage.facts, stage.calls) == ([], [])


async def test_an_id_that_is_in_use_closes_the_socket(url, stage):
    async with dialled(url) as peer:
        await peer.initialise()
        await peer.ask("subscription { silence { number } }", "twice")
        await stage.begun.wait()
        await peer.ask("{ hello }", "twice")
        ended = await peer.end()

    assert ended == (4409, "Subscriber for twice already exists")
    assert stage.calls == ["silence closed"]


async def test_an_id_may_be_used_again_after_its_end(url):
    async with dialled(url) as peer:
        await peer.initialise()

        for _ in range(20):
            assert await peer.answer("{ hello }", "same") == {"hello": "hello world"}


@pytest.mark.parametrize("initialised", [False, True], ids=["before the ack", "after the ack"])
@pytest.mark.parametrize("payload", [{}, {"payload": {"sent": 1}}], ids=["bare", "with payload"])
async def test_a_ping_is_answered_with_its_payload(url, initialised, payload):
    async with dialled(url) as peer:
        if initialised:
            await peer.initialise()
        await peer.say({"type": "pong", **payload})
        await peer.say({"type": "ping", **payload})

        assert await peer.hear() == {"type": "pong", **payload}


async def test_the_server_pings_and_a_client_that_answers_stays(stage, limits):
    async with serving(stage_app(stage, replace(limits, socket_ping_s=0.05))) as url, dialled(url) as peer:
        await peer.initialise()
        for _ in range(3):
            assert await peer.hear() == {"type": "ping"}
            await peer.say({"type": "pong"})


async def test_a_client_that_does_not_answer_pings_is_left(stage, limits):
    async with serving(stage_app(stage, replace(limits, socket_ping_s=0.05))) as url, dialled(url) as peer:
        await peer.initialise()
        ended = await peer.end()

    assert ended == (4408, "No pong in time")


async def test_the_payload_and_headers_of_the_handshake_reach_the_gate(url, stage):
    headers = {"X-API-Key": "mg_dev_a_b", "Cookie": "mg_session=s", "User-Agent": "tests", "X-Other": "x"}

    async with dialled(url, headers=headers, user_agent_header=None) as peer:
        await peer.initialise({"authorization": "Bearer token"})

    (facts,) = stage.facts
    assert (facts.transport, facts.client_ip) == ("websocket", "127.0.0.1")
    assert facts.connection == {"authorization": "Bearer token"}
    assert facts.headers == {"x-api-key": "mg_dev_a_b", "cookie": "mg_session=s", "user-agent": "tests"}


UNAUTHENTICATED = "UNAUTHENTICATED: The credential is not valid: sign in again, or send another API key."
REFUSALS = [
    (Unauthenticated(), 4401, UNAUTHENTICATED),
    (CredentialNotAllowed("Not from here."), 4403, "CREDENTIAL_NOT_ALLOWED: Not from here."),
    (TenantSuspended("Suspended."), 4403, "TENANT_SUSPENDED: Suspended."),
    (TenantSuspended("é" * 100), 4403, "TENANT_SUSPENDED: " + "é" * 52),
]


@pytest.mark.parametrize(("refusal", "code", "reason"), REFUSALS, ids=["who", "where", "suspended", "long"])
async def test_a_caller_who_is_refused_gets_no_ack(url, stage, refusal, code, reason):
    stage.refusal = refusal

    async with dialled(url) as peer:
        await peer.say(INIT)
        await peer.ask('mutation { note(text: "x") }')
        ended = await peer.end()

    assert ended == (code, reason)
    assert (stage.calls, stage.closers) == ([], [])


async def test_a_fault_while_signing_in_is_masked(url, stage):
    stage.refusal = RuntimeError("the password is hunter2")

    async with dialled(url) as peer:
        await peer.say(INIT)
        code, reason = await peer.end()

    assert code == 4500
    assert reason.startswith("Internal error ")
    assert "hunter2" not in reason


async def test_pages_elsewhere_must_be_listed_or_hold_a_credential(url, stage):
    host = url.split("/")[2]
    told = (4403, "The page's origin is not in MARKETGATE_CORS_ORIGINS: send a credential")

    for origin in ("https://evil.example", f"https://{host}", "null"):
        async with dialled(url, origin=origin) as peer:
            await peer.say(INIT)
            assert await peer.end() == told
    for welcome in (f"http://{host}", "https://app.example", None):
        async with dialled(url, origin=welcome) as peer:
            await peer.initialise()
    stage.principal = KNOWN
    async with dialled(url, origin="https://elsewhere.example") as peer:
        await peer.initialise()

    assert [facts.same_origin for facts in stage.facts] == [False, False, False, True, False, True, False]


@pytest.mark.parametrize("reason", ["revoked", "suspended", "expired"])
async def test_a_credential_that_ends_closes_its_sockets_at_once(url, stage, reason):
    async with dialled(url) as peer:
        await peer.initialise()
        await peer.ask("subscription { silence { number } }")
        await stage.begun.wait()
        (closed,) = stage.closers
        closed(reason)
        async with asyncio.timeout(10):
            ended = await peer.end()

    assert ended == (4403, reason)
    assert (stage.calls, stage.closers, stage.open) == (["silence closed"], [], 0)
