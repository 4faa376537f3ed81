"""What the fields about signing in with a provider take and answer."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from plugins.accounts.sessions.types import IssuedSession
from schema.model import choices, described, model
from schema.refusals import refusals
from schema.words.problems import UserError


@choices(
    "A way to sign in.",
    PASSWORD="With an e-mail address and a password.",  # noqa: S106 - the name of a way
    GOOGLE="With a Google account.",
    GITHUB="With a GitHub account.",
)
class SignInMethod(StrEnum):
    """Providers are listed by the names that stand in their links."""

    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a way
    GOOGLE = "GOOGLE"
    GITHUB = "GITHUB"


@refusals("Why the code opened no session.", NOT_BEGUN="No sign-in waits for a code here, or it waited too long.")
class SessionConfirmErrorCode(StrEnum):
    """Of `sessionConfirm`."""

    NOT_BEGUN = "NOT_BEGUN"
    CODE_INVALID = "CODE_INVALID"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"


@strawberry.input(description="The second factor of a sign-in with a provider: one of the two.")
class SessionConfirmInput:
    """Of `sessionConfirm`."""

    code: str | None = strawberry.field(description="Six digits of the authenticator.", default=None)
    recovery_code: str | None = strawberry.field(description="A recovery code.", default=None)


@model("A browser that is signed in by a provider and a code; the session's cookies came along.")
class SessionConfirmPayload:
    """Of `sessionConfirm`."""

    session: IssuedSession | None = described("The session; null where the code was refused.", default=None)
    user_errors: list[UserError[SessionConfirmErrorCode]] = described("Expected refusals; empty when it was done.")
