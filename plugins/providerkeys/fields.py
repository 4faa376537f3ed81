"""The root fields of provider keys."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from plugins.providerkeys.desk import ProviderKeyDesk
from plugins.providerkeys.words import (
    ProviderKey,
    ProviderKeyRemoveErrorCode,
    ProviderKeyRemoveInput,
    ProviderKeyRemovePayload,
    ProviderKeySetErrorCode,
    ProviderKeySetInput,
    ProviderKeySetPayload,
    ProviderKeyTestErrorCode,
    ProviderKeyTestInput,
    ProviderKeyTestPayload,
)
from schema.facts import PROTECTING, facts
from schema.scopes import Scope
from schema.words.problems import Refused

TESTS_A_MINUTE = 20


def _input(what: str) -> object:
    return strawberry.argument(description=what)


async def resolve_provider_keys(info: Ctx) -> list[ProviderKey]:
    """One of each provider at most."""
    async with info.context.host.store.read() as tx:
        rows = await info.context.service(ProviderKeyDesk).rows.all(tx, info.context.tenant)
    return [ProviderKey.of(row) for row in rows]


async def resolve_set(
    info: Ctx, input: Annotated[ProviderKeySetInput, _input("The provider and the key.")]
) -> ProviderKeySetPayload:
    """A new key."""
    try:
        row = await info.context.service(ProviderKeyDesk).set(info.context, input)
    except Refused as refused:
        return ProviderKeySetPayload(user_errors=[refused.error(ProviderKeySetErrorCode)])
    return ProviderKeySetPayload(provider_key=ProviderKey.of(row), user_errors=[])


async def resolve_test(
    info: Ctx, input: Annotated[ProviderKeyTestInput, _input("The provider.")]
) -> ProviderKeyTestPayload:
    """One real question."""
    try:
        row = await info.context.service(ProviderKeyDesk).test(info.context, input.provider)
    except Refused as refused:
        return ProviderKeyTestPayload(user_errors=[refused.error(ProviderKeyTestErrorCode)])
    return ProviderKeyTestPayload(provider_key=ProviderKey.of(row), user_errors=[])


async def resolve_remove(
    info: Ctx, input: Annotated[ProviderKeyRemoveInput, _input("The provider.")]
) -> ProviderKeyRemovePayload:
    """The end of a key."""
    try:
        gone = await info.context.service(ProviderKeyDesk).remove(info.context, input.provider)
    except Refused as refused:
        return ProviderKeyRemovePayload(user_errors=[refused.error(ProviderKeyRemoveErrorCode)])
    return ProviderKeyRemovePayload(provider=gone, user_errors=[])


@strawberry.type
class ProviderKeyQuery:
    """Root fields."""

    provider_keys: list[ProviderKey] = strawberry.field(
        resolver=resolve_provider_keys,
        description="The organisation's own keys with providers, by provider; names of their parts, never values.",
        metadata=facts(needs=Scope.PROVIDER_KEYS_READ),
    )


@strawberry.type
class ProviderKeyMutation:
    """Root fields."""

    provider_key_set: ProviderKeySetPayload = strawberry.field(
        resolver=resolve_set,
        description="Bring a key of the organisation's own for a provider. Only this organisation is served with it.",
        metadata=facts(needs=Scope.PROVIDER_KEYS_WRITE),
    )
    provider_key_test: ProviderKeyTestPayload = strawberry.field(
        resolver=resolve_test,
        description="Ask the provider one real question with the organisation's key; the outcome is data.",
        metadata=facts(cost=5, needs=Scope.PROVIDER_KEYS_WRITE, per_minute=TESTS_A_MINUTE),
    )
    provider_key_remove: ProviderKeyRemovePayload = strawberry.field(
        resolver=resolve_remove,
        description="Forget the organisation's key for a provider.",
        metadata=facts(cost=0, needs=Scope.PROVIDER_KEYS_WRITE, per_minute=PROTECTING),
    )
