"""The root fields of alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import strawberry

from gateway.core.contract import Ctx
from plugins.alerts.conditions import read_condition
from plugins.alerts.desk import AlertDesk, Change, Wish
from plugins.alerts.history import MOST_DAYS, USUAL_DAYS, try_on_history
from plugins.alerts.preview import Trial
from plugins.alerts.store import AlertRow
from plugins.alerts.types import (
    Alert,
    AlertConditionInput,
    AlertConnection,
    AlertCreateErrorCode,
    AlertCreateInput,
    AlertCreatePayload,
    AlertDeleteErrorCode,
    AlertDeletePayload,
    AlertDisableErrorCode,
    AlertDisablePayload,
    AlertEnableErrorCode,
    AlertEnablePayload,
    AlertInput,
    AlertPreview,
    AlertUpdateErrorCode,
    AlertUpdateInput,
    AlertUpdatePayload,
    Recurrence,
)
from schema.errors import BadInput
from schema.facts import facts
from schema.pages import Position, cut, page_length, page_size, position_of
from schema.paging import DEFAULT_PAGE
from schema.scalars import Cursor
from schema.scopes import Scope
from schema.symbols import parse_instrument
from schema.words.instruments import selected_fields
from schema.words.problems import Refused

KIND = "alert"
PREVIEW_POINTS = 5


def _says(description: str) -> object:
    return strawberry.argument(description=description)


First = Annotated[int | None, _says("Rows of the page, 1 to 100.")]
After = Annotated[Cursor | None, _says("Continue behind this cursor.")]
Symbol = Annotated[str | None, _says("An id such as `crypto:BTC/USD`, or a short form.")]
Days = Annotated[int | None, _says(f"How far back, 1 to {MOST_DAYS} days.")]
Which = Annotated[AlertInput, _says("Which alert.")]


async def resolve_alerts(info: Ctx, first: First = DEFAULT_PAGE, after: After = None) -> AlertConnection:
    """The organisation's."""
    size, behind = page_size(first), position_of(KIND, after)
    rows = await info.context.service(AlertDesk).page(info.context, size + 1, behind=behind)
    shown, page = cut(rows, kind=KIND, size=size, after=after, position=_place)
    return AlertConnection(nodes=[Alert.of(row) for row in shown], page_info=page)


def _place(row: AlertRow) -> Position:
    return row.created_at, row.id


async def resolve_preview(
    info: Ctx,
    condition: Annotated[AlertConditionInput, _says("What it would wait for.")],
    symbol: Symbol = None,
    days: Days = USUAL_DAYS,
) -> AlertPreview:
    """Tried as an alert that is armed again and again, a minute apart."""
    days = USUAL_DAYS if days is None else days
    if not 1 <= days <= MOST_DAYS:
        raise BadInput("days", f"must be 1 to {MOST_DAYS}, not {days}")
    try:
        subject = await info.context.service(AlertDesk).read(info.context, condition, symbol)
    except Refused as refused:
        raise BadInput(".".join(refused.field) or "condition", refused.message) from None
    return await try_on_history(info.context, Trial(condition=subject.condition), subject.instrument, days)


async def resolve_create(info: Ctx, input: Annotated[AlertCreateInput, _says("What to make.")]) -> AlertCreatePayload:
    """A new one."""
    wish = Wish(
        condition=input.condition, symbol=input.symbol, repeating=input.recurrence is Recurrence.REPEATING,
        cooldown_ms=input.cooldown_ms, hysteresis_bps=input.hysteresis_bps, fire_if_true=input.fire_if_true,
        price_type=input.price_type, note=input.note,
    )  # fmt: skip
    try:
        row = await info.context.service(AlertDesk).create(info.context, wish, input.idempotency_key)
    except Refused as refused:
        return AlertCreatePayload(user_errors=[refused.error(AlertCreateErrorCode)])
    preview = None
    if "preview" in selected_fields(info):
        trial = Trial(
            condition=read_condition(row.condition), repeating=True, cooldown=timedelta(milliseconds=row.cooldown_ms),
            hysteresis_bps=row.hysteresis_bps, fire_if_true=row.fire_if_true,
        )  # fmt: skip
        instrument = parse_instrument(row.instrument) if row.instrument else None
        preview = await try_on_history(info.context, trial, instrument, USUAL_DAYS)
    return AlertCreatePayload(alert=Alert.of(row), preview=preview, user_errors=[])


