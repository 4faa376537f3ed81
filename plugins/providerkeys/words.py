"""GraphQL types, inputs, payloads and refusals of provider keys."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

import strawberry

from plugins.providerkeys.store import KeyRow
from schema.model import choices, described, model
from schema.refusals import refusals
from schema.words.problems import UserError

ERRORS = "Why nothing happened; empty where it did."
_PROVIDER = "The provider's id, such as `coingecko`."


@choices(
    "How the test of a provider key ended.",
    OK="The provider takes the key.",
    REFUSED="The provider does not take the key.",
    UNREACHABLE="The provider did not answer, which says nothing of the key.",
    UNTRIED="This gateway asks no upstream that could tell.",
)
class ProviderKeyTestOutcome(StrEnum):
    """UNREACHABLE says nothing of the key; UNTRIED: this gateway asks no upstream that could tell."""

    OK = "OK"
    REFUSED = "REFUSED"
    UNREACHABLE = "UNREACHABLE"
    UNTRIED = "UNTRIED"


@model("A key of the organisation's own with a provider. Its values are never shown again.")
class ProviderKey:
    """Names only."""

    provider: str = described("The provider's id.")
    parts: list[str] = described("Names of the parts that are set.")
    set_at: datetime = described("When it was set.")
    set_by: str = described("Who set it: the id of a person or of a key.")
    last_tested_at: datetime | None = described("When it was last tested.", default=None)
    last_test: ProviderKeyTestOutcome | None = described("How that test ended.", default=None)
    last_test_message: str | None = described("What was said, in words.", default=None)

    @classmethod
    def of(cls, row: KeyRow) -> Self:
        """Without what is sealed."""
        return cls(
            provider=row.provider, parts=row.names, set_at=row.set_at, set_by=row.set_by, last_tested_at=row.tested_at,
            last_test=None if row.outcome is None else ProviderKeyTestOutcome(row.outcome),
            last_test_message=row.message,
        )  # fmt: skip


@refusals(
    "Why no provider key was set.",
    PROVIDER_UNKNOWN="There is no such provider.",
    NO_KEY_TAKEN="The provider takes no key.",
    NOTHING_GIVEN="No part of a key was given.",
    PART_UNKNOWN="The provider's key has no such part.",
    PART_MISSING="A part that the key needs is missing.",
    PART_TWICE="A part was given twice.",
    VALUE_INVALID="A value is empty, too long or has characters that it may not have.",
)
class ProviderKeySetErrorCode(StrEnum):
    """Expected refusals."""

    PROVIDER_UNKNOWN = "PROVIDER_UNKNOWN"
    NO_KEY_TAKEN = "NO_KEY_TAKEN"
    NOTHING_GIVEN = "NOTHING_GIVEN"
    PART_UNKNOWN = "PART_UNKNOWN"
    PART_MISSING = "PART_MISSING"
    PART_TWICE = "PART_TWICE"
    VALUE_INVALID = "VALUE_INVALID"


@refusals("Why no provider key was tested.", UNREADABLE="The stored key cannot be read: set it again.")
class ProviderKeyTestErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"
    UNREADABLE = "UNREADABLE"


@refusals("Why no provider key was removed.")
class ProviderKeyRemoveErrorCode(StrEnum):
    """Expected refusals."""

    NOT_FOUND = "NOT_FOUND"


@strawberry.input(description="One part of a key.")
class ProviderKeyPartInput:
    """As `providers { credentials { name } }` lists them."""

    name: str = strawberry.field(description="The part's name.")
    value: str = strawberry.field(description="Its value: printable ASCII, as the provider gave it.")


@strawberry.input(description="A key of the organisation's own with a provider, whole: it replaces an earlier one.")
class ProviderKeySetInput:
    """Either `key` or `parts`."""

    provider: str = strawberry.field(description=_PROVIDER)
    key: str | None = strawberry.field(description="The value, where the key has one part.", default=None)
    parts: list[ProviderKeyPartInput] | None = strawberry.field(
        description="The parts, where it has several.", default=None
    )


@strawberry.input(description="Which provider key to test.")
class ProviderKeyTestInput:
    """The provider is asked one real question."""

    provider: str = strawberry.field(description=_PROVIDER)


@strawberry.input(description="Which provider key to remove.")
class ProviderKeyRemoveInput:
    """The platform's key is used again, where there is one."""

    provider: str = strawberry.field(description=_PROVIDER)


@model("What came of `providerKeySet`.")
class ProviderKeySetPayload:
    """It is used from now on, for this organisation alone."""

    provider_key: ProviderKey | None = described("The key, without its values.", default=None)
    user_errors: list[UserError[ProviderKeySetErrorCode]] = described(ERRORS)


@model("What came of `providerKeyTest`.")
class ProviderKeyTestPayload:
    """The outcome stands in the key."""

    provider_key: ProviderKey | None = described("The key with the outcome of the test.", default=None)
    user_errors: list[UserError[ProviderKeyTestErrorCode]] = described(ERRORS)


@model("What came of `providerKeyRemove`.")
class ProviderKeyRemovePayload:
    """Nothing of the key is left."""

    provider: str | None = described("The provider whose key is gone.", default=None)
    user_errors: list[UserError[ProviderKeyRemoveErrorCode]] = described(ERRORS)
