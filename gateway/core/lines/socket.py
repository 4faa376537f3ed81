"""The only module that opens upstream sockets; what comes in is text or bytes, what goes wrong is an UpstreamError."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote, urlsplit

from gateway import __version__
from gateway.core.clock import Clock
from gateway.core.httpclient import as_upstream_error, merged, trusting
from gateway.core.parts import Events
from gateway.core.refusals import refusal_by_status
from providers.contract import Credential
from providers.feeds import LARGEST_FRAME, Out
from schema.errors import ConnectionFailed, KeyMissing, Malformed, UpstreamError

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession, ClientWebSocketResponse

HANDSHAKE_S = 10.0
FAREWELL_S = 1.0
SCHEMES = {"http": "ws", "https": "wss"}


class Wire(Protocol):
    """An open connection. `one_way`: nothing can be sent, what is asked for stands in the address."""

    one_way: bool

    async def send(self, out: Out) -> None:
        """One frame; ConnectionFailed where the connection has ended."""

    async def ping(self) -> None:
        """A frame that the other side has to answer."""

    async def receive(self) -> str | bytes | None:
        """The next frame; None for a sign of life without content. ConnectionFailed at the end."""

    async def close(self) -> None:
        """Say goodbye, for a second at most."""


class Sockets:
    """Opens wires; one aiohttp session for all of them, made at the first use."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._session: ClientSession | None = None

    async def open(self, provider: str, url: str, headers: Mapping[str, str]) -> Wire:
        """A WebSocket for ws and wss, server-sent events for http and https.

        Refused handshakes are what a reply with that status is: Unauthorized, Throttled with its wait, Overloaded…
        """
        import aiohttp

        session = self._session or self._start()
        headers = {"user-agent": f"marketgate/{__version__}", **headers}
        try:
            if urlsplit(url).scheme in SCHEMES:
                return await self._events(session, provider, url, headers)
            patience = aiohttp.ClientWSTimeout(ws_receive=None, ws_close=FAREWELL_S)
            opened = await session.ws_connect(
                url, headers=headers, timeout=patience, autoping=False, max_msg_size=LARGEST_FRAME
            )
        except aiohttp.WSServerHandshakeError as error:
            told = {str(name).lower(): str(value) for name, value in (error.headers or {}).items()}
            raise refusal_by_status(provider, error.status, told, b"", self._clock.now()) from None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise as_upstream_error(provider, error) from None
        return _Socket(provider, opened)

    async def _events(self, session: ClientSession, provider: str, url: str, headers: Mapping[str, str]) -> Wire:
        reply = await session.get(url, headers={"accept": "text/event-stream", **headers}, allow_redirects=False)
        if reply.status >= 300:
            told = merged(reply.raw_headers)
            content = await reply.content.read(4096)
            reply.close()
            raise refusal_by_status(provider, reply.status, told, content, self._clock.now())
        return _Events(provider, reply)

    def _start(self) -> ClientSession:
        import aiohttp

        pool = aiohttp.TCPConnector(limit=0, ssl=trusting(), resolver=aiohttp.ThreadedResolver(), force_close=True)
        self._session = aiohttp.ClientSession(
            connector=pool,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=HANDSHAKE_S, sock_connect=HANDSHAKE_S),
            trust_env=False,
        )
        return self._session

    async def close(self) -> None:
        """Close what is open."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class _Socket:
    one_way = False

    def __init__(self, provider: str, opened: ClientWebSocketResponse) -> None:
        self._provider, self._opened = provider, opened

    async def send(self, out: Out) -> None:
        try:
            await (self._opened.send_str(out) if isinstance(out, str) else self._opened.send_bytes(out))
        except (OSError, RuntimeError) as error:
            raise ConnectionFailed(self._provider, "the connection has ended") from error

    async def ping(self) -> None:
        try:
            await self._opened.ping()
        except (OSError, RuntimeError) as error:
            raise ConnectionFailed(self._provider, "the connection has ended") from error

    async def receive(self) -> str | bytes | None:
        from aiohttp import WSMsgType

        message = await self._opened.receive()
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            content: str | bytes = message.data
            return content
        if message.type is WSMsgType.PING:
            with suppress(OSError, RuntimeError):
                await self._opened.pong(message.data)
            return None
        if message.type is WSMsgType.PONG:
            return None
        raise self._end(message.type is WSMsgType.ERROR)

    def _end(self, broken: bool) -> UpstreamError:
        if broken:
            return Malformed(self._provider, "a frame breaks the protocol, or is too large")
        code = self._opened.close_code
        said = "" if code in (None, 1006) else f" with code {code}"
        return ConnectionFailed(self._provider, f"the venue has closed the connection{said}")

    async def close(self) -> None:
        await self._opened.close()


class _Events:
    """Server-sent events: the data of each."""

    one_way = True

    def __init__(self, provider: str, reply: ClientResponse) -> None:
        self._provider, self._reply = provider, reply
        self._events, self._held = Events(provider, bytes), deque[bytes]()

    async def send(self, out: Out) -> None:
        raise ConnectionFailed(self._provider, "nothing can be sent on a stream of events")

    async def ping(self) -> None:
        """There is no such thing."""

    async def receive(self) -> str | bytes | None:
        import aiohttp

        if not self._held:
            try:
                chunk = await self._reply.content.readany()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise as_upstream_error(self._provider, error) from None
            if not chunk:
                raise ConnectionFailed(self._provider, "the venue has ended the stream")
            self._held.extend(data for _, data in self._events.feed(chunk))
        return self._held.popleft() if self._held else None

    async def close(self) -> None:
        self._reply.close()


def rebased(url: str, base: str, provider: str) -> str:
    """Where MARKETGATE_UPSTREAM_BASE sends a feed: that base, the provider's id, the address's own path and query."""
    if not base:
        return url
    asked, root = urlsplit(url), urlsplit(base.rstrip("/"))
    scheme = root.scheme if asked.scheme in SCHEMES else SCHEMES[root.scheme]
    query = f"?{asked.query}" if asked.query else ""
    return f"{scheme}://{root.netloc}{root.path}/{provider}{asked.path}{query}"


def furnished(
    url: str, provider: str, credentials: tuple[Credential, ...], key: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    """The address and headers with a feed's credentials in place; KeyMissing where a required one is not there."""
    headers: dict[str, str] = {}
    for part in credentials:
        value = key.get(part.name)
        if value is None:
            if part.required:
                raise KeyMissing(provider, f"needs a key: set MARKETGATE_KEY_{provider.upper()}")
            continue
        told = part.template.format(value)
        if part.place == "header":
            headers[part.key] = told
        elif part.place == "query":
            url += f"{'&' if urlsplit(url).query else '?'}{part.key}={quote(told, safe='')}"
        else:
            url = url.replace(f"{{{part.key}}}", quote(told, safe=""))
    return url, headers
