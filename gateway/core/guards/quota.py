"""An upstream's own limits, counted by one process: a call is reserved in all windows, or told when to try.

A call may reach the upstream at any moment between its reservation and its end. So it counts from its reservation until
a whole window after its end: whatever windows the upstream keeps, sliding or fixed, it never counts more than we do.
The price is the time that calls are under way: of one call in a second, one in a second and its own latency are made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil, inf
from typing import NamedTuple

from gateway.core.guards.fairness import Turns
from providers.contract import MARGIN, Limit

SLICES = 64
"""Ends of calls are rounded up to this part of a window where its limit is higher: what is remembered is bounded."""


class Claim(NamedTuple):
    """Who waits for a call: a tenant, its share against other tenants', and what the call costs."""

    tenant: str
    share: float
    weight: int


@dataclass(slots=True, eq=False)
class Ticket:
    """One reserved call. `lease` is when the fleet's counter lets it end by itself, in Redis's milliseconds."""

    weight: int
    lease: int = 0


@dataclass(slots=True, kw_only=True)
class Window:
    """Calls under way and calls that ended, of one limit."""

    per: float
    most: int
    weighed: bool
    under_way: int = 0
    ended: deque[tuple[float, int]] = field(default_factory=deque)
    counted: int = 0
    kept: int = 0
    kept_until: float = 0.0

    def keep(self, units: int, until: float) -> None:
        """Leave so much of it unused until then: others may have used it."""
        self.kept, self.kept_until = units, until

    def units(self, weight: int) -> int:
        """What a call of this weight takes."""
        return weight if self.weighed else 1

    def forget(self, now: float) -> None:
        """Calls that ended a whole window ago."""
        while self.ended and self.ended[0][0] + self.per <= now:
            self.counted -= self.ended.popleft()[1]
        if self.kept and self.kept_until <= now:
            self.kept = 0

    @property
    def used(self) -> int:
        """All that counts now."""
        return self.under_way + self.counted + self.kept

    def wait(self, units: int, now: float) -> float:
        """Seconds until there is room at the soonest: calls under way make some a window after their end."""
        self.forget(now)
        over = self.used + units - self.most
        if over <= 0:
            return 0.0
        if units > self.most:
            return inf
        for end, each in self.ended:
            over -= each
            if over <= 0:
                return end + self.per - now
        return max(self.kept_until - now, self.per) if self.kept else self.per

    def end(self, units: int, now: float) -> None:
        """Units that may have been counted until now."""
        self.counted += units
        if self.most > SLICES:
            now = ceil(now / self.per * SLICES) * self.per / SLICES
        if self.ended and self.ended[-1][0] >= now:
            now, before = self.ended.pop()
            units += before
        self.ended.append((now, units))

    def resets(self, now: float) -> float:
        """In how many seconds nothing counts any more, at the soonest."""
        if self.under_way:
            return self.per
        ends = [self.ended[-1][0] + self.per] if self.ended else []
        return max([*ends, *([self.kept_until] if self.kept else [])], default=now) - now


class Standing(NamedTuple):
    """What is left of a window, and in how many seconds it is whole again; None where it is."""

    remaining: int
    resets_in: float | None


