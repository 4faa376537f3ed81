"""Orders, fills, positions and trips against each other and against the ledger. Pure.

Fills are replayed in the order in which the ledger booked them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from gateway.core.matching.contingencies import EXITS
from gateway.core.matching.lifecycle import CANCELED, EXPIRED, FILLED, PARTLY, TERMINAL
from gateway.core.matching.positions import Applied, Position, Trip, apply
from gateway.core.matching.rounding import quantum_of
from gateway.core.quant.lots import LotMethod
from plugins.trading.accounts.rules import SIMULATOR
from plugins.trading.ledger.book import by_entry
from plugins.trading.ledger.chart import EXACT, ZERO, Ledger, minus, money, shown, times, total
from plugins.trading.ledger.drafts import Line
from plugins.trading.ledger.proof.entries import balances_of
from plugins.trading.ledger.proof.findings import Found, differs
from plugins.trading.ledger.proof.loading import Kept
from plugins.trading.markets.specs import is_derivative
from plugins.trading.positions.turning import position_of
from plugins.trading.rows import EntryRow, FillRow, OrderRow, PositionRow, TripRow
from schema.symbols import parse_instrument
from schema.words.orders import EntryKind, OrderStatus
from schema.words.trades import Side

_FILLED = frozenset({PARTLY, FILLED, CANCELED, EXPIRED})
"""What an order may be once some of it is filled."""


@dataclass(slots=True)
class _Course:
    """An instrument while its fills are replayed."""

    position: Position | None = None
    currency: str = ""
    trips: list[Trip] = field(default_factory=list)


def trade_findings(kept: Kept) -> list[Found]:
    """All of them."""
    lines = by_entry(kept.lines)
    booked, method = _booked(kept), LotMethod(kept.account.method)
    courses: dict[str, _Course] = {}
    found = [*_numbers(kept), *_orders(kept)]
    fills = {fill.id: fill for fill in kept.fills}
    for fill in kept.fills:
        if fill.id not in booked:
            found.append((fill.id, "no entry of the ledger books this fill"))
    for entry in kept.entries:
        mine = lines.get(entry.id, [])
        if entry.fill_id and booked.get(entry.fill_id) == entry.id:
            booking = fills.get(entry.fill_id)
            if booking is None:
                found.append((entry.id, f"it books the fill {entry.fill_id}, which is not there"))
                continue
            found += differs(booking.id, "its time", booking.at, entry.at)
            found += _fill(booking, _replay(courses.setdefault(booking.instrument, _Course()), booking, method), mine)
        elif entry.kind == EntryKind.ADJUSTMENT and entry.instrument:
            found += _units(courses.setdefault(entry.instrument, _Course()), entry, mine, method)
    found += _fees(kept, lines)
    return [*found, *_positions(kept, courses, lines), *_trips(kept, courses), *_funding(kept, lines)]


def _booked(kept: Kept) -> dict[str, str]:
    """The entry of each fill, in their order; without those that were reversed."""
    reversed_ = {entry.reverses for entry in kept.entries}
    return {
        entry.fill_id: entry.id
        for entry in kept.entries
        if entry.fill_id and entry.kind == EntryKind.TRADE_PNL and entry.reverses is None and entry.id not in reversed_
    }


def _numbers(kept: Kept) -> list[Found]:
    numbers = [order.number for order in kept.orders]
    found: list[Found] = []
    if numbers != list(range(1, len(numbers) + 1)):
        found.append(("orders", f"their numbers are not 1 to {len(numbers)}"))
    return found + differs("account", "its count of orders", kept.account.orders, max(numbers, default=0))


def _orders(kept: Kept) -> list[Found]:
    of: dict[str, list[FillRow]] = {order.id: [] for order in kept.orders}
    found: list[Found] = []
    for fill in kept.fills:
        if fill.order_id in of:
            of[fill.order_id].append(fill)
        else:
            found.append((fill.id, f"its order {fill.order_id} is not there"))
    simulated, open_ = kept.account.broker == SIMULATOR, {order.id for order in kept.orders if order.open}
    for order in kept.orders:
        found += [*_order(order, of[order.id]), *_state(order), *(_filling(order, open_) if simulated else ())]
    return found


def _order(order: OrderRow, fills: Sequence[FillRow]) -> list[Found]:
    found = [
        *differs(order.id, "filled", order.filled, total(fill.quantity for fill in fills)),
        *differs(order.id, "paid", order.paid, total(times(fill.quantity, fill.price) for fill in fills)),
        *differs(order.id, "its count of fills", order.fills, len(fills)),
    ]
    if order.quantity is not None and order.filled > order.quantity:
        found.append((order.id, f"more is filled than the {order.quantity} that were ordered"))
    for fill in fills:
        found += [
            *differs(fill.id, "its side", fill.side, order.side),
            *differs(fill.id, "its instrument", fill.instrument, order.instrument),
            *differs(fill.id, "its currency", fill.currency, order.currency),
        ]
    if [fill.number for fill in fills] != list(range(1, len(fills) + 1)):
        found.append((order.id, f"the numbers of its fills are not 1 to {len(fills)}"))
    return found


def _state(order: OrderRow) -> list[Found]:
    """Whether it is open, and holds something, by its status."""
    ended = OrderStatus(order.status) in TERMINAL
    found: list[Found] = []
    if order.open == ended:
        found.append((order.id, f"it is {order.status}, and {'open still' if order.open else 'not open'}"))
    if ended and order.reserved:
        found.append((order.id, f"it is {order.status}, and holds {shown(order.reserved)} {order.currency} still"))
    return found


def _filling(order: OrderRow, open_: Collection[str]) -> list[Found]:
    """Its status by what is filled. A broker may take its fee of what it fills, and be slow to tell: not of its own."""
    status, whole = OrderStatus(order.status), order.filled == order.quantity
    if whole and status is not FILLED and _waits(order, open_):
        whole = False
    if (status is FILLED) == whole and (status in _FILLED if order.filled else status is not PARTLY):
        return []
    of = "" if order.quantity is None else f" of {shown(order.quantity)}"
    return [(order.id, f"it is {status}, and {shown(order.filled)}{of} is filled")]


def _waits(order: OrderRow, open_: Collection[str]) -> bool:
    """Whether it may be of no size more than it has filled: an exit while its entry opens nothing, or that ended so."""
    return order.leg in EXITS and order.parent_id is not None and (not order.open or order.parent_id in open_)


def _replay(course: _Course, fill: FillRow, method: LotMethod) -> Applied:
    quantum = quantum_of(fill.currency)
    applied = apply(
        course.position, Side(fill.side), fill.quantity, fill.price, fill.at, method, fill.contract_size,
        quantum=quantum, fee=fill.fee,
    )  # fmt: skip
    _follow(course, applied, fill.currency)
    return applied


def _follow(course: _Course, applied: Applied, currency: str) -> None:
    course.position, course.currency = applied.position, currency
    if applied.trip is not None:
        course.trips.append(applied.trip)


def _fill(fill: FillRow, applied: Applied, lines: Sequence[Line]) -> list[Found]:
    """Its own figures, and its entry's lines, against the replay."""
    signed = fill.quantity if fill.side == Side.BUY else minus(fill.quantity)
    derivative = is_derivative(parse_instrument(fill.instrument))
    cash = applied.realised if derivative else money(minus(times(signed, fill.price)), fill.currency)
    cost = ZERO if derivative else EXACT.subtract(applied.realised, cash)
    return [
        *differs(fill.id, "realised", fill.realised, applied.realised),
        *differs(fill.id, "its entry's units", _sum(lines, Ledger.UNITS, fill.instrument), signed),
        *differs(fill.id, "its entry's cash", _sum(lines, Ledger.CASH, fill.currency), cash),
        *differs(fill.id, "its entry's cost", _sum(lines, Ledger.COST, fill.currency), cost),
        *differs(fill.id, "its entry's pnl", _sum(lines, Ledger.PNL, fill.currency), minus(applied.realised)),
    ]


