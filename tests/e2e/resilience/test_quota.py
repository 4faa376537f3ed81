"""Two real processes ask one upstream as fast as they can: it never counts more than its limit."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import httpx

from tests.e2e.market import exchanges
from tests.e2e.market.process import Gateway, running
from tests.e2e.market.upstream import Answer, Asked, Upstream
from tests.e2e.market.world import WORLD
from tests.servers import valkey

LIMIT = 10
SECONDS, CLIENTS = 6.0, 4
QUOTE = """query ($symbol: String!) { quote(symbol: $symbol, route: {providers: ["coinbaseexchange"]}) { price } }"""


def flood(gateway: Gateway, numbers: count[int], until: float) -> list[str]:
    """Each ask is for what nobody has asked for; the codes of the failures."""
    codes = []
    with httpx.Client(
        base_url=gateway.url, headers={"x-api-key": gateway.key}, timeout=20.0, trust_env=False
    ) as client:
        while time.monotonic() < until:
            variables = {"symbol": f"crypto:C{next(numbers)}/USD"}
            answer = client.post("/graphql", json={"query": QUOTE, "variables": variables}).json()
            codes += [error["extensions"]["code"] for error in answer.get("errors", ())]
    return codes


def test_two_processes_never_send_an_upstream_more_than_it_allows(tmp_path: Path) -> None:
    arrived: list[float] = []
    lock = threading.Lock()

    def counting(asked: Asked) -> Answer:
        with lock:
            arrived.append(time.monotonic())
        return exchanges.coinbaseexchange(asked)

    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with Upstream(WORLD).running() as upstream, valkey() as redis_url:
        upstream.on("coinbaseexchange", counting)
        settings = {"UPSTREAM_BASE": upstream.url, "REDIS_URL": redis_url}
        with running(tmp_path / "one", **settings) as one, running(tmp_path / "two", **settings) as two:
            numbers, until = count(), time.monotonic() + SECONDS
            with ThreadPoolExecutor(2 * CLIENTS) as pool:
                floods = [pool.submit(flood, each, numbers, until) for each in (one, two) * CLIENTS]
                codes = [code for each in floods for code in each.result()]

    most = max(sum(start <= at < start + 1 for at in arrived) for start in arrived)
    assert most <= LIMIT
    assert len(arrived) > 2 * LIMIT
    assert set(codes) <= {"UPSTREAM_QUOTA"}
