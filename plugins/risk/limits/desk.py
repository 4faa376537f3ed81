"""An organisation's limits: made, changed, deleted; whoever evaluates them is told at once."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit, Portfolios
from gateway.core.store import Tx, new_id
from plugins.risk.limits.kinds import LimitKind, LimitRule, LimitState, plain, read_rule, shard_of
from plugins.risk.limits.store import LimitStore
from plugins.risk.rows import LimitRow
from schema.idempotency import check_same, digest_of
from schema.names import could_be_id
from schema.pages import Position
from schema.symbols import AssetClass
from schema.words.problems import Refused

TOPIC = "risk.limits.changed"
MOST_LIMITS = 200
LONGEST_NOTE = 500
GREATEST = Decimal(1_000)
FRACTIONS = frozenset({LimitKind.CONCENTRATION, LimitKind.DRAWDOWN})
"""Measures that are never above one: a threshold of one or more would never be breached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the caller wants of a new limit, unread."""

    portfolio: str
    rule: LimitRule
    threshold: Decimal
    hysteresis_bps: int
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the caller wants otherwise; None leaves it as it is."""

    threshold: Decimal | None = None
    asset_class: AssetClass | None = None
    confidence: float | None = None
    days: int | None = None
    hysteresis_bps: int | None = None
    note: str | None = None
    active: bool | None = None


