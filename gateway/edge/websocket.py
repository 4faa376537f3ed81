"""GraphQL over WebSocket (graphql-transport-ws): queries, mutations and subscriptions on one socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import perf_counter

import structlog
from starlette.types import Receive, Scope, Send

from gateway.core.identity import CallerKind
from gateway.edge.errors import Faults, Refused, masked, turned_away
from gateway.edge.execute import Executor, RequestFacts
from gateway.edge.frames import EXTENSION, FrameWriter
from gateway.edge.http import facts_of, headers_of
from gateway.edge.limits import EdgeSettings
from gateway.edge.messages import PROTOCOL, CloseCode, Closed, Kind, Message, read_message
from gateway.edge.operations import Operations
from gateway.edge.replies import encode
from gateway.edge.wake import Wake
from schema.errors import Refusal

LOG = structlog.get_logger("marketgate.access")
CLOSE_S = 2.0
"""How long a client that does not read may hold up the frame that closes its socket."""


class WebSocketEndpoint:
    """The endpoint `/graphql` for sockets."""

    def __init__(self, executor: Executor, settings: EdgeSettings) -> None:
        self._executor, self._settings = executor, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (await receive())["type"] != "websocket.connect":
            return
        offered = PROTOCOL in scope["subprotocols"]
        # A handshake that is refused shows a browser no code: the socket is opened first, then closed with one.
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL if offered else None})
        if not offered:
            reason = f"Subprotocol not acceptable: only {PROTOCOL} is served"
            await send({"type": "websocket.close", "code": int(CloseCode.SUBPROTOCOL), "reason": reason})
            return
        facts = facts_of(scope, headers_of(scope), self._settings.public_origin)
        started = perf_counter()
        writer = (scope.get("extensions") or {}).get(EXTENSION)
        socket = Socket(self._executor, self._settings, facts, receive, send, writer)
        try:
            await socket.serve()
        finally:
            LOG.info(
                "socket", path=scope["path"], code=socket.end.code, operations=socket.operations.count,
                ms=round((perf_counter() - started) * 1000, 3), client=facts.client_ip,
            )  # fmt: skip


class Socket:
    """One accepted socket until its end. The reader never waits for the client to read, so it hears it at any time."""

    def __init__(
        self, executor: Executor, settings: EdgeSettings, facts: RequestFacts, receive: Receive, send: Send,
        writer: FrameWriter | None = None,
    ) -> None:  # fmt: skip
        self._executor, self._settings, self._facts = executor, settings, facts
        self._receive, self._asgi_send = receive, send
        self._end: Closed | None = None
        self._over = Wake()
        self._turn = asyncio.Lock()
        self._heard, self._asked, self._ready = Wake(), Wake(), Wake()
        self._ponging: asyncio.Task[None] | None = None
        self._pong: Message | None = None
        self._unwatch: Callable[[], None] = _nothing
        self._leave: Callable[[], None] = _nothing
        self.operations = Operations(
            executor, facts, self.send, most=settings.max_socket_operations, send_text=self.send_text, writer=writer
        )

    @property
    def end(self) -> Closed:
        """How it ended; until then, as if the client had left."""
        return self._end or Closed()

    def close(self, end: Closed) -> None:
        """End the socket; the first reason counts."""
        if self._end is None:
            self._end = end
            self._over.set()

    async def serve(self) -> None:
        """Read, answer and keep alive until the end; no task outlives this."""
        tasks = [asyncio.create_task(self._guarded(work)) for work in (self._read, self._keep_alive)]
        try:
            await self._over.wait()
        finally:
            self.close(Closed())
            self._unwatch()
            self._leave()
            for task in tasks:
                task.cancel()
            self.operations.cancel()
            await self._say_goodbye()
            if self._ponging is not None:
                self._ponging.cancel()
                tasks.append(self._ponging)
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.operations.ended()

    async def send(self, message: dict[str, object]) -> None:
        """One message after another: a client that reads slowly holds back its own operations and nobody else.

        Raises Closed once the socket is at its end.
        """
        await self.send_text(encode(message).decode())

    async def send_text(self, text: str) -> None:
        """A message as it is written; see `send`."""
        async with self._turn:
            if self._end is not None:
                raise Closed
            try:
                async with asyncio.timeout(self._settings.socket_send_s):
                    await self._asgi_send({"type": "websocket.send", "text": text})
            except TimeoutError:
                self.close(Closed(CloseCode.TIMEOUT, "The client does not read"))
                raise Closed from None
            except (OSError, RuntimeError):
                # The server's words for a socket that is gone.
                self.close(Closed())
                raise Closed from None

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Closed as closed:
            self.close(closed)
        except Exception as fault:  # noqa: BLE001 - whatever it is, the client gets a masked reason
            self.close(_closed_by(masked(fault, Faults(request_id=self._facts.request_id))))

    async def _read(self) -> None:
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                raise Closed()
            text = event.get("text")
            if text is not None and len(text.encode()) > self._settings.max_body_bytes:
                raise Closed(CloseCode.TOO_BIG, f"A message has at most {self._settings.max_body_bytes} bytes")
            message = read_message(text)
            self._heard.set()
            await self._take(message)

    async def _take(self, message: Message) -> None:
        match message.kind:
            case Kind.INIT:
                await self._initialise(message)
            case Kind.PING:
                self._answer_ping(message)
            case Kind.COMPLETE:
                self.operations.complete(message.id)
            case Kind.SUBSCRIBE if not self._ready.is_set():
                raise Closed(CloseCode.UNAUTHORIZED, "Unauthorized: send connection_init and wait for connection_ack")
            case Kind.SUBSCRIBE:
                await self.operations.start(message)

    async def _initialise(self, message: Message) -> None:
        if self._ready.is_set():
            raise Closed(CloseCode.TOO_MANY_INITS, "Too many initialisation requests")
        self._asked.set()
        facts = replace(self._facts, connection=message.payload or {})
        try:
            principal = await self._executor.identify(facts)
        except Refused as refused:
            raise _closed_by(refused) from None
        if not _may_come_from(facts, principal.kind is not CallerKind.ANONYMOUS, self._settings.cors_origins):
            raise Closed(CloseCode.FORBIDDEN, "The page's origin is not in MARKETGATE_CORS_ORIGINS: send a credential")
        try:
            self._leave = self._executor.gate.connect(principal, facts)
        except Refusal as refusal:
            raise _closed_by(turned_away(refusal)) from None
        self._unwatch = self._executor.gate.watch(principal, self._revoked)
        self.operations.admit(facts, principal)
        self._ready.set()
        await self.send({"type": "connection_ack"})

    def _revoked(self, reason: str) -> None:
        self.close(Closed(CloseCode.FORBIDDEN, reason))

    def _answer_ping(self, message: Message) -> None:
        """A ping that comes before the last one was answered takes its place, as WebSocket's own pings do."""
        self._pong = message
        if self._ponging is None or self._ponging.done():
            self._ponging = asyncio.create_task(self._send_pong())

    async def _send_pong(self) -> None:
        while self._pong is not None:
            message, self._pong = self._pong, None
            payload = {} if message.payload is None else {"payload": message.payload}
            await self.send({"type": "pong", **payload})

    async def _keep_alive(self) -> None:
        try:
            async with asyncio.timeout(self._settings.socket_init_s):
                await self._asked.wait()
        except TimeoutError:
            raise Closed(CloseCode.TIMEOUT, "Connection initialisation timeout") from None
        # From here on it is not the client who keeps us waiting.
        await self._ready.wait()
        while True:
            await asyncio.sleep(self._settings.socket_ping_s)
            self._heard.clear()
            await self.send({"type": "ping"})
            try:
                async with asyncio.timeout(self._settings.socket_ping_s):
                    await self._heard.wait()
            except TimeoutError:
                raise Closed(CloseCode.TIMEOUT, "No pong in time") from None

    async def _say_goodbye(self) -> None:
        end = self.end
        if end.code is None:
            return
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._asgi_send({"type": "websocket.close", "code": end.code, "reason": end.reason})
        except (TimeoutError, OSError, RuntimeError):
            LOG.debug("socket_gone", code=end.code)


def _closed_by(refused: Refused) -> Closed:
    """What a refusal before any operation means for the socket; its reason is as short as a close frame."""
    told = refused.errors[0]["extensions"]
    if refused.status == 500:
        return Closed(CloseCode.INTERNAL, f"Internal error {told['errorId']}")
    if refused.status == 503:
        return Closed(CloseCode.TRY_AGAIN_LATER, f"{told['code']}: {refused}")
    code = CloseCode.UNAUTHORIZED if refused.status == 401 else CloseCode.FORBIDDEN
    return Closed(code, f"{told['code']}: {refused}")


def _may_come_from(facts: RequestFacts, known: bool, allowed: tuple[str, ...]) -> bool:
    """Browsers ask nobody before they open a socket: what CORS does for HTTP is done here.

    A page elsewhere that is not listed must show a credential that it holds itself; cookies of its visitor are none.
    """
    if facts.same_origin or known or "*" in allowed:
        return True
    return facts.headers.get("origin") in allowed


def _nothing() -> None:
    """Nothing is watched yet."""
