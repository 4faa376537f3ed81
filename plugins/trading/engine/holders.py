"""Who held perpetuals at an instant: quantities and positions, rebuilt from fills. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from gateway.core.matching.rounding import EXACT
from plugins.trading.markets.specs import is_perpetual
from plugins.trading.rows import FillRow, PositionRow, TripRow
from schema.words.trades import Side

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A rate that holders of a perpetual paid each other at an instant, for the interval that ended then."""

    at: datetime
    rate: Decimal
    """A fraction of the position: longs pay above zero."""
    mark: Decimal


class Holders:
    """Perpetuals of an account from an instant on: *fills* and *trips*, which closed positions, are those after it."""

    def __init__(self, positions: Iterable[PositionRow], fills: Iterable[FillRow], trips: Iterable[TripRow]) -> None:
        self._positions = {row.instrument: row for row in positions if is_perpetual(row.instrument)}
        self._fills: dict[str, list[FillRow]] = {}
        for fill in fills:
            if is_perpetual(fill.instrument):
                self._fills.setdefault(fill.instrument, []).append(fill)
        self._trips = {row.id: row for row in trips}
        self.changed: dict[str, PositionRow] = {}
        """Open positions that were given funding, by instrument."""
        self.closed: dict[str, TripRow] = {}
        """Closed ones, by id."""

    @property
    def instruments(self) -> list[str]:
        """All that it held for a while."""
        return sorted({*self._positions, *self._fills})

    @property
    def open(self) -> bool:
        """Whether it holds any now."""
        return bool(self._positions)

    def currency(self, instrument: str) -> str:
        """Of its prices."""
        held = self._positions.get(instrument)
        return held.currency if held is not None else self._fills[instrument][0].currency

    def quantity(self, instrument: str, at: datetime) -> Decimal:
        """What was held at an instant, with what was filled at it; below zero where short."""
        row = self._positions.get(instrument)
        later = (signed(fill) for fill in self._fills.get(instrument, ()) if fill.at > at)
        found = row.quantity if row is not None else ZERO
        for units in later:
            found = EXACT.subtract(found, units)
        return found

    def held_within(self, instrument: str, start: datetime, end: datetime) -> bool:
        """Whether anything was held from one instant to another."""
        filled = any(start < fill.at <= end for fill in self._fills.get(instrument, ()))
        return filled or self.quantity(instrument, start) != 0

    def filled_after(self, at: datetime) -> bool:
        """Whether anything was filled after an instant."""
        return any(fill.at > at for fills in self._fills.values() for fill in fills)

    def holder(self, instrument: str, at: datetime) -> PositionRow | TripRow | None:
        """The position, open or closed by now, that was held at an instant."""
        row = self._positions.get(instrument)
        if row is not None and row.opened_at <= at:
            return row
        closed = (each for each in self._trips.values() if each.instrument == instrument)
        return next((each for each in closed if each.opened_at <= at < each.closed_at), None)

    def credit(self, instrument: str, at: datetime, amount: Decimal) -> bool:
        """Let whoever held it at an instant have some funding; whether there was anybody."""
        holder = self.holder(instrument, at)
        if holder is None:
            return False
        after = EXACT.add(holder.funding, amount)
        if isinstance(holder, PositionRow):
            self._positions[instrument] = self.changed[instrument] = replace(holder, funding=after)
        else:
            self._trips[holder.id] = self.closed[holder.id] = replace(holder, funding=after)
        return True


def signed(fill: FillRow) -> Decimal:
    """What a fill changed of what is held."""
    return fill.quantity if fill.side == Side.BUY else fill.quantity.copy_negate()


def times_between(start: datetime, end: datetime, every: timedelta) -> Iterator[datetime]:
    """Regular times after one instant, until another, which is one of them."""
    at = end - every * ((end - start) // every)
    while at <= end:
        if at > start:
            yield at
        at += every


def told(instrument: str, shares: Sequence[tuple[Payment, Decimal]]) -> str:
    """What an entry says of payments and of what was held then."""
    parts = (f"{each.at:%Y-%m-%d %H:%M} UTC: {each.rate:f} of {held:f} at {each.mark:f}" for each, held in shares)
    return f"funding of {instrument}, {', '.join(parts)}"