async def resolve_update(
    info: Ctx, input: Annotated[AlertUpdateInput, _says("What to change.")]
) -> AlertUpdatePayload:  # fmt: skip
    """All of the change, or nothing."""
    note: Any = input.note
    change = Change(
        condition=input.condition, cooldown_ms=input.cooldown_ms, hysteresis_bps=input.hysteresis_bps,
        repeating=None if input.recurrence is None else input.recurrence is Recurrence.REPEATING,
        fire_if_true=input.fire_if_true, price_type=input.price_type,
        note=None if note is strawberry.UNSET else note, without_note=note is None,
    )  # fmt: skip
    try:
        row = await info.context.service(AlertDesk).update(info.context, input.id, change)
    except Refused as refused:
        return AlertUpdatePayload(user_errors=[refused.error(AlertUpdateErrorCode)])
    return AlertUpdatePayload(alert=Alert.of(row), user_errors=[])


async def resolve_delete(info: Ctx, input: Which) -> AlertDeletePayload:
    """For good."""
    try:
        deleted = await info.context.service(AlertDesk).delete(info.context, input.id)
    except Refused as refused:
        return AlertDeletePayload(user_errors=[refused.error(AlertDeleteErrorCode)])
    return AlertDeletePayload(alert_id=strawberry.ID(deleted), user_errors=[])


async def resolve_enable(info: Ctx, input: Which) -> AlertEnablePayload:
    """As if it were new."""
    try:
        row = await info.context.service(AlertDesk).switch(info.context, input.id, active=True)
    except Refused as refused:
        return AlertEnablePayload(user_errors=[refused.error(AlertEnableErrorCode)])
    return AlertEnablePayload(alert=Alert.of(row), user_errors=[])


async def resolve_disable(info: Ctx, input: Which) -> AlertDisablePayload:
    """Until it is enabled."""
    try:
        row = await info.context.service(AlertDesk).switch(info.context, input.id, active=False)
    except Refused as refused:
        return AlertDisablePayload(user_errors=[refused.error(AlertDisableErrorCode)])
    return AlertDisablePayload(alert=Alert.of(row), user_errors=[])


@strawberry.type(description="Alerts.")
class AlertQuery:
    """Root fields."""

    alerts: AlertConnection = strawberry.field(
        resolver=resolve_alerts,
        description="The organisation's alerts, the oldest first.",
        metadata=facts(times=page_length, needs=Scope.ALERTS_READ),
    )
    alert_preview: AlertPreview = strawberry.field(
        resolver=resolve_preview,
        description="How often a condition would have become true, tried on candles of the past.",
        metadata=facts(cost=PREVIEW_POINTS, needs=Scope.MARKET_READ),
    )


@strawberry.type(description="Changes of alerts.")
class AlertMutation:
    """Root fields."""

    alert_create: AlertCreatePayload = strawberry.field(
        resolver=resolve_create,
        description="Make an alert. It fires into the organisation's events, and so to webhooks.",
        metadata=facts(cost=PREVIEW_POINTS, needs=Scope.ALERTS_WRITE),
    )
    alert_update: AlertUpdatePayload = strawberry.field(
        resolver=resolve_update,
        description="Change an alert: it then waits as if it were new.",
        metadata=facts(cost=2, needs=Scope.ALERTS_WRITE),
    )
    alert_delete: AlertDeletePayload = strawberry.field(
        resolver=resolve_delete,
        description="Delete an alert; its events stay.",
        metadata=facts(cost=2, needs=Scope.ALERTS_WRITE),
    )
    alert_enable: AlertEnablePayload = strawberry.field(
        resolver=resolve_enable,
        description="Switch an alert on, also one that has fired once: it waits as if it were new.",
        metadata=facts(cost=2, needs=Scope.ALERTS_WRITE),
    )
    alert_disable: AlertDisablePayload = strawberry.field(
        resolver=resolve_disable,
        description="Switch an alert off.",
        metadata=facts(cost=2, needs=Scope.ALERTS_WRITE),
    )
