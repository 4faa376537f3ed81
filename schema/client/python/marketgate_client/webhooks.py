"""Verifies webhooks by Standard Webhooks 1.0: `v1` (HMAC-SHA256) and `v1a` (ed25519).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

__all__ = ["Event", "Reason", "WebhookVerificationError", "verify"]

TOLERANCE = timedelta(minutes=5)
SECRET, PUBLIC_KEY = "whsec_", "whpk_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a shared secret."""

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
"""Python reads more of ISO 8601 than that."""
_Check = Callable[[str, bytes], bool]
"""Whether a signature such as `v1,…` is good for what is signed."""


class Reason(StrEnum):
    """What is wrong with a webhook."""

    HEADER_MISSING = "HEADER_MISSING"
    HEADER_MALFORMED = "HEADER_MALFORMED"
    TOO_OLD = "TOO_OLD"
    IN_THE_FUTURE = "IN_THE_FUTURE"
    NO_SIGNATURE_MATCHES = "NO_SIGNATURE_MATCHES"
    BODY_MALFORMED = "BODY_MALFORMED"


class WebhookVerificationError(Exception):
    """A webhook to refuse (answer 400); `reason` says why, and neither it nor the message shows a secret."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event that the gateway has signed."""

    id: str
    """The same each time that the event comes: dedupe on it."""
    type: str
    """Such as `provider.degraded`; new ones come without notice."""
    timestamp: datetime
    """When it happened, in UTC."""
    data: Mapping[str, Any]
    """As GraphQL prints the event; amounts are strings."""


def verify(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    tolerance: timedelta = TOLERANCE,
    now: datetime | None = None,
) -> Event:
    """The event of a request, once one of its signatures is good for one of the secrets.

    `body` is the raw one, before any JSON is read; the case of the headers' names does not matter. `secret` is the
    endpoint's `whsec_…`, its public key `whpk_…`, or several of them. Raises WebhookVerificationError where the
    request is to be refused, ValueError where a secret is none, and ImportError where `whpk_…` lacks `cryptography`.
    """
    checks = [_check_of(each) for each in ([secret] if isinstance(secret, str) else secret)]
    if not checks:
        raise ValueError("there is no secret: give the endpoint's whsec_… or whpk_…")
    given = {name.lower(): value for name, value in headers.items()}
    id = _header(given, "webhook-id")
    timestamp = _header(given, "webhook-timestamp")
    signatures = _header(given, "webhook-signature").split()
    _check_time(timestamp, tolerance, datetime.now(UTC) if now is None else now)
    raw = _bytes(body)
    content = f"{id}.{timestamp}.".encode() + raw
    if not any(check(signature, content) for check in checks for signature in signatures):
        raise WebhookVerificationError(
            Reason.NO_SIGNATURE_MATCHES,
            "no signature in webhook-signature is good: give the secret of this endpoint, and the body as it came",
        )
    return _event(id, raw)


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "").strip()
    if not value:
        raise WebhookVerificationError(Reason.HEADER_MISSING, f"the header {name} is missing")
    if not value.isascii():
        raise WebhookVerificationError(Reason.HEADER_MALFORMED, f"the header {name} is not ASCII")
    return value


def _check_time(timestamp: str, tolerance: timedelta, now: datetime) -> None:
    if now.tzinfo is None:
        raise ValueError("now has no time zone: give datetime.now(UTC)")
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise WebhookVerificationError(Reason.HEADER_MALFORMED, "webhook-timestamp is not a number of whole seconds")
    age, allowed = now.timestamp() - int(timestamp), tolerance.total_seconds()
    clock = f"more than the tolerance of {allowed:g} s; is the clock of this machine right?"
    if age > allowed:
        raise WebhookVerificationError(Reason.TOO_OLD, f"webhook-timestamp is {age:.0f} s ago, {clock}")
    if age < -allowed:
        raise WebhookVerificationError(Reason.IN_THE_FUTURE, f"webhook-timestamp is {-age:.0f} s ahead, {clock}")


def _check_of(secret: str) -> _Check:
    if secret.startswith(SECRET):
        return _shared(_key(secret.removeprefix(SECRET)))
    if secret.startswith(PUBLIC_KEY):
        return _ed25519(_key(secret.removeprefix(PUBLIC_KEY)))
    raise ValueError("a secret begins with whsec_, a public key with whpk_")


def _key(text: str) -> bytes:
    key = _decoded(text + "=" * (-len(text) % 4))
    if key is None:
        raise ValueError("a secret or public key is base64 behind its prefix")
    return key


def _shared(key: bytes) -> _Check:
    if not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"a secret has {SHORTEST} to {LONGEST} bytes, this one has {len(key)}")

    def check(signature: str, content: bytes) -> bool:
        expected = "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
        return hmac.compare_digest(signature, expected)

    return check


def _ed25519(key: bytes) -> _Check:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        raise ImportError("whpk_… needs cryptography (the extra ed25519): pip install cryptography") from error
    if len(key) != 32:
        raise ValueError(f"a public key has 32 bytes, this one has {len(key)}")
    public = Ed25519PublicKey.from_public_bytes(key)

    def check(signature: str, content: bytes) -> bool:
        version, _, text = signature.partition(",")
        value = _decoded(text)
        # Base64 with other bits behind its last byte is another text of the same bytes, and no signature.
        if version != "v1a" or value is None or base64.b64encode(value).decode() != text:
            return False
        try:
            public.verify(value, content)
        except InvalidSignature:
            return False
        return True

    return check


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _bytes(body: bytes | str) -> bytes:
    try:
        return body.encode() if isinstance(body, str) else body
    except UnicodeEncodeError:
        raise WebhookVerificationError(Reason.BODY_MALFORMED, "the body is not UTF-8") from None


def _event(id: str, body: bytes) -> Event:
    try:
        read = json.loads(body.decode(), parse_constant=_refuse)
    except UnicodeDecodeError:
        raise WebhookVerificationError(Reason.BODY_MALFORMED, "the body is not UTF-8") from None
    except (ValueError, RecursionError):
        raise WebhookVerificationError(Reason.BODY_MALFORMED, "the body is not JSON") from None
    match read:
        case {"type": str() as type, "timestamp": str() as timestamp, "data": dict() as data}:
            return Event(id=id, type=type, timestamp=_time(timestamp), data=data)
    raise WebhookVerificationError(
        Reason.BODY_MALFORMED, "the body is not an object with the texts type and timestamp, and the object data"
    )


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _time(text: str) -> datetime:
    if _RFC_3339.fullmatch(text):
        with suppress(ValueError, OverflowError):
            return datetime.fromisoformat(text).astimezone(UTC)
    raise WebhookVerificationError(Reason.BODY_MALFORMED, "the body's timestamp is not RFC 3339 with a time zone")
