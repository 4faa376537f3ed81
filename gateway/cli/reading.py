"""What users write: intervals, instants and lists; a Stop says what was meant to be there."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TypeVar

from gateway.cli.outcome import usage
from schema.scalars import parse_datetime
from schema.words.intervals import SHORT_FORMS, Interval

E = TypeVar("E", bound=Enum)


def read_interval(text: str) -> Interval:
    """`1m 5m 1h 1d 1w 1mo`, or the enum's names; case counts, because 1m and 1M are one slip apart."""
    found = SHORT_FORMS.get(text) or (Interval(text) if text in Interval.__members__ else None)
    if found is None:
        raise usage(f"--interval: {text!r} is not an interval: write one of {' '.join(SHORT_FORMS)}")
    return found


def read_instant(option: str, text: str | None) -> datetime | None:
    """A date, or an instant with its offset."""
    if text is None:
        return None
    try:
        return parse_datetime(text)
    except ValueError:
        raise usage(
            f"{option}: {text!r} is no date: write 2026-11-20, or an instant such as 2026-11-20T12:00:00Z"
        ) from None


def read_list(option: str, text: str | None) -> list[str] | None:
    """Names separated by commas."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise usage(f"{option}: names nobody: write ids separated by commas")
    return names


def read_word(option: str, text: str, kind: type[E]) -> E:
    """A member of an enum in any case, with - for _."""
    name = text.strip().upper().replace("-", "_")
    if name not in kind.__members__:
        known = ", ".join(member.lower() for member in kind.__members__)
        raise usage(f"{option}: {text!r} is not known: write one of {known}")
    return kind[name]
