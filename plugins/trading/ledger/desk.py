"""Money of accounts, as callers move it: in, out, into another currency, between accounts; and what is taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit
from gateway.core.store import Tx
from plugins.trading.accounts.access import Access, Gate, manages
from plugins.trading.accounts.desk import TOPIC
from plugins.trading.accounts.rules import LARGEST, currency_of
from plugins.trading.ledger import drafts
from plugins.trading.ledger.amounts import check_paper, least_given, read_amount, read_memo
from plugins.trading.ledger.book import LedgerBook, draft_of
from plugins.trading.ledger.chart import ZERO, received, shown, times
from plugins.trading.ledger.drafts import Draft, outgoing
from plugins.trading.ledger.room import Moved, Room, check_cash, check_room, flow_of, note_flow, room_of
from plugins.trading.ledger.shown import Shown, shown_of
from plugins.trading.ledger.store import Filter, LedgerStore
from plugins.trading.markets.prices import Prices
from plugins.trading.rows import AccountRow, BalanceRow, EntryRow
from plugins.trading.writing import Writing, finish, turns_of
from schema.idempotency import digest_of
from schema.names import could_be_id
from schema.provenance import CacheStatus, Conversion
from schema.words.orders import EntryKind
from schema.words.problems import Refused

R = TypeVar("R")

ATTEMPTS = 3
"""How often an account that holds something new meanwhile is priced anew."""
FOLLOWED = {"post": "ledgerentry.posted", "void": "ledgerentry.voided", "reverse": "ledgerentry.reversed"}
REVERSIBLE = frozenset({EntryKind.DEPOSIT, EntryKind.WITHDRAWAL, EntryKind.ADJUSTMENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """An entry, and the rate that it was made at: None where a key had made it before."""

    entry: Shown
    rate: Conversion | None


class LedgerDesk:
    """Whoever may trade with an account may move its money, as long as it is play money."""

    def __init__(self, host: Host) -> None:
        self._host, self._book, self._rows, self._gate = host, LedgerBook(), LedgerStore(), Gate()

    async def page(
        self, context: Context, account_id: str, wanted: Filter, size: int, before: int | None
    ) -> list[Shown]:  # fmt: skip
        """Entries of an account that the caller may see, the newest first; BadInput for any other."""
        async with self._host.store.read() as tx:
            await self._gate.seen(tx, context, account_id, "accountId")
            rows = await self._rows.page(tx, context.tenant, account_id, wanted, before, size)
            return await shown_of(tx, context.tenant, account_id, rows)

    async def balances(self, context: Context, account_id: str, at: datetime | None) -> list[BalanceRow]:
        """As they stand, or stood; BadInput for an account that the caller may not see."""
        async with self._host.store.read() as tx:
            await self._gate.seen(tx, context, account_id, "accountId")
            return await self._book.balances(tx, context.tenant, account_id, at)

    async def deposit(
        self, context: Context, account_id: str, currency: str, amount: Decimal, memo: str | None, key: str | None
    ) -> Shown:
        """Money in."""
        code = currency_of(currency)
        draft = drafts.deposit(code, read_amount(amount, code), memo=read_memo(memo))
        return await self._move(context, account_id, draft, key=key)

    async def withdraw(
        self,
        context: Context,
        account_id: str,
        currency: str,
        amount: Decimal,
        memo: str | None,
        key: str | None,
        *,
        pending: bool,
    ) -> Shown:
        """Money out, at once or once it is posted."""
        code = currency_of(currency)
        draft = drafts.withdrawal(code, read_amount(amount, code), memo=read_memo(memo))
        return await self._move(context, account_id, draft, key=key, pending=pending)

    async def adjust(
        self, context: Context, account_id: str, currency: str, amount: Decimal, reason: str, key: str | None
    ) -> Shown:
        """A correction: in above zero, out below; by the organisation's owners and admins in person."""
        code = currency_of(currency)
        if not 0 < abs(amount) <= LARGEST:
            raise Refused("AMOUNT_INVALID", f"amount must not be 0, and at most {LARGEST:,} either way.", "amount")
        size, memo = read_amount(abs(amount), code), read_memo(reason, "reason")
        if memo is None:
            raise Refused("MEMO_INVALID", "The reason is empty: give 1 to 300 characters.", "reason")
        await self._look(context, account_id)
        _check_corrects(context)
        draft = drafts.adjustment(code, size if amount > 0 else -size, memo=memo)
        return await self._move(context, account_id, draft, key=key)

    async def convert(
        self, context: Context, account_id: str, source: str, amount: Decimal, target: str, memo: str | None,
        key: str | None,
    ) -> Converted:  # fmt: skip
        """So much of one currency into another, at the rate of now."""
        give, take = currency_of(source, "from"), currency_of(target, "to")
        if give == take:
            raise Refused("CURRENCY_INVALID", f"{give} into {take} changes nothing: give two currencies.", "to")
        wish = (give, read_amount(amount, give), take, note := read_memo(memo))
        digest = digest_of(key, ("convert", *wish))
        row = await self._look(context, account_id)
        if held := await self._repeated(row, key, digest):
            return Converted(entry=held, rate=None)
        rate = await Prices.of(context).rate(give, take, "to")
        if context.cache_status(rate.provenance) is CacheStatus.STALE:
            raise Refused("STALE_PRICE", f"The newest rate from {give} to {take} is old: try again.", "to")
        got = received(times(wish[1], rate.rate), take)
        if not got:
            least = shown(least_given(rate.rate, give, take))
            told = f"It is worth less than the least amount of {take}: at least {least} {give} would pass."
            raise Refused("AMOUNT_INVALID", told, "amount")
        draft = drafts.conversion(give, wish[1], take, got, memo=_told_rate(rate, note))
        async with self._opened(context, account_id) as w:
            at = self._host.clock.now()
            if key is None or not await self._book.repeated(w.tx, w.account, key, str(digest)):
                await check_cash(w, give, wish[1])
            rows = await self._book.post(w, [draft], at=at, made_by=context.principal.actor, key=key, digest=digest)
            fresh = w.touched
            entry = await self._told(context, w, rows[0], "ledgerentry.booked")
        return Converted(entry=entry, rate=rate if fresh else None)

    async def transfer(
        self, context: Context, source: str, target: str, currency: str, amount: Decimal, memo: str | None,
        key: str | None,
    ) -> tuple[Shown, Shown]:  # fmt: skip
        """From one account of the organisation to another; both or neither."""
        code = currency_of(currency)
        wanted, note = read_amount(amount, code), read_memo(memo)
        if source == target:
            raise Refused("TRANSFER_INVALID", "The money is in this account already: give two accounts.", "toAccountId")
        digest = digest_of(key, ("transfer", source, target, code, wanted, note))
        out, _ = drafts.transfer(code, wanted, memo=note or f"to {target}")
        _, into = drafts.transfer(code, wanted, memo=note or f"from {source}")

        async def attempt() -> tuple[Shown, Shown]:
            rows = {each: await self._look(context, each, field) for each, field in sides.items()}
            rooms = {each: await room_of(context, row, (code,), leaves=each == source) for each, row in rows.items()}
            async with self._both(context, sides) as locked:
                told = []
                for each, draft, mine in ((source, out, key), (target, into, key)):
                    leaving = {code: wanted} if each == source else {}
                    told.append(await self._put(context, locked[each], rooms[each], draft, leaving, mine, digest))
            return told[0], told[1]

        sides = {source: "fromAccountId", target: "toAccountId"}
        return await _settled(attempt)

    async def post(self, context: Context, account_id: str, entry_id: str, key: str | None) -> Shown:
        """Let a pending entry count."""
        return await self._follow(context, account_id, entry_id, key, "post")

    async def void(self, context: Context, account_id: str, entry_id: str, key: str | None) -> Shown:
        """Give a pending entry up."""
        return await self._follow(context, account_id, entry_id, key, "void")

    async def reverse(
        self, context: Context, account_id: str, entry_id: str, memo: str | None, key: str | None
    ) -> Shown:
        """Take back what was booked by hand; what orders booked is taken back by other orders."""
        return await self._follow(context, account_id, entry_id, key, "reverse", read_memo(memo))

    async def _move(
        self, context: Context, account_id: str, draft: Draft, *, key: str | None, pending: bool = False
    ) -> Shown:
        digest = digest_of(key, (draft, pending))
        leaving = outgoing(draft.lines)

        async def attempt() -> Shown:
            row = await self._look(context, account_id)
            room = await room_of(context, row, flow_of(draft), leaves=bool(leaving))
            async with self._opened(context, account_id) as w:
                return await self._put(context, w, room, draft, leaving, key, digest, pending=pending)

        return await _settled(attempt)

    async def _put(
        self, context: Context, w: Writing, room: Room, draft: Draft, leaving: Mapping[str, Decimal],
        key: str | None, digest: str | None, *, pending: bool = False,
    ) -> Shown:  # fmt: skip
        """Book it, unless its key did before."""
        check_paper(w.account)
        at, by = self._host.clock.now(), context.principal.actor
        if key is not None and (again := await self._book.repeated(w.tx, w.account, key, str(digest))):
            return (await shown_of(w.tx, w.tenant, w.account.id, again))[0]
        if leaving:
            await check_room(context, w, room, leaving)
        if pending:
            row = await self._book.pend(w, draft, at=at, made_by=by, key=key, digest=digest)
        else:
            row = (await self._book.post(w, [draft], at=at, made_by=by, key=key, digest=digest))[0]
            note_flow(w, flow_of(draft), room, at)
        return await self._told(context, w, row, "ledgerentry.pended" if pending else "ledgerentry.booked")

    async def _follow(
        self, context: Context, account_id: str, entry_id: str, key: str | None, deed: str, memo: str | None = None
    ) -> Shown:
        """Post, void or reverse an entry."""
        digest_of(key, deed)  # refuses what is no key

        async def attempt() -> Shown:
            row = await self._look(context, account_id)
            made = await self._made(context, row, entry_id, deed)
            room = await room_of(context, row, flow_of(made), leaves=bool(outgoing(made.lines)))
            async with self._opened(context, account_id) as w:
                check_paper(w.account)
                if not await self._is_settled(w, entry_id, key):
                    await _check_follow(context, w, room, made, deed)
                at, by = self._host.clock.now(), context.principal.actor
                if deed == "void":
                    entry = await self._book.void(w, entry_id, at=at, made_by=by, key=key)
                elif deed == "post":
                    entry = await self._book.post_pending(w, entry_id, at=at, made_by=by, key=key)
                else:
                    entry = await self._book.reverse(w, entry_id, at=at, made_by=by, memo=memo, key=key)
                if w.touched:
                    note_flow(w, flow_of(made), room, at)
                return await self._told(context, w, entry, FOLLOWED[deed])

        return await _settled(attempt)

    async def _is_settled(self, w: Writing, entry_id: str, key: str | None) -> bool:
        """Whether the book answers without moving anything: what the key made before, or that another one was first."""
        if key is not None and await self._rows.keyed(w.tx, w.tenant, w.account.id, key) is not None:
            return True
        return could_be_id(entry_id) and bool(await self._rows.about(w.tx, w.tenant, w.account.id, (entry_id,)))

    async def _made(self, context: Context, account: AccountRow, entry_id: str, deed: str) -> Draft:
        """What will be booked; nothing where the book refuses it under the lock."""
        async with self._host.store.read() as tx:
            row = await self._rows.find(tx, account.tenant_id, account.id, entry_id) if could_be_id(entry_id) else None
            found = [] if row is None else await shown_of(tx, account.tenant_id, account.id, [row])
        if row is None or not found[0].lines or found[0].followed is not None or deed == "void":
            return Draft(kind=EntryKind.ADJUSTMENT, lines=())
        draft = draft_of(row, found[0].lines)
        if deed == "reverse":
            _check_reversible(draft)
            if draft.kind is EntryKind.ADJUSTMENT:
                _check_corrects(context)
            return drafts.reversal(draft)
        return draft

    async def _look(self, context: Context, account_id: str, field: str = "accountId") -> AccountRow:
        async with self._host.store.read() as tx:
            row = await self._gate.tradable(tx, context, account_id, field)
        check_paper(row)
        return row

    async def _repeated(self, account: AccountRow, key: str | None, digest: str | None) -> Shown | None:
        if key is None:
            return None
        async with self._host.store.read() as tx:
            held = await self._book.repeated(tx, account, key, str(digest))
            return (await shown_of(tx, account.tenant_id, account.id, held))[0] if held else None

    @asynccontextmanager
    async def _opened(self, context: Context, account_id: str) -> AsyncIterator[Writing]:
        async with self._both(context, {account_id: "accountId"}) as locked:
            yield locked[account_id]

    @asynccontextmanager
    async def _both(self, context: Context, sides: Mapping[str, str]) -> AsyncIterator[dict[str, Writing]]:
        """Accounts that the caller may trade with, locked in the order of their ids; *sides* names their fields."""
        async with self._host.store.write(*turns_of(context.tenant, *sides)) as tx:
            locked = {
                each: Writing(tx=tx, account=await self._gate.lock(tx, context, each, Access.TRADE, sides[each]))
                for each in sorted(sides)
            }
            yield locked
            for w in locked.values():
                await finish(self._host, w)

    async def _told(self, context: Context, w: Writing, row: EntryRow, action: str) -> Shown:
        """As it is shown; recorded in the trail, and told to who listens, where it is new."""
        (found,) = await shown_of(w.tx, w.tenant, w.account.id, [row])
        if w.touched:
            lines = [f"{line.ledger.value} {shown(line.amount)} {line.asset}" for line in found.lines]
            after = {"account": w.account.id, "kind": row.kind, "lines": lines, "memo": row.memo}
            await self._host.service(Audit).record(w.tx, context.act(action, row.id, after=after))
            self._tell(w.tx, w.account.id)
        return found

    def _tell(self, tx: Tx, account_id: str) -> None:
        tx.then(lambda: self._host.bus.publish(TOPIC, {"id": account_id}))


