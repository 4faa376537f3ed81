"""The root field about ways to sign in."""

from __future__ import annotations

import strawberry

from gateway.core.contract import Ctx
from plugins.accounts.oauth.desk import NAMES, ProviderDesk
from plugins.accounts.oauth.types import SignInMethod
from schema.facts import facts


def resolve_sign_in_methods(info: Ctx) -> list[SignInMethod]:
    configured = info.context.service(ProviderDesk).providers
    return [SignInMethod.PASSWORD, *(SignInMethod(name.upper()) for name in NAMES if name in configured)]


@strawberry.type
class ProviderQuery:
    """What a page asks before it shows its buttons."""

    sign_in_methods: list[SignInMethod] = strawberry.field(
        resolver=resolve_sign_in_methods,
        description="How people may sign in here; a provider begins at `/oauth/<name in small letters>/start`.",
        metadata=facts(),
    )
