"""Parts of a quote that a venue sends once more, older than they are known, say nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from providers.contract import Clock

AHEAD = timedelta(minutes=1)
"""By how much a stamp may be ahead of our clock to be believed: one of the future would silence all that follow."""


class Latest:
    """When each part was stamped last, by its channel and its name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stamps: dict[str, dict[str, datetime]] = {}

    def forget(self, channel: str) -> None:
        """Of all parts of a channel."""
        self._stamps.pop(channel, None)

    def passed(self, channel: str, part: str, stamp: datetime | None) -> bool:
        """Whether a later one of that part came already; if not it is remembered as the latest."""
        now = self._clock.now()
        if stamp is None or stamp > now + AHEAD:
            return False
        stamp, stamps = min(stamp, now), self._stamps.setdefault(channel, {})
        if part in stamps and stamp < stamps[part]:
            return True
        stamps[part] = stamp
        return False
