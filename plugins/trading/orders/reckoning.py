"""What open orders hold of a margin, by what of them opens: the first placed closes first. Pure.

What is filled at once closes before what waits. What waits to be touched from the other side (stops) and what waits
at a limit are reckoned each by itself: only one of them is reached first, and what it fills reckons the others anew.
What ends an order or changes its size reckons those behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from gateway.core.matching.chances import UNTIL_TRIGGERED
from gateway.core.matching.contingencies import EXITS
from gateway.core.matching.lifecycle import PARTLY, TRIGGERED
from gateway.core.matching.margin import reserve
from gateway.core.matching.model import ExecutionModel, Spec, Tick
from gateway.core.matching.rounding import EXACT
from gateway.core.matching.venue import closable
from plugins.trading.orders.checks import side_price
from plugins.trading.orders.turning import part_of
from plugins.trading.rows import OrderRow
from schema.words.orders import OrderType
from schema.words.trades import Side

if TYPE_CHECKING:
    from plugins.trading.orders.market import Market

ZERO = Decimal(0)
_STOPS = UNTIL_TRIGGERED - {OrderType.MARKET_IF_TOUCHED}
_TOUCHED = frozenset({TRIGGERED, PARTLY})


class Way(IntEnum):
    """How an order waits: what is filled at once closes before what waits."""

    AT_ONCE = 0
    STOP = 1
    LIMIT = 2


class Part(NamedTuple):
    """An open order, and what of it opens."""

    row: OrderRow
    opens: Decimal


def parts_of(rows: Iterable[OrderRow], held: Decimal) -> dict[str, Part]:
    """Of an instrument's open orders the part that opens, by their ids: once those before it have closed what is held.

    What has no number yet comes last. What waits for a condition holds nothing, nor do exits, which only reduce, each
    of what another one may close, too: both are left out.
    """
    found, ahead = dict[str, Part](), dict[tuple[str, Way], Decimal]()
    closes = {side.value: closable(side, held) for side in Side}
    for row in sorted(rows, key=rank_of):
        if row.quantity is None or row.condition is not None or row.leg in EXITS:
            continue
        left, closing = EXACT.subtract(row.quantity, row.filled), closes[row.side]
        # What nothing is held against is not counted: most orders.
        if closing:
            way = _way(row)
            before = ahead.get((row.side, Way.AT_ONCE), ZERO)
            if way is not Way.AT_ONCE:
                before = EXACT.add(before, ahead.get((row.side, way), ZERO))
            ahead[row.side, way] = EXACT.add(ahead.get((row.side, way), ZERO), left)
            if before < closing:
                left = max(ZERO, EXACT.subtract(left, EXACT.subtract(closing, before)))
        found[row.id] = Part(row, left)
    return found


def rank_of(row: OrderRow) -> tuple[bool, int]:
    """By which orders stand behind each other; what has no number yet comes last."""
    return not row.number, row.number


def weight_of(row: OrderRow | None) -> tuple[Way, Decimal] | None:
    """What of it counts for the orders behind it: the same again changes nothing of what they open."""
    if row is None or not row.open or row.quantity is None or row.condition is not None or row.leg in EXITS:
        return None
    return _way(row), EXACT.subtract(row.quantity, row.filled)


def reserve_at(
    row: OrderRow, tick: Tick | None, spec: Spec, model: ExecutionModel, leverage: Decimal, opens: Decimal
) -> Decimal:
    """What it holds while it is open; for what nobody prices yet by its own limit or stop, else by what the other side
    is at; as much as before where nothing tells a price."""
    if not opens:
        return ZERO
    here, there = (Side.BUY, Side.SELL) if row.side == Side.BUY else (Side.SELL, Side.BUY)
    price = (side_price(tick, here) if tick else None) or row.limit_price or row.stop_price
    price = price or (side_price(tick, there) if tick else None)
    return row.reserved if price is None else reserve(row, price, spec, model, leverage, opens)


class Reserves:
    """Of one account: what each order holds is reckoned once for a price and what of it opens, however often those
    before it change."""

    def __init__(self, leverage: Decimal) -> None:
        self._leverage = leverage
        self._known: dict[str, tuple[object, Decimal]] = {}

    def of(self, row: OrderRow, market: Market, opens: Decimal) -> Decimal:
        """See `reserve_at`."""
        if not opens or row.reduce_only:
            return ZERO
        asked = (opens, row.limit_price, row.stop_price, not row.fills, market.tick, market.spec, market.model)
        known = self._known.get(row.id)
        if known is not None and known[0] == asked:
            return known[1]
        found = reserve_at(row, market.tick, market.spec, market.model, self._leverage, opens)
        self._known[row.id] = asked, found
        return found


Holds = tuple[OrderRow, Decimal]
"""An order, and what it is to hold from now on."""


def reckoned(rows: Iterable[OrderRow], held: Decimal, market: Market, reserves: Reserves) -> Iterator[Holds]:
    """Those of an instrument's open orders that hold another amount by the price of now."""
    for part in parts_of(rows, held).values():
        reserved = reserves.of(part.row, market, part.opens)
        if reserved != part.row.reserved:
            yield part.row, reserved


def shifted(
    rows: Iterable[OrderRow], before: Mapping[str, Part], held: Decimal, market: Market | None, reserves: Reserves
) -> Iterator[Holds]:
    """Those that open another part than *before* another order was changed or ended, and hold more or less by that."""
    for id, part in parts_of(rows, held).items():
        was = before.get(id)
        if was is None or was.opens == part.opens:
            continue
        reserved = anew(part, was, market, reserves)
        if reserved != part.row.reserved:
            yield part.row, reserved


def anew(part: Part, was: Part, market: Market | None, reserves: Reserves) -> Decimal:
    """By the price of now; where nobody tells one, by what it has held for what it was to open."""
    row = part.row
    if not part.opens:
        return ZERO
    if was.opens and (market is None or market.tick is None) and _terms(row) == _terms(was.row):
        return part_of(row.reserved, part.opens, was.opens, row.currency)
    return row.reserved if market is None else reserves.of(row, market, part.opens)


def _terms(row: OrderRow) -> object:
    return row.reserved, row.limit_price, row.stop_price


def _way(row: OrderRow) -> Way:
    if row.type == OrderType.MARKET:
        return Way.AT_ONCE
    return Way.STOP if row.type in _STOPS and row.status not in _TOUCHED and not row.filled else Way.LIMIT
