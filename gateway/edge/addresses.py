"""Addresses: of callers as limits count them, of the gateway as browsers know it."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

IPV6_NETWORK = 64


@lru_cache(maxsize=10_000)
def network_of(client_ip: str | None) -> str:
    """The address; of IPv6 the /64, for a host may choose any address in it."""
    try:
        address = ip_address(client_ip or "")
    except ValueError:
        return "unknown"
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    host_bits = 128 - IPV6_NETWORK
    return str(IPv6Address(int(address) >> host_bits << host_bits))


def origin_of(url: str) -> str:
    """Scheme and host of a URL as browsers write them; empty for none."""
    parts = urlsplit(url)
    if not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, usual) else "")
