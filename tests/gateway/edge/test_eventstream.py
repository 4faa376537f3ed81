"""Subscriptions over HTTP: Server-Sent Events and multipart, from a whole gateway over real connections."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from gateway.edge import eventstream
from gateway.edge.eventstream import MULTIPART, SSE, framing_of
from gateway.edge.limits import EdgeSettings
from schema.errors import RateLimited
from tests.gateway.edge.floors import Floor
from tests.gateway.edge.sockets import Stage, serving, settled, stage_app, strangers

QUOTES = 'subscription { quotes(symbols: ["BTC/USD"]) { cursor snapshot quotes { price } } }'
EVENTS = "text/event-stream"
PARTS = "multipart/mixed;subscriptionSpec=1.0, application/json"


class Reading:
    """An answer as it comes in."""

    def __init__(self, response: httpx.Response) -> None:
        self.response, self._bytes, self._text = response, response.aiter_raw(), ""

    async def until(self, mark: str) -> str:
        """What comes up to a mark."""
        async with asyncio.timeout(10):
            while mark not in self._text:
                self._text += (await anext(self._bytes)).decode()
        found, _, self._text = self._text.partition(mark)
        return found

    async def event(self) -> tuple[str, Any]:
        """The next event that is more than a comment."""
        while True:
            lines = (await self.until("\n\n")).split("\n")
            if lines == [":"]:
                continue
            kind, data = lines
            payload = data.removeprefix("data:").strip()
            return kind.removeprefix("event: "), json.loads(payload) if payload else None

    async def part(self) -> Any:
        """The next part of a multipart answer."""
        head, _, body = (await self.until("\r\n--graphql")).partition("\r\n\r\n")
        assert head.strip() in ("Content-Type: application/json", "--graphql\r\nContent-Type: application/json")
        return json.loads(body)

    async def rest(self) -> str:
        """All that still comes."""
        async with asyncio.timeout(10):
            return self._text + "".join([piece.decode() async for piece in self._bytes])


@asynccontextmanager
async def posted(url: str, document: str, accept: str, key: str = "", **more: Any) -> AsyncIterator[Reading]:
    headers = {"accept": accept, **({"x-api-key": key} if key else {})}
    async with (
        httpx.AsyncClient() as client,
        client.stream("POST", url, json={"query": document, **more}, headers=headers) as response,
    ):
        yield Reading(response)


@pytest.mark.parametrize(
    ("accept", "framing"),
    [
        (None, None), ("*/*", None), ("application/json", None), ("multipart/mixed", None),
        ("multipart/mixed;deferSpec=20220824", None), (EVENTS, SSE), ("application/json, text/event-stream;q=0.5", SSE),
        ("text/event-stream;q=0, application/json", None), ("text/event-stream;q=0.0", None),
        (PARTS, MULTIPART), ('multipart/mixed; boundary=graphql; subscriptionSpec="1.0"', MULTIPART),
    ],
)  # fmt: skip
def test_who_names_a_way_of_streaming_gets_it(accept, framing) -> None:
    assert framing_of(accept) is framing


async def test_events_share_the_execution_of_sockets_and_go_on_behind_a_cursor(floor: Floor) -> None:
    floor.lines.price("sandbox", "100")
    async with floor.dial() as peer, posted(floor.http, QUOTES, EVENTS, floor.key) as reading:
        await peer.ask(QUOTES)
        kind, first = await reading.event()
        await peer.hear()
        assert len(floor.executor.broadcasts) == 1
        floor.lines.price("sandbox", "101")
        second = await reading.event()
        cursor = first["data"]["quotes"]["cursor"]
        async with posted(floor.http, QUOTES, EVENTS, floor.key, extensions={"after": cursor}) as again:
            missed = await again.event()
            assert len(floor.executor.broadcasts) == 1

    assert (reading.response.status_code, reading.response.headers["content-type"]) == (
        200, "text/event-stream; charset=utf-8",
    )  # fmt: skip
    assert reading.response.headers["cache-control"] == "no-store"
    assert (kind, first["data"]["quotes"]["quotes"], first["data"]["quotes"]["snapshot"]) == (
        "next", [{"price": "100"}], True,
    )  # fmt: skip
    assert "requestId" in first["extensions"]
    assert (second[0], second[1]["data"]["quotes"]["quotes"]) == ("next", [{"price": "101"}])
    assert missed[1]["data"]["quotes"] == second[1]["data"]["quotes"]


async def test_parts_are_whole_as_soon_as_they_are_there(floor: Floor) -> None:
    floor.lines.price("sandbox", "100")
    async with posted(floor.http, QUOTES, PARTS, floor.key) as reading:
        first = await reading.part()
        floor.lines.price("sandbox", "101")
        second = await reading.part()

    assert reading.response.headers["content-type"] == 'multipart/mixed; boundary="graphql"; subscriptionSpec="1.0"'
    assert first["payload"]["data"]["quotes"]["quotes"] == [{"price": "100"}]
    assert second["payload"]["data"]["quotes"]["quotes"] == [{"price": "101"}]


@pytest.fixture
def stage() -> Stage:
    return Stage()


@asynccontextmanager
async def staged(stage: Stage, settings: EdgeSettings, **changed: Any) -> AsyncIterator[tuple[str, Any]]:
    app = stage_app(stage, replace(settings, **changed))
    async with serving(app) as url:
        yield url.replace("ws://", "http://"), app


@pytest.fixture
def hasty(monkeypatch) -> None:
    """Heads wait for no message."""
    monkeypatch.setattr(eventstream, "HEAD_S", 0.0)


COUNT = "subscription { count(to: 2) { number } }"
SILENCE = "subscription { silence { number } }"


@pytest.mark.parametrize(
    ("document", "data"),
    [
        (COUNT, [{"count": {"number": 0}}, {"count": {"number": 1}}]),
        ("{ hello }", [{"hello": "hello world"}]),
        ('mutation { note(text: "a") }', [{"note": "a"}]),
    ],
)
async def test_every_operation_ends_with_complete(stage, settings, document, data) -> None:
    async with staged(stage, settings) as (url, _):
        async with posted(url, document, EVENTS) as reading:
            events = [await reading.event() for _ in range(len(data) + 1)]
            rest = await reading.rest()
        async with posted(url, document, PARTS) as reading:
            parts = [await reading.part() for _ in data]
            end = await reading.rest()

    assert [(kind, payload["data"]) for kind, payload in events[:-1]] == [("next", each) for each in data]
    assert (events[-1], rest) == (("complete", None), "")
    assert [part["payload"]["data"] for part in parts] == data
    assert end == "--\r\n"
    assert stage.open == 0


CANNOT_BEGIN = [
    ("{", "GRAPHQL_PARSE_FAILED"),
    ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
    ("subscription { expected { number } }", "AMBIGUOUS_INSTRUMENT"),
]


@pytest.mark.parametrize(("document", "code"), CANNOT_BEGIN)
async def test_what_cannot_begin_is_a_plain_answer_with_its_status_over_multipart(stage, settings, document, code):
    async with staged(stage, settings) as (url, _), posted(url, document, PARTS) as reading:
        body = json.loads(await reading.rest())

    assert (reading.response.status_code, body["errors"][0]["extensions"]["code"]) == (400, code)
    assert reading.response.headers["content-type"] == "application/graphql-response+json; charset=utf-8"


@pytest.mark.parametrize(("document", "code"), CANNOT_BEGIN)
async def test_what_cannot_begin_is_told_in_the_stream_over_events(stage, settings, document, code):
    async with staged(stage, settings) as (url, _), posted(url, document, EVENTS) as reading:
        (kind, payload), end, rest = await reading.event(), await reading.event(), await reading.rest()

    assert (reading.response.status_code, reading.response.headers["content-type"]) == (
        200, "text/event-stream; charset=utf-8",
    )  # fmt: skip
    assert (kind, payload["errors"][0]["extensions"]["code"]) == ("next", code)
    assert (end, rest) == (("complete", None), "")


async def test_a_cursor_that_is_no_text_is_refused_before_the_stream(floor: Floor) -> None:
    async with posted(floor.http, QUOTES, EVENTS, floor.key, extensions={"after": 5}) as reading:
        body = json.loads(await reading.rest())

    assert (reading.response.status_code, body["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


async def test_a_browser_may_ask_for_events_with_get(floor: Floor) -> None:
    floor.lines.price("sandbox", "100")
    headers = {"accept": EVENTS, "x-api-key": floor.key}
    async with (
        httpx.AsyncClient() as client,
        client.stream("GET", floor.http, params={"query": QUOTES}, headers=headers) as response,
    ):
        kind, first = await Reading(response).event()

    assert (kind, first["data"]["quotes"]["quotes"]) == ("next", [{"price": "100"}])


async def test_a_get_of_another_page_begins_no_stream_and_none_changes_anything(stage, settings) -> None:
    foreign = {"accept": EVENTS, "cookie": "a=b", "sec-fetch-mode": "no-cors", "sec-fetch-site": "cross-site"}
    async with staged(stage, settings) as (url, _), httpx.AsyncClient() as client:
        refused = await client.get(url, params={"query": COUNT}, headers=foreign)
        changing = await client.get(url, params={"query": 'mutation { note(text: "x") }'}, headers={"accept": EVENTS})

    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "CSRF_PREVENTED")
    assert (changing.status_code, stage.calls) == (405, [])


async def test_who_comes_back_over_events_gets_all_that_is_held(floor: Floor) -> None:
    floor.lines.price("sandbox", "0")
    async with floor.dial() as peer, posted(floor.http, QUOTES, EVENTS, floor.key) as reading:
        await peer.ask(QUOTES)
        await peer.hear()
        _, first = await reading.event()
        for number in range(1, 51):
            floor.lines.price("sandbox", str(number))
            await peer.hear()
        after = {"after": first["data"]["quotes"]["cursor"]}
        async with posted(floor.http, QUOTES, EVENTS, floor.key, extensions=after) as again:
            missed = [(await again.event())[1] for _ in range(50)]

    assert [each["data"]["quotes"]["quotes"][0]["price"] for each in missed] == [str(n) for n in range(1, 51)]
    assert not any("skipped" in each.get("extensions", {}) for each in missed)


async def test_one_stream_too_many_is_answered_with_429(stage, settings) -> None:
    stage.refused_operation = RateLimited("5 streams at a time are allowed", limit="streams", retry_after=1.0)
    async with staged(stage, settings) as (url, _), posted(url, COUNT, EVENTS) as reading:
        body = json.loads(await reading.rest())

    assert (reading.response.status_code, body["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMITED")


async def test_a_form_of_another_page_cannot_begin_a_stream(stage, settings) -> None:
    async with staged(stage, settings) as (url, _), httpx.AsyncClient() as client:
        reply = await client.post(url, content=b"{}", headers={"accept": EVENTS, "content-type": "text/plain"})

    assert (reply.status_code, stage.facts) == (415, [])


async def test_signs_of_life_come_while_nothing_happens(stage, settings, hasty) -> None:
    async with staged(stage, settings, socket_ping_s=0.02) as (url, _):
        async with posted(url, SILENCE, EVENTS) as reading:
            comments = [await reading.until("\n\n") for _ in range(3)]
        async with posted(url, SILENCE, PARTS) as reading:
            beats = [await reading.part() for _ in range(2)]

    assert comments == [":"] * 3
    assert beats == [{}] * 2


@pytest.mark.parametrize("accept", [EVENTS, PARTS])
async def test_a_credential_that_ends_ends_the_stream_with_an_error(stage, settings, hasty, accept) -> None:
    async with staged(stage, settings) as (url, _), posted(url, SILENCE, accept) as reading:
        await stage.begun.wait()
        stage.closers[0]("The token has expired")
        if accept == EVENTS:
            kind, payload = await reading.event()
            end = await reading.event()
        else:
            payload, kind, end = await reading.part(), "next", ("complete", None)
            assert payload.pop("payload") is None

    told = {"message": "The token has expired", "code": "UNAUTHENTICATED"}
    error = payload["errors"][0]
    assert (kind, {"message": error["message"], "code": error["extensions"]["code"]}) == ("next", told)
    assert end == ("complete", None)


async def test_a_process_that_goes_away_ends_streams_without_complete(stage, settings, hasty) -> None:
    async with staged(stage, settings) as (url, app), posted(url, SILENCE, EVENTS) as reading:
        await stage.begun.wait()
        app.state.executor.leaving.set()
        assert await reading.rest() == ":\n\n"

    assert (stage.calls, stage.open, stage.closers) == (["silence closed"], 0, [])


async def test_a_client_that_leaves_leaves_nothing(stage, settings, hasty) -> None:
    before = asyncio.all_tasks()
    async with staged(stage, settings) as (url, _):
        for _ in range(20):
            async with posted(url, SILENCE, EVENTS):
                await stage.begun.wait()
        await settled(lambda: (stage.open, stage.closers) == (0, []))
        assert not [task for task in asyncio.all_tasks() - before if task.get_name().startswith("stream")]
    assert strangers(before) == []
