"""The guarded way out: posts a second, CPU of one, and healthy receivers beside a hundred that hang, on loopback.

Bare aiohttp in the same run is what it is compared with: a session as it comes, without deadline or guard.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from statistics import median
from typing import cast

import aiohttp
import uvloop

from gateway.core.clock import SystemClock
from gateway.core.egress.guarded import GuardedEgress
from gateway.core.ports import Unreachable

ROUNDS, CALLS, WARM = 5, 2_000, 200
HANGING, SLOTS = 100, 2
"""Receivers that never answer, each at an address of its own, and how many posts wait for each of them."""
BODY = json.dumps({"type": "price.alert.triggered", "data": {"symbol": "crypto:BTC/USD", "pad": "x" * 600}}).encode()
HEADERS = {
    "content-type": "application/json", "webhook-id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
    "webhook-timestamp": "1763600000",
    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
}  # fmt: skip
DEADLINE_S = 15.0
TARGET = 500
"""Deliveries a second of one worker; they have to be signed and settled as well."""

Post = Callable[[], Awaitable[object]]


class Receiver(asyncio.Protocol):
    """Answers at 127.0.0.1, says nothing at the addresses beside it."""

    reply = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Which of them it is."""
        self._transport, self._held = cast(asyncio.Transport, transport), b""
        self._healthy = transport.get_extra_info("sockname")[0] == "127.0.0.1"

    def data_received(self, data: bytes) -> None:
        """One request at a time; its length is known, as the client sends the same again and again."""
        self._held += data
        _, found, body = self._held.partition(b"\r\n\r\n")
        if found and len(body) >= len(BODY):
            self._held = b""
            if self._healthy:
                self._transport.write(self.reply)


async def loaded(post: Post, together: int, calls: int = CALLS) -> tuple[float, float, list[float]]:
    """Posts a second, microseconds of CPU for each, and how many milliseconds each took."""
    took: list[float] = []

    async def one() -> None:
        for _ in range(calls // together):
            begun = time.perf_counter()
            await post()
            took.append((time.perf_counter() - begun) * 1_000)

    used, begun = time.process_time(), time.perf_counter()
    await asyncio.gather(*(one() for _ in range(together)))
    lasted, used = time.perf_counter() - begun, time.process_time() - used
    return len(took) / lasted, used / len(took) * 1e6, sorted(took)


async def throughput(bare: aiohttp.ClientSession, way: GuardedEgress, url: str) -> list[str]:
    """Rounds in turn, so that a busy moment hits all alike; medians."""

    async def plainly() -> None:
        async with bare.post(url, data=BODY, headers=HEADERS) as reply:
            await reply.read()

    kinds: dict[str, Post] = {
        "bare aiohttp": plainly,
        "guarded": lambda: way.post(url, body=BODY, headers=HEADERS, deadline_s=DEADLINE_S),
    }
    lines = [
        f"{'posts to one receiver':22} {'in flight':>10} {'posts/s':>9} {'CPU us':>8} {'p99 ms':>8} {'CPU ratio':>10}"
    ]
    for together in (1, 32, 64):
        seen: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind, post in kinds.items():
                await loaded(post, together, WARM)
                rate, cpu, took = await loaded(post, together)
                seen[kind].append((rate, cpu, took[int(len(took) * 0.99)]))
        least = median(cpu for _, cpu, _ in seen["bare aiohttp"])
        for kind, found in seen.items():
            rate, cpu, slow = (median(column) for column in zip(*found, strict=True))
            lines.append(f"{kind:22} {together:10} {rate:9.0f} {cpu:8.0f} {slow:8.2f} {cpu / least:10.2f}")
    return lines


async def beside_hanging(way: GuardedEgress, port: int) -> list[str]:
    """Healthy receivers alone, and while posts wait for those that hang."""

    async def hang(number: int) -> None:
        try:
            await way.post(f"http://127.0.1.{number}:{port}/", body=BODY, headers=HEADERS, deadline_s=600)
        except Unreachable:
            return

    async def healthy() -> None:
        await way.post(f"http://127.0.0.1:{port}/", body=BODY, headers=HEADERS, deadline_s=DEADLINE_S)

    lines = [f"{'healthy ones':22} {'in flight':>10} {'posts/s':>9} {'CPU us':>8} {'p50 ms':>8} {'p99 ms':>10}"]
    waiting: list[asyncio.Task[None]] = []
    for what in ("alone", f"beside {HANGING} that hang"):
        if what != "alone":
            waiting = [asyncio.create_task(hang(n + 1)) for n in range(HANGING) for _ in range(SLOTS)]
            await asyncio.sleep(1)
        await loaded(healthy, 32, WARM)
        rounds = [await loaded(healthy, 32) for _ in range(ROUNDS)]
        rate, cpu = median(each[0] for each in rounds), median(each[1] for each in rounds)
        half, slow = (median(each[2][int(len(each[2]) * part)] for each in rounds) for part in (0.5, 0.99))
        lines.append(f"{what:22} {32:10} {rate:9.0f} {cpu:8.0f} {half:8.2f} {slow:10.2f}")
    still = sum(not task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    return [*lines, f"{still} of {HANGING * SLOTS} posts to hanging receivers were waiting at the end"]


async def compare(port: int) -> list[str]:
    """Everything."""
    way = GuardedEgress((ip_network("127.0.0.0/8"),), development=False, clock=SystemClock())
    async with aiohttp.ClientSession() as bare:
        lines = await throughput(bare, way, f"http://127.0.0.1:{port}/hook")
    lines += ["", *await beside_hanging(way, port)]
    await way.close()
    return [*lines, f"target: {TARGET} deliveries/s of one worker, signing and database included"]


async def serve() -> None:
    """Print the port, then answer until the other side is gone."""
    server = await asyncio.get_running_loop().create_server(Receiver, "0.0.0.0", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def report() -> list[str]:
    """The receivers have a process of their own, so that their CPU is not counted."""
    with subprocess.Popen([sys.executable, "-m", "tests.bench.egress", "serve"], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(compare(int(process.stdout.readline())))
        finally:
            process.terminate()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        uvloop.run(serve())
    else:
        print("\n".join(report()))
