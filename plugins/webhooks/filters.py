"""Which endpoint gets which event: patterns over the catalogue, channels, pinned versions. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches

from gateway.core.ports import Marked
from plugins.webhooks.rows import ENABLED, EndpointRow
from schema.events import Event

ALL = "*"
_PATTERN = re.compile(r"\*|[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*(?:\.\*)?")
_FREE = "provider."
"""Events of the markets that everybody may want: their names begin so, and no channel is needed for them."""
_NEAREST = 3
_LONGEST = 100


class BadPattern(ValueError):
    """A pattern that means nothing; `malformed` where it is none at all. The message shows the way out."""

    def __init__(self, told: str, *, malformed: bool) -> None:
        super().__init__(told)
        self.malformed = malformed


def check_pattern(pattern: str, known: Collection[str]) -> None:
    """BadPattern unless it is `*`, a type's name, or the beginning of some in front of `.*`."""
    shown = repr(pattern[:_LONGEST])
    if len(pattern) > _LONGEST or not _PATTERN.fullmatch(pattern):
        told = f"{shown} is no filter: give a type such as 'apikey.created', 'apikey.*' for all of a family, or '*'"
        raise BadPattern(f"{told}{_hint(pattern, known)}", malformed=True)
    if not expanded((pattern,), known):
        raise BadPattern(f"{shown} names no event type{_hint(pattern, known)}", malformed=False)


def _hint(pattern: str, known: Collection[str]) -> str:
    families = {name.rpartition(".")[0] + ".*" for name in known}
    near = get_close_matches(pattern[:_LONGEST].lower(), sorted({*known, *families}), n=_NEAREST, cutoff=0.5)
    return f"; did you mean {', '.join(near)}?" if near else "."


def covers(pattern: str, name: str) -> bool:
    """Whether a pattern means a type."""
    if pattern in (ALL, name):
        return True
    return pattern.endswith(".*") and name.startswith(pattern[:-1])


def expanded(patterns: Iterable[str], known: Iterable[str]) -> list[str]:
    """The known types that any of the patterns means, sorted."""
    wanted = tuple(patterns)
    return sorted(name for name in known if any(covers(each, name) for each in wanted))


def pinned(patterns: Iterable[str], catalog: Mapping[str, type[Event]], held: Mapping[str, int]) -> dict[str, int]:
    """The version of each type that is asked for: as it was *held*, else the catalogue's."""
    return {name: held.get(name, catalog[name].version) for name in expanded(patterns, catalog)}


def needs_channel(kind: type[Event]) -> bool:
    """Whether an event reaches only endpoints that name a channel for it."""
    return kind.market and not kind.name.startswith(_FREE)


def on_channel(channels: Sequence[str], subject: str) -> bool:
    """Whether a subject is one of the channels, or a part of one: `crypto:BTC/USD#M1` is of `crypto:BTC/USD`."""
    return any(subject == each or subject.startswith(f"{each}#") for each in channels)


def matching(endpoints: Iterable[EndpointRow], marked: Marked, catalog: Mapping[str, type[Event]]) -> list[EndpointRow]:
    """The endpoints that an event of a tenant's log is delivered to; never to the one that it is about."""
    return [row for row in endpoints if _wants(row, marked, catalog.get(marked.type))]


def _wants(row: EndpointRow, marked: Marked, kind: type[Event] | None) -> bool:
    if row.status != ENABLED or row.tenant_id != marked.tenant_id or row.id == marked.subject:
        return False
    if row.pins.get(marked.type, marked.version) != marked.version:
        return False
    if not any(covers(pattern, marked.type) for pattern in row.event_types):
        return False
    if row.channels:
        return on_channel(row.channels, marked.subject)
    return kind is None or not needs_channel(kind)
