"""Accounts: made, changed, deleted, halted; who takes part in them. Each change is one transaction and is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from decimal import Decimal
from typing import Any
from zlib import crc32

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit, Organisations
from gateway.core.store import Tx, new_id
from plugins.trading.accounts import rules
from plugins.trading.accounts.access import Access, Gate, known_as, manages, owner_of
from plugins.trading.accounts.rules import Change, Wish
from plugins.trading.accounts.store import AccountStore, MemberStore, PermitStore
from plugins.trading.ledger.book import LedgerBook
from plugins.trading.ledger.drafts import deposit
from plugins.trading.rows import AccountRow, MemberRow
from plugins.trading.writing import Writing, finish, turns_of
from schema.idempotency import check_same, digest_of
from schema.names import could_be_id
from schema.pages import Position
from schema.words.orders import AccountKind, MarginType
from schema.words.problems import Refused

Part = Callable[[AccountRow], Awaitable[None]]
TOPIC = "trading.account.changed"
SHARDS = 16
MOST_ACCOUNTS = 100
MOST_MEMBERS = 100


def shard_of(account_id: str) -> int:
    """An account is worked by one process."""
    return crc32(account_id.encode()) % SHARDS


class AccountDesk:
    """Accounts of an organisation, as far as the caller may see them. *brokers* are those that are connected; *part*
    says whether one at a broker may be deleted as far as the broker goes."""

    def __init__(self, host: Host, brokers: Collection[str] = (), part: Part | None = None) -> None:
        self._host, self._brokers, self._part = host, frozenset(brokers), part
        self._rows, self._members, self._permits, self._gate = AccountStore(), MemberStore(), PermitStore(), Gate()
        self._book = LedgerBook()

    async def page(self, context: Context, limit: int, behind: Position | None) -> list[AccountRow]:
        """Some of those that the caller may see, the oldest first."""
        caller = context.principal
        async with self._host.store.read() as tx:
            return await self._rows.page(
                tx, context.tenant, limit, seen_by=known_as(caller), every=manages(caller), behind=behind
            )

    async def find(self, context: Context, account_id: str) -> AccountRow | None:
        """One that the caller may see."""
        async with self._host.store.read() as tx:
            return await self._gate.find(tx, context, account_id)

    async def members(self, context: Context, account_id: str) -> list[MemberRow]:
        """Who takes part in an account that the caller may see."""
        async with self._host.store.read() as tx:
            return await self._members.of(tx, context.tenant, account_id)

    async def access(self, context: Context, row: AccountRow) -> Access:
        """What the caller may do with an account that it sees."""
        async with self._host.store.read() as tx:
            return await self._gate.access(tx, context, row)

    async def create(self, context: Context, wish: Wish, key: str | None) -> AccountRow:
        """A new one with its first deposit, or what the same key made."""
        digest = digest_of(key, wish)
        row = replace(self._made(context, wish), idempotency_key=key, request_digest=digest)
        async with self._host.store.write() as tx:
            await self._rows.hold(tx, context.tenant)
            if key is not None and (held := await self._rows.with_key(tx, context.tenant, key)) is not None:
                if held.made_by != context.principal.actor:
                    raise Refused("IDEMPOTENCY_MISMATCH", "This idempotencyKey is somebody else's.", "idempotencyKey")
                check_same(held.request_digest, digest)
                if held.deleted_at is not None:
                    told = f"The account {held.id}, which this idempotencyKey has made, was deleted: give another key."
                    raise Refused("IDEMPOTENCY_MISMATCH", told, "idempotencyKey")
                return held
            permit = await self._permits.find(tx, context.tenant)
            rules.check_live(wish, row.name, opted_in=permit is not None and permit.live)
            rules.check_free(row, await self._rows.at_broker(tx, context.tenant, row.broker))
            if await self._rows.count(tx, context.tenant) >= MOST_ACCOUNTS:
                told = f"Your organisation has {MOST_ACCOUNTS} trading accounts: delete one first."
                raise Refused("TOO_MANY_ACCOUNTS", told)
            await self._rows.add(tx, context.tenant, row)
            row = await self._endow(tx, context, row)
            await self._record(tx, context, "tradingaccount.created", row.id, after=_told(row))
            self._tell(tx, row.id)
        return row

    async def update(self, context: Context, account_id: str, change: Change) -> AccountRow:
        """The account after the change."""
        async with self._host.store.write(*turns_of(context.tenant, account_id)) as tx:
            held = await self._gate.lock(tx, context, account_id, Access.MANAGE, "id", version=change.version)
            used = await self._rows.in_use(tx, context.tenant, account_id)
            row = self._next(_changed(held, change, busy=bool(used["positions"] or used["orders"])))
            if row.margin_interest_rate != held.margin_interest_rate and row.charged_at is None:
                # Whether it owes anything is looked at when this day ends.
                row = replace(row, charged_at=row.changed_at.replace(hour=0, minute=0, second=0, microsecond=0))
            await self._rows.change(tx, context.tenant, account_id, row)
            await self._record(
                tx, context, "tradingaccount.updated", account_id, before=_told(held), after=_told(row)
            )  # fmt: skip
            self._tell(tx, account_id)
        return row

    async def delete(self, context: Context, account_id: str) -> str:
        """The id of what shows no more; its ledger stays, for the organisation's export."""
        looked_at = await self._check_parting(context, account_id)
        async with self._host.store.write(*turns_of(context.tenant, account_id)) as tx:
            held = await self._gate.lock(tx, context, account_id, Access.MANAGE, "id")
            refused = rules.not_empty(await self._rows.in_use(tx, context.tenant, account_id))
            if refused is not None:
                raise refused
            if held.broker != rules.SIMULATOR and held.orders != looked_at:
                told = "Orders of the account have ended just now, and its broker was not asked for them: try again."
                raise Refused("ACCOUNT_NOT_EMPTY", told, "id")
            row = self._next(replace(held, deleted_at=self._host.clock.now()))
            await self._rows.change(tx, context.tenant, account_id, row)
            await self._record(tx, context, "tradingaccount.deleted", account_id, before=_told(held))
            self._tell(tx, account_id)
        return account_id

    async def _check_parting(self, context: Context, account_id: str) -> int | None:
        """How many orders the account has had when its broker was asked for those that were given up. Nothing is asked
        of it for whoever may not delete the account, nor while our books refuse it: None then."""
        async with self._host.store.read() as tx:
            row = await self._gate.find(tx, context, account_id)
            if (
                row is None
                or row.broker == rules.SIMULATOR
                or await self._gate.access(tx, context, row) < Access.MANAGE
            ):
                return None
            empty = rules.not_empty(await self._rows.in_use(tx, context.tenant, account_id)) is None
        if not empty:
            return None
        if self._part is not None:
            await self._part(row)
        return row.orders

    async def halt(self, context: Context, account_id: str, reason: str) -> AccountRow:
        """The kill switch of an account: whoever may trade may use it."""
        told = rules.reason_of(reason)
        return await self._switch(context, account_id, Access.TRADE, "tradingaccount.halted", halted=True, reason=told)

    async def resume(self, context: Context, account_id: str) -> AccountRow:
        """Orders are taken again: whoever may change the account says so."""
        return await self._switch(
            context, account_id, Access.MANAGE, "tradingaccount.resumed", halted=False, reason=None
        )

    async def set_member(self, context: Context, account_id: str, member: str, role: str | None) -> list[MemberRow]:
        """Let somebody look or trade, or, without a role, neither; all who take part then."""
        organisations = self._host.service(Organisations)
        async with self._host.store.write(*turns_of(context.tenant, account_id)) as tx:
            held = await self._gate.lock(tx, context, account_id, Access.MANAGE, "accountId")
            known = could_be_id(member)
            before = await self._members.role(tx, context.tenant, account_id, member) if known else None
            if member == held.owner:
                raise Refused("MEMBER_INVALID", "The account is theirs: its owner may do all.", "userId")
            if before is None and not (known and await organisations.includes(tx, context.tenant, member)):
                told = "Nobody of your organisation has this id: `members { nodes { userId } }` lists them."
                raise Refused("MEMBER_INVALID", told, "userId")
            if role is None:
                await self._members.remove(tx, context.tenant, account_id, member)
            else:
                await self._members.set(tx, context.tenant, account_id, member, role)
            found = await self._members.of(tx, context.tenant, account_id)
            if len(found) > MOST_MEMBERS:
                told = f"The account has {MOST_MEMBERS} members: remove one first, or share it with all."
                raise Refused("TOO_MANY_MEMBERS", told)
            await self._record(
                tx, context, "tradingaccount.member_set", account_id, before={"member": member, "role": before},
                after={"member": member, "role": role},
            )  # fmt: skip
            self._tell(tx, account_id)
        return found

    async def _switch(
        self, context: Context, account_id: str, wanted: Access, action: str, *, halted: bool, reason: str | None
    ) -> AccountRow:
        async with self._host.store.write(*turns_of(context.tenant, account_id)) as tx:
            held = await self._gate.lock(tx, context, account_id, wanted, "id")
            row = self._next(replace(held, halted=halted, halt_reason=reason))
            await self._rows.change(tx, context.tenant, account_id, row)
            await self._record(tx, context, action, account_id, after={"reason": reason})
            self._tell(tx, account_id)
        return row

    async def _endow(self, tx: Tx, context: Context, row: AccountRow) -> AccountRow:
        """With its first deposit, which is an entry like all that follow."""
        if not row.initial_balance:
            return row
        w = Writing(tx=tx, account=row)
        first = deposit(row.currency, row.initial_balance, memo="initial balance")
        await self._book.post(w, [first], at=row.created_at, made_by=context.principal.actor)
        await finish(self._host, w)
        return w.account

    def _made(self, context: Context, wish: Wish) -> AccountRow:
        now, id = self._host.clock.now(), new_id("tacc")
        name, currency = rules.name_of(wish.name), rules.currency_of(wish.currency)
        balance = rules.balance_of(wish, currency)
        return AccountRow(
            tenant_id=context.tenant, id=id, made_by=context.principal.actor, owner=owner_of(context.principal),
            name=name, kind=wish.kind.value, broker=rules.broker_of(wish, self._brokers), currency=currency,
            initial_balance=balance, margin=wish.margin.value, leverage=rules.leverage_of(wish.leverage, wish.margin),
            max_daily_loss=rules.loss_of(wish.max_daily_loss), method=wish.method.value, shared=wish.shared,
            model=wish.model.plain(), halted=False, halt_reason=None, day=now.date().isoformat(), day_equity=balance,
            loss_day=None, margin_called=False, shard=shard_of(id), version=1, entries=0, orders=0,
            idempotency_key=None, request_digest=None, created_at=now, changed_at=now, deleted_at=None,
            margin_interest_rate=rules.rate_of(wish.margin_interest_rate, wish.margin, wish.kind),
        )  # fmt: skip

    def _next(self, row: AccountRow) -> AccountRow:
        return replace(row, version=row.version + 1, changed_at=self._host.clock.now())

    def _tell(self, tx: Tx, account_id: str) -> None:
        tx.then(lambda: self._host.bus.publish(TOPIC, {"id": account_id}))

    async def _record(self, tx: Tx, context: Context, action: str, target: str, **told: Any) -> None:
        await self._host.service(Audit).record(tx, context.act(action, target, **told))


