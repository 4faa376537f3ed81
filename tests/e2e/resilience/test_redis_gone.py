"""Redis is killed, frozen and started anew while clients ask: none notices, and the gateway needs no restart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Any

import httpx
import redis

from tests.e2e.market.process import Gateway, running
from tests.e2e.market.upstream import Upstream
from tests.e2e.market.world import WORLD
from tests.servers import RestartableValkey, restartable_valkey

CLIENTS, ENOUGH = 4, 60
PATIENCE_S = 30.0
QUOTE = """query ($symbol: String!) { quote(symbol: $symbol, route: {providers: ["bitstamp", "bybit"]}) {
  price provenance { provider stale } } }"""


@dataclass
class Load:
    """Clients that never stop asking; every fourth asks for what nobody asked for before."""

    gateway: Gateway
    asked: int = 0
    failures: list[str] = field(default_factory=list)
    over: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    def client(self) -> None:
        headers = {"x-api-key": self.gateway.key}
        with httpx.Client(base_url=self.gateway.url, headers=headers, timeout=20.0, trust_env=False) as client:
            while not self.over.is_set():
                with self.lock:
                    self.asked += 1
                    number = self.asked
                symbol = f"crypto:C{number if number % 4 == 0 else number % 7}/USD"
                reply = client.post("/graphql", json={"query": QUOTE, "variables": {"symbol": symbol}})
                answer: dict[str, Any] = reply.json() if reply.status_code == 200 else {"errors": reply.text}
                if "errors" in answer or answer["data"]["quote"]["provenance"]["stale"]:
                    self.failures.append(f"{symbol}: {answer}")

    def more(self, count: int = ENOUGH) -> None:
        """Wait until so many have been asked from now on."""
        until, wanted = time.monotonic() + PATIENCE_S, self.asked + count
        while self.asked < wanted:
            assert time.monotonic() < until, f"{self.asked} of {wanted} were asked: {self.failures}"
            time.sleep(0.01)


@contextmanager
def loaded(gateway: Gateway) -> Iterator[Load]:
    load = Load(gateway)
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients: list[Future[None]] = [pool.submit(load.client) for _ in range(CLIENTS)]
        try:
            yield load
        finally:
            load.over.set()
        for client in clients:
            client.result()


def connected(server: RestartableValkey) -> bool:
    """Whether a gateway listens to it again."""
    with redis.Redis(port=server.port) as client:
        return bool(client.pubsub_channels() or client.pubsub_numpat())


def wait_for_return(server: RestartableValkey, load: Load) -> None:
    until = time.monotonic() + PATIENCE_S
    while not connected(server):
        assert time.monotonic() < until, "the gateway did not come back to Redis"
        load.more(4)


def test_no_query_fails_while_redis_is_killed_frozen_and_started_anew(tmp_path: Path) -> None:
    with (
        Upstream(WORLD).running() as upstream,
        restartable_valkey() as server,
        running(tmp_path, UPSTREAM_BASE=upstream.url, REDIS_URL=server.url) as gateway,
        loaded(gateway) as load,
    ):
        load.more()
        assert connected(server)

        server.stop()
        load.more()
        server.start()
        wait_for_return(server, load)
        load.more()
        server.freeze()
        load.more()
        server.thaw()
        load.more()
        wait_for_return(server, load)

    assert load.failures == []
    assert load.asked >= 5 * ENOUGH
