"""Which addresses are of the public internet, from IANA's registries of special-purpose addresses.

<https://www.iana.org/assignments/iana-ipv4-special-registry>, <https://www.iana.org/assignments/iana-ipv6-special-registry>.
Not `ipaddress.is_global`, whose answer differs between releases of Python.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from gateway.core.egress.port import AddressNotAllowed

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_INWARD_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carriers' own (CGNAT)
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # looks public, but is a cloud's host agent, as 169.254.169.254 is
            "169.254.0.0/16",  # link-local, and clouds' metadata
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
"""All that is given out; mapped, compatible, local, link-local and multicast addresses lie outside."""
_INWARD_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4 holds an IPv4 address, and nobody uses it any more
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
"""Its last 32 bits are the IPv4 address that a translator goes to: DNS64 makes these of public names."""
_MAPPED = IPv6Network("::ffff:0:0/96")


def is_public(address: Address) -> bool:
    """Whether an address is of the public internet, by what it is and by what it holds."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _INWARD_V4)
    if address.scope_id is not None:
        return False
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _GLOBAL_V6 and not any(address in network for network in _INWARD_V6)


class Reach:
    """Where requests may go: the public internet, and networks that the operator has named."""

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self.networks = tuple(networks)

    def permits(self, address: Address, *, public: bool) -> bool:
        """*public*: whether public addresses may be reached in the way that is asked for, or named networks alone.

        An IPv4 address in the dress of an IPv6 one is never let in: nobody who means well writes it so.
        """
        if isinstance(address, IPv6Address) and (address in _MAPPED or address.scope_id is not None):
            return False
        named = any(address.version == network.version and address in network for network in self.networks)
        return named or (public and is_public(address))

    def nowhere(self, *, public: bool) -> AddressNotAllowed:
        """Of a name without an address that may be reached."""
        if public:
            return AddressNotAllowed("its host name has no address of the public internet")
        told = "its host name has no address of an allowed network, and others are reached by https only"
        return AddressNotAllowed(told)

    def chosen(self, found: Iterable[str], *, public: bool) -> list[Address]:
        """Those of a name's addresses that may be reached, in their order."""
        addresses = map(ip_address, found)
        return [address for address in addresses if self.permits(address, public=public)]
