"""The book of an account: appends entries under the account's lock and keeps its balances, all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256

from gateway.core.store import Tx, new_id
from plugins.trading.ledger.chart import EXACT, ZERO, Ledger, minus, shown, total
from plugins.trading.ledger.drafts import Draft, Line, check, outgoing, reversal
from plugins.trading.ledger.store import LedgerStore
from plugins.trading.rows import AccountRow, BalanceRow, EntryRow, LineRow
from plugins.trading.writing import Writing
from schema.idempotency import check_same
from schema.names import could_be_id
from schema.words.orders import AccountKind, EntryKind, MarginType
from schema.words.problems import Refused

Key = tuple[str, str]
"""Ledger and asset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """An entry to append, and what it changes: balances by its lines, holds beside them."""

    draft: Draft
    pending: bool = False
    resolves: str | None = None
    voids: bool = False
    reverses: str | None = None
    releases: tuple[Line, ...] = ()
    """Lines of the pending entry that it resolves."""


class Unbooked(RuntimeError):
    """What was let pass would be refused: a fault of ours, and no refusal that anybody might go on after.

    What it belongs to may be written by then: the transaction must end with it.
    """


class LedgerBook:
    """Nothing is waited for but the database; the caller holds the lock of the account that `Writing` stands for."""

    def __init__(self) -> None:
        self._rows = LedgerStore()

    async def post(
        self,
        w: Writing,
        drafts: Sequence[Draft],
        *,
        at: datetime,
        made_by: str,
        key: str | None = None,
        digest: str | None = None,
    ) -> list[EntryRow]:
        """Append entries that count; all of them or, Refused INSUFFICIENT_FUNDS, none.

        The same *key* with the same drafts answers what it did the first time; *digest* stands for what was asked
        where the drafts depend on more than that, such as a rate.
        """
        parts = [_Part(draft=each) for each in drafts]
        return await self._append(w, parts, at, made_by, key, digest)

    async def book(self, w: Writing, drafts: Sequence[Draft], *, at: datetime, made_by: str) -> None:
        """Append what fills have moved, which are written in this transaction; all of it or, Unbooked, none."""
        try:
            await self.post(w, drafts, at=at, made_by=made_by)
        except Refused as refused:
            raise Unbooked(refused.message) from refused

    async def pend(
        self,
        w: Writing,
        draft: Draft,
        *,
        at: datetime,
        made_by: str,
        key: str | None = None,
        digest: str | None = None,
    ) -> EntryRow:
        """Append an entry that moves nothing, but holds the cash that it would take, until it is posted or voided."""
        return (await self._append(w, [_Part(draft=draft, pending=True)], at, made_by, key, digest))[0]

    async def post_pending(
        self, w: Writing, entry_id: str, *, at: datetime, made_by: str, key: str | None = None
    ) -> EntryRow:
        """Let a pending entry count, once: another entry with the same lines."""
        if key is not None and (again := await self.repeated(w.tx, w.account, key, f"post {entry_id}")):
            return again[0]
        held, draft = await self._pending(w, entry_id)
        part = _Part(draft=draft, resolves=held.id, releases=draft.lines)
        return (await self._append(w, [part], at, made_by, key, f"post {entry_id}"))[0]

    async def void(self, w: Writing, entry_id: str, *, at: datetime, made_by: str, key: str | None = None) -> EntryRow:
        """Give a pending entry up, once: another entry without lines."""
        if key is not None and (again := await self.repeated(w.tx, w.account, key, f"void {entry_id}")):
            return again[0]
        held, draft = await self._pending(w, entry_id)
        part = _Part(draft=replace(draft, lines=()), resolves=held.id, voids=True, releases=draft.lines)
        return (await self._append(w, [part], at, made_by, key, f"void {entry_id}"))[0]

    async def reverse(
        self,
        w: Writing,
        entry_id: str,
        *,
        at: datetime,
        made_by: str,
        memo: str | None = None,
        key: str | None = None,
    ) -> EntryRow:
        """Take an entry back, once: another entry with its sides turned."""
        digest = f"reverse {entry_id} {memo}"
        if key is not None and (again := await self.repeated(w.tx, w.account, key, digest)):
            return again[0]
        entry = await self._entry(w, entry_id)
        if entry.pending:
            raise Refused("ENTRY_PENDING", await self._not_moved(w, entry), "entryId")
        if entry.voids or entry.reverses is not None:
            told = "This entry takes another one back: book what you want anew."
            raise Refused("ENTRY_NOT_REVERSIBLE", told, "entryId")
        if by := await self._rows.about(w.tx, w.tenant, w.account.id, (entry.id,)):
            raise Refused("ENTRY_REVERSED", f"This entry was reversed by {by[0].id}: once is all.", "entryId")
        turned = reversal(draft_of(entry, await self._lines(w, entry)), memo=memo)
        return (await self._append(w, [_Part(draft=turned, reverses=entry.id)], at, made_by, key, digest))[0]

    async def repeated(
        self, tx: Tx, account: AccountRow, key: str, digest: str, count: int = 1
    ) -> list[EntryRow] | None:
        """What was booked with this key before; Refused IDEMPOTENCY_MISMATCH where that was asked with other input."""
        held = await self._rows.keyed(tx, account.tenant_id, account.id, key)
        if held is None:
            return None
        check_same(held.request_digest, _hashed(digest))
        return await self._rows.numbered(tx, account.tenant_id, account.id, held.number, count)

    async def balances(self, tx: Tx, tenant: str, account_id: str, at: datetime | None = None) -> list[BalanceRow]:
        """As they stand; or as they stood at an instant, summed from entries until then."""
        if at is None:
            return await self._rows.balances(tx, tenant, account_id)
        posted = {(each.ledger, each.asset): each.amount for each in await self._rows.sums(tx, tenant, account_id, at)}
        waiting = [each.id for each in await self._rows.waiting(tx, tenant, account_id, at)]
        held: dict[Key, Decimal] = {}
        for parts in by_entry(await self._rows.lines(tx, tenant, account_id, waiting)).values():
            _add(held, _holds(parts))
        return [
            BalanceRow(
                tenant_id=tenant, account_id=account_id, ledger=ledger, asset=asset,
                posted=posted.get((ledger, asset), ZERO), held=held.get((ledger, asset), ZERO),
            )
            for ledger, asset in sorted({*posted, *held})
        ]  # fmt: skip

    async def _append(
        self, w: Writing, parts: Sequence[_Part], at: datetime, made_by: str, key: str | None, digest: str | None
    ) -> list[EntryRow]:
        if not parts:
            return []
        if key is not None:
            digest = repr([(part.pending, part.draft) for part in parts]) if digest is None else digest
            if again := await self.repeated(w.tx, w.account, key, digest, len(parts)):
                return again
        for part in parts:
            if not part.voids:
                check(part.draft.lines)
        changed = await self._changed(w, parts)
        first = w.next_entries(len(parts))
        rows = [
            _row(w.account, part, first + index, at, made_by, key if index == 0 else None, digest)
            for index, part in enumerate(parts)
        ]
        await self._rows.add(w.tx, w.tenant, rows, _line_rows(rows, parts))
        if changed:
            await self._rows.set_balances(w.tx, w.tenant, changed)
        w.balances |= {(row.ledger, row.asset): row for row in changed}
        if w.account.charged_at is None and may_owe(w.account) and any(_owes(row) for row in changed):
            w.set(charged_at=at.replace(hour=0, minute=0, second=0, microsecond=0))
        return rows

    async def _changed(self, w: Writing, parts: Sequence[_Part]) -> list[BalanceRow]:
        """The balances after all parts; Refused where one of cash would be overdrawn."""
        posted: dict[Key, Decimal] = {}
        held: dict[Key, Decimal] = {}
        for part in parts:
            if part.pending:
                _add(held, _holds(part.draft.lines))
            else:
                _add(posted, ((line.ledger.value, line.asset, line.amount) for line in part.draft.lines))
            _add(held, ((ledger, asset, minus(amount)) for ledger, asset, amount in _holds(part.releases)))
        keys = sorted({*posted, *held})
        await self._read(w, keys)
        found = []
        for each in keys:
            before = w.balances[each]
            after = replace(
                before, posted=EXACT.add(before.posted, posted.get(each, ZERO)),
                held=EXACT.add(before.held, held.get(each, ZERO)),
            )  # fmt: skip
            _check_funds(w.account, before, after)
            found.append(after)
        return found

    async def _read(self, w: Writing, keys: Sequence[Key]) -> None:
        """Balances that were not read under this lock yet."""
        missing = [each for each in keys if each not in w.balances]
        if not missing:
            return
        rows = await self._rows.balances(w.tx, w.tenant, w.account.id, {asset for _, asset in missing})
        found = {(row.ledger, row.asset): row for row in rows}
        for ledger, asset in missing:
            w.balances[ledger, asset] = found.get((ledger, asset)) or BalanceRow(
                tenant_id=w.tenant, account_id=w.account.id, ledger=ledger, asset=asset, posted=ZERO, held=ZERO
            )

    async def _pending(self, w: Writing, entry_id: str) -> tuple[EntryRow, Draft]:
        entry = await self._entry(w, entry_id)
        if not entry.pending:
            raise Refused("ENTRY_NOT_PENDING", "This entry is not pending: reverse it to take it back.", "entryId")
        if by := await self._rows.about(w.tx, w.tenant, w.account.id, (entry.id,)):
            done = "voided" if by[0].voids else "posted"
            raise Refused("ENTRY_RESOLVED", f"This entry was {done} by {by[0].id}: once is all.", "entryId")
        return entry, draft_of(entry, await self._lines(w, entry))

    async def _not_moved(self, w: Writing, entry: EntryRow) -> str:
        """Why a pending entry is not what is taken back, and what is."""
        by = await self._rows.about(w.tx, w.tenant, w.account.id, (entry.id,))
        if not by:
            return "This entry is pending and moved nothing: void it."
        if by[0].voids:
            return f"This entry moved nothing, and was voided by {by[0].id}: there is nothing to take back."
        back = await self._rows.about(w.tx, w.tenant, w.account.id, (by[0].id,))
        done = f"reversed by {back[0].id} already" if back else "what can be reversed"
        return f"This entry moved nothing itself: {by[0].id}, by which it was posted, is {done}."

    async def _entry(self, w: Writing, entry_id: str) -> EntryRow:
        entry = await self._rows.find(w.tx, w.tenant, w.account.id, entry_id) if could_be_id(entry_id) else None
        if entry is None:
            told = "The account has no entry with this id: `ledgerEntries(accountId:)` lists them."
            raise Refused("NOT_FOUND", told, "entryId")
        return entry

    async def _lines(self, w: Writing, entry: EntryRow) -> list[Line]:
        return lines_of(await self._rows.lines(w.tx, w.tenant, w.account.id, (entry.id,)))


