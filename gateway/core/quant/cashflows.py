"""Returns where money comes and goes: time-weighted by sub-periods, money-weighted by XIRR."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.series import Vector

YEAR = 365.0
SCANNED = 8_001
AT_ONCE = 256
"""Rates whose present values are in memory together."""
LOWEST, HIGHEST = math.log(1e-9), math.log(1e9)
"""Of ln(1 + rate): zeros beyond are of flows a few days apart, and say nothing about a year."""
NAMED_RATES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """What a portfolio is worth on a day before money comes in (positive flow) or goes out (negative)."""

    day: date
    value: float
    flow: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SubPeriod:
    """The return between two valuations; no money moves inside it."""

    start: date
    end: date
    value: float


def sub_periods(valuations: Sequence[Valuation]) -> list[SubPeriod]:
    """`V_k / (V_(k−1) + F_(k−1)) − 1` each; one in which nothing was invested is left out.

    Source: GIPS, true time-weighted return. NotComputable where money at work is not positive.
    """
    found = []
    for before, after in pairwise(valuations):
        invested = before.value + before.flow
        if invested == 0 and after.value == 0:
            continue
        if invested <= 0 or after.value < 0:
            raise NotComputable(
                f"from {before.day} to {after.day}: {invested:g} invested became {after.value:g}: "
                "a time-weighted return needs positive values"
            )
        found.append(SubPeriod(start=before.day, end=after.day, value=after.value / invested - 1))
    if not found:
        raise NotComputable("no sub-period with money invested: give at least two valuations")
    return found


def present_value(amounts: Vector, years: Vector, rate: float) -> float:
    """`Σ a_i / (1 + rate)^t_i`, t in years of 365 days from the first flow. Source: spreadsheets' XNPV."""
    return float(np.sum(amounts * (1 + rate) ** -years))


def xirr(flows: Sequence[tuple[date, float]]) -> float:
    """The r with `Σ a_i / (1 + r)^t_i = 0`, a fraction a year, actual/365; paid in is negative, got back positive.

    Source: spreadsheets' XIRR; Bacon, chapter 2, the internal rate of return.
    Brent's method on the net present value over ln(1 + rate), between bounds outside of which one flow outweighs all
    others. With one change of sign over time there is exactly one rate (Descartes); with more, all of the range is
    scanned. NotComputable where there is none between -99.9999999 % and 100,000,000,000 %, or several (they are named).
    """
    amounts, years = _by_day(flows)
    if np.all(amounts >= 0) or np.all(amounts <= 0):
        raise NotComputable("all flows have one sign: a rate needs money paid in and money got back")
    roots = _roots(amounts, years)
    if not roots:
        raise NotComputable("no rate brings the present value of these flows to 0")
    found = [root for root in roots if LOWEST <= root <= HIGHEST]
    if len(found) > 1:
        words = ", ".join(_shown(root) for root in found[:NAMED_RATES])
        raise NotComputable(f"several rates bring the present value of these flows to 0 ({words}): none is the return")
    if not found:
        span = f"{years[-1] * YEAR:.0f} days are too short for an annual rate"
        raise NotComputable(f"{span}: it would be {_shown(roots[0])}")
    return math.expm1(found[0])


def _by_day(flows: Sequence[tuple[date, float]]) -> tuple[Vector, Vector]:
    """Net amounts by day, ascending, without those that are 0; years since the first."""
    net: dict[date, float] = {}
    for day, amount in flows:
        net[day] = net.get(day, 0.0) + amount
    days = sorted(day for day, amount in net.items() if amount != 0)
    if len(days) < 2:
        raise NotComputable("a rate needs flows on at least two days")
    years = np.array([(day - days[0]).days for day in days], dtype=np.float64) / YEAR
    return np.array([net[day] for day in days], dtype=np.float64), years


def _roots(amounts: Vector, years: Vector) -> list[float]:
    """Of ln(1 + rate), ascending."""
    low, high = _bounds(amounts, years)
    if np.count_nonzero(np.diff(np.sign(amounts))) == 1:
        grid = np.array([low, high])
    else:
        spread = np.sinh(np.linspace(-8, 8, SCANNED)) / math.sinh(8)
        grid = np.where(spread < 0, -low * spread, high * spread)
    values = np.concatenate([_scaled(amounts, years, grid[at : at + AT_ONCE]) for at in range(0, grid.size, AT_ONCE)])
    crossings = np.flatnonzero(np.sign(values[1:]) * np.sign(values[:-1]) < 0)
    exact = [float(root) for root in grid[values == 0]]
    return sorted(exact + [_brent(amounts, years, grid[i], grid[i + 1]) for i in crossings])


def _bounds(amounts: Vector, years: Vector) -> tuple[float, float]:
    """Below the first the last flow outweighs all others, above the second the first one does."""
    sizes = np.abs(amounts)
    low = -math.log(max(sizes[:-1].sum() / sizes[-1], 1.0)) / (years[-1] - years[-2])
    high = math.log(max(sizes[1:].sum() / sizes[0], 1.0)) / (years[1] - years[0])
    return float(low) - 1, float(high) + 1


def _scaled(amounts: Vector, years: Vector, x: Vector) -> Vector:
    """The present value at each ln(1 + rate) over its largest discount factor: same sign, no overflow."""
    exponents = -np.outer(x, years)
    return np.asarray(np.exp(exponents - exponents.max(axis=1, keepdims=True)) @ amounts, dtype=np.float64)


def _brent(amounts: Vector, years: Vector, low: float, high: float) -> float:
    from scipy.optimize import brentq

    def value(x: float) -> float:
        return float(_scaled(amounts, years, np.array([x]))[0])

    return float(brentq(value, low, high, xtol=1e-14, rtol=8.9e-16, maxiter=500))


def _shown(root: float) -> str:
    return f"{math.expm1(root):.4%}" if root <= HIGHEST else "above 100,000,000,000 %"
