"""An account's orders by their ids, found by instrument and by whom they belong to as well. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self

from gateway.core.matching.rounding import EXACT
from plugins.trading.rows import OrderRow

ZERO = Decimal(0)
_Ids = dict[str, dict[str, None]]


@dataclass(slots=True)
class _Index:
    instruments: _Ids = field(default_factory=dict)
    groups: _Ids = field(default_factory=dict)
    parents: _Ids = field(default_factory=dict)

    def add(self, before: OrderRow | None, row: OrderRow) -> None:
        """One that was not in yet, or that is another now: only what it waits for may have changed."""
        if before is None:
            self.instruments.setdefault(row.instrument, {})[row.id] = None
            if row.group_id is not None:
                self.groups.setdefault(row.group_id, {})[row.id] = None
        waited = None if before is None else before.parent_id
        if row.parent_id == waited:
            return
        if waited is not None:
            del self.parents[waited][row.id]
        if row.parent_id is not None:
            self.parents.setdefault(row.parent_id, {})[row.id] = None


class RowBook(dict[str, OrderRow]):
    """Orders by id, in the order in which they were put in. What is in it is put anew, and never taken out."""

    _known: _Index | None = None
    """Made once somebody asks: most of those who place an order do not."""

    _held: dict[str, Decimal] | None = None
    """What the open ones hold, by currency; made once somebody asks."""

    def __setitem__(self, id: str, row: OrderRow) -> None:
        before = self.get(id)
        if self._known is not None:
            self._known.add(before, row)
        if self._held is not None:
            if before is not None:
                self._hold(before.currency, EXACT.minus(_reserved(before)))
            self._hold(row.currency, _reserved(row))
        super().__setitem__(id, row)

    def setdefault(self, id: str, row: OrderRow) -> OrderRow:
        """One that is in already stays as it is."""
        if id not in self:
            self[id] = row
        return self[id]

    def copy(self) -> Self:
        """As it stands, to go on with."""
        return type(self)(self)

    def open_of(self, instrument: str) -> Iterator[OrderRow]:
        """The open ones of an instrument."""
        return (row for id in self._index.instruments.get(instrument, ()) if (row := self[id]).open)

    def reserved(self, but: str | None = None) -> dict[str, Decimal]:
        """What the open ones hold, by currency, where it is anything; without that of one of them."""
        if self._held is None:
            self._held = {}
            for row in self.values():
                self._hold(row.currency, _reserved(row))
        found, one = self._held.copy(), self.get(but) if but is not None else None
        if one is not None and _reserved(one):
            found[one.currency] = EXACT.subtract(found[one.currency], _reserved(one))
        return {currency: amount for currency, amount in found.items() if amount}

    def _hold(self, currency: str, more: Decimal) -> None:
        if more and self._held is not None:
            self._held[currency] = EXACT.add(self._held.get(currency, ZERO), more)

    def kin(self, row: OrderRow) -> list[OrderRow]:
        """What shares a group with it, waits for it, or is waited for by it, in the order of placing."""
        index = self._index
        ids = {*index.groups.get(row.group_id or "", ()), *index.parents.get(row.id, ()), row.parent_id} - {row.id}
        return sorted((self[id] for id in ids if id is not None and id in self), key=lambda each: each.number)

    @property
    def _index(self) -> _Index:
        if self._known is None:
            self._known = _Index()
            for row in self.values():
                self._known.add(None, row)
        return self._known


def _reserved(row: OrderRow | None) -> Decimal:
    return row.reserved if row is not None and row.open else ZERO