def _changed(held: AccountRow, change: Change, *, busy: bool) -> AccountRow:
    margin, leverage = MarginType(held.margin), held.leverage
    if change.leverage is not None:
        leverage = rules.leverage_of(change.leverage, margin)
        if busy and leverage < held.leverage:
            told = "With less leverage what is open would need more margin: close positions and cancel orders first."
            raise Refused("ACCOUNT_NOT_EMPTY", told, "leverage")
    method = held.method if change.method is None else change.method.value
    if busy and method != held.method:
        told = "What is held was reckoned by the other method: close positions and cancel orders first."
        raise Refused("ACCOUNT_NOT_EMPTY", told, "method")
    loss: Decimal | None = held.max_daily_loss
    if change.without_max_daily_loss:
        loss = None
    elif change.max_daily_loss is not None:
        loss = rules.loss_of(change.max_daily_loss)
    interest = held.margin_interest_rate
    if change.margin_interest_rate is not None:
        interest = rules.rate_of(change.margin_interest_rate, margin, AccountKind(held.kind))
    return replace(
        held, name=held.name if change.name is None else rules.name_of(change.name), leverage=leverage,
        margin_interest_rate=interest, method=method, max_daily_loss=loss,
        loss_day=None if _is_wider(loss, held.max_daily_loss) else held.loss_day,
        shared=held.shared if change.shared is None else change.shared,
        model=held.model if change.model is None else change.model.plain(),
        broker_account=None if change.without_broker_account else held.broker_account,
    )  # fmt: skip


def _is_wider(limit: Decimal | None, before: Decimal | None) -> bool:
    """Whether more may be lost than before: what was reached was reached of another limit."""
    return before is not None and (limit is None or limit > before)


def _told(row: AccountRow) -> dict[str, Any]:
    return {
        "name": row.name, "kind": row.kind, "broker": row.broker, "currency": row.currency, "margin": row.margin,
        "leverage": format(row.leverage, "f"), "marginInterestRate": format(row.margin_interest_rate, "f"),
        "method": row.method, "shared": row.shared, "model": row.model, "brokerAccount": row.broker_account,
        "maxDailyLoss": None if row.max_daily_loss is None else format(row.max_daily_loss, "f"),
    }  # fmt: skip