class Windows:
    """All of one key's windows with one upstream."""

    def __init__(self, limits: Sequence[Limit], *, margin: float = MARGIN) -> None:
        self.windows = [
            Window(per=limit.per.total_seconds(), most=usable(limit.count, margin), weighed=limit.unit != "requests")
            for limit in limits
        ]

    def wait(self, weight: int, now: float) -> float:
        """Seconds until a call may be reserved, at the soonest."""
        longest = 0.0
        for window in self.windows:
            wait = window.wait(weight if window.weighed else 1, now)
            if wait > longest:
                longest = wait
        return longest

    def reserve(self, weight: int, now: float) -> Ticket | float:
        """A ticket to hand back; or in how many seconds to try again, and then nothing is reserved."""
        wait = self.wait(weight, now)
        if wait > 0:
            return wait
        return self.note(Ticket(weight))

    def note(self, ticket: Ticket) -> Ticket:
        """A call that is under way whatever is left."""
        for window in self.windows:
            window.under_way += window.units(ticket.weight)
        return ticket

    def ended(self, ticket: Ticket, now: float) -> None:
        """The call is over, however it went: it may have reached the upstream until now."""
        for window in self.windows:
            units = window.units(ticket.weight)
            window.under_way -= units
            window.end(units, now)

    def possible(self, weight: int) -> bool:
        """Whether such a call ever fits."""
        return all(window.units(weight) <= window.most for window in self.windows)

    def seen(self, place: int, used: int, now: float) -> None:
        """The upstream counts so much: at most a whole window is taken for full, and nothing is ever freed."""
        window = self.windows[place]
        window.forget(now)
        more = min(used, window.most) - window.under_way - window.counted
        if more > 0:
            window.end(more, now)

    def standing(self, now: float) -> list[Standing]:
        """Each window as it is now."""
        found = []
        for window in self.windows:
            window.forget(now)
            used = window.used
            found.append(Standing(max(window.most - used, 0), window.resets(now) if used else None))
        return found

    def past(self, now: float) -> list[tuple[int, float, int]]:
        """What ended within its window: the window's place, how long ago, and units."""
        found: list[tuple[int, float, int]] = []
        for place, window in enumerate(self.windows):
            window.forget(now)
            found.extend((place, now - end, units) for end, units in window.ended)
        return found

    def empty(self, now: float) -> bool:
        """Whether nothing counts."""
        for window in self.windows:
            window.forget(now)
        return not any(window.used for window in self.windows)

    def copy(self) -> Windows:
        """The same, to be counted on by itself."""
        made = Windows(())
        made.windows = [replace(window, ended=deque(window.ended)) for window in self.windows]
        return made

    def given_back(self, ticket: Ticket) -> None:
        """Nothing was sent."""
        for window in self.windows:
            window.under_way -= window.units(ticket.weight)


class OwnCount:
    """The counter of a process that shares with nobody."""

    def __init__(self, windows: Windows) -> None:
        self.windows, self._turns = windows, Turns()

    def possible(self, weight: int) -> bool:
        """See `Windows`."""
        return self.windows.possible(weight)

    def at_once(self, claim: Claim, now: float) -> Ticket | None:
        """Where nobody waits: no turn to keep."""
        if self._turns.yields(claim, (claim.tenant,), now):
            return None
        found = self.windows.reserve(claim.weight, now)
        if not isinstance(found, Ticket):
            return None
        self._turns.served(claim)
        self._turns.keep((), (claim.tenant,), now, now)
        return found

    async def take(self, claims: Sequence[Claim], now: float) -> tuple[dict[int, Ticket], float]:
        """Tickets by the claim's place, in fair turn; and in how many seconds there is room for the next."""
        granted: dict[int, Ticket] = {}
        vain = {place for place, claim in enumerate(claims) if not self.windows.possible(claim.weight)}
        wait = 0.0
        while len(granted) + len(vain) < len(claims):
            done = {*granted, *vain}
            place = self._turns.next(claims, done)
            here = {claim.tenant for other, claim in enumerate(claims) if other not in done}
            if wait := self._turns.yields(claims[place], here, now):
                break
            found = self.windows.reserve(claims[place].weight, now)
            if not isinstance(found, Ticket):
                wait = found
                break
            self._turns.served(claims[place])
            granted[place] = found
        waiting = {claim.tenant for place, claim in enumerate(claims) if place not in granted and place not in vain}
        self._turns.keep(waiting, {claims[place].tenant for place in granted}, now + wait, now)
        return granted, wait if wait or not vain else inf

    def ended(self, ticket: Ticket, now: float) -> None:
        """See `Windows`."""
        self.windows.ended(ticket, now)

    def given_back(self, ticket: Ticket) -> None:
        """See `Windows`."""
        self.windows.given_back(ticket)

    def seen(self, used: Sequence[tuple[int, int]], now: float) -> None:
        """See `Windows`."""
        for place, units in used:
            self.windows.seen(place, units, now)

    def pause(self, seconds: float) -> None:
        """Nobody else has this key."""

    def standing(self, now: float) -> list[Standing]:
        """See `Windows`."""
        return self.windows.standing(now)


def usable(count: int, margin: float) -> int:
    """What a margin leaves of a limit: a limit of 1 stays 1."""
    return max(1, int(count * (1 - margin)))
