"""The mutations of webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any

import strawberry

from gateway.core.contract import Ctx
from plugins.webhooks.desk import EndpointDesk, Wanted
from plugins.webhooks.refusals import (
    WebhookDeliveryResendErrorCode,
    WebhookEndpointCreateErrorCode,
    WebhookEndpointDeleteErrorCode,
    WebhookEndpointDisableErrorCode,
    WebhookEndpointEnableErrorCode,
    WebhookEndpointRecoverErrorCode,
    WebhookEndpointReplayErrorCode,
    WebhookEndpointRotateSecretErrorCode,
    WebhookEndpointTestErrorCode,
    WebhookEndpointUpdateErrorCode,
)
from plugins.webhooks.sending import SendingDesk, Window
from plugins.webhooks.types import WebhookEndpoint, delivered
from plugins.webhooks.words import (
    ID,
    WebhookDeliveryResendInput,
    WebhookDeliveryResendPayload,
    WebhookEndpointCreateInput,
    WebhookEndpointCreatePayload,
    WebhookEndpointDeleteInput,
    WebhookEndpointDeletePayload,
    WebhookEndpointDisableInput,
    WebhookEndpointDisablePayload,
    WebhookEndpointEnableInput,
    WebhookEndpointEnablePayload,
    WebhookEndpointRecoverInput,
    WebhookEndpointRecoverPayload,
    WebhookEndpointReplayPayload,
    WebhookEndpointRotateSecretInput,
    WebhookEndpointRotateSecretPayload,
    WebhookEndpointTestInput,
    WebhookEndpointTestPayload,
    WebhookEndpointUpdateInput,
    WebhookEndpointUpdatePayload,
    WebhookHeaderInput,
)
from schema.facts import PROTECTING, facts
from schema.scopes import Scope
from schema.words.problems import Refused, UserError

REPLAY_COST = 20
"""A replay reads a month of the log at most."""

EndpointId = Annotated[strawberry.ID, strawberry.argument(description=ID)]
Since = Annotated[datetime, strawberry.argument(description="From this instant on.")]
Until = Annotated[datetime | None, strawberry.argument(description="Before this instant; without one, until now.")]
OnlyFailed = Annotated[
    bool | None,
    strawberry.argument(
        description="Only deliveries that were given up. False: also events that fit the endpoint's filters and were "
        "never sent there, such as those from before it was made. What was delivered is never replayed."
    ),
]


def _input(what: str) -> object:
    return strawberry.argument(description=what)


def _pairs(headers: Sequence[WebhookHeaderInput] | None) -> tuple[tuple[str, str], ...]:
    return tuple((each.name, each.value) for each in headers or ())


async def resolve_create(
    info: Ctx, input: Annotated[WebhookEndpointCreateInput, _input("What to make.")]
) -> WebhookEndpointCreatePayload:
    """A new endpoint."""
    wanted = Wanted(
        url=input.url, event_types=tuple(input.event_types), description=input.description,
        channels=tuple(input.channels or ()), headers=_pairs(input.headers), rate_per_second=input.rate_per_second,
        secret=input.secret, signing=input.signing.value.lower(), idempotency_key=input.idempotency_key,
    )  # fmt: skip
    try:
        row, secret = await info.context.service(EndpointDesk).create(info.context, wanted)
    except Refused as refused:
        return WebhookEndpointCreatePayload(user_errors=[refused.error(WebhookEndpointCreateErrorCode)])
    made = WebhookEndpoint.of(row, info.context.host.clock.now())
    return WebhookEndpointCreatePayload(webhook_endpoint=made, secret=secret, user_errors=[])


async def resolve_update(
    info: Ctx, input: Annotated[WebhookEndpointUpdateInput, _input("What is different.")]
) -> WebhookEndpointUpdatePayload:
    """A changed endpoint."""
    given = {each.name: getattr(input, each.name) for each in fields(input) if each.name != "id"}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not strawberry.UNSET}
    if "headers" in changes:
        changes["headers"] = _pairs(changes["headers"])
    if changes.get("signing") is not None:
        changes["signing"] = changes["signing"].value.lower()
    try:
        row = await info.context.service(EndpointDesk).update(info.context, input.id, changes)
    except Refused as refused:
        return WebhookEndpointUpdatePayload(user_errors=[refused.error(WebhookEndpointUpdateErrorCode)])
    made = WebhookEndpoint.of(row, info.context.host.clock.now())
    return WebhookEndpointUpdatePayload(webhook_endpoint=made, user_errors=[])


async def resolve_delete(
    info: Ctx, input: Annotated[WebhookEndpointDeleteInput, _input("What to delete.")]
) -> WebhookEndpointDeletePayload:
    """For good."""
    try:
        gone = await info.context.service(EndpointDesk).delete(info.context, input.id)
    except Refused as refused:
        return WebhookEndpointDeletePayload(user_errors=[refused.error(WebhookEndpointDeleteErrorCode)])
    return WebhookEndpointDeletePayload(webhook_endpoint_id=strawberry.ID(gone), user_errors=[])


async def resolve_enable(
    info: Ctx, input: Annotated[WebhookEndpointEnableInput, _input("What to enable.")]
) -> WebhookEndpointEnablePayload:
    """From now on."""
    try:
        row = await info.context.service(EndpointDesk).enable(info.context, input.id)
    except Refused as refused:
        return WebhookEndpointEnablePayload(user_errors=[refused.error(WebhookEndpointEnableErrorCode)])
    made = WebhookEndpoint.of(row, info.context.host.clock.now())
    return WebhookEndpointEnablePayload(webhook_endpoint=made, user_errors=[])


async def resolve_disable(
    info: Ctx, input: Annotated[WebhookEndpointDisableInput, _input("What to disable.")]
) -> WebhookEndpointDisablePayload:
    """At once."""
    try:
        row = await info.context.service(EndpointDesk).disable(info.context, input.id)
    except Refused as refused:
        return WebhookEndpointDisablePayload(user_errors=[refused.error(WebhookEndpointDisableErrorCode)])
    made = WebhookEndpoint.of(row, info.context.host.clock.now())
    return WebhookEndpointDisablePayload(webhook_endpoint=made, user_errors=[])


async def resolve_rotate(
    info: Ctx, input: Annotated[WebhookEndpointRotateSecretInput, _input("Which endpoint, and for how long both sign.")]
) -> WebhookEndpointRotateSecretPayload:
    """Another secret."""
    desk = info.context.service(EndpointDesk)
    try:
        row, secret = await desk.rotate(info.context, input.id, input.overlap_hours, input.secret)
    except Refused as refused:
        return WebhookEndpointRotateSecretPayload(user_errors=[refused.error(WebhookEndpointRotateSecretErrorCode)])
    made = WebhookEndpoint.of(row, info.context.host.clock.now())
    return WebhookEndpointRotateSecretPayload(webhook_endpoint=made, secret=secret, user_errors=[])


async def resolve_test(
    info: Ctx, input: Annotated[WebhookEndpointTestInput, _input("Which endpoint, and what to send.")]
) -> WebhookEndpointTestPayload:
    """A sample."""
    try:
        row = await info.context.service(SendingDesk).test(info.context, input.id, input.event_type)
    except Refused as refused:
        return WebhookEndpointTestPayload(user_errors=[refused.error(WebhookEndpointTestErrorCode)])
    return WebhookEndpointTestPayload(delivery=delivered(info.context, [row])[0], user_errors=[])


async def resolve_resend(
    info: Ctx, input: Annotated[WebhookDeliveryResendInput, _input("What to send anew.")]
) -> WebhookDeliveryResendPayload:
    """One delivery."""
    try:
        row = await info.context.service(SendingDesk).resend(info.context, input.id)
    except Refused as refused:
        return WebhookDeliveryResendPayload(user_errors=[refused.error(WebhookDeliveryResendErrorCode)])
    return WebhookDeliveryResendPayload(delivery=delivered(info.context, [row])[0], user_errors=[])


async def resolve_recover(
    info: Ctx, input: Annotated[WebhookEndpointRecoverInput, _input("Where, and from when on.")]
) -> WebhookEndpointRecoverPayload:
    """All that was given up."""
    try:
        queued = await info.context.service(SendingDesk).replay(info.context, input.id, Window(since=input.since))
    except Refused as refused:
        return WebhookEndpointRecoverPayload(user_errors=[refused.error(WebhookEndpointRecoverErrorCode)])
    return WebhookEndpointRecoverPayload(queued=queued, user_errors=[])


async def resolve_replay(
    info: Ctx, id: EndpointId, since: Since, until: Until = None, only_failed: OnlyFailed = True
) -> WebhookEndpointReplayPayload:
    """A window of time."""
    window = Window(since=since, until=until, only_failed=only_failed is not False)
    try:
        queued = await info.context.service(SendingDesk).replay(info.context, id, window)
    except Refused as refused:
        code = WebhookEndpointReplayErrorCode(refused.code)
        # There is no input around the arguments.
        error = UserError(field=list(refused.field), code=code, message=refused.message)
        return WebhookEndpointReplayPayload(user_errors=[error])
    return WebhookEndpointReplayPayload(queued=queued, user_errors=[])


@strawberry.type(description="Changes of webhooks.")
class WebhookMutation:
    """Root fields."""

    webhook_endpoint_create: WebhookEndpointCreatePayload = strawberry.field(
        resolver=resolve_create,
        description="Make an endpoint, which events are posted to. Its secret is shown once.",
        metadata=facts(cost=5, needs=Scope.WEBHOOKS_WRITE),
    )
    webhook_endpoint_update: WebhookEndpointUpdatePayload = strawberry.field(
        resolver=resolve_update,
        description="Change what an endpoint gets, and where it is.",
        metadata=facts(cost=5, needs=Scope.WEBHOOKS_WRITE),
    )
    webhook_endpoint_delete: WebhookEndpointDeletePayload = strawberry.field(
        resolver=resolve_delete,
        description="Delete an endpoint, with the log of its deliveries.",
        metadata=facts(cost=2, needs=Scope.WEBHOOKS_WRITE),
    )
    webhook_endpoint_enable: WebhookEndpointEnablePayload = strawberry.field(
        resolver=resolve_enable,
        description="Send to an endpoint again. What it missed is sent by `webhookEndpointReplay`.",
        metadata=facts(cost=2, needs=Scope.WEBHOOKS_WRITE),
    )
    webhook_endpoint_disable: WebhookEndpointDisablePayload = strawberry.field(
        resolver=resolve_disable,
        description="Send nothing more to an endpoint; what waits for it is given up.",
        metadata=facts(cost=0, needs=Scope.WEBHOOKS_WRITE, per_minute=PROTECTING),
    )
    webhook_endpoint_rotate_secret: WebhookEndpointRotateSecretPayload = strawberry.field(
        resolver=resolve_rotate,
        description="Give an endpoint another secret; the present one signs too until the overlap ends.",
        metadata=facts(cost=0, needs=Scope.WEBHOOKS_WRITE, per_minute=PROTECTING),
    )
    webhook_endpoint_test: WebhookEndpointTestPayload = strawberry.field(
        resolver=resolve_test,
        description="Send a sample of an event type to an endpoint, marked as one that never happened.",
        metadata=facts(cost=5, needs=Scope.WEBHOOKS_WRITE),
    )
    webhook_delivery_resend: WebhookDeliveryResendPayload = strawberry.field(
        resolver=resolve_resend,
        description="Send one delivery anew: the same id, a fresh timestamp.",
        metadata=facts(cost=5, needs=Scope.WEBHOOKS_WRITE),
    )
    webhook_endpoint_recover: WebhookEndpointRecoverPayload = strawberry.field(
        resolver=resolve_recover,
        description="Send anew everything that was given up since an instant.",
        metadata=facts(cost=REPLAY_COST, needs=Scope.WEBHOOKS_WRITE),
    )
    webhook_endpoint_replay: WebhookEndpointReplayPayload = strawberry.field(
        resolver=resolve_replay,
        description="Send anew what was given up in a window of time, or also what was never sent.",
        metadata=facts(cost=REPLAY_COST, needs=Scope.WEBHOOKS_WRITE),
    )
