"""SQL of watches, of what was produced, and of states."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, or_, select, update

from gateway.core.store import Tx
from plugins.events.tables import produced, states, watches

TOGETHER = 500
"""Keys of one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRow:
    """What was told last."""

    key: str
    state: str
    since: datetime


class WatchDirectory:
    """Subjects of the markets: no tenant's own. A row says who produces one, until when, and how far it was told."""

    async def renew(self, tx: Tx, holder: str, keys: Collection[str], until: datetime) -> set[str]:
        """Those of the keys that the holder has still, held until then."""
        kept: set[str] = set()
        for part in _parts(keys):
            mine = (watches.c.holder == holder, watches.c.key.in_(part))
            kept.update(await tx.values(select(watches.c.key).where(*mine).order_by(watches.c.key).with_for_update()))
            await tx.run(update(watches).where(*mine).values(leased_until=until))
        return kept

    async def taken(self, tx: Tx, keys: Collection[str], now: datetime) -> set[str]:
        """Those of the keys that somebody holds."""
        found: set[str] = set()
        for part in _parts(keys):
            held = select(watches.c.key).where(watches.c.key.in_(part), watches.c.leased_until > now)
            found.update(await tx.values(held))
        return found

    async def take(self, tx: Tx, holder: str, key: str, now: datetime, until: datetime) -> bool:
        """Whether the key is the holder's: it was free, or its holder was not heard of."""
        made = tx.insert(watches).values(key=key, holder=holder, leased_until=until)
        free = or_(watches.c.holder == holder, watches.c.leased_until <= now)
        values = {"holder": holder, "leased_until": until}
        return bool(await tx.run(made.on_conflict_do_update(index_elements=["key"], set_=values, where=free)))

    async def let_go(self, tx: Tx, holder: str, keys: Collection[str], now: datetime) -> None:
        """Others may go on from where the holder was."""
        for part in _parts(keys):
            mine = (watches.c.holder == holder, watches.c.key.in_(part))
            await tx.run(update(watches).where(*mine).values(leased_until=now))

    async def forget(self, tx: Tx, holder: str, keys: Collection[str]) -> None:
        """Nobody asks for them: who does so later begins anew."""
        for part in _parts(keys):
            await tx.run(delete(watches).where(watches.c.holder == holder, watches.c.key.in_(part)))

    async def mark(self, tx: Tx, key: str) -> datetime | None:
        """How far it was told."""
        found: datetime | None = await tx.value(select(watches.c.mark).where(watches.c.key == key))
        return found

    async def begin(self, tx: Tx, key: str, at: datetime) -> None:
        """What is told comes after that, unless a mark is there."""
        await tx.run(update(watches).where(watches.c.key == key, watches.c.mark.is_(None)).values(mark=at))

    async def advance(self, tx: Tx, key: str, at: datetime) -> bool:
        """Whether the mark has moved on: it does not go back, and moves to one place once."""
        ahead = or_(watches.c.mark.is_(None), watches.c.mark < at)
        return bool(await tx.run(update(watches).where(watches.c.key == key, ahead).values(mark=at)))

    async def tidy(self, tx: Tx, before: datetime) -> None:
        """Forget what nobody has held since then."""
        await tx.run(delete(watches).where(watches.c.leased_until < before))


class ProducedDirectory:
    """Events of the markets: no tenant's own. One row each, written with the event."""

    async def claim(self, tx: Tx, key: str, at: datetime, told: str = "") -> bool:
        """Whether it is the first time."""
        made = tx.insert(produced).values(key=key, at=at, told=told)
        return bool(await tx.run(made.on_conflict_do_nothing()))

    async def told(self, tx: Tx, key: str) -> str | None:
        """What was told."""
        found: str | None = await tx.value(select(produced.c.told).where(produced.c.key == key))
        return found

    async def retell(self, tx: Tx, key: str, before: str, told: str) -> bool:
        """Whether nobody has told anything else meanwhile."""
        this = update(produced).where(produced.c.key == key, produced.c.told == before)
        return bool(await tx.run(this.values(told=told)))

    async def tidy(self, tx: Tx, before: datetime) -> None:
        """Forget what is long past."""
        await tx.run(delete(produced).where(produced.c.at < before))


class StateDirectory:
    """Sources and providers: no tenant's own."""

    async def find(self, tx: Tx, key: str) -> StateRow | None:
        """Held until the end of the transaction."""
        return await tx.first(select(states).where(states.c.key == key).with_for_update(), StateRow)

    async def within(self, tx: Tx, prefix: str) -> list[StateRow]:
        """All whose keys begin so."""
        return await tx.all(select(states).where(states.c.key.startswith(prefix, autoescape=True)), StateRow)

    async def put(self, tx: Tx, key: str, state: str, since: datetime) -> None:
        """In place of what was there."""
        made = tx.insert(states).values(key=key, state=state, since=since)
        await tx.run(
            made.on_conflict_do_update(index_elements=["key"], set_={"state": state, "since": since})
        )  # fmt: skip

    async def turn(self, tx: Tx, key: str, state: str, since: datetime) -> bool:
        """Whether it was another state until now."""
        made = tx.insert(states).values(key=key, state=state, since=since)
        changed = {"state": state, "since": since}
        return bool(
            await tx.run(
                made.on_conflict_do_update(index_elements=["key"], set_=changed, where=states.c.state != state)
            )
        )  # fmt: skip


def _parts(keys: Collection[str]) -> list[list[str]]:
    """In one order everywhere, so that no two processes wait for each other in a ring."""
    ordered = sorted(keys)
    return [ordered[at : at + TOGETHER] for at in range(0, len(ordered), TOGETHER)]
