"""How events were written before their fields had names."""

from __future__ import annotations

import msgspec

from gateway.core.guards.codec import Stamps, plan
from schema.events import Event


def positional(event: Event) -> str:
    """Each object a list of its fields in their order, provenances apart."""
    stamps = Stamps()
    packed = plan(type(event)).pack(event, stamps)
    return msgspec.json.encode([packed, stamps.rows]).decode()
