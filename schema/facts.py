"""What a field's author states beside its resolver: what it costs, what it needs. The edge reads it once a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from schema.scopes import Scope

FACTS = "marketgate"
"""The key of `Facts` in a field's metadata."""

PROTECTING = 60
"""How often a minute a tenant may ask a field that ends a right. It costs nothing: who must be stopped may have spent
all points."""

Arguments = Mapping[str, Any]
"""A field's arguments by their GraphQL names, variables put in, defaults filled in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Of one field. A root field without facts stops the start.

    `cost` are points for the field itself, from its arguments; `times` is how often what is selected below it may be
    asked (a page's length), by which the cost of fields below is multiplied. `needs` is the scope that the caller must
    have; None lets anybody in, also without a credential. `person` asks for a signed-in user: no key, no token.
    `per_minute` is how often one tenant (a caller without one: one address) may ask a root field in a minute,
    `anonymous_per_minute` how often all callers without a credential from one address may; None leaves only the points.
    """

    cost: int | Callable[[Arguments], int] = 1
    times: Callable[[Arguments], int] | None = None
    needs: Scope | None = None
    person: bool = False
    per_minute: int | None = None
    anonymous_per_minute: int | None = None


def facts(
    *,
    cost: int | Callable[[Arguments], int] = 1,
    times: Callable[[Arguments], int] | None = None,
    needs: Scope | None = None,
    person: bool = False,
    per_minute: int | None = None,
    anonymous_per_minute: int | None = None,
) -> dict[str, Facts]:
    """`strawberry.field(resolver=…, metadata=facts(cost=2, needs=Scope.KEYS_READ))`."""
    made = Facts(
        cost=cost, times=times, needs=needs, person=person, per_minute=per_minute,
        anonymous_per_minute=anonymous_per_minute,
    )  # fmt: skip
    return {FACTS: made}