def _units(course: _Course, entry: EntryRow, lines: Sequence[Line], method: LotMethod) -> list[Found]:
    """Units that came or went at a broker without a trade, for no money."""
    units = _sum(lines, Ledger.UNITS, str(entry.instrument))
    if not units:
        return [(entry.id, f"it moves no units of {entry.instrument}")]
    currency = next((line.asset for line in lines if line.ledger is Ledger.COST), course.currency)
    side = Side.BUY if units > 0 else Side.SELL
    quantum = quantum_of(currency) if currency else None
    applied = apply(course.position, side, abs(units), ZERO, entry.at, method, quantum=quantum)
    _follow(course, applied, currency)
    return [
        *differs(entry.id, "its cash", _sum(lines, Ledger.CASH, currency), ZERO),
        *differs(entry.id, "its cost", _sum(lines, Ledger.COST, currency), applied.realised),
        *differs(entry.id, "its pnl", _sum(lines, Ledger.PNL, currency), minus(applied.realised)),
    ]


def _fees(kept: Kept, lines: Mapping[str, Sequence[Line]]) -> list[Found]:
    paid: dict[tuple[str, str], list[Decimal]] = {}
    for entry in kept.entries:
        if entry.fill_id and entry.kind == EntryKind.COMMISSION:
            for line in lines.get(entry.id, []):
                if line.ledger is Ledger.FEES:
                    paid.setdefault((entry.fill_id, line.asset), []).append(line.amount)
    return [
        each
        for fill in kept.fills
        for each in differs(fill.id, "fee", fill.fee, total(paid.get((fill.id, fill.currency), ())))
    ]  # fmt: skip


