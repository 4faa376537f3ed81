"""Scalars: exact Decimal, UTC DateTime, Date and Cursor, and the texts they stand for."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NewType

import strawberry

Cursor = NewType("Cursor", str)

_PLAIN = re.compile(r"[+-]?\d{1,60}(\.\d{1,60})?\Z", re.ASCII)
_LONGEST = 120
YEARS = range(1000, 9000)
"""What may be asked for: a day, a term or a century can be added to any of it, and taken from it."""


def decimal_text(value: Decimal) -> str:
    """Every digit as it came, never in exponent form; refuses NaN, infinities and absurd exponents."""
    if type(value) is not Decimal:
        raise TypeError(f"Decimal cannot represent {value!r}")
    text = str(value)
    if "E" in text or "N" in text or not text[-1].isdigit():
        if not value.is_finite() or abs(value.adjusted()) > _LONGEST:
            raise ValueError(f"Decimal cannot represent {text[:40]}")
        return format(value, "f")
    return text


def parse_decimal(value: object) -> Decimal:
    """A plain decimal text such as "100000.25"; floats are refused because they are not exact."""
    if isinstance(value, str) and _PLAIN.match(value):
        return Decimal(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**60:
        return Decimal(value)
    raise ValueError('Decimal must be a text such as "100000.25"')


def datetime_text(value: datetime) -> str:
    """ISO 8601 in UTC with a Z; fractions only where there are any."""
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat()
    return text + "Z"


def parse_datetime(value: object) -> datetime:
    """ISO 8601 with an offset, or a bare date (midnight UTC)."""
    if not isinstance(value, str) or not 10 <= len(value) <= 40:
        raise ValueError('DateTime must be a text such as "2026-11-20T12:00:00Z"')
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f'DateTime must be a text such as "2026-11-20T12:00:00Z", not {value!r}') from None
    if len(value) == 10:
        parsed = parsed.replace(tzinfo=UTC)
    if parsed.tzinfo is None:
        raise ValueError(f"DateTime needs an offset: write {value!r} with a Z")
    try:
        parsed = parsed.astimezone(UTC)
    except OverflowError:
        raise _out_of_range("DateTime", value) from None
    if parsed.year not in YEARS:
        raise _out_of_range("DateTime", value)
    return parsed


def parse_date(value: object) -> date:
    """ISO 8601 calendar date."""
    try:
        parsed = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        parsed = None
    if parsed is None:
        raise ValueError('Date must be a text such as "2026-11-20"')
    if parsed.year not in YEARS:
        raise _out_of_range("Date", str(value))
    return parsed


def _out_of_range(name: str, value: str) -> ValueError:
    told = f"years are {YEARS[0]} to {YEARS[-1]}; leave an open end out"
    return ValueError(f"{name} {value!r} is out of range: {told}")


def parse_cursor(value: object) -> Cursor:
    """An opaque text that the server gave."""
    if isinstance(value, str) and len(value) <= 1024:
        return Cursor(value)
    raise ValueError("Cursor must be a text that the server gave")


SCALARS: dict[Any, Any] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number as a text, such as "91234.123456789012345". Floats are refused.',
        serialize=decimal_text,
        parse_value=parse_decimal,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description='An instant in UTC, ISO 8601: "2026-11-20T12:00:00Z". Input needs an offset.',
        serialize=datetime_text,
        parse_value=parse_datetime,
    ),
    date: strawberry.scalar(
        name="Date",
        description='A calendar date, ISO 8601: "2026-11-20".',
        serialize=date.isoformat,
        parse_value=parse_date,
    ),
    Cursor: strawberry.scalar(
        name="Cursor",
        description="An opaque position in a list; give back what the server gave.",
        serialize=str,
        parse_value=parse_cursor,
    ),
}
