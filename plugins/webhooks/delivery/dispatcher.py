"""Sends what is due: claims in batches, sends through the guarded way out, settles in batches.

One loop: each turn is one transaction that writes what came of the attempts that ended meanwhile, and claims as many
deliveries as can be sent at once. So batches grow with the load by themselves, and nothing that is claimed waits.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from urllib.parse import urlsplit

import structlog

from gateway import __version__
from gateway.core.contract import Host, Sealed
from gateway.core.ports import Egress, EgressRefused, Outbox, Posted, Unreachable
from gateway.core.store import Tx
from gateway.core.tracing import span
from plugins.webhooks.closed import ClosedTenants
from plugins.webhooks.delivery.admission import Admitted, admit, note_begun
from plugins.webhooks.delivery.counts import ATTEMPTS, DISABLED, FLYING, LAG, LANES
from plugins.webhooks.delivery.lanes import SLOTS, Lanes
from plugins.webhooks.delivery.message import Message, message_of
from plugins.webhooks.delivery.rows import Claimed, Settlement, Standing
from plugins.webhooks.delivery.schedule import Schedule
from plugins.webhooks.delivery.settling import REASONS, Settled, Settling
from plugins.webhooks.delivery.signing import signed_headers
from plugins.webhooks.delivery.store import DeliveryDirectory
from plugins.webhooks.delivery.targets import Target, Targets
from plugins.webhooks.delivery.verdict import EXCERPT, Answer, Outcome, Verdict, judge, unjudged
from plugins.webhooks.rows import ENABLED

MOST = 480
"""Attempts under way in a process."""
AT_ONCE = 128
"""Claimed in one transaction."""
DEADLINE_S = 15.0
LEASE = timedelta(seconds=30)
"""Longer than an attempt and its settling take: afterwards the process is taken for dead."""
LOOK_S = 5.0
"""After how long it looks by itself for what nobody told it of."""
AGAIN_S = 1.0
"""After a transaction that failed."""
LAST_S = 3.0
"""For what is under way when the process ends."""
GATHER_S = 0.005
"""How long ends of attempts are gathered for one transaction."""
AGENT = f"Marketgate/{__version__}"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A claimed delivery with all that an attempt needs."""

    claimed: Claimed
    lease: datetime
    target: Target
    message: Message
    occurred_at: datetime


@dataclass(slots=True)
class _Turn:
    """What one transaction found; it counts once that is committed."""

    settled: Settled = field(default_factory=Settled)
    sendings: list[Sending] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)
    admitted: Admitted = field(default_factory=Admitted)


