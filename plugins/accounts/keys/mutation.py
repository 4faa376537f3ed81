"""The mutations of keys and tokens."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from plugins.accounts.keys.acts import KeyActs
from plugins.accounts.keys.types import ApiKey
from plugins.accounts.keys.words import (
    AccessTokenCreateErrorCode,
    AccessTokenCreateInput,
    AccessTokenCreatePayload,
    ApiKeyCreateErrorCode,
    ApiKeyCreateInput,
    ApiKeyCreatePayload,
    ApiKeyRevokeErrorCode,
    ApiKeyRevokeInput,
    ApiKeyRevokePayload,
    ApiKeyRotateErrorCode,
    ApiKeyRotateInput,
    ApiKeyRotatePayload,
    ApiKeyUpdateErrorCode,
    ApiKeyUpdateInput,
    ApiKeyUpdatePayload,
)
from schema.facts import PROTECTING, facts
from schema.scopes import Scope
from schema.words.problems import Refused


def _input(what: str) -> object:
    return strawberry.argument(description=what)


async def resolve_create(
    info: Ctx, input: Annotated[ApiKeyCreateInput, _input("What the key may do, and from where.")]
) -> ApiKeyCreatePayload:
    """A new key."""
    try:
        row, secret = await info.context.service(KeyActs).create(info.context, input)
    except Refused as refused:
        return ApiKeyCreatePayload(user_errors=[refused.error(ApiKeyCreateErrorCode)])
    return ApiKeyCreatePayload(api_key=ApiKey.of(row, info.context.host.clock.now()), secret=secret, user_errors=[])


async def resolve_update(
    info: Ctx, input: Annotated[ApiKeyUpdateInput, _input("What is different.")]
) -> ApiKeyUpdatePayload:
    """A changed key."""
    try:
        row = await info.context.service(KeyActs).update(info.context, input)
    except Refused as refused:
        return ApiKeyUpdatePayload(user_errors=[refused.error(ApiKeyUpdateErrorCode)])
    return ApiKeyUpdatePayload(api_key=ApiKey.of(row, info.context.host.clock.now()), user_errors=[])


async def resolve_rotate(
    info: Ctx, input: Annotated[ApiKeyRotateInput, _input("Which key, and for how long both work.")]
) -> ApiKeyRotatePayload:
    """A successor."""
    try:
        made, secret, old = await info.context.service(KeyActs).rotate(info.context, input.id, input.overlap_seconds)
    except Refused as refused:
        return ApiKeyRotatePayload(user_errors=[refused.error(ApiKeyRotateErrorCode)])
    now = info.context.host.clock.now()
    return ApiKeyRotatePayload(
        api_key=ApiKey.of(made, now), secret=secret, previous=ApiKey.of(old, now), user_errors=[]
    )


async def resolve_revoke(info: Ctx, input: Annotated[ApiKeyRevokeInput, _input("Which key.")]) -> ApiKeyRevokePayload:
    """The end of a key."""
    try:
        row = await info.context.service(KeyActs).revoke(info.context, input.id)
    except Refused as refused:
        return ApiKeyRevokePayload(user_errors=[refused.error(ApiKeyRevokeErrorCode)])
    return ApiKeyRevokePayload(api_key=ApiKey.of(row, info.context.host.clock.now()), user_errors=[])


async def resolve_mint(
    info: Ctx, input: Annotated[AccessTokenCreateInput, _input("What the token may do, from where and how long.")]
) -> AccessTokenCreatePayload:
    """A token for a browser."""
    try:
        row, text = await info.context.service(KeyActs).mint(info.context, input)
    except Refused as refused:
        return AccessTokenCreatePayload(user_errors=[refused.error(AccessTokenCreateErrorCode)])
    return AccessTokenCreatePayload(access_token=text, expires_at=row.expires_at, user_errors=[])


@strawberry.type
class KeyMutation:
    """Root fields."""

    api_key_create: ApiKeyCreatePayload = strawberry.field(
        resolver=resolve_create,
        description="Make an API key for a server. It may do no more than the caller; its secret is shown once.",
        metadata=facts(needs=Scope.KEYS_WRITE),
    )
    api_key_update: ApiKeyUpdatePayload = strawberry.field(
        resolver=resolve_update,
        description="Change what an API key is called, may do, and where it is taken from.",
        metadata=facts(needs=Scope.KEYS_WRITE),
    )
    api_key_rotate: ApiKeyRotatePayload = strawberry.field(
        resolver=resolve_rotate,
        description="Give an API key a successor with a new secret; the old one works until the overlap ends.",
        metadata=facts(needs=Scope.KEYS_WRITE),
    )
    api_key_revoke: ApiKeyRevokePayload = strawberry.field(
        resolver=resolve_revoke,
        description="End an API key at once, with the access tokens that it has minted.",
        metadata=facts(cost=0, needs=Scope.KEYS_WRITE, per_minute=PROTECTING),
    )
    access_token_create: AccessTokenCreatePayload = strawberry.field(
        resolver=resolve_mint,
        description="Mint a short-lived token for a browser, where a secret key never goes. It mints no others.",
        metadata=facts(needs=Scope.KEYS_WRITE),
    )
