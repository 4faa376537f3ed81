"""Idempotency keys: the same key with the same input is the same thing again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal
from enum import Enum
from hashlib import sha256
from operator import itemgetter

from strawberry import UNSET

from schema.errors import BadInput
from schema.words.problems import Refused

LONGEST_KEY = 128
_EXACT = Context(prec=400)


def digest_of(key: str | None, wish: object) -> str | None:
    """What stands for the input that came with a key; BadInput for a key that is none."""
    if key is None:
        return None
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise BadInput("idempotencyKey", f"must be 1 to {LONGEST_KEY} printable ASCII characters")
    return digest(wish)


def digest(wish: object) -> str:
    """What stands for what is meant, however it is written: 0.010 is 0.01, an instant is the same in every zone, and
    what is left out is as if nobody had heard of it."""
    return sha256(_meant(wish).encode()).hexdigest()


def is_same(held: str | None, wish: object) -> bool:
    """Whether a key was given with this before. Some that databases hold were kept with what stood for how their input
    was written: the same, written the same, is no other over an upgrade."""
    return held in (digest(wish), sha256(repr(wish).encode()).hexdigest())


def check_same(held: str | None, digest: str | None) -> None:
    """Refused where a key came with other input before; *held* is the digest of then."""
    if held != digest:
        told = "This idempotencyKey came with other input: repeat that input, or give another key."
        raise Refused("IDEMPOTENCY_MISMATCH", told, "idempotencyKey")


def _meant(value: object) -> str:
    match value:
        case Decimal():
            return f"{value.normalize(_EXACT)}" if value else "0"
        case datetime():
            return (value.astimezone(UTC) if value.tzinfo else value).isoformat()
        case Enum():
            return repr(value.value)
        case str() | bytes():
            return repr(value)
        case Mapping():
            return _named((str(name), each) for name, each in value.items())
        case Set():
            return f"{{{', '.join(sorted(map(_meant, value)))}}}"
        case Sequence():
            return f"[{', '.join(map(_meant, value))}]"
    if is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__ + _named((each.name, getattr(value, each.name)) for each in fields(value))
    return repr(value)


def _named(given: Iterable[tuple[str, object]]) -> str:
    told = ((name, each) for name, each in given if each is not None and each is not UNSET)
    return f"({', '.join(f'{name!r}: {_meant(each)}' for name, each in sorted(told, key=itemgetter(0)))})"
