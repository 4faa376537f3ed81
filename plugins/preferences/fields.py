"""The root fields of preferences."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from plugins.preferences.desk import PreferenceDesk
from plugins.preferences.words import (
    RoutingPreferences,
    RoutingPreferencesUpdateErrorCode,
    RoutingPreferencesUpdateInput,
    RoutingPreferencesUpdatePayload,
)
from schema.facts import facts
from schema.scopes import Scope
from schema.words.problems import Refused


async def resolve_routing_preferences(info: Ctx) -> RoutingPreferences:
    """As they are written."""
    async with info.context.host.store.read() as tx:
        row = await info.context.service(PreferenceDesk).rows.find(tx, info.context.tenant)
    return RoutingPreferences.of(row)


async def resolve_update(
    info: Ctx,
    input: Annotated[RoutingPreferencesUpdateInput, strawberry.argument(description="What to change.")],
) -> RoutingPreferencesUpdatePayload:
    """Changes."""
    try:
        row = await info.context.service(PreferenceDesk).update(info.context, input)
    except Refused as refused:
        return RoutingPreferencesUpdatePayload(user_errors=[refused.error(RoutingPreferencesUpdateErrorCode)])
    return RoutingPreferencesUpdatePayload(routing_preferences=RoutingPreferences.of(row), user_errors=[])


@strawberry.type
class PreferenceQuery:
    """Root fields."""

    routing_preferences: RoutingPreferences = strawberry.field(
        resolver=resolve_routing_preferences,
        description="Which providers the organisation wants to be asked first, which never, and at what price at most.",
        metadata=facts(needs=Scope.PROVIDER_KEYS_READ),
    )


@strawberry.type
class PreferenceMutation:
    """Root fields."""

    routing_preferences_update: RoutingPreferencesUpdatePayload = strawberry.field(
        resolver=resolve_update,
        description="Change by which rules the organisation's questions are routed.",
        metadata=facts(needs=Scope.PROVIDER_KEYS_WRITE),
    )
