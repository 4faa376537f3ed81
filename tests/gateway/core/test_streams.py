"""Replies that come in parts, against a real HTTP server on loopback."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from typing import cast

import pytest

from gateway.core.callfacts import CallFacts, call_facts
from gateway.core.guards.toll import Toll
from gateway.core.parts import LONGEST_LINE, ended
from gateway.core.upstream import NetworkTransport, UpstreamHttp
from providers.assistants.ollama import Ollama
from providers.contract import Part, Reply, Usage, in_path, per_minute
from schema.errors import (
    ConnectionFailed,
    Malformed,
    NotCovered,
    Overloaded,
    Throttled,
    Unauthorized,
    UpstreamError,
)
from schema.words.chat import CHAT_STREAM, ChatAsk, ChatDelta, ChatMessage, ChatRole, FinishReason
from tests.gateway.core.loopback import Upstream, chunked, http, ok, refused
from tests.gateway.doubles import ManualClock

EVENTS = (
    b": welcome\r\n\r\n",
    b'event: message_start\r\ndata: {"n": 1}\r\n\r\n',
    b'data: {"n":\ndata: 2.50}\n\nid: 7\nretry: 10\n',
    b'data: {"n": 3}\n\ndata: [DO',
    b'NE]\n\ndata: {"n": 4}\n\n',
)


async def parts(port: UpstreamHttp) -> list[tuple[str, object]]:
    return [(part.event, part.body.value) async for part in port.stream("/chat", {"ask": 1})]


async def refusal(port: UpstreamHttp, seen: list[Part] | None = None) -> UpstreamError:
    async def read() -> None:
        async for part in port.stream("/chat", {"ask": 1}):
            (seen if seen is not None else []).append(part)

    return await refused(read())


@pytest.fixture
def port(upstream: Upstream, transport: NetworkTransport) -> UpstreamHttp:
    return http(upstream, transport)


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_events_are_the_same_however_their_bytes_are_cut(
    upstream: Upstream, port: UpstreamHttp, size: int
) -> None:
    sent = b"".join(EVENTS)
    upstream.answers["/alpha/v1/chat"] = chunked(*(sent[i : i + size] for i in range(0, len(sent), size)))

    found = await parts(port)

    assert found == [("message_start", {"n": 1}), ("", {"n": Decimal("2.50")}), ("", {"n": 3})]
    assert upstream.calls[0].method == "POST"
    assert upstream.calls[0].body == b'{"ask":1}'
    assert upstream.calls[0].headers["accept-encoding"] == "identity"


SAID = '{"said": "Zürich \\"}]{[,\\\\ 👋", "more": [{"n": []}, {}]}'
"""Everything within a text that means something without."""


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    "form",
    [
        "data: {0}\n\ndata:{0}\n\n",
        "\ufeff: a comment\r\n\r\ndata: {0}\r\n\r\ndata: {0}",
        "{0}\n{0}",
        "\r\n[{0}\r\n,\r\n{0}]\n",
    ],
    ids=["events", "events of Windows", "lines", "array"],
)
async def test_texts_of_any_script_are_whole_wherever_the_network_cuts_them(
    upstream: Upstream, port: UpstreamHttp, form: str, size: int
) -> None:
    sent = form.replace("{0}", SAID).encode()
    upstream.answers["/alpha/v1/chat"] = chunked(*(sent[i : i + size] for i in range(0, len(sent), size)))

    found = await parts(port)

    assert found == [("", {"said": 'Zürich "}]{[,\\ 👋', "more": [{"n": []}, {}]})] * 2


async def test_an_object_may_stand_on_several_lines(upstream: Upstream, port: UpstreamHttp) -> None:
    upstream.answers["/alpha/v1/chat"] = ok(b'{\n  "error": {\n    "code": 7\n  }\n}\n')

    assert await parts(port) == [("", {"error": {"code": 7}})]


async def test_lines_of_json_and_a_last_one_without_its_end_are_parts(upstream: Upstream, port: UpstreamHttp) -> None:
    upstream.answers["/alpha/v1/chat"] = chunked(b'{"n": 1}\n\n{"n"', b': 2}\r\n{"n": 3}')

    assert await parts(port) == [("", {"n": 1}), ("", {"n": 2}), ("", {"n": 3})]


async def test_the_items_of_an_array_are_parts(upstream: Upstream, port: UpstreamHttp) -> None:
    upstream.answers["/alpha/v1/chat"] = chunked(b'[{"n": 1}\n,\r\n{"n"', b": 2}\n]")

    assert await parts(port) == [("", {"n": 1}), ("", {"n": 2})]


@pytest.mark.parametrize("begun", [b'data: {"n": 1}\n\n', b'{"n": 1}', b'[{"n": 1}'])
async def test_a_part_is_there_before_the_next_one_is_sent_and_who_leaves_closes_the_connection(
    upstream: Upstream, port: UpstreamHttp, begun: bytes
) -> None:
    upstream.answers["/alpha/v1/chat"] = chunked(begun, end=b"")

    async with aclosing(port.stream("/chat", {})) as coming:
        first = await anext(coming)
        alive = upstream.alive

    await upstream.gone.wait()
    assert first.body.value == {"n": 1}
    assert (alive, upstream.alive) == (1, 0)


async def test_who_leaves_an_adapters_stream_closes_the_connection_too(
    upstream: Upstream, transport: NetworkTransport
) -> None:
    port = http(upstream, transport)
    upstream.answers["/alpha/v1/api/chat"] = chunked(
        b'{"model": "small", "message": {"content": "a"}, "done": false}\n', end=b""
    )
    ask = ChatAsk(model="small", messages=(ChatMessage(role=ChatRole.USER, text="Hello"),))

    async with aclosing(ended("alpha", CHAT_STREAM, Ollama(port, ManualClock()).chat_stream(ask))) as coming:
        first = await anext(coming)

    await upstream.gone.wait()
    assert (first.text, upstream.alive) == ("a", 0)


async def test_the_body_of_a_refusal_is_bounded(
    upstream: Upstream, port: UpstreamHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.core.upstream.LARGEST_BODY", 100)
    upstream.answers["/alpha/v1/chat"] = ok(b"x" * 101, "429 Too Many")

    found = await refusal(port)

    assert (type(found), str(found)) == (Malformed, "alpha: its body is larger than anything that belongs there")


async def test_what_the_headers_of_a_stream_say_of_a_limit_is_heard(
    upstream: Upstream, transport: NetworkTransport
) -> None:
    limit, told = per_minute(50), Told()
    port = http(upstream, transport)
    usage = (Usage(header="x-left", limit=limit, remaining=True),)
    port.profile = replace(port.profile, limits=(limit,), usage=usage)
    upstream.answers["/alpha/v1/chat"] = chunked(b"{}", x_left="8")
    token = call_facts.set(CallFacts(toll=cast(Toll, told)))

    await parts(port)

    call_facts.reset(token)
    assert told.heard == ["paid", [(0, 42)], "done"]


class Told:
    """A toll that writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    async def pay(self) -> str:
        self.heard.append("paid")
        return "ticket"

    def seen(self, used: object) -> None:
        self.heard.append(used)

    def done(self, ticket: str) -> None:
        self.heard.append("done")