class Dispatcher:
    """One a process; any number of processes on PostgreSQL, and on SQLite as well, where they take turns."""

    def __init__(self, host: Host, schedule: Schedule, *, chance: Random | None = None, most: int = MOST) -> None:
        self._host, self._schedule, self._chance = host, schedule, chance or Random()
        self._directory, self._settling, self._targets = DeliveryDirectory(), Settling(host), Targets(host)
        self.lanes = Lanes(most=most, pauses_s=schedule.delays_s, slots=SLOTS)
        self._closed, self._closed_now = ClosedTenants(host), frozenset[str]()
        self._news = asyncio.Event()
        self._look_at = 0.0
        self._ended: list[tuple[Settlement, bool]] = []
        self._flying: dict[asyncio.Task[None], Sending] = {}
        self._failing: set[str] = set()

    def due(self, endpoints: Iterable[str] = ()) -> None:
        """Something waits for these; without any: look for whom. Called after the commit, from the loop's thread."""
        named = tuple(endpoints)
        self.lanes.due(named)
        if not named:
            self._look_at = 0.0
        self._news.set()

    async def run(self) -> None:
        """Without end."""
        while True:
            self._news.clear()
            try:
                if not await self.turn():
                    await self._wait()
            except Exception:
                # A database that is away: what ended is kept, and leases are longer than this.
                log.exception("webhook_turn_failed")
                await asyncio.sleep(AGAIN_S)

    async def turn(self) -> bool:
        """Settle what ended, claim and send what can be sent; whether there was anything."""
        now = self._host.clock.monotonic()
        if now >= self._look_at:
            await self._look()
            self._look_at = now + LOOK_S
        # Before the transaction: SQLite has one writer, which reads nothing beside itself.
        self._closed_now = await self._closed.now()
        ended = tuple(self._ended)
        wishes = self.lanes.wishes(now, AT_ONCE)
        if not ended and not wishes:
            return False
        turn = _Turn()
        async with self._host.store.write() as tx:
            if ended:
                turn.settled = await self._settling.write(tx, [each for each, _ in ended], frozenset(self._failing))
            if wishes:
                await self._claim(tx, {endpoint: count for endpoint, (count, _) in wishes.items()}, turn)
        self._ended = self._ended[len(ended) :]
        self._after(turn, [each for each, _ in ended])
        for endpoint, (count, news) in wishes.items():
            if endpoint not in turn.admitted.short and turn.found.get(endpoint, 0) < count:
                self.lanes.nothing_left(endpoint, news, now)
        for sending in turn.sendings:
            self._send(sending)
        for endpoint, later in turn.admitted.later_s.items():
            self.lanes.pause(endpoint, now + later)
        return True

    async def _wait(self) -> None:
        """For news, for the next that is due, or until it is time to look."""
        now, at = self._host.clock.monotonic(), self.lanes.next_at()
        until = self._look_at if at is None else min(at, self._look_at)
        with suppress(TimeoutError):
            # Not `wait_for`: before Python 3.12 it loses a cancellation that comes together with the news.
            async with asyncio.timeout(max(until - now, 0.0)):
                await self._news.wait()
            if self._flying:
                await asyncio.sleep(GATHER_S)

    async def _look(self) -> None:
        """Who has anything waiting, and when: of other processes, of before the start, of leases that ran out."""
        clock = self._host.clock
        async with self._host.store.read() as tx:
            waiting = await self._directory.waiting(tx)
        now, at = clock.now(), clock.monotonic()
        for each in waiting:
            later = (each.due_at - now).total_seconds()
            if later > 0:
                self.lanes.due_at(each.endpoint_id, at + later)
            else:
                self.lanes.due((each.endpoint_id,))

    async def _claim(self, tx: Tx, wishes: Mapping[str, int], turn: _Turn) -> None:
        now = self._host.clock.now()
        lease = now + LEASE
        standings = {each.id: each for each in await self._directory.standings(tx, wishes)}
        turn.admitted = made = await admit(tx, self.lanes, wishes, standings, self._closed_now, now)
        claimed = await self._directory.claim(tx, made.counts, now, lease) if made.counts else []
        if not claimed:
            return
        turn.found = Counter(each.endpoint_id for each in claimed)
        await note_begun(tx, made, turn.found, now)
        targets = await self._targets_of(tx, [standings[each] for each in turn.found.keys() & standings.keys()])
        texts = await self._host.service(Outbox).printed(tx, {each.event_id for each in claimed})
        messages = {id: (message_of(id, *text), text[2]) for id, text in texts.items()}
        dropped: dict[str, list[str]] = {}
        for each in claimed:
            target, message = targets.get(each.endpoint_id), messages.get(each.event_id)
            if isinstance(target, Target) and message is not None:
                turn.sendings.append(
                    Sending(claimed=each, lease=lease, target=target, message=message[0], occurred_at=message[1])
                )
            else:
                reason = target if isinstance(target, str) else "its endpoint is gone" if target is None else _GONE
                dropped.setdefault(reason, []).append(each.id)
        for reason, ids in dropped.items():
            await self._directory.drop(tx, ids, now, reason)

    async def _targets_of(self, tx: Tx, standings: Sequence[Standing]) -> dict[str, Target | str]:
        """By endpoint where to send, or why not to."""
        found: dict[str, Target | str] = {}
        for each in standings:
            self._note(each)
            if each.status != ENABLED:
                found[each.id] = "its endpoint is disabled"
            elif (kept := self._targets.kept(each.id, each.changed_at)) is not None:
                found[each.id] = kept
        if unread := {each.id for each in standings} - found.keys():
            for row in await self._directory.endpoints(tx, unread):
                try:
                    found[row.id] = self._targets.read(row)
                except (Sealed, ValueError) as error:
                    log.error("webhook_endpoint_unreadable", endpoint=row.id, reason=str(error))
                    found[row.id] = "its endpoint's secret cannot be read"
        return found

    def _note(self, standing: Standing) -> None:
        if standing.failing_since is not None:
            self._failing.add(standing.id)

    def _send(self, sending: Sending) -> None:
        claimed = sending.claimed
        doubtful = self.lanes.began(
            claimed.endpoint_id, self._host.clock.monotonic(), sending.target.rate, claimed.tenant_id
        )
        task = asyncio.create_task(self._attempt(sending, doubtful), name="webhooks.attempt")
        self._flying[task] = sending
        task.add_done_callback(self._flying.pop)
        FLYING.set(self.lanes.flying)

    async def _attempt(self, sending: Sending, doubtful: bool) -> None:
        """One request, whatever comes of it."""
        clock, claimed = self._host.clock, sending.claimed
        at = clock.now()
        posted, error = None, None
        try:
            with span("webhook", "client", delivery=claimed.id, attempt=claimed.attempts + 1) as traced:
                posted = await self._post(sending, at)
                if traced is not None:
                    traced.set("server.address", urlsplit(sending.target.url).hostname)
                    traced.set("http.response.status_code", posted.status)
        except (EgressRefused, Unreachable) as failure:
            error = str(failure)
        except asyncio.CancelledError:
            self.lanes.ended(claimed.endpoint_id, clock.monotonic(), doubtful=doubtful, well=None)
            raise
        except Exception:
            log.exception("webhook_attempt_failed", delivery=claimed.id)
            error = "the gateway could not send it"
        answer = Answer(at=at, ended=clock.now(), posted=posted, error=error)
        verdict = self._judged(claimed, answer)
        well = verdict.outcome is Outcome.SUCCEEDED
        self.lanes.ended(claimed.endpoint_id, clock.monotonic(), doubtful=doubtful, well=well)
        settlement = Settlement(
            claimed=claimed, lease=sending.lease, url=sending.target.url, answer=answer, verdict=verdict
        )  # fmt: skip
        self._ended.append((settlement, well))
        if not claimed.attempts:
            LAG.observe(max((answer.ended - sending.occurred_at).total_seconds(), 0.0))
        self._news.set()

    def _judged(self, claimed: Claimed, answer: Answer) -> Verdict:
        """Whatever a stranger's answer holds: without a verdict the attempt would hold its slot for ever."""
        chance = self._chance.random()
        try:
            return judge(answer, claimed.failed, self._schedule, chance)
        except Exception:
            log.exception("webhook_answer_not_judged", delivery=claimed.id)
            return unjudged(answer, claimed.failed, self._schedule, chance)

    async def _post(self, sending: Sending, at: datetime) -> Posted:
        target, message = sending.target, sending.message
        headers = {
            **target.headers, "content-type": "application/json", "user-agent": AGENT,
            **signed_headers(message.id, int(at.timestamp()), message.body, target.signers(at)),
        }  # fmt: skip
        egress = self._host.service(Egress)
        return await egress.post(
            target.url, body=message.body, headers=headers, deadline_s=DEADLINE_S, most=2 * EXCERPT
        )

    def _after(self, turn: _Turn, settlements: Sequence[Settlement]) -> None:
        """What the commit of settlements means for the lanes."""
        clock = self._host.clock
        now, at = clock.now(), clock.monotonic()
        for each in settlements:
            endpoint, outcome = each.claimed.endpoint_id, each.verdict.outcome
            ATTEMPTS.labels(outcome.value.lower()).inc()
            if outcome is Outcome.SUCCEEDED:
                self._failing.discard(endpoint)
            else:
                self._failing.add(endpoint)
            if each.verdict.due_at is not None:
                self.lanes.due_at(endpoint, at + (each.verdict.due_at - now).total_seconds())
        for endpoint, reason in turn.settled.disabled.items():
            DISABLED.labels(REASONS[reason]).inc()
            log.warning("webhook_endpoint_disabled", endpoint=endpoint, reason=reason)
            self._failing.discard(endpoint)
            self.lanes.disabled(endpoint)
        LANES.set(len(self.lanes))
        FLYING.set(self.lanes.flying)

    async def drain(self) -> None:
        """Until nothing is due or under way."""
        self._look_at = 0.0
        while True:
            self._news.clear()
            if await self.turn():
                continue
            if not self._flying:
                return
            await self._news.wait()

    async def finish(self) -> None:
        """Let what is under way end for a moment, write what came of it, and let others have the rest at once."""
        if self._flying:
            await asyncio.wait(tuple(self._flying), timeout=LAST_S)
        left = dict(self._flying)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        ended, self._ended = [each for each, _ in self._ended], []
        if not ended and not left:
            return
        async with self._host.store.write() as tx:
            if ended:
                await self._settling.write(tx, ended, frozenset(self._failing))
            for lease in {each.lease for each in left.values()}:
                mine = [each.claimed.id for each in left.values() if each.lease == lease]
                await self._directory.release(tx, mine, lease)


_GONE = "its event is not kept any more"
