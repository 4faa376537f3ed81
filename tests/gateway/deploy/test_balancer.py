"""The balancer that Compose starts, in front of gateways that are slow, or say no."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.e2e.market.process import free_port

SETTINGS = Path(__file__).parents[3] / "deploy" / "compose" / "haproxy.cfg"
HAPROXY = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")

pytestmark = pytest.mark.skipif(HAPROXY is None, reason="needs haproxy, which sends callers on")


@dataclass
class Gateway:
    """Answers anything, and `/readyz` as it is told to."""

    ready: int = 200
    slow_s: float = 0
    asked: int = 0
    answered: list[str] = field(default_factory=list)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        status = 200
        if path == "/readyz":
            await asyncio.sleep(self.slow_s)
            self.asked += 1
            status = self.ready
        else:
            self.answered.append(path)
        writer.write(f"HTTP/1.1 {status} Any\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async def looked_at(self, times: int) -> None:
        """Wait until the balancer has asked so many times more."""
        wanted = self.asked + times
        async with asyncio.timeout(20):
            while self.asked < wanted:  # noqa: ASYNC110 - it is the looking that is waited for
                await asyncio.sleep(0.02)


@asynccontextmanager
async def balanced(folder: Path, gateways: dict[str, Gateway | None]) -> AsyncIterator[httpx.AsyncClient]:
    """The shipped settings, but for addresses; None: nobody listens there."""
    text, port = SETTINGS.read_text().replace(" resolvers docker init-addr none", ""), free_port()
    async with AsyncExitStack() as stack:
        for name, gateway in gateways.items():
            there = free_port()
            if gateway is not None:
                server = await stack.enter_async_context(await asyncio.start_server(gateway.connected, "127.0.0.1", 0))
                there = server.sockets[0].getsockname()[1]
            text = text.replace(f"gateway-{name}:8000", f"127.0.0.1:{there}")
        text = re.sub(r"resolvers docker\n(    .*\n)+", "", text).replace("bind :8080", f"bind 127.0.0.1:{port}")
        (folder / "haproxy.cfg").write_text(text)
        process = await asyncio.create_subprocess_exec(str(HAPROXY), "-db", "-q", "-f", str(folder / "haproxy.cfg"))
        try:
            client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20)
            async with client, asyncio.timeout(30):
                while True:
                    try:
                        await client.get("/first")
                        break
                    except httpx.ConnectError:
                        await asyncio.sleep(0.02)
                yield client
        finally:
            process.terminate()
            await process.wait()


async def statuses(client: httpx.AsyncClient, *paths: str) -> set[int]:
    return {(await client.get(path)).status_code for path in paths}


async def test_one_that_drains_is_left_though_the_other_is_slow_to_say_that_it_is_ready(tmp_path):
    draining, slow = Gateway(), Gateway(slow_s=0.8)

    async with balanced(tmp_path, {"a": draining, "b": slow}) as client:
        draining.ready = 503
        await draining.looked_at(4)
        before = len(draining.answered)
        assert await statuses(client, *["/graphql"] * 10) == {200}
        await slow.looked_at(3)
        assert await statuses(client, *["/graphql"] * 10) == {200}

    assert len(draining.answered) == before


async def test_the_last_one_is_never_taken_out(tmp_path):
    last = Gateway(ready=503)

    async with balanced(tmp_path, {"a": last, "b": None}) as client:
        await last.looked_at(4)

        assert await statuses(client, *["/graphql"] * 3) == {200}


async def test_metrics_are_not_for_callers_however_their_path_is_written(tmp_path):
    gateway = Gateway()

    async with balanced(tmp_path, {"a": gateway, "b": None}) as client:
        assert await statuses(client, "/metrics", "/%6detrics", "/metric%73?a=b") == {404}

    assert set(gateway.answered) <= {"/first"}
