"""A real HTTP server on loopback whose answers are raw bytes, and the port that asks it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pytest

from gateway.core.upstream import NetworkTransport, Request, UpstreamHttp
from providers.contract import Credential, Licence, Profile
from schema.errors import (
    UpstreamError,
)
from schema.symbols import AssetClass
from tests.gateway.doubles import ManualClock

LIMIT = 1_000_000
SHORT, PATIENCE = 0.3, 30.0
"""A deadline on the real clock that is waited for, with time to connect on a busy machine; and one that never comes."""
PRICE = "91234.123456789012345"

Answer = Callable[["Call"], bytes]


@dataclass
class Call:
    """One request as the server saw it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass
class Upstream:
    """A tiny HTTP/1.1 server: answers are raw bytes, by path; None of them closes the connection."""

    answers: dict[str, Any] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    connections: int = 0
    alive: int = 0
    open: int = 0
    most_at_once: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.alive += 1
        number = self.connections
        try:
            while await self._one(reader, writer, number):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.alive -= 1
            self.gone.set()
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.calls.append(Call(method, target, headers, body, number))
        answer = self.answers[target.partition("?")[0]]
        self.open += 1
        self.most_at_once = max(self.open, self.most_at_once)
        try:
            sent = answer(self.calls[-1]) if callable(answer) else answer
            if isinstance(sent, Awaitable):
                sent = await sent
        finally:
            self.open -= 1
        if sent is None:  # a reset, not an orderly end
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return False
        writer.write(sent)
        await writer.drain()
        return b"connection: close" not in sent[:400].lower()


def ok(body: bytes = b"{}", status: str = "200 OK", **headers: str) -> bytes:
    """A complete reply."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n", **headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", "transfer-encoding: chunked"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    parts = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + parts + end


def request(url: str, **facts: Any) -> Request:
    plain: dict[str, Any] = {
        "provider": "alpha", "method": "GET", "host": "", "path": "/", "params": (), "url": url, "secret_params": (),
        "headers": MappingProxyType({"accept-encoding": "gzip, br"}), "body": None,
    }  # fmt: skip
    return Request(**{**plain, **facts})


def http(upstream: Upstream, transport: NetworkTransport, **facts: Any) -> UpstreamHttp:
    credentials: tuple[Credential, ...] = facts.pop("credentials", ())
    profile = Profile(
        id="alpha", name="Alpha", base_url="https://api.alpha.example/v1", docs="", asset_classes=(AssetClass.CRYPTO,),
        licence=Licence(note=""), hosts={"data": "https://data.alpha.example/v9"}, credentials=credentials,
        headers={"user-agent": "marketgate-test"},
    )  # fmt: skip
    return UpstreamHttp(profile=profile, transport=transport, clock=ManualClock(), base=upstream.base, **facts)


async def refused(call: Awaitable[Any]) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await call
    return caught.value
