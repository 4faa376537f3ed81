"""What is sent: the same bytes on every attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schema.events import delivery_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An event as receivers get it."""

    id: str
    type: str
    body: bytes


def message_of(id: str, kind: str, data: str, occurred_at: datetime) -> Message:
    """Around the text that the outbox keeps, which is not written anew."""
    return Message(id=id, type=kind, body=delivery_text(kind, occurred_at, data).encode())
