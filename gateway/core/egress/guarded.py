"""Sends to addresses that users give; see `gateway.core.ports.Egress`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from gateway import __version__
from gateway.core.clock import Clock
from gateway.core.egress.addresses import Network, Reach
from gateway.core.egress.counts import REQUESTS, SECONDS
from gateway.core.egress.headers import check_form, check_headers
from gateway.core.egress.names import Lookup, SystemNames
from gateway.core.egress.port import LARGEST_EXCERPT, AddressNotAllowed, BadUrl, EgressRefused, Posted
from gateway.core.egress.urls import Target, read_url
from gateway.core.httpclient import as_upstream_error, merged
from gateway.core.ports import Unreachable

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from yarl import URL

SECURE_PORTS = frozenset({443, 8443})
PLAIN_PORTS = frozenset({80, 8080})
CONNECTIONS, PER_HOST, KEPT = 512, 256, 128
"""In use at a time, of these to one host and port, and kept idle. One host may stand for many endpoints: where some of
them hang, the slots of each are what keeps the others going."""
BODY_S = 2.0
"""For the body, once the status is known: it is shown to people only, and a receiver that drips holds up nobody."""
TRIES = 3
"""Where kept connections turn out to have ended."""
_GIVEN = {"accept": "*/*", "accept-encoding": "identity", "user-agent": f"marketgate/{__version__}"}
_ENDS = {end: REQUESTS.labels(end) for end in ("answered", "cut", "refused", "unreachable", "late")}


class GuardedEgress:
    """Serves `gateway.core.ports.Egress`; connects, and loads its HTTP client, at the first use.

    Public addresses are reached by https, on `SECURE_PORTS`; in development by http and on `PLAIN_PORTS` too. Whoever
    names a network vouches for the way to it: there http and all ports are allowed, in production as well. A pool of
    connections each, so that what may not go to a public address never does, whatever a name resolves to.
    """

    def __init__(
        self, networks: Iterable[Network], *, development: bool, clock: Clock, lookup: Lookup | None = None,
        connections: int = CONNECTIONS, per_host: int = PER_HOST, kept: int = KEPT,
    ) -> None:  # fmt: skip
        self._reach, self._development, self._clock = Reach(networks), development, clock
        self._lookup = lookup
        self._bounds = {"connections": connections, "per_host": per_host, "kept": kept}
        self._sessions: dict[bool, ClientSession] = {}

    def check(self, url: str) -> None:
        """See `Egress`."""
        self._read(url)

    def check_headers(self, headers: Mapping[str, str]) -> None:
        """See `Egress`."""
        check_headers(headers)
        check_form(headers)

    async def resolve(self, url: str, *, deadline_s: float = 5.0) -> None:
        """See `Egress`."""
        target, public = self._read(url)
        if target.address is not None:
            return
        try:
            async with asyncio.timeout(deadline_s):
                found = await self._names()(target.host)
        except TimeoutError:
            raise Unreachable(f"{target.host}: its name was not resolved in {deadline_s:g} s") from None
        except OSError:
            raise Unreachable(f"{target.host}: its host name cannot be resolved") from None
        if not self._reach.chosen(found, public=public):
            raise _nowhere(public)

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], deadline_s: float, most: int = LARGEST_EXCERPT
    ) -> Posted:
        """See `Egress`. A status that came counts, whatever becomes of the body behind it."""
        import aiohttp

        started = self._clock.monotonic()
        try:
            target, public = self._read(url)
            check_form(headers)
            async with asyncio.timeout(deadline_s) as limit:
                reply = await self._sent(target, public, body, headers)
                latency, ends = self._clock.monotonic() - started, limit.when()
                limit.reschedule(None)
            excerpt, whole = await _excerpt(reply, most, ends)
        except EgressRefused:
            _ENDS["refused"].inc()
            raise
        except TimeoutError:
            _ENDS["late"].inc()
            raise Unreachable(f"{target.host}: no answer in {deadline_s:g} s") from None
        except aiohttp.ClientError as error:
            _ENDS["unreachable"].inc()
            raise Unreachable(f"{target.host}: {as_upstream_error(target.host, error).detail}") from None
        SECONDS.observe(latency)
        _ENDS["answered" if whole else "cut"].inc()
        return Posted(
            status=reply.status, headers=merged(reply.raw_headers), body=excerpt, latency_s=latency, truncated=not whole
        )

    async def close(self) -> None:
        """See `Egress`."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _read(self, url: str) -> tuple[Target, bool]:
        """Where it goes, and whether to public addresses or to named networks alone."""
        target = read_url(url)
        ports = SECURE_PORTS | PLAIN_PORTS if self._development else SECURE_PORTS
        public = target.port in ports and (target.scheme == "https" or self._development)
        if target.address is not None:
            if self._reach.permits(target.address, public=public):
                return target, public
            if not public and self._reach.permits(target.address, public=True):
                raise self._not_so(target)
            raise AddressNotAllowed("its address is not of the public internet")
        if not self._reach.networks:
            if not public:
                raise self._not_so(target)
            if target.inward_name:
                raise AddressNotAllowed("its host name is not of the public internet")
        return target, public

    def _not_so(self, target: Target) -> BadUrl:
        if target.scheme != "https" and not self._development:
            return BadUrl("must begin with https://")
        ports = sorted(SECURE_PORTS | PLAIN_PORTS if self._development else SECURE_PORTS)
        return BadUrl(f"has a port other than {', '.join(map(str, ports))}")

    def _names(self) -> Lookup:
        if self._lookup is None:
            self._lookup = SystemNames()
        return self._lookup

    async def _sent(self, target: Target, public: bool, body: bytes, headers: Mapping[str, str]) -> ClientResponse:
        """The answer as soon as its head is there. Raises EgressRefused, aiohttp's errors."""
        from aiohttp import ClientConnectorError, ClientOSError, ServerDisconnectedError

        from gateway.core.egress.pool import Inward, Trip, open_session

        session = self._sessions.get(public)
        if session is None:
            session = open_session(self._reach, self._names(), public=public, **self._bounds)
            self._sessions[public] = session
        sent = {**_GIVEN, **{name.lower(): value for name, value in headers.items()}}
        for tried in range(1, TRIES + 1):
            trip = Trip()
            try:
                return await session.post(
                    _url(target), data=body, headers=sent, allow_redirects=False, trace_request_ctx=trip
                )
            except ClientConnectorError as error:
                if isinstance(error.os_error, Inward):
                    raise _nowhere(public) from None
                raise
            except (ClientOSError, ServerDisconnectedError):
                # The receiver had closed it while it was idle: that is no failure of its.
                if not trip.kept or tried == TRIES:
                    raise
        raise AssertionError


def _nowhere(public: bool) -> AddressNotAllowed:
    if public:
        return AddressNotAllowed("its host name has no address of the public internet")
    return AddressNotAllowed("its host name has no address of an allowed network, and others are reached by https only")


@lru_cache(maxsize=2_048)
def _url(target: Target) -> URL:
    """As it was read, so that nothing is read anew."""
    from yarl import URL

    return URL.build(
        scheme=target.scheme, host=target.host, port=target.port, path=target.path, query_string=target.query,
        encoded=True,
    )  # fmt: skip


async def _excerpt(reply: ClientResponse, most: int, ends: float | None) -> tuple[bytes, bool]:
    """The beginning of the body, and whether it is all of it; if not, the connection is dropped."""
    from aiohttp import ClientError

    found, whole = bytearray(), False
    soon = asyncio.get_running_loop().time() + BODY_S
    try:
        async with asyncio.timeout_at(soon if ends is None else min(soon, ends)):
            while len(found) <= most and (chunk := await reply.content.readany()):
                found += chunk
        whole = len(found) <= most
    except (TimeoutError, ClientError):
        pass
    finally:
        reply.release() if whole else reply.close()
    return bytes(found[:most]), whole
