"""What an HTTP status means by itself, in the words of `schema/errors.py`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gateway.core.replyheaders import retry_after
from schema.errors import (
    Blocked,
    Malformed,
    NotCovered,
    Overloaded,
    Throttled,
    Timeout,
    Unauthorized,
    UnknownInstrument,
    UpstreamError,
)

_SHOWN = 200


def refusal_by_status(
    provider: str, status: int, headers: Mapping[str, str], content: bytes, now: datetime
) -> UpstreamError:
    """The error that a reply of 300 and above is, where the provider's own wording says nothing."""
    said = f"HTTP {status}{_excerpt(content)}"
    if status in (429, 418):
        return Throttled(provider, said, retry_after=retry_after(headers, now))
    if status in (401, 403):
        return Unauthorized(provider, said)
    if status == 451:
        return Blocked(provider, said)
    if status == 404:
        # A page in HTML is a wrong address, or a proxy's: no word about the instrument.
        page = content.lstrip()[:1] == b"<"
        return NotCovered(provider, said) if page else UnknownInstrument(provider, said)
    if status == 408:
        return Timeout(provider, said)
    if status >= 500:
        return Overloaded(provider, said, retry_after=retry_after(headers, now))
    if status < 400:
        return Malformed(provider, f"HTTP {status}: a redirect, which is never followed")
    return NotCovered(provider, said)


def _excerpt(content: bytes) -> str:
    text = " ".join(content[:_SHOWN].decode("utf-8", "replace").split())
    return f": {text}" if text else ""
