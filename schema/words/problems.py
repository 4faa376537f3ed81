"""What a mutation refuses, as data: one enumeration of codes per mutation, one shape for all."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Generic, TypeVar

from strawberry.types.base import StrawberryContainer, StrawberryList

from schema.model import described, model
from schema.names import camel

Code = TypeVar("Code", bound=StrEnum)


@model("An expected refusal: what was wrong with the input, and the way out.")
class UserError(Generic[Code]):
    """`UserError[ApiKeyCreateErrorCode]` is GraphQL's `ApiKeyCreateUserError`."""

    field: list[str] | None = described("Path of the input field that it is about; null for the whole.", default=None)
    code: Code = described("The kind of refusal.")
    message: str = described("What is wrong and what to do, in words.")


class Refused(Exception):
    """An expected refusal on its way from a service to `userErrors`; raised inside a transaction it undoes it."""

    def __init__(self, code: str, message: str, *field: str, parts: Sequence[Refused] = ()) -> None:
        super().__init__(message)
        self.code, self.message, self.field = code, message, field
        self.parts = tuple(parts)
        """One for each field, where several are wrong; the refusal itself is the first, and tells all."""

    def within(self, input: type, whole: str) -> Refused:
        """The same, of a field that this input has: of its path the part that is there, else *whole*."""
        path = (_path_in(input, self.field) or (whole,)) if self.field else ()
        return Refused(self.code, self.message, *path, parts=[each.within(input, whole) for each in self.parts])

    def errors(self, codes: type[Code]) -> list[UserError[Code]]:
        """One for each field that is wrong, in a mutation's own enumeration."""
        return [each.error(codes) for each in self.parts or (self,)]

    def error(self, codes: type[Code]) -> UserError[Code]:
        """The same in a mutation's own enumeration."""
        return UserError(
            field=["input", *self.field] if self.field else None, code=codes(self.code), message=self.message
        )


def _path_in(kind: Any, path: tuple[str, ...]) -> tuple[str, ...]:
    kept = []
    for part in path:
        while isinstance(kind, StrawberryContainer) and not isinstance(kind, StrawberryList):
            kind = kind.of_type
        below = kind.of_type if isinstance(kind, StrawberryList) and part.isdigit() else _fields(kind).get(part)
        if below is None:
            break
        kept.append(part)
        kind = below
    return tuple(kept)


def _fields(kind: Any) -> dict[str, Any]:
    shape = getattr(kind, "__strawberry_definition__", None)
    return {} if shape is None else {each.graphql_name or camel(each.python_name): each.type for each in shape.fields}
