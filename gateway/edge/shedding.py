"""Refuses operations before latency collapses: the busiest callers first, and with the time to come back.

What a process of one thread lacks first is turns of its event loop. Where callbacks wait too long for theirs, fewer
operations are let in at a time, a fifth fewer with each step; once they wait no more the bound grows again where it is
made use of. Answers from kept bytes and the health routes pass by: they cost next to nothing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import ceil, exp
from time import perf_counter

from graphql import OperationType

from gateway.core.identity import Principal
from gateway.core.metrics import Tally, gauge
from gateway.edge.allowances import payer_of
from gateway.edge.endings import note_end, note_opened
from gateway.edge.errors import Refused
from gateway.edge.execute import Executor, OperationResult, PreparedOperation, RequestFacts, refused_result
from gateway.edge.gate import Admission

EVERY_S = 0.05
FADES_S = 0.5
"""What counts is the lag of about so many seconds: one late turn may be the collection of garbage."""
CUT, GROWTH = 0.8, 0.05
LEAST, MOST = 32, 20_000
"""Bounds of the bound: operations at a time. So few are never what makes a loop late for long."""
SHORTEST_WAIT_S, LONGEST_WAIT_S = 1.0, 3.0
"""With the spread of a second: shorter than the server keeps an idle connection, so that nobody need dial anew."""

SHED = Tally("marketgate_shed_operations", "Operations refused because the process was at its limit.")
LAG = gauge("marketgate_loop_lag_seconds", "How long a callback waited for its turn, at the last look.")
LIMIT = gauge("marketgate_operations_limit", "Operations that the process lets in at a time, as it is now.")
UNDER_WAY = gauge("marketgate_operations_under_way", "Operations that are being executed.")


class Shedding:
    """How many operations a process bears at a time, and whose they are. A `lag_s` of 0 refuses nobody."""

    def __init__(self, lag_s: float = 0.0, *, spread: Callable[[], float] = random.random) -> None:
        self._lag_s, self._spread = lag_s, spread
        self._lag = 0.0
        self._cuts = self._most = 0
        self._refused = False
        self._of: dict[str, int] = {}
        self._beyond: dict[str, int] = {}
        """Operations that were let in beyond the bound, of whom."""
        self._guests = 0
        self.limit, self.under_way = MOST, 0

    def enter(self, payer: str) -> Refused | None:
        """One more operation of a payer: nothing, or the refusal. Whoever enters leaves."""
        mine = self._of.get(payer, 0)
        if self.under_way >= self.limit:
            if (refused := self._judge(mine)) is not None:
                return refused
            self._beyond[payer] = self._beyond.get(payer, 0) + 1
            self._guests += 1
        self.under_way += 1
        if self.under_way > self._most:
            self._most = self.under_way
        self._of[payer] = mine + 1
        return None

    def leave(self, payer: str) -> None:
        """An operation has ended."""
        self.under_way -= 1
        left = self._of[payer] - 1
        if left:
            self._of[payer] = left
        else:
            del self._of[payer]
        if self._guests and (beyond := self._beyond.get(payer, 0)):
            self._guests -= 1
            if beyond > 1:
                self._beyond[payer] = beyond - 1
            else:
                del self._beyond[payer]

    def look(self, payer: str) -> Refused | None:
        """The refusal that `enter` would answer; for what goes on for hours and does little at a time."""
        return self._judge(self._of.get(payer, 0)) if self.under_way >= self.limit else None

    def _judge(self, mine: int) -> Refused | None:
        """Who has less than an even share is let in beyond the bound, as many together as the bound; then who has
        nothing under way, up to twice as many callers.

        What others had when the bound fell does not count: they may wait for long, as for computations.
        """
        if not self._lag_s:
            return None
        callers = len(self._of)
        little = mine < self.limit / (callers + (mine == 0))
        if little and (self._guests < self.limit or (mine == 0 and callers < 2 * self.limit)):
            return None
        SHED.value += 1
        self._refused = True
        wait = min(SHORTEST_WAIT_S * max(self._cuts, 1), LONGEST_WAIT_S) + self._spread()
        told = "The gateway has more to do than it can: try again after retryAfterMs."
        return Refused(
            "OVERLOADED", told, status=503, details={"retryAfterMs": int(wait * 1000)},
            headers={"Retry-After": str(ceil(wait))},
        )  # fmt: skip

    def note(self, lag_s: float) -> None:
        """What a look at the loop has shown."""
        # A late look stands for all the time since the one before it.
        self._lag += (lag_s - self._lag) * (1 - exp(-(lag_s + EVERY_S) / FADES_S))
        if self._lag > self._lag_s and self._most > LEAST:
            self.limit = max(LEAST, int(min(self.limit, self._most) * CUT))
            self._cuts += 1
            # What this does is seen before the next cut.
            self._lag = 0.0
        elif self._lag < self._lag_s / 2:
            # A bound that nobody came near since the last look has not been tried.
            if self._most >= self.limit / 2:
                self.limit = min(MOST, self.limit + max(1, int(self.limit * GROWTH)))
            # While there are too many callers, they stay away for longer and longer.
            self._cuts = self._cuts if self._refused else max(0, self._cuts - 1)
        self._most, self._refused = self.under_way, False
        LAG.set(lag_s)
        LIMIT.set(self.limit)
        UNDER_WAY.set(self.under_way)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look at the loop for as long as the process serves."""
        loop, timer = asyncio.get_running_loop(), None
        due = loop.time()

        def probe() -> None:
            nonlocal due, timer
            now = loop.time()
            self.note(max(0.0, now - due))
            due = now + EVERY_S
            timer = loop.call_at(due, probe)

        if self._lag_s:
            probe()
        try:
            yield
        finally:
            if timer is not None:
                timer.cancel()


class SheddingExecutor(Executor):
    """Executes what the process can bear: asked before the gate, so that a refusal costs no points."""

    shedding: Shedding

    async def run(self, prepared: PreparedOperation, facts: RequestFacts, principal: Principal) -> OperationResult:
        """See `Executor`."""
        payer, started = payer_of(principal, facts.client_ip), perf_counter()
        refused = self.shedding.enter(payer)
        if refused is not None:
            result = refused_result(refused, facts.request_id)
        else:
            try:
                result = await super().run(prepared, facts, principal)
            finally:
                self.shedding.leave(payer)
        note_end(prepared, principal, result, perf_counter() - started)
        return result

    async def _admit(
        self, prepared: PreparedOperation, principal: Principal, facts: RequestFacts
    ) -> Admission | OperationResult:
        admission = await super()._admit(prepared, principal, facts)
        if prepared.operation.operation is OperationType.SUBSCRIPTION:
            note_opened(prepared, principal, admission if isinstance(admission, OperationResult) else None)
        return admission

    def subscribe(
        self, prepared: PreparedOperation, facts: RequestFacts, principal: Principal
    ) -> AsyncGenerator[OperationResult]:
        """See `Executor`. A stream that is open goes on."""
        refused = self.shedding.look(payer_of(principal, facts.client_ip))
        if refused is not None:
            result = refused_result(refused, facts.request_id)
            note_opened(prepared, principal, result)
            return _only(result)
        return super().subscribe(prepared, facts, principal)


async def _only(result: OperationResult) -> AsyncGenerator[OperationResult]:
    yield result
