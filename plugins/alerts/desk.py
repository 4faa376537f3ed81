"""An organisation's alerts: made, changed, switched on and off; whoever evaluates them is told at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from gateway.core.contract import Context, Host
from gateway.core.ports import Audit, Desk
from gateway.core.store import Tx, new_id
from plugins.alerts.conditions import AlertKind, Condition, plain, read_condition, shard_of
from plugins.alerts.evaluation.ladder import AlertState
from plugins.alerts.markets import counted_price
from plugins.alerts.store import AlertRow, AlertStore
from plugins.alerts.types import AlertConditionInput
from plugins.alerts.wishes import check_periods, check_reason, read_wish
from schema.errors import AmbiguousInstrument, MarketgateError
from schema.idempotency import digest, is_same
from schema.names import could_be_id
from schema.pages import Position
from schema.symbols import InstrumentId, parse_instrument
from schema.words.problems import Refused
from schema.words.quotes import PriceType

TOPIC = "alerts.changed"
ALERTS_PER_STREAM = 10
"""An organisation may have ten alerts for each stream that its plan allows at a time."""
LONGEST_KEY = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the caller wants of a new alert, unread."""

    condition: AlertConditionInput
    symbol: str | None
    repeating: bool
    cooldown_ms: int
    hysteresis_bps: int
    fire_if_true: bool
    price_type: PriceType | None
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the caller wants otherwise; None leaves it as it is."""

    condition: AlertConditionInput | None = None
    repeating: bool | None = None
    cooldown_ms: int | None = None
    hysteresis_bps: int | None = None
    fire_if_true: bool | None = None
    price_type: PriceType | None = None
    note: str | None = None
    without_note: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an alert is about, and which price of it counts."""

    condition: Condition
    instrument: InstrumentId | None
    price_type: PriceType | None

    @property
    def columns(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "condition": plain(self.condition), "shard": shard_of(self.condition, self.instrument),
            "price_type": self.price_type.value if self.price_type else None,
        }  # fmt: skip


