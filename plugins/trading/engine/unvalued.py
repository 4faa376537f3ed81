"""Orders of a margin account that wait until it can be valued: by what each was left alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from plugins.trading.markets.marks import Marks
from plugins.trading.orders.market import Market
from plugins.trading.positions.standing import standing

if TYPE_CHECKING:
    from plugins.trading.engine.seat import Seat


@dataclass(frozen=True, slots=True)
class _By:
    """A message, the account's version, and the mark of the order's instrument."""

    market: Market
    version: int
    mark: Decimal | None


class Unvalued:
    """Of one seat. By the same again, and while nothing values the account, the same would come of it."""

    def __init__(self) -> None:
        self._known: dict[str, _By] = {}

    def note(self, seat: Seat, left: Mapping[str, Market], marks: Marks | None) -> None:
        """A transaction that has changed nothing has left these orders alone, each by a message."""
        if marks is None or not left:
            return
        version = seat.account.version
        self._known = {id: each for id, each in self._known.items() if id in seat.orders and each.version == version}
        for id, market in left.items():
            self._known[id] = _By(market, version, _mark(marks, market))

    def same(self, seat: Seat, met: Iterable[tuple[str, Market]], marks: Marks) -> frozenset[str]:
        """Those of some orders, each with the message that it would meet, that these marks leave alone again."""
        version = seat.account.version
        found = {id for id, each in met if self._known.get(id) == _By(each, version, _mark(marks, each))}
        return frozenset(found) if found and _is_unvalued(seat, marks) else frozenset()


def _mark(marks: Marks, market: Market) -> Decimal | None:
    mark = marks.prices.get(str(market.spec.instrument))
    return None if mark is None else mark.price


def _is_unvalued(seat: Seat, marks: Marks) -> bool:
    """Whether nothing can be decided by what the account amounts to, however much its orders hold."""
    if seat.cash is None:
        return False
    held = {row.currency: row.reserved for row in seat.orders.values() if row.reserved}
    now = standing(seat.account, seat.cash, held, tuple(seat.positions.values()), marks)
    return now.margin_available is None or now.stale
