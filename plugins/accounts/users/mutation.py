"""Mutations of people: signing up and in, passwords, the second factor."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from gateway.core.contract import Ctx
from plugins.accounts.sessions.types import IssuedSession
from plugins.accounts.users import problems, types
from plugins.accounts.users.registration import Registration, SignUp
from plugins.accounts.users.resets import PasswordDesk
from plugins.accounts.users.second_factor import SecondFactor
from plugins.accounts.users.signing import Credentials, SignIn
from schema.facts import facts
from schema.words.problems import Refused

SLOW = 5
"""Points of a field that works out a password's hash."""
A_MINUTE = 30
"""From one address, or of one tenant: an office signs in behind one, a list of passwords is not tried from it."""
NO_COOKIES = "A browser's session comes with a cookie, which a WebSocket cannot set: send it over HTTP."


async def resolve_user_sign_up(
    info: Ctx, input: Annotated[types.UserSignUpInput, strawberry.argument(description="Who signs up.")]
) -> types.UserSignUpPayload:
    ask = SignUp(
        email=input.email, password=input.password, organisation_name=input.organisation_name,
        invitation_token=input.invitation_token,
    )  # fmt: skip
    try:
        await info.context.service(Registration).sign_up(info.context, ask)
    except Refused as refused:
        errors = [refused.error(problems.UserSignUpErrorCode)]
        return types.UserSignUpPayload(accepted=False, user_errors=errors)
    return types.UserSignUpPayload(accepted=True, user_errors=[])


async def resolve_user_verify(
    info: Ctx, input: Annotated[types.UserVerifyInput, strawberry.argument(description="The link that was followed.")]
) -> types.UserVerifyPayload:
    try:
        has_password = await info.context.service(Registration).verify(info.context, input.token)
    except Refused as refused:
        errors = [refused.error(problems.UserVerifyErrorCode)]
        return types.UserVerifyPayload(verified=False, user_errors=errors)
    return types.UserVerifyPayload(verified=True, password_needed=not has_password, user_errors=[])


async def resolve_user_verification_resend(
    info: Ctx, input: Annotated[types.UserVerificationResendInput, strawberry.argument(description="Whom to write to.")]
) -> types.UserVerificationResendPayload:
    try:
        await info.context.service(Registration).resend(input.email)
    except Refused as refused:
        errors = [refused.error(problems.UserVerificationResendErrorCode)]
        return types.UserVerificationResendPayload(accepted=False, user_errors=errors)
    return types.UserVerificationResendPayload(accepted=True, user_errors=[])


async def resolve_password_reset_request(
    info: Ctx, input: Annotated[types.PasswordResetRequestInput, strawberry.argument(description="Whom to write to.")]
) -> types.PasswordResetRequestPayload:
    try:
        await info.context.service(PasswordDesk).request(input.email)
    except Refused as refused:
        errors = [refused.error(problems.PasswordResetRequestErrorCode)]
        return types.PasswordResetRequestPayload(accepted=False, user_errors=errors)
    return types.PasswordResetRequestPayload(accepted=True, user_errors=[])


async def resolve_password_reset(
    info: Ctx,
    input: Annotated[types.PasswordResetInput, strawberry.argument(description="The link, and the password to set.")],
) -> types.PasswordResetPayload:
    try:
        await info.context.service(PasswordDesk).reset(info.context, input.token, input.password)
    except Refused as refused:
        errors = [refused.error(problems.PasswordResetErrorCode)]
        return types.PasswordResetPayload(changed=False, user_errors=errors)
    return types.PasswordResetPayload(changed=True, user_errors=[])


async def resolve_password_change(
    info: Ctx,
    input: Annotated[types.PasswordChangeInput, strawberry.argument(description="The old password and the new one.")],
) -> types.PasswordChangePayload:
    desk = info.context.service(PasswordDesk)
    try:
        await desk.change(info.context, input.current_password, input.new_password)
    except Refused as refused:
        errors = [refused.error(problems.PasswordChangeErrorCode)]
        return types.PasswordChangePayload(changed=False, user_errors=errors)
    return types.PasswordChangePayload(changed=True, user_errors=[])


