"""What an endpoint may be like: pure checks, whose refusals say the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from schema.eventfilters import BadFilter, expanded
from schema.events import Event
from schema.names import BadName, read_name
from schema.words.problems import Refused

MOST_CHANNELS, MOST_HEADERS = 200, 10
LONGEST_HEADERS = 8_192
"""Bytes of all headers together, names and values."""
LONGEST_DESCRIPTION, LONGEST_KEY = 200, 128
FASTEST = 1_000
"""Deliveries a second that an endpoint may ask for."""
LONGEST_OVERLAP = 168
"""Hours that an earlier secret may go on to sign."""
KEPT = timedelta(days=30)
"""How long events can be sent anew."""
_SHOWN = 100


def check_patterns(patterns: Sequence[str], catalog: Mapping[str, type[Event]]) -> list[str]:
    """Each once, in their order."""
    if not patterns:
        raise Refused("EVENT_TYPES_MISSING", "No event type is given: give some, or '*' for all.", "eventTypes")
    try:
        expanded(patterns, catalog)
    except BadFilter as bad:
        code = "FILTER_INVALID" if bad.malformed else "EVENT_TYPE_UNKNOWN"
        told = str(bad).replace("has more", "The list has more", 1) if bad.malformed else str(bad)
        raise Refused(code, told if told.endswith("?") else f"{told}.", "eventTypes", str(bad.index)) from None
    return list(dict.fromkeys(patterns))


def check_description(text: str | None) -> str | None:
    """Without space around it; none for an empty one."""
    if text is None or not text.strip():
        return None
    try:
        return read_name(text, longest=LONGEST_DESCRIPTION)
    except BadName as bad:
        told = str(bad).replace("The name", "The description", 1)
        raise Refused("DESCRIPTION_INVALID", told, "description") from None


def check_rate(rate: int | None) -> int | None:
    """Deliveries a second."""
    if rate is not None and not 1 <= rate <= FASTEST:
        told = f"{rate} deliveries a second are out of range: give 1 to {FASTEST}, or none for no limit of your own."
        raise Refused("RATE_INVALID", told, "ratePerSecond")
    return rate


def check_headers(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """By name, as they are to be sent; what is allowed in them, and which are the gateway's, says `Egress`."""
    if len(pairs) > MOST_HEADERS:
        raise _header(f"There are {len(pairs)} headers: give at most {MOST_HEADERS}")
    seen: set[str] = set()
    for index, (name, value) in enumerate(pairs):
        if name.lower() in seen:
            raise _header(f"The header {name[:_SHOWN]!r} is given twice: give it once", index)
        seen.add(name.lower())
        if name.lower().startswith("content-"):
            raise _header(f"The header {name[:_SHOWN]!r} is set by the gateway: leave it out", index)
        if not value.isascii():
            raise _header(f"The header {name[:_SHOWN]!r} has a value that is not ASCII: encode it", index)
    size = sum(len(name.encode()) + len(value) + 4 for name, value in pairs)
    if size > LONGEST_HEADERS:
        raise _header(f"The headers have {size:,} bytes together: give at most {LONGEST_HEADERS:,}")
    return dict(pairs)


def _header(told: str, index: int | None = None) -> Refused:
    return Refused("HEADER_INVALID", f"{told}.", "headers", *(() if index is None else (str(index),)))


def check_key(key: str | None) -> str | None:
    """An idempotency key; none for none."""
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        told = f"The idempotencyKey must be 1 to {LONGEST_KEY} printable ASCII characters."
        raise Refused("IDEMPOTENCY_KEY_INVALID", told, "idempotencyKey")
    return key


def check_overlap(hours: int) -> timedelta:
    """How long both secrets sign."""
    if not 0 <= hours <= LONGEST_OVERLAP:
        told = f"{hours} hours are out of range: give 0 to {LONGEST_OVERLAP}."
        raise Refused("OVERLAP_INVALID", told, "overlapHours")
    return timedelta(hours=hours)


def check_window(since: datetime, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """The window of a replay: [since, until), not longer ago than events are kept."""
    end = now if until is None else min(until, now)
    if since >= end:
        told = "The window is empty: `since` must lie before `until`, and before now."
        raise Refused("WINDOW_INVALID", told, "since")
    return max(since, now - KEPT), end
