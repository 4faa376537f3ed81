"""A deploy: the process is told to end, and says so to everybody who listens."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import Any

import httpx

from tests.gateway.cli.conftest import announced, rest, started
from tests.gateway.edge.sockets import Peer, dialled

LISTEN = 'subscription { quotes(symbols: ["BTC/USD"]) { snapshot } }'


def test_every_socket_hears_1001_and_the_process_ends_within_its_grace():
    process = started("serve", "--port", "0", MARKETGATE_LOG_LEVEL="error")
    http = announced(process) + "/graphql"
    url = http.replace("http", "ws")

    async def hear() -> list[Any]:
        async with (
            dialled(url) as idle, dialled(url) as listens, dialled(url) as deaf, httpx.AsyncClient() as client,
            client.stream("POST", http, json={"query": LISTEN}, headers={"accept": "text/event-stream"}) as streamed,
        ):  # fmt: skip
            peers: list[Peer] = [idle, listens, deaf]
            for peer in peers:
                await peer.initialise()
            await listens.ask(LISTEN)
            assert (await listens.hear())["payload"]["data"] == {"quotes": {"snapshot": True}}
            deaf.connection.transport.pause_reading()
            process.send_signal(signal.SIGTERM)
            streamed_text = (await streamed.aread()).decode()
            assert ("event: next" in streamed_text, "event: complete" in streamed_text) == (True, False)
            return [await idle.end(), await listens.end()]

    ends = asyncio.run(hear())
    begun = time.monotonic()
    _, err = rest(process)

    assert ends == [(1001, "This process is going away: connect again")] * 2
    assert time.monotonic() - begun < 8
    assert (process.returncode, err) == (-signal.SIGTERM, "")
