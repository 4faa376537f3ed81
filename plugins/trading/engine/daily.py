"""An account behind its lock, whoever fills its orders: the beginning of its day is noted, its greatest loss told once.

The simulator's guard and that of brokers differ in where prices come from, and in how orders are cancelled.
"""

from __future__ import annotations

from collections.abc import Container
from decimal import Decimal

from gateway.core.contract import Host
from gateway.core.ports import Outbox
from plugins.trading.engine.events import AccountDailyLossReached
from plugins.trading.engine.judging import Verdict, closing_of, judge
from plugins.trading.ledger.chart import total
from plugins.trading.ledger.store import LedgerStore
from plugins.trading.markets.marks import Marks
from plugins.trading.markets.modes import least_mode
from plugins.trading.orders.checks import only_reduces
from plugins.trading.orders.floor import Floor
from plugins.trading.positions.opening import opening
from plugins.trading.positions.standing import Standing, standing
from plugins.trading.positions.store import PositionStore
from plugins.trading.rows import BalanceRow, OrderRow
from schema.words.trades import Side

LOSS = "DAILY_LOSS_REACHED"


async def judged(floor: Floor, marks: Marks, silent: Container[str] = ()) -> tuple[Verdict, Standing] | None:
    """What its figures call for, once its day has begun; None where they are not known, or old. Orders of *silent*
    instruments hear nothing."""
    w, day = floor.w, floor.now.date().isoformat()
    cash = tuple(await PositionStore().cash(w.tx, w.tenant, w.account.id))
    now = standing(w.account, cash, floor.reserved(), tuple(floor.positions.values()), marks, day=day)
    closing = closing_of(floor.open, floor.now, silent)
    verdict = judge(w.account, now, day, closing)
    if verdict is None:
        return None
    if verdict.new_day:
        w.set(day=day, day_equity=await _opening(floor, cash, marks, verdict.equity))
        # What was lost between midnight and now counts already.
        verdict = judge(w.account, now, day, closing) or verdict
    return verdict, now


def opens(row: OrderRow, *, lends: bool) -> bool:
    """Whether the greatest loss of a day cancels an order: what only reduces stays."""
    return not only_reduces(Side(row.side), reduce_only=row.reduce_only, lends=lends)


def tell_loss(host: Host, floor: Floor, verdict: Verdict, now: Standing, canceled: int) -> None:
    """It is reached: kept, so that nothing that opens is taken until the next day, and told."""
    floor.w.set(loss_day=floor.now.date().isoformat())
    told = AccountDailyLossReached.told(
        floor.w.account, verdict.equity, canceled, least_mode(now.modes), floor.now
    )  # fmt: skip
    host.service(Outbox).emit(floor.w.tx, told, tenant=floor.w.tenant)


async def _opening(floor: Floor, cash: tuple[BalanceRow, ...], marks: Marks, equity: Decimal) -> Decimal:
    """The equity at the beginning of the day; that of now where something was held then."""
    midnight = floor.now.replace(hour=0, minute=0, second=0, microsecond=0)
    since = await LedgerStore().sums(floor.w.tx, floor.w.tenant, floor.w.account.id, since=midnight)
    amounts = opening(cash, floor.positions.values(), since)
    if amounts is None:
        return equity
    worths = [marks.worth(amount, currency) for currency, amount in amounts.items() if amount]
    return equity if None in worths else total(each for each in worths if each is not None)
