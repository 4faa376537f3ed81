"""The outbox of mails as rows. A row belongs to an address, not to a tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select, update

from gateway.core.store import Tx
from plugins.accounts.tables import mails


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRow:
    """A mail; its text is sealed, and empty once it is over."""

    id: str
    recipient: str
    subject: str
    sealed_text: str
    created_at: datetime
    due_at: datetime
    attempts: int
    sent_at: datetime | None
    failed_at: datetime | None
    last_error: str | None


class Mails:
    """Rows that wait, and those that are over."""

    async def add(self, tx: Tx, row: MailRow) -> None:
        """Put a mail in."""
        values = {name: getattr(row, name) for name in MailRow.__slots__}
        await tx.run(mails.insert().values(**values))

    async def due(self, tx: Tx, now: datetime) -> bool:
        """Whether any mail waits to be sent now."""
        return await tx.value(select(mails.c.id).where(*_waiting(now)).limit(1)) is not None

    async def claim(self, tx: Tx, now: datetime, count: int) -> list[MailRow]:
        """Mails that are due, the oldest first; no other process claims them until this transaction ends."""
        oldest = select(mails).where(*_waiting(now)).order_by(mails.c.due_at, mails.c.id).limit(count)
        return await tx.all(oldest.with_for_update(skip_locked=True), MailRow)

    async def attempted(self, tx: Tx, mail_id: str, attempts: int, due_at: datetime) -> None:
        """An attempt begins; if its process dies, the next one is due then."""
        await tx.run(update(mails).where(mails.c.id == mail_id).values(attempts=attempts, due_at=due_at))

    async def sent(self, tx: Tx, mail_id: str, now: datetime) -> None:
        """Over and done; the text is removed."""
        changed = {"sent_at": now, "sealed_text": "", "last_error": None}
        await tx.run(update(mails).where(mails.c.id == mail_id).values(**changed))

    async def failed(self, tx: Tx, mail_id: str, error: str, given_up_at: datetime | None) -> None:
        """Note what went wrong; with a time it is not tried again, and the text is removed."""
        changed = {"last_error": error, "failed_at": given_up_at}
        if given_up_at is not None:
            changed["sealed_text"] = ""
        await tx.run(update(mails).where(mails.c.id == mail_id).values(**changed))

    async def tidy(self, tx: Tx, before: datetime) -> int:
        """Remove mails that are over since before a time."""
        return await tx.run(mails.delete().where(or_(mails.c.sent_at < before, mails.c.failed_at < before)))


def _waiting(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return mails.c.sent_at.is_(None), mails.c.failed_at.is_(None), mails.c.due_at <= now
