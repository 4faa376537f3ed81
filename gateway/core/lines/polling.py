"""Lines for what has no feed: asked for again and again, as often as the provider's limits allow; changes are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

import structlog

from gateway.core.access import Lane
from gateway.core.clock import Clock
from gateway.core.guards.quota import usable
from gateway.core.lines.channels import REOPENED
from gateway.core.lines.grid import candles_at, ending, opening
from gateway.core.lines.line import HOPELESS, Ended, Event, Trouble, Update
from gateway.core.lines.motion import Motion
from gateway.core.lines.newest import Newest
from schema.capability import DEFAULT_TERMS, Capability
from schema.errors import Malformed, Stale, UpstreamError
from schema.provenance import UNSTAMPED, DataMode, FeedDelay, Provenance
from schema.symbols import InstrumentId
from schema.words.books import ORDER_BOOK
from schema.words.candles import CANDLES, CandlesAsk
from schema.words.chains import ORACLE_PRICES
from schema.words.live import NoticeCode
from schema.words.quotes import QUOTES
from schema.words.trades import TRADES

if TYPE_CHECKING:
    from gateway.core.pipeline import Pipeline

SHARE = 0.5
"""The part of an upstream's limits that polling takes, in all processes together; queries have the rest."""
SHORTEST_S = 1.0
BUDGET_S = 10.0
FAILURES = 5
"""In a row, until a line ends."""

MOVING = frozenset({FeedDelay.REALTIME, FeedDelay.DELAYED})
"""Feeds that have something new again and again."""

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class Polled:
    """One line."""

    ask: Any
    tell: Callable[[Event], None]
    last: Any = None
    newest: Newest
    motion: Motion = field(default_factory=Motion)
    resumed: bool = False
    """It goes on from where another line ended, and is to be told when it does."""
    failures: int = 0
    closed: bool = False


