"""What callers may still use: points and calls a minute, the month's quota, operations and streams under way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from math import ceil, inf
from typing import TYPE_CHECKING, Any

from gateway.core.clock import Clock
from gateway.core.guards.toll import Budgets
from gateway.core.identity import CallerKind, Principal
from gateway.core.ports import Endpoints, Purse, Usage
from gateway.core.settings import Settings
from gateway.edge.addresses import network_of
from gateway.edge.cost import Asked, Price
from gateway.edge.gate import Told
from gateway.edge.leases import LeasedWindows
from gateway.edge.windows import Left, MemoryWindows, Taken, Windows
from schema.errors import QuotaExceeded, RateLimited
from schema.words.usage import Limit

if TYPE_CHECKING:
    from gateway.core.link import RedisLink

POINTS, MONTH, CONCURRENCY, STREAMS, WEBHOOKS, CALLS = (
    "pointsPerMinute", "pointsPerMonth", "concurrency", "streams", "webhooks", "upstreamCallsPerMinute",
)  # fmt: skip
HAIR = 1e-6
"""What is a whole second but for the last bits of a float is one."""
LESS = "waiting does not help, ask for less at once."
SOCKETS, LEAST_SOCKETS = "sockets", 20
"""Twice as many as streams, and no fewer than this: who comes back may not have been missed yet."""
RETRY_SLOT_S = 1.0
"""When to try again where something under way must end first."""


def payer_of(caller: Principal, client_ip: str | None) -> str:
    """Whose allowance an operation uses: the tenant's; without one the person's or key's, the address of nobody."""
    if caller.kind is CallerKind.ANONYMOUS:
        return f"address:{network_of(client_ip)}"
    return f"tenant:{caller.tenant}" if caller.tenant else f"caller:{caller.actor}"