class LimitDesk:
    """Limits are an organisation's: every member who may reads and changes them."""

    def __init__(self, host: Host) -> None:
        self._host, self._rows = host, LimitStore()

    async def page(
        self, context: Context, limit: int, portfolio: str | None, behind: Position | None
    ) -> list[LimitRow]:
        """Some of the organisation's limits, or of one portfolio's, the oldest first."""
        if portfolio is not None and not could_be_id(portfolio):
            return []
        async with self._host.store.read() as tx:
            return await self._rows.page(tx, context.tenant, limit, portfolio=portfolio, behind=behind)

    async def find(self, context: Context, limit_id: str) -> LimitRow | None:
        """One of the organisation's."""
        if not could_be_id(limit_id):
            return None
        async with self._host.store.read() as tx:
            return await self._rows.find(tx, context.tenant, limit_id)

    async def create(self, context: Context, wish: Wish, key: str | None) -> LimitRow:
        """A new one, or what the same key made."""
        digest = digest_of(key, wish)
        row = _made(context, wish, key, digest)
        _check(row)
        if not await self._is_there(context, wish.portfolio):
            told = "Your organisation has no portfolio with this id: `portfolios { nodes { id } }` lists them."
            raise Refused("NOT_FOUND", told, "portfolioId")
        async with self._host.store.write() as tx:
            await self._rows.hold(tx, context.tenant)
            if key is not None and (held := await self._rows.with_key(tx, context.tenant, key)) is not None:
                check_same(held.request_digest, digest)
                return held
            if await self._rows.count(tx, context.tenant) >= MOST_LIMITS:
                raise Refused("TOO_MANY_LIMITS", f"Your organisation has {MOST_LIMITS} limits: delete one first.")
            await self._rows.add(tx, context.tenant, row)
            await self._record(tx, context, "risklimit.created", row.id, after=_told(row))
            self._tell(tx, row.id)
        return row

    async def update(self, context: Context, limit_id: str, change: Change) -> LimitRow:
        """The limit after the change: it is armed as if it were new."""
        async with self._host.store.write() as tx:
            held = await self._rows.lock(tx, context.tenant, limit_id) if could_be_id(limit_id) else None
            if held is None:
                raise _unknown()
            row = _changed(held, change)
            _check(row)
            fresh = replace(
                row, state=LimitState.ARMED.value, arm=held.arm + 1, generation=held.generation + 1, value=None,
                subject=None, figure=None, problem=None, evaluated_at=None, changed_at=self._host.clock.now(),
            )  # fmt: skip
            await self._rows.change(tx, context.tenant, limit_id, fresh)
            await self._record(tx, context, "risklimit.updated", limit_id, before=_told(held), after=_told(fresh))
            self._tell(tx, limit_id)
        return fresh

    async def delete(self, context: Context, limit_id: str) -> str:
        """The id of what is gone."""
        async with self._host.store.write() as tx:
            if not could_be_id(limit_id) or not await self._rows.remove(tx, context.tenant, limit_id):
                raise _unknown()
            await self._record(tx, context, "risklimit.deleted", limit_id)
            self._tell(tx, limit_id)
        return limit_id

    async def _is_there(self, context: Context, portfolio: str) -> bool:
        if not could_be_id(portfolio):
            return False
        return await self._host.service(Portfolios).holdings(context, portfolio) is not None

    def _tell(self, tx: Tx, limit_id: str) -> None:
        tx.then(lambda: self._host.bus.publish(TOPIC, {"id": limit_id}))

    async def _record(
        self,
        tx: Tx,
        context: Context,
        action: str,
        limit_id: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        await self._host.service(Audit).record(tx, context.act(action, limit_id, before=before, after=after))


def _made(context: Context, wish: Wish, key: str | None, digest: str | None) -> LimitRow:
    now = context.host.clock.now()
    return LimitRow(
        tenant_id=context.tenant, id=new_id("limit"), made_by=context.principal.actor, portfolio=wish.portfolio,
        shard=shard_of(wish.portfolio), kind=wish.rule.kind.value, threshold=wish.threshold, rule=plain(wish.rule),
        hysteresis_bps=wish.hysteresis_bps, note=wish.note or None, active=True, state=LimitState.ARMED.value, arm=1,
        generation=0, value=None, subject=None, figure=None, problem=None, peak=None, basis=None, evaluated_at=None,
        last_breached_at=None, idempotency_key=key, request_digest=digest, created_at=now, changed_at=now,
    )  # fmt: skip


def _changed(held: LimitRow, change: Change) -> LimitRow:
    rule = read_rule(held.kind, held.rule)
    wanted = replace(
        rule, asset_class=rule.asset_class if change.asset_class is None else change.asset_class,
        confidence=rule.confidence if change.confidence is None else change.confidence,
        days=rule.days if change.days is None else change.days,
    )  # fmt: skip
    return replace(
        held, rule=plain(wanted), threshold=held.threshold if change.threshold is None else change.threshold,
        hysteresis_bps=held.hysteresis_bps if change.hysteresis_bps is None else change.hysteresis_bps,
        note=held.note if change.note is None else change.note or None,
        active=held.active if change.active is None else change.active,
    )  # fmt: skip


def _check(row: LimitRow) -> None:
    rule = read_rule(row.kind, row.rule)
    if not row.threshold.is_finite() or not 0 < row.threshold <= GREATEST:
        raise _wrong(f"threshold must be above 0 and at most {GREATEST}.", "threshold")
    if rule.kind in FRACTIONS and row.threshold >= 1:
        raise _wrong(f"A {rule.kind.value} is never above 1: give a threshold below.", "threshold")
    if not 0 <= row.hysteresis_bps < 10_000:
        raise _wrong("hysteresisBps must be 0 to 9,999.", "hysteresisBps")
    if rule.kind is LimitKind.CLASS_EXPOSURE and rule.asset_class is None:
        raise _wrong("A limit of CLASS_EXPOSURE needs assetClass.", "assetClass")
    if rule.kind is not LimitKind.CLASS_EXPOSURE and rule.asset_class is not None:
        raise _wrong("Only a limit of CLASS_EXPOSURE has an assetClass.", "assetClass")
    if not 0.5 < rule.confidence <= 0.9999:
        raise _wrong("confidence must be above 0.5, and 0.9999 at most.", "confidence")
    if not 30 <= rule.days <= 3_650:
        raise _wrong("days must be 30 to 3,650.", "days")
    if row.note is not None and (
        len(row.note) > LONGEST_NOTE or any(unicodedata.category(c) in ("Cc", "Cs") for c in row.note)
    ):
        told = f"A note has at most {LONGEST_NOTE} characters, none of them a control character."
        raise Refused("NOTE_INVALID", told, "note")


def _wrong(message: str, *field: str) -> Refused:
    return Refused("LIMIT_INVALID", message, *field)


def _told(row: LimitRow) -> dict[str, Any]:
    rule = read_rule(row.kind, row.rule)
    return {
        "portfolio": row.portfolio, "limit": rule.text(row.threshold), "hysteresisBps": row.hysteresis_bps,
        "active": row.active, "note": row.note,
    }  # fmt: skip


def _unknown() -> Refused:
    told = "Your organisation has no limit with this id: `riskLimits { nodes { id } }` lists them."
    return Refused("NOT_FOUND", told, "id")
