"""Connections to checked addresses only: the name is resolved once, and what was checked is what is connected to.

Loads aiohttp, so it is imported at the first use.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from weakref import WeakSet

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from gateway.core.clock import Clock
from gateway.core.egress.addresses import Reach
from gateway.core.egress.counts import ENDS, OPENED, SECONDS
from gateway.core.egress.names import Lookup
from gateway.core.egress.port import Posted
from gateway.core.egress.turns import Turns
from gateway.core.egress.urls import Target
from gateway.core.httpclient import as_upstream_error, merged, trusting
from gateway.core.ports import Unreachable

KEPT_S = 15.0
"""How long an idle connection is kept."""
NAMES_KEPT_S = 30.0
MOST_HEADERS, LONGEST_LINE = 100, 8_190
BODY_S = 2.0
"""For the body, once the status is known: it is shown to people only, and a receiver that drips holds up nobody."""
TRIES = 3
"""Where kept connections turn out to have ended."""
_kept: ContextVar[bool] = ContextVar("kept")
"""Whether the request that this task makes goes over a connection that was kept."""


class Inward(OSError):
    """There is an address, but none that may be reached."""


class CheckedResolver(AbstractResolver):
    """Gives aiohttp no address but those that were checked, and so pins them."""

    def __init__(self, reach: Reach, lookup: Lookup, *, public: bool) -> None:
        self._reach, self._lookup, self._public = reach, lookup, public

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Inward where none of the name's addresses may be reached; OSError where it has none."""
        chosen = self._reach.chosen(await self._lookup(host), public=self._public)
        if not chosen:
            raise Inward
        return [
            ResolveResult(
                hostname=host, host=str(address), port=port, proto=0, flags=socket.AI_NUMERICHOST,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
            )
            for address in chosen
        ]  # fmt: skip

    async def close(self) -> None:
        """See `AbstractResolver`."""


class Sockets:
    """Makes the sockets of a pool. An address literal asks no resolver: here every address passes once more."""

    def __init__(self, reach: Reach, *, public: bool) -> None:
        self._reach, self._public = reach, public

    def __call__(self, info: tuple[Any, ...]) -> socket.socket:
        """See aiohttp's `socket_factory`."""
        family, kind, proto, _, where = info
        if not self._reach.permits(ip_address(where[0]), public=self._public):
            raise Inward
        OPENED.inc()
        return socket.socket(family, kind, proto)


class BoundedConnector(aiohttp.TCPConnector):
    """Of connections that are idle there may be *kept*; aiohttp bounds only those in use."""

    def __init__(self, kept: int, **facts: Any) -> None:
        super().__init__(**facts)
        self._kept, self._used = kept, WeakSet[Any]()

    async def connect(self, req: Any, traces: Any, timeout: Any) -> aiohttp.connector.Connection:  # noqa: ASYNC109
        """See `BaseConnector`; says whether the connection was used before."""
        found = await super().connect(req, traces, timeout)
        _kept.set(found.protocol in self._used)
        self._used.add(found.protocol)
        return found

    # Not of aiohttp's public interface: a test notices if it goes.
    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        too_many = sum(map(len, self._conns.values())) >= self._kept
        super()._release(key, protocol, should_close=should_close or too_many)


def open_session(reach: Reach, lookup: Lookup, *, public: bool, kept: int) -> aiohttp.ClientSession:
    """A session that can reach nothing else. *public*: see `Reach.permits`."""
    connector = BoundedConnector(
        kept,
        socket_factory=Sockets(reach, public=public),
        limit=0,
        keepalive_timeout=KEPT_S,
        ssl=trusting(),
        resolver=CheckedResolver(reach, lookup, public=public),
        ttl_dns_cache=NAMES_KEPT_S,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        # The caller's deadline covers all of it.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,
        trust_env=False,
        max_line_size=LONGEST_LINE,
        max_field_size=LONGEST_LINE,
        max_headers=MOST_HEADERS,
    )


class Pool:
    """Connections of one kind: to public addresses and named networks, or to named networks alone."""

    def __init__(
        self, reach: Reach, lookup: Lookup, clock: Clock, *, public: bool, connections: int, per_host: int, kept: int
    ) -> None:
        self._session = open_session(reach, lookup, public=public, kept=kept)
        self._turns = Turns(at_once=connections, per_host=per_host)
        self._reach, self._clock, self._public = reach, clock, public

    async def post(
        self, target: Target, body: bytes, headers: Mapping[str, str], *, deadline_s: float, most: int
    ) -> Posted:
        """See `Egress`. A status that came counts, whatever becomes of the body behind it."""
        started = self._clock.monotonic()
        try:
            async with asyncio.timeout(deadline_s) as limit, self._turns.of(target.host, target.port):
                if self._session.closed:
                    raise aiohttp.ClientConnectionError
                reply = await self._answer(target, body, headers)
                latency, ends = self._clock.monotonic() - started, limit.when()
                limit.reschedule(None)
                excerpt, whole = await _excerpt(reply, most, ends)
        except TimeoutError:
            ENDS["late"].inc()
            raise Unreachable(f"{target.host}: no answer in {deadline_s:g} s") from None
        except aiohttp.ClientError as error:
            ENDS["unreachable"].inc()
            raise Unreachable(f"{target.host}: {as_upstream_error(target.host, error).detail}") from None
        ENDS["answered" if whole else "cut"].inc()
        SECONDS.observe(latency)
        return Posted(
            status=reply.status, headers=merged(reply.raw_headers), body=excerpt, latency_s=latency, truncated=not whole
        )

    async def close(self) -> None:
        """Let go of connections."""
        await self._session.close()

    async def _answer(self, target: Target, body: bytes, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        """As soon as its head is there."""
        for tried in range(1, TRIES + 1):
            _kept.set(False)
            try:
                return await self._session.post(_url(target), data=body, headers=headers, allow_redirects=False)
            except aiohttp.ClientConnectorError as error:
                if isinstance(error.os_error, Inward):
                    raise self._reach.nowhere(public=self._public) from None
                raise
            except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
                # The receiver had closed it while it was idle: that is no failure of its.
                if not _kept.get() or tried == TRIES:
                    raise
        raise AssertionError


@lru_cache(maxsize=2_048)
def _url(target: Target) -> URL:
    """As it was read, so that nothing is read anew."""
    return URL.build(
        scheme=target.scheme, host=target.host, port=target.port, path=target.path, query_string=target.query,
        encoded=True,
    )  # fmt: skip


async def _excerpt(reply: aiohttp.ClientResponse, most: int, ends: float | None) -> tuple[bytes, bool]:
    """The beginning of the body, and whether it is all of it; if not, the connection is dropped."""
    content = reply.content
    if content.is_eof() and content.exception() is None:
        # It came together with the head, as most do: nothing to wait for.
        found = content.read_nowait()
        reply.release()
        return found[:most], len(found) <= most
    buffer, whole = bytearray(), False
    soon = asyncio.get_running_loop().time() + BODY_S
    try:
        async with asyncio.timeout_at(soon if ends is None else min(soon, ends)):
            while len(buffer) <= most and (chunk := await content.readany()):
                buffer += chunk
        whole = len(buffer) <= most
    except (TimeoutError, aiohttp.ClientError):
        pass
    finally:
        reply.release() if whole else reply.close()
    return bytes(buffer[:most]), whole
