"""Clients hang up in the middle of their requests: the gateway hangs up on its upstreams too, and stays itself."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.market.process import Gateway, running
from tests.e2e.market.upstream import Answer, Fault, Upstream
from tests.e2e.market.world import WORLD

CLIENTS, PATIENCE_S = 40, 20.0
QUOTE = """query ($symbol: String!) { quote(symbol: $symbol, route: {providers: ["bitstamp"], timeoutMs: 3000}) {
  price } }"""


def request(symbol: str, key: str, host: str) -> bytes:
    body = json.dumps({"query": QUOTE, "variables": {"symbol": symbol}})
    head = f"POST /graphql HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def sockets(gateway: Gateway) -> int:
    """How many its process holds."""
    found = 0
    for link in Path(f"/proc/{gateway.process.pid}/fd").iterdir():
        with suppress(OSError):
            found += str(link.readlink()).startswith("socket:")
    return found


def wait_until(come: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not come():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_what_nobody_waits_for_ends_at_its_deadline_and_the_gateway_goes_on(tmp_path: Path) -> None:
    with (
        Upstream(WORLD).running() as upstream,
        running(tmp_path, UPSTREAM_BASE=upstream.url, SHED_LAG_MS="0") as gateway,
    ):
        gateway.ask("{ providers { id } }")
        before = sockets(gateway)
        upstream.on("bitstamp", Answer(fault=Fault.BLACK_HOLE))
        host, port = urlsplit(gateway.url).netloc.split(":")
        clients = [socket.create_connection((host, int(port))) for _ in range(CLIENTS)]
        for number, client in enumerate(clients):
            client.sendall(request(f"crypto:C{number}X/USD", gateway.key, host))
        wait_until(lambda: len(upstream.asked("bitstamp")) == CLIENTS)
        assert sockets(gateway) == before + 2 * CLIENTS

        for client in clients:
            client.close()

        wait_until(lambda: sockets(gateway) == before)
        upstream.calm()
        assert gateway.ask(QUOTE.replace("bitstamp", "bybit"), symbol="crypto:C01/USDT")["quote"]["price"] == "101.25"
