"""A new release, process by process, while callers ask and listen: no query fails, no event is missed or told twice."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed

from gateway.core.settings import Settings
from tests.e2e.deploy.balancer import Balancer, balancing
from tests.e2e.market.process import COMMAND, DEFECTS, START_SECONDS, environment, free_port
from tests.forked import Forked
from tests.furnished import furnish
from tests.gateway.doubles import ROOT_SECRET
from tests.gateway.edge.sockets import dialled, settled

QUOTE = '{ quote(symbol: "BTC/USD") { price } }'
MAKE = """
mutation Make($name: String!) {
  apiKeyCreate(input: { name: $name, scopes: ["market:read"] }) { apiKey { name } userErrors { code } }
}
"""
LISTEN = """
subscription { events(types: ["apikey.created"]) { cursor event { ... on ApiKeyCreated { keyName } } } }
"""
LAST = "the last one"
DRAIN_S = "1"
ASKING, LISTENING = 2, 2
PAUSE_S = 0.1
"""Between what a client sends: as fast as they could they would only keep the processes from starting."""


@dataclass
class Process:
    """One of the fleet, which comes back at the same address."""

    folder: Path
    settings: dict[str, str]
    port: int = field(default_factory=free_port)
    running: Forked | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            env = environment(self.folder, self.port, self.settings)
            self.running = Forked(COMMAND, env=env, cwd=self.folder, stdout=log, stderr=log)

    def leave(self) -> None:
        if self.running is not None:
            self.running.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        if self.running is not None:
            self.running.wait(timeout=30)

    @property
    def log(self) -> Path:
        return self.folder / f"{self.port}.log"


@contextmanager
def fleet(folder: Path, **settings: str) -> Iterator[tuple[Process, Process]]:
    both = Process(folder, settings), Process(folder, settings)
    for each in both:
        each.start()
    try:
        yield both
    finally:
        for each in both:
            each.leave()
        for each in both:
            each.wait()
    for each in both:
        told = each.log.read_text(errors="replace")
        assert not [defect for defect in DEFECTS if defect in told], told[-8000:]


@dataclass
class Heard:
    """What callers got."""

    answers: int = 0
    wrong: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    """Names of keys whose making was acknowledged."""
    sockets: int = 0
    listening: int = 0
    """Subscriptions that have begun."""


async def ask(url: str, key: str, heard: Heard, over: asyncio.Event) -> None:
    """One client with its connection kept alive."""
    async with httpx.AsyncClient(trust_env=False, headers={"x-api-key": key}, timeout=20) as client:
        while not over.is_set():
            try:
                body = (await client.post(url, json={"query": QUOTE})).json()
            except (httpx.HTTPError, ValueError) as error:
                heard.wrong.append(repr(error))
                continue
            finally:
                await asyncio.sleep(PAUSE_S / 3)
            heard.answers += 1
            if "errors" in body:
                heard.wrong.append(str(body))


async def make(url: str, key: str, heard: Heard, over: asyncio.Event) -> None:
    """One client that changes something again and again, and once more at the end."""
    async with httpx.AsyncClient(trust_env=False, headers={"x-api-key": key}, timeout=20) as client:
        while LAST not in heard.made:
            name = LAST if over.is_set() else f"number {len(heard.made)}"
            try:
                body = (await client.post(url, json={"query": MAKE, "variables": {"name": name}})).json()
                heard.made.append(body["data"]["apiKeyCreate"]["apiKey"]["name"])
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                heard.wrong.append(repr(error))
            await asyncio.sleep(PAUSE_S)


async def listen(url: str, key: str, heard: Heard) -> list[str]:
    """Every event up to the last one, over as many sockets as it takes."""
    names: list[str] = []
    cursor: str | None = None
    while LAST not in names:
        try:
            async with dialled(url, headers={"x-api-key": key}) as peer:
                heard.sockets += 1
                await peer.initialise()
                await peer.ask(LISTEN, extensions={"after": cursor} if cursor else {})
                while LAST not in names:
                    async with asyncio.timeout(START_SECONDS):
                        message = json.loads(await peer.connection.recv())
                    assert message["type"] == "next", message
                    update: dict[str, Any] = message["payload"]["data"]["events"]
                    cursor = update["cursor"]
                    if update["event"] is None:
                        heard.listening += 1
                    else:
                        names.append(update["event"]["keyName"])
        except ConnectionClosed as closed:
            if closed.rcvd is None or closed.rcvd.code != 1001:
                heard.wrong.append(f"socket: {closed!r}")
    return names


async def roll(both: tuple[Process, Process], balancer: Balancer) -> None:
    """What an operator's roll-out does: the next one goes only once the one before is back."""
    for each in both:
        each.leave()
        await asyncio.to_thread(each.wait)
        await balancer.until(each.port, ready=False)
        each.start()
        await balancer.until(each.port, ready=True)


async def lived(both: tuple[Process, Process], key: str) -> tuple[Heard, list[list[str]], Balancer]:
    heard, over = Heard(), asyncio.Event()
    async with asyncio.timeout(START_SECONDS), balancing(*(each.port for each in both)) as (address, balancer):
        http, socket = f"http://{address}/graphql", f"ws://{address}/graphql"
        listening = [asyncio.create_task(listen(socket, key, heard)) for _ in range(LISTENING)]
        await settled(lambda: heard.listening == LISTENING)
        asking = [asyncio.create_task(ask(http, key, heard, over)) for _ in range(ASKING)]
        making = asyncio.create_task(make(http, key, heard, over))
        await roll(both, balancer)
        over.set()
        await asyncio.gather(*asking, making)
        return heard, list(await asyncio.gather(*listening)), balancer


def test_a_rolling_restart_fails_no_query_and_loses_no_event(empty_postgresql_url, redis_url, tmp_path):
    database = empty_postgresql_url
    settings = Settings.model_validate({"database_url": database, "secret_key": ROOT_SECRET, "data_dir": tmp_path})
    key = furnish(settings)
    given = {
        "DATABASE_URL": database,
        "REDIS_URL": redis_url,
        "UPSTREAMS": "recorded",
        "PROVIDERS": "sandbox",
        "DRAIN_S": DRAIN_S,
    }

    with fleet(tmp_path, **given) as both:
        heard, told, balancer = asyncio.run(lived(both, key))

    assert (heard.wrong, balancer.failures) == ([], [])
    assert heard.answers > 50
    assert len(heard.made) > 10
    assert told == [heard.made] * LISTENING
    # Each listener was sent away at least once, or the restarts have proved nothing.
    assert heard.sockets >= 2 * LISTENING
    assert sorted(balancer.taken) == sorted(each.port for each in both)
