"""From a request to what it shows of its sender."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.ports import Presented
from gateway.edge.execute import RequestFacts

OURS = ("mg_", "__Host-mg_", "__Secure-mg_")
"""What the names of the gateway's cookies begin with."""
LONGEST_COOKIE = 500
NO_PAYLOAD: Mapping[str, object] = {}


def presented_by(facts: RequestFacts) -> Presented:
    """Credentials of a request, none of them believed yet; `connection_init` counts where headers say nothing."""
    if facts.shown is not None:
        return facts.shown
    headers, payload = facts.headers, facts.connection or NO_PAYLOAD
    presented = Presented(
        authorization=headers.get("authorization") or _shown(payload, "authorization"),
        api_key=headers.get("x-api-key") or _shown(payload, "apikey", "x-api-key"),
        cookies=cookies_of(headers.get("cookie")),
        csrf=headers.get("x-csrf-token"),
        origin=headers.get("origin"),
        same_origin=facts.same_origin,
        client_ip=facts.client_ip,
        transport=facts.transport,
    )
    object.__setattr__(facts, "shown", presented)
    return presented


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
