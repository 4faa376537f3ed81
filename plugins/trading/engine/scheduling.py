"""Orders of schedules that are due: one, and then the next regular time; what was missed is not made up for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from gateway.core.contract import Context, Host
from gateway.core.matching.model import Step
from gateway.core.ports import Act, Audit, Organisations
from gateway.core.store import Tx
from plugins.trading.accounts.access import may_trade
from plugins.trading.accounts.store import AccountStore, MemberStore
from plugins.trading.ledger.book import Unbooked
from plugins.trading.markets.opening import Shut, timed
from plugins.trading.orders.affording import UNVALUED
from plugins.trading.orders.books import SYSTEM
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.ground import Ground, ground_of, with_news
from plugins.trading.orders.knowing import is_priced
from plugins.trading.orders.offers import OfferBook
from plugins.trading.orders.placing import Place, place
from plugins.trading.orders.store import OrderStore
from plugins.trading.positions.store import PositionStore
from plugins.trading.rows import AccountRow, ScheduleRow
from plugins.trading.schedules.desk import order_of
from plugins.trading.schedules.store import ScheduleDirectory, ScheduleStore
from plugins.trading.schedules.times import OrderScheduleEvery, last_time, next_time
from plugins.trading.writing import writing
from schema.errors import MarketgateError
from schema.scalars import datetime_text
from schema.symbols import parse_instrument
from schema.words.problems import Refused

PERSON = "user_"
"""What ids of people begin with."""
NOT_ALLOWED = {
    True: "NOT_ALLOWED: whoever made it may not trade with the account any more.",
    False: "NOT_ALLOWED: the key that made it has ended, or may not trade with the account any more.",
}
"""By whether a person has made it."""
AT_ONCE, A_TENANT = 50, 25
"""Schedules that are begun with in one look, of all and of one organisation; more of one than that wait for its own."""
FAULT = "INTERNAL: it could not be placed, for a fault of ours: it is tried again at `nextAt`."
MISSED = "INTERNAL: its last order could not be placed before `endAt`, for a fault of ours."
LATE = "MISSED: its order was due at {}, and nobody came to it before `endAt`: make one with a later end."
SOONEST, LATEST = timedelta(seconds=5), timedelta(hours=1)
"""When what has failed is tried again: after as long as it is late by now, within these."""

LOG = structlog.get_logger(__name__)


class Scheduler:
    """The order and the schedule's next time stand in one transaction: none is placed twice."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._due, self._rows = ScheduleDirectory(), ScheduleStore()

    async def due(self, shards: Collection[int], placing: Mapping[str, str]) -> list[ScheduleRow]:
        """Of the parts that are worked here, beside those that are being placed, whose organisations are told."""
        full = {tenant for tenant, count in Counter(placing.values()).items() if count >= A_TENANT}
        closed = self._host.service(Organisations).closed_ids()
        async with self._host.store.read() as tx:
            return await self._due.due(
                tx, shards, self._host.clock.now(), AT_ONCE, each=A_TENANT, closed=closed, full=full,
                beside=placing.keys(),
            )  # fmt: skip

    async def place(self, row: ScheduleRow, context: Callable[[], Context]) -> None:
        """Place what is due, or note why it was refused."""
        made = context()
        try:
            ground: Ground | Refused = await self._ground(row, made)
        except Refused as refused:
            ground = refused
        except MarketgateError as error:
            ground = Refused("NO_PRICE", error.message)
        try:
            await self._place(row, made, ground)
        except Shut as shut:
            # When it opens is not asked for while the account is locked.
            told = await timed(made, shut, ground.model) if isinstance(ground, Ground) else shut
            await self._place(row, made, told)
        except Unbooked as error:
            LOG.exception("trading_schedule_unbooked", schedule=row.id)
            await self._place(row, made, Refused("INSUFFICIENT_FUNDS", f"{error}"))

    async def put_off(self, row: ScheduleRow) -> None:
        """Of one that has failed for no reason of its own: told, and due again the later the longer it fails, at the
        latest when it is to end."""
        async with self._host.store.write() as tx:
            await AccountStore().lock(tx, row.tenant_id, row.account_id)
            now, held = self._host.clock.now(), await self._rows.find(tx, row.tenant_id, row.id)
            if held is None or not held.active or held.next_at != row.next_at:
                return
            await self._rows.change(tx, row.tenant_id, _again(replace(held, problem=FAULT), now))

    async def _place(self, row: ScheduleRow, context: Context, ground: Ground | Refused) -> None:
        with self._host.service(OfferBook).taking(row.account_id) as taken:
            await self._placed(row, context, ground, taken)

    async def _placed(
        self, row: ScheduleRow, context: Context, ground: Ground | Refused, taken: list[Step]
    ) -> None:  # fmt: skip
        async with writing(self._host, row.tenant_id, row.account_id) as w:
            now = self._host.clock.now()
            held = await self._rows.find(w.tx, row.tenant_id, row.id)
            if held is None or not held.active or held.next_at is None or held.next_at > now:
                return
            if held.end_at is not None and now > held.end_at:
                problem = held.problem or LATE.format(datetime_text(held.next_at))
                await self._rows.change(w.tx, row.tenant_id, _next(replace(held, problem=problem), now))
                return
            if not await self._may(w.tx, w.account, held.made_by):
                await self._end(w.tx, held, now)
                return
            floor = await Floor.opened(self._host, w)
            floor.offers, floor.taken = self._host.service(OfferBook).of(row.account_id), taken
            if isinstance(ground, Ground):
                ground = with_news(context, ground)
            if isinstance(ground, Ground) and not is_priced(floor, ground.marks):
                # It stays due, and what the account holds by now is asked for with the next look.
                return
            try:
                if isinstance(ground, Refused):
                    raise ground
                wish = replace(order_of(held), client_order_id=await self._client_id(w.tx, held))
                (order,) = place(floor, ground, wish, Place(made_by=held.made_by, halted=floor.halted))
            except Shut:
                raise
            except Refused as refused:
                told = replace(held, problem=f"{refused.code}: {refused.message}")
                # A price that is missing, or old, is a fault of the moment.
                after = _again(told, now) if refused.code in UNVALUED else _next(told, now)
            else:
                after = _next(replace(held, placed=held.placed + 1, problem=None, last_order_id=order.id), now)
                await floor.write()
            await self._rows.change(w.tx, row.tenant_id, after)

    async def _may(self, tx: Tx, account: AccountRow, who: str) -> bool:
        """Whether the person or the key that made a schedule may trade with the account still."""
        maker = await self._host.service(Organisations).acting(tx, account.tenant_id, who)
        if maker is None:
            return False
        role = None
        if maker.user is not None:
            role = await MemberStore().role(tx, account.tenant_id, account.id, maker.user)
        return may_trade(maker, account, role)

    async def _end(self, tx: Tx, row: ScheduleRow, now: datetime) -> None:
        told = NOT_ALLOWED[row.made_by.startswith(PERSON)]
        await self._rows.change(
            tx, row.tenant_id, replace(row, active=False, next_at=None, problem=told, changed_at=now)
        )  # fmt: skip
        act = Act(
            tenant=row.tenant_id, action="order_schedule.ended", actor=SYSTEM, actor_kind="system",
            target=row.id, after={"account": row.account_id, "problem": told},
        )  # fmt: skip
        await self._host.service(Audit).record(tx, act)

    async def _client_id(self, tx: Tx, row: ScheduleRow) -> str | None:
        """The schedule's id and a number."""
        wanted = f"{row.id}:{row.placed + 1}"
        return None if await OrderStore().has_client_id(tx, row.tenant_id, row.account_id, wanted) else wanted

    async def _ground(self, row: ScheduleRow, context: Context) -> Ground:
        async with self._host.store.read() as tx:
            account = await AccountStore().find(tx, row.tenant_id, row.account_id)
            held = await PositionStore().of(tx, row.tenant_id, row.account_id)
            cash = await PositionStore().cash(tx, row.tenant_id, row.account_id)
            reserved = await PositionStore().reserved(tx, row.tenant_id, row.account_id)
        if account is None:
            raise Refused("NOT_FOUND", "The account is gone.")
        return await ground_of(
            context, account, parse_instrument(row.instrument), "symbol", held={each.instrument for each in held},
            currencies={each.asset for each in cash} | {*reserved}, since=context.host.clock.now(),
        )  # fmt: skip


def _again(row: ScheduleRow, now: datetime) -> ScheduleRow:
    """With the time at which what has failed is tried again: at the latest its next regular one, or when it ends."""
    every = OrderScheduleEvery(row.every)
    late = now - last_time(row.start_at, every, now)
    again = min(now + min(max(late, SOONEST), LATEST), next_time(row.start_at, every, now))
    if row.end_at is not None:
        again = min(again, max(row.end_at, now + SOONEST))
    return replace(row, next_at=again, changed_at=now)


def _next(row: ScheduleRow, now: datetime) -> ScheduleRow:
    """With its next regular time, or ended."""
    at = next_time(row.start_at, OrderScheduleEvery(row.every), now)
    done = (row.most is not None and row.placed >= row.most) or (row.end_at is not None and at > row.end_at)
    problem = MISSED if done and row.problem == FAULT else row.problem
    return replace(row, next_at=None if done else at, active=not done, problem=problem, changed_at=now)
