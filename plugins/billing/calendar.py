"""Calendar months in UTC, and whole hours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of UTC; its text is `2026-11`."""

    year: int
    number: int

    @classmethod
    def of(cls, moment: datetime) -> Month:
        """The month of an instant."""
        moment = moment.astimezone(UTC)
        return cls(moment.year, moment.month)

    @classmethod
    def parse(cls, text: str) -> Month | None:
        """None for what is not like `2026-11`."""
        found = _MONTH.fullmatch(text)
        return cls(int(found[1]), int(found[2])) if found and 2000 <= int(found[1]) < 9999 else None

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def next(self) -> Month:
        """The month after it."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def start(self) -> datetime:
        """Its first instant."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return self.next.start

    @property
    def days(self) -> list[date]:
        """Each of its days."""
        first = self.start.date()
        return [first + timedelta(days=n) for n in range((self.end - self.start).days)]


def hour_of(moment: datetime) -> datetime:
    """The beginning of its hour."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def hour_after(moment: datetime) -> datetime:
    """The end of its hour; itself where it is whole."""
    floor = hour_of(moment)
    return floor if floor == moment else floor + HOUR
