"""What may be tried on an address, and how often: alike whether or not somebody has it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from gateway.core.contract import Host
from gateway.core.store import Tx
from plugins.accounts.users.store import Attempts
from schema.words.problems import Refused

FREE = 5
"""Failures in a row before the first lock."""
FIRST_LOCK, LONGEST_LOCK = timedelta(seconds=30), timedelta(hours=1)
FORGOTTEN = timedelta(hours=24)
"""After so long without an attempt the count begins anew."""
MAILS, MAILS_IN = 5, timedelta(hours=1)
"""Mails that anybody may ask us to send to one address."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """An attempt that was counted before it was made."""

    key: str
    failures: int


def lock_for(failures: int) -> timedelta | None:
    """How long the address is locked by its n-th failure in a row."""
    if failures < FREE:
        return None
    return min(FIRST_LOCK * (1 << min(failures - FREE, 20)), LONGEST_LOCK)


class Guard:
    """Counts before the work is done, so that a burst of guesses at once gets no more of them than a patient one."""

    def __init__(self, host: Host) -> None:
        self._vault, self._clock, self._attempts = host.vault, host.clock, Attempts()

    async def charge(self, tx: Tx, email: str, client_ip: str | None) -> Charge | None:
        """Count one attempt to sign in; None while the address is locked."""
        now, key = self._clock.now(), self._key("sign-in", email)
        row = await self._attempts.hold(tx, key, now=now)
        if row.locked_until is not None and row.locked_until > now:
            return None
        failures = 1 if now - row.last_at > FORGOTTEN else row.failures + 1
        lock = lock_for(failures)
        await self._attempts.put(
            tx, replace(row, failures=failures, last_at=now, locked_until=now + lock if lock else None)
        )
        if lock is not None:
            log.warning("sign_in_locks", seconds=int(lock.total_seconds()), failures=failures, client_ip=client_ip)
        return Charge(key=key, failures=failures)

    async def clear(self, tx: Tx, email: str) -> None:
        """The person is who they say."""
        await self._attempts.forget(tx, self._key("sign-in", email))

    async def refund(self, tx: Tx, charge: Charge) -> None:
        """The attempt was no failure, and no success yet."""
        await self._attempts.refund(tx, charge.key, charge.failures)

    async def mail(self, tx: Tx, email: str) -> None:
        """Count a mail that a stranger asks for; refuses the sixth in an hour."""
        now, key = self._clock.now(), self._key("mail", email)
        row = await self._attempts.hold(tx, key, now=now)
        if row.locked_until is None or row.locked_until <= now:
            row = replace(row, failures=0, locked_until=now + MAILS_IN)
        if row.failures >= MAILS:
            raise TooManyMails(row.locked_until or now, now)
        await self._attempts.put(tx, replace(row, failures=row.failures + 1, last_at=now))

    async def tidy(self, tx: Tx) -> int:
        """Forget what nobody tried for long."""
        return await self._attempts.tidy(tx, self._clock.now() - FORGOTTEN)

    def _key(self, purpose: str, email: str) -> str:
        return self._vault.digest(f"attempts to {purpose}", email)


class TooManyMails(Refused):
    """Says when the next mail may be asked for."""

    def __init__(self, until: datetime, now: datetime) -> None:
        minutes = int((until - now).total_seconds() // 60) + 1
        super().__init__(
            "TOO_MANY_REQUESTS",
            f"{MAILS} mails were sent to this address within an hour: look among the junk, or try again in {minutes} "
            "minutes.",
            "email",
        )
