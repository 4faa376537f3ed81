"""What a key may carry: scopes of the closed list, exact origins, networks; refusals say the way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches
from ipaddress import IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from gateway.core.identity import TENANT_SCOPES, Scope
from schema.names import BadName, read_name
from schema.words.problems import Refused

MOST_KEYS = 100
"""Keys of one organisation that live at a time."""
MOST_ORIGINS, MOST_NETWORKS = 20, 50
LONGEST_OVERLAP = timedelta(days=30)
SHORTEST_TOKEN, LONGEST_TOKEN = 60, 3_600
"""Seconds."""
NEVER_IN_TOKENS = frozenset({
    Scope.KEYS_WRITE, Scope.ORGANISATION_WRITE, Scope.MEMBERS_WRITE, Scope.PROVIDER_KEYS_WRITE, Scope.BILLING_WRITE,
})  # fmt: skip
"""What no browser's token may do: it could mint others, or outlive its minter."""
_PORTS = {"https": 443, "http": 80}
_SHOWN = 60


def check_name(text: str) -> str:
    """The name as it is kept."""
    try:
        return read_name(text)
    except BadName as error:
        raise Refused("NAME_INVALID", str(error), "name") from None


def check_scopes(names: Sequence[str], held: frozenset[Scope]) -> list[str]:
    """Of the closed list, and nothing that the caller does not have."""
    if not names:
        raise Refused("NO_SCOPES", f"Without scopes nothing is allowed: give some of {_listed(held)}.", "scopes")
    known = {scope.value for scope in Scope}
    for name in names:
        if name not in known:
            near = get_close_matches(name, [scope.value for scope in TENANT_SCOPES], n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            told = f"{name[:_SHOWN]!r} is no scope.{hint} The scopes are {_listed(TENANT_SCOPES)}."
            raise Refused("UNKNOWN_SCOPE", told, "scopes")
    mine = {scope.value for scope in held & TENANT_SCOPES}
    lacking = sorted(set(names) - mine)
    if lacking:
        told = f"You do not have {', '.join(lacking)} yourself and cannot give it: leave it out."
        raise Refused("SCOPE_NOT_HELD", told, "scopes")
    return sorted(set(names))


def check_origins(texts: Sequence[str]) -> list[str]:
    """Exact origins, as browsers send them."""
    if len(texts) > MOST_ORIGINS:
        raise Refused("ORIGIN_INVALID", f"There are {len(texts)} origins: give at most {MOST_ORIGINS}.", "origins")
    return list(dict.fromkeys(_origin(text) for text in texts))


def check_networks(texts: Sequence[str]) -> list[str]:
    """Networks in CIDR notation; a single address is one too."""
    if len(texts) > MOST_NETWORKS:
        raise Refused("NETWORK_INVALID", f"There are {len(texts)} networks: give at most {MOST_NETWORKS}.", "networks")
    return list(dict.fromkeys(_network(text) for text in texts))


def check_expiry(moment: datetime | None, now: datetime) -> datetime | None:
    """In the future, or never."""
    if moment is not None and moment <= now:
        told = f"{moment.isoformat(timespec='seconds')} is past: give a later time, or none for a key without end."
        raise Refused("EXPIRY_PAST", told, "expiresAt")
    return moment


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text.strip().lower())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _bad_origin(text, "it cannot be read") from None
    if parts.scheme not in _PORTS or not host:
        raise _bad_origin(text, "it needs a scheme and a host")
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc or text.strip()[-1] in "?#":
        raise _bad_origin(text, "it may hold nothing behind the host and the port")
    if "*" in host or not host.isascii() or not all(c.isalnum() or c in ".-:" for c in host):
        raise _bad_origin(text, "it names one host exactly, without wildcards, in ASCII")
    if parts.scheme == "http" and not _is_local(host):
        raise _bad_origin(text, "http is for this machine alone")
    named = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{named}" + ("" if port in (None, _PORTS[parts.scheme]) else f":{port}")


def _bad_origin(text: str, why: str) -> Refused:
    told = f"{text[:_SHOWN]!r} is no origin: {why}. Write it like https://app.example.com."
    return Refused("ORIGIN_INVALID", told, "origins")


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _network(text: str) -> str:
    try:
        found = ip_network(text.strip())
    except ValueError:
        found = None
    if found is None or (isinstance(found, IPv6Network) and found.network_address.ipv4_mapped is not None):
        told = f"{text[:_SHOWN]!r} is no network: write it like 203.0.113.0/24, 203.0.113.7 or 2001:db8::/32."
        raise Refused("NETWORK_INVALID", told, "networks")
    return str(found)


def _listed(scopes: Iterable[Scope]) -> str:
    return ", ".join(sorted(scope.value for scope in scopes)) or "none"