def lines_of(rows: Iterable[LineRow]) -> list[Line]:
    """Rows as lines."""
    return [Line(ledger=Ledger(row.ledger), asset=row.asset, amount=row.amount) for row in rows]


def by_entry(rows: Iterable[LineRow]) -> dict[str, list[Line]]:
    """Lines by the ids of their entries."""
    found: dict[str, list[LineRow]] = {}
    for row in rows:
        found.setdefault(row.entry_id, []).append(row)
    return {entry: lines_of(each) for entry, each in found.items()}


def draft_of(entry: EntryRow, parts: Sequence[Line]) -> Draft:
    """What an entry was made of."""
    return Draft(
        kind=EntryKind(entry.kind), lines=tuple(parts), memo=entry.memo, order_id=entry.order_id, fill_id=entry.fill_id,
        instrument=entry.instrument,
    )  # fmt: skip


def _holds(parts: Iterable[Line]) -> list[tuple[str, str, Decimal]]:
    return [(Ledger.CASH.value, asset, amount) for asset, amount in outgoing(parts).items()]


def _add(sums: dict[Key, Decimal], amounts: Iterable[tuple[str, str, Decimal]]) -> None:
    for ledger, asset, amount in amounts:
        sums[ledger, asset] = total((sums.get((ledger, asset), ZERO), amount))


