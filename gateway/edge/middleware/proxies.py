"""Who is behind a proxy: forwarded headers count only where the peer is one of ours."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SCHEMES = {"http": {"http": "http", "https": "https"}, "websocket": {"http": "ws", "https": "wss"}}


class TrustedProxies:
    """Puts the client's address and scheme into the scope, as a trusted proxy tells them."""

    def __init__(self, app: ASGIApp, trusted: Sequence[Network] = ()) -> None:
        self._app, self._trusted = app, tuple(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.believe(scope)
        await self._app(scope, receive, send)

    def believe(self, scope: Scope) -> None:
        """Change the scope to what a trusted proxy tells; told twice it stays the same."""
        if not self._trusted or scope["type"] not in SCHEMES:
            return
        client = scope.get("client")
        peer = read_address(client[0]) if client else None
        if peer is None or not self._trusts(peer):
            return
        values = {b"x-forwarded-for": "", b"x-forwarded-proto": ""}
        for name, value in scope["headers"]:
            if name in values:
                values[name] = f"{values[name]},{value.decode('latin-1')}"
        behind = self._behind(peer, values[b"x-forwarded-for"].split(","))
        if behind is not peer:
            scope["client"] = (str(behind), 0)
        # The last one: what stands before it may have come from the client.
        scheme = values[b"x-forwarded-proto"].rpartition(",")[2].strip().lower()
        scope["scheme"] = SCHEMES[scope["type"]].get(scheme, scope.get("scheme"))

    def _behind(self, peer: Address, chain: Sequence[str]) -> Address:
        """The right-most address that is no proxy of ours; each proxy wrote the one left of its own."""
        found = peer
        for hop in reversed(chain):
            if not hop.strip():
                continue
            address = read_address(hop)
            if address is None:
                # Whoever stands further left was not written by the hop that we trust.
                return found
            found = address
            if not self._trusts(address):
                return found
        return found

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def read_address(text: str) -> Address | None:
    """An address, also with a port or in brackets; IPv4 within IPv6 is IPv4. None for anything else."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
