"""What the gateway tells of itself: each event is a type with a name and a version, printed as GraphQL prints it.

A plugin registers its own (`Plugin.events`). Versions only grow: a new field leaves a version as it is, a field that
goes or changes its meaning is a new type under a new name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

import strawberry

from schema.model import computed, described, model
from schema.provenance import DataMode
from schema.scalars import datetime_text

E = TypeVar("E", bound="type[Event]")

EPOCH = datetime.min.replace(tzinfo=UTC)
"""Where nobody has said yet when an event happened."""


_ID = "The same in every delivery, page and stream: dedupe on it."
_SEQUENCE = "Rises with every event of the organisation, or of the markets: orders what is about one object."
_MODE = "Whether what it tells rests on live, recorded or simulated data."


@strawberry.interface(
    name="Event", description="Something that happened. Its `id` is the `webhook-id` of its deliveries."
)
class EventFace:
    """What all events have; each is a type of its own."""

    id: strawberry.ID = strawberry.field(description=_ID)
    type: str = strawberry.field(description="The event's name in the catalogue, such as `apikey.created`.")
    version: int = strawberry.field(description="Of the type; new fields do not change it.")
    occurred_at: datetime = strawberry.field(description="When it happened.")
    sequence: str = strawberry.field(description=_SEQUENCE)
    mode: DataMode = strawberry.field(description=_MODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events. `id`, `occurred_at` and `sequence` are filled in by the outbox."""

    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    about: ClassVar[str] = ""
    """What it tells, in a sentence."""
    market: ClassVar[bool] = False
    """Whether it is of the markets and no organisation's own."""

    id: strawberry.ID = described(_ID, default=strawberry.ID(""))  # noqa: RUF009 - a field's own default
    occurred_at: datetime = described("When it happened.", default=EPOCH)  # noqa: RUF009
    sequence: str = described(_SEQUENCE, default="")
    mode: DataMode = described(_MODE, default=DataMode.LIVE)  # noqa: RUF009

    def payload(self) -> dict[str, Any]:
        """As it travels between processes: plain JSON values of its own fields, instants as texts."""
        own = [field.name for field in fields(self) if field.name not in _ENVELOPE]
        values = {name: getattr(self, name) for name in own}
        told = {name: datetime_text(each) if isinstance(each, datetime) else each for name, each in values.items()}
        return {"event": self.name, "version": self.version, **told}

    @property
    def subject(self) -> str:
        """Ids of what it is about, such as an instrument's or an endpoint's, one a line; empty where it has none."""
        return ""

    @classmethod
    def sample(cls) -> Self:
        """One as it could have happened, for the catalogue and for tests of receivers."""
        raise TypeError(f"{cls.__name__} has no sample")


def parts_of(subject: str) -> list[str]:
    """The ids in a subject."""
    return subject.split("\n")


_ENVELOPE = frozenset(field.name for field in fields(Event))


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(described, strawberry.field))
def event(name: str, about: str, *, version: int = 1, market: bool = False) -> Callable[[E], E]:
    """Make a subclass of `Event` one of the catalogue's: a frozen value and a GraphQL type."""

    def make(cls: E) -> E:
        told: dict[str, Any] = {"name": name, "version": version, "about": about, "market": market}
        for attribute, value in told.items():
            setattr(cls, attribute, value)
        written: Any = cls
        written.type_ = computed(_always(name, str), "The event's name in the catalogue.", name="type")
        written.version_ = computed(_always(version, int), "Of the type; new fields do not change it.", name="version")
        return model(about, implements=(EventFace,))(cls)

    return make


def delivery_text(name: str, occurred_at: datetime, data: str) -> str:
    """The body of a delivery around an event that was printed before: JSON, the same bytes each time.

    A type's name is of the catalogue: nothing in it needs to be escaped.
    """
    return f'{{"type":"{name}","timestamp":"{datetime_text(occurred_at)}","data":{data}}}'


def _always(value: Any, kind: type) -> Callable[[], Any]:
    """A resolver that answers one value."""

    def answer() -> Any:
        return value

    answer.__annotations__["return"] = kind
    return answer


@event(
    "provider.degraded",
    "A circuit breaker opened: the provider is not asked for a capability until a trial call succeeds.",
    market=True,
)
class ProviderDegraded(Event):
    """One provider, one capability."""

    provider: str = described("The provider's id.")
    capability: str = described("What it is not asked for.")
    state: str = described("The breaker's state, as `BreakerState` names it.")
    reason: str = described("Why, in words.")
    since: datetime = described("When the breaker changed.")

    @property
    def subject(self) -> str:
        """The provider."""
        return self.provider

    @classmethod
    def sample(cls) -> Self:
        """Time-outs."""
        return cls(
            provider="kraken", capability="quotes", state="OPEN", reason="5 calls in a row failed",
            since=datetime(2026, 11, 20, 12, tzinfo=UTC),
        )  # fmt: skip


@event("provider.recovered", "The circuit breaker of a provider's capability closed again.", market=True)
class ProviderRecovered(Event):
    """One provider, one capability."""

    provider: str = described("The provider's id.")
    capability: str = described("What it is asked for again.")
    state: str = described("The breaker's state, as `BreakerState` names it.")
    reason: str = described("Why, in words.")
    since: datetime = described("When the breaker changed.")

    @property
    def subject(self) -> str:
        """The provider."""
        return self.provider

    @classmethod
    def sample(cls) -> Self:
        """A trial that went well."""
        return cls(
            provider="kraken", capability="quotes", state="CLOSED", reason="a trial call succeeded",
            since=datetime(2026, 11, 20, 12, 1, tzinfo=UTC),
        )  # fmt: skip


CATALOG: Mapping[str, type[Event]] = {each.name: each for each in (ProviderDegraded, ProviderRecovered)}
"""The core's own, by their names; those of plugins stand in `Plugin.events`."""
