"""Accounts at brokers, valued every few seconds by what whoever asks is told: the day, and its greatest loss.

Margin calls and liquidations are the broker's. What opens is PENDING_CANCEL in the transaction that tells of the loss,
and is cancelled at the broker after it; what it does not take or answer then, `reconciling` sends again. A kill switch
holds none of this back: unlike the simulator's, orders at a broker are filled while it is on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import structlog

from gateway.core.contract import Context, Host
from gateway.core.matching.model import ExecutionModel
from plugins.trading.brokers import course
from plugins.trading.brokers.catalog import Brokers
from plugins.trading.brokers.floor import LiveFloor
from plugins.trading.brokers.pacing import Urgency
from plugins.trading.brokers.port import BrokerTrouble
from plugins.trading.brokers.store import LiveDirectory
from plugins.trading.engine.daily import LOSS, judged, opens, tell_loss
from plugins.trading.engine.judging import Verdict, judge
from plugins.trading.markets.marks import Marks
from plugins.trading.markets.prices import Prices
from plugins.trading.orders.reasons import told_reason
from plugins.trading.orders.selling import unheld
from plugins.trading.orders.store import OrderStore
from plugins.trading.positions.standing import standing
from plugins.trading.positions.standings import Appraiser
from plugins.trading.positions.store import PositionStore
from plugins.trading.rows import AccountRow, OrderRow, PositionRow
from plugins.trading.writing import is_gone, writing
from schema.words.orders import MarginType, OrderStatus

if TYPE_CHECKING:
    from plugins.trading.engine.dues import ContextOf, Keep

EVERY_S = 5.0
BLIND_S = 60.0
"""After so long one that could not be valued is looked at again, where only the beginning of its day hangs on it."""

LOG = structlog.get_logger(__name__)


class LiveGuard:
    """One a process, for the accounts of its parts; *keep* runs what it begins, one task an account."""

    def __init__(self, host: Host, context_of: ContextOf, keep: Keep) -> None:
        self._host, self._context_of, self._keep = host, context_of, keep
        self._directory, self._appraiser = LiveDirectory(), Appraiser(host)
        self._next = -1e9
        self._looking: set[str] = set()
        self._blind: dict[str, float] = {}
        """Accounts that could not be valued, and when that was found."""

    async def look(self, shards: frozenset[int]) -> None:
        """Begin with the accounts of some parts; one whose last look lasts still is left to it."""
        brokers, moment = self._host.service(Brokers).ids, self._host.clock.monotonic()
        if not brokers or moment < self._next:
            return
        self._next = moment + EVERY_S
        async with self._host.store.read() as tx:
            found = await self._directory.accounts(tx, shards)
        self._blind = {row.id: self._blind[row.id] for row in found if row.id in self._blind}
        for row in found:
            if row.broker in brokers and row.id not in self._looking:
                self._looking.add(row.id)
                self._keep(self._one(row), "trading.live_guard")

    async def _one(self, account: AccountRow) -> None:
        """The trouble of one is not another's, and is no reason not to look again."""
        try:
            await self._send(account, await self._look(account))
        except Exception as error:
            if not is_gone(error):
                LOG.exception("broker_account_not_guarded", account=account.id, broker=account.broker)
        finally:
            self._looking.discard(account.id)

    async def _look(self, account: AccountRow) -> list[OrderRow]:
        """Orders that are to be cancelled at the broker."""
        marks = await self._called(account) if self._concerns(account) else None
        return await self._sweep(account) if marks is None else await self._act(account, marks)

    def _concerns(self, account: AccountRow) -> bool:
        """Whether anything could come of valuing it."""
        if account.max_daily_loss is not None and account.loss_day != self._today:
            return True
        blind = self._blind.get(account.id)
        rests = blind is not None and self._host.clock.monotonic() - blind < BLIND_S
        return account.day != self._today and not rests

    @property
    def _today(self) -> str:
        return self._host.clock.now().date().isoformat()

    async def _called(self, account: AccountRow) -> Marks | None:
        """By what it is valued now, where that calls for anything; nothing is decided by old or missing prices."""
        context = await self._context_of(account.tenant_id)
        if context is None:
            return None
        marks, verdict = await self._judge(context(), account)
        if verdict is not None:
            self._blind.pop(account.id, None)
            return marks if verdict.new_day or verdict.loss else None
        if account.id not in self._blind:
            LOG.warning("trading_not_valued", account=account.id)
        self._blind[account.id] = self._host.clock.monotonic()
        return None

    async def _judge(self, context: Context, account: AccountRow) -> tuple[Marks, Verdict | None]:
        held = await self._appraiser.held(context, account)
        # What the day began with may be money of a currency that is spent by now.
        currencies = held.currencies | {row.asset for row in held.cash if account.day != self._today}
        model = ExecutionModel.read(account.model)
        marks = await Prices.of(context).marks(held.instruments, currencies, account.currency, model)
        now = standing(account, held.cash, held.reserved, held.positions, marks, day=self._today)
        return marks, judge(account, now, self._today)

    async def _act(self, account: AccountRow, marks: Marks) -> list[OrderRow]:
        """The same once more behind the lock: one process of all tells of a loss."""
        asked: list[OrderRow] = []
        async with writing(self._host, account.tenant_id, account.id) as w:
            floor = await LiveFloor.opened(self._host, w)
            found = await judged(floor, marks)
            if found is not None and found[0].loss:
                asked = _ask_cancels(floor)
                tell_loss(self._host, floor, *found, len(asked))
            await floor.write()
        return asked

    async def _sweep(self, account: AccountRow) -> list[OrderRow]:
        """What was on its way, or being replaced, when the loss was reached, and opens: as soon as that is known."""
        if account.loss_day != self._today:
            return []
        async with self._host.store.read() as tx:
            rows = await OrderStore().open(tx, account.tenant_id, account.id)
            held = await PositionStore().of(tx, account.tenant_id, account.id) if rows else []
            cash = await PositionStore().cash(tx, account.tenant_id, account.id) if rows else []
        if not _going(account, rows, held, {row.asset: row.posted for row in cash}):
            return []
        async with writing(self._host, account.tenant_id, account.id) as w:
            floor = await LiveFloor.opened(self._host, w)
            # A wider limit takes orders again.
            asked = _ask_cancels(floor) if w.account.loss_day == self._today else []
            await floor.write()
        return asked

    async def _send(self, account: AccountRow, asked: Sequence[OrderRow]) -> None:
        """How they ended, the reconciliation learns; and it sends again what is not sent here."""
        if not asked:
            return
        try:
            broker, _ = await self._host.service(Brokers).of_orders(account, Urgency.CANCEL)
            await broker.cancel_all([course.reference(row) for row in asked])
        except BrokerTrouble as error:
            LOG.warning("broker_cancel_unsent", account=account.id, broker=account.broker, reason=str(error))


def _ask_cancels(floor: LiveFloor) -> list[OrderRow]:
    found = [
        replace(course.asked(row, OrderStatus.PENDING_CANCEL, floor.now), reason=told_reason(LOSS))
        for row in _going(floor.w.account, floor.open, floor.positions.values(), floor.cash)
    ]
    for row in found:
        floor.ask(row)
    return found


def _going(
    account: AccountRow, rows: Sequence[OrderRow], held: Collection[PositionRow], cash: Mapping[str, Decimal]
) -> list[OrderRow]:  # fmt: skip
    """What does more than reduce what is held. One that may be another by now is left alone, until the broker says
    which."""
    lends = account.margin == MarginType.MARGIN
    more = unheld(rows, held, cash, lends=lends)
    return [
        row
        for row in rows
        if (row.id in more or opens(row, lends=lends)) and OrderStatus(row.status) not in course.ASKED
    ]
