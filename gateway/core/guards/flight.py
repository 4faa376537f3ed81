"""Single flight: one call, and all who wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from gateway.core.account import NOBODY, Account
from gateway.core.guards.cache import Stored
from schema.errors import UpstreamError
from schema.provenance import CacheStatus

MOST_CALLS = 64
"""Of one flight: a provider that refuses everything is not asked for each item in turn."""

Found = Mapping[Any, Stored | UpstreamError]


class Flight:
    """A call outlives its first caller, for those who join and for the cache, but never the patience of all of them.

    Patience counts from the start: callers that keep joining cannot keep a silent upstream's call alive for ever.
    """

    task: asyncio.Task[Found]

    def __init__(self, seconds: float, account: Account = NOBODY, *, anew: bool = False) -> None:
        self.account = account
        """Whose call it is: the first caller's."""
        self.keep = True
        """Whether the cache holds what comes."""
        self.anew = anew
        """Whether an upstream is asked whatever the shared cache holds."""
        self.shared: dict[Any, CacheStatus] = {}
        """Items that came from the shared cache (HIT) or from another process's call (COALESCED)."""
        self.alone = True
        """Whether no other process is waited for."""
        self.dropped = False
        """Whether an operator has dropped meanwhile what it fetches: it serves those who wait and is not kept."""
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._limits: set[asyncio.Timeout] = set()
        self.deadline = self._began + seconds
        self._calls = 1

    def wait_for(self, seconds: float) -> None:
        """Somebody joins who would have given the call this long."""
        if self._began + seconds > self.deadline:
            self.deadline = self._began + seconds
            for limit in self._limits:
                if not limit.expired():
                    limit.reschedule(self.deadline)

    @property
    def lasted(self) -> float:
        """Seconds since it began."""
        return self._loop.time() - self._began

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - self._loop.time()

    def may_split(self) -> bool:
        """Whether time and calls are left for the two halves of a refused batch; counts them if so."""
        if self.left <= 0 or self._calls + 2 > MOST_CALLS:
            return False
        self._calls += 2
        return True

    def limit(self) -> Limit:
        """TimeoutError at the deadline, which may move meanwhile. Never nest: only the innermost would be noticed."""
        return Limit(self.deadline, self._limits)


class Limit:
    """A time-out that its flight can move while it is entered."""

    __slots__ = ("_among", "_timeout")

    def __init__(self, deadline: float, among: set[asyncio.Timeout]) -> None:
        self._timeout, self._among = asyncio.timeout_at(deadline), among

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        self._among.add(self._timeout)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._among.discard(self._timeout)
        await self._timeout.__aexit__(kind, error, trace)
