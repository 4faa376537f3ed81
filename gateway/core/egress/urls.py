"""Reading of URLs that users give: one spelling of each thing, all others refused, so that no two readers differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from gateway.core.egress.addresses import Address
from gateway.core.egress.port import BadUrl

LONGEST_URL = 2_048
LONGEST_NAME = 253
_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_ESCAPES = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")
_WHOLE = re.compile(r"(https?)://([^/?#]*)(/[^?#]*)?(?:\?([^#]*))?", re.IGNORECASE)
_PLACE = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([1-9][0-9]{0,4}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_QUAD = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
_SIX = re.compile(r"[0-9a-f:.]+")
DEFAULT_PORTS = {"http": 80, "https": 443}
_INWARD_ENDS = ("arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local", "localdomain", "localhost",
                "onion", "private")  # fmt: skip
"""Last labels that no public name has: RFC 6761, 6762, 7686, 8375, 9476 and ICANN's resolutions on name collisions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL as it was read; `host` is in lower case, `address` is there where it is a literal."""

    scheme: str
    host: str
    port: int
    path: str
    query: str
    address: Address | None

    @property
    def inward_name(self) -> bool:
        """Whether no name server of the internet could know the name."""
        labels = self.host.split(".")
        return self.address is None and (len(labels) == 1 or labels[-1] in _INWARD_ENDS)


@lru_cache(maxsize=2_048)
def read_url(url: str) -> Target:
    """Raises BadUrl."""
    if len(url) > LONGEST_URL:
        raise BadUrl(f"is longer than {LONGEST_URL} characters")
    if not url.isascii():
        raise BadUrl("must be in ASCII: a host name in its xn-- form, anything else percent-encoded")
    if not _CHARACTERS.fullmatch(url) or not _ESCAPES.fullmatch(url):
        raise BadUrl("holds characters that a URL may not have")
    if "#" in url:
        raise BadUrl("must not have a fragment")
    whole = _WHOLE.fullmatch(url)
    if whole is None:
        raise BadUrl("is not a URL such as https://example.com/hook")
    scheme, place, path, query = whole.groups()
    if "@" in place:
        raise BadUrl("must not hold a user name or a password")
    parts = _PLACE.fullmatch(place)
    if parts is None:
        raise BadUrl("has a host or a port that cannot be read")
    scheme, (host, port) = scheme.lower(), parts.groups()
    number = int(port) if port else DEFAULT_PORTS[scheme]
    if number > 65_535:
        raise BadUrl("has a port above 65535")
    named, address = _host(host.lower())
    return Target(scheme=scheme, host=named, port=number, path=path or "/", query=query or "", address=address)


def _host(host: str) -> tuple[str, Address | None]:
    """The host in its one spelling, and the address where it is a literal."""
    if host.startswith("["):
        try:
            if not _SIX.fullmatch(host[1:-1]):
                raise ValueError
            six = IPv6Address(host[1:-1])
        except ValueError:
            raise BadUrl("has an IPv6 address that cannot be read; zones are not allowed") from None
        return str(six), six
    if not host or len(host) > LONGEST_NAME:
        raise BadUrl("has no host name" if not host else "has a host name that is too long")
    if host.endswith("."):
        raise BadUrl("has a host name that ends in a dot")
    labels = host.split(".")
    if not all(map(_LABEL.fullmatch, labels)):
        raise BadUrl("has a host name that cannot be read")
    # As browsers do: a name that ends in a number is an address, and there is one way to write it.
    if not _NUMBER.fullmatch(labels[-1]):
        return host, None
    try:
        if not _QUAD.fullmatch(host):
            raise ValueError
        four = IPv4Address(host)
    except ValueError:
        raise BadUrl("has an IPv4 address that is not four decimal numbers such as 93.184.215.14") from None
    return host, four
