"""Clients that leave before their answer is there."""

from __future__ import annotations

import asyncio
import json

import pytest
from structlog.testing import capture_logs


class Client:
    """One raw request, whose sender leaves when it is told to."""

    def __init__(self, document: str) -> None:
        self.body = json.dumps({"query": document}).encode()
        self.left, self.read = asyncio.Event(), False
        self.sent: list[dict[str, object]] = []

    async def receive(self):
        if not self.read:
            self.read = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message) -> None:
        self.sent.append(message)

    def scope(self, more: list[tuple[bytes, bytes]]):
        length = (b"content-length", str(len(self.body)).encode())
        return {
            "type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "scheme": "http",
            "headers": [(b"content-type", b"application/json"), length, *more], "client": ("127.0.0.1", 1),
            "root_path": "", "http_version": "1.1", "server": ("127.0.0.1", 80),
        }  # fmt: skip


@pytest.mark.parametrize("more", [[], [(b"traceparent", b"00-0-0-01")]], ids=["short", "layers"])
async def test_a_query_ends_when_its_client_has_gone(more, build, world):
    client = Client("{ never }")
    app = build()
    with capture_logs() as logs:
        running = asyncio.create_task(app(client.scope(more), client.receive, client.send))
        await world.begun.wait()
        assert world.calls == []

        client.left.set()
        await running

    assert (world.calls, client.sent) == (["cancelled"], [])
    assert [line["status"] for line in logs if line["event"] == "request"] == [499]
    assert (running.cancelled(), running.cancelling()) == (False, 0)


async def test_a_server_that_stops_is_not_taken_for_a_client_that_leaves(build, world):
    client = Client("{ never }")
    running = asyncio.create_task(build()(client.scope([]), client.receive, client.send))
    await world.begun.wait()

    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert world.calls == ["cancelled"]


async def test_nobody_listens_for_the_client_once_the_answer_is_there(build):
    client = Client("{ hello }")

    await build()(client.scope([]), client.receive, client.send)

    assert client.sent[0]["status"] == 200
    assert asyncio.all_tasks() == {asyncio.current_task()}