class PlanAllowances:
    """Serves `gateway.core.ports.Allowances`; the gate charges. Operations under way are counted per process."""

    def __init__(self, windows: Windows, clock: Clock, services: Mapping[type, Any], *, anonymous_points: int) -> None:
        self._windows, self._clock, self._services = windows, clock, services
        self._anonymous_points = anonymous_points
        self.budgets: Budgets | None = None
        """Of upstream calls; the pipeline charges them."""
        self._under_way: dict[tuple[str, str], int] = {}

    async def charge(self, caller: Principal, payer: str, price: Price) -> Left:
        """Take what the operation costs; raises RateLimited or QuotaExceeded, and then nothing of it runs."""
        for name, asked in price.counted:
            await self._check_calls(caller, payer, name, asked)
        await self._check_month(caller, price.cost)
        most = self.points_of(caller)
        if caller.token is not None and caller.max_points is not None:
            # Asked before the token pays; only of several operations at once may one be refused that has paid.
            _check_points(await self._windows.look(_points_key(payer), most, price.cost), caller, most, price.cost)
            await self._spend(caller, price.cost)
        left = await self._windows.take(_points_key(payer), most, price.cost)
        _check_points(left, caller, most, price.cost)
        return left

    def charge_now(self, caller: Principal, payer: str, price: Price) -> Told | None:
        """`charge` at once; None, and nothing taken, where something must be waited for or would be refused."""
        if price.counted or (caller.token is not None and caller.max_points is not None):
            return None
        most = caller.limits.points_per_month
        if most is not None and caller.kind is not CallerKind.ANONYMOUS:
            usage: Usage | None = self._services.get(Usage)
            used = 0 if usage is None else usage.known_to_date(caller.tenant)
            if used is None or used + price.cost > most:
                return None
        limit = self.points_of(caller)
        taken = self._windows.take_now(_points_key(payer), limit, price.cost)
        return None if taken is None else self.told(price.cost, limit, taken)

    def told(self, cost: int, limit: int, left: Left | Taken) -> Told:
        """What the answer says of it."""
        now = int(self._clock.now().timestamp())
        return Told(cost, limit, left.remaining, now + ceil(left.resets_in - HAIR), now)

    async def look(self, caller: Principal, payer: str) -> Left:
        """What is left of the caller's minute."""
        return await self._windows.look(_points_key(payer), self.points_of(caller))

    def enter(self, caller: Principal, payer: str, *, stream: bool) -> Callable[[], None]:
        """Count an operation or stream under way; the answer ends it. Raises RateLimited."""
        name = STREAMS if stream else CONCURRENCY
        most = caller.limits.streams if stream else caller.limits.concurrency
        slot = (name, payer)
        now = self._under_way.get(slot, 0)
        if now >= most:
            kind = "streams" if stream else "operations"
            told = f"{most} {kind} at a time are allowed, and as many are under way: wait for one to end."
            raise RateLimited(told, limit=name, retry_after=RETRY_SLOT_S)
        self._under_way[slot] = now + 1
        return lambda: self._leave(slot)

    def connect(self, caller: Principal, payer: str) -> Callable[[], None]:
        """Count a socket; the answer ends it. Raises RateLimited."""
        slot, most = (SOCKETS, payer), max(LEAST_SOCKETS, 2 * caller.limits.streams)
        now = self._under_way.get(slot, 0)
        if now >= most:
            told = f"{most} sockets at a time are allowed, and as many are open: use one of them, or close one."
            raise RateLimited(told, limit=SOCKETS, retry_after=RETRY_SLOT_S)
        self._under_way[slot] = now + 1
        return lambda: self._leave(slot)

    async def remaining(self, principal: Principal) -> list[Limit]:
        """See `gateway.core.ports.Allowances`."""
        payer, limits, now = payer_of(principal, None), principal.limits, self._clock.now()
        left = await self.look(principal, payer)
        found = [
            Limit(
                name=POINTS, limit=self.points_of(principal), remaining=left.remaining,
                resets_at=now + timedelta(seconds=left.resets_in),
            )
        ]  # fmt: skip
        if limits.points_per_month is not None:
            used = await self._used_this_month(principal)
            most = limits.points_per_month
            found.append(Limit(name=MONTH, limit=most, remaining=max(0, most - used), resets_at=next_month(now)))
        for name, most in ((CONCURRENCY, limits.concurrency), (STREAMS, limits.streams)):
            under_way = self._under_way.get((name, payer), 0)
            found.append(Limit(name=name, limit=most, remaining=max(0, most - under_way)))
        calls = self.budgets.standing(principal.tenant, limits.upstream_calls_per_minute) if self.budgets else None
        if calls is not None and limits.upstream_calls_per_minute is not None:
            resets = None if calls.resets_in is None else now + timedelta(seconds=calls.resets_in)
            most = limits.upstream_calls_per_minute
            found.append(Limit(name=CALLS, limit=most, remaining=calls.remaining, resets_at=resets))
        endpoints: Endpoints | None = self._services.get(Endpoints)
        made = await endpoints.count(principal.tenant) if endpoints is not None else 0
        found.append(Limit(name=WEBHOOKS, limit=limits.webhooks, remaining=max(0, limits.webhooks - made)))
        return found

    def points_of(self, caller: Principal) -> int:
        """How many points a minute the caller has."""
        return self._anonymous_points if caller.kind is CallerKind.ANONYMOUS else caller.limits.points_per_minute

    def _leave(self, slot: tuple[str, str]) -> None:
        left = self._under_way.get(slot, 0) - 1
        if left > 0:
            self._under_way[slot] = left
        else:
            self._under_way.pop(slot, None)

    async def _check_calls(self, caller: Principal, payer: str, name: str, asked: Asked) -> None:
        """The field's own limit: each key under which it is selected is a call."""
        most = asked.facts.per_minute
        if caller.kind is CallerKind.ANONYMOUS and asked.facts.anonymous_per_minute is not None:
            most = asked.facts.anonymous_per_minute
        if most is None:
            return
        left = await self._windows.take(f"calls:{name}:{payer}", most, asked.times)
        if left.taken:
            return
        told = f"{name} may be asked {most} times a minute"
        if left.retry_in == inf:
            raise RateLimited(f"{told}, never {asked.times} times at once: {LESS}", limit=name, retry_after=None)
        raise RateLimited(f"{told}: try again in {_seconds(left.retry_in)}.", limit=name, retry_after=left.retry_in)

    async def _check_month(self, caller: Principal, cost: int) -> None:
        most = caller.limits.points_per_month
        if most is None or caller.kind is CallerKind.ANONYMOUS:
            return
        if cost > most:
            told = f"The plan {caller.limits.plan} has {most} points a month, and this operation costs {cost}: {LESS}"
            raise QuotaExceeded(told, limit=MONTH, retry_after=None)
        if await self._used_this_month(caller) + cost > most:
            now = self._clock.now()
            resets = next_month(now)
            told = f"The plan {caller.limits.plan} has {most} points a month: they are used up until {resets:%Y-%m-%d}."
            raise QuotaExceeded(told, limit=MONTH, retry_after=(resets - now).total_seconds())

    async def _used_this_month(self, caller: Principal) -> int:
        usage: Usage | None = self._services.get(Usage)
        return 0 if usage is None else await usage.month_to_date(caller.tenant)

    async def _spend(self, caller: Principal, cost: int) -> None:
        purse: Purse | None = self._services.get(Purse)
        if purse is None or caller.token is None or await purse.spend(caller.token, cost):
            return
        most = caller.max_points or 0
        if cost > most:
            told = f"The access token may spend {most} points in its life, and this operation costs {cost}: {LESS}"
            raise QuotaExceeded(told, limit="maxPoints", retry_after=None)
        ends = caller.expires_at
        wait = (ends - self._clock.now()).total_seconds() if ends else RETRY_SLOT_S
        told = f"The access token may spend {caller.max_points} points in its life, and they are used up: mint another."
        raise QuotaExceeded(told, limit="maxPoints", retry_after=max(wait, RETRY_SLOT_S))


def make_allowances(
    settings: Settings, clock: Clock, services: Mapping[type, Any], link: RedisLink | None = None
) -> PlanAllowances:
    """Counted through Redis where it is set, else by each process."""
    windows: Windows = MemoryWindows(clock)
    if link is not None:
        windows = LeasedWindows(link, clock, closed=settings.limits_without_redis == "closed")
    return PlanAllowances(windows, clock, services, anonymous_points=settings.anonymous_points)


def next_month(now: datetime) -> datetime:
    """The first moment of the month after, in UTC."""
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)
    return datetime(year, month, 1, tzinfo=UTC)


def _points_key(payer: str) -> str:
    return f"points:{payer}"


def _check_points(left: Left, caller: Principal, most: int, cost: int) -> None:
    if left.taken:
        return
    whose = "Callers without a credential have" if caller.kind is CallerKind.ANONYMOUS else "The plan allows"
    told = f"{whose} {most} points a minute, and this operation costs {cost}: "
    if left.retry_in == inf:
        raise RateLimited(f"{told}{LESS}", limit=POINTS, retry_after=None)
    told += f"{left.remaining} are left, try again in {_seconds(left.retry_in)}."
    raise RateLimited(told, limit=POINTS, retry_after=left.retry_in)


def _seconds(wait: float) -> str:
    return f"{max(1, ceil(wait))} s"
