"""What one provider call learns on its way: filled by the port, read by the core."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from schema.provenance import RecordedFrom

if TYPE_CHECKING:
    from gateway.core.guards.toll import Toll


@dataclass(slots=True)
class CallFacts:
    """Of one call; nobody else sees them."""

    capability: str = ""
    latency_ms: int | None = None
    recorded: RecordedFrom | None = None
    recorded_at: datetime | None = None
    requests: int = 0
    keep: bool = True
    """Whether the answer may be held for others."""
    toll: Toll | None = None
    """Where each request is paid for that leaves; None where nobody counts."""
    large: bool = False
    """Whether a body was so large that what is left of the call is done in a thread."""
    bodies: list[Any] = field(default_factory=list)
    """The values of such bodies, to be freed when the call is over."""


call_facts: ContextVar[CallFacts] = ContextVar("call_facts")
