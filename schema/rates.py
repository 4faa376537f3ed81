"""Annual rates, as callers give them: fractions."""

from __future__ import annotations

from math import isfinite

from schema.errors import BadInput

LEAST_RATE, HIGHEST_RATE = -1, 10
"""At -100 % a year nothing is left; 1,000 % is a percentage that was given for a fraction."""


def check_rate(field: str, rate: float) -> None:
    """BadInput names the field of a rate that nobody can mean."""
    if not isfinite(rate) or not LEAST_RATE < rate < HIGHEST_RATE:
        told = f"must be above {LEAST_RATE} and below {HIGHEST_RATE}: 0.03 is 3 % a year"
        raise BadInput(field, told)
