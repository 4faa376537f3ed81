"""What the mutations about people refuse: one enumeration of codes each."""

from __future__ import annotations

from enum import StrEnum

from schema.refusals import refusals


@refusals(
    "Why a sign-up was refused. That the address has an account is no reason.",
    SIGN_UP_CLOSED="Nobody can sign up here.",
    INVITATION_REQUIRED="Only who is invited can sign up here.",
    INVITATION_INVALID="There is no such invitation, or it is another address's.",
)
class UserSignUpErrorCode(StrEnum):
    """Of `userSignUp`."""

    SIGN_UP_CLOSED = "SIGN_UP_CLOSED"
    INVITATION_REQUIRED = "INVITATION_REQUIRED"
    INVITATION_INVALID = "INVITATION_INVALID"
    EMAIL_INVALID = "EMAIL_INVALID"
    NAME_INVALID = "NAME_INVALID"
    WEAK_PASSWORD = "WEAK_PASSWORD"  # noqa: S105 - a code
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"


@refusals("Why an address was not confirmed.")
class UserVerifyErrorCode(StrEnum):
    """Of `userVerify`."""

    TOKEN_INVALID = "TOKEN_INVALID"  # noqa: S105 - a code


@refusals("Why no link was sent.")
class UserVerificationResendErrorCode(StrEnum):
    """Of `userVerificationResend`."""

    EMAIL_INVALID = "EMAIL_INVALID"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"


@refusals("Why no link was sent.")
class PasswordResetRequestErrorCode(StrEnum):
    """Of `passwordResetRequest`."""

    EMAIL_INVALID = "EMAIL_INVALID"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"


@refusals("Why the password was not set.")
class PasswordResetErrorCode(StrEnum):
    """Of `passwordReset`."""

    TOKEN_INVALID = "TOKEN_INVALID"  # noqa: S105 - a code
    WEAK_PASSWORD = "WEAK_PASSWORD"  # noqa: S105 - a code


@refusals("Why the password was not changed.")
class PasswordChangeErrorCode(StrEnum):
    """Of `passwordChange`."""

    WRONG_PASSWORD = "WRONG_PASSWORD"  # noqa: S105 - a code
    NO_PASSWORD = "NO_PASSWORD"  # noqa: S105 - a code
    WEAK_PASSWORD = "WEAK_PASSWORD"  # noqa: S105 - a code
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"


@refusals(
    "Why nobody was signed in. Only after a right password is more told than that it was not.",
    CREDENTIALS_INVALID="The address or the password is wrong.",
    EMAIL_NOT_VERIFIED="The address is not confirmed yet.",
    CODE_INVALID="A code of the second factor is needed, or this one is wrong or was used.",
    NOT_FOUND="The person is in no such organisation.",
    COOKIE_NEEDS_HTTP="A cookie can be set over plain HTTP requests only, not over a WebSocket.",
)
class SessionCreateErrorCode(StrEnum):
    """Of `sessionCreate`."""

    EMAIL_INVALID = "EMAIL_INVALID"
    CREDENTIALS_INVALID = "CREDENTIALS_INVALID"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
    EMAIL_NOT_VERIFIED = "EMAIL_NOT_VERIFIED"
    CODE_INVALID = "CODE_INVALID"
    NOT_FOUND = "NOT_FOUND"
    COOKIE_NEEDS_HTTP = "COOKIE_NEEDS_HTTP"


@refusals("Why no second factor was begun.", ALREADY_ON="The second factor is on already.")
class TotpStartErrorCode(StrEnum):
    """Of `totpStart`."""

    ALREADY_ON = "ALREADY_ON"


@refusals("Why the second factor is not on.", NOT_STARTED="Nothing is to be confirmed: `totpStart` begins it.")
class TotpConfirmErrorCode(StrEnum):
    """Of `totpConfirm`."""

    NOT_STARTED = "NOT_STARTED"
    CODE_INVALID = "CODE_INVALID"


@refusals("Why the second factor is not off.")
class TotpDisableErrorCode(StrEnum):
    """Of `totpDisable`."""

    NOT_ON = "NOT_ON"
    NO_PASSWORD = "NO_PASSWORD"  # noqa: S105 - a code
    WRONG_PASSWORD = "WRONG_PASSWORD"  # noqa: S105 - a code
    CODE_INVALID = "CODE_INVALID"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"


@refusals("Why there are no new recovery codes.")
class RecoveryCodesRenewErrorCode(StrEnum):
    """Of `recoveryCodesRenew`."""

    NOT_ON = "NOT_ON"
    NO_PASSWORD = "NO_PASSWORD"  # noqa: S105 - a code
    WRONG_PASSWORD = "WRONG_PASSWORD"  # noqa: S105 - a code
    CODE_INVALID = "CODE_INVALID"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
