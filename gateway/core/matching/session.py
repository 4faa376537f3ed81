"""When an order's time runs out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schema.words.orders import TimeInForce


def day_end(at: datetime) -> datetime:
    """The next midnight, UTC: the end of the day of what never closes."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1)


def expiry(
    time_in_force: TimeInForce, at: datetime, expires_at: datetime | None = None, closes_at: datetime | None = None
) -> datetime | None:
    """GTD: as given. DAY: the next close of the session, the end of the UTC day where there is none. Else never."""
    match time_in_force:
        case TimeInForce.GTD:
            return expires_at
        case TimeInForce.DAY:
            return closes_at if closes_at is not None else day_end(at)
        case _:
            return None
