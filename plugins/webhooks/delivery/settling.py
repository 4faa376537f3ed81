"""What came of attempts is written in one transaction, with the events and mails that it causes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import strawberry

from gateway.core.contract import Host
from gateway.core.ports import Mailer, Organisations, Outbox
from gateway.core.store import Tx
from plugins.webhooks.delivery import letters
from plugins.webhooks.delivery.rows import Claimed, Settlement
from plugins.webhooks.delivery.schedule import JITTER, LONGEST_WISH_S
from plugins.webhooks.delivery.store import DeliveryDirectory
from plugins.webhooks.delivery.verdict import Outcome
from plugins.webhooks.events import WebhookDeliveryExhausted, WebhookEndpointDisabled
from plugins.webhooks.rows import ENABLED, TEST, EndpointRow

GIVEN_UP = timedelta(days=5)
"""How long an endpoint may fail without any success."""
NOTED_EVERY = timedelta(minutes=10)
"""How exactly the last failure is kept: not each of many is a write of its endpoint."""
LATE = timedelta(hours=1)
"""How much later than it is due an attempt may be, behind breakers and others."""
OWN = "webhook."
"""Events about webhooks: that one of them was not delivered is no event again, or two broken endpoints would tell each
other of it for ever."""
WANTS_NOTHING = "it answered 410 Gone"
FAILS = "its deliveries have failed for five days"
REASONS = {WANTS_NOTHING: "gone", FAILS: "failing"}


@dataclass(slots=True)
class Settled:
    """What is known once the transaction is committed."""

    disabled: dict[str, str] = field(default_factory=dict)
    """Endpoints that were, and why."""
    lost: int = 0
    """Attempts whose lease had run out: somebody else has the delivery."""


class Settling:
    """Writes settlements."""

    def __init__(self, host: Host) -> None:
        self._host, self._directory = host, DeliveryDirectory()
        longest_s = max(LONGEST_WISH_S, *host.settings.webhook_schedule) * (1 + JITTER)
        self._longest_wait = timedelta(seconds=longest_s) + NOTED_EVERY + LATE

    async def write(self, tx: Tx, settlements: Sequence[Settlement], failing: frozenset[str]) -> Settled:
        """*failing*: endpoints that are known to have failed before, so that a success of theirs is worth a look."""
        now, done = self._host.clock.now(), Settled()
        good = [each for each in settlements if each.verdict.outcome is Outcome.SUCCEEDED]
        bad = [each for each in settlements if each.verdict.outcome is not Outcome.SUCCEEDED]
        well = {each.claimed.endpoint_id for each in good}
        # Endpoints before deliveries, always: whoever changes both takes them in this order.
        touched = {each.claimed.endpoint_id for each in bad} | (well & failing)
        rows = {row.id: row for row in await self._directory.lock(tx, touched)} if touched else {}
        written = await self._deliveries(tx, good, bad, now)
        done.lost = len(settlements) - len(written)
        if recovered := {row.id for row in rows.values() if row.id in well and row.failing_since is not None}:
            await self._directory.recovered(tx, recovered)
        for row in rows.values():
            mine = [each for each in written if each.claimed.endpoint_id == row.id and each in bad]
            await self._pause(tx, row, mine)
            if mine and row.status == ENABLED:
                await self._failed(tx, row, mine, well, done)
        return done

    async def _deliveries(
        self, tx: Tx, good: Sequence[Settlement], bad: Sequence[Settlement], now: datetime
    ) -> list[Settlement]:
        """Those that were this process's still."""
        ids = await self._directory.succeeded(tx, good, now) if good else set()
        written = [each for each in good if each.claimed.id in ids]
        for each in bad:
            if await self._directory.failed(tx, each, now):
                written.append(each)
        if written:
            await self._directory.note(tx, written)
        return written

    async def _pause(self, tx: Tx, row: EndpointRow, mine: Sequence[Settlement]) -> None:
        """Until the receiver wants something again."""
        there = [each.verdict.paused_until for each in mine if each.url == row.url]
        wishes = [until for until in there if until is not None]
        if wishes and (row.allowed_at is None or max(wishes) > row.allowed_at):
            await self._directory.allow(tx, row.id, max(wishes))

    async def _failed(
        self, tx: Tx, row: EndpointRow, mine: Sequence[Settlement], well: set[str], done: Settled
    ) -> None:
        """Of one enabled endpoint."""
        now = self._host.clock.now()
        for each in mine:
            if each.verdict.outcome is Outcome.EXHAUSTED and _is_news(each.claimed):
                self._tell_exhausted(tx, each)
        if any(each.verdict.gone for each in mine):
            await self._disable(tx, row, WANTS_NOTHING, done)
        elif row.id not in well:
            first, last = min(each.answer.at for each in mine), max(each.answer.at for each in mine)
            since = first if row.failing_since is None or self._paused(row, first) else row.failing_since
            if since != row.failing_since or row.failed_at is None or last - row.failed_at >= NOTED_EVERY:
                await self._directory.failing(tx, row.id, since, last)
            if now - since >= GIVEN_UP:
                await self._disable(tx, row, FAILS, done)

    def _paused(self, row: EndpointRow, at: datetime) -> bool:
        """Whether nothing had been sent for longer than any delivery waits: that is no time of failing."""
        return row.failed_at is not None and at - row.failed_at > self._longest_wait

    async def _disable(self, tx: Tx, row: EndpointRow, reason: str, done: Settled) -> None:
        host, now = self._host, self._host.clock.now()
        await self._directory.disable(tx, row.id, now, reason)
        event = WebhookEndpointDisabled(
            endpoint_id=strawberry.ID(row.id), url=row.url, reason=reason, failing_since=row.failing_since
        )
        host.service(Outbox).emit(tx, event, tenant=row.tenant_id)
        done.disabled[row.id] = reason
        if Mailer in host.services and Organisations in host.services:
            for to in await host.service(Organisations).keepers(tx, row.tenant_id):
                letter = letters.disabled(host.settings.address, to, row.id, reason, row.failing_since)
                await host.service(Mailer).send(tx, letter)

    def _tell_exhausted(self, tx: Tx, each: Settlement) -> None:
        claimed, verdict = each.claimed, each.verdict
        event = WebhookDeliveryExhausted(
            delivery_id=strawberry.ID(claimed.id), endpoint_id=strawberry.ID(claimed.endpoint_id),
            undelivered_id=strawberry.ID(claimed.event_id), undelivered_type=claimed.event_type,
            attempts=claimed.attempts + 1, last_status=verdict.status, last_error=verdict.error,
        )  # fmt: skip
        self._host.service(Outbox).emit(tx, event, tenant=claimed.tenant_id)


def _is_news(claimed: Claimed) -> bool:
    """Whether others are told that it was not delivered: neither of our own events, nor of one that never happened."""
    return not claimed.event_type.startswith(OWN) and not claimed.event_id.startswith(f"{TEST}_")
