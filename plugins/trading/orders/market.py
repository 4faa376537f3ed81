"""One instrument, as one message tells of it to one account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.core.matching.model import ExecutionModel, Spec, Tick
from schema.provenance import DataMode

UNDER_WAY = timedelta(seconds=5)
"""How long a message may be under way from its provider."""


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


def is_before(tick: Tick, since: datetime) -> bool:
    """Whether a message is from before an instant: it came before, or its provider's stamp is older.

    A stamp counts for so long only as messages may be under way: a clock that is behind must keep nobody waiting.
    """
    return tick.at < since or (tick.at < since + UNDER_WAY and tick.as_of is not None and tick.as_of < since)