def forbids_debt(account: AccountRow) -> bool:
    """Whether its cash never falls below zero. What a broker has booked is a fact, whatever we think of it."""
    return account.margin == MarginType.CASH and account.kind == AccountKind.PAPER


def may_owe(account: AccountRow) -> bool:
    """Whether it may borrow from us, and pays interest for it."""
    return account.margin == MarginType.MARGIN and account.kind == AccountKind.PAPER


def _owes(row: BalanceRow) -> bool:
    return row.ledger == Ledger.CASH and row.posted < 0


def _check_funds(account: AccountRow, before: BalanceRow, after: BalanceRow) -> None:
    """Refused where a cash account would spend what it has not, or what is held; what adds to it is never refused."""
    if after.ledger != Ledger.CASH or not forbids_debt(account):
        return
    there, left = EXACT.subtract(before.posted, before.held), EXACT.subtract(after.posted, after.held)
    if left < 0 and left < there:
        wanted = shown(EXACT.subtract(there, left))
        held = f" ({shown(before.held)} more is held by pending entries)" if before.held else ""
        told = f"{wanted} {after.asset} is more than the {shown(there)} {after.asset} that are there{held}."
        raise Refused("INSUFFICIENT_FUNDS", told)


def _row(
    account: AccountRow, part: _Part, number: int, at: datetime, made_by: str, key: str | None, digest: str | None
) -> EntryRow:
    draft = part.draft
    return EntryRow(
        tenant_id=account.tenant_id, id=new_id("entry"), account_id=account.id, number=number, kind=draft.kind.value,
        pending=part.pending, resolves=part.resolves, voids=part.voids, reverses=part.reverses,
        order_id=draft.order_id, fill_id=draft.fill_id, memo=draft.memo, made_by=made_by, idempotency_key=key,
        request_digest=None if key is None or digest is None else _hashed(digest), at=at, instrument=draft.instrument,
    )  # fmt: skip


def _line_rows(rows: Sequence[EntryRow], parts: Sequence[_Part]) -> list[LineRow]:
    return [
        LineRow(
            tenant_id=row.tenant_id, account_id=row.account_id, entry_id=row.id, number=number,
            ledger=line.ledger.value, asset=line.asset, amount=line.amount,
        )
        for row, part in zip(rows, parts, strict=True)
        for number, line in enumerate(part.draft.lines, 1)
    ]  # fmt: skip


def _hashed(digest: str) -> str:
    return sha256(digest.encode()).hexdigest()
