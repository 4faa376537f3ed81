"""Spans of requests, and what the spans of operations say of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from starlette.types import Scope

from gateway.core.identity import Principal
from gateway.core.tracing import NOTHING, TRACES, Span, Value, span
from gateway.edge.middleware.proxies import read_address

if TYPE_CHECKING:
    from gateway.edge.operation import PreparedOperation

TRACE = b"traceresponse"
"""Carries what `traceparent` carries, the other way."""
UNTRACED = frozenset({"/livez", "/readyz", "/health", "/metrics"})
Networks = Sequence[IPv4Network | IPv6Network]


def request_span(scope: Scope, networks: Networks) -> AbstractContextManager[Span | None]:
    """A span around an HTTP request, under the caller's own where it is trusted; none around streams, which last."""
    if TRACES.tracer is None:
        return NOTHING
    headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in (b"traceparent", b"accept")}
    if scope["type"] != "http" or scope["path"] in UNTRACED or "event-stream" in headers.get(b"accept", ""):
        return NOTHING
    method, path = scope["method"], "/graphql" if scope["path"] == "/graphql" else ""
    client = scope.get("client")
    parent = headers.get(b"traceparent") if trusted(client[0] if client else None, tuple(networks)) else None
    name = f"{method} {path}".rstrip()
    return span(name, "server", parent=parent, facts={"http.request.method": method, "http.route": path or None})


def tell_status(made: Span | None, status: int) -> None:
    """How the request was answered."""
    if made is not None:
        made.set("http.response.status_code", status)
        if status >= 500:
            made.fail(str(status))


@lru_cache(maxsize=4096)
def trusted(address: str | None, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Whether a caller may say which trace its requests belong to."""
    found = read_address(address) if address else None
    return found is not None and any(found in network for network in networks)


def kept_span(prepared: PreparedOperation, principal: Principal, request_id: str) -> bytes:
    """The span of an operation that was answered from kept bytes at once, as the answer names it."""
    with span(prepared.operation.operation.value, "server", facts=facts_of(prepared, principal, request_id)) as made:
        if made is None:
            return b""
        made.set("marketgate.kept", True)
        return made.traceparent.encode()


def facts_of(prepared: PreparedOperation, principal: Principal, request_id: str) -> dict[str, Value]:
    """Attributes of an operation's span: never its variables."""
    name = prepared.operation.name
    return {
        "graphql.operation.type": prepared.operation.operation.value,
        "graphql.operation.name": name.value if name else None,
        "marketgate.document": prepared.document.hash, "marketgate.plan": principal.limits.plan,
        "marketgate.caller": principal.kind.value, "marketgate.request_id": request_id,
    }  # fmt: skip
