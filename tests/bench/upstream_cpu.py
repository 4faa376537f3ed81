"""CPU of one upstream GET: bare aiohttp, httpx over aiohttp, and the gateway's own port, in one run on loopback."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median

import aiohttp
import httpx
import uvloop

from gateway.core.callfacts import CallFacts, call_facts
from gateway.core.clock import SystemClock
from gateway.core.upstream import NetworkTransport, UpstreamHttp
from providers.contract import Licence, Profile
from schema.symbols import AssetClass
from tests.bench.upstream import ticker

ROUNDS, CALLS = 5, 2_000
ALONE, TOGETHER = 1, 32
PATH, PARAMS = "/api/v3/ticker/24hr", {"symbol": "BTCUSDT"}
BODY = json.dumps({**ticker("BTCUSDT"), "pad": "x" * 700}).encode()
TARGET_US = 130

Get = Callable[[], Awaitable[object]]


class Answering(asyncio.Protocol):
    """The cheapest server that keeps its connections: 1.2 kB of JSON to every request."""

    reply = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(BODY), BODY)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembered for the replies."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Requests are small: each arrives in one piece."""
        assert isinstance(self._transport, asyncio.WriteTransport)
        self._transport.write(self.reply)


class OverAiohttp(httpx.AsyncBaseTransport):
    """The least that lets httpx's API run on aiohttp's connections."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange."""
        async with self._session.request(request.method, str(request.url), headers=request.headers) as reply:
            return httpx.Response(reply.status, headers=reply.raw_headers, content=await reply.read(), request=request)


def port_to(base: str, transport: NetworkTransport) -> UpstreamHttp:
    """What an adapter is handed."""
    profile = Profile(
        id="binance", name="Binance", base_url="https://api.binance.com", docs="", licence=Licence(note=""),
        asset_classes=(AssetClass.CRYPTO,),
    )  # fmt: skip
    return UpstreamHttp(profile=profile, transport=transport, clock=SystemClock(), base=base)


async def spent(get: Get, together: int, calls: int = CALLS) -> float:
    """Microseconds of this process's CPU for each call."""

    async def one() -> None:
        call_facts.set(CallFacts())
        for _ in range(calls // together):
            await get()

    begun = time.process_time()
    await asyncio.gather(*(one() for _ in range(together)))
    return (time.process_time() - begun) / calls * 1e6


async def compare(server: int) -> list[str]:
    """Rounds in turn, so that a busy moment hits all alike; medians."""
    base = f"http://127.0.0.1:{server}"
    url = f"{base}/binance{PATH}"
    network = NetworkTransport()
    port = port_to(base, network)
    async with aiohttp.ClientSession() as bare, httpx.AsyncClient(transport=OverAiohttp(bare)) as client:

        async def plainly() -> object:
            async with bare.get(url, params=PARAMS) as reply:
                return json.loads(await reply.read())

        async def with_httpx() -> object:
            return (await client.get(url, params=PARAMS)).json()

        kinds: dict[str, Get] = {
            "bare aiohttp": plainly,
            "httpx over aiohttp": with_httpx,
            "our port": lambda: port.get(PATH, PARAMS),
        }
        lines = [f"{'':20} {'at once':>8} {'CPU us a GET':>14} {'ratio to bare':>14}"]
        for together in (ALONE, TOGETHER):
            seen: dict[str, list[float]] = {kind: [] for kind in kinds}
            for _ in range(ROUNDS):
                for kind, get in kinds.items():
                    seen[kind].append(await spent(get, together))
            least = median(seen["bare aiohttp"])
            for kind, found in seen.items():
                lines.append(f"{kind:20} {together:8} {median(found):14.0f} {median(found) / least:14.2f}")
    await network.close()
    return [*lines, f"{'':20} target for our port at {TOGETHER} at once: {TARGET_US} us"]


async def serve() -> None:
    """Print the port, then answer until the other side is gone."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def report() -> list[str]:
    """The server has a process of its own, so that its CPU is not counted."""
    command = [sys.executable, "-m", "tests.bench.upstream_cpu", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(compare(int(process.stdout.readline())))
        finally:
            process.terminate()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    else:
        print("\n".join(report()))