@dataclass(slots=True, eq=False)
class Poller:
    """All lines of one lane; it lives as long as there are any."""

    lane: Lane
    capability: Capability[Any, Any]
    pipeline: Pipeline
    clock: Clock
    is_open: Callable[[InstrumentId], Awaitable[bool]]
    in_session: Callable[[InstrumentId], Awaitable[bool]]
    """Whether its regular session runs: before and after it many a provider has nothing new."""
    interval: Callable[[Poller], float]
    lines: list[Polled] = field(default_factory=list)
    _new: list[Polled] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def join(self, line: Polled) -> None:
        """It is asked for at once, then with the others."""
        self.lines.append(line)
        self._new.append(line)
        self._wake.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"polling {self.lane.id}")

    def leave(self, line: Polled) -> None:
        """The last one ends the task."""
        with suppress(ValueError):
            self.lines.remove(line)
        if not self.lines and self._task is not None:
            self._task.cancel()
            self._task = None

    async def close(self) -> None:
        """Nothing is left."""
        task, self._task = self._task, None
        self.lines.clear()
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def calls(self) -> int:
        """How many requests a round takes."""
        batch = (self.lane.answer.max_batch or len(self.lines) or 1) if self.capability.items else 1
        return ceil(len(self.lines) / batch)

    @property
    def load(self) -> tuple[int, int]:
        """Requests of a round, and what they cost in the upstream's own units."""
        asked = asking(self.capability, self.lines[0].ask, self.clock.now()) if self.lines else None
        return self.calls, self.calls * (self.lane.answer.units(asked) if asked is not None else 0)

    async def _run(self) -> None:
        try:
            await self._ask_again_and_again()
        except Exception:
            log.exception("live_defect", provider=self.lane.id)
            for line in list(self.lines):
                line.tell(Ended(error=Malformed(self.lane.id, "polling it broke down")))
            self.lines.clear()
            self._task = None

    async def _ask_again_and_again(self) -> None:
        due = self.clock.monotonic()
        while True:
            now = self.clock.monotonic()
            lines, self._new = (list(self.lines) if now >= due else self._new), []
            self._wake.clear()
            if now >= due:
                due = now + self.interval(self)
            await self._round([line for line in lines if line in self.lines])
            if not self._new:
                await self._pause(due - self.clock.monotonic())

    async def _pause(self, seconds: float) -> None:
        """Until the next round, or until somebody new comes."""
        waits = [asyncio.ensure_future(self.clock.sleep(max(seconds, 0.0))), asyncio.ensure_future(self._wake.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _round(self, lines: Sequence[Polled]) -> None:
        trading = [line for line in lines if await self._trades(line)]
        if not trading:
            return
        if self.capability.items is None:
            await asyncio.gather(*map(self._alone, trading))
            return
        items = {item: None for line in trading for item in self.capability.parts(line.ask)}
        found = await self.pipeline.fetch(
            self.lane, self.capability, trading[0].ask, tuple(items), DEFAULT_TERMS, BUDGET_S, judge_age=False
        )
        for line in trading:
            (item,) = self.capability.parts(line.ask)
            self._take(line, found[item])

    async def _alone(self, line: Polled) -> None:
        ask = asking(self.capability, line.ask, self.clock.now())
        found = await self.pipeline.fetch(
            self.lane, self.capability, ask, (ask,), DEFAULT_TERMS, BUDGET_S, judge_age=False
        )
        self._take(line, found[ask])

    async def _trades(self, line: Polled) -> bool:
        """The first time always: then there is something to show. Of a closed market nothing new comes."""
        subject = subject_of(self.capability, line.ask)
        if line.last is None or subject is None or await self.is_open(subject):
            if line.closed:
                self._trouble(line, NoticeCode.FRESH_AGAIN, REOPENED)
            line.closed = False
            if subject is not None and not await self.in_session(subject):
                line.motion.excuse(self.clock.monotonic())
            return True
        if not line.closed:
            line.closed = True
            self._trouble(line, NoticeCode.MARKET_CLOSED, "Nothing is asked for: the market is closed.")
        return False

    def _take(self, line: Polled, outcome: Any) -> None:
        if line not in self.lines:
            return
        if isinstance(outcome, UpstreamError):
            self._failed(line, outcome)
            return
        stored, _ = outcome
        values = values_of(line.ask, stored.value, self.clock.now())
        # A cache before the provider may answer with less than was told.
        if not (kept := line.newest.of(values, stored.provenance.as_of, self.clock.now())) and values:
            return
        values, now = kept, self.clock.monotonic()
        stamp = _stamp_of(values, stored.provenance)
        if values == line.last and stamp is not None and self._frozen(line, stamp, stored.provenance):
            return
        again = bool(line.failures) or line.resumed or line.motion.warned
        if again:
            line.failures, line.resumed = 0, False
            self._trouble(line, NoticeCode.FRESH_AGAIN, "Values come again.")
        elif values == line.last:
            return
        # Of candles and trades the last ones come each time: what leads them in finds out what is new.
        snapshot = again or line.last is None or self.capability in (CANDLES, TRADES)
        provenance = stored.provenance
        if values != line.last:
            line.motion.change(now, (self.clock.now() - stamp).total_seconds() if stamp else 0.0)
        line.last = values
        line.tell(
            Update(
                values=values, as_of=provenance.as_of, snapshot=snapshot, received=self.clock.now(),
                provenance=provenance,
            )
        )  # fmt: skip

    def _frozen(self, line: Polled, stamp: datetime, provenance: Provenance) -> bool:
        """The same values once more, by their own stamp: too long is told, twice as long is the end.

        Without a stamp they prove nothing: a price may stand still.
        """
        judged = self.capability in (QUOTES, ORDER_BOOK, ORACLE_PRICES) and provenance.delay in MOVING
        if not judged or provenance.mode is not DataMode.LIVE:
            return False
        still = line.motion.still(self.clock.monotonic())
        if still:
            told = f"nothing has changed for {round(still)} s, since {stamp:%Y-%m-%d %H:%M:%S} UTC"
            if line.motion.warned:
                line.tell(Ended(error=Stale(self.lane.id, told)))
                self.leave(line)
                return True
            line.motion.warned = True
            self._trouble(line, NoticeCode.STALE, f"{self.lane.id}: {told}.")
        return line.motion.warned

    def _failed(self, line: Polled, error: UpstreamError) -> None:
        line.failures += 1
        if isinstance(error, HOPELESS) or line.failures >= FAILURES:
            line.tell(Ended(error=error))
            self.leave(line)
        elif line.failures == 1:
            self._trouble(line, NoticeCode.STALE, error.message)

    def _trouble(self, line: Polled, code: NoticeCode, message: str) -> None:
        line.tell(Trouble(code=code, message=message, at=self.clock.now()))


class Polling:
    """The pollers of all lanes; those that share a key share its limits, as *processes* do, all of which may poll."""

    def __init__(
        self, pipeline: Pipeline, clock: Clock, is_open: Callable[[InstrumentId], Awaitable[bool]],
        in_session: Callable[[InstrumentId], Awaitable[bool]], processes: Callable[[], int],
    ) -> None:  # fmt: skip
        self._pipeline, self._clock, self._processes = pipeline, clock, processes
        self._is_open, self._in_session = is_open, in_session
        self._pollers: dict[Hashable, Poller] = {}

    def join(self, lane: Lane, capability: Capability[Any, Any], line: Polled) -> Poller:
        """The poller that asks for it."""
        key = (lane.id, lane.scope, capability.name)
        found = self._pollers.get(key)
        if found is None:
            found = Poller(
                lane, capability, self._pipeline, self._clock, self._is_open, self._in_session, self.interval
            )  # fmt: skip
            self._pollers[key] = found
        found.join(line)
        return found

    def interval(self, poller: Poller) -> float:
        """Seconds between two rounds: the window of freshness, longer where the upstream's limits ask for that."""
        lane, now = poller.lane, self._clock.now()
        longest = SHORTEST_S
        if poller.lines:
            ask = asking(poller.capability, poller.lines[0].ask, now)
            window = lane.answer.fresh_for or poller.capability.window(ask, now)
            longest = max(longest, window.total_seconds())
        if lane.access.turnstile is None:
            return longest
        loads = [each.load for each in self._pollers.values() if each.lane.access is lane.access]
        profile = lane.provider.profile
        for limit in profile.limits:
            spent = sum(calls if limit.unit == "requests" else units for calls, units in loads)
            most = usable(limit.count, profile.margin) * SHARE / self._processes()
            longest = max(longest, spent / most * limit.per.total_seconds())
        return longest

    def leave(self, poller: Poller, line: Polled) -> None:
        """Ask for it no more; pollers without lines are dropped."""
        poller.leave(line)
        self._pollers = {key: poller for key, poller in self._pollers.items() if poller.lines}

    async def close(self) -> None:
        """Nothing is left."""
        for poller in self._pollers.values():
            await poller.close()
        self._pollers.clear()


def subject_of(capability: Capability[Any, Any], ask: Any) -> InstrumentId | None:
    """The instrument that an ask of one item is about, where it is about one."""
    found = capability.items.of(ask)[0] if capability.items else getattr(ask, "instrument", None)
    return found if isinstance(found, InstrumentId) else None


def asking(capability: Capability[Any, Any], ask: Any, now: datetime) -> Any:
    """The ask as it has to be put now: of candles the running one and the one before, whatever its range was."""
    if capability is not CANDLES:
        return ask
    begin = opening(ask.interval, now)
    before = opening(ask.interval, begin - timedelta(seconds=1))
    return replace(ask, start=before, end=ending(ask.interval, begin))


def values_of(ask: Any, value: Any, now: datetime) -> tuple[Any, ...]:
    """The words of an answer, without provenance."""
    if isinstance(ask, CandlesAsk):
        return candles_at(value, ask.interval, now)
    return tuple(map(bare, value if isinstance(value, tuple | list) else (value,)))


def _stamp_of(values: Sequence[Any], provenance: Provenance) -> datetime | None:
    """The newest of the values' own; of those that have none the answer's."""
    if not all(hasattr(value, "as_of") for value in values):
        return provenance.as_of
    return max([value.as_of for value in values if value.as_of is not None], default=None)


def bare(value: Any) -> Any:
    """Without provenance, so that two fetches of the same value are equal."""
    return replace(value, provenance=UNSTAMPED) if hasattr(value, "provenance") else value
