"""Our books and the brokers' are the same, or it is told where they are not: looked at again and again.

Every few seconds open orders are compared with the broker's; when a process starts, after a broker was out of reach,
and every few minutes also what it holds. Nothing here sends an order.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from typing import Any

import structlog

from gateway.core.contract import Host
from gateway.core.matching.lifecycle import TERMINAL
from plugins.trading.brokers.catalog import Brokers
from plugins.trading.brokers.course import ZERO, reference, references, root_id
from plugins.trading.brokers.desk import LiveDesk
from plugins.trading.brokers.holding import Keeper
from plugins.trading.brokers.port import (
    AnswerUnreadable,
    AskedTooOften,
    Broker,
    BrokerBusy,
    BrokerRefused,
    BrokerTrouble,
    KeyRefused,
    OutcomeUnknown,
    PastUnknown,
    Report,
)
from plugins.trading.brokers.rounds import AT_ONCE, Round, Seen
from plugins.trading.brokers.settling import GRACE, LOST, UNREACHED, UNSENT, Settler
from plugins.trading.brokers.store import LiveDirectory
from plugins.trading.orders.store import OrderDirectory
from plugins.trading.rows import AccountRow, OrderRow
from schema.words.orders import OrderStatus

EVERY_S = 5.0
WHOLE_S = 300.0
KEY_REST_S = 60.0
MISSES = 12
"""So many looks in a row find no such order before it is given up."""
UNLISTED_S = 3600.0
"""For so long at least, where the broker refuses to tell of it."""
GIVEN_UP, GIVEN_UP_FOR, GIVEN_UP_MOST = frozenset({LOST, UNSENT, UNREACHED}), timedelta(days=1), 20
"""Orders that ended so are asked for so long, and no more of an account at once: the others in turn."""
FEW = 3
"""So many orders are asked for one by one; of more, the list of all is cheaper."""

SECONDS = re.compile(r"[0-9.]+ s\b")
"""How long a trouble lasts is told in it, and changes from look to look."""

LOG = structlog.get_logger(__name__)


class Reconciler:
    """One a process. Two that look at the same time settle the same."""

    def __init__(self, host: Host) -> None:
        self._host, self._settler, self._directory = host, Settler(host), LiveDirectory()
        self._desk, self._keeper = LiveDesk(host), Keeper(host)
        self._rounds: dict[str, Round] = {}

    async def look(self, *only: str) -> None:
        """Once over all accounts, or those at some brokers; the trouble of one is not another's, nor is a broker's."""
        brokers = self._host.service(Brokers)
        wanted = brokers.ids.intersection(only or brokers.ids)
        if not wanted:
            return
        async with self._host.store.read() as tx:
            accounts = await self._directory.accounts(tx)
            rows = await self._directory.open(tx)
        open_ = {id: list(each) for id, each in groupby(rows, key=lambda row: row.account_id)}
        rounds = [
            self._broker(brokers, id, [account for account in accounts if account.broker == id], open_)
            for id in sorted(wanted)
        ]
        for outcome in await asyncio.gather(*rounds, return_exceptions=True):
            if outcome is not None:
                raise outcome

    async def _broker(
        self, brokers: Brokers, id: str, accounts: Sequence[AccountRow], open_: Mapping[str, list[OrderRow]]
    ) -> None:  # fmt: skip
        """Its accounts, some together; where it is out of reach a few find that out, and the others rest."""
        round = self._rounds.setdefault(id, Round())
        round.seen = {account.id: round.seen.get(account.id, Seen()) for account in accounts}
        round.tried = {account.id: round.tried.get(account.id, 0.0) for account in accounts}
        round.begin()

        async def one(account: AccountRow) -> None:
            async with round.room:
                if round.down:
                    # What happens at the broker meanwhile is seen by nobody.
                    round.seen[account.id].whole_at = None
                else:
                    await self._account(brokers, account, open_.get(account.id, []), round)

        turns = sorted(accounts, key=round.turn)
        # Beside many others, each of which needs little, those that need more would be cut short again and again.
        first = [each for each in turns if round.seen[each.id].cut][:AT_ONCE]
        outcomes: list[BaseException | None] = []
        for some in (first, [each for each in turns if each not in first]):
            outcomes += await asyncio.gather(*map(one, some), return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def _account(self, brokers: Brokers, account: AccountRow, rows: list[OrderRow], round: Round) -> None:
        seen, now = round.seen[account.id], self._host.clock.monotonic()
        whole = seen.whole_at is None or now - seen.whole_at >= WHOLE_S
        if (not rows and not whole) or now < seen.rests_until:
            return
        before, round.tried[account.id] = round.tried[account.id], now
        seen.cut = seen.heard = False
        trouble: BrokerTrouble | None
        try:
            trouble = await self._compare(brokers, account, rows, round, whole=whole)
            round.answer(seen)
        except BrokerTrouble as error:
            trouble = error
            silent = isinstance(error, OutcomeUnknown) and not isinstance(error, AnswerUnreadable)
            seen.silent = silent and not seen.heard
            round.silent += seen.silent
        if trouble is None:
            seen.told = None
            return
        if not isinstance(trouble, BrokerBusy):
            seen.whole_at = None
        elif not isinstance(trouble, AskedTooOften):
            # Others have used the limits up: it comes before them the next time, and needs no more than it did.
            round.tried[account.id], seen.cut = before, True
        if isinstance(trouble, KeyRefused):
            # Nothing is won by asking with it again and again, and brokers ban who does.
            seen.rests_until = now + KEY_REST_S
        told = SECONDS.sub("", str(trouble))
        if seen.told != told:
            seen.told = told
            LOG.warning("broker_not_reconciled", account=account.id, broker=account.broker, reason=str(trouble))

    async def _compare(
        self, brokers: Brokers, account: AccountRow, rows: list[OrderRow], round: Round, *, whole: bool
    ) -> BrokerTrouble | None:
        """Its orders, and as a *whole* also what it holds. As long as the broker does not say whose the key is, only
        orders that it finds by it, and as long as it does not list them, only the orders: the trouble comes back."""
        seen, now = round.seen[account.id], self._host.clock.monotonic()
        broker, unasked = await brokers.of_orders(account)
        if unasked is not None and (not rows or isinstance(unasked, AskedTooOften)):
            raise unasked
        sure = unasked is None
        due = whole and sure
        whole = due and not seen.listless
        listed, unlisted = (None, None) if seen.listless else await self._listed(broker, rows, whole)
        gone = await self._given_up(account, seen) if due else []
        if unlisted is not None and not rows and not gone:
            raise unlisted
        if listed is not None:
            round.answer(seen)
        whole = whole and unlisted is None
        rows, troubles = seen.in_turn(rows), []
        for row in rows:
            seen.at = row.number
            try:
                troubles.append(await self._clear(row, seen, self._order(broker, row, seen, listed, sure=sure)))
            except BrokerBusy:
                seen.listless = seen.listless or (unlisted is not None and row is rows[0])
                raise
            round.answer(seen)
        seen.at = 0
        await self._desk.together.take_back(broker, account, rows)
        if whole and listed is not None:
            await self._unlisted(broker, list(zip(rows, troubles, strict=True)), seen, listed)
            await self._strays(broker, account, seen, listed, rows)
        try:
            await self._late(broker, gone[:GIVEN_UP_MOST], seen)
        except BrokerBusy:
            seen.listless = seen.listless or (unlisted is not None and not rows)
            raise
        seen.listless = False
        if any(troubles) or not seen.unclear.keys().isdisjoint(row.id for row in gone):
            # Money may have moved for fills of which the broker tells nothing.
            seen.whole_at = now if whole else seen.whole_at
        elif whole and _are_known(rows) and self._settler.waiting.keys().isdisjoint(row.id for row in (*rows, *gone)):
            # Money that has moved for a fill that is not told yet is no difference.
            await self._keeper.compare(broker, account)
            seen.whole_at = now if self._keeper.at_rest(account.id) else None
        return unasked or unlisted

    async def _clear(
        self, row: OrderRow, seen: Seen, asking: Coroutine[Any, Any, object]
    ) -> BrokerTrouble | None:  # fmt: skip
        """Why the broker does not say how an order stands: that it tells nothing of one keeps no other from being
        looked at."""
        try:
            await asking
        except KeyRefused:
            raise
        except (BrokerRefused, AnswerUnreadable) as error:
            if seen.unclear.get(row.id) != str(error):
                seen.unclear[row.id] = str(error)
                LOG.warning("broker_order_not_reconciled", account=row.account_id, order=row.id, reason=str(error))
            return error
        seen.unclear.pop(row.id, None)
        seen.unlisted.pop(row.id, None)
        return None

    async def _listed(
        self, broker: Broker, rows: Sequence[OrderRow], whole: bool
    ) -> tuple[Mapping[str, Report] | None, BrokerTrouble | None]:  # fmt: skip
        """Open orders by the broker's ids, and by ours; None where they are asked for one by one: a few, or all of
        them where the broker tells of no list, and why."""
        if len(rows) <= FEW and not whole:
            return None, None
        try:
            found = await broker.open_orders()
        except KeyRefused:
            raise
        except (BrokerRefused, OutcomeUnknown) as error:
            return None, error
        return {each.broker_id: each for each in found} | {each.client_id: each for each in found}, None

    async def _order(
        self, broker: Broker, row: OrderRow, seen: Seen, listed: Mapping[str, Report] | None, *, sure: bool
    ) -> None:
        """One; that the broker does not know it says something only where the key is of its account for *sure*."""
        report = None if listed is None else listed.get(row.broker_order_id or row.id)
        if report is not None and root_id(report.client_id) != row.id:
            # Its number may be another order's by now: whoever asks for it alone is told.
            report = None
        try:
            if row.status == OrderStatus.PENDING_REPLACE:
                after = await self._settler.resolve(broker, row)
            elif report is None:
                after = await self._settler.sync(broker, row)
            else:
                after = await self._settler.learn(broker, row, report)
        except PastUnknown as error:
            if row.status == OrderStatus.PENDING_CANCEL and error.report.status not in TERMINAL:
                await self._desk.send_cancel(broker, row)
            raise
        if after is None:
            if sure:
                await self._missing(row, seen)
            return
        seen.missed.pop(row.id, None)
        if after.status == OrderStatus.PENDING_CANCEL and after.open and row.status == OrderStatus.PENDING_CANCEL:
            await self._desk.send_cancel(broker, after)
        self._settler.check_listed(broker, row)

    async def _missing(self, row: OrderRow, seen: Seen) -> None:
        """The broker knows no such order. Soon after it was kept that means nothing: it may be on its way."""
        seen.missed[row.id] = seen.missed.get(row.id, 0) + 1
        known = row.broker_order_id is not None
        if self._host.clock.now() - row.created_at <= GRACE or (known and seen.missed[row.id] < MISSES):
            return
        seen.missed.pop(row.id)
        if known:
            reason, status = LOST, OrderStatus.CANCELED
        elif row.status == OrderStatus.PENDING_CANCEL:
            reason, status = UNSENT, OrderStatus.CANCELED
        else:
            reason, status = UNREACHED, OrderStatus.REJECTED
        await self._lose(row, status, reason)

    async def _unlisted(
        self, broker: Broker, rows: Sequence[tuple[OrderRow, BrokerTrouble | None]], seen: Seen,
        listed: Mapping[str, Report],
    ) -> None:  # fmt: skip
        """Orders of which the broker refuses to tell, or of what they have replaced, and which it does not list: after
        an hour it has none of them. What it tells of the end of one counts."""
        now, works = self._host.clock.monotonic(), {root_id(each.client_id) for each in listed.values()}
        gone = [
            (row, error)
            for row, error in rows
            if _is_over(error) and row.id not in works and row.broker_order_id not in listed
        ]
        seen.unlisted = {row.id: (*seen.unlisted.get(row.id, ()), now) for row, _ in gone}
        for row, error in gone:
            looks = seen.unlisted[row.id]
            if len(looks) < MISSES or now - looks[0] < UNLISTED_S:
                continue
            if isinstance(error, PastUnknown):
                after = await self._settler.learn(broker, row, error.report, settled=True)
                LOG.warning("broker_order_missing", order=row.id, status=after.status, reason=str(error))
            else:
                await self._lose(row, OrderStatus.CANCELED, LOST)

    async def _lose(self, row: OrderRow, status: OrderStatus, reason: str) -> None:
        after = await self._settler.end(row, status, reason)
        LOG.warning("broker_order_missing", order=row.id, status=after.status, reason=reason)

    async def _strays(
        self, broker: Broker, account: AccountRow, seen: Seen, listed: Mapping[str, Report], rows: Iterable[OrderRow]
    ) -> None:
        """Orders that work at the broker though they have ended here: they are ours, and must not work."""
        ours = {row.id for row in rows}
        found = {root_id(each.client_id): each for each in listed.values()}
        suspects = [id for id in found if id.startswith("ord_") and id not in ours]
        if not suspects:
            return
        async with self._host.store.read() as tx:
            ended = [row for row in await OrderDirectory().some(tx, suspects) if row.account_id == account.id]
        for row in ended:
            if row.open:
                continue
            report = found[row.id]
            LOG.error("broker_order_stray", order=row.id, broker=broker.id, status=row.status)
            await self._clear(row, seen, self._cancel_stray(broker, row, report))

    async def _cancel_stray(self, broker: Broker, row: OrderRow, report: Report) -> Report:
        """How it stands then."""
        known = reference(row)
        at_broker = replace(known, client_id=report.client_id, broker_id=report.broker_id)
        try:
            await broker.cancel(at_broker)
        except BrokerRefused as error:
            LOG.warning("broker_cancel_refused", order=row.id, broker=broker.id, reason=str(error))
        now = await broker.find(at_broker) or report
        if now.filled:
            # What was filled is a fact, whatever state the order has here.
            await self._settler.learn(broker, row, now)
        return now

    async def _given_up(self, account: AccountRow, seen: Seen) -> list[OrderRow]:
        """Orders that were given up without the broker's word, those before the others that the last look has left
        out."""
        since = self._host.clock.now() - GIVEN_UP_FOR
        async with self._host.store.read() as tx:
            rows = await self._directory.ended(tx, account, GIVEN_UP, since)
        seen.late = {each: booked for row in rows for each, booked in seen.late.items() if root_id(each) == row.id}
        left_out = [row for row in rows if row.number < seen.late_at]
        return left_out + [row for row in rows if row.number >= seen.late_at]

    async def _late(self, broker: Broker, rows: Iterable[OrderRow], seen: Seen) -> None:
        """One of them that has come to the broker after that may be filled, and must not work."""
        for row in rows:
            seen.late_at = row.number
            await self._clear(row, seen, self._late_one(broker, row, seen))

    async def _late_one(self, broker: Broker, row: OrderRow, seen: Seen) -> None:
        for which in references(row):
            report = await broker.find(which)
            if report is not None and report.status not in TERMINAL:
                LOG.error("broker_order_stray", order=row.id, broker=broker.id, status=row.status)
                report = await self._cancel_stray(broker, row, report)
            if report is None or report.filled == seen.late.get(which.client_id, ZERO):
                continue
            await self._settler.learn(broker, row, report)
            self._settler.check_listed(broker, row)
            if row.id not in self._settler.waiting:
                seen.late[which.client_id] = report.filled


def _is_over(error: BrokerTrouble | None) -> bool:
    """Whether the broker refuses to tell of an order, or tells how it ended and refuses to tell what it replaced."""
    return isinstance(error, BrokerRefused) or (isinstance(error, PastUnknown) and error.report.status in TERMINAL)


def _are_known(rows: Iterable[OrderRow]) -> bool:
    """Whether the broker has told of all of them before: it may have filled others, and list them late."""
    return all(row.broker_order_id is not None for row in rows)
