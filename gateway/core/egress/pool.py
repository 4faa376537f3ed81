"""Connections to checked addresses only: the name is resolved once, and what was checked is what is connected to.

Loads aiohttp, so it is imported at the first use.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.core.egress.addresses import Reach
from gateway.core.egress.counts import OPENED
from gateway.core.egress.names import Lookup
from gateway.core.httpclient import trusting

KEPT_S = 15.0
"""How long an idle connection is kept."""
NAMES_KEPT_S = 30.0
MOST_HEADERS, LONGEST_LINE = 100, 8_190


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
    """aiohttp bounds connections in use, not those that are kept idle: of these there may be *kept*."""

    def __init__(self, kept: int, **facts: Any) -> None:
        super().__init__(**facts)
        self._kept = kept

    # Not of aiohttp's public interface: a test notices if it goes.
    def _release(self, key: Any, protocol: Any, *, should_close: bool = False) -> None:
        too_many = sum(map(len, self._conns.values())) >= self._kept
        super()._release(key, protocol, should_close=should_close or too_many)


def open_session(
    reach: Reach, lookup: Lookup, *, public: bool, connections: int, per_host: int, kept: int
) -> aiohttp.ClientSession:
    """A session that can reach nothing else. *public*: see `Reach.permits`."""
    connector = BoundedConnector(
        kept,
        socket_factory=Sockets(reach, public=public),
        limit=connections,
        limit_per_host=per_host,
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
        trace_configs=[_trace()],
        auto_decompress=False,
        trust_env=False,
        max_line_size=LONGEST_LINE,
        max_field_size=LONGEST_LINE,
        max_headers=MOST_HEADERS,
    )


class Trip:
    """One try of a request: whether it went over a connection that was kept."""

    __slots__ = ("kept",)

    def __init__(self) -> None:
        self.kept = False


def _trace() -> aiohttp.TraceConfig:
    async def kept(_: aiohttp.ClientSession, context: Any, __: Any) -> None:
        context.trace_request_ctx.kept = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_reuseconn.append(kept)
    return trace
