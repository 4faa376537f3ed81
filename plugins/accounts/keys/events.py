"""What is told of API keys; no secret is in any of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self

import strawberry

from plugins.accounts.keys.rows import ApiKeyRow
from schema.events import Event, event
from schema.model import described

_ID = strawberry.ID("key_0v7m4q1z8t3x6n9b2k5c")
_NAME, _PREFIX = "What it is called.", "The part of its text by which it can be told from others."


@event("apikey.created", "An API key was made, or made in the place of another.")
class ApiKeyCreated(Event):
    """Whoever does not expect one should revoke it."""

    key_id: strawberry.ID = described("The key's id.")
    key_name: str = described(_NAME)
    prefix: str = described(_PREFIX)
    scopes: tuple[str, ...] = described("What it may do.")
    expires_at: datetime | None = described("When it ends; null for never.", default=None)
    created_by: str = described("Who made it: the id of a person or of a key.")
    replaces: strawberry.ID | None = described("The key that was rotated.", default=None)

    @property
    def subject(self) -> str:
        """The key."""
        return str(self.key_id)

    @classmethod
    def sample(cls) -> Self:
        """A key that reads."""
        return cls(
            key_id=_ID, key_name="dashboard", prefix="mg_live_4t7x1z3b", scopes=("market:read", "stream:read"),
            expires_at=datetime(2027, 11, 20, tzinfo=UTC), created_by="usr_6n9k5q2m8v0c4t7x1z3b",
        )  # fmt: skip


@event("apikey.revoked", "An API key was ended by somebody; one whose time is over is not told of.")
class ApiKeyRevoked(Event):
    """It opens nothing any more, nor do the access tokens that it has minted."""

    key_id: strawberry.ID = described("The key's id.")
    key_name: str = described(_NAME)
    prefix: str = described(_PREFIX)
    revoked_by: str = described("Who did it: the id of a person or of a key.")
    replaced_by: strawberry.ID | None = described("Its successor, where it was rotated.", default=None)

    @property
    def subject(self) -> str:
        """The key."""
        return str(self.key_id)

    @classmethod
    def sample(cls) -> Self:
        """A key that leaked."""
        return cls(key_id=_ID, key_name="dashboard", prefix="mg_live_4t7x1z3b", revoked_by="usr_6n9k5q2m8v0c4t7x1z3b")


def created(row: ApiKeyRow, replaces: str | None = None) -> ApiKeyCreated:
    """Of a key that was just made."""
    return ApiKeyCreated(
        key_id=strawberry.ID(row.id), key_name=row.name, prefix=row.prefix, scopes=tuple(row.scopes),
        expires_at=row.expires_at, created_by=row.created_by, replaces=_id(replaces),
    )  # fmt: skip


def revoked(row: ApiKeyRow, by: str, replaced_by: str | None = None) -> ApiKeyRevoked:
    """Of a key that was just ended."""
    return ApiKeyRevoked(
        key_id=strawberry.ID(row.id), key_name=row.name, prefix=row.prefix, revoked_by=by, replaced_by=_id(replaced_by)
    )


def _id(text: str | None) -> strawberry.ID | None:
    return None if text is None else strawberry.ID(text)
