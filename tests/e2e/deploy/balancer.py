"""A balancer in front of two processes: new connections go to whoever says that it is ready; it retries nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count

import httpx

LOOK_S = 0.05
PIECE = 65_536


@dataclass
class Balancer:
    """Its `failures` are connections that nobody took."""

    ports: tuple[int, ...]
    ready: set[int] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    taken: dict[int, int] = field(default_factory=dict)
    """How many connections each process got."""
    _turn: count[int] = field(default_factory=count)

    async def look(self, client: httpx.AsyncClient) -> None:
        """Ask everybody, again and again."""
        while True:
            await asyncio.gather(*(self._look_at(client, port) for port in self.ports))
            await asyncio.sleep(LOOK_S)

    async def _look_at(self, client: httpx.AsyncClient, port: int) -> None:
        try:
            status = (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code
        except httpx.TransportError:
            status = 0
        (self.ready.add if status == 200 else self.ready.discard)(port)

    async def until(self, port: int, *, ready: bool) -> None:
        """Wait until a process is seen to be ready, or not to be."""
        async with asyncio.timeout(30):
            while (port in self.ready) is not ready:  # noqa: ASYNC110 - it is the looking that is waited for
                await asyncio.sleep(LOOK_S)

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One caller, to its end."""
        ready = sorted(self.ready)
        try:
            if not ready:
                raise ConnectionRefusedError("nobody is ready")
            port = ready[next(self._turn) % len(ready)]
            there, back = await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            self.failures.append(str(error))
            writer.close()
            return
        self.taken[port] = self.taken.get(port, 0) + 1
        await asyncio.gather(_carry(reader, back), _carry(there, writer))


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Everything from one end to the other; where it ends there, it ends here."""
    with suppress(ConnectionError):
        while piece := await source.read(PIECE):
            target.write(piece)
            await target.drain()
    target.close()


@asynccontextmanager
async def balancing(*ports: int) -> AsyncIterator[tuple[str, Balancer]]:
    """Its address without a scheme, and itself, once all are ready."""
    made = Balancer(ports)
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        looking = asyncio.create_task(made.look(client))
        server = await asyncio.start_server(made.connect, "127.0.0.1", 0)
        try:
            for port in ports:
                await made.until(port, ready=True)
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", made
        finally:
            server.close()
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
