"""Work that nobody has asked for, and what it is done on whose account of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.core.identity import Principal

if TYPE_CHECKING:
    from gateway.core.contract import Context


class Backstage(Protocol):
    """Work that nobody has asked for: evaluators, producers, jobs."""

    def context(self, principal: Principal) -> Context:
        """A context for one piece of it, on a principal's account."""
