"""Which credential a request shows, and whether it may come from there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from gateway.core.identity import CallerKind, Principal
from gateway.core.ports import Presented
from schema.errors import CredentialNotAllowed, Unauthenticated

LONGEST = 4_096
"""A text beyond this is no credential of any kind."""


class Kind(StrEnum):
    """What a credential looks like."""

    PERSON = "person"
    COOKIE = "cookie"
    KEY = "key"
    TOKEN = "token"  # noqa: S105 - the name of a kind
    OPERATOR = "operator"


_MARKS = {kind: f"{kind}:".encode() for kind in Kind}
PREFIXES = (("mgop_", Kind.OPERATOR), ("mgat_", Kind.TOKEN), ("mg_", Kind.KEY))


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """A text and what it looks like. The repr shows nothing of it."""

    kind: Kind
    text: str

    @property
    def digest(self) -> bytes:
        """What stands for it in memory."""
        return hashlib.sha256(_MARKS[self.kind] + self.text.encode()).digest()

    def __repr__(self) -> str:
        return f"Credential({self.kind})"


def credential_in(presented: Presented) -> Credential | None:
    """The one in a header, or in `connection_init`; raises Unauthenticated for two, and for what can be none."""
    if presented.authorization is None and presented.api_key is None:
        return None
    if presented.authorization is not None and presented.api_key is not None:
        raise Unauthenticated("Send one credential: either the header Authorization or the header X-API-Key.")
    if presented.api_key is not None:
        text = presented.api_key.strip()
    else:
        scheme, _, text = (presented.authorization or "").strip().partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated
        text = text.strip()
    if not text or len(text) > LONGEST or not text.isascii():
        raise Unauthenticated
    kind = _kind_of(text)
    if kind is Kind.PERSON and presented.api_key is not None:
        raise Unauthenticated
    return Credential(kind, text)


def _kind_of(text: str) -> Kind:
    for prefix, kind in PREFIXES:
        if text.startswith(prefix):
            return kind
    return Kind.PERSON


def check_place(principal: Principal, presented: Presented, operators: Iterable[IPv4Network | IPv6Network]) -> None:
    """Raise CredentialNotAllowed where a credential that is good may not be used from here."""
    kind, origin = principal.kind, presented.origin
    if kind in (CallerKind.API_KEY, CallerKind.OPERATOR) and origin is not None and origin not in principal.origins:
        raise CredentialNotAllowed(
            "A secret key does not belong in a browser: mint an access token with accessTokenCreate, sign in, or list "
            "the origin in the key's origins."
        )
    if kind is CallerKind.ACCESS_TOKEN and principal.origins and origin not in principal.origins:
        raise CredentialNotAllowed("The access token was minted for other origins: mint one that lists this page's.")
    allowed = [ip_network(network, strict=False) for network in principal.networks]
    if allowed and not _within(presented.client_ip, allowed):
        raise CredentialNotAllowed("The key is not allowed from this address: add its network to the key's networks.")
    if kind is CallerKind.OPERATOR and not _within(presented.client_ip, operators):
        raise CredentialNotAllowed(
            "Operators' keys are not allowed from this address: MARKETGATE_OPERATOR_NETWORKS lists their networks."
        )


def _within(client_ip: str | None, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    try:
        address: IPv4Address | IPv6Address = ip_address(client_ip or "")
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
