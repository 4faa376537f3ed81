"""What a process remembers of brokers and their accounts between two looks, and whose turn it is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal

from plugins.trading.rows import AccountRow, OrderRow

AT_ONCE = 8
"""Accounts of one broker that are looked at together."""
PROBES = 2
"""So many ask whether a broker out of reach is back, together."""


@dataclass(slots=True)
class Seen:
    """What a process remembers of an account between two looks."""

    missed: dict[str, int] = field(default_factory=dict)
    late: dict[str, Decimal] = field(default_factory=dict)
    """How much is booked, by the broker's count, of orders that were given up here."""
    late_at: int = 0
    """The number of the one of these that was asked for last; 0 before."""
    unclear: dict[str, str] = field(default_factory=dict)
    """Why an order cannot be looked at, as long as the broker says nothing of it that can be read."""
    unlisted: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """When the broker has neither told of an open order nor listed it, in a row."""
    listless: bool = False
    """Whether orders are asked for one by one next: what had become of the list has kept them from it last."""
    told: str | None = None
    """The trouble that was logged last, as long as it lasts."""
    cut: bool = False
    """Whether the limits of its broker were used up before all was asked for in the last look."""
    heard: bool = False
    """Whether the broker has answered anything in this look."""
    silent: bool = False
    """Whether it was left without any answer last."""
    rests_until: float = 0.0
    whole_at: float | None = None
    """When it was last looked at as a whole; None before, and after it could not be asked."""
    first: int = 0
    """The number of the order that the last look began with."""
    at: int = 0
    """The number of the order at which that ended before all were asked for; 0 where it did not."""

    def in_turn(self, rows: list[OrderRow]) -> list[OrderRow]:
        """Its open orders, those before the others that the last look has left out: where it got no further than its
        first, that one comes last."""
        begin = self.at + 1 if self.at == self.first else self.at
        turned = [row for row in rows if row.number >= begin] + [row for row in rows if row.number < begin]
        self.first = turned[0].number if turned else 0
        return turned


@dataclass(slots=True)
class Round:
    """Of one broker, what is remembered between two looks, and whether it answers."""

    seen: dict[str, Seen] = field(default_factory=dict)
    tried: dict[str, float] = field(default_factory=dict)
    """When accounts were asked about last: whose turn it was longest ago comes first."""
    silent: int = 0
    """So many accounts in a row were left without an answer."""
    answered: bool = False
    """Whether any account was given one in this look: a few that never are do not speak for the others then."""
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    spare: int = 0
    """So much more room there is from the first answer on."""

    @property
    def down(self) -> bool:
        """Whether it is out of reach, as far as is known."""
        return self.silent >= (AT_ONCE if self.answered else PROBES)

    def turn(self, account: AccountRow) -> tuple[bool, float]:
        """Those that were left without an answer last come behind the others."""
        return self.seen[account.id].silent, self.tried[account.id]

    def begin(self) -> None:
        """A look begins: where it was out of reach last, with room for a few."""
        self.spare = AT_ONCE - PROBES if self.down else 0
        self.room = asyncio.Semaphore(AT_ONCE - self.spare)
        self.silent, self.answered = 0, False

    def answer(self, seen: Seen) -> None:
        """It has answered one of the accounts, and is in reach."""
        seen.heard, seen.silent = True, False
        for _ in range(self.spare):
            self.room.release()
        self.silent, self.answered, self.spare = 0, True, 0
