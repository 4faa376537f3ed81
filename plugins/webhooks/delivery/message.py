"""What is sent: the same bytes on every attempt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schema.scalars import datetime_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An event as receivers get it."""

    id: str
    type: str
    body: bytes


def message_of(id: str, kind: str, data: str, occurred_at: datetime) -> Message:
    """`{"type": …, "timestamp": …, "data": …}` around the text that the outbox keeps, which is not written anew.

    A type's name is of the catalogue: nothing in it needs to be escaped.
    """
    body = f'{{"type":"{kind}","timestamp":"{datetime_text(occurred_at)}","data":{data}}}'
    return Message(id=id, type=kind, body=body.encode())
