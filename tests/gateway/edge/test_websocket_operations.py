"""Operations on one socket: their answers, their errors, their ends, and that none harms another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from gateway.edge.frames import FramesProtocol
from gateway.edge.limits import EdgeSettings
from schema.errors import RateLimited
from tests.gateway.edge.sockets import Stage, dialled, narrow, serving, settled, stage_app, strangers

SILENCE = "subscription { silence { number } }"


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
async def url(stage: Stage, settings: EdgeSettings) -> AsyncIterator[str]:
    async with serving(stage_app(stage, settings)) as address:
        yield address


def codes(message: dict) -> list[str]:
    return [error["extensions"]["code"] for error in message["payload"]]


BAD = {
    "{": "GRAPHQL_PARSE_FAILED",
    "": "GRAPHQL_PARSE_FAILED",
    "{ nothing }": "GRAPHQL_VALIDATION_FAILED",
    "fragment F on Query { hello }": "OPERATION_RESOLUTION_FAILURE",
    "query A { hello } query B { hello }": "OPERATION_RESOLUTION_FAILURE",
    "query ($x: String!) { hello(name: $x) }": "BAD_USER_INPUT",
    "subscription ($x: Int!) { count(to: $x) { number } }": "BAD_USER_INPUT",
    "subscription { nothing }": "GRAPHQL_VALIDATION_FAILED",
    "subscription { expected { number } }": "AMBIGUOUS_INSTRUMENT",
    "subscription { breaks(after: 0) { number } }": "INTERNAL",
    "{ odd }": "INTERNAL",
}


async def test_a_bad_operation_ends_with_an_error_of_its_own(url, stage):
    async with dialled(url) as peer:
        await peer.initialise()
        await peer.ask(SILENCE, "other")
        await stage.begun.wait()

        for document, code in BAD.items():
            await peer.ask(document, "bad")
            answer = await peer.hear()

            assert (answer["type"], answer["id"]) == ("error", "bad"), document
            assert codes(answer) == [code], document
            assert "hunter2" not in str(answer)
            assert await peer.answer("{ hello }", "good") == {"hello": "hello world"}
        stage.never.set()
        assert await peer.hear() == {
            "type": "next", "id": "other",
            "payload": {"data": {"silence": {"number": 0}}, "extensions": {"requestId": request_id(stage, 1), **COST}},
        }  # fmt: skip
        assert await peer.hear() == {"type": "complete", "id": "other"}


COST = {"cost": {"requested": 7, "actual": 7, "remaining": 93, "resetsAt": "2027-01-15T08:01:00Z"}}


def request_id(stage: Stage, number: int) -> str:
    return f"{stage.facts[0].request_id}.{number}"


async def test_errors_of_fields_come_with_the_data(url):
    async with dialled(url) as peer:
        await peer.initialise()
        await peer.ask("{ hello broken }")
        answer = await peer.hear()

        assert answer["type"] == "next"
        assert answer["payload"]["data"] == {"hello": "hello world", "broken": None}
        (error,) = answer["payload"]["errors"]
        assert (error["message"], error["path"]) == ("Internal error", ["broken"])
        assert await peer.hear() == {"type": "complete", "id": "1"}


async def test_every_operation_names_its_request(url, stage):
    async with dialled(url) as peer:
        await peer.initialise()
        heard = []
        for document in ("{ hello }", "{"):
            await peer.ask(document)
            heard.append(await peer.hear())
            if document != "{":
                await peer.hear()

    assert heard[0]["payload"]["extensions"] == {"requestId": request_id(stage, 1), **COST}
    assert heard[1]["payload"][0]["extensions"]["requestId"] == request_id(stage, 2)


async def test_events_have_contexts_and_errors_of_their_own(url, stage):
    async with dialled(url) as peer:
        await peer.initialise()
        await peer.ask("subscription { count(to: 2) { number counted again: counted broken } }")
        first, second = await peer.hear(), await peer.hear()

        assert await peer.hear() == {"type": "complete", "id": "1"}

    for number, event in enumerate((first, second)):
        tick = {"number": number, "counted": 1, "again": 2, "broken": None}
        assert event["payload"]["data"] == {"count": tick}
        assert [error["path"] for error in event["payload"]["errors"]] == [["count", "broken"]]
        assert [error["message"] for error in event["payload"]["errors"]] == ["Internal error"]
    assert first["payload"]["errors"][0]["extensions"] != second["payload"]["errors"][0]["extensions"]
    assert "cost" in first["payload"]["extensions"]
    assert "cost" not in second["payload"]["extensions"]
    assert (stage.open, stage.failures) == (0, [True])


async def test_a_source_that_breaks_ends_its_subscription_with_an_error(url, stage):
    async with dialled(url) as peer:
        await peer.initialise()
        await peer.ask("subscription { breaks(after: 1) { number } }")
        heard = [await peer.hear() for _ in range(2)]

        assert [each["type"] for each in heard] == ["next", "error"]
        assert codes(heard[1]) == ["INTERNAL"]
        assert "hunter2" not in str(heard)
        assert await peer.answer("{ hello }") == {"hello": "hello world"}
    assert (stage.open, stage.failures) == (0, [True, False])


async def test_an_operation_that_may_not_run_is_an_error(url, stage):
    stage.refused_operation = RateLimited("Too many.", limit="points", retry_after=2)

    async with dialled(url) as peer:
        await peer.initialise()
        for document in ("{ hello }", 'mutation { note(text: "x") }', SILENCE):
            await peer.ask(document)
            answer = await peer.hear()

            assert answer["type"] == "error"
            (error,) = answer["payload"]
            assert error["extensions"]["code"] == "RATE_LIMITED"
            assert error["extensions"]["retryAfterMs"] == 2_000
    assert (stage.calls, stage.open) == ([], 0)


async def test_complete_ends_a_subscription_and_nothing_more_comes_of_it(url, stage):
    async with dialled(url) as peer:
        await peer.initialise()
        await peer.ask(SILENCE, "s")
        await stage.begun.wait()
        await peer.say({"type": "complete", "id": "s"})
        await settled(lambda: stage.calls == ["silence closed"])
        stage.never.set()

        assert await peer.answer("{ hello }", "s") == {"hello": "hello world"}
    assert (stage.open, stage.failures) == (0, [True, False])


async def test_complete_of_an_id_that_is_not_there_is_passed_over(url):
    async with dialled(url) as peer:
        await peer.say({"type": "complete", "id": "nobody"})
        await peer.initialise()
        await peer.say({"type": "complete", "id": "nobody"})

        assert await peer.answer("{ hello }") == {"hello": "hello world"}


async def test_complete_cancels_a_query(url, stage):
    async with dialled(url) as peer:
        await peer.initialise()
        await peer.ask("{ never }")
        await stage.begun.wait()
        await peer.say({"type": "complete", "id": "1"})
        await settled(lambda: stage.calls == ["never cancelled"])

        assert await peer.answer("{ hello }") == {"hello": "hello world"}
    assert stage.open == 0


async def test_a_slow_operation_holds_up_no_other(url, stage):
    async with dialled(url) as peer:
        await peer.initialise()
        await peer.ask("{ never }", "slow")
        await stage.begun.wait()

        assert await peer.answer("{ hello }", "quick") == {"hello": "hello world"}
        stage.never.set()
        assert (await peer.hear())["payload"]["data"] == {"never": "never"}


async def test_an_operation_has_its_time_on_a_socket_too(stage, settings):
    async with serving(stage_app(stage, replace(settings, operation_timeout_s=0.05))) as url, dialled(url) as peer:
        await peer.initialise()
        await peer.ask("{ never }", "query")
        query = await peer.hear()
        await peer.ask("subscription { count(to: 3) { number never } }", "event")
        event = await peer.hear()
        stage.begun.clear()
        await peer.ask(SILENCE, "silence")
        await stage.begun.wait()
        await asyncio.sleep(0.1)
        stage.never.set()
        silence = await peer.hear()

    assert (query["type"], codes(query)) == ("error", ["DEADLINE_EXCEEDED"])
    assert (event["type"], codes(event)) == ("error", ["DEADLINE_EXCEEDED"])
    assert (silence["type"], silence["id"]) == ("next", "silence")


async def test_one_operation_too_many_is_refused_and_the_others_go_on(stage, settings):
    async with serving(stage_app(stage, replace(settings, max_socket_operations=3))) as url, dialled(url) as peer:
        await peer.initialise()
        for number in range(3):
            await peer.ask(SILENCE, str(number))
        await peer.ask("{ hello }", "four")
        refused = await peer.hear()

        assert (refused["type"], refused["id"], codes(refused)) == ("error", "four", ["LIMIT_EXCEEDED"])
        extensions = refused["payload"][0]["extensions"]
        assert (extensions["limit"], extensions["max"]) == ("operations", 3)
        await peer.say({"type": "complete", "id": "1"})
        await settled(lambda: stage.open == 2)
        assert await peer.answer("{ hello }", "four") == {"hello": "hello world"}


# --- Sockets that go away


async def test_a_client_that_leaves_takes_its_operations_along(url, stage):
    before = asyncio.all_tasks()
    async with dialled(url) as peer:
        await peer.initialise()
        await peer.ask(SILENCE, "s")
        await peer.ask("{ never }", "q")
        await settled(lambda: stage.open == 2)

    await settled(lambda: not strangers(before))
    assert sorted(stage.calls) == ["never cancelled", "silence closed"]
    assert (stage.open, stage.closers) == (0, [])


async def test_a_connection_that_breaks_leaves_no_task(url, stage):
    before = asyncio.all_tasks()
    async with dialled(url) as peer:
        await peer.initialise()
        await peer.ask(SILENCE, "s")
        await peer.ask("{ never }", "q")
        await settled(lambda: stage.open == 2)
        peer.connection.transport.abort()

        await settled(lambda: not strangers(before))
    assert sorted(stage.calls) == ["never cancelled", "silence closed"]
    assert (stage.open, stage.closers) == (0, [])


async def test_a_mutation_that_began_runs_to_its_end_without_its_client(url, stage):
    before = asyncio.all_tasks()
    async with dialled(url) as peer:
        await peer.initialise()
        await peer.ask('mutation { slowNote(text: "x") }', "m")
        await stage.begun.wait()
        await peer.say({"type": "complete", "id": "m"})
        assert await peer.answer("{ hello }", "m") == {"hello": "hello world"}
        await peer.ask('mutation { slowNote(text: "y") }', "n")
        await settled(lambda: len(stage.calls) == 2)
        peer.connection.transport.abort()
        await settled(lambda: not stage.closers)
    assert stage.calls == ["begins x", "begins y"]

    stage.never.set()

    await settled(lambda: not strangers(before))
    assert stage.calls == ["begins x", "begins y", "ends x", "ends y"]
    assert stage.open == 0


async def test_a_client_that_does_not_read_is_left(stage, settings):
    before = asyncio.all_tasks()
    async with (
        serving(stage_app(stage, replace(settings, socket_send_s=0.2))) as url,
        dialled(url, max_queue=1, compression=None) as peer,
    ):
        await peer.initialise()
        await peer.ask("subscription { flood(size: 200000) }")

        await settled(lambda: "flood closed" in stage.calls)
        flooded = stage.calls.count("flood")
        await settled(lambda: stage.open == 0)
        peer.connection.transport.abort()
        await settled(lambda: not strangers(before))
    # What fits into the buffers of both ends, and no more: the source was held back.
    assert flooded < 100
    assert (stage.open, stage.closers) == (0, [])


async def test_pings_of_a_client_that_does_not_read_cost_no_memory(stage, settings):
    """RFC 6455, 5.5.3: the last of several pings may be answered alone."""
    protocols: list[FramesProtocol] = []

    class Seen(FramesProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            protocols.append(self)

    app = stage_app(stage, settings)
    async with serving(app, protocol=Seen) as url, dialled(url, sock=narrow(url), max_queue=1) as peer:
        peer.connection.transport.pause_reading()
        ping, size = b"\x89\xfd\0\0\0\0" + b"x" * 125, 0
        for _ in range(40):
            peer.connection.transport.write(ping * 1_000)
            await asyncio.sleep(0)
            size = max(size, *(each.transport.get_write_buffer_size() for each in protocols))
        await settled(lambda: peer.connection.transport.get_write_buffer_size() == 0)
        size = max(size, protocols[0].transport.get_write_buffer_size())
        peer.connection.transport.abort()

    # Five megabytes came; the pongs of one piece that was read may wait.
    assert size < 1_000_000


async def test_a_socket_that_was_closed_and_is_not_read_is_gone_soon(stage, settings, monkeypatch):
    monkeypatch.setattr("gateway.edge.frames.UNREAD_S", 0.1)
    protocols: list[FramesProtocol] = []

    class Seen(FramesProtocol):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            protocols.append(self)

    app = stage_app(stage, replace(settings, socket_send_s=0.2))
    async with (
        serving(app, protocol=Seen) as url,
        dialled(url, sock=narrow(url), max_queue=1, compression=None) as peer,
    ):
        await peer.initialise()
        await peer.ask("subscription { flood(size: 200000) }")
        peer.connection.transport.pause_reading()
        await settled(lambda: "flood closed" in stage.calls)
        await settled(lambda: len(protocols) == 1)
        peer.connection.transport.abort()


async def test_a_client_that_reads_late_is_heard_meanwhile(url, stage):
    async with dialled(url, max_queue=1, compression=None) as peer:
        await peer.initialise()
        await peer.ask("subscription { flood(size: 200000) }", "f")
        await settled(lambda: len(stage.calls) > 3)
        await peer.say({"type": "complete", "id": "f"})
        await settled(lambda: "flood closed" in stage.calls)
        await peer.say({"type": "ping"})
        while (heard := await peer.hear())["type"] == "next":
            pass

    assert heard == {"type": "pong"}


async def test_two_hundred_sockets_come_and_go(url, stage):
    before = asyncio.all_tasks()

    async def visit(number: int) -> None:
        async with dialled(url) as peer:
            await peer.initialise()
            await peer.ask(SILENCE, "s")
            if number % 2:
                peer.connection.transport.abort()

    for start in range(0, 200, 20):
        await asyncio.gather(*(visit(number) for number in range(start, start + 20)))

    await settled(lambda: not strangers(before))
    assert len(stage.facts) == 200
    assert (stage.open, stage.closers) == (0, [])


async def test_a_process_that_stops_tells_its_clients_to_come_again(stage, settings):
    before = asyncio.all_tasks()
    async with AsyncExitStack() as stack:
        async with serving(stage_app(stage, settings)) as url:
            peer = await stack.enter_async_context(dialled(url))
            await peer.initialise()
            await peer.ask(SILENCE, "s")
            await stage.begun.wait()
        end = await peer.end()

    assert end == (1001, "This process is going away: connect again")
    assert stage.calls == ["silence closed"]
    assert (stage.open, stage.closers, strangers(before)) == (0, [], [])
