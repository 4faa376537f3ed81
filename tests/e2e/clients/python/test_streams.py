"""Streams of the Python client at a running gateway: messages, resuming over a broken line, refusals, ends."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import pytest
from marketgate_client import AccessError, AsyncClient, Client, ConnectionFailed, LimitError, MarketgateError, Retry
from marketgate_client.conversation import Conversation
from marketgate_client.generated import NoticeCode, QuotesUpdate
from marketgate_client.generated.operations import QUOTES_STREAM
from websockets.exceptions import ConnectionClosedError
from websockets.frames import Close

from tests.e2e.clients.line import Line
from tests.e2e.market.process import Gateway

QUICK = Retry(first_s=0.01, chance=lambda: 0.0)
TRADES = 'subscription { trades(symbol: "crypto:BTC/USD") { cursor snapshot trades { id } notices { code } } }'


def ids(message: Any) -> list[int]:
    return [int(trade.id) for trade in message.trades]


def happened(gateway: Gateway, *, after: int, until: int) -> list[int]:
    """All trades between two ids, as a query tells them."""
    query = '{ trades(symbol: "crypto:BTC/USD", last: 200, route: {maxAgeMs: 0}) { id } }'
    found = [int(trade["id"]) for trade in gateway.ask(query)["trades"]]
    assert min(found) <= after
    return [each for each in found if after < each <= until]


def test_messages_are_typed_and_begin_with_a_snapshot(client: Client):
    seen: list[QuotesUpdate] = []
    with client.quotes_stream(["BTC/USD", "NOSUCH/USD"], every_ms=100) as stream:
        while len(seen) < 2 or not any(message.notices for message in seen):
            seen.append(next(stream))

    assert [message.snapshot for message in seen] == [True] + [False] * (len(seen) - 1)
    assert stream.cursor == seen[-1].cursor
    assert {quote.instrument.id for message in seen for quote in message.quotes} == {"crypto:BTC/USD"}
    told = {(notice.code, notice.symbol) for message in seen for notice in message.notices}
    assert told == {(NoticeCode.STALE, "NOSUCH/USD")}
    assert (stream.reconnects, stream.lost) == (0, 0)


def test_a_stream_resumes_behind_its_cursor_when_the_line_was_cut(gateway: Gateway, line: Line):
    told: list[int] = []

    with (
        Client(line.url, api_key=gateway.key, trust_env=False, retry=QUICK) as client,
        client.trades_stream("crypto:BTC/USD") as stream,
    ):
        snapshot = next(stream)
        for message in stream:
            assert not message.snapshot
            assert message.notices == ()
            told += ids(message)
            if stream.reconnects < 2:
                line.cut()
            elif message.trades:
                break

    assert told == happened(gateway, after=max(ids(snapshot)), until=told[-1])
    assert line.connections == stream.reconnects + 1 >= 3


async def test_an_asynchronous_stream_resumes_too(gateway: Gateway, line: Line):
    told: list[int] = []

    async with (
        AsyncClient(line.url, api_key=gateway.key, trust_env=False, retry=QUICK) as client,
        client.trades_stream("crypto:BTC/USD") as stream,
    ):
        snapshot = await anext(stream)
        async for message in stream:
            assert not message.snapshot
            told += ids(message)
            if stream.reconnects == 0:
                line.cut()
            elif message.trades:
                break

    assert told == happened(gateway, after=max(ids(snapshot)), until=told[-1])


def test_a_cursor_goes_on_in_another_stream(client: Client, gateway: Gateway):
    with client.trades_stream("crypto:BTC/USD") as first:
        begun = next(first)
    with client.trades_stream("crypto:BTC/USD", after=first.cursor) as second:
        message = next(each for each in second if each.trades)

    assert begun.snapshot
    assert not message.snapshot
    assert ids(message) == happened(gateway, after=max(ids(begun)), until=max(ids(message)))


def test_a_free_form_subscription_is_json_and_keeps_its_cursor(client: Client):
    with client.subscribe(TRADES) as stream:
        message = next(stream)

    assert message["trades"]["snapshot"] is True
    assert stream.cursor == message["trades"]["cursor"]


def test_a_refused_subscription_and_a_bad_key_raise_their_classes(client: Client, gateway: Gateway):
    with pytest.raises(MarketgateError) as refused, client.quotes_stream(["BTC/USD"], every_ms=-1) as stream:
        next(stream)
    with (
        Client(gateway.url, api_key="mg_dev_no_key", trust_env=False) as stranger,
        pytest.raises(AccessError) as turned_away,
        stranger.quotes_stream(["BTC/USD"]) as stream,
    ):
        next(stream)

    assert refused.value.code == "BAD_USER_INPUT"
    assert turned_away.value.code == "UNAUTHENTICATED"


def test_a_gateway_that_does_not_come_back_is_given_up(gateway: Gateway, line: Line):
    patience = Retry(first_s=0.01, reconnects=3, chance=lambda: 0.0)
    with (
        Client(line.url, api_key=gateway.key, trust_env=False, retry=patience) as client,
        client.quotes_stream(["BTC/USD"]) as stream,
    ):
        next(stream)
        line.lets_through = 0
        line.cut()
        with pytest.raises(ConnectionFailed):
            for _ in stream:
                pass

    assert stream.reconnects == 3


def test_closing_wakes_a_reader_in_another_thread(client: Client):
    stream = client.events_stream(types=["quota.*"])
    next(stream)
    read: list[object] = []
    reader = threading.Thread(target=lambda: read.extend(stream))
    reader.start()
    while stream._socket is None:
        time.sleep(0.01)

    stream.close()
    reader.join(10)

    assert not reader.is_alive()
    assert read == []


async def test_closing_wakes_a_reader_in_another_task(gateway: Gateway):
    async with AsyncClient(gateway.url, api_key=gateway.key, trust_env=False) as client:
        stream = client.events_stream(types=["quota.*"])
        await anext(stream)
        reader = asyncio.create_task(_collected(stream))
        await asyncio.sleep(0)

        await stream.aclose()

        assert await asyncio.wait_for(reader, 10) == []


async def _collected(stream: Any) -> list[object]:
    return [message async for message in stream]


def talk(retry: Retry = QUICK) -> Conversation[Any]:
    return Conversation(
        QUOTES_STREAM, {"symbols": ["BTC/USD"], "everyMs": None}, after=None, credential={"apiKey": "k"}, retry=retry
    )


def closed(code: int, reason: str = "") -> ConnectionClosedError:
    return ConnectionClosedError(Close(code, reason), None)


def said(type: str, payload: object = None) -> str:
    return json.dumps({"type": type, "id": "1", "payload": payload})


def test_the_words_of_the_protocol():
    conversation = talk()

    opening, subscribe = json.loads(conversation.opening()), conversation.take(said("connection_ack")).send
    assert opening == {"type": "connection_init", "payload": {"apiKey": "k"}}
    assert subscribe is not None
    payload = json.loads(subscribe)["payload"]
    assert (payload["operationName"], payload["variables"]) == ("QuotesStream", {"symbols": ["BTC/USD"]})
    assert "extensions" not in payload
    assert conversation.take(said("ping")).send == '{"type":"pong"}'
    assert conversation.take(said("pong")).send is None
    assert conversation.take(said("complete")).ended


def test_a_reconnection_gives_the_last_cursor_back_and_counts_what_was_lost():
    conversation = talk()
    update = {"cursor": "c1", "snapshot": True, "skipped": 0, "quotes": [], "notices": []}

    step = conversation.take(said("next", {"data": {"quotes": update}, "extensions": {"skipped": 3}}))
    wait = conversation.pause(closed(1001))
    again = conversation.take(said("connection_ack")).send

    assert step.message is not None
    assert step.message.cursor == "c1"
    assert (conversation.lost, conversation.reconnects, wait) == (3, 1, 0.01)
    assert again is not None
    assert json.loads(again)["payload"]["extensions"] == {"after": "c1"}


@pytest.mark.parametrize("error", [closed(1001), closed(1013), closed(4408), closed(4500), OSError("gone"),
                                   TimeoutError(), ConnectionClosedError(None, None)])  # fmt: skip
def test_what_may_pass_is_waited_for_longer_and_longer(error: Exception):
    conversation = talk()

    assert [conversation.pause(error) for _ in range(3)] == [0.01, 0.02, 0.04]


@pytest.mark.parametrize(("error", "kind", "code"), [
    (closed(4401, "UNAUTHENTICATED: no"), AccessError, "UNAUTHENTICATED"),
    (closed(4403, "FORBIDDEN: no"), AccessError, "FORBIDDEN"),
    (closed(4403, "RATE_LIMITED: one socket too many"), LimitError, "RATE_LIMITED"),
    (closed(4403, "The key was revoked"), AccessError, "FORBIDDEN"),
    (closed(4400, "no such type"), MarketgateError, "BAD_REQUEST"),
])  # fmt: skip
def test_what_would_happen_again_is_raised(error: Exception, kind: type[MarketgateError], code: str):
    with pytest.raises(kind) as caught:
        talk().pause(error)

    assert caught.value.code == code


def test_a_refusal_that_says_when_is_waited_for_and_any_other_is_raised():
    conversation = talk()
    busy = {"message": "busy", "extensions": {"code": "RATE_LIMITED", "retryAfterMs": 2_500}}
    full = {"message": "full", "extensions": {"code": "RATE_LIMITED", "limit": "streams"}}

    with pytest.raises(LimitError) as first:
        conversation.take(said("error", [busy]))
    with pytest.raises(LimitError) as second:
        conversation.take(said("error", [full]))

    assert conversation.pause(first.value) == 2.5
    with pytest.raises(LimitError):
        conversation.pause(second.value)


def test_a_message_with_nothing_but_an_error_is_raised():
    error = {"message": "gone", "extensions": {"code": "UPSTREAM_UNAVAILABLE"}}

    with pytest.raises(MarketgateError, match="UPSTREAM_UNAVAILABLE: gone"):
        talk().take(said("next", {"data": None, "errors": [error]}))
