"""Sockets of the TypeScript client: how they end, and what no gateway says on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.clients.line import Line
from tests.e2e.clients.typescript.node import Node, Thrown
from tests.e2e.market.process import Gateway

CLIENT = "const client = createClient({ url: given.url, webSocket: WebSocket, apiKey: given.key });"


@pytest.mark.parametrize("ended", ["client.close();", "stop.abort();"])
def test_a_process_ends_by_itself_once_its_streams_are_ended(typescript_client: Path, offline: Gateway, ended: str):
    """Also where nobody takes the messages that have come."""
    own = Node(typescript_client)
    own.run(
        CLIENT
        + """
        const stop = new AbortController();
        const stream = client.subscribe(QuoteStreamDocument, { symbols: ["BTC/USD"] }, { signal: stop.signal });
        await stream.next();"""
        + ended,
        url=f"{offline.url}/graphql",
        key=offline.key,
    )

    own.close()

    assert own.process.returncode == 0


def test_a_process_does_not_wait_for_the_goodbye_of_a_machine_that_is_gone(
    typescript_client: Path, offline: Gateway, line: Line
):
    own = Node(typescript_client)
    own.run(
        CLIENT
        + """
        await client.subscribe(QuoteStreamDocument, { symbols: ["BTC/USD"] }).next();
        await told("silence");
        client.close();""",
        on={"silence": line.silence},
        url=f"{line.url}/graphql",
        key=offline.key,
    )

    own.close()
    line.cut()

    assert own.process.returncode == 0


def test_a_socket_that_fell_silent_is_dropped_at_once(node: Node):
    """Where it can be: a browser's cannot."""
    calls = node.run(
        """
        const calls = [];
        class Mute {
            constructor() { setTimeout(() => { this.onopen(); this.onmessage({ data: '{"type":"connection_ack"}' }) }) }
            send() {}
            close(code) { calls.push(["close", code]) }
            terminate() { calls.push(["terminate"]) }
        }
        const client = createClient({ url: "http://127.0.0.1/graphql", webSocket: Mute, silentMs: 10 });
        const onState = () => client.close();
        for await (const _ of client.subscribe(QuoteStreamDocument, { symbols: ["BTC/USD"] }, { onState })) return;
        return calls;""",
    )

    assert calls == [["close", 1000], ["terminate"]]


@pytest.mark.parametrize("text", [
    "hello", "null", '{"type":"next","id":"1"}', '{"type":"next","id":"1","payload":"x"}',
    '{"type":"next","id":"1","payload":{"data":{},"errors":[null]}}',
    '{"type":"next","id":"1","payload":{"data":"x"}}', '{"type":"error","id":"1","payload":[null]}',
    '{"type":"error","id":"1","payload":[]}', '{"type":"error","id":"1"}',
])  # fmt: skip
def test_a_message_of_another_shape_ends_the_stream_with_a_fault(node: Node, text: str):
    with pytest.raises(Thrown, match="the socket was closed with 4400: a message ") as thrown:
        node.run(
            """
            class Other {
                constructor() { setTimeout(() => this.onopen()) }
                send() { this.onmessage({ data: '{"type":"connection_ack"}' }); this.onmessage({ data: given.text }) }
                close() {}
            }
            const client = createClient({ url: "http://127.0.0.1/graphql", webSocket: Other });
            for await (const _ of client.subscribe(QuoteStreamDocument, { symbols: ["BTC/USD"] })) return;""",
            text=text,
        )

    assert thrown.value.fault is not None
    assert (thrown.value.fault["code"], thrown.value.fault["closeCode"]) == ("CONNECTION_REFUSED", 4400)


@pytest.mark.parametrize(("code", "reason", "expected"), [
    (4401, "", "UNAUTHENTICATED"),
    (4403, "", "FORBIDDEN"),
    (4403, "RATE_LIMITED: one socket too many", "RATE_LIMITED"),
    (4409, "Subscriber for 1 already exists", "CONNECTION_REFUSED"),
])  # fmt: skip
def test_a_close_says_what_http_says_of_a_credential(node: Node, code: int, reason: str, expected: str):
    with pytest.raises(Thrown, match=f"the socket was closed with {code}") as thrown:
        node.run(
            """
            class Closed {
                constructor() { setTimeout(() => this.onclose({ code: given.code, reason: given.reason })) }
                close() {}
            }
            const client = createClient({ url: "http://127.0.0.1/graphql", webSocket: Closed });
            for await (const _ of client.subscribe(QuoteStreamDocument, { symbols: ["BTC/USD"] })) return;""",
            code=code,
            reason=reason,
        )

    assert thrown.value.fault is not None
    assert thrown.value.fault["code"] == expected
