"""One account in memory: what a message, the time or another order would make of its orders. Pure.

Nothing is decided here: where something would happen, the account is locked, and the same is asked again of what
stands in the database then. So a seat that has missed something costs a look, and never a fill.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from gateway.core.contract import Context
from gateway.core.matching.bands import Band
from gateway.core.matching.conditions import (
    Condition,
    Facts,
    OrderCondition,
    PriceCondition,
    TimeCondition,
    ValueCondition,
    hopeless,
    met,
    read,
)
from gateway.core.matching.contingencies import EXITS
from gateway.core.matching.lifecycle import WORKING
from gateway.core.matching.model import ExecutionModel, Step, Tick, Working
from gateway.core.matching.rounding import EXACT, total_of
from gateway.core.matching.trailing import follow
from gateway.core.matching.venue import match
from plugins.trading.engine.directory import Extreme
from plugins.trading.engine.unpriced import Unpriced
from plugins.trading.engine.unvalued import Unvalued
from plugins.trading.orders.market import Market, is_before
from plugins.trading.orders.offers import Offers
from plugins.trading.orders.turning import form_of
from plugins.trading.rows import AccountRow, BalanceRow, OrderRow, PositionRow
from schema.words.orders import FillSource, MarginType, OrderStatus
from schema.words.trades import Side

ZERO = Decimal(0)
LAST_BAR = timedelta(seconds=10)
"""How long an order whose time has run out waits for the bar that ended with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stood:
    """An account as it was read."""

    account: AccountRow
    orders: Sequence[OrderRow]
    positions: Sequence[PositionRow]
    cash: Sequence[BalanceRow] | None
    """None where it is to be read before anything is reckoned from it."""
    statuses: Mapping[str, str]
    """Of orders that have ended, and are waited for."""


@dataclass(frozen=True, slots=True)
class _Unpaid:
    """Of an order, a fill that an account could not pay at a version of it."""

    version: int
    quantity: Decimal
    value: Decimal


