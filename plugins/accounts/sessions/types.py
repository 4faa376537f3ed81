"""GraphQL types of sessions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import strawberry

from plugins.accounts.sessions.desk import Issued
from plugins.accounts.sessions.rows import SessionRow
from schema.model import described, model
from schema.paging import PageInfo
from schema.refusals import refusals
from schema.scalars import Cursor
from schema.words.problems import UserError

KIND = "session"


@model("A place where a person is signed in: a browser or an application.")
class Session:
    """Of the caller alone: nobody sees another's."""

    id: strawberry.ID = described("Identity of the session.")
    user_agent: str | None = described("How the browser or application called itself when it signed in.", default=None)
    client_ip: str | None = described("The address that it signed in from.", default=None)
    created_at: datetime = described("When it signed in.")
    last_seen_at: datetime = described("When it was used, to the minute.")
    expires_at: datetime = described("When it ends unless it is used or refreshed before.")
    current: bool = described("Whether it is the one that asks.")

    @staticmethod
    def of(row: SessionRow, current: str | None) -> Session:
        """As its owner sees it."""
        return Session(
            id=strawberry.ID(row.id), user_agent=row.user_agent, client_ip=row.client_ip, created_at=row.created_at,
            last_seen_at=row.last_seen_at, expires_at=row.expires_at, current=row.id == current,
        )  # fmt: skip


@model("A session and its position in the list.")
class SessionEdge:
    """Relay's edge."""

    node: Session = described("The session.")
    cursor: Cursor = described("Its position.")


@model("A page of sessions.")
class SessionConnection:
    """Relay's connection with `nodes` beside `edges`."""

    nodes: list[Session] = described("The sessions, the newest first.")
    edges: list[SessionEdge] = described("The sessions with their positions.")
    page_info: PageInfo = described("Where this page stands.")


@model("A session that was opened, refreshed or moved to another organisation.")
class IssuedSession:
    """Tokens are shown to callers that keep them, never to browsers, whose cookies scripts cannot read."""

    id: strawberry.ID = described("What `sessionRevoke` takes.")
    access_token: str | None = described("`Authorization: Bearer …`; null with cookies.", default=None)
    refresh_token: str | None = described("What `sessionRefresh` takes, once; null with cookies.", default=None)
    expires_at: datetime = described("When the access token ends; with cookies, when the session does.")
    refresh_expires_at: datetime = described("When the session ends if it is not used.")

    @staticmethod
    def of(issued: Issued) -> IssuedSession:
        """With cookies there is nothing that a script should see."""
        kept = issued.refresh_token is not None
        return IssuedSession(
            id=strawberry.ID(issued.session_id), access_token=issued.access_token if kept else None,
            refresh_token=issued.refresh_token, refresh_expires_at=issued.refresh_expires_at,
            expires_at=issued.expires_at if kept else issued.refresh_expires_at,
        )  # fmt: skip


@refusals(
    "Why a session was not refreshed.",
    REFRESH_INVALID="The refresh token is not valid.",
    REFRESH_EXPIRED="The refresh token's time is over.",
    REFRESH_SUPERSEDED="It was used a moment ago: use the tokens that came of it.",
    REFRESH_REUSED="It was used before and may have been stolen, so the session was revoked.",
)
class SessionRefreshErrorCode(StrEnum):
    """Of `sessionRefresh`."""

    REFRESH_INVALID = "REFRESH_INVALID"
    REFRESH_EXPIRED = "REFRESH_EXPIRED"
    REFRESH_SUPERSEDED = "REFRESH_SUPERSEDED"
    REFRESH_REUSED = "REFRESH_REUSED"


@refusals("Why a session was not revoked.")
class SessionRevokeErrorCode(StrEnum):
    """Of `sessionRevoke`."""

    NOT_FOUND = "NOT_FOUND"


@refusals("Why the other sessions were not revoked.", SESSION_ENDED="The caller's own session has ended.")
class SessionsRevokeOthersErrorCode(StrEnum):
    """Of `sessionsRevokeOthers`."""

    SESSION_ENDED = "SESSION_ENDED"


@refusals("Why no session was ended.", NOT_SIGNED_IN="The caller has no session.")
class SessionEndErrorCode(StrEnum):
    """Of `sessionEnd`."""

    NOT_SIGNED_IN = "NOT_SIGNED_IN"


@strawberry.input(description="Which session to refresh.")
class SessionRefreshInput:
    """Of `sessionRefresh`."""

    refresh_token: str | None = strawberry.field(
        default=None, description="The newest refresh token. A browser gives none: its cookie says which session it is."
    )


@strawberry.input(description="Which session to revoke.")
class SessionRevokeInput:
    """Of `sessionRevoke`."""

    id: strawberry.ID = strawberry.field(description="One of `sessions`.")


@model("The refreshed session.")
class SessionRefreshPayload:
    """Of `sessionRefresh`."""

    session: IssuedSession | None = described("The session with new tokens.", default=None)
    user_errors: list[UserError[SessionRefreshErrorCode]] = described("What was wrong, if nothing was done.")


@model("The revoked session.")
class SessionRevokePayload:
    """Of `sessionRevoke`."""

    session: Session | None = described("The session that was revoked.", default=None)
    user_errors: list[UserError[SessionRevokeErrorCode]] = described("What was wrong, if nothing was done.")


@model("How many sessions were revoked.")
class SessionsRevokeOthersPayload:
    """Of `sessionsRevokeOthers`."""

    revoked: int = described("The number of sessions that ended.", default=0)
    user_errors: list[UserError[SessionsRevokeOthersErrorCode]] = described("What was wrong, if nothing was done.")


@model("The ended session.")
class SessionEndPayload:
    """Of `sessionEnd`."""

    session: Session | None = described("The session that was ended.", default=None)
    user_errors: list[UserError[SessionEndErrorCode]] = described("What was wrong, if nothing was done.")
