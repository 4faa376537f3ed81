"""Mutations of one's own sessions."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Context, Ctx
from gateway.core.ports import Audit
from gateway.core.store import Tx
from plugins.accounts.sessions import types
from plugins.accounts.sessions.desk import Issued, SessionDesk, Spoiled
from plugins.accounts.sessions.rows import SessionRow
from schema.facts import PROTECTING, facts
from schema.names import could_be_id
from schema.words.problems import UserError

RefreshInput = Annotated[types.SessionRefreshInput | None, strawberry.argument(description="Which session.")]
RevokeInput = Annotated[types.SessionRevokeInput, strawberry.argument(description="Which session.")]

SPOILED = {
    Spoiled.INVALID: "The refresh token is not valid: sign in again with sessionCreate.",
    Spoiled.EXPIRED: "The refresh token has expired: sign in again with sessionCreate.",
    Spoiled.SUPERSEDED: "The refresh token was used a moment ago: use the tokens that came of it.",
    Spoiled.REUSED: "The refresh token was used before and may have been stolen, so the session was revoked: sign in "
    "again with sessionCreate.",
}
NO_TOKEN = "Give refreshToken: no browser's session came with the request."  # noqa: S105 - words


async def resolve_session_refresh(info: Ctx, input: RefreshInput = None) -> types.SessionRefreshPayload:
    context, principal = info.context, info.context.principal
    desk, text = context.service(SessionDesk), input.refresh_token if input else None
    if text is None and not (principal.cookie and principal.session):
        return _not_refreshed(types.SessionRefreshErrorCode.REFRESH_INVALID, NO_TOKEN)
    if text is not None and not await _known(context, text):
        return _not_refreshed(types.SessionRefreshErrorCode.REFRESH_INVALID, SPOILED[Spoiled.INVALID])
    async with context.host.store.write() as tx:
        if text is None:
            found: Issued | Spoiled = await desk.prolong_browser(tx, principal.session or "", context.presented)
        else:
            found = await desk.refresh(tx, text)
    if isinstance(found, Spoiled):
        return _not_refreshed(types.SessionRefreshErrorCode[f"REFRESH_{found.name}"], SPOILED[found])
    context.cookies.extend(found.cookies)
    return types.SessionRefreshPayload(session=types.IssuedSession.of(found), user_errors=[])


async def _known(context: Context, text: str) -> bool:
    """Whether it is worth a place in the queue of writers: guesses are not."""
    async with context.host.store.read() as tx:
        return await context.service(SessionDesk).knows(tx, text)


def _not_refreshed(code: types.SessionRefreshErrorCode, message: str) -> types.SessionRefreshPayload:
    error = UserError(field=["input", "refreshToken"], code=code, message=message)
    return types.SessionRefreshPayload(user_errors=[error])


async def resolve_session_revoke(info: Ctx, input: RevokeInput) -> types.SessionRevokePayload:
    context = info.context
    async with context.host.store.write() as tx:
        id = str(input.id)
        row = await context.service(SessionDesk).sessions.find(tx, id) if could_be_id(id) else None
        found = row is not None and row.user_id == context.principal.user and row.lives(context.now)
        if row is not None and found:
            await _revoke(context, tx, row)
    if row is None or not found:
        told = "You have no session with this id: `sessions` lists them."
        error = UserError(field=["input", "id"], code=types.SessionRevokeErrorCode.NOT_FOUND, message=told)
        return types.SessionRevokePayload(user_errors=[error])
    return types.SessionRevokePayload(session=types.Session.of(row, context.principal.session), user_errors=[])


async def resolve_sessions_revoke_others(info: Ctx) -> types.SessionsRevokeOthersPayload:
    context, principal = info.context, info.context.principal
    desk = context.service(SessionDesk)
    async with context.host.store.write() as tx:
        own = await desk.sessions.find(tx, principal.session or "")
        if own is None or not own.lives(context.now):
            error = UserError(
                code=types.SessionsRevokeOthersErrorCode.SESSION_ENDED,
                message="This session was ended meanwhile: sign in again.",
            )
            return types.SessionsRevokeOthersPayload(user_errors=[error])
        count = await desk.revoke_user(tx, own.user_id, "revoked", except_session=own.id)
        act = context.act("sessions.revoked", own.user_id, after={"reason": "revoked", "count": count})
        await context.host.service(Audit).record(tx, act)
    return types.SessionsRevokeOthersPayload(revoked=count, user_errors=[])


async def resolve_session_end(info: Ctx) -> types.SessionEndPayload:
    context, principal = info.context, info.context.principal
    desk = context.service(SessionDesk)
    context.cookies.extend(desk.cookies.cleared())
    row = None
    if principal.session is not None:
        async with context.host.store.write() as tx:
            row = await desk.sessions.find(tx, principal.session)
            if row is not None and row.revoked_at is None:
                await _revoke(context, tx, row, "signed_out")
    if row is None:
        error = UserError(code=types.SessionEndErrorCode.NOT_SIGNED_IN, message="Nobody is signed in: nothing to end.")
        return types.SessionEndPayload(user_errors=[error])
    return types.SessionEndPayload(session=types.Session.of(row, principal.session), user_errors=[])


async def _revoke(context: Context, tx: Tx, row: SessionRow, reason: str = "revoked") -> None:
    await context.service(SessionDesk).revoke(tx, row.id, reason)
    await context.host.service(Audit).record(tx, context.act("session.revoked", row.id, after={"reason": reason}))


@strawberry.type
class SessionMutation:
    """Refresh and end sessions; `sessionCreate` opens them."""

    session_refresh: types.SessionRefreshPayload = strawberry.field(
        resolver=resolve_session_refresh,
        description="New tokens for a refresh token, which works once; or a longer life for a browser's session.",
        # What an application does when it may do nothing else: many at once must not run out of points or places.
        metadata=facts(cost=0, per_minute=600),
    )
    session_revoke: types.SessionRevokePayload = strawberry.field(
        resolver=resolve_session_revoke,
        description="End one of the caller's sessions: its tokens and open streams end with it.",
        metadata=facts(cost=0, person=True, per_minute=PROTECTING),
    )
    sessions_revoke_others: types.SessionsRevokeOthersPayload = strawberry.field(
        resolver=resolve_sessions_revoke_others,
        description="End all of the caller's sessions but the one that asks.",
        metadata=facts(cost=0, person=True, per_minute=PROTECTING),
    )
    session_end: types.SessionEndPayload = strawberry.field(
        resolver=resolve_session_end,
        description="Sign out: end the session that asks, and remove its cookies.",
        metadata=facts(cost=0, per_minute=600),
    )
