"""Alerts on one number, sorted by the level that concerns them next: a tick costs what it crosses.

Pure: no clock, no I/O. A condition that is true below a threshold is one that is true above it for the negated number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from heapq import heapify, heappop, heappush
from itertools import count

from schema.model import choices

BPS = Decimal(10_000)
LEAST_HEAP = 64

Key = tuple[Decimal, int, int]


@choices(
    "What an alert waits for.",
    WAITING="That the condition is false: a crossing needs a value on each side.",
    PRIMED="The first value: it fires if the condition is true.",
    ARMED="That the condition becomes true.",
    FIRED="That the value goes back, by the hysteresis at least.",
)
class AlertState(StrEnum):
    """Each arming ends with at most one firing."""

    WAITING = "WAITING"
    PRIMED = "PRIMED"
    ARMED = "ARMED"
    FIRED = "FIRED"


class Mode(StrEnum):
    """How a number came. TICK: it is new. SHOWN: what a stream showed when we came to it. ANCHOR: the first of another
    provider, whose numbers are not compared with those before."""

    TICK = "TICK"
    SHOWN = "SHOWN"
    ANCHOR = "ANCHOR"


class Act(StrEnum):
    """What became of an alert. MUTED: it would have fired, but for a pause or another provider."""

    ARMED = "ARMED"
    FIRED = "FIRED"
    MUTED = "MUTED"


@dataclass(slots=True, kw_only=True, eq=False)
class Rung:
    """One alert's place: its levels, and where it stands."""

    id: str
    threshold: Decimal
    below: bool = False
    inclusive: bool = False
    """Whether the threshold itself is on the true side; else it is on neither."""
    hysteresis_bps: int = 0
    cooldown: timedelta = timedelta(0)
    repeating: bool = False
    state: AlertState = AlertState.WAITING
    arm: int = 0
    """Rises each time that it is armed."""
    fired_at: datetime | None = None
    _ticket: int = field(default=-1, repr=False)

    @property
    def fire_key(self) -> tuple[Decimal, int]:
        """True for a number *x* (negated where true is below) where this is not greater than `(x, 0)`."""
        return (-self.threshold if self.below else self.threshold), 0 if self.inclusive else 1

    @property
    def rest_key(self) -> tuple[Decimal, int]:
        """Armed again by a number *x* where this is not greater than `(-x, 0)`; after firing by its hysteresis."""
        signed = -self.threshold if self.below else self.threshold
        if self.state is AlertState.FIRED and self.hysteresis_bps:
            return -(signed - abs(self.threshold) * self.hysteresis_bps / BPS), 0
        return -signed, 1


@dataclass(frozen=True, slots=True)
class Move:
    """One alert, moved by one number."""

    rung: Rung
    act: Act
    arm: int
    state: AlertState
    primed: bool = False
    """Whether it fired because the condition was true at its beginning."""


class _Heap:
    """Rungs by a key, the least first; those that have left are skipped."""

    def __init__(self) -> None:
        self.entries: list[tuple[Decimal, int, int, Rung]] = []

    def push(self, key: tuple[Decimal, int], ticket: int, rung: Rung) -> None:
        rung._ticket = ticket
        heappush(self.entries, (key[0], key[1], ticket, rung))

    def reached(self, level: Decimal) -> list[Rung]:
        """Take out all whose key is not greater than `(level, 0)`."""
        entries, found = self.entries, []
        while entries and (entries[0][0] < level or (entries[0][0] == level and entries[0][1] == 0)):
            _, _, ticket, rung = heappop(entries)
            if rung._ticket == ticket:
                found.append(rung)
        return found

    def tidy(self) -> None:
        """Without those that have left."""
        self.entries = [entry for entry in self.entries if entry[3]._ticket == entry[2]]
        heapify(self.entries)


class Ladder:
    """All alerts on one number."""

    def __init__(self) -> None:
        self._tickets = count()
        self._firing = {False: _Heap(), True: _Heap()}
        self._resting = {False: _Heap(), True: _Heap()}
        self._primed: list[Rung] = []
        self.rungs: dict[str, Rung] = {}

    def __len__(self) -> int:
        return len(self.rungs)

    def put(self, rung: Rung) -> None:
        """Add an alert, or put it in the place of what it was before."""
        self.remove(rung.id)
        self.rungs[rung.id] = rung
        self._place(rung)
        if rung.state is AlertState.PRIMED:
            self._primed.append(rung)

    def remove(self, id: str) -> None:
        """Forget an alert."""
        gone = self.rungs.pop(id, None)
        if gone is None:
            return
        gone._ticket = -1
        heaps = (*self._firing.values(), *self._resting.values())
        if sum(len(heap.entries) for heap in heaps) > max(LEAST_HEAP, 4 * len(self.rungs)):
            for heap in heaps:
                heap.tidy()

    def step(self, value: Decimal, now: datetime, mode: Mode = Mode.TICK) -> list[Move]:
        """The next number, and whom it moves; those that are done have left."""
        moves: list[Move] = []
        for below, x in ((False, value), (True, -value)):
            for rung in self._resting[below].reached(-x):
                self._arm(rung, moves)
            for rung in self._firing[below].reached(x):
                self._fire(rung, now, mode, moves)
        if self._primed:
            self._settle(moves)
        return moves

    def _place(self, rung: Rung) -> None:
        ready = rung.state in (AlertState.ARMED, AlertState.PRIMED)
        heap = (self._firing if ready else self._resting)[rung.below]
        heap.push(rung.fire_key if ready else rung.rest_key, next(self._tickets), rung)

    def _arm(self, rung: Rung, moves: list[Move]) -> None:
        rung.state, rung.arm = AlertState.ARMED, rung.arm + 1
        self._place(rung)
        moves.append(Move(rung, Act.ARMED, rung.arm, rung.state))

    def _fire(self, rung: Rung, now: datetime, mode: Mode, moves: list[Move]) -> None:
        primed = rung.state is AlertState.PRIMED
        if mode is Mode.SHOWN and not primed:
            # It has been there for nobody knows how long: the next tick says what is true.
            self._place(rung)
            return
        if mode is Mode.ANCHOR and not primed:
            rung.state = AlertState.WAITING
        elif rung.fired_at is not None and now < rung.fired_at + rung.cooldown:
            rung.state = AlertState.FIRED
        else:
            rung.state, rung.fired_at = AlertState.FIRED, now
            moves.append(Move(rung, Act.FIRED, rung.arm, rung.state, primed))
            if rung.repeating:
                self._place(rung)
            else:
                self.remove(rung.id)
            return
        moves.append(Move(rung, Act.MUTED, rung.arm, rung.state))
        self._place(rung)

    def _settle(self, moves: list[Move]) -> None:
        """What was to fire at the first number and did not waits for a crossing from now on."""
        for rung in self._primed:
            if rung.state is AlertState.PRIMED and self.rungs.get(rung.id) is rung:
                rung.state = AlertState.ARMED
                moves.append(Move(rung, Act.ARMED, rung.arm, rung.state))
        self._primed.clear()