def _positions(kept: Kept, courses: Mapping[str, _Course], lines: Mapping[str, list[Line]]) -> list[Found]:
    """Against what the ledger sums to, and against what the fills make of them."""
    posted, _ = balances_of(kept, lines)
    stored = {row.instrument: row for row in kept.positions}
    named = {asset for ledger, asset in posted if ledger == Ledger.UNITS}
    found: list[Found] = []
    for instrument in sorted({*stored, *courses, *named}):
        row, course = stored.get(instrument), courses.get(instrument, _Course())
        units = posted.get((Ledger.UNITS.value, instrument), ZERO)
        found += differs(instrument, "quantity", row.quantity if row else ZERO, units)
        found += _position(instrument, row, course)
    costs: dict[str, list[Decimal]] = {}
    for row in kept.positions:
        if not is_derivative(parse_instrument(row.instrument)):
            costs.setdefault(row.currency, []).append(row.cost)
    for currency in sorted({*costs, *(asset for ledger, asset in posted if ledger == Ledger.COST)}):
        reckoned = posted.get((Ledger.COST.value, currency), ZERO)
        found += differs(f"cost {currency}", "the cost of positions", total(costs.get(currency, ())), reckoned)
    return found


def _position(instrument: str, row: PositionRow | None, course: _Course) -> list[Found]:
    reckoned = course.position
    if row is None or reckoned is None:
        if row is None and reckoned is None:
            return []
        told = "no position is kept, and its fills left one" if row is None else "its fills left no position"
        return [(instrument, told)]
    return [
        *differs(instrument, "the replayed quantity", row.quantity, reckoned.quantity),
        *differs(instrument, "cost", row.cost, reckoned.cost),
        *differs(instrument, "currency", row.currency, course.currency or row.currency),
        *differs(instrument, "lots", _lots(position_of(row)), _lots(reckoned)),
        *differs(instrument, "opened at", row.opened_at, reckoned.opened_at),
        *differs(instrument, "bought", row.bought, reckoned.bought),
        *differs(instrument, "the value of what was bought", row.bought_value, reckoned.bought_value),
        *differs(instrument, "sold", row.sold, reckoned.sold),
        *differs(instrument, "the value of what was sold", row.sold_value, reckoned.sold_value),
        *differs(instrument, "realised", row.realised, reckoned.realised),
        *differs(instrument, "fees", row.fees, reckoned.fees),
    ]


def _lots(position: Position) -> list[tuple[date, Decimal, Decimal]]:
    return [(lot.opened, lot.quantity, lot.cost) for lot in position.lots]


def _trips(kept: Kept, courses: Mapping[str, _Course]) -> list[Found]:
    stored: dict[str, list[TripRow]] = {}
    for row in kept.trips:
        stored.setdefault(row.instrument, []).append(row)
    found: list[Found] = []
    for instrument in sorted({*stored, *courses}):
        rows, course = stored.get(instrument, []), courses.get(instrument, _Course())
        trips = course.trips
        found += differs(instrument, "its count of closed positions", len(rows), len(trips))
        told = sorted((row.opened_at, row.closed_at, row.side, row.currency, *_figures(row)) for row in rows)
        currency = course.currency or (rows[0].currency if rows else "")
        made = sorted((trip.opened_at, trip.closed_at, trip.side.value, currency, *_figures(trip)) for trip in trips)
        if len(rows) == len(trips) and told != made:
            found.append((instrument, "its closed positions are not those that its fills made"))
    return found


def _figures(of: Trip | TripRow) -> tuple[Decimal, ...]:
    return of.quantity, of.entry_price, of.exit_price, of.realised, of.fees


def _funding(kept: Kept, lines: Mapping[str, Sequence[Line]]) -> list[Found]:
    """What positions, open and closed, were paid by what entries paid them, an instrument at a time.

    Entries once named no instrument: where there are such, all positions of their currency are taken together.
    """
    entries = [entry for entry in kept.entries if entry.kind == EntryKind.FUNDING]
    paid = {entry.id: [line for line in lines.get(entry.id, ()) if line.ledger is Ledger.FUNDING] for entry in entries}
    vague = {line.asset for entry in entries if entry.instrument is None for line in paid[entry.id]}
    booked: dict[str, list[Decimal]] = {}
    for entry in entries:
        for line in paid[entry.id]:
            subject = line.asset if line.asset in vague else entry.instrument or line.asset
            booked.setdefault(subject, []).append(minus(line.amount))
    got: dict[str, list[Decimal]] = {}
    rows: list[PositionRow | TripRow] = [*kept.positions, *kept.trips]
    for row in rows:
        got.setdefault(row.currency if row.currency in vague else row.instrument, []).append(row.funding)
    return [
        each
        for subject in sorted({*booked, *got})
        for each in differs(subject, "funding", total(got.get(subject, ())), total(booked.get(subject, ())))
    ]


def _sum(lines: Sequence[Line], ledger: Ledger, asset: str) -> Decimal:
    return total(line.amount for line in lines if line.ledger is ledger and line.asset == asset)
