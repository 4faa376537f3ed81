"""What the other open orders of an instrument hold beside one order, whatever size that one comes to. Pure.

Of orders that close one after the other the first open nothing, the last open all of themselves, and between them at
most one opens a part: two sums, which are made once, and that one tell what all of them hold.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from gateway.core.matching.margin import opening
from gateway.core.matching.rounding import EXACT
from gateway.core.matching.venue import closable
from plugins.trading.orders.reckoning import Part, Way, anew, rank_of, weight_of
from plugins.trading.rows import OrderRow
from schema.words.trades import Side

if TYPE_CHECKING:
    from plugins.trading.orders.floor import Floor
    from plugins.trading.orders.market import Market

ZERO = Decimal(0)
More = Callable[[OrderRow, Decimal], Decimal]
"""What an order holds more than now where so much of it opens."""


class _Lane:
    """Orders of one side that close one after the other, in the order of placing."""

    def __init__(self, more: More) -> None:
        self._more = more
        self._rows: list[tuple[OrderRow, Decimal]] = []
        self._before: list[Decimal] = []

    def add(self, row: OrderRow, left: Decimal, before: Decimal) -> None:
        """The next one, behind which *before* is to be closed first: no less than that and what is left of the last."""
        self._rows.append((row, left))
        self._before.append(before)

    def more(self, closing: Decimal) -> Decimal:
        """What they hold more than now, where there is so much to close for them and those before them."""
        first = bisect_left(self._before, closing)
        if not first:
            return self._whole[-1]
        row, left = self._rows[first - 1]
        part = max(ZERO, EXACT.subtract(left, EXACT.subtract(closing, self._before[first - 1])))
        sums = EXACT.add(self._none[first - 1], self._whole[len(self._rows) - first])
        return EXACT.add(sums, self._more(row, part))

    @cached_property
    def _whole(self) -> list[Decimal]:
        """Of so many of the last, where each opens all that is left of it."""
        return list(accumulate((self._more(row, left) for row, left in reversed(self._rows)), EXACT.add, initial=ZERO))

    @cached_property
    def _none(self) -> list[Decimal]:
        """Of so many of the first, where none opens anything."""
        return list(accumulate((self._more(row, ZERO) for row, _ in self._rows), EXACT.add, initial=ZERO))


_Lanes = Mapping[tuple[str, Way, bool], _Lane]
"""By side, by how they wait, and whether they stand behind the one order."""


class Beside:
    """Of one order, whose side and place stay as they are. The floor stays as it is meanwhile."""

    def __init__(self, floor: Floor, market: Market, row: OrderRow) -> None:
        self._floor, self._market, self._row = floor, market, row

    def opens(self, row: OrderRow, held: Decimal) -> Decimal:
        """What of it opens, as it is to be."""
        weight = weight_of(row)
        if weight is None:
            return ZERO
        way, left = weight
        side = Side(row.side)
        # What nothing is held against opens whole, whatever stands before it.
        return opening(side, left, held, self._ahead[way]) if closable(side, held) else left

    def changed(self, row: OrderRow, held: Decimal) -> Decimal:
        """What others hold more than now by the price of now, where it is left like this, and so much is held."""
        return self._sum(self._now, row, held)

    def shifted(self, row: OrderRow) -> Decimal:
        """The same of those only that open another part as it is changed to this: those behind it."""
        return self._sum(self._moved, row, self._floor.held(row.instrument)) if row.number else ZERO

    @cached_property
    def _others(self) -> list[OrderRow]:
        mine = self._row
        rows = self._floor.orders.open_of(mine.instrument)
        return sorted((each for each in rows if each.id != mine.id), key=rank_of)

    @cached_property
    def _ahead(self) -> Mapping[Way, Decimal]:
        """What those before it are to close first, by how it waits itself."""
        sums = dict.fromkeys(Way, ZERO)
        for each in self._others:
            weight = weight_of(each)
            if weight is not None and each.side == self._row.side and not self._is_behind(each):
                sums[weight[0]] = EXACT.add(sums[weight[0]], weight[1])
        return {way: _before(sums, way) for way in Way}

    @cached_property
    def _now(self) -> _Lanes:
        reserves, market = self._floor.reserves, self._market
        return self._lanes(lambda row, opens: EXACT.subtract(reserves.of(row, market, opens), row.reserved))

    @cached_property
    def _moved(self) -> _Lanes:
        before = self._floor.shifts.parts(self._row.instrument)

        def more(row: OrderRow, opens: Decimal) -> Decimal:
            was = before.get(row.id)
            if was is None or was.opens == opens:
                return ZERO
            holds = anew(Part(row, opens), was, self._market, self._floor.reserves)
            return EXACT.subtract(holds, row.reserved)

        return self._lanes(more)

    def _lanes(self, more: More) -> _Lanes:
        lanes = dict[tuple[str, Way, bool], _Lane]()
        sums = {side.value: dict.fromkeys(Way, ZERO) for side in Side}
        for row in self._others:
            if (weight := weight_of(row)) is None:
                continue
            (way, left), ahead = weight, sums[row.side]
            lane = lanes.setdefault((row.side, way, self._is_behind(row)), _Lane(more))
            lane.add(row, left, _before(ahead, way))
            ahead[way] = EXACT.add(ahead[way], left)
        return lanes

    def _sum(self, lanes: _Lanes, row: OrderRow, held: Decimal) -> Decimal:
        total, (own, left) = ZERO, weight_of(row) or (None, ZERO)
        for (side, way, behind), lane in lanes.items():
            closing = closable(Side(side), held)
            if behind and own in (Way.AT_ONCE, way):
                closing = EXACT.subtract(closing, left)
            total = EXACT.add(total, lane.more(closing))
        return total

    def _is_behind(self, other: OrderRow) -> bool:
        return other.side == self._row.side and rank_of(other) > rank_of(self._row)


def _before(sums: Mapping[Way, Decimal], way: Way) -> Decimal:
    at_once = sums[Way.AT_ONCE]
    return at_once if way is Way.AT_ONCE else EXACT.add(at_once, sums[way])
