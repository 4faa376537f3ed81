"""What a field's author states beside its resolver: what it costs, what it needs. The edge reads it once a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

from schema.scopes import Scope

FACTS = "marketgate"
"""The key of `Facts` in a field's metadata."""

PROTECTING = 60
"""How often a minute a tenant may ask a field that ends a right. It costs nothing: who must be stopped may have spent
all points."""

Arguments = Mapping[str, Any]
"""A field's arguments by their GraphQL names, variables put in, defaults filled in."""

R = TypeVar("R", bound=Callable[..., Any])
_PER_READ = "per_read"


class Shared(IntEnum):
    """With whom an answer may be shared while it is fresh, from nobody to all callers of one policy."""

    NONE = 0
    TENANT = 1
    PUBLIC = 2


def per_read(resolver: R) -> R:
    """Mark a resolver whose value belongs to the read and not to the answer: bytes that hold it are never kept."""
    setattr(resolver, _PER_READ, True)
    return resolver


def is_per_read(resolver: object) -> bool:
    """Whether a resolver is marked so."""
    return getattr(resolver, _PER_READ, False) is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Of one field. A root field without facts stops the start.

    `cost` are points for the field itself, from its arguments; `times` is how often what is selected below it may be
    asked (a page's length), by which the cost of fields below is multiplied. `needs` is the scope that the caller must
    have, `also` another one beside it; None lets anybody in, also without a credential. `person` asks for a signed-in
    user: no key, no token. `per_minute` is how often one tenant (a caller without one: one address) may ask a root
    field in a minute, `anonymous_per_minute` how often all callers without a credential from one address may; None
    leaves only the points. `shared` says whom the bytes of the root field's answer may serve while everything fetched
    for it is fresh; `fresh_for` is how long at most, in seconds: what fetches nothing by itself is kept only where it
    says so.
    """

    cost: int | Callable[[Arguments], int] = 1
    times: Callable[[Arguments], int] | None = None
    needs: Scope | None = None
    also: Scope | None = None
    person: bool = False
    per_minute: int | None = None
    anonymous_per_minute: int | None = None
    shared: Shared = Shared.NONE
    fresh_for: float | None = None

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """All that the caller must have."""
        return tuple(scope for scope in (self.needs, self.also) if scope is not None)


def facts(
    *,
    cost: int | Callable[[Arguments], int] = 1,
    times: Callable[[Arguments], int] | None = None,
    needs: Scope | None = None,
    also: Scope | None = None,
    person: bool = False,
    per_minute: int | None = None,
    anonymous_per_minute: int | None = None,
    shared: Shared = Shared.NONE,
    fresh_for: float | None = None,
) -> dict[str, Facts]:
    """`strawberry.field(resolver=…, metadata=facts(cost=2, needs=Scope.KEYS_READ))`."""
    made = Facts(
        cost=cost, times=times, needs=needs, also=also, person=person, per_minute=per_minute,
        anonymous_per_minute=anonymous_per_minute, shared=shared, fresh_for=fresh_for,
    )  # fmt: skip
    return {FACTS: made}
