"""The HTTP port that providers are given; `httpclient.py`, `lines/socket.py`, `egress/pool.py` know the client too."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from urllib.parse import quote, urlsplit

import msgspec

from gateway import __version__
from gateway.core.aside import at_home, read
from gateway.core.callfacts import call_facts
from gateway.core.clock import Clock
from gateway.core.httpclient import address_of, as_upstream_error, merged, sent_once, trusting
from gateway.core.inflate import Inflater, Unreadable
from gateway.core.parts import parts_of, whole
from gateway.core.refusals import refusal_by_status
from gateway.core.replyheaders import usage_of
from gateway.core.secrets import Redactor
from providers.contract import Params, Part, Profile, Reply
from providers.row import Row
from schema.errors import KeyMissing, Malformed, Unauthorized, UpstreamError
from schema.provenance import RecordedFrom

if TYPE_CHECKING:
    from aiohttp import ClientSession

LARGEST_BODY = 32 * 1024 * 1024
LONGEST_HEADER = 64 * 1024
KEPT_OPEN = 30.0
BACKSTOP = 30.0
"""Seconds without a byte; the caller's deadline is what counts."""
SILENCE = 120.0
"""The same of a stream: who thinks says nothing meanwhile."""
TOLD = 4096
"""Of a body that is no JSON: so much is shown to the adapter, which knows its upstream's wording."""
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One exchange to be made. `path` and `params` are the adapter's own, `url` is where it goes."""

    provider: str
    method: str
    host: str
    path: str
    params: tuple[tuple[str, str], ...]
    url: str
    secret_params: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawReply:
    """Status, lower-case headers and the decoded body; a recording says how and when it was made."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    recorded: RecordedFrom | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawStream:
    """A reply whose body is still coming."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    recorded: RecordedFrom | None = None
    recorded_at: datetime | None = None


class Transport(Protocol):
    """Carries out exchanges: the network, the recordings, or a test's double."""

    async def send(self, request: Request) -> RawReply:
        """Raise Timeout, ConnectionFailed, Malformed (too large) or NotRecorded; never an HTTP client's error."""

    async def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class StreamTransport(Protocol):
    """A transport that hands on a body as it comes."""

    def open_stream(self, request: Request) -> AbstractAsyncContextManager[RawStream]:
        """The same errors as `Transport.send`, also between two chunks."""


