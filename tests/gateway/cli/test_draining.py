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


def test_a_process_that_drains_says_it_is_unready_and_serves_on_until_balancers_have_noticed():
    process = started("serve", "--port", "0", MARKETGATE_LOG_LEVEL="error", MARKETGATE_DRAIN_S="1.5")
    http = announced(process)

    async def watch() -> tuple[list[int], httpx.Response, dict[str, Any], tuple[int | None, str], float]:
        async with httpx.AsyncClient() as client, dialled(http.replace("http", "ws") + "/graphql") as idle:
            await idle.initialise()
            before = (await client.get(f"{http}/readyz")).status_code
            process.send_signal(signal.SIGTERM)
            told = time.monotonic()
            # The signal is heard at the process's next look, within a tenth of a second.
            while (unready := await client.get(f"{http}/readyz")).status_code == 200:
                pass
            answer = await client.post(f"{http}/graphql", json={"query": "{ __typename }"})
            async with dialled(http.replace("http", "ws") + "/graphql") as late:
                await late.initialise()
                await late.ask(LISTEN)
                heard = await late.hear()
                await late.end()
            end = await idle.end()
            return [before, unready.status_code, answer.status_code], answer, heard, end, time.monotonic() - told

    statuses, answer, heard, end, took = asyncio.run(watch())
    _, err = rest(process)

    assert statuses == [200, 503, 200]
    assert (answer.json()["data"], answer.headers["connection"]) == ({"__typename": "Query"}, "close")
    assert heard["payload"]["data"] == {"quotes": {"snapshot": True}}
    assert end == (1001, "This process is going away: connect again")
    assert took >= 1.5
    assert (process.returncode, err) == (-signal.SIGTERM, "")