class AlertDesk:
    """Alerts are an organisation's: every member who may reads and changes them."""

    def __init__(self, host: Host) -> None:
        self._host, self._rows = host, AlertStore()

    async def page(self, context: Context, limit: int, *, behind: Position | None) -> list[AlertRow]:
        """Some of the organisation's alerts, the oldest first."""
        async with self._host.store.read() as tx:
            return await self._rows.page(tx, context.tenant, limit, behind=behind)

    async def create(self, context: Context, wish: Wish, key: str | None) -> AlertRow:
        """A new one, or what the same key made."""
        if _checked(key) and (held := await self._earlier(context, key, wish)) is not None:
            return held
        row = await self._made(context, wish, key)
        async with self._host.store.write() as tx:
            await self._rows.hold(tx, context.tenant)
            if key is not None and (made := await self._rows.with_key(tx, context.tenant, key)) is not None:
                return _same(made, wish)
            most = context.principal.limits.streams * ALERTS_PER_STREAM
            if await self._rows.count(tx, context.tenant) >= most:
                raise Refused("TOO_MANY_ALERTS", f"Your plan allows {most} alerts: delete one first.")
            await self._rows.add(tx, context.tenant, row)
            await self._record(tx, context, "alert.created", row.id, after=_told(row))
            self._tell(tx, row.id)
        return row

    async def update(self, context: Context, alert_id: str, change: Change) -> AlertRow:
        """The alert after the change: it waits as if it were new."""
        while True:
            held = await self._find(context, alert_id)
            subject = await self._changed(context, held, change)
            async with self._host.store.write() as tx:
                now = await self._locked(tx, context, alert_id)
                # The markets were asked about what it was about before: somebody else may have changed that.
                if subject is None or (now.condition, now.price_type) == (held.condition, held.price_type):
                    row = replace(now, **_kept(change), **(subject.columns if subject else {}))
                    check_periods(row.cooldown_ms, row.hysteresis_bps, row.note)
                    return await self._put(tx, context, now, row, "alert.updated")

    async def switch(self, context: Context, alert_id: str, *, active: bool) -> AlertRow:
        """On, where it then waits as if it were new, or off."""
        async with self._host.store.write() as tx:
            now = await self._locked(tx, context, alert_id)
            if now.active == active:
                return now
            action = "alert.enabled" if active else "alert.disabled"
            return await self._put(tx, context, now, replace(now, active=active), action)

    async def delete(self, context: Context, alert_id: str) -> str:
        """The id of what is gone."""
        async with self._host.store.write() as tx:
            if not could_be_id(alert_id) or not await self._rows.remove(tx, context.tenant, alert_id):
                raise _unknown()
            await self._record(tx, context, "alert.deleted", alert_id)
            self._tell(tx, alert_id)
        return alert_id

    async def read(
        self, context: Context, given: AlertConditionInput, symbol: str | None, wanted: PriceType | None = None
    ) -> Subject:
        """A condition on its instrument, known to be possible."""
        condition = read_wish(given)
        instrument = await self._instrument(context, condition, symbol)
        check_reason(condition, instrument)
        price_type = await counted_price(context, condition, instrument, wanted)
        return Subject(condition=condition, instrument=instrument, price_type=price_type)

    async def _made(self, context: Context, wish: Wish, key: str | None) -> AlertRow:
        check_periods(wish.cooldown_ms, wish.hysteresis_bps, wish.note)
        subject = await self.read(context, wish.condition, wish.symbol, wish.price_type)
        now = self._host.clock.now()
        made = AlertRow(
            tenant_id=context.tenant, id=new_id("alert"), made_by=context.principal.actor,
            instrument=str(subject.instrument) if subject.instrument else None, **subject.columns,
            repeating=wish.repeating, cooldown_ms=wish.cooldown_ms, hysteresis_bps=wish.hysteresis_bps,
            fire_if_true=wish.fire_if_true, note=wish.note, active=True, state=AlertState.WAITING.value, arm=0,
            generation=0, last_triggered_at=None, seen_at=now, idempotency_key=key,
            request_digest=None if key is None else digest(wish), created_at=now, changed_at=now,
        )  # fmt: skip
        return _begun(made)

    async def _changed(self, context: Context, held: AlertRow, change: Change) -> Subject | None:
        """What it is about from now on; None where that stays as it is."""
        wanted = change.price_type
        if change.condition is not None:
            return await self.read(context, change.condition, held.instrument, wanted or _price_type(held))
        if wanted is None:
            return None
        condition = read_condition(held.condition)
        instrument = parse_instrument(held.instrument) if held.instrument else None
        price_type = await counted_price(context, condition, instrument, wanted)
        return Subject(condition=condition, instrument=instrument, price_type=price_type)

    async def _locked(self, tx: Tx, context: Context, alert_id: str) -> AlertRow:
        """As it stands now, which nobody else changes until the end of the transaction."""
        found = await self._rows.lock(tx, context.tenant, alert_id) if could_be_id(alert_id) else None
        if found is None:
            raise _unknown()
        return found

    async def _put(self, tx: Tx, context: Context, now: AlertRow, row: AlertRow, action: str) -> AlertRow:
        moment = self._host.clock.now()
        fresh = _begun(replace(row, generation=now.generation + 1, changed_at=moment, seen_at=moment))
        await self._rows.change(tx, context.tenant, now.id, fresh)
        await self._record(tx, context, action, now.id, before=_told(now), after=_told(fresh))
        self._tell(tx, now.id)
        return fresh

    async def _find(self, context: Context, alert_id: str) -> AlertRow:
        if could_be_id(alert_id):
            async with self._host.store.read() as tx:
                held = await self._rows.find(tx, context.tenant, alert_id)
            if held is not None:
                return held
        raise _unknown()

    async def _earlier(self, context: Context, key: str, wish: Wish) -> AlertRow | None:
        async with self._host.store.read() as tx:
            held = await self._rows.with_key(tx, context.tenant, key)
        return None if held is None else _same(held, wish)

    async def _instrument(self, context: Context, condition: Condition, symbol: str | None) -> InstrumentId | None:
        if condition.kind is AlertKind.PROVIDER_HEALTH:
            return None
        if symbol is None:
            if condition.kind is AlertKind.NEWS:
                return None
            raise Refused("SYMBOL_NEEDED", "The condition is about an instrument: give a symbol.", "symbol")
        try:
            return await self._host.service(Desk).find(context, symbol)
        except AmbiguousInstrument as error:
            told = f"{error.symbol!r} may mean {', '.join(error.candidates)}: write one of these."
            raise Refused("SYMBOL_AMBIGUOUS", told, "symbol") from None
        except MarketgateError as error:
            raise Refused("SYMBOL_INVALID", f"{error.message}.", "symbol") from None

    def _tell(self, tx: Tx, alert_id: str) -> None:
        tx.then(lambda: self._host.bus.publish(TOPIC, {"id": alert_id}))

    async def _record(
        self,
        tx: Tx,
        context: Context,
        action: str,
        alert_id: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        await self._host.service(Audit).record(tx, context.act(action, alert_id, before=before, after=after))


def _begun(row: AlertRow) -> AlertRow:
    """As it waits at its beginning: for a value on the other side, or for whichever comes first."""
    if row.fire_if_true:
        return replace(row, state=AlertState.PRIMED.value, arm=row.arm + 1)
    return replace(row, state=AlertState.WAITING.value)


def _kept(change: Change) -> dict[str, Any]:
    names = ("repeating", "cooldown_ms", "hysteresis_bps", "fire_if_true", "note")
    kept: dict[str, Any] = {name: value for name in names if (value := getattr(change, name)) is not None}
    return kept | {"note": None} if change.without_note else kept


def _price_type(row: AlertRow) -> PriceType | None:
    return PriceType(row.price_type) if row.price_type else None


def _checked(key: str | None) -> TypeGuard[str]:
    if key is None:
        return False
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        told = f"An idempotencyKey has 1 to {LONGEST_KEY} printable ASCII characters."
        raise Refused("IDEMPOTENCY_KEY_INVALID", told, "idempotencyKey")
    return True


def _same(held: AlertRow, wish: Wish) -> AlertRow:
    if not is_same(held.request_digest, wish):
        told = "This idempotencyKey came with other input: repeat that input, or give another key."
        raise Refused("IDEMPOTENCY_MISMATCH", told, "idempotencyKey")
    return held


def _told(row: AlertRow) -> dict[str, Any]:
    return {
        "symbol": row.instrument, "condition": read_condition(row.condition).text, "repeating": row.repeating,
        "active": row.active, "note": row.note,
    }  # fmt: skip


def _unknown() -> Refused:
    return Refused(
        "NOT_FOUND", "Your organisation has no alert with this id: `alerts { nodes { id } }` lists them.", "id"
    )
