"""Which endpoint gets which event: filters of types, channels, pinned versions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gateway.core.ports import Marked
from plugins.webhooks.rows import ENABLED, EndpointRow
from schema.eventfilters import expanded, matches
from schema.events import Event, parts_of
from schema.words.intervals import Interval

DEFAULT = Interval.M1
"""What the candles of a channel without an interval are."""
ALL = "*"
_FREE = "provider."
"""Events of the markets that everybody may want: their names begin so, and no channel is needed for them."""


def pinned(patterns: Iterable[str], catalog: Mapping[str, type[Event]], held: Mapping[str, int]) -> dict[str, int]:
    """The version of each type that is asked for: as it was *held*, else the catalogue's. BadFilter as `expanded`."""
    wanted = sorted(expanded(patterns, catalog))
    return {name: held.get(name, catalog[name].version) for name in wanted}


def needs_channel(kind: type[Event]) -> bool:
    """Whether an event reaches only endpoints that name a channel for it."""
    return kind.market and not kind.name.startswith(_FREE)


def on_channel(channels: Sequence[str], subject: str) -> bool:
    """Whether any part of a subject is one of the channels. A bare instrument means its candles of a minute: others
    are told because somebody else asks for them, which is nothing to whoever does not name them."""
    for part in parts_of(subject):
        bare, _, interval = part.partition("#")
        if part in channels or (interval == DEFAULT and bare in channels):
            return True
    return False


def asks(row: EndpointRow, name: str) -> bool:
    """Whether an endpoint's filters mean a type."""
    return any(matches(pattern, name) for pattern in row.event_types)


def matching(endpoints: Iterable[EndpointRow], marked: Marked, catalog: Mapping[str, type[Event]]) -> list[EndpointRow]:
    """The endpoints that an event of a tenant's log is delivered to; never to the one that it is about."""
    return [row for row in endpoints if _wants(row, marked, catalog.get(marked.type))]


def _wants(row: EndpointRow, marked: Marked, kind: type[Event] | None) -> bool:
    if row.status != ENABLED or row.tenant_id != marked.tenant_id or row.id in parts_of(marked.subject):
        return False
    if row.pins.get(marked.type, marked.version) != marked.version:
        return False
    if not asks(row, marked.type):
        return False
    if row.channels:
        return on_channel(row.channels, marked.subject)
    return kind is None or not needs_channel(kind)
