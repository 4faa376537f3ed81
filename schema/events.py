"""What the gateway tells of itself: each event has a name, a version and fields, and is known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar

from schema.scalars import datetime_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events. `version` grows when a field changes its meaning or goes; new fields do not change it."""

    name: ClassVar[str]
    version: ClassVar[int] = 1

    def payload(self) -> dict[str, Any]:
        """As it travels: plain JSON values, instants as texts."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        told = {name: datetime_text(each) if isinstance(each, datetime) else each for name, each in values.items()}
        return {"event": self.name, "version": self.version, **told}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDegraded(Event):
    """A circuit breaker opened: the provider is not asked for this capability until a trial call succeeds."""

    name: ClassVar[str] = "provider.degraded"

    provider: str
    capability: str
    state: str
    """The breaker's state, as `BreakerState` names it."""
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRecovered(Event):
    """The circuit breaker closed again."""

    name: ClassVar[str] = "provider.recovered"

    provider: str
    capability: str
    state: str
    reason: str
    since: datetime


CATALOG: Mapping[str, type[Event]] = {event.name: event for event in (ProviderDegraded, ProviderRecovered)}
"""Every event by its name."""
