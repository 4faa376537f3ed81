"""Sends to addresses that users give; see `gateway.core.ports.Egress`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gateway import __version__
from gateway.core.clock import Clock
from gateway.core.egress.addresses import Network, Reach
from gateway.core.egress.counts import ENDS
from gateway.core.egress.headers import check_form, check_headers
from gateway.core.egress.names import Lookup, SystemNames
from gateway.core.egress.port import LARGEST_EXCERPT, AddressNotAllowed, BadUrl, EgressRefused, Posted
from gateway.core.egress.urls import Target, read_url
from gateway.core.ports import Unreachable

if TYPE_CHECKING:
    from gateway.core.egress.pool import Pool

SECURE_PORTS = frozenset({443, 8443})
PLAIN_PORTS = frozenset({80, 8080})
CONNECTIONS, PER_HOST, KEPT = 512, 256, 128
"""In use at a time, of these to one host and port, and kept idle. One host may stand for many endpoints: where some of
them hang, the slots of each are what keeps the others going."""
_GIVEN = {"accept": "*/*", "accept-encoding": "identity", "user-agent": f"marketgate/{__version__}"}


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
        self._pools: dict[bool, Pool] = {}

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
            raise self._reach.nowhere(public=public)

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], deadline_s: float, most: int = LARGEST_EXCERPT
    ) -> Posted:
        """See `Egress`."""
        try:
            target, public = self._read(url)
            check_form(headers)
            sent = {**_GIVEN, **{name.lower(): value for name, value in headers.items()}}
            pool = self._pools.get(public) or self._open(public)
            return await pool.post(target, body, sent, deadline_s=deadline_s, most=most)
        except EgressRefused:
            ENDS["refused"].inc()
            raise

    async def close(self) -> None:
        """See `Egress`."""
        for pool in self._pools.values():
            await pool.close()
        self._pools.clear()

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
            self._lookup = SystemNames(self._clock)
        return self._lookup

    def _open(self, public: bool) -> Pool:
        from gateway.core.egress.pool import Pool

        opened = Pool(self._reach, self._names(), self._clock, public=public, **self._bounds)
        self._pools[public] = opened
        return opened
