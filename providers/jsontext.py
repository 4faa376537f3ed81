"""JSON as a text within JSON: with what a tool is to be called is an object to some upstreams, a text to others."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def json_text(value: Any) -> str:
    """A value of a payload as JSON, every number with its own digits."""
    return _ENCODER.encode(value).decode()


def json_object(text: str) -> dict[str, Any] | None:
    """The object that a text holds, an empty one for an empty text; None for anything else."""
    try:
        value = _DECODER.decode(text) if text.strip() else {}
    except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
