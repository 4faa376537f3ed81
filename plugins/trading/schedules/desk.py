"""What callers do with schedules; the engine places what is due."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from gateway.core.contract import Context, Host
from gateway.core.matching.rules import Rule
from gateway.core.ports import Audit
from gateway.core.store import Tx, new_id
from plugins.trading.accounts.access import Access, Gate, known_as, owner_of
from plugins.trading.markets.prices import Prices
from plugins.trading.orders.checks import check_kind, side_price
from plugins.trading.orders.forms import check_form
from plugins.trading.orders.ground import ground_of
from plugins.trading.orders.wishes import LONGEST_STRATEGY, Wish
from plugins.trading.rows import AccountRow, ScheduleRow
from plugins.trading.schedules.store import ScheduleStore
from plugins.trading.schedules.times import OrderScheduleEvery, next_time
from plugins.trading.writing import turns_of
from schema.idempotency import check_same, digest_of
from schema.names import could_be_id
from schema.pages import Position
from schema.scalars import datetime_text
from schema.symbols import InstrumentId
from schema.words.orders import AccountKind, MarginType, OrderCause, OrderType
from schema.words.problems import Refused
from schema.words.trades import Side

MOST_SCHEDULES = 100
"""Of an account."""
MOST_ORDERS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleWish:
    """What is to be placed, and when."""

    symbol: str
    side: Side
    every: OrderScheduleEvery
    quantity: Decimal | None = None
    notional: Decimal | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    most: int | None = None
    strategy: str | None = None


class ScheduleDesk:
    """Schedules of paper accounts: whoever may trade with the account may make and end them."""

    def __init__(self, host: Host) -> None:
        self._host, self._gate, self._rows = host, Gate(), ScheduleStore()

    async def page(
        self, context: Context, account_id: str, limit: int, *, active: bool | None, behind: Position | None
    ) -> list[ScheduleRow] | None:
        """Some of an account's, the newest first; None where the caller has no such account."""
        async with self._host.store.read() as tx:
            if await self._gate.find(tx, context, account_id) is None:
                return None
            return await self._rows.page(tx, context.tenant, account_id, limit, active=active, behind=behind)

    async def create(self, context: Context, account_id: str, wish: ScheduleWish, key: str | None) -> ScheduleRow:
        """A new one, or what the same key made."""
        digest, now = digest_of(key, (account_id, wish)), self._host.clock.now()
        if key is not None:
            async with self._host.store.glance() as tx:
                await self._gate.tradable(tx, context, account_id, "accountId")
                if (held := await self._made_before(tx, context, key, digest)) is not None:
                    return held
        check(wish, now)
        instrument = await self._check_order(context, account_id, wish, now)
        async with self._host.store.write(*turns_of(context.tenant, account_id)) as tx:
            account = await self._gate.lock(tx, context, account_id, Access.TRADE, "accountId")
            if (held := await self._made_before(tx, context, key, digest)) is not None:
                return held
            if account.kind != AccountKind.PAPER:
                raise Refused("SCHEDULE_INVALID", "Schedules are for PAPER accounts.", "accountId")
            if await self._rows.count(tx, context.tenant, account_id) >= MOST_SCHEDULES:
                told = f"The account has {MOST_SCHEDULES} schedules: cancel one first."
                raise Refused("TOO_MANY_SCHEDULES", told, "accountId")
            row = _made(context, account, str(instrument), wish, now)
            row = replace(row, idempotency_key=key, request_digest=digest)
            await self._rows.add(tx, context.tenant, row)
            told_of = {"account": account_id, "symbol": row.instrument, "side": row.side, "every": row.every}
            act = context.act("order_schedule.created", row.id, after=told_of)
            await self._host.service(Audit).record(tx, act)
        return row

    async def _made_before(self, tx: Tx, context: Context, key: str | None, digest: str | None) -> ScheduleRow | None:
        """What the same key made, whatever has become of it; Refused where it came with other input, or by others."""
        held = None if key is None else await self._rows.with_key(tx, context.tenant, key)
        if held is None:
            return None
        if held.made_by not in known_as(context.principal):
            raise Refused("IDEMPOTENCY_MISMATCH", "This idempotencyKey is somebody else's.", "idempotencyKey")
        check_same(held.request_digest, digest)
        return held

    async def _check_order(self, context: Context, account_id: str, wish: ScheduleWish, now: datetime) -> InstrumentId:
        """What it is for; Refused where no such order could be placed, whatever the market does until then."""
        async with self._host.store.read() as tx:
            account = await self._gate.look(tx, context, account_id, "accountId")
        instrument = await Prices.of(context).find(wish.symbol, "symbol")
        ground = await ground_of(context, account, instrument, "symbol")
        check_kind(ground.spec, (), lends=account.margin == MarginType.MARGIN)
        tick = ground.priced.tick if ground.priced else None
        order = order_of(_made(context, account, str(instrument), wish, now))
        try:
            check_form(order, ground.spec, now=now, price=side_price(tick, wish.side) if tick else None)
        except Refused as refused:
            if refused.code != Rule.ORDER_INVALID:
                raise
            raise Refused("SCHEDULE_INVALID", refused.message, *refused.field) from None
        return instrument

    async def cancel(self, context: Context, schedule_id: str) -> ScheduleRow:
        """It places no more; what it has placed stays. Cancelling it again changes nothing."""
        now = self._host.clock.now()
        async with self._host.store.write() as tx:
            known = await self._rows.find(tx, context.tenant, schedule_id) if could_be_id(schedule_id) else None
            if known is None or await self._gate.find(tx, context, known.account_id) is None:
                told = "You have no schedule with this id: `orderSchedules(accountId:)` lists those of an account."
                raise Refused("NOT_FOUND", told, "scheduleId")
            await self._gate.lock(tx, context, known.account_id, Access.TRADE, "scheduleId")
            row = await self._rows.find(tx, context.tenant, schedule_id) or known
            if not row.active:
                return row
            row = replace(row, active=False, next_at=None, changed_at=now)
            await self._rows.change(tx, context.tenant, row)
            await self._host.service(Audit).record(tx, context.act("order_schedule.canceled", row.id))
        return row


