"""What changes an account: one transaction each, decided under its lock, whatever memory said before.

A kill switch stops everything but the end of an order's time: nothing is filled, nothing arrives, nothing is closed
by force until trading goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError

from gateway.core.contract import Context, Host
from gateway.core.matching.conditions import Facts, OrderCondition, hopeless, met, read
from gateway.core.matching.lifecycle import WORKING
from gateway.core.matching.model import Tick
from gateway.core.matching.offers import is_stale
from gateway.core.matching.venue import Meeting, step
from plugins.trading.engine.doubts import Written
from plugins.trading.engine.grounds import Asked, Grounds
from plugins.trading.engine.seat import Seat, Stood, is_waiting
from plugins.trading.markets.marks import Marks
from plugins.trading.orders.affording import UNVALUED
from plugins.trading.orders.deciding import ATTEMPTS
from plugins.trading.orders.floor import Floor
from plugins.trading.orders.ground import Ground, with_news
from plugins.trading.orders.knowing import is_priced
from plugins.trading.orders.market import Market
from plugins.trading.orders.offers import OfferBook, Round
from plugins.trading.orders.placing import arrive
from plugins.trading.orders.turning import form_of
from plugins.trading.rows import OrderRow
from plugins.trading.writing import writing
from schema.errors import MarketgateError
from schema.words.orders import OrderStatus
from schema.words.problems import Refused

LOG = structlog.get_logger(__name__)

FILLS_AT_ONCE = 25
"""In one transaction: after so many it ends with the order that has made them."""
ARRIVALS_AT_ONCE = 25
"""Orders whose conditions hold, in one transaction."""
RESTS_S = (1.0, 5.0)
"""After so long it is tried again whether a fault of ours keeps an order from arriving; then it ends."""
FAULT = "a fault of the gateway's own kept it from arriving, and is in its log: place it again, or another one"

Due = tuple[OrderRow, Market]
"""An order that is due, and the message that it meets."""

NewestOf = Callable[[OrderRow], Market | None]
"""What the newest message says to an order that is due; None where nothing that counts for it is known."""

MarksOf = Callable[..., Awaitable[Marks]]
"""Prices and rates by which a seat's account is valued as some messages meet its orders."""


@dataclass(slots=True)
class Going:
    """How far a message has got with a seat, whichever transaction fails: whom it has met, it does not meet again."""

    round: Round | None = None
    """What is committed of it."""
    met: frozenset[str] = frozenset()
    unvalued: frozenset[str] = frozenset()
    """Whose fills were left out as the account cannot be valued: they meet the newest one again."""
    doubt: _Doubt | None = None
    """A transaction of which nobody knows yet whether it was committed."""


@dataclass(frozen=True, slots=True)
class _Doubt:
    """What it was to write, and to leave of a message that these orders were to meet."""

    written: Written
    round: Round
    ids: frozenset[str]
    passed: frozenset[str]
    """Orders that it was to pass by, as they had changed."""
    unvalued: frozenset[str]
    """Orders whose fills it was to leave out."""


