"""What plans of securities' captures are made with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.contract.captured.asks import Asking, Plan
from tests.contract.captures import Capture


def days(
    capture: Capture,
    instrument: str,
    rows: Sequence[tuple[date, list[Any]]],
    unjudged: frozenset[str] = frozenset(),
    **more: str,
) -> Plan:
    """Daily bars by their day: open, high, low, close and volume, in any order."""
    ordered = sorted(rows, key=lambda row: row[0])
    expected = [[int(midnight(day).timestamp()) * 1000, *bar] for day, bar in ordered]
    end = midnight(ordered[-1][0] + timedelta(days=1))
    ask = {
        "instrument": instrument, "interval": "D1", "start": midnight(ordered[0][0]).isoformat(),
        "end": end.isoformat(),
    }  # fmt: skip
    return Plan(capability="candles", ask=ask | more, now=end, expected=expected, unjudged=unjudged)


def midnight(day: date) -> datetime:
    """The first moment of a day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def milliseconds(text: str) -> int:
    """An ISO time, cut to milliseconds."""
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def quote(capture: Capture, instrument: str, **expected: Any) -> Plan:
    """One quote."""
    return Plan(capability="quotes", ask={"instruments": [instrument]}, expected=expected)


def numbers(row: dict[str, Any], names: str) -> list[Any]:
    """Members in the order of *names*."""
    return [row[name] for name in names.split()]


def found(text: str, symbols: Callable[[Any], list[str]]) -> Asking:
    """A search by what the body says of its symbols."""
    return lambda capture: Plan(capability="search", ask={"text": text}, expected=symbols(capture.body))
