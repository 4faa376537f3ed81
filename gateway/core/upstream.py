"""The HTTP port that providers are given, and the only module that imports the HTTP client."""

from __future__ import annotations

import os
import re
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import msgspec

from gateway import __version__
from gateway.core.clock import Clock
from gateway.core.inflate import Inflater, Unreadable
from gateway.core.replyheaders import retry_after, usage_of
from gateway.core.secrets import Redactor
from providers.contract import Params, Profile, Reply
from providers.row import Row
from schema.errors import (
    Blocked,
    ConnectionFailed,
    KeyMissing,
    Malformed,
    NotCovered,
    Overloaded,
    Throttled,
    Timeout,
    Unauthorized,
    UnknownInstrument,
    UpstreamError,
)
from schema.provenance import RecordedFrom

if TYPE_CHECKING:
    from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientSession
    from yarl import URL

    from gateway.core.guards.toll import Toll

LARGEST_BODY = 32 * 1024 * 1024
LONGEST_HEADER = 64 * 1024
KEPT_OPEN = 30.0
BACKSTOP = 30.0
"""Seconds without a byte; the caller's deadline is what counts."""
_SHOWN = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


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


class Transport(Protocol):
    """Carries out exchanges: the network, the recordings, or a test's double."""

    async def send(self, request: Request) -> RawReply:
        """Raise Timeout, ConnectionFailed, Malformed (too large) or NotRecorded; never an HTTP client's error."""

    async def close(self) -> None:
        """Let go of connections."""


@dataclass(slots=True)
class CallFacts:
    """What one provider call learned on its way; filled by the port, read by the core."""

    capability: str = ""
    latency_ms: int | None = None
    recorded: RecordedFrom | None = None
    recorded_at: datetime | None = None
    requests: int = 0
    keep: bool = True
    """Whether the answer may be held for others."""
    toll: Toll | None = None
    """Where each request is paid for that leaves; None where nobody counts."""


call_facts: ContextVar[CallFacts] = ContextVar("call_facts")


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
                headers = _merged(reply.raw_headers)
                body = Inflater(headers.get("content-encoding", ""), self._largest)
                while chunk := await reply.content.readany():
                    body.feed(chunk)
                content = body.finish()
        except Unreadable as error:
            raise Malformed(request.provider, str(error)) from None
        except self._faults as error:
            raise _as_upstream_error(request.provider, error) from None
        return RawReply(status=reply.status, headers=headers, content=content)

    def _open(self, provider: str) -> ClientSession:
        # Imported at the first use: an offline gateway never pays for it. One TLS context serves all providers.
        import aiohttp

        self._tls = self._tls or _trusting()
        self._faults = (aiohttp.ClientError, TimeoutError)
        pool = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=KEPT_OPEN, ssl=self._tls)
        opened = self._sessions[provider] = aiohttp.ClientSession(
            connector=pool,
            # Cookies would tie one caller to another.
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"accept": "*/*", "connection": "keep-alive"},
            timeout=aiohttp.ClientTimeout(total=None, connect=BACKSTOP, sock_connect=BACKSTOP, sock_read=BACKSTOP),
            middlewares=(_sent_once,),
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


def _trusting() -> ssl.SSLContext:
    """The certificates that SSL_CERT_FILE or SSL_CERT_DIR name, else certifi's."""
    found = ssl.get_default_verify_paths()
    file = found.cafile if found.cafile != found.openssl_cafile else None
    folder = found.capath if found.capath != found.openssl_capath else None
    if file or folder:
        return ssl.create_default_context(cafile=file, capath=folder)
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def address_of(request: Request) -> URL:
    """Encoded once, here; parameters take the place of a query that the address has of its own."""
    from yarl import URL

    try:
        if _CONTROL.search(request.url):
            raise ValueError
        url = URL(request.url.replace(" ", "%20"))
        params = (*request.params, *request.secret_params)
        return url.with_query(params) if params else url
    except ValueError:
        raise Malformed(request.provider, "its address is not a URL") from None


async def _sent_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """aiohttp would send a GET again when its connection ends, below our retry budget: hide that from it."""
    try:
        return await handler(request)
    except _ended() as error:
        from aiohttp import ClientConnectionError

        raise ClientConnectionError from error


def _ended() -> tuple[type[Exception], ...]:
    from aiohttp import ClientOSError, ServerDisconnectedError

    return ClientOSError, ServerDisconnectedError


