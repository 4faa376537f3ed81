"""RouteInput: how the caller wants an ask carried out."""

from __future__ import annotations

from datetime import timedelta

import strawberry

from schema.capability import DEFAULT_TERMS, Terms
from schema.errors import BadInput

LONGEST_TIMEOUT_MS = 30_000
LONGEST_AGE_MS = 2**31 - 1


@strawberry.input(description="How an ask is to be carried out: by whom, how old, how long.")
class RouteInput:
    """GraphQL's face of `Terms`."""

    providers: list[str] | None = strawberry.field(default=None, description="Only these providers, in this order.")
    exclude: list[str] | None = strawberry.field(default=None, description="Never these providers.")
    max_age_ms: int | None = strawberry.field(
        default=None,
        description="Refuse anything older; 0 asks anew and takes what comes. "
        "By default the capability's freshness window.",
    )
    stale_if_error_ms: int | None = strawberry.field(
        default=0, description="Accept a copy this much older when every provider fails; it is marked."
    )
    timeout_ms: int | None = strawberry.field(default=5000, description="Give up after this long; at most 30000.")
    hedge: bool | None = strawberry.field(
        default=False,
        description="Ask the next provider too where the first takes longer than nineteen of twenty of its calls did; "
        "of all calls of a process one in twenty at most is such a second one.",
    )


def terms_of(route: RouteInput | None, prefix: str = "route.") -> Terms:
    """Check a RouteInput and make Terms of it; BadInput names the field."""
    if route is None:
        return DEFAULT_TERMS
    if route.providers is not None and not 1 <= len(route.providers) <= 20:
        raise BadInput(f"{prefix}providers", "give 1 to 20 provider ids, or leave it out")
    if len(route.exclude or ()) > 100:
        raise BadInput(f"{prefix}exclude", "give at most 100 provider ids")
    if route.max_age_ms is not None and route.max_age_ms < 0:
        raise BadInput(f"{prefix}maxAgeMs", f"must be 0 or more, not {route.max_age_ms}")
    late, timeout = route.stale_if_error_ms or 0, 5000 if route.timeout_ms is None else route.timeout_ms
    if late < 0:
        raise BadInput(f"{prefix}staleIfErrorMs", f"must be 0 or more, not {late}")
    if not 1 <= timeout <= LONGEST_TIMEOUT_MS:
        raise BadInput(f"{prefix}timeoutMs", f"must be 1 to {LONGEST_TIMEOUT_MS}, not {timeout}")
    return Terms(
        providers=tuple(dict.fromkeys(route.providers)) if route.providers is not None else None,
        exclude=frozenset(route.exclude or ()),
        max_age=timedelta(milliseconds=route.max_age_ms) if route.max_age_ms is not None else None,
        stale_if_error=timedelta(milliseconds=late),
        timeout=timeout / 1000,
        hedge=bool(route.hedge),
    )
