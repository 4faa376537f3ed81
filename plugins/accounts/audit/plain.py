"""What may stand in the audit trail: plain values, and nothing that could be a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

MASK = "***"
LONGEST = 2_000
SECRET_WORDS = frozenset({
    "password", "passwords", "passphrase", "passwd", "secret", "secrets", "token", "tokens", "digest", "digests",
    "hash", "hashes", "otp", "totp", "cookie", "cookies", "authorization", "signature", "credential", "credentials",
    "recovery", "csrf", "jwt", "bearer",
})  # fmt: skip
"""Words that name secrets, in a field's name."""
HARMLESS_ENDS = frozenset({"id", "ids", "at", "count", "kind", "name", "prefix"})
"""`token_id`, `password_changed_at`: about a secret, not the secret."""
_WORD = re.compile(r"[a-z]+|[A-Z][a-z]*")
_SECRET_KEY = re.compile(r"\bmg(?:op|at)?_(?:[a-z]+_)?[A-Za-z0-9]+_[A-Za-z0-9_-]{16,}")
_SIGNED = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")


class LooksSecret(ValueError):
    """A line of the audit trail names or holds what looks like a secret."""


def plain(values: Mapping[str, Any] | None, *, strict: bool) -> dict[str, Any] | None:
    """The values as JSON has them. What looks secret raises LooksSecret where *strict*, else it is masked."""
    return None if values is None else {str(name): _plain(str(name), value, strict) for name, value in values.items()}


def _plain(name: str, value: Any, strict: bool) -> Any:
    if isinstance(value, Mapping):
        return plain(value, strict=strict)
    if isinstance(value, list | tuple):
        return [_plain(name, each, strict) for each in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(name, each, strict) for each in value), key=str)
    if value is None or isinstance(value, bool | int | float):
        return value
    text = _text(value)
    if names_a_secret(name) or _SECRET_KEY.search(text) or _SIGNED.search(text):
        if strict:
            raise LooksSecret(f"{name!r} looks like a secret, which the audit trail must not hold: leave it out")
        return MASK
    return text


def _text(value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    # Neither database keeps the character NUL, and a half of a surrogate pair is no text.
    return str(value).replace("\0", "").encode("utf-8", "replace").decode()[:LONGEST]


def names_a_secret(name: str) -> bool:
    """Whether a field of this name holds a secret."""
    words = [word.lower() for word in _WORD.findall(name)]
    return bool(words) and words[-1] not in HARMLESS_ENDS and not SECRET_WORDS.isdisjoint(words)