class Dealer:
    """Works one seat at a time."""

    def __init__(self, host: Host) -> None:
        self._host, self._grounds = host, Grounds(host)
        self._faults: dict[str, tuple[int, float]] = {}
        """Orders that a fault of ours has kept from arriving: how often, and until when (monotonic) they are let be."""
        self._doubted: dict[str, Written] = {}
        """By account, the transaction whose answer is not there."""

    @asynccontextmanager
    async def floor(self, seat: Seat, *instruments: str) -> AsyncIterator[tuple[Floor, bool]]:
        """The account, locked, and whether a kill switch is on; what came of it is in the seat then.

        Of an account that nobody has changed meanwhile only what belongs to some instruments is read. What was taken of
        a message is given back where it is not written; where nobody knows that, once somebody does.
        """
        with self._host.service(OfferBook).taking(seat.id) as taken:
            async with writing(self._host, seat.tenant, seat.id) as w:
                version = w.account.version
                same = bool(instruments) and version == seat.account.version
                floor = await Floor.opened(self._host, w, instruments if same else None)
                await self._resolve(seat, floor)
                floor.offers, floor.taken = seat.offers, taken
                others = () if same else {id for id, row in floor.orders.items() if _works(row)}
                seat.follow(floor.orders)
                yield floor, floor.halted is not None
                if w.touched:
                    self._doubted[seat.id] = Written.of(floor, taken)
                    taken.clear()
        self._doubted.pop(seat.id, None)
        seat.take(_stood(seat, floor, frozenset(instruments) if same else None), others)
        seat.leave_out(floor.unpaid)
        seat.put_off(floor.unvalued)
        if floor.w.account.version == version:
            seat.unvalued.note(seat, floor.unvalued, floor.marks)

    async def _resolve(self, seat: Seat, floor: Floor) -> None:
        """The transaction before this one, where its answer was lost."""
        doubted = self._doubted.get(seat.id)
        if doubted is not None and not await doubted.stands(floor):
            doubted.give_back()
        self._doubted.pop(seat.id, None)

    async def meet(self, seat: Seat, market: Market, marks: MarksOf, going: Going) -> None:
        """A message meets the orders of its instrument: what memory saw is decided anew under the lock."""
        if going.round is not None or seat.moves(market):
            await self._meet(seat, market, marks, None, going)

    async def catch_up(
        self, seat: Seat, market: Market, marks: MarksOf, ids: Collection[str], going: Going
    ) -> None:  # fmt: skip
        """The newest message meets orders that came before it, and were read here after it, as it would have then."""
        late = seat.late_for(ids, market.tick) - going.met if market.tick else None
        if seat.halted or not late:
            return
        moves = going.round is not None or seat.moves(market, late)
        if not moves or await self._meet(seat, market, marks, late, going):
            seat.met(late - going.unvalued)

    async def _meet(
        self, seat: Seat, market: Market, marks: MarksOf, only: frozenset[str] | None, going: Going
    ) -> bool:  # fmt: skip
        """Whether trading went on. What fills many orders does so in several transactions: nobody waits for all."""
        tick = market.tick
        if tick is None:
            return True
        name = str(tick.instrument)
        known: Marks | None = None
        asked = 0
        while going.round is None or going.round.queue:
            if seat.lends and known is None:
                known, asked = await marks(seat, market), asked + 1
                if only is not None and going.round is None and going.doubt is None:
                    same = seat.unvalued.same(seat, ((each, market) for each in only), known)
                    only, going.unvalued = only - same, going.unvalued | same
                    if not only:
                        return True
            async with self.floor(seat, name) as (floor, halted):
                if halted:
                    seat.pass_by(name)
                    seat.met(going.met)
                    return False
                if is_stale(tick, floor.now, market.model):
                    return True
                if known is not None and asked < ATTEMPTS and not is_priced(floor, known):
                    known = None
                    continue
                doubt = going.doubt
                if doubt is None or not await doubt.written.stands(floor):
                    going.doubt = None
                    if going.round is None:
                        rows = (row for row in _working(floor, seat, tick) if only is None or row.id in only)
                        round = floor.round(rows, market, heard=only is None)
                    else:
                        round = going.round.again()
                    ids = frozenset(each.id for each in round.queue if each.id in floor.orders)
                    floor.marks = known
                    floor.take(round, FILLS_AT_ONCE)
                    await floor.write()
                    left = frozenset(floor.passed), frozenset(floor.unvalued)
                    doubt = going.doubt = _Doubt(Written.of(floor), round, ids, *left)
            seat.put_off(doubt.unvalued)
            going.unvalued |= doubt.unvalued
            met = doubt.ids - {each.id for each in doubt.round.queue} - doubt.passed
            going.round, going.doubt, going.met = doubt.round, None, (going.met | met) - going.unvalued
            seat.met(going.met)
        return True

    async def pass_time(self, seat: Seat, newest: NewestOf, marks: MarksOf) -> None:
        """What time alone does: orders run out, and those that are due meet the newest message."""
        now = self._host.clock.now()
        due = [] if seat.halted else _due(seat, newest, now)
        late = seat.late(now)
        if not late and not due:
            return
        known = None
        if due and seat.lends:
            known = await marks(seat, *{row.instrument: market for row, market in due}.values())
            same = seat.unvalued.same(seat, ((row.id, market) for row, market in due), known)
            due = [(row, market) for row, market in due if row.id not in same]
        while late or due:
            async with self.floor(seat) as (floor, halted):
                floor.marks = known
                rows = [floor.orders[each] for each in late if each in floor.orders]
                over = [row.id for row in rows if row.expires_at is not None and row.expires_at <= floor.now]
                floor.end_all(over, OrderStatus.EXPIRED, "EXPIRED")
                goes = not halted and (known is None or is_priced(floor, known))
                due = _reach(floor, due, FILLS_AT_ONCE) if goes else []
                await floor.write()
            late = []

    async def arrive(self, seat: Seat, ids: Collection[str], facts: Facts) -> set[str]:
        """What orders waited for has come: each is checked as if it were placed now. Those that wait on for a price.

        Where the account holds by then what nobody was asked for, they are asked anew; at last it waits on, and is
        looked at again. What a fault of ours keeps from arriving ends: it stands in no other order's way.
        """
        left, alone, times = [each for each in ids if not self._rests(each)], set[str](), 0
        asked = Asked(_conditional(seat, left))
        while left:
            some = left[: 1 if left[0] in alone else ARRIVALS_AT_ONCE]
            try:
                behind = await self._arrived(seat, some, facts, asked)
            except Exception as error:
                ours = not isinstance(error, (DBAPIError, OSError, MarketgateError, Refused))
                if len(some) > 1 and not (ours and asked.order):
                    # Nobody knows whose it is: those that it does not concern arrive by themselves.
                    LOG.warning("trading_arriving_alone", account=seat.id, orders=len(some), exc_info=True)
                    alone.update(some)
                    continue
                if not ours:
                    raise
                LOG.exception("trading_order_failed", account=seat.id, order=(failed := asked.order or some[0]))
                if not self._let_be(failed):
                    await self._reject(seat, failed)
                    self._faults.pop(failed, None)
                left.remove(failed)
                times = 0
                continue
            times = times + 1 if behind[:1] == some[:1] else 0
            if times == ATTEMPTS:
                behind, times = behind[1:], 0
            for each in {*some} - {*behind}:
                self._faults.pop(each, None)
            left[: len(some)] = behind
        return asked.waits

    async def close(self) -> None:
        """Nothing more is asked for."""
        await self._grounds.close()

    def _rests(self, order_id: str) -> bool:
        _, until = self._faults.get(order_id, (0, 0.0))
        return self._host.clock.monotonic() < until

    def _let_be(self, order_id: str) -> bool:
        """Whether it is tried once more, after a while."""
        times = self._faults.get(order_id, (0, 0.0))[0]
        if times == len(RESTS_S):
            return False
        self._faults[order_id] = times + 1, self._host.clock.monotonic() + RESTS_S[times]
        return True

    async def _arrived(self, seat: Seat, ids: Sequence[str], facts: Facts, asked: Asked) -> list[str]:
        """Those of them that are still to arrive: for these more is to be asked for, or the transaction is full."""
        told, context = await self._grounds.of(seat, _conditional(seat, ids), asked), seat.context()
        told = _aged(told, context, self._host.clock.now())
        same = seat.unpriced.same(seat, told)
        asked.waits |= same
        rows = deque(each for each in told if each[0].id not in same)
        if not rows:
            return []
        left = list[tuple[OrderRow, Ground | Refused]]()
        async with self.floor(seat) as (floor, halted):
            if halted:
                return []
            version, rows = floor.w.account.version, _aged(rows, context, floor.now)
            while rows and len(floor.fills) < FILLS_AT_ONCE:
                row, ground = rows[0]
                asked.order = row.id
                if not _arrive(floor, row, ground, facts, asked):
                    # What was asked for is of what the account held before.
                    asked.tasks.clear()
                    asked.done.clear()
                    break
                rows.popleft()
                if row.id in asked.waits:
                    left.append((row, ground))
            asked.order = None
            await floor.write()
        if floor.w.account.version == version:
            seat.unpriced.note(seat, left)
        return [row.id for row, _ in rows]

    async def _reject(self, seat: Seat, order_id: str) -> None:
        async with self.floor(seat) as (floor, _):
            row = floor.orders.get(order_id)
            if row is not None and row.open and row.status == OrderStatus.NEW:
                floor.fail(row, "INTERNAL", FAULT)
                await floor.write()

    async def give_up(self, seat: Seat, ids: Collection[str], facts: Facts) -> None:
        """What orders waited for can never come."""
        async with self.floor(seat) as (floor, _):
            rows = [floor.orders[each] for each in ids if each in floor.orders]
            gone = [row.id for row in rows if row.condition is not None and hopeless(read(row.condition), facts)]
            floor.end_all(gone, OrderStatus.CANCELED, "PARENT_ENDED")
            await floor.write()


