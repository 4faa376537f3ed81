"""Orders whose conditions hold, and that wait for a price: by what each was left alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from plugins.trading.markets.marks import Marks
from plugins.trading.orders.ground import Ground
from plugins.trading.rows import OrderRow
from schema.words.problems import Refused

if TYPE_CHECKING:
    from plugins.trading.engine.seat import Seat


class Unpriced:
    """Of one seat. By the same again, and while nobody changes the account, the same would come of it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, object]] = {}
        """The account's version, and what was told."""

    def note(self, seat: Seat, left: Iterable[tuple[OrderRow, Ground | Refused]]) -> None:
        """A transaction that has changed nothing has left these orders alone, each by its ground."""
        version = seat.account.version
        self._known = {id: each for id, each in self._known.items() if id in seat.orders and each[0] == version}
        self._known |= {row.id: (version, told) for row, told in _each(left)}

    def same(self, seat: Seat, met: Iterable[tuple[OrderRow, Ground | Refused]]) -> frozenset[str]:
        """Those of some orders that their grounds leave alone again."""
        known, version = self._known, seat.account.version
        met = [(row, ground) for row, ground in met if row.id in known and known[row.id][0] == version]
        return frozenset(row.id for row, told in _each(met) if known[row.id][1] == told)


def _each(met: Iterable[tuple[OrderRow, Ground | Refused]]) -> Iterator[tuple[OrderRow, object]]:
    """What each is told; many share one ground."""
    known = dict[int, object]()
    for row, ground in met:
        if id(ground) not in known:
            known[id(ground)] = _told(ground)
        yield row, known[id(ground)]


def _told(ground: Ground | Refused) -> object:
    """All that is decided by, without when it was told."""
    if isinstance(ground, Refused):
        return ground.code
    priced, tick = ground.priced, ground.fresh
    # By an old price nothing is filled, whatever it offers.
    offers = None if tick is None else replace(tick, at=tick.at.min, as_of=None)
    price = None if priced is None else (priced.price, priced.currency, priced.open, priced.held_copy, offers)
    return ground.spec, ground.model, price, _amounts(ground.marks)


def _amounts(marks: Marks) -> object:
    prices = {name: (each.price, each.stale, each.open, each.bid, each.ask) for name, each in marks.prices.items()}
    rates = {currency: each.rate for currency, each in marks.rates.items()}
    return prices, rates, marks.old_rates, frozenset(marks.failures)