def _merged(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Lower-case names; a header that came more than once is one, its values parted by commas."""
    found: dict[str, str] = {}
    for name, value in raw:
        key = str(name, "latin-1").lower()
        try:
            text = str(value, "utf-8")
        except UnicodeDecodeError:
            text = str(value, "latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def _as_upstream_error(provider: str, error: Exception) -> UpstreamError:
    """In our own words: the client's hold URLs."""
    import aiohttp

    cause = error.__cause__ or error
    if isinstance(cause, TimeoutError):
        return Timeout(provider, "no answer in time")
    if isinstance(cause, aiohttp.ClientResponseError):
        return Malformed(provider, "the reply is not HTTP")
    if isinstance(cause, aiohttp.InvalidURL):
        return Malformed(provider, "its address is not a URL")
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return ConnectionFailed(provider, "its host name cannot be resolved")
    if isinstance(cause, aiohttp.ClientSSLError):
        return ConnectionFailed(provider, "no TLS connection could be made")
    if isinstance(cause, OSError) and cause.errno:
        return ConnectionFailed(provider, os.strerror(cause.errno).lower())
    if isinstance(cause, aiohttp.ClientPayloadError):
        return ConnectionFailed(provider, "the connection ended within the body")
    return ConnectionFailed(provider, "the connection ended before the reply")


def _nothing(_: Reply) -> UpstreamError | None:
    return None


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
    _given: tuple[dict[str, str], tuple[tuple[str, str], ...]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.redact = Redactor(self.key.values())

    async def get(self, path: str, params: Params | None = None, *, host: str = "") -> Row:
        """A JSON body."""
        return await self._json("GET", path, params, host, None)

    async def post(self, path: str, body: object, params: Params | None = None, *, host: str = "") -> Row:
        """A JSON body in answer to a JSON body."""
        return await self._json("POST", path, params, host, msgspec.json.encode(body))

    async def get_csv(self, path: str, params: Params | None = None, *, host: str = "") -> Row:
        """A CSV body with a header line."""
        reply = await self._send("GET", path, params, host, None)
        self._check_text(reply)
        return Row.csv(self.profile.id, reply.content)

    async def get_xml(self, path: str, params: Params | None = None, *, host: str = "") -> Row:
        """An XML body."""
        reply = await self._send("GET", path, params, host, None)
        self._check_text(reply)
        return Row.xml(self.profile.id, reply.content)

    async def _json(self, method: str, path: str, params: Params | None, host: str, body: bytes | None) -> Row:
        reply = await self._send(method, path, params, host, body)
        if reply.status >= 300:
            raise self._refusal(reply)
        row = Row.json(self.profile.id, reply.content)
        meant = self.explain(Reply(status=reply.status, headers=reply.headers, body=row))
        if meant is not None:
            raise meant
        return row

    def _check_text(self, reply: RawReply) -> None:
        if reply.status >= 300:
            raise self._refusal(reply)

    def _refusal(self, reply: RawReply) -> UpstreamError:
        try:
            body = Row.json(self.profile.id, reply.content)
        except Malformed:
            body = Row(self.profile.id, reply.content[:4096].decode("utf-8", "replace"))
        try:
            meant = self.explain(Reply(status=reply.status, headers=reply.headers, body=body))
        except Malformed:
            meant = None
        return meant or self.by_status(reply)

    def by_status(self, reply: RawReply) -> UpstreamError:
        """What a status means by itself."""
        provider, status = self.profile.id, reply.status
        said = f"HTTP {status}{_excerpt(reply.content)}"
        if status in (429, 418):
            return Throttled(provider, said, retry_after=retry_after(reply.headers, self.clock.now()))
        if status in (401, 403):
            return Unauthorized(provider, said)
        if status == 451:
            return Blocked(provider, said)
        if status == 404:
            # A page in HTML is a wrong address, or a proxy's: no word about the instrument.
            page = reply.content.lstrip()[:1] == b"<"
            return NotCovered(provider, said) if page else UnknownInstrument(provider, said)
        if status == 408:
            return Timeout(provider, said)
        if status >= 500:
            return Overloaded(provider, said, retry_after=retry_after(reply.headers, self.clock.now()))
        if status < 400:
            return Malformed(provider, f"HTTP {status}: a redirect, which is never followed")
        return NotCovered(provider, said)

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
        headers, secret = self._given
        if body is not None:
            headers = {**headers, "content-type": "application/json"}
        sent = tuple([(name, str(value)) for name, value in params.items()]) if params else ()
        return Request(
            provider=self.profile.id, method=method, host=host, path=path, params=sent, url=self._root(host) + path,
            secret_params=secret, headers=headers, body=body,
        )  # fmt: skip

    def _credentials(self) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
        """What goes with every request: headers, and parameters that nobody may see."""
        profile = self.profile
        headers = {"accept-encoding": "gzip, br", "user-agent": f"marketgate/{__version__}"}
        headers.update((name.lower(), value) for name, value in profile.headers.items())
        secret: list[tuple[str, str]] = []
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
                secret.append((part.key, value))
        return headers, tuple(secret)

    def _root(self, host: str) -> str:
        root = self.profile.hosts[host] if host else self.profile.base_url
        if not self.base:
            return root
        return f"{self.base.rstrip('/')}/{self.profile.id}{urlsplit(root).path.rstrip('/')}"


def _excerpt(content: bytes) -> str:
    text = " ".join(content[:_SHOWN].decode("utf-8", "replace").split())
    return f": {text}" if text else ""
