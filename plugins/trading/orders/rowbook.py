"""An account's orders by their ids, found by instrument and by whom they belong to as well. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

from plugins.trading.rows import OrderRow

_Index = dict[str, dict[str, None]]


class RowBook(dict[str, OrderRow]):
    """Orders by id, in the order in which they were put in. What is in it is put anew, and never taken out."""

    def __init__(self, rows: Mapping[str, OrderRow] | None = None) -> None:
        super().__init__()
        self._instruments: _Index = {}
        self._groups: _Index = {}
        self._parents: _Index = {}
        for id, row in (rows or {}).items():
            self[id] = row

    def __setitem__(self, id: str, row: OrderRow) -> None:
        before = self.get(id)
        super().__setitem__(id, row)
        if before is None:
            self._instruments.setdefault(row.instrument, {})[id] = None
            if row.group_id is not None:
                self._groups.setdefault(row.group_id, {})[id] = None
        if row.parent_id != (before and before.parent_id):
            if before is not None and before.parent_id is not None:
                del self._parents[before.parent_id][id]
            if row.parent_id is not None:
                self._parents.setdefault(row.parent_id, {})[id] = None

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
        return (row for id in self._instruments.get(instrument, ()) if (row := self[id]).open)

    def kin(self, row: OrderRow) -> list[OrderRow]:
        """What shares a group with it, waits for it, or is waited for by it, in the order of placing."""
        ids = {*self._groups.get(row.group_id or "", ()), *self._parents.get(row.id, ()), row.parent_id} - {row.id}
        return sorted((self[id] for id in ids if id is not None and id in self), key=lambda each: each.number)
