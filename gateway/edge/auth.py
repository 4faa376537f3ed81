"""From a request to what it shows of its sender."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from gateway.core.ports import Presented
from gateway.edge.execute import RequestFacts

OURS = ("mg_", "__Host-mg_", "__Secure-mg_")
"""What the names of the gateway's cookies begin with."""
LONGEST_COOKIE = 500
RARE = {"cookie", "x-csrf-token", "origin"}
"""Headers that only browsers send."""
LONGEST_HELD = 1_000
"""Characters of a credential that is worth remembering."""
NO_PAYLOAD: Mapping[str, object] = {}


def presented_by(facts: RequestFacts) -> Presented:
    """Credentials of a request, none of them believed yet; `connection_init` counts where headers say nothing."""
    if facts.shown is not None:
        return facts.shown
    headers = facts.headers
    if facts.connection or not facts.same_origin or not RARE.isdisjoint(headers):
        presented = _presented(facts)
    else:
        shown = (headers.get("authorization"), headers.get("x-api-key"), facts.client_ip, facts.transport)
        presented = _by_headers(*shown) if len(f"{shown[0]}{shown[1]}") <= LONGEST_HELD else _presented(facts)
    object.__setattr__(facts, "shown", presented)
    return presented


def _presented(facts: RequestFacts) -> Presented:
    headers, payload = facts.headers, facts.connection or NO_PAYLOAD
    return Presented(
        authorization=headers.get("authorization") or _shown(payload, "authorization"),
        api_key=headers.get("x-api-key") or _shown(payload, "apikey", "x-api-key"),
        cookies=cookies_of(headers.get("cookie")),
        csrf=headers.get("x-csrf-token"),
        origin=headers.get("origin"),
        same_origin=facts.same_origin,
        client_ip=facts.client_ip,
        transport=facts.transport,
    )


@lru_cache(maxsize=1024)
def _by_headers(authorization: str | None, api_key: str | None, client_ip: str | None, transport: str) -> Presented:
    """What the same sender shows again is worked out once; whether it is good is asked anew each time."""
    return Presented(
        authorization=authorization or None, api_key=api_key or None, client_ip=client_ip, transport=transport
    )


def _shown(payload: Mapping[str, object], *names: str) -> str | None:
    """A credential of `connection_init`. What is there and is no text is shown too: as one that nothing accepts."""
    if not payload:
        return None
    for name, value in payload.items():
        if name.lower() in names and value not in (None, ""):
            return value if isinstance(value, str) else "not a text"
    return None


def cookies_of(header: str | None) -> dict[str, str]:
    """Our own cookies. Others may be malformed as they like; which of two values is ours cannot be known."""
    if not header:
        return {}
    found: dict[str, str] = {}
    doubtful: set[str] = set()
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if not equals or not name.startswith(OURS):
            continue
        value = value.strip().strip('"')
        if found.setdefault(name, value) != value or not 0 < len(value) <= LONGEST_COOKIE:
            doubtful.add(name)
    return {name: value for name, value in found.items() if name not in doubtful}
