"""The mutation that finishes a sign-in with a provider by a second factor."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from plugins.accounts.oauth import types
from plugins.accounts.oauth.cookies import SECOND_FACTOR, cleared, value_in
from plugins.accounts.oauth.second_factor import Confirmation
from plugins.accounts.sessions.types import IssuedSession
from schema.facts import facts
from schema.words.problems import Refused

A_MINUTE = 30


async def resolve_session_confirm(
    info: Ctx, input: Annotated[types.SessionConfirmInput, strawberry.argument(description="The code.")]
) -> types.SessionConfirmPayload:
    context = info.context
    token = value_in(context.host, SECOND_FACTOR, context.presented.cookies)
    found = await context.service(Confirmation).confirm(
        context, token, code=input.code, recovery_code=input.recovery_code
    )
    if isinstance(found, Refused):
        return types.SessionConfirmPayload(user_errors=[found.error(types.SessionConfirmErrorCode)])
    context.cookies.extend([*found.cookies, cleared(context.host, SECOND_FACTOR)])
    return types.SessionConfirmPayload(session=IssuedSession.of(found), user_errors=[])


@strawberry.type
class ProviderMutation:
    """Root fields about signing in with a provider."""

    session_confirm: types.SessionConfirmPayload = strawberry.field(
        resolver=resolve_session_confirm,
        description="Finish a sign-in with a provider by the second factor of the account, in the browser that began.",
        metadata=facts(per_minute=A_MINUTE),
    )
