"""Numbers as the page shows them, units included; the full value stands beside them for programs."""

from __future__ import annotations

from gateway.cli.report.markup import Markup, element

NBSP = "\u00a0"
LARGE = 1e9
NOTHING = "-"


def percent(value: float, *, signed: bool = False) -> str:
    """A fraction in per cent: `12.35 %`."""
    return f"{_digits(value * 100, 2, signed=signed)}{NBSP}%"


def points(value: float) -> str:
    """A fraction in per cent with its sign, where the unit stands elsewhere: `+12.35`."""
    return _digits(value * 100, 2, signed=True)


def ratio(value: float) -> str:
    """A number without unit: `1.234`."""
    return _digits(value, 3)


def exact(shown: str, value: float) -> Markup:
    """What is shown, with every digit for programs."""
    return element("data", shown, value=repr(value))


def _digits(value: float, places: int, *, signed: bool = False) -> str:
    if abs(value) >= LARGE:
        return f"{value:+.4g}" if signed else f"{value:.4g}"
    # What rounds to nothing has no sign.
    rounded = round(value, places) + 0.0
    return f"{rounded:+,.{places}f}" if signed and rounded else f"{rounded:,.{places}f}"
