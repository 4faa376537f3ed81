"""Breakers of all processes as one: what one learned the others know at once, and one trial call is made for all.

Redis holds a record for each breaker that ever opened, with an epoch that only grows: news of an older epoch than the
one that is known is too late and moves nothing. Without Redis each process goes by itself, until it is back.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import msgspec
import structlog
from redis.asyncio import Redis

from gateway.core.bus import Bus, Message
from gateway.core.clock import Clock
from gateway.core.fleetscripts import CLAIM, READ, RELEASE, RENEW, WRITE
from gateway.core.guards.breaker import FLEET, Breaker, Turn
from gateway.core.link import RedisLink
from gateway.core.oversight import BreakerOversight
from schema.events import Event
from schema.words.registry import BreakerState

TOPIC = "breakers.turned"
RECORD_S = 3600.0
"""How long a record is held for processes that start or heard nothing."""
ORDER_S = 7200.0
"""Longer than an operator's order stands in the database."""
LEASE_S, RENEW_S = 5.0, 1.5
"""The right to the trial call: it outlives a process that dies by this long, and is renewed while the call lasts."""
PATIENCE_S = 0.5
"""For what no call waits for; a claim has the link's own short time."""
ASK_AGAIN_S = 0.5
"""How soon the right is asked for again where another process has it, or died with it."""

log = structlog.get_logger(__name__)
Key = tuple[str, str]


class Record(msgspec.Struct, frozen=True):
    """A breaker as the fleet knows it. `epoch` and `at` are Redis's milliseconds, `rest` is in milliseconds."""

    epoch: int
    at: int
    open: bool
    reason: str
    by: str
    rest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """What is to be written for the fleet."""

    breaker: Breaker
    turn: Turn
    event: Event | None


