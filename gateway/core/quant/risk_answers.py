"""What the answers of risk tasks share: readers of their requests, warnings, figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.core.quant.covariance import Covariance
from gateway.core.quant.observations import Observations, number, one_of
from gateway.core.quant.refusals import NotComputable
from schema.errors import BadInput

CONFIDENCES = (0.95, 0.99)
MISSING = ("refuse", "drop_rows")


class Notes:
    """Warnings of an answer, each once, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, *lines: str) -> None:
        self.lines.extend(line for line in dict.fromkeys(lines) if line not in self.lines)

    def attempt(self, name: str, compute: Callable[[], Any]) -> Any:
        """What it computes; None and a warning where the data do not allow it."""
        try:
            return compute()
        except NotComputable as refused:
            self.add(f"{name}: {refused.message}")
            return None


def annual(observed: Observations, deviation: float | None, method: str, ddof: int | None) -> dict[str, Any] | None:
    """A deviation per period as a figure a year."""
    if deviation is None:
        return None
    return observed.figure(deviation * observed.periods**0.5, method, annual=True, ddof=ddof)


def described(matrix: Covariance) -> dict[str, Any]:
    return {
        "method": matrix.method,
        "shrinkage": matrix.shrinkage,
        "rank": matrix.rank,
        "assets": len(matrix.values),
    }


def sampled(observed: Observations, notes: Notes) -> dict[str, Any]:
    dropped = [day.isoformat() for day in observed.dropped]
    if dropped:
        notes.add(f"dates left out because a close is missing: {len(dropped)}; the return after one spans it")
    return {**observed.span(), "dropped": dropped, "warnings": notes.lines}


def missing_of(request: Mapping[str, Any]) -> str:
    return one_of(request, "missing", MISSING, "refuse")


def confidences(request: Mapping[str, Any]) -> tuple[float, ...]:
    given = request.get("confidences") or CONFIDENCES
    return tuple(number(confidence, "confidences") for confidence in given)


def whole(value: Any, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadInput(field, f"must be a whole number, 0 or more, not {value!r}")
    return value


def plain(value: Decimal) -> str:
    """Digits without an exponent."""
    return format(value, "f")


def required(given: Mapping[str, Any], field: str) -> Decimal:
    value = decimal(given, field)
    if value is None:
        raise BadInput(field, "is needed: give it as a decimal string")
    return value


def decimal(given: Mapping[str, Any], field: str) -> Decimal | None:
    """A decimal string of the request, None where there is none."""
    text = given.get(field)
    if text is None:
        return None
    try:
        value = Decimal(text)
    except (InvalidOperation, TypeError, ValueError):
        raise BadInput(field, f"{text!r} is not a decimal number") from None
    if not value.is_finite():
        raise BadInput(field, f"must be finite, not {text!r}")
    return value
