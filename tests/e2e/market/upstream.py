"""An upstream double: a real HTTP server on loopback that answers `<base>/<provider id>/<path and query>`."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import parse_qsl, unquote, urlsplit

DRIP_SECONDS = 0.05


class Fault(Enum):
    """What goes wrong below HTTP."""

    BLACK_HOLE = auto()
    CLOSED = auto()
    TRUNCATED = auto()
    DRIP = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it arrived."""

    provider: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One reply; *fault* spoils it on the way, *delay* holds it back."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    delay: float = 0.0
    packed: bool = False


Script = Callable[[Asked], Answer]


def text(body: str, status: int = 200, **headers: str) -> Answer:
    """A body as it stands: numbers keep every digit that is written here."""
    return Answer(status=status, body=body.encode(), headers={k.replace("_", "-"): v for k, v in headers.items()})


def plain(body: object, status: int = 200) -> Answer:
    """A body as JSON."""
    return text(json.dumps(body), status, content_type="application/json")


class Upstream:
    """All providers at once. `on` says what one of them answers, the newest word counts; `log` holds what was asked."""

    def __init__(self, world: Mapping[str, Script]) -> None:
        self._world, self._scripts = dict(world), dict[str, Script]()
        self.log: list[Asked] = []
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._busy: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        """What MARKETGATE_UPSTREAM_BASE is set to."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[Upstream]:
        """Serve from a thread of its own."""
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        self._wait(self._open())
        yield self
        self._wait(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        thread.join()
        self._loop.close()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody listens: connections are refused."""
        self._wait(self._shut())
        yield
        self._wait(self._open())

    def on(self, provider: str, answer: Answer | Script) -> None:
        """Answer everything that *provider* is asked like this, until `calm`."""
        self._scripts[provider] = answer if callable(answer) else lambda _: answer

    def calm(self) -> None:
        """Every provider is itself again, and the log is empty."""
        self._scripts.clear()
        self.log.clear()

    def asked(self, provider: str, path: str = "") -> list[Asked]:
        """What *provider* was asked at paths that contain *path*."""
        return [each for each in list(self.log) if each.provider == provider and path in each.path]

    def _wait(self, step: object) -> None:
        asyncio.run_coroutine_threadsafe(step, self._loop).result(10)  # type: ignore[arg-type]

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, backlog=2048)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _shut(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._busy):
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                pass
        writer.close()
        self._busy.discard(task)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rows = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows if row)}
        await reader.readexactly(int(headers.get("content-length", 0)))
        target = urlsplit(line.split(" ")[1])
        _, provider, path = target.path.split("/", 2)
        params = dict(parse_qsl(target.query, keep_blank_values=True))
        asked = Asked(provider=provider, path="/" + unquote(path), params=params, headers=headers)
        self.log.append(asked)
        answer = (self._scripts.get(provider) or self._world[provider])(asked)
        return await self._send(writer, answer)

    async def _send(self, writer: asyncio.StreamWriter, answer: Answer) -> bool:
        await asyncio.sleep(answer.delay)
        if answer.fault is Fault.BLACK_HOLE:
            await asyncio.sleep(3600)
        if answer.fault is Fault.CLOSED:
            return False
        body = gzip.compress(answer.body) if answer.packed else answer.body
        headers = {**answer.headers, "Content-Length": str(len(body))}
        if answer.packed:
            headers["Content-Encoding"] = "gzip"
        told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {answer.status} Said\r\n{told}\r\n".encode())
        if answer.fault is Fault.TRUNCATED:
            writer.write(body[: len(body) // 2])
            await writer.drain()
            return False
        if answer.fault is Fault.DRIP:
            for byte in body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(DRIP_SECONDS)
        else:
            writer.write(body)
        await writer.drain()
        return True
