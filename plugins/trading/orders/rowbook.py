"""An account's orders by their ids, found by instrument and by whom they belong to as well. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from plugins.trading.rows import OrderRow

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

    def __setitem__(self, id: str, row: OrderRow) -> None:
        if self._known is not None:
            self._known.add(self.get(id), row)
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
