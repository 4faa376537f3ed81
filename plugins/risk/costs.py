"""What questions cost: by how many prices are read, and by what is drawn and replayed from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import ceil
from typing import Any

from gateway.core.quant.windows import WINDOWS
from schema.facts import Arguments

BASE = 10
HELD = 10
"""A stored portfolio counts as so many instruments, whatever it holds."""
ROWS_A_POINT = 1_000
USUAL_DAYS, OPEN_DAYS, LONGEST_DAYS = 365, 3_660, 366 * 40
"""Of a range that is not given, that has no end, and the longest one."""
SCENARIO = 3
USUAL_DRAWS, DRAWS_A_POINT = 100_000, 20_000
A_TURN = 50
"""Instruments for which each field below costs its points once."""


def given_of(arguments: Arguments, *path: str) -> Mapping[str, Any]:
    """An input object, or one within it; empty where it is none."""
    found: Any = arguments
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def length(given: Mapping[str, Any], name: str) -> int:
    """Of a list that may be none."""
    value = given.get(name)
    return len(value) if isinstance(value, Sequence) else 0


def instruments(given: Mapping[str, Any], name: str = "weights") -> int:
    """How many are asked about: those that are listed, and a flat number for a portfolio."""
    return max(1, length(given, name) + (HELD if given.get("portfolioId") is not None else 0))


def days_of(given: Mapping[str, Any]) -> int:
    """A year by default; what has a beginning and no end counts as ten years."""
    start, end = given.get("start"), given.get("end")
    if not isinstance(start, date):
        return USUAL_DAYS
    days = (end - start).days if isinstance(end, date) else OPEN_DAYS
    return min(max(0, days), LONGEST_DAYS)


def prices(count: int, given: Mapping[str, Any]) -> int:
    """Of each instrument a point, and one more for each thousand days: as a universe's prices."""
    return count * (1 + days_of(given) // ROWS_A_POINT)


def windows(given: Mapping[str, Any], count: int) -> int:
    """Three points for each window, period and scenario, and one for each thousand prices of windows and periods."""
    named, own, shocks = (given.get(name) for name in ("windows", "periods", "scenarios"))
    chosen = list(WINDOWS) if named is None and not own and not shocks else [str(name).lower() for name in named or ()]
    spans = [(WINDOWS[name].end - WINDOWS[name].start).days for name in chosen if name in WINDOWS]
    spans += [days_of(each) for each in own or () if isinstance(each, Mapping)]
    rows = sum(count * days // ROWS_A_POINT for days in spans)
    return SCENARIO * (len(spans) + length(given, "scenarios")) + rows


def turns(count: int) -> int:
    """How often the points of a field are paid that reckons with so many instruments: once for each fifty begun."""
    return max(1, ceil(count / A_TURN))


def cost_of_risk(arguments: Arguments, *path: str) -> int:
    """Ten points, the prices, and a point for each 20,000 draws above the usual ones."""
    given = given_of(arguments, *(path or ("input",)))
    draws = given.get("draws")
    more = max(0, draws - USUAL_DRAWS) if isinstance(draws, int) else 0
    return BASE + prices(instruments(given), given) + more // DRAWS_A_POINT


def turns_of_risk(arguments: Arguments) -> int:
    """Once for each fifty instruments begun."""
    return turns(instruments(given_of(arguments, "input")))


def cost_of_symbols(arguments: Arguments) -> int:
    """Ten points and the prices."""
    return BASE + prices(instruments(arguments, "symbols"), arguments)


def cost_of_stress(arguments: Arguments) -> int:
    """Ten points, the prices where shocks may need them, and what is replayed."""
    given = given_of(arguments, "input")
    count = instruments(given)
    return BASE + windows(given, count) + (prices(count, given) if length(given, "scenarios") else count)


def cost_of_replays(arguments: Arguments) -> int:
    """What is replayed within an analysis, of as many instruments as a portfolio counts as."""
    return BASE + windows(arguments, HELD)


def cost_of_hedge(arguments: Arguments) -> int:
    """Ten points, three for each candidate, and the prices of candidates, position and benchmark."""
    given = given_of(arguments, "input")
    return BASE + 3 * max(1, length(given, "candidates")) + prices(1 + instruments(given, "candidates"), given)


def cost_of_optimum(arguments: Arguments, *path: str) -> int:
    """Twenty points for each fifty instruments begun, and the prices."""
    universe = given_of(arguments, *(path or ("input",)), "universe")
    count = instruments(universe, "symbols")
    return 2 * BASE * turns(count) + prices(count, universe)


def cost_of_frontier(arguments: Arguments, most: int) -> int:
    """As an optimum, and a point for each point for each fifty instruments begun."""
    given = given_of(arguments, "input")
    points = given.get("points")
    asked = min(max(points if isinstance(points, int) else 20, 1), most)
    return cost_of_optimum(arguments) + asked * turns(instruments(given_of(given, "universe"), "symbols"))
