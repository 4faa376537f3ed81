"""What one process sends without Redis: its part of each limit, which the others leave it once they notice.

At first they may still use all of the limit. So until what they sent is surely past, the process lives on its part of
the margin, which the common count never touches. What it sent is remembered from one outage to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.core.guards.members import Members
from gateway.core.guards.quota import OwnCount, Ticket, Windows
from providers.contract import Limit

LATE_S = 5.0
"""How long calls may be under way that others began before they left this process its part."""


class Known(NamedTuple):
    """What a process knows of a key: its own calls, wherever they were counted, and Redis's counts at a moment."""

    own: Windows
    tickets: set[Ticket]
    counts: Sequence[int]
    at: float


class Part:
    """Of one key's quota. Who is *patient* waits as above; others share out what was left when they last knew."""

    def __init__(self, limits: Sequence[Limit], members: Members, *, margin: float, patient: bool) -> None:
        self._limits, self._members, self._patient = limits, members, patient
        self.count = OwnCount(Windows(limits, margin=margin))
        self.in_use = False
        self._tickets: set[Ticket] = set()
        self._cut_at = 0.0

    def use(self, known: Known, now: float) -> OwnCount:
        """From now on; again after each attempt to report, which the others may have taken for a return."""
        knows_all = self._knows_all(known)
        if not self.in_use and knows_all:
            self.count, self._tickets = OwnCount(known.own.copy()), set(known.tickets)
            self.count.seen(list(enumerate(known.counts)), now)
        if not self.in_use or self._cut_at != self._members.tried:
            self._cut(known, now, knows_all=knows_all)
        self.in_use, self._cut_at = True, self._members.tried
        return self.count

    def note(self, ticket: Ticket) -> None:
        """A call that is of this part."""
        self._tickets.add(ticket)

    def ended(self, ticket: Ticket, now: float) -> None:
        """The call is over, if it is of this part."""
        if ticket in self._tickets:
            self._tickets.discard(ticket)
            self.count.ended(ticket, now)

    def given_back(self, ticket: Ticket) -> None:
        """Nothing was sent."""
        if ticket in self._tickets:
            self._tickets.discard(ticket)
            self.count.given_back(ticket)

    def _knows_all(self, known: Known) -> bool:
        """Nobody else is there: this process's own calls, and what Redis last counted, are all there is."""
        members = self._members
        return members.table is None or (members.lone and known.at >= members.alone_since)

    def _cut(self, known: Known, now: float, *, knows_all: bool) -> None:
        members = self._members
        each = zip(self.count.windows.windows, self._limits, known.own.windows, known.counts, strict=True)
        for window, limit, own, counted in each:
            window.most = members.part(own.most)
            if knows_all:
                window.keep(0, now)
            elif self._patient:
                # What others have sent of the margin, and told, is not there any more.
                spare = members.part(max(limit.count - max(own.most, counted), 0))
                window.keep(max(window.most - spare, 0), members.alone_at + window.per + LATE_S)
            else:
                window.keep(max(window.most - members.part(max(own.most - counted, 0)), 0), now + window.per)
