"""Rows of people: who they are, what they try, their recovery codes. None belongs to a tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select, update

from gateway.core.store import Tx, new_id
from plugins.accounts.tables import attempts, recovery_codes, users


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """A person."""

    id: str
    email: str
    password_hash: str | None
    verified_at: datetime | None
    created_at: datetime
    password_changed_at: datetime | None
    totp_secret: str | None
    totp_confirmed_at: datetime | None
    totp_last_step: int | None

    @property
    def has_second_factor(self) -> bool:
        """Whether signing in takes a code."""
        return self.totp_confirmed_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptsRow:
    """What was tried on an address, whether or not somebody has it."""

    id: str
    failures: int
    last_at: datetime
    locked_until: datetime | None


class Users:
    """People by id and by address."""

    async def by_id(self, tx: Tx, user_id: str) -> UserRow | None:
        """One person."""
        return await tx.first(select(users).where(users.c.id == user_id), UserRow)

    async def lock(self, tx: Tx, user_id: str) -> UserRow | None:
        """One person, held to the end of the transaction."""
        return await tx.first(select(users).where(users.c.id == user_id).with_for_update(), UserRow)

    async def by_email(self, tx: Tx, email: str) -> UserRow | None:
        """Who has a normalised address, proven or not."""
        return await tx.first(select(users).where(users.c.email == email), UserRow)

    async def add(
        self, tx: Tx, email: str, *, now: datetime, password_hash: str | None = None, verified: bool = False
    ) -> str | None:
        """The id of a new person; None where the address is taken, also by somebody a moment ago."""
        user_id = new_id("user")
        values: dict[str, Any] = {
            "id": user_id, "email": email, "password_hash": password_hash, "created_at": now,
            "verified_at": now if verified else None,
            "password_changed_at": now if password_hash else None,
        }  # fmt: skip
        added = await tx.run(tx.insert(users).values(**values).on_conflict_do_nothing(index_elements=["email"]))
        return user_id if added else None

    async def verify(self, tx: Tx, user_id: str, *, now: datetime, password_hash: str | None) -> bool:
        """The address is proven, and *password_hash* holds from now on; False where it was proven before."""
        unproven = update(users).where(users.c.id == user_id, users.c.verified_at.is_(None))
        changed = {"verified_at": now, "password_hash": password_hash, "password_changed_at": now}
        return await tx.run(unproven.values(**changed)) == 1

    async def forget_password(self, tx: Tx, user_id: str) -> bool:
        """Of an address that nobody has proven yet; False where it is proven."""
        unproven = update(users).where(users.c.id == user_id, users.c.verified_at.is_(None))
        return await tx.run(unproven.values(password_hash=None)) == 1

    async def set_password(self, tx: Tx, user_id: str, password_hash: str, *, now: datetime) -> None:
        """A new password; whoever sets one by mail has proven the address."""
        proven = func.coalesce(users.c.verified_at, now)
        changed = {"password_hash": password_hash, "password_changed_at": now, "verified_at": proven}
        await tx.run(update(users).where(users.c.id == user_id).values(**changed))

    async def rehash(self, tx: Tx, user_id: str, old: str, new: str) -> None:
        """The same password hashed anew, unless it was changed meanwhile."""
        same = update(users).where(users.c.id == user_id, users.c.password_hash == old)
        await tx.run(same.values(password_hash=new))

    async def start_totp(self, tx: Tx, user_id: str, sealed: str) -> bool:
        """A secret that waits for its first code; False where a second factor holds already."""
        open_ = update(users).where(users.c.id == user_id, users.c.totp_confirmed_at.is_(None))
        return await tx.run(open_.values(totp_secret=sealed, totp_last_step=None)) == 1

    async def confirm_totp(self, tx: Tx, user_id: str, step: int, *, now: datetime) -> None:
        """The second factor holds; the code of this time step is used up."""
        this = update(users).where(users.c.id == user_id, users.c.totp_confirmed_at.is_(None))
        await tx.run(this.values(totp_confirmed_at=now, totp_last_step=step))

    async def take_step(self, tx: Tx, user: UserRow, step: int) -> bool:
        """A code of this time step is used up; False where it, or a later one, was used before."""
        unused = update(users).where(
            users.c.id == user.id, users.c.totp_secret == user.totp_secret, users.c.totp_confirmed_at.is_not(None),
            or_(users.c.totp_last_step.is_(None), users.c.totp_last_step < step),
        )  # fmt: skip
        return await tx.run(unused.values(totp_last_step=step)) == 1

    async def end_totp(self, tx: Tx, user_id: str) -> None:
        """No second factor."""
        changed = {"totp_secret": None, "totp_confirmed_at": None, "totp_last_step": None}
        await tx.run(update(users).where(users.c.id == user_id).values(**changed))


class RecoveryCodes:
    """Digests of codes that stand in for a lost authenticator, each once."""

    async def replace(self, tx: Tx, user_id: str, digests: Sequence[str]) -> None:
        """These and no others."""
        await tx.run(recovery_codes.delete().where(recovery_codes.c.user_id == user_id))
        rows = [{"id": new_id("rcode"), "user_id": user_id, "digest": digest} for digest in digests]
        if rows:
            await tx.run(recovery_codes.insert(), rows)

    async def use(self, tx: Tx, user_id: str, digests: Sequence[str], *, now: datetime) -> bool:
        """Whether one of the digests was a code's, unused until now."""
        unused = update(recovery_codes).where(
            recovery_codes.c.user_id == user_id, recovery_codes.c.digest.in_(digests),
            recovery_codes.c.used_at.is_(None),
        )  # fmt: skip
        return await tx.run(unused.values(used_at=now)) == 1

    async def left(self, tx: Tx, user_id: str) -> int:
        """How many are unused."""
        unused = select(func.count()).where(recovery_codes.c.user_id == user_id, recovery_codes.c.used_at.is_(None))
        return int(await tx.value(unused))


class Attempts:
    """Counts by key; a row is locked from its reading to the end of the transaction."""

    async def hold(self, tx: Tx, key: str, *, now: datetime) -> AttemptsRow:
        """The row of a key, made where there is none; others who hold the same wait."""
        fresh = tx.insert(attempts).values(id=key, failures=0, last_at=now, locked_until=None)
        await tx.run(fresh.on_conflict_do_nothing(index_elements=["id"]))
        row = await tx.first(select(attempts).where(attempts.c.id == key).with_for_update(), AttemptsRow)
        return row or AttemptsRow(id=key, failures=0, last_at=now, locked_until=None)

    async def put(self, tx: Tx, row: AttemptsRow) -> None:
        """Write back what is held."""
        changed = {"failures": row.failures, "last_at": row.last_at, "locked_until": row.locked_until}
        await tx.run(update(attempts).where(attempts.c.id == row.id).values(**changed))

    async def forget(self, tx: Tx, key: str) -> None:
        """As if nothing had been tried."""
        await tx.run(attempts.delete().where(attempts.c.id == key))

    async def refund(self, tx: Tx, key: str, charged: int) -> None:
        """Take the last attempt back, if it still is the last: *charged* is the count that it made."""
        last = update(attempts).where(attempts.c.id == key, attempts.c.failures == charged)
        await tx.run(last.values(failures=charged - 1, locked_until=None))

    async def tidy(self, tx: Tx, before: datetime) -> int:
        """Forget what was last tried before a time."""
        return await tx.run(attempts.delete().where(attempts.c.last_at < before))
