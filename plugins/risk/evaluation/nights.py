"""The days on which nobody evaluated: a drawdown is looked at by the closes of each. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

DAY = timedelta(days=1)
MOST = 31
"""Of a longer absence so many days are looked at, evenly spread, the last one among them."""


def nights(since: datetime, now: datetime) -> list[datetime]:
    """The ends of days (midnights of UTC) behind *since* and up to *now*, ascending."""
    last = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    count = max(-((since - last) // DAY), 0)
    every = -(-count // MOST) or 1
    return [last - back * DAY for back in range(0, count, every)][::-1]
