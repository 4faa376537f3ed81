"""When a schedule's orders are due. Pure, in UTC."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timedelta
from enum import StrEnum

from schema.model import choices


@choices(
    "How often a schedule places its order, counted from its start, in UTC.",
    HOUR="Every hour.",
    DAY="Every day.",
    WEEK="Every week.",
    MONTH="Every month, on the day of its start, or on a shorter month's last.",
)
class OrderScheduleEvery(StrEnum):
    """Regular times."""

    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


_STEPS = {
    OrderScheduleEvery.HOUR: timedelta(hours=1), OrderScheduleEvery.DAY: timedelta(days=1),
    OrderScheduleEvery.WEEK: timedelta(weeks=1),
}  # fmt: skip


def next_time(start: datetime, every: OrderScheduleEvery, after: datetime) -> datetime:
    """The first regular time later than an instant; the start itself where that is to come."""
    if after < start:
        return start
    step = _STEPS.get(every)
    if step is not None:
        return start + step * ((after - start) // step + 1)
    months = (after.year - start.year) * 12 + after.month - start.month
    found = _month(start, months)
    return found if found > after else _month(start, months + 1)


def last_time(start: datetime, every: OrderScheduleEvery, at: datetime) -> datetime:
    """The last regular time that is not later than an instant, which the start is not either."""
    step = _STEPS.get(every)
    if step is not None:
        return start + step * ((at - start) // step)
    months = (at.year - start.year) * 12 + at.month - start.month
    found = _month(start, months)
    return found if found <= at else _month(start, months - 1)


def _month(start: datetime, months: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)