class NetworkTransport:
    """aiohttp, one pool of connections per provider. The time-out is the caller's deadline."""

    def __init__(self, *, largest_body: int = LARGEST_BODY, connections: int = 100) -> None:
        self._largest, self._connections = largest_body, connections
        self._sessions: dict[str, ClientSession] = {}
        self._tls: ssl.SSLContext | None = None
        self._faults: tuple[type[Exception], ...] = ()

    async def send(self, request: Request) -> RawReply:
        """One exchange; the body is decoded (gzip, br, deflate) and bounded while it is."""
        session = self._sessions.get(request.provider) or self._open(request.provider)
        try:
            async with session.request(
                request.method, address_of(request), headers=request.headers, data=request.body or None,
                allow_redirects=False,
            ) as reply:  # fmt: skip
                headers = merged(reply.raw_headers)
                body = Inflater(headers.get("content-encoding", ""), self._largest)
                while chunk := await reply.content.readany():
                    body.feed(chunk)
                content = body.finish()
        except Unreadable as error:
            raise Malformed(request.provider, str(error)) from None
        except self._faults as error:
            raise as_upstream_error(request.provider, error) from None
        return RawReply(status=reply.status, headers=headers, content=content)

    @asynccontextmanager
    async def open_stream(self, request: Request) -> AsyncIterator[RawStream]:
        """One exchange whose body is handed on as it comes; the connection is closed with it."""
        session = self._sessions.get(request.provider) or self._open(request.provider)
        import aiohttp

        patience = aiohttp.ClientTimeout(total=None, connect=BACKSTOP, sock_connect=BACKSTOP, sock_read=SILENCE)
        try:
            async with session.request(
                request.method, address_of(request), headers=request.headers, data=request.body or None,
                allow_redirects=False, timeout=patience,
            ) as reply:  # fmt: skip
                headers = merged(reply.raw_headers)
                if headers.get("content-encoding", "identity") != "identity":
                    raise Malformed(request.provider, "the stream is in an encoding that was not asked for")
                yield RawStream(status=reply.status, headers=headers, chunks=reply.content.iter_any())
        except self._faults as error:
            raise as_upstream_error(request.provider, error) from None

    def _open(self, provider: str) -> ClientSession:
        # Imported at the first use: an offline gateway never pays for it. One TLS context serves all providers.
        import aiohttp

        self._tls = self._tls or trusting()
        self._faults = (aiohttp.ClientError, TimeoutError)
        pool = aiohttp.TCPConnector(
            limit=self._connections,
            keepalive_timeout=KEPT_OPEN,
            ssl=self._tls,
            # The system's own way to an address; aiohttp would take another where aiodns happens to be installed.
            resolver=aiohttp.ThreadedResolver(),
        )
        opened = self._sessions[provider] = aiohttp.ClientSession(
            connector=pool,
            # Cookies would tie one caller to another.
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"accept": "*/*", "connection": "keep-alive"},
            timeout=aiohttp.ClientTimeout(total=None, connect=BACKSTOP, sock_connect=BACKSTOP, sock_read=BACKSTOP),
            middlewares=(sent_once,),
            auto_decompress=False,
            trust_env=False,
            # Some upstreams send longer headers than aiohttp expects.
            max_line_size=LONGEST_HEADER,
            max_field_size=LONGEST_HEADER,
        )
        return opened

    async def close(self) -> None:
        """Close all pools."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()


@asynccontextmanager
async def _stream(transport: Transport, request: Request) -> AsyncIterator[RawStream]:
    if isinstance(transport, StreamTransport):
        async with transport.open_stream(request) as opened:
            yield opened
        return
    reply = await transport.send(request)

    async def at_once() -> AsyncIterator[bytes]:
        yield reply.content

    yield RawStream(
        status=reply.status, headers=reply.headers, chunks=at_once(), recorded=reply.recorded,
        recorded_at=reply.recorded_at,
    )  # fmt: skip


def _as_text(provider: str, content: bytes) -> Row:
    return Row(provider, content.decode("utf-8-sig", "replace"))


def _nothing(_: Reply) -> UpstreamError | None:
    return None


Given = tuple[dict[str, str], tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]
"""Headers, and what nobody may see: parameters, and what stands in the path."""


@dataclass(slots=True, kw_only=True)
class UpstreamHttp:
    """providers.contract.Http for one provider: URL, credentials, status rules, decoding."""

    profile: Profile
    transport: Transport
    clock: Clock
    key: Mapping[str, str] = field(default_factory=dict)
    needs_key: bool = True
    base: str = ""
    explain: Callable[[Reply], UpstreamError | None] = _nothing
    redact: Redactor = field(init=False)
    _given: Given | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.redact = Redactor(self.key.values())

    async def get(self, path: str, params: Params | None = None, *, host: str = "") -> Row:
        """A JSON body."""
        return await self._json("GET", path, params, host, None)

    async def post(self, path: str, body: object, params: Params | None = None, *, host: str = "") -> Row:
        """A JSON body in answer to a JSON body."""
        return await self._json("POST", path, params, host, _ENCODER.encode(body))

    async def get_csv(self, path: str, params: Params | None = None, *, host: str = "") -> Row:
        """A CSV body with a header line."""
        return await self._text(path, params, host, Row.csv)

    async def get_xml(self, path: str, params: Params | None = None, *, host: str = "") -> Row:
        """An XML body."""
        return await self._text(path, params, host, Row.xml)

    async def get_text(self, path: str, params: Params | None = None, *, host: str = "") -> Row:
        """A body of another format."""
        return await self._text(path, params, host, _as_text)

    async def stream(
        self, path: str, body: object, params: Params | None = None, *, host: str = ""
    ) -> AsyncGenerator[Part]:
        """The parts of an answer, as they come; see `providers.contract.Http`."""
        request = self._request("POST", path, params, host, _ENCODER.encode(body))
        request = replace(request, headers={**request.headers, "accept-encoding": "identity"})
        provider, clean = self.profile.id, self.redact.body
        async with self._opened(request) as reply:
            if reply.status >= 300:
                content = await whole(provider, reply.chunks, LARGEST_BODY)
                raise self._refusal(RawReply(status=reply.status, headers=reply.headers, content=clean(content)))
            async with aclosing(parts_of(provider, reply.chunks, clean, LARGEST_BODY)) as parts:
                async for part in parts:
                    meant = self.explain(Reply(status=reply.status, headers=reply.headers, body=part.body))
                    if meant is not None:
                        raise meant
                    yield part

    async def _json(self, method: str, path: str, params: Params | None, host: str, body: bytes | None) -> Row:
        reply = await at_home(self._send(method, path, params, host, body))
        return await read(len(reply.content), partial(self._value, reply))

    async def _text(self, path: str, params: Params | None, host: str, form: Callable[[str, bytes], Row]) -> Row:
        reply = await at_home(self._send("GET", path, params, host, None))
        return await read(len(reply.content), partial(self._value_in, form, reply))

    def _value(self, reply: RawReply) -> Row:
        if reply.status >= 300:
            raise self._refusal(reply)
        try:
            row = Row.json(self.profile.id, reply.content)
        except Malformed as error:
            raise self._said(reply) or error from None
        meant = self.explain(Reply(status=reply.status, headers=reply.headers, body=row))
        if meant is not None:
            raise meant
        return row

    def _value_in(self, form: Callable[[str, bytes], Row], reply: RawReply) -> Row:
        meant = self._refusal(reply) if reply.status >= 300 else self._said(reply)
        if meant is not None:
            raise meant
        return form(self.profile.id, reply.content)

    def _refusal(self, reply: RawReply) -> UpstreamError:
        said = self._said(reply)
        return said or refusal_by_status(self.profile.id, reply.status, reply.headers, reply.content, self.clock.now())

    def _said(self, reply: RawReply) -> UpstreamError | None:
        """What the adapter makes of a reply that is no answer, or no JSON."""
        try:
            body = Row.json(self.profile.id, reply.content)
        except Malformed:
            body = Row(self.profile.id, reply.content[:TOLD].decode("utf-8", "replace"))
        try:
            return self.explain(Reply(status=reply.status, headers=reply.headers, body=body))
        except Malformed:
            return None

    @asynccontextmanager
    async def _opened(self, request: Request) -> AsyncIterator[RawStream]:
        """A reply as it comes; as one piece from a transport that knows no other."""
        facts = call_facts.get(None)
        toll = facts.toll if facts is not None else None
        ticket = await toll.pay() if toll is not None else None
        try:
            async with _stream(self.transport, request) as reply:
                if facts is not None:
                    facts.requests += 1
                    facts.recorded, facts.recorded_at = reply.recorded, reply.recorded_at
                if toll is not None and self.profile.usage:
                    toll.seen(usage_of(reply.headers, self.profile))
                yield reply
        finally:
            if toll is not None and ticket is not None:
                toll.done(ticket)

    async def _send(self, method: str, path: str, params: Params | None, host: str, body: bytes | None) -> RawReply:
        request = self._request(method, path, params, host, body)
        facts = call_facts.get(None)
        toll = facts.toll if facts is not None else None
        ticket = await toll.pay() if toll is not None else None
        started = time.perf_counter()
        try:
            reply = await self.transport.send(request)
        finally:
            if toll is not None and ticket is not None:
                toll.done(ticket)
        if toll is not None and self.profile.usage:
            toll.seen(usage_of(reply.headers, self.profile))
        content = self.redact.body(reply.content)
        if content is not reply.content:
            reply = replace(reply, content=content)
        if facts is not None:
            facts.requests += 1
            facts.recorded, facts.recorded_at = reply.recorded, reply.recorded_at
            if reply.recorded is None:
                facts.latency_ms = (facts.latency_ms or 0) + round((time.perf_counter() - started) * 1000)
        return reply

    def _request(self, method: str, path: str, params: Params | None, host: str, body: bytes | None) -> Request:
        if self._given is None:
            self._given = self._credentials()
        headers, secret, in_path = self._given
        if body is not None:
            headers = {**headers, "content-type": "application/json"}
        sent = tuple([(name, str(value)) for name, value in params.items()]) if params else ()
        url = self._root(host) + path
        for name, value in in_path:
            url = url.replace(f"{{{name}}}", value)
        return Request(
            provider=self.profile.id, method=method, host=host, path=path, params=sent, url=url,
            secret_params=secret, headers=headers, body=body,
        )  # fmt: skip

    def _credentials(self) -> Given:
        """What goes with every request."""
        profile = self.profile
        headers = {"accept-encoding": "gzip, br", "user-agent": f"marketgate/{__version__}"}
        headers.update((name.lower(), value) for name, value in profile.headers.items())
        secret: list[tuple[str, str]] = []
        in_path: list[tuple[str, str]] = []
        for part in profile.credentials if self.needs_key else ():
            value = self.key.get(part.name)
            if value is None and part.required:
                raise KeyMissing(profile.id, f"needs a key: set MARKETGATE_KEY_{profile.id.upper()}")
            if value is not None and part.place == "header":
                if not (value.isascii() and value.isprintable()):
                    told = "its key cannot be sent: it holds characters that a header may not have"
                    raise Unauthorized(profile.id, told)
                headers[part.key] = part.template.format(value)
            elif value is not None:
                placed = (part.key, quote(value, safe="")) if part.place == "path" else (part.key, value)
                (in_path if part.place == "path" else secret).append(placed)
        return headers, tuple(secret), tuple(in_path)

    def _root(self, host: str) -> str:
        root = self.profile.hosts[host] if host else self.profile.base_url
        if not self.base:
            return root
        return f"{self.base.rstrip('/')}/{self.profile.id}{urlsplit(root).path.rstrip('/')}"
