"""Where seats are worked: each by one task at a time, one thing after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import DBAPIError

from gateway.core.clock import Clock
from plugins.trading.engine.seat import Seat
from plugins.trading.writing import is_gone
from schema.errors import DatabaseUnavailable

MOST_MESSAGES = 200
"""Messages that wait for an account that is being written; the oldest is left out then."""
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
RESTS_S = (1.0, 2.0, 5.0, 15.0, 60.0)
"""How long what has failed is let be: the first time, the next, and so on; the last one from then on."""
FINISH_S = 1.0
"""So long what waits for accounts that are given up is waited for: a lease lasts longer."""

Job = Callable[[], Awaitable[None]]

LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rest:
    """Of what has failed, how often in a row, and until when (monotonic) it is let be."""

    times: int
    until: float


@dataclass(slots=True, kw_only=True, eq=False)
class Place:
    """A seat and what is to be done for it."""

    seat: Seat
    jobs: deque[tuple[Job, str]] = field(default_factory=deque)
    """With what each is about."""
    messages: deque[tuple[Job, str]] = field(default_factory=deque)
    """Those of the jobs that are messages."""
    rests: dict[str, Rest] = field(default_factory=dict)
    """By what they are about, jobs that something unexpected became of."""
    task: asyncio.Task[None] | None = None
    considered: int = 0
    """The version of the account that its conditions were looked at in last."""
    arriving: set[str] = field(default_factory=set)
    """Orders whose conditions hold, and that are about to arrive."""
    resting: set[str] = field(default_factory=set)
    """Orders whose conditions hold, and that wait for a price: they are looked at each second only."""
    late: set[str] = field(default_factory=set)
    """Orders that are about to meet the newest message, as they were read after it."""
    judged: object = None
    """By what it was valued last."""
    passing: bool = False
    """Whether what time alone does waits to be done."""
    guarding: bool = False
    leaving: bool = False
    """Whether others go on with it: what waits is done still, and nothing new is listened to."""
    blind: bool = False
    """Whether it was said that it cannot be valued."""


class Places:
    """All seats of a process. *settle* is called once something was done for one, *lost* where it is to be read."""

    def __init__(
        self, clock: Clock, settle: Callable[[Place], None], gone: Callable[[str], None], lost: Callable[[str], None]
    ) -> None:
        self._clock, self._settle, self._gone, self._lost = clock, settle, gone, lost
        self._all: dict[str, Place] = {}
        self._ending: set[asyncio.Task[None]] = set()
        """Under way for seats that are worked here no more."""
        self.shards: frozenset[int] = frozenset()
        """Parts that this process works."""

    def __len__(self) -> int:
        return len(self._all)

    @property
    def all(self) -> list[Place]:
        """As they are now: they come and go while somebody looks at them."""
        return list(self._all.values())

    @property
    def ids(self) -> frozenset[str]:
        """Of the accounts."""
        return frozenset(self._all)

    def find(self, account_id: str) -> Place | None:
        """Where an account is worked here."""
        return self._all.get(account_id)

    def add(self, place: Place) -> None:
        """One more."""
        self._all[place.seat.id] = place

    def drop(self, account_id: str) -> None:
        """One less; what is under way is finished."""
        place = self._all.pop(account_id, None)
        if place is None:
            return
        place.jobs.clear()
        place.messages.clear()
        if place.task is not None:
            self._ending.add(place.task)
            place.task.add_done_callback(self._ending.discard)

    async def finish(self, places: Iterable[Place]) -> None:
        """What waits for them is done, as far as that does not take too long."""
        tasks = {place.task for place in places if place.task}
        if tasks:
            await asyncio.wait(tasks, timeout=FINISH_S)

    def is_mine(self, place: Place) -> bool:
        """Whether it is worked here still."""
        return place.seat.account.shard in self.shards and self._all.get(place.seat.id) is place

    def put(self, place: Place, job: Job, about: str, *, message: bool = False) -> bool:
        """One more thing to do for a seat, after those before it; messages are bounded. False where it is let be, as
        something unexpected became of the same just now."""
        if self._rests(place, about):
            return False
        each = (job, about)
        if message:
            if len(place.messages) >= MOST_MESSAGES:
                place.jobs.remove(place.messages.popleft())
                LOG.warning("trading_message_left_out", account=place.seat.id)
            place.messages.append(each)
        place.jobs.append(each)
        if place.task is None:
            place.task = asyncio.create_task(self._work(place), name="trading.seat")
        return True

    def attempt(self, place: Place, look: Callable[[], None], about: str) -> None:
        """Look at a seat: what is unexpected there keeps no other one from being looked at."""
        if self._rests(place, about):
            return
        try:
            look()
            place.rests.pop(about, None)
        except Exception:
            LOG.exception("trading_failed", account=place.seat.id, about=about)
            self._let_be(place, about)

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """What is under way."""
        return [*self._ending, *(place.task for place in self._all.values() if place.task)]

    async def _work(self, place: Place) -> None:
        try:
            while place.jobs and self.is_mine(place):
                each = place.jobs.popleft()
                if place.messages and place.messages[0] is each:
                    place.messages.popleft()
                await self._surely(place, *each)
                if self.is_mine(place):
                    self._settle(place)
        finally:
            place.task = None

    async def _surely(self, place: Place, job: Job, about: str) -> None:
        """Again and again: it waits for a database that is away, however long. What cannot be done stands in nobody's
        way, and is tried anew after pauses that grow."""
        pauses = iter(PAUSES_S)
        while True:
            try:
                await job()
                place.rests.pop(about, None)
                return
            except Exception as error:  # noqa: BLE001
                away = isinstance(error, DatabaseUnavailable)
                pause = next(pauses, PAUSES_S[-1] if away else None)
                if pause is None or not isinstance(error, DBAPIError | OSError):
                    self._fail(place, about, error)
                    return
                LOG.warning("trading_not_written", account=place.seat.id, about=about, reason=str(error)[:200])
            await self._clock.sleep(pause)
            if not self.is_mine(place):
                return

    def _fail(self, place: Place, about: str, error: Exception) -> None:
        if is_gone(error):
            # It was deleted meanwhile.
            LOG.info("trading_account_gone", account=place.seat.id)
            self._gone(place.seat.id)
            return
        LOG.error("trading_failed", account=place.seat.id, about=about, exc_info=error)
        self._let_be(place, about)
        self._lost(place.seat.id)

    def _rests(self, place: Place, about: str) -> bool:
        rest = place.rests.get(about)
        return rest is not None and self._clock.monotonic() < rest.until

    def _let_be(self, place: Place, about: str) -> None:
        times = place.rests[about].times + 1 if about in place.rests else 1
        pause = RESTS_S[min(times, len(RESTS_S)) - 1]
        place.rests[about] = Rest(times, self._clock.monotonic() + pause)