class Seat:
    """Of one account; changed by one task at a time."""

    def __init__(self, stood: Stood, context: Callable[[], Context], offers: Offers | None = None) -> None:
        self.context, self.offers = context, offers or Offers()
        self.unvalued, self.unpriced = Unvalued(), Unpriced()
        self.stopped = False
        """Whether its organisation, or the operator, has halted trading."""
        self.orders: dict[str, OrderRow] = {}
        self._forms: dict[str, dict[str, Working]] = {}
        self._extremes: dict[str, Extreme] = {}
        self._bands: dict[str, Band] = {}
        """By instrument, until one of its forms changes. Trails may be ahead of their forms there until settled."""
        self.unmet: dict[str, datetime] = {}
        """Orders that rest, and that no message has met as they are, by when they were accepted so."""
        self.came: dict[str, datetime] = {}
        """When what orders wait for was found to have come: by what was answered before none of them arrives."""
        self.asked: dict[str, datetime] = {}
        """Orders by force that have met what was asked for, by its stamp."""
        self._put_off: set[str] = set()
        """Those of them that are looked at each second only."""
        self._unpaid: dict[str, _Unpaid] = {}
        self.take(stood)

    def take(self, stood: Stood, others: Collection[str] | None = None) -> None:
        """As it stands now; what trails stays where it is better known here, whoever has written its order.

        *others* are orders that may have been accepted by others, all where it is not given: messages that are older
        pass them by, and the newest one may have come before they were read.
        """
        self._settle(*self._bands)
        self._bands = {}
        followed = {each.id: each for forms in self._forms.values() for each in forms.values()}
        before, self.orders = self.orders, {row.id: row for row in stood.orders if row.open}
        self.account, self.cash = stood.account, stood.cash
        self.positions = {row.instrument: row for row in stood.positions}
        self.statuses = {id: OrderStatus(status) for id, status in stood.statuses.items()}
        self.model, self._forms = ExecutionModel.read(stood.account.model), {}
        told, self._extremes, unmet, self.unmet = self._extremes, {}, self.unmet, {}
        self._waking = False
        for row in self.orders.values():
            if OrderStatus(row.status) not in WORKING:
                continue
            known, was = followed.get(row.id), before.get(row.id)
            if known is not None and was is not None and (was is row or _terms(was) == _terms(row)):
                since = unmet.get(row.id)
            else:
                since = row.accepted_at if others is None or row.id in others else None
            if since is not None and row.due_at is None:
                self.unmet[row.id] = since
            self._waking |= is_woken(row)
            if known is None or was is not row:
                form = form_of(row, lends=self.lends)
                known = replace(form, trail_extreme=_better(row, known)) if known else form
            self._forms.setdefault(row.instrument, {})[row.id] = known
            if known.trail_extreme is not None and (row.id in told or known.trail_extreme != row.trail_extreme):
                self._extremes[row.id] = Extreme(row.id, row.version, known.trail_extreme)
        # What is accepted anew is met by messages again.
        self._put_off &= self.unmet.keys()
        self.conditions = {row.id: read(row.condition) for row in self._waiting()}

    @property
    def id(self) -> str:
        """The account's."""
        return self.account.id

    @property
    def tenant(self) -> str:
        """The organisation that it belongs to."""
        return self.account.tenant_id

    @property
    def lends(self) -> bool:
        """Whether it may borrow."""
        return self.account.margin == MarginType.MARGIN

    @property
    def halted(self) -> bool:
        """Whether a kill switch is on, as far as is known."""
        return self.stopped or self.account.halted

    @property
    def idle(self) -> bool:
        """Whether there is nothing to work."""
        return not self.orders and not self.positions

    def matched(self) -> frozenset[str]:
        """Instruments whose messages its orders meet, now or once others have woken them."""
        return frozenset(row.instrument for row in self.orders.values())

    def quoted(self) -> frozenset[str]:
        """Instruments whose quotes are looked at: for what is held, and for conditions."""
        priced = (each.symbol for each in self.conditions.values() if isinstance(each, PriceCondition))
        return frozenset({*self.positions, *priced})

    def named(self) -> frozenset[str]:
        """Values from outside that conditions wait for."""
        return frozenset(each.key for each in self.conditions.values() if isinstance(each, ValueCondition))

    def referred(self) -> frozenset[str]:
        """Orders that are waited for, and are not open."""
        wanted = {each.order_id for each in self.conditions.values() if isinstance(each, OrderCondition)}
        return frozenset(wanted | {row.parent_id for row in self.orders.values() if row.parent_id}) - self.orders.keys()

    def held(self, instrument: str) -> Decimal:
        """Below zero where short."""
        row = self.positions.get(instrument)
        return row.quantity if row else ZERO

    def moves(self, market: Market, only: Collection[str] | None = None) -> bool:
        """Whether a message changes anything that must be written now; what trails follows it in memory.

        *only* are orders that it meets later than others: they are to be told by `met`.
        """
        if market.tick is None:
            return False
        name = str(market.tick.instrument)
        forms = self._forms.get(name)
        if not forms:
            return False
        if self.halted:
            self.pass_by(name)
            return False
        if only is None and self._passes(name, market, market.tick):
            return False
        self._settle(name)
        found = forms
        if self.unmet or self._waking or only is not None:
            found = {
                id: each for id, each in forms.items() if (id not in self._put_off if only is None else id in only)
            }
            found = {id: each for id, each in found.items() if not self._is_younger(id, market.tick)}
            self.met(found if only is None else ())
        steps = match(
            found.values(), market.tick, market.spec, market.model, open=market.open, held=self.held(name)
        )  # fmt: skip
        changed = [step for step in steps if step.changed and not self._is_unpaid(step)]
        if any(is_material(step, forms[step.order.id]) for step in changed):
            return True
        for step in changed:
            self._bands.pop(name, None)
            order = forms[step.order.id] = step.order
            if order.trail_extreme is not None:
                self._extremes[order.id] = Extreme(order.id, self.orders[order.id].version, order.trail_extreme)
        return False

    def _passes(self, name: str, market: Market, tick: Tick) -> bool:
        """Whether a message that meets all orders of its instrument changes nothing but how far stops have followed."""
        if not (self.unmet.keys() - self._put_off).isdisjoint(self._forms[name].keys()):
            return False
        band = self._bands.get(name)
        if band is None or band.tick != market.spec.tick:
            self._settle(name)
            forms = (each for id, each in self._forms[name].items() if id not in self._put_off)
            band = self._bands[name] = Band(forms, market.spec, self.held(name))
        return band.passes(tick, market.spec, market.model, open=market.open)

    def _settle(self, *names: str) -> None:
        """Forms follow as far as bands have let messages pass."""
        for name in names:
            band, forms = self._bands.get(name), self._forms.get(name, {})
            for id, best in band.moved() if band else ():
                extreme = follow(forms[id].side, forms[id].trail_extreme, best)
                if extreme != forms[id].trail_extreme:
                    forms[id] = replace(forms[id], trail_extreme=extreme)
                    self._extremes[id] = Extreme(id, self.orders[id].version, extreme)

    def met(self, ids: Collection[str]) -> None:
        """The newest message has met them."""
        for id in ids:
            self.unmet.pop(id, None)
            if id in self._put_off:
                # The band of its instrument was made without it.
                self._put_off.discard(id)
                self._settle(*self._bands)
                self._bands = {}

    def late_for(self, ids: Iterable[str], tick: Tick) -> frozenset[str]:
        """Those of some orders that no message has met, and that are not younger than this one."""
        return frozenset(id for id in ids if id in self.unmet and not self._is_younger(id, tick))

    def pass_by(self, instrument: str) -> None:
        """Trading is halted: the newest message meets its orders once it goes on."""
        for id, each in self._forms.get(instrument, {}).items():
            if each.due_at is None:
                self.unmet.setdefault(id, each.accepted_at)

    def meets(self, row: OrderRow, tick: Tick) -> bool:
        """Whether a row as it stands in the database is met by a message: an older one passes it by."""
        if row.id in self._forms.get(row.instrument, {}) and _terms(self.orders[row.id]) == _terms(row):
            return not self._is_younger(row.id, tick)
        return row.accepted_at is None or not is_before(tick, row.accepted_at)

    def _is_younger(self, order_id: str, tick: Tick) -> bool:
        row = self.orders[order_id]
        since = row.accepted_at if is_woken(row) else self.unmet.get(order_id)
        return since is not None and is_before(tick, since)

    def leave_out(self, unpaid: Mapping[str, Step]) -> None:
        """Fills that the account as it stands could not pay: no message of as little is looked at for them again."""
        known = {id: each for id, each in self._unpaid.items() if id in self.orders}
        self._unpaid = known | {id: _Unpaid(self.account.version, *_size(step)) for id, step in unpaid.items()}

    def put_off(self, ids: Iterable[str]) -> None:
        """Fills that were left out as the account cannot be valued: the newest message meets their orders again, once
        it can; that is looked at each second, and not with each message."""
        for id in ids:
            row = self.orders.get(id)
            if row is not None and row.due_at is None and row.accepted_at is not None:
                self.unmet.setdefault(id, row.accepted_at)
                self._put_off.add(id)

    def _is_unpaid(self, step: Step) -> bool:
        known = self._unpaid.get(step.order.id)
        if known is None or known.version != self.account.version:
            return False
        quantity, value = _size(step)
        if step.order.side is Side.BUY:
            # What costs more, of more units, cannot be paid either; what is cheaper may.
            return quantity >= known.quantity and value >= known.value
        return 0 < quantity <= known.quantity and value <= known.value

    def followed(self, row: OrderRow) -> OrderRow:
        """A row as it stands in the database, with how far its stop has followed in memory."""
        self._settle(row.instrument)
        known = self._forms.get(row.instrument, {}).get(row.id)
        best = row.trail_extreme if known is None else _better(row, known)
        return row if best == row.trail_extreme else replace(row, trail_extreme=best)

    def follow(self, rows: dict[str, OrderRow]) -> None:
        """The same of rows that may be written."""
        self._settle(*self._bands)
        self._bands = {}
        for forms in self._forms.values():
            for id, each in forms.items():
                if each.trail_extreme is not None and id in rows and rows[id].open:
                    rows[id] = self.followed(rows[id])
                    forms[id] = replace(each, trail_extreme=rows[id].trail_extreme)

    def extremes(self) -> list[Extreme]:
        """What is to be written of trailing stops."""
        self._settle(*self._bands)
        return list(self._extremes.values())

    def kept(self, told: Collection[Extreme]) -> None:
        """It is written."""
        self._settle(*self._bands)
        for each in told:
            if self._extremes.get(each.order) == each:
                del self._extremes[each.order]
                self.orders[each.order] = replace(self.orders[each.order], trail_extreme=each.price)

    def late(self, now: datetime) -> list[str]:
        """Orders whose time has run out."""
        return [row.id for row in self.orders.values() if row.expires_at is not None and now >= self._end(row)]

    def due(self, now: datetime) -> list[OrderRow]:
        """Orders that have reached the venue, and have not met a price there."""
        working = (row for row in self.orders.values() if row.due_at is not None and row.due_at <= now)
        return [row for row in working if OrderStatus(row.status) in WORKING]

    def next_at(self, now: datetime) -> datetime | None:
        """When time alone changes something."""
        return min((each for each in self._instants() if each > now), default=None)

    def facts(self, now: datetime, prices: Mapping[str, Decimal], values: Mapping[str, Decimal]) -> Facts:
        """What conditions are looked at by."""
        stood = {row.id: OrderStatus(row.status) for row in self.orders.values()}
        return Facts(now=now, prices=prices, orders={**self.statuses, **stood}, values=values)

    def come(self, facts: Facts) -> list[str]:
        """Orders whose conditions hold, and whose parent is filled."""
        if self.halted:
            return []
        return [id for id, each in self.conditions.items() if met(each, facts) and self._is_free(self.orders[id])]

    def lost(self, facts: Facts) -> list[str]:
        """Orders whose conditions can never hold any more."""
        return [id for id, each in self.conditions.items() if hopeless(each, facts)]

    def _waiting(self) -> Iterator[OrderRow]:
        for row in self.orders.values():
            if row.status == OrderStatus.NEW and row.condition is not None:
                yield row

    def _is_free(self, row: OrderRow) -> bool:
        return row.parent_id is None or self.statuses.get(row.parent_id) is OrderStatus.FILLED

    def _end(self, row: OrderRow) -> datetime:
        if row.expires_at is None:
            raise ValueError(f"{row.id} has no end")
        bars = self.model.source is FillSource.BARS and row.status != OrderStatus.NEW
        return row.expires_at + LAST_BAR if bars else row.expires_at

    def _instants(self) -> Iterator[datetime]:
        for row in self.orders.values():
            if row.expires_at is not None:
                yield self._end(row)
            if row.due_at is not None:
                yield row.due_at
        for condition in self.conditions.values():
            if isinstance(condition, TimeCondition):
                yield condition.at


