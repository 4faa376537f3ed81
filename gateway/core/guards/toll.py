"""What the requests of one call cost: of the tenant's own budget, then of the upstream's quota."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from cachetools import LRUCache

from gateway.core.clock import Clock
from gateway.core.guards.quota import Claim, OwnCount, Standing, Ticket, Windows
from gateway.core.guards.turnstile import Counter, Turnstile
from gateway.core.metrics import counter
from gateway.core.tracing import event
from providers.contract import Limit, per_minute
from schema.errors import BudgetReached
from schema.words.registry import BreakerState

if TYPE_CHECKING:
    from gateway.core.access import Lane
    from gateway.core.guards.flight import Flight

OVER_BUDGET = counter(
    "marketgate_upstream_budget_refused", "Upstream calls that a tenant's plan had no more of.", "provider"
)
MOST_HELD = 10_000
"""How many tenants' budgets are held ready; those that nobody used for longest go first."""
Counters = Callable[[str, Limit], Counter]


class Paid(NamedTuple):
    """One request's tickets."""

    budget: Ticket | None
    quota: Ticket | None


class Budgets:
    """Each tenant's upstream calls a minute."""

    def __init__(self, clock: Clock, counters: Counters | None = None) -> None:
        self.clock = clock
        self._made = counters or (lambda tenant, limit: OwnCount(Windows((limit,), margin=0)))
        self._counters: LRUCache[tuple[str, int], Counter] = LRUCache(MOST_HELD)

    def of(self, tenant: str, most: int | None) -> Counter | None:
        """None where the plan has no such limit."""
        if most is None:
            return None
        found = self._counters.get((tenant, most))
        if found is None:
            found = self._counters[tenant, most] = self._made(tenant, per_minute(most))
        return found

    def standing(self, tenant: str, most: int | None) -> Standing | None:
        """What is left of a tenant's minute."""
        found = self.of(tenant, most)
        return found.standing(self.clock.monotonic())[0] if found else None

    async def pay(self, lane: Lane, asked: Any, flight: Flight, *, counted: bool) -> Toll | None:
        """Before the breaker, so that a trial's right is not lost by waiting; None where nobody counts.

        A tenant's own key is its own affair: such calls are of no budget.
        """
        account, turnstile = flight.account, lane.access.turnstile
        budget = self.of(account.tenant, account.upstream_calls) if counted and not lane.own else None
        if (turnstile is None and budget is None) or lane.breaker.state is BreakerState.OPEN:
            return None
        claim = Claim(account.tenant, account.share, lane.answer.units(asked))
        toll = Toll(lane.id, budget, turnstile, claim, self.clock, lambda: flight.left)
        await toll.pay_ahead()
        return toll


class Toll:
    """The first request is paid before the call, each further one when it leaves."""

    def __init__(
        self, provider: str, budget: Counter | None, turnstile: Turnstile | None, claim: Claim, clock: Clock,
        left: Callable[[], float],
    ) -> None:  # fmt: skip
        self._provider, self._budget, self._turnstile = provider, budget, turnstile
        self._claim, self._clock, self._left = claim, clock, left
        self._paid: Paid | None = None

    async def pay_ahead(self) -> None:
        """BudgetReached or QuotaReached where there is no room in time."""
        self._paid = await self._pay()

    async def pay(self) -> Paid:
        """For one request, which leaves now."""
        paid, self._paid = self._paid, None
        return paid if paid is not None else await self._pay()

    def done(self, paid: Paid) -> None:
        """The request is over, however it went."""
        if self._budget is not None and paid.budget is not None:
            self._budget.ended(paid.budget, self._clock.monotonic())
        if self._turnstile is not None and paid.quota is not None:
            self._turnstile.end(paid.quota)

    def seen(self, used: Sequence[tuple[int, int]]) -> None:
        """What the reply says of the upstream's count."""
        if self._turnstile is not None:
            self._turnstile.seen(used)

    def close(self) -> None:
        """The call is over: what was paid and never used is given back."""
        paid, self._paid = self._paid, None
        if paid is None:
            return
        if self._budget is not None and paid.budget is not None:
            self._budget.given_back(paid.budget)
        if self._turnstile is not None and paid.quota is not None:
            self._turnstile.give_back(paid.quota)

    async def _pay(self) -> Paid:
        spent = None if self._budget is None else await self._spend(self._budget)
        if self._turnstile is None:
            return Paid(spent, None)
        began = self._clock.monotonic()
        try:
            passed = await self._turnstile.pass_(self._claim, self._left)
        except BaseException:
            if self._budget is not None and spent is not None:
                self._budget.given_back(spent)
            raise
        event("quota", waited_ms=round((self._clock.monotonic() - began) * 1000))
        return Paid(spent, passed)

    async def _spend(self, budget: Counter) -> Ticket:
        claim = self._claim._replace(weight=1)
        granted, wait = await budget.take((claim,), self._clock.monotonic())
        if 0 in granted:
            return granted[0]
        OVER_BUDGET.labels(self._provider).inc()
        told = (
            "your plan's upstream calls of this minute are used up, nothing was sent: answers that are held cost none"
        )
        raise BudgetReached(self._provider, told, retry_after=wait if isfinite(wait) else None)
