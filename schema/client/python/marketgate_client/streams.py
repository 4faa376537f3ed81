"""Subscriptions as iterators that survive their connections."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from types import AsyncGeneratorType, GeneratorType, TracebackType
from typing import Any, Generic, Self

from websockets.asyncio.client import ClientConnection as AsyncConnection
from websockets.asyncio.client import connect as connect_async
from websockets.sync.client import ClientConnection as Connection
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from marketgate_client.conversation import BROKEN, LARGEST, PROTOCOL, SILENCE_S, Conversation
from marketgate_client.wire import T


@dataclass(frozen=True, slots=True, kw_only=True)
class Socket:
    """How to reach the gateway."""

    url: str
    timeout_s: float
    trust_env: bool
    ssl_context: ssl.SSLContext | None

    def options(self) -> dict[str, Any]:
        """For websockets' `connect`."""
        given: dict[str, Any] = {
            "subprotocols": [Subprotocol(PROTOCOL)],
            "open_timeout": self.timeout_s,
            "close_timeout": 2,
            "max_size": LARGEST,
            "proxy": True if self.trust_env else None,
        }
        return given if self.ssl_context is None else {**given, "ssl": self.ssl_context}


class _Standing(Generic[T]):
    """Where a stream stands."""

    _talk: Conversation[T]

    @property
    def cursor(self) -> str | None:
        """Of the last message: give it back as `after` to go on there, later or elsewhere."""
        return self._talk.cursor

    @property
    def lost(self) -> int:
        """How many updates were merged or left out because this reader was too slow for its connection."""
        return self._talk.lost

    @property
    def reconnects(self) -> int:
        """How often the connection was made anew."""
        return self._talk.reconnects


class Stream(_Standing[T]):
    """Messages as they come; `with` or `close()` ends it, from another thread too."""

    def __init__(self, socket: Socket, talk: Conversation[T]) -> None:
        self._target, self._talk = socket, talk
        self._over = threading.Event()
        self._socket: Connection | None = None
        self._messages = self._run()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        return next(self._messages)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it: whoever waits for a message gets none any more."""
        self._over.set()
        if self._socket is not None:
            self._socket.close()
        if isinstance(self._messages, GeneratorType) and not self._messages.gi_running:
            self._messages.close()

    def _run(self) -> Generator[T, None, None]:
        while not self._over.is_set():
            try:
                with connect(self._target.url, **self._target.options()) as self._socket:
                    self._socket.send(self._talk.opening())
                    while not self._over.is_set():
                        step = self._talk.take(self._socket.recv(timeout=SILENCE_S))
                        if step.send is not None:
                            self._socket.send(step.send)
                        if step.message is not None:
                            yield step.message
                        if step.ended:
                            return
            except BROKEN as error:
                if self._over.is_set():
                    return
                self._over.wait(self._talk.pause(error))


class AsyncStream(_Standing[T]):
    """Messages as they come; `async with` or `aclose()` ends it, from another task too."""

    def __init__(self, socket: Socket, talk: Conversation[T]) -> None:
        self._target, self._talk = socket, talk
        self._over = asyncio.Event()
        self._socket: AsyncConnection | None = None
        self._messages = self._run()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return await anext(self._messages)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End it: whoever waits for a message gets none any more."""
        self._over.set()
        if self._socket is not None:
            await self._socket.close()
        if isinstance(self._messages, AsyncGeneratorType) and not self._messages.ag_running:
            await self._messages.aclose()

    async def _run(self) -> AsyncGenerator[T, None]:
        while not self._over.is_set():
            try:
                async with connect_async(self._target.url, **self._target.options()) as self._socket:
                    await self._socket.send(self._talk.opening())
                    while not self._over.is_set():
                        step = self._talk.take(await asyncio.wait_for(self._socket.recv(), SILENCE_S))
                        if step.send is not None:
                            await self._socket.send(step.send)
                        if step.message is not None:
                            yield step.message
                        if step.ended:
                            return
            except BROKEN as error:
                if self._over.is_set():
                    return
                await _wait(self._over, self._talk.pause(error))


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
