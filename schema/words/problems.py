"""What a mutation refuses, as data: one enumeration of codes per mutation, one shape for all."""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

from schema.model import described, model

Code = TypeVar("Code", bound=StrEnum)


@model("An expected refusal: what was wrong with the input, and the way out.")
class UserError(Generic[Code]):
    """`UserError[ApiKeyCreateErrorCode]` is GraphQL's `ApiKeyCreateUserError`."""

    field: list[str] | None = described("Path of the input field that it is about; null for the whole.", default=None)
    code: Code = described("The kind of refusal.")
    message: str = described("What is wrong and what to do, in words.")


class Refused(Exception):
    """An expected refusal on its way from a service to `userErrors`; raised inside a transaction it undoes it."""

    def __init__(self, code: str, message: str, *field: str) -> None:
        super().__init__(message)
        self.code, self.message, self.field = code, message, field

    def error(self, codes: type[Code]) -> UserError[Code]:
        """The same in a mutation's own enumeration."""
        return UserError(
            field=["input", *self.field] if self.field else None, code=codes(self.code), message=self.message
        )
