"""One instrument, as one message tells of it to one account."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.core.matching.model import ExecutionModel, Spec, Tick
from schema.provenance import DataMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What one message told of one instrument, for one account."""

    spec: Spec
    model: ExecutionModel
    tick: Tick | None
    open: bool

    @property
    def mode(self) -> DataMode | None:
        """Of its price."""
        return self.tick.mode if self.tick else None
