"""GraphQL types, input, payload and refusals of preferences."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self

import strawberry

from plugins.preferences.rules import MOST
from plugins.preferences.store import PreferenceRow
from schema.model import described, model
from schema.refusals import refusals
from schema.words.problems import UserError

_CAP = "What a call on the platform's keys may cost at most, in US dollars; dearer providers are not asked. Null: any."


@model("By which rules the organisation's questions are routed, beside coverage, health and priority.")
class RoutingPreferences:
    """Everybody starts with none."""

    order: list[str] = described("Ids of the providers that are asked before all others, the first one first.")
    deny: list[str] = described("Ids of the providers that are never asked, also where they are pinned.")
    max_cost_per_call: Decimal | None = described(_CAP, default=None)
    changed_at: datetime | None = described("When they were last changed; null: never.", default=None)
    changed_by: str | None = described("Who changed them: the id of a person or of a key.", default=None)

    @classmethod
    def of(cls, row: PreferenceRow | None) -> Self:
        """From a row, if there is one."""
        if row is None:
            return cls(order=[], deny=[])
        return cls(
            order=row.order, deny=row.denied, max_cost_per_call=row.dearest, changed_at=row.changed_at,
            changed_by=row.changed_by,
        )  # fmt: skip


@refusals(
    "Why the preferences were not changed.",
    PROVIDER_UNKNOWN="There is no such provider.",
    PROVIDER_DENIED="A provider stands in `order` and in `deny`.",
    TOO_MANY="There are too many providers in a list.",
)
class RoutingPreferencesUpdateErrorCode(StrEnum):
    """Expected refusals."""

    PROVIDER_UNKNOWN = "PROVIDER_UNKNOWN"
    PROVIDER_DENIED = "PROVIDER_DENIED"
    PRICE_INVALID = "PRICE_INVALID"
    TOO_MANY = "TOO_MANY"


@strawberry.input(description="Changes of the organisation's preferences; what is left out stays.")
class RoutingPreferencesUpdateInput:
    """Null and an empty list take a preference away."""

    order: list[str] | None = strawberry.field(
        description=f"Ids of the providers to ask before all others, at most {MOST}.", default=strawberry.UNSET
    )
    deny: list[str] | None = strawberry.field(
        description=f"Ids of the providers never to ask, at most {MOST}.", default=strawberry.UNSET
    )
    max_cost_per_call: Decimal | None = strawberry.field(description=_CAP, default=strawberry.UNSET)


@model("What came of `routingPreferencesUpdate`.")
class RoutingPreferencesUpdatePayload:
    """They hold at once in this process, and in all others within seconds."""

    routing_preferences: RoutingPreferences | None = described("As they are now.", default=None)
    user_errors: list[UserError[RoutingPreferencesUpdateErrorCode]] = described(
        "Why nothing happened; empty where it did."
    )
