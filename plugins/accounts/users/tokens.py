"""Tokens that work once: in mails' links, between the steps of a sign-in."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from gateway.core.contract import Host
from gateway.core.store import Tx, new_id
from plugins.accounts.tables import one_time_tokens

VERIFY, RESET = "verify", "reset"
VERIFY_FOR, RESET_FOR = timedelta(hours=24), timedelta(hours=1)
KEPT = timedelta(days=1)
"""How long a token is kept after its end."""
LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token as it is stored: by its digest."""

    id: str
    kind: str
    user_id: str | None
    digest: str
    payload: dict[str, Any]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


class OneTimeTokens:
    """Issue and redeem. The text of a token is known to its receiver alone."""

    def __init__(self, host: Host) -> None:
        self._vault, self._clock = host.vault, host.clock

    async def issue(
        self,
        tx: Tx,
        kind: str,
        *,
        user_id: str | None = None,
        payload: Mapping[str, Any] | None = None,
        ttl: timedelta,
    ) -> str:
        """The text of a new token; the payload is kept in clear and comes back with it."""
        text, now = secrets.token_urlsafe(32), self._clock.now()
        values = {
            "id": new_id("ott"), "kind": kind, "user_id": user_id, "digest": self._vault.digest(_purpose(kind), text),
            "payload": dict(payload or {}), "created_at": now, "expires_at": now + ttl,
        }  # fmt: skip
        await tx.run(one_time_tokens.insert().values(**values))
        return text

    async def peek(self, tx: Tx, kind: str, text: str) -> TokenRow | None:
        """A token that could be redeemed now."""
        live = select(one_time_tokens).where(*self._live(kind, text))
        return await tx.first(live, TokenRow)

    async def redeem(self, tx: Tx, kind: str, text: str) -> TokenRow | None:
        """Use a token up; None for one that is wrong, used, expired or of another kind. Of two at once one wins."""
        found = await self.peek(tx, kind, text)
        if found is None:
            return None
        this = update(one_time_tokens).where(one_time_tokens.c.id == found.id, *self._live(kind, text))
        return found if await tx.run(this.values(used_at=self._clock.now())) == 1 else None

    async def revoke(self, tx: Tx, kind: str, user_id: str) -> None:
        """A person's tokens of a kind work no more."""
        mine = one_time_tokens.delete().where(one_time_tokens.c.kind == kind, one_time_tokens.c.user_id == user_id)
        await tx.run(mine)

    async def tidy(self, tx: Tx) -> int:
        """Remove those that are long over."""
        over = one_time_tokens.c.expires_at < self._clock.now() - KEPT
        return await tx.run(one_time_tokens.delete().where(over))

    def _live(self, kind: str, text: str) -> tuple[Any, ...]:
        # Nothing that long was ever issued: it is not worth a digest.
        digests = self._vault.digests(_purpose(kind), text) if len(text) <= LONGEST else ()
        columns = one_time_tokens.c
        now = self._clock.now()
        return (
            columns.kind == kind, columns.digest.in_(digests), columns.used_at.is_(None), columns.expires_at > now
        )  # fmt: skip


def _purpose(kind: str) -> str:
    return f"one-time token {kind}"
