"""Whether what clients were told is kept, and every account is whole: read from the database once nobody deals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import select

from gateway.core.matching.lifecycle import TERMINAL
from gateway.core.matching.model import ExecutionModel, Spec, Tick
from gateway.core.store import Store
from plugins.trading.ledger.proof.proving import verify
from plugins.trading.orders.reckoning import parts_of, reserve_at
from plugins.trading.rows import AccountRow, EntryRow, FillRow, LineRow, OrderRow, PositionRow, ScheduleRow
from plugins.trading.tables import accounts, balances, entries, fills, lines, orders, positions, schedules
from schema.symbols import parse_instrument
from schema.words.orders import MarginType, OrderStatus
from tests.e2e.trading.board import LAST, Board

if TYPE_CHECKING:
    from tests.e2e.trading.dealing import Trial

ZERO, CENT, DOLLAR = Decimal(0), Decimal("0.01"), "USD"
STOPS = frozenset({"STOP_MARKET", "STOP_LIMIT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All rows of all accounts."""

    accounts: Sequence[AccountRow]
    orders: Sequence[OrderRow]
    fills: Sequence[FillRow]
    positions: Sequence[PositionRow]
    entries: Sequence[EntryRow]
    lines: Sequence[LineRow]
    schedules: Sequence[ScheduleRow]


async def check(trial: Trial) -> list[str]:
    """All that is wrong: what was acknowledged is there once, and every account is whole."""
    store, found = Store(trial.database), list(trial.wrong)
    async with store.read() as tx:
        found += [str(each) for each in await verify(tx)]
        kept = Kept(
            accounts=await tx.all(select(accounts), AccountRow), orders=await tx.all(select(orders), OrderRow),
            fills=await tx.all(select(fills), FillRow), positions=await tx.all(select(positions), PositionRow),
            entries=await tx.all(select(entries), EntryRow), lines=await tx.all(select(lines), LineRow),
            schedules=await tx.all(select(schedules), ScheduleRow),
        )  # fmt: skip
        cash = (
            await tx.connection.execute(
                select(balances.c.account_id, balances.c.asset, balances.c.posted)
                .join(accounts, accounts.c.id == balances.c.account_id)
                .where(balances.c.ledger == "cash", accounts.c.margin == "CASH", balances.c.posted < Decimal(0))
            )
        ).all()
    await store.close()
    found += [f"{row.account_id} owes {row.posted} {row.asset}" for row in cash]
    sums: dict[str, Decimal] = {}
    for part in kept.lines:
        sums[part.asset] = sums.get(part.asset, ZERO) + part.amount
    found += [f"debits and credits of {asset} differ by {amount}" for asset, amount in sums.items() if amount]
    return found + list(differences(trial, kept))


def differences(trial: Trial, kept: Kept) -> Iterator[str]:
    """Between what is kept and what it says of itself, or what clients were told. Pure."""
    yield from (*_told(trial, kept), *_groups(trial, kept), *_scheduled(kept), *_orders(kept), *_held(kept))
    yield from (*_reserves(kept, trial.board), *_passed_by(kept.orders, trial.board), *_leverage(trial, kept))


def _told(trial: Trial, kept: Kept) -> Iterator[str]:
    """What was acknowledged."""
    by_id = {row.id: row for row in kept.orders}
    grouped = (id for ids in trial.grouped.values() for id in ids)
    yield from _missing("orders", [*trial.placed.values(), *grouped], by_id.keys())
    yield from _missing(
        "entries", (id for ids in trial.booked.values() for id in ids), {row.id for row in kept.entries}
    )
    yield from _missing("fills", trial.fills, {row.id for row in kept.fills})
    for id, how in trial.ended.items():
        if id in by_id and by_id[id].status != how:
            yield f"{id} was {how}, and is {by_id[id].status}"
    by_key = Counter((row.account_id, row.client_order_id) for row in kept.orders if row.client_order_id)
    yield from (f"{key} came {times} times" for key, times in by_key.items() if times > 1)


def _missing(what: str, told: Iterable[str], kept: Collection[str]) -> Iterator[str]:
    """Of those that were acknowledged."""
    if lost := [id for id in told if id not in kept]:
        yield f"{len(lost)} acknowledged {what} are lost: {lost[:3]}"


def _groups(trial: Trial, kept: Kept) -> Iterator[str]:
    """All of a group or none of it, once; its orders have its key for a tag."""
    there = Counter(f"{row.account_id} {row.strategy}" for row in kept.orders if row.strategy)
    for key, many in trial.asked.items():
        wanted = (many,) if key in trial.grouped else (0, many)
        if there[key] not in wanted:
            yield f"group {key}: {there[key]} orders, not {' or '.join(map(str, wanted))}"


def _scheduled(kept: Kept) -> Iterator[str]:
    """A schedule has placed what it says."""
    named = Counter((row.client_order_id or "").partition(":")[0] for row in kept.orders)
    for row in kept.schedules:
        if named[row.id] != row.placed:
            yield f"schedule {row.id} has placed {row.placed}, and has {named[row.id]} orders"