def order_of(row: ScheduleRow) -> Wish:
    """What it places each time."""
    return Wish(
        symbol=row.instrument, side=Side(row.side), type=OrderType.MARKET, quantity=row.quantity,
        notional=row.notional, strategy=row.strategy, cause=OrderCause.SCHEDULE,
    )  # fmt: skip


def check(wish: ScheduleWish, now: datetime) -> None:
    """Refused, with the field and the way out, where it contradicts itself."""
    if (wish.quantity is None) == (wish.notional is None):
        raise _wrong("Give either quantity or notional.", "quantity")
    for name, amount in (("quantity", wish.quantity), ("notional", wish.notional)):
        if amount is not None and not (amount.is_finite() and amount > 0):
            raise _wrong(f"{name} must be above 0.", name)
    if wish.most is not None and not 1 <= wish.most <= MOST_ORDERS:
        raise _wrong(f"most must be 1 to {MOST_ORDERS}.", "most")
    strategy = wish.strategy
    if strategy is not None and not (
        0 < len(strategy) <= LONGEST_STRATEGY and strategy.isascii() and strategy.isprintable()
    ):
        raise _wrong(f"strategy must be 1 to {LONGEST_STRATEGY} printable ASCII characters.", "strategy")
    if wish.end_at is not None and wish.end_at < (first := _first(wish, now)):
        raise _wrong(f"endAt lies before the first order, which is due at {datetime_text(first)}.", "endAt")


def _first(wish: ScheduleWish, now: datetime) -> datetime:
    start = wish.start_at or now
    return start if start >= now else next_time(start, wish.every, now)


def _made(context: Context, account: AccountRow, instrument: str, wish: ScheduleWish, now: datetime) -> ScheduleRow:
    return ScheduleRow(
        tenant_id=account.tenant_id, id=new_id("sched"), account_id=account.id, made_by=owner_of(context.principal),
        instrument=instrument, side=wish.side.value, quantity=wish.quantity, notional=wish.notional,
        every=wish.every.value, start_at=wish.start_at or now, next_at=_first(wish, now), end_at=wish.end_at,
        most=wish.most, placed=0, strategy=wish.strategy, active=True, problem=None, last_order_id=None,
        shard=account.shard, idempotency_key=None, request_digest=None, created_at=now, changed_at=now,
    )  # fmt: skip


def _wrong(message: str, *field: str) -> Refused:
    return Refused("SCHEDULE_INVALID", message, *field)