def _due(seat: Seat, newest: NewestOf, now: datetime) -> list[Due]:
    """Orders that the newest message means something to, though they have come after it."""
    found = []
    for row in seat.due(now):
        market = newest(row)
        if market is None or market.tick is None:
            continue
        form = form_of(seat.followed(row), lends=seat.lends)
        if step(form, market.tick, market.spec, market.model, open=market.open, now=now).changed:
            found.append((row, market))
    return found


def _conditional(seat: Seat, ids: Iterable[str]) -> list[OrderRow]:
    known = (seat.orders.get(each) for each in ids)
    return [row for row in known if row is not None and row.condition is not None]


def _aged(
    rows: Iterable[tuple[OrderRow, Ground | Refused]], context: Context, now: datetime
) -> deque[tuple[OrderRow, Ground | Refused]]:  # fmt: skip
    """Orders with their prices, as they are by now: by what streams have told since, and as old as that is."""
    rows = list(rows)
    known = {id(ground): ground for _, ground in rows}
    older = {
        key: each if isinstance(each, Refused) else with_news(context, each).at(now) for key, each in known.items()
    }
    return deque((row, older[id(ground)]) for row, ground in rows)


def _arrive(floor: Floor, row: OrderRow, ground: Ground | Refused, facts: Facts, asked: Asked) -> bool:
    """Whether no more is to be asked for now: it has arrived, is refused or over, or waits for something else by now,
    or for a price."""
    now, condition = floor.orders.get(row.id), read(row.condition)
    if now is None or not is_waiting(now, condition) or not _still(floor, facts, now):
        return True
    if now.expires_at is not None and now.expires_at <= floor.now:
        floor.end_all([now.id], OrderStatus.EXPIRED, "EXPIRED")
        return True
    if not isinstance(ground, Refused):
        if not is_priced(floor, ground.marks):
            return False
        floor.judge(row.id, ground.marks)
        arrive(floor, ground, now)
    elif ground.code not in UNVALUED:
        floor.fail(now, ground.code, ground.message)
    if is_waiting(floor.orders[row.id], condition):
        asked.waits.add(row.id)
    return True