async def test_what_an_adapter_takes_for_an_error_in_mid_stream_is_raised(
    upstream: Upstream, port: UpstreamHttp
) -> None:
    def explain(reply: Reply) -> UpstreamError | None:
        return Overloaded("alpha", reply.body.text("error")) if "error" in reply.body else None

    port.explain = explain
    seen: list[Part] = []
    upstream.answers["/alpha/v1/chat"] = chunked(b'data: {"n": 1}\n\nevent: error\ndata: {"error": "busy"}\n\n')

    found = await refusal(port, seen)

    assert (type(found), str(found)) == (Overloaded, "alpha: busy")
    assert [part.body.value for part in seen] == [{"n": 1}]


async def test_a_connection_that_ends_within_a_stream_is_a_failed_connection(
    upstream: Upstream, port: UpstreamHttp
) -> None:
    seen: list[Part] = []
    upstream.answers["/alpha/v1/chat"] = chunked(b'data: {"n": 1}\n\n', end=b"", connection="close")

    found = await refusal(port, seen)

    assert (type(found), str(found)) == (ConnectionFailed, "alpha: the connection ended within the body")
    assert len(seen) == 1


async def test_an_event_that_was_cut_is_malformed(upstream: Upstream, port: UpstreamHttp) -> None:
    upstream.answers["/alpha/v1/chat"] = ok(b'data: {"n": 1}\n\ndata: {"n": ')

    assert isinstance(await refusal(port), Malformed)