def is_woken(row: OrderRow) -> bool:
    """Whether it arrives as another order was filled: it meets what is told from then on, whatever the newest is."""
    return row.due_at is not None and row.parent_id is not None and row.condition is None


def _terms(row: OrderRow) -> tuple[object, ...]:
    """What a message is compared with, and since when; the size is not, as orders change it for each other."""
    return row.accepted_at, row.limit_price, row.stop_price, row.trail_amount, row.trail_percent


def _better(row: OrderRow, known: Working) -> Decimal | None:
    """The best price that its stop has followed, of its row and of what is known besides."""
    if row.quantity == row.filled:
        # An exit that has nothing to protect begins anew with what it protects next.
        return None
    if known.trail_extreme is None or (row.leg in EXITS and row.accepted_at != known.accepted_at):
        # It may have begun anew since: its row says how far it has followed.
        return row.trail_extreme
    return follow(Side(row.side), row.trail_extreme, known.trail_extreme)


def is_material(step: Step, before: Working) -> bool:
    """Whether a step changed more than how far a stop has followed."""
    after = step.order
    told = step.executions or step.triggered or step.reason is not None
    return bool(told) or after.status is not before.status or after.due_at != before.due_at


def _size(step: Step) -> tuple[Decimal, Decimal]:
    """Units that a step fills, and what they are worth."""
    made = step.executions
    return total_of(each.quantity for each in made), total_of(
        EXACT.multiply(each.quantity, each.price) for each in made
    )


def is_waiting(row: OrderRow, condition: Condition) -> bool:
    """Whether an order still waits for the same."""
    return row.open and row.status == OrderStatus.NEW and row.condition is not None and read(row.condition) == condition