def _orders(kept: Kept) -> Iterator[str]:
    """Orders have the fills that they tell of, and hold nothing once they have ended."""
    sums: dict[str, Decimal] = {}
    for fill in kept.fills:
        sums[fill.order_id] = sums.get(fill.order_id, ZERO) + fill.quantity
    times = Counter(fill.order_id for fill in kept.fills)
    for row in kept.orders:
        filled, status = sums.get(row.id, ZERO), OrderStatus(row.status)
        if (row.filled, row.fills) != (filled, times[row.id]):
            yield f"order {row.id} has {row.filled} of {row.fills} fills, and there are {filled} of {times[row.id]}"
        if status is OrderStatus.FILLED and row.filled != row.quantity:
            yield f"order {row.id} is FILLED with {row.filled} of {row.quantity}"
        if row.open is (status in TERMINAL):
            yield f"order {row.id} is {status}, and open is {row.open}"
        if status in TERMINAL and row.reserved:
            yield f"order {row.id} is {status}, and holds {row.reserved}"
        if (row.reason or "").startswith("NO_PRICE"):
            # The sandbox prices all of them at any time.
            yield f"order {row.id} is {status}: {row.reason}"


def _held(kept: Kept) -> Iterator[str]:
    """What is held is what was bought less what was sold."""
    sums: dict[tuple[str, str], Decimal] = {}
    for fill in kept.fills:
        key, signed = (fill.account_id, fill.instrument), fill.quantity if fill.side == "BUY" else -fill.quantity
        sums[key] = sums.get(key, ZERO) + signed
    for row in kept.positions:
        dealt = sums.pop((row.account_id, row.instrument), ZERO)
        if dealt != row.quantity:
            yield f"{row.account_id} holds {row.quantity} of {row.instrument}, and has dealt {dealt}"
    yield from (f"{key} has dealt {dealt}, and holds nothing" for key, dealt in sums.items() if dealt)


def _reserves(kept: Kept, board: Board) -> Iterator[str]:
    """What open orders hold is what they would hold were it reckoned anew at one of the prices that were seen."""
    books: dict[tuple[str, str], list[OrderRow]] = {}
    for row in kept.orders:
        if row.open:
            books.setdefault((row.account_id, row.instrument), []).append(row)
    held = {(row.account_id, row.instrument): row.quantity for row in kept.positions}
    known = {row.id: row for row in kept.accounts}
    for (account_id, name), rows in books.items():
        account, seen = known[account_id], board.seen[name]
        lends = account.margin == MarginType.MARGIN
        model, leverage = ExecutionModel.read(account.model), account.leverage if lends else Decimal(1)
        spec = Spec(instrument=parse_instrument(name), currency=DOLLAR)
        parts = parts_of(rows, held.get((account_id, name), ZERO))
        for row in rows:
            if row.id not in parts or (not lends and row.side == "SELL"):
                least = most = ZERO
            else:
                opens = parts[row.id].opens if lends else (row.quantity or ZERO) - row.filled
                least, most = (
                    reserve_at(row, _tick(spec, price), spec, model, leverage, opens) for price in (seen.low, seen.high)
                )
            if not least - CENT <= row.reserved <= most + CENT:
                yield (
                    f"order {row.id} ({row.type} {row.side} {row.leg} {row.status}) of {account.margin} {account_id} "
                    f"holds {row.reserved}, and reckoned anew {least} to {most}"
                )


def _tick(spec: Spec, price: Decimal) -> Tick:
    return Tick(instrument=spec.instrument, at=datetime.now(UTC), bid=price, ask=price, last=price)


async def late(trial: Trial) -> list[str]:
    """Stops that wait now though the market has passed them by."""
    store = Store(trial.database)
    async with store.read() as tx:
        rows = await tx.all(select(orders).where(orders.c.status == "ACCEPTED"), OrderRow)
    await store.close()
    return list(_passed_by(rows, trial.board))


def _passed_by(rows: Iterable[OrderRow], board: Board) -> Iterator[str]:
    """Stops that wait though the last prices, one after the other, were all beyond them."""
    for row in rows:
        seen = board.seen.get(row.instrument)
        if row.status != "ACCEPTED" or row.type not in STOPS or seen is None or row.stop_price is None:
            continue
        # An exit of no size waits for what its entry opens next.
        if len(seen.last) < LAST or row.instrument.startswith("equity:") or row.quantity == row.filled:
            continue
        sides = [bid if row.side == "SELL" else ask for _, bid, ask in seen.last]
        met = [each <= row.stop_price if row.side == "SELL" else each >= row.stop_price for each in sides]
        if all(met):
            told = f"at {row.stop_price} was passed by: {', '.join(map(str, sides))}"
            yield f"stop {row.id} ({row.side} {row.instrument} {row.leg}) {told}"


def _leverage(trial: Trial, kept: Kept) -> Iterator[str]:
    """No account uses more than its equity, but for what the market can have taken since its last order.

    An order is taken, and filled, only where what is available afterwards is not below zero. From then on prices alone
    change that: by no more than each position, and each order's reserve, times the whole way between the lowest and
    the highest price that was seen.
    """
    for account, standing in trial.standings.items():
        if standing["marginAvailable"] is None:
            yield f"{account} is not valued: {standing['reason']}"
            continue
        moves: dict[str, Decimal] = {}
        for position in kept.positions:
            if position.account_id == account:
                moves[position.instrument] = abs(position.quantity) * trial.board.moved(position.instrument) * 2
        for order in kept.orders:
            if order.account_id == account and order.open and order.quantity is not None:
                most = order.quantity * trial.board.moved(order.instrument)
                moves[order.instrument] = moves.get(order.instrument, ZERO) + most
        if Decimal(standing["marginAvailable"]) < -sum(moves.values(), ZERO):
            yield f"{account} is beyond its leverage by more than the market moved ({_shown(moves)}): {standing}"


def _shown(moves: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{name} {amount:.2f}" for name, amount in moves.items())
