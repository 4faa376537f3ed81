"""What a worker process answers: plain values, errors for the caller, or word of a failure."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from schema.errors import MarketgateError

HEAVY = frozenset({"numpy", "pandas", "scipy", "clarabel"})
"""To read a value of theirs would load them where the gateway serves."""
SHARED = ("schema.", "gateway.core.quant.refusals")
"""Modules whose errors both sides have; others arrive as their nearest ancestor that is here."""


class How(StrEnum):
    """How a task has ended."""

    VALUE = "VALUE"
    REFUSED = "REFUSED"
    NO_MEMORY = "NO_MEMORY"
    FAILED = "FAILED"


class Told(NamedTuple):
    """An error as class and state: made anew without its constructor, which may want other arguments."""

    kind: type[MarketgateError]
    arguments: tuple[Any, ...]
    state: Mapping[str, Any]

    @classmethod
    def of(cls, error: MarketgateError) -> Told:
        """In words of the modules that both sides share."""
        kind = next(each for each in type(error).__mro__ if each.__module__.startswith(SHARED))
        state = error.__dict__ if kind is type(error) else {**error.__dict__, "code": error.code}
        return cls(kind, error.args, state)

    def error(self) -> MarketgateError:
        """The error, as it was raised."""
        made = self.kind.__new__(self.kind, *self.arguments)
        made.__dict__.update(self.state)
        return made


class _PlainPickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if type(value).__module__.partition(".")[0] in HEAVY:
            raise TypeError(f"a task answers plain values, not {type(value).__module__}.{type(value).__name__}")
        return NotImplemented


def pickled(how: How, what: Any) -> bytes:
    """An answer in bytes; TypeError where it is not made of plain values."""
    held = io.BytesIO()
    _PlainPickler(held, pickle.HIGHEST_PROTOCOL).dump((how.value, what))
    return held.getvalue()
