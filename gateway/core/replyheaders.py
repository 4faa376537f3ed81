"""What the headers of a reply say: when to ask again, and how much of a limit is used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from providers.contract import Profile

_LONGEST = 15
"""Digits of a number that is believed."""


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the `Retry-After` header's moment (a number of seconds, or an HTTP date)."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.replace(".", "", 1).isdecimal() and text.isascii():
        return min(float(text), 86_400.0)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return min(max(0.0, (moment - now).total_seconds()), 86_400.0)


def usage_of(headers: Mapping[str, str], profile: Profile) -> list[tuple[int, int]]:
    """Limits by their place in the profile, and how many units the upstream says are used: nothing that is absurd."""
    found = []
    for usage in profile.usage:
        number = _whole(headers.get(usage.header, ""))
        for place, limit in enumerate(profile.limits):
            if number is not None and (limit.per, limit.unit) == (usage.limit.per, usage.limit.unit):
                used = usage.limit.count - number if usage.remaining else number
                if used > 0:
                    found.append((place, used))
    return found


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST else None
