"""Open streams end with the credential that opened them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.core.contract import Host
from gateway.core.identity import CallerKind, PlanLimits, Principal
from plugins.accounts.sessions.news import Named, named_in, subject_of
from plugins.accounts.sessions.standing import Standings

log = structlog.get_logger(__name__)

REVOKED = "The credential was revoked or has expired"
EXPIRED = "The credential has expired: connect again with a new one"
SUSPENDED = "The organisation was suspended"
CHANGED = "What the credential may do was changed: connect again"
AT_ONCE = 500
"""Credentials that are looked at in one transaction, with one query for each kind."""
Limits = Callable[[Principal, str | None], Awaitable[PlanLimits]]
"""What a caller's plan allows now, by the plan's name."""
SHORTEST_S, LONGEST_S = 0.05, 86_400.0
"""Bounds of a timer; it only makes the watch look again."""


@dataclass(slots=True, eq=False)
class _Watch:
    principal: Principal
    closed: Callable[[str], None]
    timer: asyncio.TimerHandle | None = None


class Watches:
    """Looks again at each credential when a message is about it, when it should expire, and every few seconds."""

    def __init__(self, host: Host, standings: Standings, limits: Limits) -> None:
        self._host, self._standings, self._limits = host, standings, limits
        self._open: dict[Named, set[_Watch]] = {}
        self._looking: set[asyncio.Task[None]] = set()

    def add(self, principal: Principal, closed: Callable[[str], None]) -> Callable[[], None]:
        """Watch until *closed* was called or the answer is; nobody's credential never ends."""
        subject = subject_of(principal)
        if subject is None:
            return lambda: None
        watch = _Watch(principal, closed)
        self._open.setdefault(subject, set()).add(watch)
        self._set_timer(subject, watch)
        return lambda: self._remove(subject, watch)

    def heard(self, named: Named | None) -> None:
        """Look again at what a message is about; at everything without one."""
        touched = [subject for subject, watches in self._open.items() if named is None or _about(named, watches)]
        if touched:
            self._spawn(touched)

    async def recheck(self, subjects: Sequence[Named] | None = None) -> None:
        """Close whatever is worth something else than it was; what ends by its own word, without the database."""
        wanted = list(self._open) if subjects is None else list(subjects)
        self._end_expired(wanted)
        for start in range(0, len(wanted), AT_ONCE):
            async with self._host.store.read() as tx:
                found = await self._standings.of_all(tx, wanted[start : start + AT_ONCE])
            for subject, standing in found.items():
                now = standing.principal
                if now is not None:
                    now = replace(now, limits=await self._limits(now, standing.plan))
                for watch in list(self._open.get(subject, ())):
                    self._compare(subject, watch, now)

    async def close(self) -> None:
        """Watch nothing any more, and let looks that are under way end."""
        for subject, watches in list(self._open.items()):
            for watch in list(watches):
                self._remove(subject, watch)
        await asyncio.gather(*self._looking, return_exceptions=True)

    def _end_expired(self, subjects: Sequence[Named]) -> None:
        for subject in subjects:
            for watch in list(self._open.get(subject, ())):
                if self._is_over(watch.principal):
                    self._end(subject, watch, EXPIRED)
                elif _is_short(watch.principal):
                    self._set_timer(subject, watch)

    def _is_over(self, principal: Principal) -> bool:
        ends = principal.expires_at
        return _is_short(principal) and ends is not None and self._host.clock.now() >= ends

    def _end(self, subject: Named, watch: _Watch, reason: str) -> None:
        self._remove(subject, watch)
        watch.closed(reason)

    def _compare(self, subject: Named, watch: _Watch, now: Principal | None) -> None:
        reason = self._reason(watch.principal, now)
        if reason is not None:
            self._end(subject, watch, reason)
        elif now is not None:
            if not _is_short(watch.principal):
                watch.principal = replace(watch.principal, expires_at=now.expires_at)
            self._set_timer(subject, watch)

    def _reason(self, was: Principal, now: Principal | None) -> str | None:
        """Why a stream must end now; None if it may go on."""
        if now is None or now.tenant != was.tenant:
            return REVOKED
        if now.suspended is not None and was.suspended is None:
            return SUSPENDED
        if was.scopes - now.scopes or _bounds(was) != _bounds(now):
            return CHANGED
        return EXPIRED if self._is_over(was) else None

    def _set_timer(self, subject: Named, watch: _Watch) -> None:
        if watch.timer is not None:
            watch.timer.cancel()
            watch.timer = None
        expires = watch.principal.expires_at
        if expires is not None:
            left = (expires - self._host.clock.now()).total_seconds()
            loop = asyncio.get_running_loop()
            watch.timer = loop.call_later(min(max(left, SHORTEST_S), LONGEST_S), self._spawn, [subject])

    def _remove(self, subject: Named, watch: _Watch) -> None:
        if watch.timer is not None:
            watch.timer.cancel()
        watches = self._open.get(subject, set())
        watches.discard(watch)
        if not watches:
            self._open.pop(subject, None)

    def _spawn(self, subjects: Sequence[Named]) -> None:
        task = asyncio.create_task(self._look(subjects))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def _look(self, subjects: Sequence[Named]) -> None:
        try:
            await self.recheck(subjects)
        except (SQLAlchemyError, OSError) as fault:
            # The next round, seconds later, looks at everything.
            log.warning("watch_failed", reason=type(fault).__name__)


def _about(named: Named, watches: set[_Watch]) -> bool:
    return any(named in named_in(watch.principal) for watch in watches)


def _bounds(principal: Principal) -> tuple[frozenset[str], frozenset[str], PlanLimits]:
    """What an open stream keeps as it was when it began."""
    return principal.origins, principal.networks, principal.limits


def _is_short(principal: Principal) -> bool:
    """Whether it is known by a token that says itself when it ends; other credentials' ends may move."""
    return principal.kind is CallerKind.USER and not principal.cookie
