"""Idempotency keys: the same key with the same input is the same thing again."""

from __future__ import annotations

from hashlib import sha256

from schema.errors import BadInput
from schema.words.problems import Refused

LONGEST_KEY = 128


def digest_of(key: str | None, wish: object) -> str | None:
    """What stands for the input that came with a key; BadInput for a key that is none."""
    if key is None:
        return None
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise BadInput("idempotencyKey", f"must be 1 to {LONGEST_KEY} printable ASCII characters")
    return sha256(repr(wish).encode()).hexdigest()


def check_same(held: str | None, digest: str | None) -> None:
    """Refused where a key came with other input before; *held* is the digest of then."""
    if held != digest:
        told = "This idempotencyKey came with other input: repeat that input, or give another key."
        raise Refused("IDEMPOTENCY_MISMATCH", told, "idempotencyKey")
