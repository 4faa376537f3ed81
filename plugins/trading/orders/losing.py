"""The greatest loss of a day, looked at before each order: losses come faster than accounts are valued."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from plugins.trading.ledger.chart import EXACT, ZERO, Ledger, shown, total
from plugins.trading.ledger.store import LedgerStore
from plugins.trading.markets.marks import Marks
from plugins.trading.orders.checks import Path, only_reduces, told_reached, told_reducing
from plugins.trading.orders.selling import added, is_coin, pot_of, pots, told_buying, told_unheld
from plugins.trading.positions.opening import opening
from plugins.trading.positions.standing import Standing, money, standing
from plugins.trading.rows import BalanceRow, OrderRow
from schema.words.problems import Refused
from schema.words.trades import Side

_BOOKS = "`positionAdjust` brings the books to what the broker holds."

if TYPE_CHECKING:
    from plugins.trading.orders.floor import Floor
    from plugins.trading.orders.ground import Ground


async def read_began(floor: Floor) -> dict[str, Decimal] | None:
    """What the account had when the day began, by currency, where it has a greatest loss and nobody has noted that yet;
    None where it held something then: it is valued as soon as it can be."""
    w, day = floor.w, floor.now.replace(hour=0, minute=0, second=0, microsecond=0)
    if w.account.max_daily_loss is None or w.account.day == day.date().isoformat():
        return None
    since = await LedgerStore().sums(w.tx, w.tenant, w.account.id, since=day)
    return opening(_cash(floor), floor.positions.values(), since)


def check_loss(floor: Floor, ground: Ground, side: Side, *, reduce_only: bool, notes: bool = False) -> None:
    """What was realised and what is held now: Refused DAILY_LOSS_REACHED, but for what only reduces.

    An old price is better than none: what nobody prices would lift the limit for as long as it is held. *notes*: the
    first order of a day keeps what the account had at its beginning, else what it has before it, where the guard has
    not yet.
    """
    account = floor.w.account
    most, closes = account.max_daily_loss, only_reduces(side, reduce_only=reduce_only, lends=floor.lends)
    notes = notes and account.day != _today(floor)
    if most is None or (closes and not notes):
        return
    now = _standing(floor, ground.marks)
    if notes:
        _note_day(floor, ground.marks, now.equity)
    if not closes and (lost := _told_lost(floor, ground.marks, now)) is not None:
        raise Refused("DAILY_LOSS_REACHED", lost, "accountId")


def check_unheld(floor: Floor, ground: Ground, row: OrderRow, path: Path) -> None:
    """Of a sale at a broker that sells more than is held: Refused DAILY_LOSS_REACHED for a cash account's after that,
    else SHORT_NOT_ALLOWED; and REDUCE_ONLY_WOULD_INCREASE for what closes coins in an account that lends."""
    closes_coins = row.reduce_only and is_coin(row.instrument)
    if row.side != Side.SELL or (floor.lends and not closes_coins):
        return
    there = added(pots(floor.positions.values(), floor.cash), floor.coming)
    passes = told_unheld(row, floor.open, there, ground.market)
    if passes is None:
        return
    way = told_buying(row, floor.open) or _BOOKS
    if floor.lends:
        raise Refused("REDUCE_ONLY_WOULD_INCREASE", f"No broker lends coins. {passes}. {way}", *path)
    reached: str | None = None
    if floor.w.account.loss_day == _today(floor):
        reached = told_reached(floor)
    elif floor.w.account.max_daily_loss is not None:
        reached = _told_lost(floor, ground.marks, _standing(floor, ground.marks))
    if reached is not None:
        raise Refused("DAILY_LOSS_REACHED", f"{reached} {passes}.", *path)
    raise Refused("SHORT_NOT_ALLOWED", f"A cash account sells only what it has. {passes}. {way}", *path)


def check_owed(instrument: str, side: Side, *path: str) -> None:
    """Refused REDUCE_ONLY_WOULD_INCREASE for a purchase at a broker that would close a position in coins."""
    if side is Side.BUY and is_coin(instrument):
        told = f"No broker lends coins, so that a purchase closes nothing there: what {instrument} lacks,"
        where = f"{pot_of(instrument)} as money has, another pair of it, or no book yet. `positionAdjust` nets it."
        raise Refused("REDUCE_ONLY_WOULD_INCREASE", f"{told} {where}", *path)


def _standing(floor: Floor, marks: Marks) -> Standing:
    return standing(floor.w.account, _cash(floor), {}, tuple(floor.positions.values()), marks)


def _told_lost(floor: Floor, marks: Marks, now: Standing) -> str | None:
    """That it is reached now, in words; Refused NO_PRICE where that cannot be told."""
    account, most = floor.w.account, floor.w.account.max_daily_loss
    if now.equity is None:
        told = f"maxDailyLoss cannot be judged, as the account cannot be valued: {now.reason or 'a price is missing'}."
        raise Refused("NO_PRICE", f"{told} Until then {told_reducing(floor)}.", "accountId")
    before = _before(floor, marks)
    if most is None or before is None or (lost := EXACT.subtract(before, now.equity)) < most:
        return None
    told = f"The account has lost {money(lost, account.currency)} {account.currency} today, and {shown(most)} is its"
    return f"{told} greatest daily loss: until the next UTC day {told_reducing(floor)}."


def _note_day(floor: Floor, marks: Marks, equity: Decimal | None) -> None:
    before = _worth(floor.began, marks)
    worth = equity if before is None else before
    if worth is not None:
        floor.w.set(day=_today(floor), day_equity=worth)


def _today(floor: Floor) -> str:
    return floor.now.date().isoformat()


def _before(floor: Floor, marks: Marks) -> Decimal | None:
    """What it had when the day began, with what was paid in or out since; None where that cannot be told."""
    account = floor.w.account
    return account.day_equity if account.day == _today(floor) else _worth(floor.began, marks)


def _worth(amounts: dict[str, Decimal] | None, marks: Marks) -> Decimal | None:
    worths = [marks.worth(amount, currency) for currency, amount in (amounts or {}).items() if amount]
    known = [each for each in worths if each is not None]
    return None if amounts is None or len(known) < len(worths) else total(known)


def _cash(floor: Floor) -> list[BalanceRow]:
    """With what this transaction has moved of it, and what pending entries hold."""
    found = []
    for asset, free in floor.cash.items():
        row = floor.w.balances.get((Ledger.CASH, asset)) or BalanceRow(
            tenant_id=floor.w.tenant, account_id=floor.w.account.id, ledger=Ledger.CASH, asset=asset, posted=ZERO,
            held=ZERO,
        )  # fmt: skip
        found.append(replace(row, posted=EXACT.add(free, row.held)))
    return found