async def resolve_session_create(
    info: Ctx, input: Annotated[types.SessionCreateInput, strawberry.argument(description="Who signs in.")]
) -> types.SessionCreatePayload:
    given = Credentials(
        email=input.email, password=input.password, code=input.code, recovery_code=input.recovery_code,
        cookie=input.cookie, organisation_id=input.organisation_id,
    )  # fmt: skip
    if input.cookie and info.context.presented.transport == "websocket":
        refused = Refused("COOKIE_NEEDS_HTTP", NO_COOKIES, "cookie")
        return types.SessionCreatePayload(user_errors=[refused.error(problems.SessionCreateErrorCode)])
    try:
        outcome = await info.context.service(SignIn).open(info.context, given)
    except Refused as refused:
        errors = [refused.error(problems.SessionCreateErrorCode)]
        return types.SessionCreatePayload(user_errors=errors)
    if outcome.issued is not None:
        info.context.cookies.extend(outcome.issued.cookies)
    return types.SessionCreatePayload(
        session=IssuedSession.of(outcome.issued) if outcome.issued else None,
        second_factor_required=outcome.needs_code,
        user_errors=[outcome.refused.error(problems.SessionCreateErrorCode)] if outcome.refused else [],
    )


async def resolve_totp_start(info: Ctx) -> types.TotpStartPayload:
    try:
        started = await info.context.service(SecondFactor).start(info.context)
    except Refused as refused:
        return types.TotpStartPayload(user_errors=[refused.error(problems.TotpStartErrorCode)])
    return types.TotpStartPayload(secret=started.secret, uri=started.uri, user_errors=[])


async def resolve_totp_confirm(
    info: Ctx, input: Annotated[types.TotpConfirmInput, strawberry.argument(description="A first code.")]
) -> types.TotpConfirmPayload:
    try:
        made = await info.context.service(SecondFactor).confirm(info.context, input.code)
    except Refused as refused:
        return types.TotpConfirmPayload(user_errors=[refused.error(problems.TotpConfirmErrorCode)])
    return types.TotpConfirmPayload(recovery_codes=made, user_errors=[])


async def resolve_totp_disable(
    info: Ctx, input: Annotated[types.TotpDisableInput, strawberry.argument(description="Proof of both factors.")]
) -> types.TotpDisablePayload:
    try:
        await info.context.service(SecondFactor).disable(info.context, input.password, input.code)
    except Refused as refused:
        errors = [refused.error(problems.TotpDisableErrorCode)]
        return types.TotpDisablePayload(disabled=False, user_errors=errors)
    return types.TotpDisablePayload(disabled=True, user_errors=[])


async def resolve_recovery_codes_renew(
    info: Ctx,
    input: Annotated[types.RecoveryCodesRenewInput, strawberry.argument(description="Proof of both factors.")],
) -> types.RecoveryCodesRenewPayload:
    try:
        made = await info.context.service(SecondFactor).renew(info.context, input.password, input.code)
    except Refused as refused:
        errors = [refused.error(problems.RecoveryCodesRenewErrorCode)]
        return types.RecoveryCodesRenewPayload(user_errors=errors)
    return types.RecoveryCodesRenewPayload(recovery_codes=made, user_errors=[])


def _open(resolver: Any, description: str, *, cost: int = 1) -> Any:
    """For callers without a credential."""
    return strawberry.field(resolver=resolver, description=description, metadata=facts(cost=cost, per_minute=A_MINUTE))


def _personal(resolver: Any, description: str) -> Any:
    """For signed-in people, who must be able to protect their account when all points are spent."""
    told = facts(cost=0, person=True, per_minute=A_MINUTE)
    return strawberry.field(resolver=resolver, description=description, metadata=told)


@strawberry.type
class UserMutation:
    """Root fields about people."""

    user_sign_up: types.UserSignUpPayload = _open(
        resolve_user_sign_up, "Make an account: a mail with a link confirms the address.", cost=SLOW
    )
    user_verify: types.UserVerifyPayload = _open(resolve_user_verify, "Confirm an address by the link that was sent.")
    user_verification_resend: types.UserVerificationResendPayload = _open(
        resolve_user_verification_resend, "Send the link that confirms an address again."
    )
    password_reset_request: types.PasswordResetRequestPayload = _open(
        resolve_password_reset_request, "Send a link that sets a new password."
    )
    password_reset: types.PasswordResetPayload = _open(
        resolve_password_reset, "Set a new password by the link that was sent; all sessions end.", cost=0
    )
    password_change: types.PasswordChangePayload = _personal(
        resolve_password_change, "Set a new password in place of the old one; all other sessions end."
    )
    session_create: types.SessionCreatePayload = _open(
        resolve_session_create, "Sign in with an address and a password.", cost=SLOW
    )
    totp_start: types.TotpStartPayload = _personal(resolve_totp_start, "Begin a second factor with an authenticator.")
    totp_confirm: types.TotpConfirmPayload = _personal(
        resolve_totp_confirm, "Switch the second factor on by a first code; answers recovery codes."
    )
    totp_disable: types.TotpDisablePayload = _personal(resolve_totp_disable, "Switch the second factor off.")
    recovery_codes_renew: types.RecoveryCodesRenewPayload = _personal(
        resolve_recovery_codes_renew, "Replace all recovery codes."
    )
