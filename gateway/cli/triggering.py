"""`marketgate webhooks trigger`: the catalogue's sample of one type, to try a receiver."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from gateway.cli.link import Link, Where, connect
from gateway.cli.office import changed
from gateway.cli.outcome import Code, Stop, usage
from gateway.cli.output import Column, Form, Table, write
from gateway.cli.posting import Sender, Target
from gateway.cli.sent import Sent, write_head, write_sent
from gateway.core.clock import SystemClock
from gateway.core.store import new_id
from schema.events import delivery_text
from schema.scalars import datetime_text

TYPES = "{ eventTypes { name sample } }"
TEST = """
mutation Trigger($input: WebhookEndpointTestInput!) {
  webhookEndpointTest(input: $input) {
    delivery { id eventId eventType status }
    userErrors { code message }
  }
}
"""
COLUMNS = ("id", "eventId", "eventType", "status")


async def run(
    where: Where, kind: str, *, to: str | None, secret: str | None, endpoint: str | None, form: Form
) -> Code:  # fmt: skip
    """From here, or from the gateway to one of its endpoints."""
    if (to is None) == (endpoint is None):
        raise usage("give one of --to and --endpoint")
    if to is not None and secret is None:
        raise usage("--to needs the receiver's secret: give it with --secret or MARKETGATE_WEBHOOK_SECRET")
    target = None if to is None else Target.read("--to", to, secret)
    async with connect(where) as link:
        if target is None:
            return await _through(link, kind, endpoint, form)
        return await _straight(link, kind, target, form)


async def _through(link: Link, kind: str, endpoint: str | None, form: Form) -> Code:
    answer = await link.ask(TEST, {"input": {"id": endpoint, "eventType": kind}})
    payload = changed(answer, "webhookEndpointTest", kind)
    row = [payload["delivery"][name] for name in COLUMNS]
    table = Table([Column(name, name) for name in COLUMNS], [row])
    write(form, {"webhookEndpointTest": payload}, table)
    return Code.ALL


async def _straight(link: Link, kind: str, target: Target, form: Form) -> Code:
    now = SystemClock().now()
    data = sample_of((await link.ask(TYPES)).root("eventTypes", kind), kind, now)
    body = delivery_text(kind, now, json.dumps(data, ensure_ascii=False, separators=(",", ":")))
    async with Sender.open(target) as sender:
        posted = await sender.post(data["id"], body)
    write_head(form)
    write_sent(form, Sent(id=data["id"], type=kind, at=data["occurredAt"], posted=posted))
    return Code.ALL if posted.taken else Code.NOTHING


def sample_of(types: Sequence[Any], kind: str, now: datetime) -> dict[str, Any]:
    """An event that never happened: its id is a new one, its mode says so. Stop where no type has the name."""
    samples = {each["name"]: each["sample"] for each in types}
    if kind not in samples:
        near = get_close_matches(kind, sorted(samples), n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else "the query eventTypes lists them"
        raise Stop(f"{kind!r} is no type of event: {hint}", Code.USAGE)
    own = {"id": new_id("test"), "occurredAt": datetime_text(now), "mode": "SIMULATED"}
    return {**json.loads(samples[kind]), **own}
