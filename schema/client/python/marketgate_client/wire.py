"""Values on their way: Python's from and to GraphQL's JSON, and what a committed operation is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, ClassVar, Final, Generic, Literal, Self, TypeVar

T = TypeVar("T")


class OpenEnum(StrEnum):
    """An enum of the schema. A value that is newer than this client is a member of its own, equal to its text."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = str(value)
        return member


class Unset(Enum):
    """The kind of UNSET."""

    UNSET = "UNSET"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return self.name


UNSET: Final = Unset.UNSET
"""What is not given, and left out: the gateway's default holds, or what was there stays. None is null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """An input object of the schema; what is UNSET is left out, what is None is null."""

    _names: ClassVar[Mapping[str, str]] = {}
    """GraphQL's name of each attribute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[T]):
    """An operation with one root field."""

    name: str
    document: str
    field: str
    """The key of the answer under `data`."""
    read: Callable[[Any], T]
    """The typed answer from the root field's JSON."""
    nullable: bool = False
    """Whether null is an answer."""
    writes: bool = False
    """A mutation: never sent twice where it may have run."""


def moment(text: str) -> datetime:
    """An instant in UTC from its RFC 3339 text."""
    return datetime.fromisoformat(text).astimezone(UTC)


def told(time: datetime) -> str:
    """An instant as GraphQL takes it; ValueError where it has no time zone."""
    if time.tzinfo is None:
        raise ValueError(f"{time!r} has no time zone: give datetime(..., tzinfo=UTC)")
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def variables_of(given: Mapping[str, object]) -> dict[str, Any]:
    """The variables that are given, as JSON; None is null."""
    return {name: written(value) for name, value in given.items() if value is not UNSET}


def arguments_of(given: Mapping[str, object]) -> dict[str, Any]:
    """As `variables_of`, of a method's arguments: None is one that is not given."""
    return variables_of({name: value for name, value in given.items() if value is not None})


def written(value: Any) -> Any:
    """A value as JSON has it: decimals and times are texts, objects have GraphQL's names."""
    match value:
        case Enum():
            return value.value
        case Decimal():
            if not value.is_finite():
                raise ValueError(f"{value} is no amount")
            return format(value, "f")
        case datetime():
            return told(value)
        case date():
            return value.isoformat()
        case Input():
            return variables_of({key: getattr(value, name) for name, key in value._names.items()})
        case Mapping():
            return variables_of(value)
        case list() | tuple():
            return [written(each) for each in value]
    return value
