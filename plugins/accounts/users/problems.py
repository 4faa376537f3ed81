"""What the mutations about people refuse: one enumeration of codes each."""

from __future__ import annotations

from enum import StrEnum

import strawberry


@strawberry.enum(description="Why a sign-up was refused. That the address has an account is no reason.")
class UserSignUpErrorCode(StrEnum):
    """Of `userSignUp`."""

    SIGN_UP_CLOSED = "SIGN_UP_CLOSED"
    INVITATION_REQUIRED = "INVITATION_REQUIRED"
    INVITATION_INVALID = "INVITATION_INVALID"
    EMAIL_INVALID = "EMAIL_INVALID"
    NAME_INVALID = "NAME_INVALID"
    WEAK_PASSWORD = "WEAK_PASSWORD"  # noqa: S105 - a code
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"


@strawberry.enum(description="Why an address was not confirmed.")
class UserVerifyErrorCode(StrEnum):
    """Of `userVerify`."""

    TOKEN_INVALID = "TOKEN_INVALID"  # noqa: S105 - a code


@strawberry.enum(description="Why no link was sent.")
class UserVerificationResendErrorCode(StrEnum):
    """Of `userVerificationResend`."""

    EMAIL_INVALID = "EMAIL_INVALID"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"


@strawberry.enum(description="Why no link was sent.")
class PasswordResetRequestErrorCode(StrEnum):
    """Of `passwordResetRequest`."""

    EMAIL_INVALID = "EMAIL_INVALID"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"


@strawberry.enum(description="Why the password was not set.")
class PasswordResetErrorCode(StrEnum):
    """Of `passwordReset`."""

    TOKEN_INVALID = "TOKEN_INVALID"  # noqa: S105 - a code
    WEAK_PASSWORD = "WEAK_PASSWORD"  # noqa: S105 - a code


@strawberry.enum(description="Why the password was not changed.")
class PasswordChangeErrorCode(StrEnum):
    """Of `passwordChange`."""

    WRONG_PASSWORD = "WRONG_PASSWORD"  # noqa: S105 - a code
    NO_PASSWORD = "NO_PASSWORD"  # noqa: S105 - a code
    WEAK_PASSWORD = "WEAK_PASSWORD"  # noqa: S105 - a code
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"


@strawberry.enum(description="Why nobody was signed in. Only after a right password is more told than that it was not.")
class SessionCreateErrorCode(StrEnum):
    """Of `sessionCreate`."""

    EMAIL_INVALID = "EMAIL_INVALID"
    CREDENTIALS_INVALID = "CREDENTIALS_INVALID"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
    EMAIL_NOT_VERIFIED = "EMAIL_NOT_VERIFIED"
    CODE_INVALID = "CODE_INVALID"
    NOT_FOUND = "NOT_FOUND"
    COOKIE_NEEDS_HTTP = "COOKIE_NEEDS_HTTP"


@strawberry.enum(description="Why no second factor was begun.")
class TotpStartErrorCode(StrEnum):
    """Of `totpStart`."""

    ALREADY_ON = "ALREADY_ON"


@strawberry.enum(description="Why the second factor is not on.")
class TotpConfirmErrorCode(StrEnum):
    """Of `totpConfirm`."""

    NOT_STARTED = "NOT_STARTED"
    CODE_INVALID = "CODE_INVALID"


@strawberry.enum(description="Why the second factor is not off.")
class TotpDisableErrorCode(StrEnum):
    """Of `totpDisable`."""

    NOT_ON = "NOT_ON"
    NO_PASSWORD = "NO_PASSWORD"  # noqa: S105 - a code
    WRONG_PASSWORD = "WRONG_PASSWORD"  # noqa: S105 - a code
    CODE_INVALID = "CODE_INVALID"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"


@strawberry.enum(description="Why there are no new recovery codes.")
class RecoveryCodesRenewErrorCode(StrEnum):
    """Of `recoveryCodesRenew`."""

    NOT_ON = "NOT_ON"
    NO_PASSWORD = "NO_PASSWORD"  # noqa: S105 - a code
    WRONG_PASSWORD = "WRONG_PASSWORD"  # noqa: S105 - a code
    CODE_INVALID = "CODE_INVALID"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
