"""What a change of one order means to those behind it: once it is made, they hold what they open by then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.core.store import Tx
from plugins.trading.orders.market import Market
from plugins.trading.orders.reckoning import Holds, Part, parts_of, reckoned, shifted, weight_of
from plugins.trading.orders.store import OrderStore
from plugins.trading.rows import OrderRow

if TYPE_CHECKING:
    from plugins.trading.orders.floor import Floor


class Shifts:
    """Of one floor, where its account has a margin."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._whole: frozenset[str] | None = None
        """Instruments whose open orders were all read; None for all."""
        self._before: dict[str, dict[str, Part]] | None = None
        """What orders opened before the change that is under way, by instrument."""
        self._reckoned: str | None = None
        """An instrument whose open orders are all reckoned anew at the end of what is under way."""

    async def read(self, tx: Tx, instruments: Collection[str]) -> None:
        """Of some instruments all was read: so it is then of those whose orders a change of theirs may end."""
        floor, account = self._floor, self._floor.w.account
        beside = {row.instrument for row in floor.orders.values() if row.open} if floor.lends else set[str]()
        kin = beside - {*instruments}
        for row in await OrderStore().open(tx, account.tenant_id, account.id, kin) if kin else ():
            floor.orders.setdefault(row.id, row)
        self._whole = frozenset({*instruments, *kin})

    @contextmanager
    def change(self, market: Market | None) -> Iterator[None]:
        """However many orders end or change in it, those behind them are looked at once."""
        if self._before is not None or not self._floor.lends:
            yield
            return
        before: dict[str, dict[str, Part]] = {}
        self._before = before
        try:
            yield
        finally:
            self._before = None
        for name, parts in before.items():
            known = market if market is not None and str(market.spec.instrument) == name else None
            self._hold(shifted(self._open(name), parts, self._floor.held(name), known, self._floor.reserves))

    def note(self, row: OrderRow) -> None:
        """An order is about to become this."""
        before, name = self._before, row.instrument
        if before is None or name in before or name == self._reckoned:
            return
        if self._whole is not None and name not in self._whole:
            return
        if weight_of(row) != weight_of(self._floor.orders.get(row.id)):
            before[name] = self.parts(name)

    def parts(self, instrument: str) -> dict[str, Part]:
        """What its open orders open; of a change that is under way before it."""
        known = (self._before or {}).get(instrument)
        return parts_of(self._open(instrument), self._floor.held(instrument)) if known is None else known

    @contextmanager
    def reckoning(self, instrument: str, market: Market) -> Iterator[None]:
        """What is held changes in it: at its end all open orders of the instrument hold what they open by then, at the
        price of now."""
        outer, self._reckoned = self._reckoned, instrument
        try:
            yield
        finally:
            self._reckoned = outer
        self.reckon(instrument, market)
        (self._before or {}).pop(instrument, None)

    def reckon(self, instrument: str, market: Market) -> None:
        """What its open orders hold, by what is held and by the price of now."""
        self._hold(reckoned(self._open(instrument), self._floor.held(instrument), market, self._floor.reserves))

    def _open(self, instrument: str) -> list[OrderRow]:
        return [*self._floor.orders.open_of(instrument)]

    def _hold(self, found: Iterable[Holds]) -> None:
        for row, holds in list(found):
            self._floor.put(replace(row, reserved=holds, version=row.version + 1, changed_at=self._floor.now))