@pytest.mark.parametrize(
    "body",
    [b"<!DOCTYPE html><p>busy", b"{ \n]", b'data: {"n": 1]\n\n', b"[1, 2", b'[{"n": 1}', b'{"n": 1}]', b'{"n": 1} x'],
)
async def test_what_is_no_stream_is_malformed(upstream: Upstream, port: UpstreamHttp, body: bytes) -> None:
    upstream.answers["/alpha/v1/chat"] = ok(body)

    assert isinstance(await refusal(port), Malformed)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"data: " + b"x" * LONGEST_LINE + b"\n", f"a line of the stream is longer than {LONGEST_LINE} bytes"),
        (b'{"n": "' + b"x" * LONGEST_LINE, f"an object of the stream is longer than {LONGEST_LINE} bytes"),
        (b"data: xx\n" * (LONGEST_LINE // 2), f"an event of the stream is longer than {LONGEST_LINE} bytes"),
    ],
)
async def test_lines_and_events_are_bounded(upstream: Upstream, port: UpstreamHttp, body: bytes, told: str) -> None:
    upstream.answers["/alpha/v1/chat"] = ok(body)

    found = await refusal(port)

    assert str(found) == f"alpha: {told}"


async def test_a_status_is_a_refusal_with_its_wait(upstream: Upstream, port: UpstreamHttp) -> None:
    upstream.answers["/alpha/v1/chat"] = ok(b'{"error": "slow down"}', "429 Too Many", retry_after="7")

    found = await refusal(port)

    assert (type(found), found.retry_after) == (Throttled, 7.0)


@pytest.mark.parametrize("form", ["data: {0}\n\n", "{0}\n", "[{0}]"])
async def test_a_key_that_an_upstream_repeats_is_no_part_of_what_is_said(
    upstream: Upstream, transport: NetworkTransport, form: str
) -> None:
    port = http(upstream, transport, key={"key": "secret-of-alpha"}, needs_key=False)
    sent = form.replace("{0}", '{"said": "your key secret-of-alpha"}').encode()
    upstream.answers["/alpha/v1/chat"] = chunked(sent[:30], sent[30:])

    ((_, said),) = await parts(port)

    assert "secret-of-alpha" not in str(said)


async def test_a_stream_none_of_whose_parts_is_the_end_has_broken_off() -> None:
    async def deltas(*sent: ChatDelta) -> AsyncGenerator[ChatDelta]:
        for delta in sent:
            yield delta

    whole = [ChatDelta(text="a"), ChatDelta(finish_reason=FinishReason.STOP)]

    assert [delta async for delta in ended("alpha", CHAT_STREAM, deltas(*whole))] == whole
    with pytest.raises(Malformed, match="the stream broke off before its end"):
        _ = [delta async for delta in ended("alpha", CHAT_STREAM, deltas(*whole[:1]))]


async def test_a_key_in_the_path_is_put_where_its_name_stands(upstream: Upstream, transport: NetworkTransport) -> None:
    port = http(upstream, transport, key={"key": "a/b"}, credentials=(in_path(),))
    upstream.answers["/alpha/v1/api/a%2Fb/rows"] = ok(b"[]")

    await port.get("/api/{key}/rows")

    assert upstream.calls[0].target == "/alpha/v1/api/a%2Fb/rows"


async def test_what_is_no_json_is_shown_to_the_adapter_that_knows_its_wording(
    upstream: Upstream, port: UpstreamHttp
) -> None:
    def explain(reply: Reply) -> UpstreamError | None:
        said = reply.body.value
        if said == "Too many requests today":
            return Throttled("alpha", "its text says so")
        return NotCovered("alpha", "an empty reply") if reply.status == 204 else None

    port.explain = explain
    upstream.answers = {
        "/alpha/v1/text": ok(b"Too many requests today"),
        "/alpha/v1/none": ok(b"", "204 No Content"),
        "/alpha/v1/page": ok(b"<p>"),
        "/alpha/v1/key": ok(b"<p>", "401 No"),
    }

    for ask, path, kind in (
        (port.get, "/text", Throttled),
        (port.get_csv, "/text", Throttled),
        (port.get_xml, "/text", Throttled),
        (port.get, "/none", NotCovered),
        (port.get, "/page", Malformed),
        (port.get_text, "/key", Unauthorized),
    ):
        with pytest.raises(kind):
            await ask(path)
    assert (await port.get_text("/page")).text() == "<p>"