class SharedBreakers(BreakerOversight):
    """Serves `Overseer` for a fleet."""

    def __init__(self, link: RedisLink, bus: Bus, clock: Clock, *, by: str | None = None) -> None:
        super().__init__(bus, clock)
        self._link = link
        self._by = by or f"{socket.gethostname()}:{os.getpid()}"
        self._breakers: dict[Key, Breaker] = {}
        self._epochs: dict[Key, int] = {}
        self._latest: dict[Key, Turn] = {}
        self._claims: dict[Key, tuple[str, asyncio.Task[None]]] = {}
        self._waiting: deque[Callable[[], Awaitable[None]]] = deque()
        self._worker: asyncio.Task[None] | None = None
        bus.subscribe(TOPIC, self._heard)
        bus.on_gap(self._look_soon)
        link.on_return(self._look_soon)

    def watch(self, breaker: Breaker) -> None:
        """Share this breaker, too."""
        super().watch(breaker)
        self._breakers[_key(breaker)] = breaker

    async def claim(self, breaker: Breaker) -> bool:
        """See `Overseer`. Without Redis the right is this process's own."""
        token = uuid4().hex
        try:
            found = await self._asked(breaker, CLAIM, token, _ms(LEASE_S), wait_s=None)
        except BaseException:
            self._do(lambda: self._release(breaker, token))
            raise
        if found is None:
            self.tell_trial(breaker)
            return True
        said, number, text, now = found
        if said == b"news":
            self._adopt(breaker, _record(text), now)
            return False
        if said == b"wait":
            breaker.hold_claims(min(number / 1000, ASK_AGAIN_S))
            return False
        self.tell_trial(breaker)
        renewing = asyncio.get_running_loop().create_task(self._renew(breaker, token), name="breaker.trial")
        self._claims[_key(breaker)] = (token, renewing)
        return True

    def let_go(self, breaker: Breaker) -> None:
        """See `Overseer`."""
        claim = self._claims.pop(_key(breaker), None)
        if claim is not None:
            token, renewing = claim
            renewing.cancel()
            self._do(lambda: self._release(breaker, token))

    def turned(self, breaker: Breaker, turn: Turn) -> None:
        """See `Overseer`. What was learned from the fleet is not told to it again."""
        self.tell(breaker, turn)
        self.let_go(breaker)
        self._latest[_key(breaker)] = turn
        if turn.cause != FLEET:
            news = _News(breaker=breaker, turn=turn, event=self.event_of(breaker, turn))
            self._do(lambda: self._write(news))

    async def look(self) -> None:
        """Learn what the fleet knows, and tell it what was not told while Redis was away."""
        for breaker in tuple(self._breakers.values()):
            await self._compare(breaker)

    async def close(self) -> None:
        """Give back the rights to trials, write what waits."""
        for breaker in tuple(self._breakers.values()):
            self.let_go(breaker)
        if self._worker is not None:
            await asyncio.wait({self._worker})
        await super().close()

    async def _write(self, news: _News) -> None:
        breaker, turn, key = news.breaker, news.turn, _key(news.breaker)
        if self._latest[key] is not turn and not turn.order:
            return
        found = await self._put(breaker, turn)
        if found is None:
            # Without Redis this process goes by itself.
            self._announce(news.event)
            return
        written, record, now = found
        if self._latest[key] is turn and written:
            self._epochs[key] = record.epoch
        elif self._latest[key] is turn or self._latest[key].cause == FLEET:
            self._adopt(breaker, record, now)
        else:
            self._epochs[key] = max(record.epoch, self._epochs.get(key, 0))
        if written:
            await self._bus.publish(TOPIC, {"key": list(key), "record": msgspec.to_builtins(record)})
            self._announce(news.event)

    def _announce(self, event: Event | None) -> None:
        if event is not None:
            self.publish(event)

    async def _put(self, breaker: Breaker, turn: Turn) -> tuple[bool, Record, int] | None:
        """Write a turn; false with the record that stands in its way. None where Redis does not answer."""
        kind = "order" if turn.order else "trial" if turn.after_trial else "calls"
        found = await self._asked(
            breaker, WRITE, int(turn.state is BreakerState.OPEN), turn.why, self._by, _ms(breaker.rest_left),
            _ms(RECORD_S), kind, _ms(ORDER_S), order=turn.order,
        )  # fmt: skip
        record = _record(found[1]) if found else None
        return None if found is None or record is None else (bool(found[0]), record, found[2])

    async def _compare(self, breaker: Breaker) -> None:
        found = await self._asked(breaker, READ)
        if found is None:
            return
        record, now, known = _record(found[0]), found[1], self._epochs.get(_key(breaker), 0)
        if record is not None and record.epoch > known:
            self._adopt(breaker, record, now)
        elif (record is not None and record.open) != (breaker.opened_at is not None):
            state = BreakerState.OPEN if breaker.opened_at else BreakerState.CLOSED
            turn = Turn(state=state, why=breaker.reason or "closed while Redis was away", cause="trial")
            self._latest[_key(breaker)] = turn
            await self._write(_News(breaker=breaker, turn=turn, event=None))

    def _heard(self, message: Message) -> None:
        try:
            provider, capability = message["key"]
            record = msgspec.convert(message["record"], Record)
        except (KeyError, TypeError, ValueError):
            log.warning("breaker_news_malformed")
            return
        breaker = self._breakers.get((provider, capability))
        if breaker is not None:
            self._adopt(breaker, record, record.at)

    def _adopt(self, breaker: Breaker, record: Record | None, now: int) -> None:
        """Do as the fleet did, unless that is older than what is known here."""
        key = _key(breaker)
        if record is None or record.epoch <= self._epochs.get(key, 0):
            return
        self._epochs[key] = record.epoch
        log.info("breaker_followed", provider=key[0], capability=key[1], by=record.by, open=record.open)
        if record.open:
            breaker.follow_open(record.reason, (record.at + record.rest - now) / 1000)
        else:
            breaker.follow_closed(record.reason)

    async def _renew(self, breaker: Breaker, token: str) -> None:
        """While the trial call lasts; a right that was lost is not taken back."""
        held = True
        while held:
            await self._clock.sleep(RENEW_S)
            found = await self._asked(breaker, RENEW, token, _ms(LEASE_S))
            held = found is None or bool(found[0])

    async def _release(self, breaker: Breaker, token: str) -> None:
        await self._asked(breaker, RELEASE, token)

    async def _asked(
        self, breaker: Breaker, script: str, *arguments: Any, order: str = "", wait_s: float | None = PATIENCE_S
    ) -> list[Any] | None:
        """What a script answers; None where Redis does not."""
        place = f"marketgate:{{{breaker.provider}}}:breaker:{breaker.capability}"
        keys = (place, f"{place}:trial", f"marketgate:{{{breaker.provider}}}:order:{order}")
        known = self._epochs.get(_key(breaker), 0)

        async def question(redis: Redis) -> list[Any]:
            found: list[Any] = await redis.eval(script, len(keys), *keys, known, *arguments)
            return found

        nothing: list[Any] | None = None
        return await self._link.ask(question, otherwise=nothing, wait_s=wait_s)

    def _look_soon(self) -> None:
        self._do(self.look)

    def _do(self, work: Callable[[], Awaitable[None]]) -> None:
        """One after the other, in the order in which things happened; nobody waits for it."""
        self._waiting.append(work)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._work(), name="breakers.fleet")

    async def _work(self) -> None:
        while self._waiting:
            try:
                await self._waiting.popleft()()
            except Exception:
                log.exception("breakers_not_shared")


def _key(breaker: Breaker) -> Key:
    return breaker.provider, breaker.capability


def _record(text: bytes | None) -> Record | None:
    """None for none, and for what another version has written."""
    try:
        return None if text is None else msgspec.json.decode(text, type=Record)
    except msgspec.MsgspecError:
        return None


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
