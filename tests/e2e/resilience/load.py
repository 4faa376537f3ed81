"""Clients that ask a gateway without end, and what they were answered."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock

import httpx
import redis

from tests.e2e.market.process import Gateway
from tests.servers import RestartableValkey

CLIENTS = 4
PATIENCE_S = 30.0
ANSWERED, STALE = "answered", "stale"
QUOTE = """query ($symbol: String!) { quote(symbol: $symbol, route: {providers: ["bitstamp", "bybit"]}) {
  price provenance { provider stale } } }"""


def outcome(reply: httpx.Response) -> str:
    """ANSWERED, STALE, the code of a refusal that says when to come back, or whatever else it was."""
    if reply.status_code == 200 and "errors" not in reply.json():
        return STALE if reply.json()["data"]["quote"]["provenance"]["stale"] else ANSWERED
    if "retry-after" in reply.headers:
        return str(reply.json()["errors"][0]["extensions"]["code"])
    return f"{reply.status_code}: {reply.text}"


@dataclass
class Load:
    """Every fourth asks for what nobody asked for before; every second client has no credential."""

    gateway: Gateway
    asked: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    over: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    def client(self, anonymous: bool) -> None:
        """One of them, until the end."""
        headers = {} if anonymous else {"x-api-key": self.gateway.key}
        with httpx.Client(base_url=self.gateway.url, headers=headers, timeout=20.0, trust_env=False) as client:
            while not self.over.is_set():
                with self.lock:
                    self.asked += 1
                    number = self.asked
                symbol = f"crypto:C{number if number % 4 == 0 else number % 7}/USD"
                reply = client.post("/graphql", json={"query": QUOTE, "variables": {"symbol": symbol}})
                with self.lock:
                    self.outcomes[outcome(reply)] += 1

    def more(self, count: int) -> None:
        """Wait until so many have been asked from now on."""
        until, wanted = time.monotonic() + PATIENCE_S, self.asked + count
        while self.asked < wanted:
            assert time.monotonic() < until, f"{self.asked} of {wanted} were asked: {self.outcomes}"
            time.sleep(0.01)

    def until(self, wanted: str, count: int = 1) -> None:
        """Wait until so many more have been answered this way."""
        until, most = time.monotonic() + PATIENCE_S, self.outcomes[wanted] + count
        while self.outcomes[wanted] < most:
            assert time.monotonic() < until, f"not {wanted!r}: {self.outcomes}"
            time.sleep(0.01)

    def until_none(self, unwanted: str, count: int) -> None:
        """Wait until of so many in a row none was answered this way."""
        until, before = time.monotonic() + PATIENCE_S, -1
        while self.outcomes[unwanted] != before:
            assert time.monotonic() < until, f"still {unwanted!r}: {self.outcomes}"
            before = self.outcomes[unwanted]
            self.more(count)


@contextmanager
def loaded(gateway: Gateway) -> Iterator[Load]:
    """Clients at work."""
    load = Load(gateway)
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients: list[Future[None]] = [pool.submit(load.client, number % 2 == 1) for number in range(CLIENTS)]
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
    """Until a gateway has come back to it."""
    until = time.monotonic() + PATIENCE_S
    while not connected(server):
        assert time.monotonic() < until, "the gateway did not come back to Redis"
        load.more(4)