def _still(floor: Floor, facts: Facts, row: OrderRow) -> bool:
    """Whether what it waits for holds by how the account's orders stand now."""
    condition, parent = read(row.condition), row.parent_id
    waits = (parent, condition.order_id if isinstance(condition, OrderCondition) else None)
    rows = [floor.orders[id] for id in waits if id is not None and id in floor.orders]
    stood = {row.id: OrderStatus(row.status) for row in rows}
    known = replace(facts, orders={**facts.orders, **stood})
    return met(condition, known) and (parent is None or known.orders.get(parent) is OrderStatus.FILLED)


def _reach(floor: Floor, due: Sequence[Due], fills: int) -> list[Due]:
    """Orders that are due as they were looked at, in the order in which they share a message: who was accepted anew
    meanwhile is looked at again. After so many fills it stops: those that are left are for another transaction."""
    reached = set[str]()
    for market in {row.instrument: market for row, market in due}.values():
        same = [floor.orders[row.id] for row, each in due if each.tick == market.tick and _is_still(floor, row)]
        if market.tick is None:
            continue
        stood = {row.id: row for row in sorted(same, key=lambda row: row.number)}
        meeting = Meeting(market.tick, market.spec, market.model, floor.offers.of(market), open=market.open)
        for found in meeting.queue(form_of(row, lends=floor.lends) for row in stood.values()):
            if not _is_still(floor, stood[found.id]):
                continue
            if len(floor.fills) >= fills:
                return [each for each in due if each[0].id not in reached]
            reached.add(found.id)
            floor.step(floor.orders[found.id], market)
    return []


def _is_still(floor: Floor, row: OrderRow) -> bool:
    now = floor.orders.get(row.id)
    return now is not None and _is_due(now) and now.accepted_at == row.accepted_at


def _is_due(row: OrderRow) -> bool:
    return _works(row) and row.due_at is not None


def _working(floor: Floor, seat: Seat, tick: Tick) -> Iterator[OrderRow]:
    """Orders that a message meets."""
    for row in floor.open:
        if row.instrument == str(tick.instrument) and _works(row) and seat.meets(row, tick):
            yield row


def _works(row: OrderRow) -> bool:
    return OrderStatus(row.status) in WORKING


def _stood(seat: Seat, floor: Floor, only: frozenset[str] | None) -> Stood:
    """As it stands after a transaction that has read some instruments, or all."""
    orders, positions = {row.id: row for row in floor.open}, dict(floor.positions)
    if only is not None:
        orders |= {id: row for id, row in seat.orders.items() if id not in floor.orders}
        positions |= {} if floor.lends else {name: row for name, row in seat.positions.items() if name not in only}
    ended = {row.id: row.status for row in floor.orders.values() if not row.open}
    known = {id: status.value for id, status in seat.statuses.items()}
    return Stood(
        account=floor.w.account, orders=tuple(orders.values()), positions=tuple(positions.values()), cash=None,
        statuses={**known, **ended},
    )  # fmt: skip
