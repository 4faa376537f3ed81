"""What the mutations about people take and answer; what they refuse stands in `problems`."""

from __future__ import annotations

import strawberry

from plugins.accounts.sessions.types import IssuedSession
from plugins.accounts.users.problems import (
    PasswordChangeErrorCode,
    PasswordResetErrorCode,
    PasswordResetRequestErrorCode,
    RecoveryCodesRenewErrorCode,
    SessionCreateErrorCode,
    TotpConfirmErrorCode,
    TotpDisableErrorCode,
    TotpStartErrorCode,
    UserSignUpErrorCode,
    UserVerificationResendErrorCode,
    UserVerifyErrorCode,
)
from schema.model import described, model
from schema.words.problems import UserError

_ERRORS = "Expected refusals; empty when it was done."
_ACCEPTED = "Whether a mail is on its way. It says nothing of whether the address has an account."
_PASSWORD = "10 characters or more that are hard to guess, such as four uncommon words."  # noqa: S105 - a description
_CODE = "Six digits of the authenticator, or a recovery code."


def _asked(description: str) -> str:
    return strawberry.field(description=description)  # type: ignore[no-any-return]


def _optional(description: str) -> str | None:
    return strawberry.field(description=description, default=None)  # type: ignore[no-any-return]


@strawberry.input(description="A new account.")
class UserSignUpInput:
    """Of `userSignUp`."""

    email: str = _asked("The address; a mail with a link goes there.")
    password: str = _asked(_PASSWORD)
    organisation_name: str | None = _optional("Name of the new organisation; default: the name of the address.")
    invitation_token: str | None = _optional(
        "The token of an invitation to this address: no organisation is made, the invitation is accepted later."
    )


@model("Alike for every address.")
class UserSignUpPayload:
    """Of `userSignUp`."""

    accepted: bool = described(_ACCEPTED)
    user_errors: list[UserError[UserSignUpErrorCode]] = described(_ERRORS)


@strawberry.input(description="A link that was followed.")
class UserVerifyInput:
    """Of `userVerify`."""

    token: str = _asked("The token in the link.")


@model("An address that is confirmed.")
class UserVerifyPayload:
    """Of `userVerify`."""

    verified: bool = described("Whether the address is confirmed now.")
    password_needed: bool = described(
        "Whether a password must be set with passwordResetRequest before the first sign-in: so it is when two sign-ups "
        "gave different passwords for the address and neither's own link was followed.",
        default=False,
    )
    user_errors: list[UserError[UserVerifyErrorCode]] = described(_ERRORS)


@strawberry.input(description="Whom to send another link.")
class UserVerificationResendInput:
    """Of `userVerificationResend`."""

    email: str = _asked("The address of the account.")


@model("Alike for every address.")
class UserVerificationResendPayload:
    """Of `userVerificationResend`."""

    accepted: bool = described(_ACCEPTED)
    user_errors: list[UserError[UserVerificationResendErrorCode]] = described(_ERRORS)


@strawberry.input(description="Who has lost a password.")
class PasswordResetRequestInput:
    """Of `passwordResetRequest`."""

    email: str = _asked("The address of the account.")


@model("Alike for every address.")
class PasswordResetRequestPayload:
    """Of `passwordResetRequest`."""

    accepted: bool = described(_ACCEPTED)
    user_errors: list[UserError[PasswordResetRequestErrorCode]] = described(_ERRORS)


@strawberry.input(description="A new password by a link.")
class PasswordResetInput:
    """Of `passwordReset`."""

    token: str = _asked("The token in the link; it is used up only if the password is good enough.")
    password: str = _asked(_PASSWORD)


@model("A password that was set; every session of the person has ended.")
class PasswordResetPayload:
    """Of `passwordReset`."""

    changed: bool = described("Whether the new password holds.")
    user_errors: list[UserError[PasswordResetErrorCode]] = described(_ERRORS)


@strawberry.input(description="A new password in place of the old one.")
class PasswordChangeInput:
    """Of `passwordChange`."""

    current_password: str = _asked("The one that holds now.")
    new_password: str = _asked(_PASSWORD)


@model("A password that was changed; all other sessions of the person have ended.")
class PasswordChangePayload:
    """Of `passwordChange`."""

    changed: bool = described("Whether the new password holds.")
    user_errors: list[UserError[PasswordChangeErrorCode]] = described(_ERRORS)


@strawberry.input(description="Who signs in, and how the session is kept.")
class SessionCreateInput:
    """Of `sessionCreate`."""

    email: str = _asked("The address of the account.")
    password: str = _asked("Its password.")
    code: str | None = _optional("Six digits of the authenticator, where a second factor is on.")
    recovery_code: str | None = _optional("In place of `code`, when the authenticator is lost; it works once.")
    cookie: bool = strawberry.field(
        description="For browsers: the session is kept in HttpOnly cookies, and the payload holds no token.",
        default=False,
    )
    organisation_id: strawberry.ID | None = strawberry.field(
        description="The organisation to act in; default: the one that the person joined first.", default=None
    )


@model("A session, or what is missing for one.")
class SessionCreatePayload:
    """Of `sessionCreate`."""

    session: IssuedSession | None = described("The new session; null where there is none.", default=None)
    second_factor_required: bool = described(
        "Whether the password was right and a code is needed: send it again with `code` or `recoveryCode`.",
        default=False,
    )
    user_errors: list[UserError[SessionCreateErrorCode]] = described(_ERRORS)


@model("A secret for an authenticator; nothing has changed until `totpConfirm`.")
class TotpStartPayload:
    """Of `totpStart`."""

    secret: str | None = described("To type into the authenticator. Shown once.", default=None)
    uri: str | None = described("The same as a QR code's `otpauth://` address.", default=None)
    user_errors: list[UserError[TotpStartErrorCode]] = described(_ERRORS)


@strawberry.input(description="A first code.")
class TotpConfirmInput:
    """Of `totpConfirm`."""

    code: str = _asked("Six digits of the authenticator.")


@model("A second factor that is on.")
class TotpConfirmPayload:
    """Of `totpConfirm`."""

    recovery_codes: list[str] | None = described(
        "Each signs in once in place of a code: keep them where the authenticator is not. Shown once.", default=None
    )
    user_errors: list[UserError[TotpConfirmErrorCode]] = described(_ERRORS)


@strawberry.input(description="Proof of both factors.")
class TotpDisableInput:
    """Of `totpDisable`."""

    password: str = _asked("The password.")
    code: str = _asked(_CODE)


@model("A second factor that is off.")
class TotpDisablePayload:
    """Of `totpDisable`."""

    disabled: bool = described("Whether the second factor is off now.")
    user_errors: list[UserError[TotpDisableErrorCode]] = described(_ERRORS)


@strawberry.input(description="Proof of both factors.")
class RecoveryCodesRenewInput:
    """Of `recoveryCodesRenew`."""

    password: str = _asked("The password.")
    code: str = _asked(_CODE)


@model("New recovery codes; the old ones work no more.")
class RecoveryCodesRenewPayload:
    """Of `recoveryCodesRenew`."""

    recovery_codes: list[str] | None = described("Shown once.", default=None)
    user_errors: list[UserError[RecoveryCodesRenewErrorCode]] = described(_ERRORS)
