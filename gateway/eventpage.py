"""The page of events, from the catalogue: what each tells, its fields, and a sample as it is delivered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import strawberry

from gateway.app import build_gateway
from gateway.core.ports import EventPrinter
from gateway.core.settings import Settings
from gateway.domains import catalog_of, load_plugins
from gateway.reference import table
from providers import discover
from schema.events import Event

SAMPLED = strawberry.ID("evt_0v7m4q1z8t3x6n9b2k5c"), datetime(2026, 11, 20, 12, 0, 1, tzinfo=UTC), "42"
"""What the outbox fills in: id, instant, sequence number."""
HEAD = (
    "What the gateway tells other servers, by webhook, in `events` and in the subscription of that name: `data` of a "
    "delivery is the type of the GraphQL schema as GraphQL prints it, without fields that need arguments, another "
    "object cut at its `id`. `type` and `version` name its form. New fields come without a new version, so ignore what "
    "you do not know; a field that goes or changes its meaning comes as a new type. `mode` says whether what is told "
    "rests on live data."
)
MARKETS = (
    "Events of the markets belong to no organisation and are produced only for what an enabled endpoint names in its "
    "channels: `crypto:BTC/USD#M1` for candles (without `#` and an interval: one-minute candles), `crypto:BTC/USD` for "
    "a consensus, an instrument, `news` or `news:<topic>` for articles. Those of providers need no channel. They are "
    "made of data that its provider's licence allows to be passed on."
)
CLOSING = (
    "`candle.closed` comes once for each instrument, interval and open time, in their order, whichever provider serves "
    "the stream. After an outage the last 100 candles that were missed are told late; a series begins with the first "
    "candle that closes after somebody has asked for it. `candle.revised` is the same provider's later opinion of a "
    "candle that was told in the last three days."
)
SHARED = "provenance"


def events_page(page: Callable[..., str], schema: strawberry.Schema) -> str:
    """The text; *page* puts paragraphs under a title."""
    return page("Events", HEAD, *asyncio.run(_sections(schema)))


async def _sections(schema: strawberry.Schema) -> list[str]:
    """Of what this repository has; nothing is connected."""
    plugins = load_plugins(third_party=False)
    settings = Settings(env="development", upstreams="recorded")
    gateway = build_gateway(settings, discovered=discover(third_party=False), found=plugins, schema=schema)
    try:
        return [each async for each in _told(gateway.host.service(EventPrinter), catalog_of(plugins))]
    finally:
        await gateway.close()


async def _told(printer: EventPrinter, catalog: Mapping[str, type[Event]]) -> AsyncIterator[str]:
    kinds = [catalog[name] for name in sorted(catalog)]
    rows = ((f"[`{k.name}`](#{_anchor(k)})", str(k.version), "yes" if k.market else "", k.about) for k in kinds)
    yield table(("type", "version", "of the markets", "what it tells"), rows)
    yield "## Of the markets"
    yield MARKETS
    yield CLOSING
    yield "## Fields of all events"
    yield table(("field", "value", "meaning"), _fields(printer.json_schema(kinds[0]), ENVELOPE))
    for kind in kinds:
        schema = printer.json_schema(kind)
        own = [name for name in schema["properties"] if name not in ENVELOPE]
        yield f"## {kind.name}"
        yield f"{kind.about} In the schema: `{kind.__name__}`, version {kind.version}."
        yield table(("field", "value", "meaning"), _fields(schema, own))
        yield f"```json\n{json.dumps(await printer.printed(sampled(kind)), indent=2, ensure_ascii=False)}\n```"


ENVELOPE = ("id", "type", "version", "occurredAt", "sequence", "mode")


def sampled(kind: type[Event]) -> Event:
    """The sample as the outbox would write it."""
    id, occurred_at, sequence = SAMPLED
    return replace(kind.sample(), id=id, occurred_at=occurred_at, sequence=sequence)


def _fields(schema: Mapping[str, Any], names: Sequence[str], above: str = "") -> Iterator[tuple[str, ...]]:
    """Those within objects behind them; of a provenance, which is the same everywhere, one line alone."""
    for name in names:
        value = schema["properties"][name]
        yield f"`{above}{name}`", _kind(value), value["description"]
        inner = value.get("items", value)
        if "properties" in inner and name != SHARED:
            yield from _fields(inner, list(inner["properties"]), f"{above}{name}{'[]' if 'items' in value else ''}.")


def _kind(value: Mapping[str, Any]) -> str:
    kinds = value.get("type", "any")
    told = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "enum" in value:
        return "one of " + ", ".join("null" if each is None else f"`{each}`" for each in value["enum"])
    if "const" in value:
        return told
    if "items" in value:
        return f"list of {_kind(value['items'])}"
    shape = "decimal" if "pattern" in value else value.get("format", "").replace("date-time", "instant")
    return f"{told}, {shape}" if shape else told


def _anchor(kind: type[Event]) -> str:
    return kind.name.replace(".", "")