async def _check_follow(context: Context, w: Writing, room: Room, made: Draft, deed: str) -> None:
    """What a pending entry takes is held for it already; a margin account must have the room for it still."""
    leaving = outgoing(made.lines)
    if leaving:
        await check_room(context, w, room, dict.fromkeys(leaving, ZERO) if deed == "post" else leaving)


async def _settled(attempt: Callable[[], Awaitable[R]]) -> R:
    """Again where the account holds something new meanwhile."""
    for _ in range(ATTEMPTS):
        try:
            return await attempt()
        except Moved:
            continue
    raise Refused("NO_PRICE", "The account buys faster than what it holds can be priced: try again.")


def _check_corrects(context: Context) -> None:
    """Whoever makes a correction, or takes one back."""
    if not manages(context.principal):
        told = "A correction is made, and taken back, by an owner or admin of the organisation, signed in."
        raise Refused("NOT_ALLOWED", told, "accountId")


def _check_reversible(draft: Draft) -> None:
    """What orders booked is not taken back by hand: position and money would part."""
    if draft.fill_id is not None or draft.order_id is not None or draft.kind in (
        EntryKind.TRADE_PNL, EntryKind.COMMISSION, EntryKind.FUNDING,
    ):  # fmt: skip
        told = "Orders and positions booked this entry: close the position, or trade the other way."
        raise Refused("ENTRY_NOT_REVERSIBLE", told, "entryId")
    if draft.kind is EntryKind.INTEREST:
        told = "Interest is owed for a day: an owner or admin corrects it with `accountAdjust`."
        raise Refused("ENTRY_NOT_REVERSIBLE", told, "entryId")
    if draft.kind not in REVERSIBLE:
        told = "A transfer or a conversion has another side: transfer or convert back."
        raise Refused("ENTRY_NOT_REVERSIBLE", told, "entryId")


def _told_rate(rate: Conversion, note: str | None) -> str:
    """The rate and where it is from, for whoever reads the entry later."""
    made = rate.provenance
    at = made.as_of or made.fetched_at
    text = f"1 {rate.from_currency} = {shown(rate.rate)} {rate.to_currency} by {made.provider} ({made.mode.value})"
    return "; ".join(part for part in (note, f"{text} as of {at:%Y-%m-%dT%H:%M:%SZ}") if part)
