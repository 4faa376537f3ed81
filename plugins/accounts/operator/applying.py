"""A whole list of tenants at once: what is not as the list says is made so, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.core.contract import Context, Host
from gateway.core.store import Tx, new_id
from plugins.accounts.operator.store import TenantRow
from plugins.accounts.operator.tenants import LONGEST_REASON, Tenants, Wish, read
from plugins.accounts.organisations.rows import Status
from plugins.accounts.users.desk import BadEmail, UserDesk
from schema.words.problems import Refused

MOST = 1_000
SUSPENDED_BY_FILE = "suspended by the operator"
OWNER_STAYS = "owner: kept, transfers are the organisation's own affair"
STATUS_STAYS = "status: stays suspended, write active to resume it"


class Kind(StrEnum):
    """What becomes of one entry."""

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One tenant of the list. What is None is not the list's affair; the owner counts at creation only."""

    external_id: str
    name: str
    plan: str
    owner_email: str | None = None
    status: Status | None = None
    status_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A value that is not as the list says."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one entry comes to."""

    external_id: str
    tenant: str | None
    kind: Kind
    differences: Sequence[Difference]
    notes: Sequence[str] = ()
    """What is not as the list says, and stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What the whole list comes to; `untouched` tenants are not in it."""

    changes: Sequence[Change]
    untouched: int


class Faulty(Exception):
    """Entries that cannot be meant, each with its place in the list; nothing was changed."""

    def __init__(self, faults: Sequence[tuple[int, Refused]]) -> None:
        super().__init__(f"{len(faults)} entries are wrong")
        self.faults = faults


class Applying:
    """One a process."""

    def __init__(self, host: Host, tenants: Tenants) -> None:
        self._host, self._tenants = host, tenants

    async def apply(self, context: Context, entries: Sequence[Entry], *, dry_run: bool) -> Applied:
        """Compare, and unless it is a rehearsal make it so: all entries or none. Faulty names the wrong ones."""
        opened = self._host.store.read() if dry_run else self._host.store.write()
        async with opened as tx:
            external_ids = [entry.external_id for entry in entries]
            if not dry_run:
                await self._tenants.directory.hold(tx, external_ids)
            known = await self._tenants.directory.by_external_ids(tx, external_ids)
            entries = await self._read(tx, entries, known)
            owners = await self._tenants.directory.owners(tx, [row.id for row in known.values()])
            changes = [self._compared(entry, known.get(entry.external_id), owners) for entry in entries]
            untouched = await self._tenants.directory.count(tx) - len(known)
            if dry_run:
                return Applied(changes=changes, untouched=untouched)
            made = [
                await self._carry_out(tx, context, entry, change, known.get(entry.external_id))
                for entry, change in zip(entries, changes, strict=True)
            ]
        return Applied(changes=made, untouched=untouched)

    def _compared(self, entry: Entry, row: TenantRow | None, owners: Mapping[str, Sequence[str]]) -> Change:
        change, email, notes = compare(entry, row), entry.owner_email, []
        if row is None:
            return change
        if email is not None and self._host.service(UserDesk).normalise(email) not in owners.get(row.id, ()):
            notes.append(OWNER_STAYS)
        if row.status == Status.SUSPENDED.value and entry.status is None:
            notes.append(STATUS_STAYS)
        return replace(change, notes=notes)

    async def _read(self, tx: Tx, entries: Sequence[Entry], known: Mapping[str, TenantRow]) -> list[Entry]:
        faults: list[tuple[int, Refused]] = []
        read_entries: list[Entry] = []
        seen: set[str] = set()
        for index, entry in enumerate(entries):
            try:
                if entry.external_id in seen:
                    told = f"The external id {entry.external_id!r} stands in the list twice: keep one."
                    raise Refused("DUPLICATE", told, "externalId")
                seen.add(entry.external_id)
                read_entries.append(await self._checked(tx, entry, known.get(entry.external_id)))
            except Refused as refused:
                faults.append((index, refused))
        if faults:
            raise Faulty(faults)
        return read_entries

    async def _checked(self, tx: Tx, entry: Entry, row: TenantRow | None) -> Entry:
        await self._tenants.check_plan(tx, entry.plan)
        reason = entry.status_reason
        if entry.owner_email is not None:
            try:
                self._host.service(UserDesk).normalise(entry.owner_email)
            except BadEmail as bad:
                raise Refused("EMAIL_INVALID", str(bad), "ownerEmail") from None
        if row is not None and row.status == Status.DELETING.value and entry.status is Status.ACTIVE:
            told = "Its owner is deleting this organisation: leave its status out, or have it restored."
            raise Refused("TENANT_DELETING", told, "status")
        return Entry(
            external_id=read(entry.external_id, "externalId"), name=read(entry.name, "name"), plan=entry.plan,
            owner_email=entry.owner_email, status=entry.status,
            status_reason=None if reason is None else read(reason, "reason", longest=LONGEST_REASON),
        )  # fmt: skip

    async def _carry_out(
        self, tx: Tx, context: Context, entry: Entry, change: Change, row: TenantRow | None
    ) -> Change:  # fmt: skip
        tenants = self._tenants
        if row is None:
            tenant = new_id("ten")
            wish = Wish(
                name=entry.name, plan=entry.plan, owner_email=entry.owner_email, external_id=entry.external_id
            )  # fmt: skip
            await tenants.make(tx, context, wish, tenant)
            row = await tenants.directory.find(tx, tenant)
        if row is None:
            raise RuntimeError("a tenant that was just made is not there")
        await tenants.rename(tx, context, row, entry.name)
        await tenants.replan(tx, context, row, entry.plan)
        if entry.status is Status.SUSPENDED and any(each.field in ("status", "reason") for each in change.differences):
            await tenants.set_suspended(tx, context, row, _reason(entry, row))
        elif entry.status is Status.ACTIVE:
            await tenants.set_resumed(tx, context, row)
        return replace(change, tenant=row.id)


def compare(entry: Entry, row: TenantRow | None) -> Change:
    """What has to be done for one entry."""
    if row is None:
        wanted = {"name": entry.name, "plan": entry.plan, "owner": entry.owner_email}
        if entry.status is Status.SUSPENDED:
            wanted |= {"status": entry.status.value, "reason": entry.status_reason or SUSPENDED_BY_FILE}
        found = [Difference(field=name, before=None, after=value) for name, value in wanted.items() if value]
        return Change(external_id=entry.external_id, tenant=None, kind=Kind.CREATED, differences=found)
    pairs = [("name", row.name, entry.name), ("plan", row.plan, entry.plan)]
    if entry.status is not None:
        pairs.append(("status", row.status, entry.status.value))
        if entry.status is Status.SUSPENDED:
            pairs.append(("reason", row.status_reason or "", _reason(entry, row) or ""))
    found = [Difference(field=name, before=old, after=new) for name, old, new in pairs if old != new]
    kind = Kind.CHANGED if found else Kind.UNCHANGED
    return Change(external_id=entry.external_id, tenant=row.id, kind=kind, differences=found)


def _reason(entry: Entry, row: TenantRow) -> str | None:
    """The list's own words, else those that stand there."""
    standing = row.status_reason if row.status == Status.SUSPENDED.value else None
    return entry.status_reason or standing or SUSPENDED_BY_FILE
