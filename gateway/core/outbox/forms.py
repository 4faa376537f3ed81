"""Events as text and back, exactly."""

from __future__ import annotations

import msgspec

from gateway.core.guards.codec import STAMP, Plan, Stamps, plan
from schema.events import Event


class Unreadable(ValueError):
    """A stored event whose type has changed since."""


_PLANS: dict[type[Event], Plan] = {}


def _plan(kind: type[Event]) -> Plan:
    found = _PLANS.get(kind)
    if found is None:
        found = _PLANS[kind] = plan(kind)
    return found


def written(event: Event) -> str:
    """All fields, and the provenances that they name."""
    stamps = Stamps()
    packed = _plan(type(event)).pack(event, stamps)
    return msgspec.json.encode([packed, stamps.rows]).decode()


def read(kind: type[Event], text: str) -> Event:
    """The event that was written; Unreadable where its type has another form now."""
    found, stamps = _plan(kind), Stamps()
    try:
        value, rows = msgspec.json.decode(text, type=tuple[found.wire, list[STAMP.wire]])  # type: ignore[name-defined]
        stamps.load(rows)
        event = found.unpack(value, stamps)
    except (msgspec.MsgspecError, ValueError, TypeError, IndexError) as error:
        raise Unreadable(f"{kind.name}: {error}") from None
    return event  # type: ignore[no-any-return]
