"""A deploy: the process is told to end, and says so to everybody who listens."""

from __future__ import annotations

import asyncio
import signal
import time

from tests.gateway.cli.conftest import announced, rest, started
from tests.gateway.edge.sockets import Peer, dialled

LISTEN = 'subscription { quotes(symbols: ["BTC/USD"]) { snapshot } }'


def test_every_socket_hears_1001_and_the_process_ends_within_its_grace():
    process = started("serve", "--port", "0", MARKETGATE_LOG_LEVEL="error")
    url = announced(process).replace("http", "ws") + "/graphql"

    async def hear() -> list[tuple[int | None, str]]:
        async with dialled(url) as idle, dialled(url) as listens, dialled(url) as deaf:
            peers: list[Peer] = [idle, listens, deaf]
            for peer in peers:
                await peer.initialise()
            for peer in (listens, deaf):
                await peer.ask(LISTEN)
                assert (await peer.hear())["payload"]["data"] == {"quotes": {"snapshot": True}}
            deaf.connection.transport.pause_reading()
            process.send_signal(signal.SIGTERM)
            return [await idle.end(), await listens.end()]

    ends = asyncio.run(hear())
    begun = time.monotonic()
    _, err = rest(process)

    assert ends == [(1001, "This process is going away: connect again")] * 2
    assert time.monotonic() - begun < 8
    assert (process.returncode, err) == (-signal.SIGTERM, "")
