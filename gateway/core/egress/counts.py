"""What the guarded way out counts."""

from __future__ import annotations

from gateway.core.metrics import counter, histogram

REQUESTS = counter("marketgate_egress_requests", "Requests to addresses that users gave, by what came of them.", "end")
SECONDS = histogram("marketgate_egress_seconds", "Time until such a request had a status line.")
OPENED = counter("marketgate_egress_connections", "Connections that were begun for such requests.")
ENDS = {end: REQUESTS.labels(end) for end in ("answered", "cut", "refused", "unreachable", "late")}
"""Answered, and of these those whose body was not read to its end; not sent; no answer at all, or none in time."""
