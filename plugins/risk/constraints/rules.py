"""What a set of constraints says, as a value that is checked and stored. Pure: no numpy, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any

from schema.errors import BadInput
from schema.words.problems import Refused

MOST_BOUNDS = 1_000
MOST_GROUPS = 100
LARGEST_WEIGHT = 100.0
"""A weight beyond so many times the portfolio's value is a slip of the pen."""
LONGEST_GROUP = 60
SIDES = ("min", "max")
NEAR = 1e-9
"""What sums of weights may be off by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """The weight of one instrument; None where it is bound by the set's own bounds alone."""

    symbol: str
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The sum of some weights: a sector, a country."""

    name: str
    symbols: tuple[str, ...]
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Constraints on the weights *w* of a portfolio."""

    minimum: float | None = None
    """Of each weight that has no bound of its own; without it 0, or none where short positions are allowed."""
    maximum: float | None = None
    position: float | None = None
    """|w| of each at most, whatever its own bounds say."""
    bounds: tuple[Bound, ...] = ()
    groups: tuple[Group, ...] = ()
    least_total: float = 1.0
    """Σw at least; what is left to 1 is cash."""
    greatest_total: float = 1.0
    """Σw at most."""
    short: bool = False
    """Whether weights may be negative."""
    leverage: float | None = None
    """Σ|w| at most."""
    turnover: float | None = None
    """Σ|w - w₀| at most, against the weights that are held."""
    cardinality: int | None = None
    """How many weights are not zero at most: by a heuristic."""


def checked(rules: Rules) -> Rules:
    """The same; Refused names the field that cannot be."""
    _check_range(rules.minimum, rules.maximum, "weights", ("minWeight", "maxWeight"))
    if not rules.short and (rules.minimum or 0) < 0:
        raise _wrong("minWeight is negative in a long-only set: say short: true, or give 0 or more.", "minWeight")
    _check_range(rules.least_total, rules.greatest_total, "all together", ("minTotal", "maxTotal"))
    for name, cap in (("maxPosition", rules.position), ("leverage", rules.leverage)):
        if cap is not None and not 0 < cap <= LARGEST_WEIGHT:
            raise _wrong(f"{name} must be above 0 and at most {LARGEST_WEIGHT:g}.", name)
    if rules.leverage is not None and rules.leverage < max(rules.least_total, -rules.greatest_total):
        raise _wrong("leverage is below minTotal: so much can never be invested.", "leverage")
    if rules.turnover is not None and not 0 <= rules.turnover <= 2 * LARGEST_WEIGHT:
        raise _wrong(f"turnover must be 0 to {2 * LARGEST_WEIGHT:g}.", "turnover")
    if rules.cardinality is not None and not 1 <= rules.cardinality <= MOST_BOUNDS:
        raise _wrong(f"cardinality must be 1 to {MOST_BOUNDS}.", "cardinality")
    _check_bounds(rules)
    _check_groups(rules.groups)
    _check_signs(rules)
    _check_caps(rules)
    return rules


def request_of(rules: Rules, symbols: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """As gateway.core.quant.optimise.constraints takes them, of these assets; and what of them is about others.

    BadInput where a group that must weigh something has no asset here.
    """
    known, strange = set(symbols), dict[str, None]()
    bounds = {}
    for bound in rules.bounds:
        if bound.symbol in known:
            bounds[bound.symbol] = _limits(bound.minimum, bound.maximum)
        else:
            strange[bound.symbol] = None
    groups = []
    for group in rules.groups:
        mine = [symbol for symbol in group.symbols if symbol in known]
        strange |= dict.fromkeys(symbol for symbol in group.symbols if symbol not in known)
        if mine:
            groups.append({"name": group.name, "assets": mine, **_limits(group.minimum, group.maximum)})
        elif (group.minimum or 0) > 0 or (group.maximum or 0) < 0:
            raise BadInput(f"constraints.groups.{group.name}", "none of its symbols is among the assets: add one")
    told = {
        "long_only": not rules.short, "default": _limits(rules.minimum, rules.maximum), "bounds": bounds,
        "max_position": rules.position, "groups": groups,
        "total": {"min": rules.least_total, "max": rules.greatest_total}, "leverage": rules.leverage,
        "turnover": rules.turnover, "max_assets": rules.cardinality,
    }  # fmt: skip
    warnings = [f"constraints: {symbol} is not among the assets and was left out" for symbol in strange]
    return {name: value for name, value in told.items() if value not in (None, {}, [])}, warnings


def _limits(minimum: float | None, maximum: float | None) -> dict[str, float]:
    given = {"min": minimum, "max": maximum}
    return {name: value for name, value in given.items() if value is not None}


def plain(rules: Rules) -> dict[str, Any]:
    """As it is stored."""
    return asdict(rules)


def read_rules(stored: Mapping[str, Any]) -> Rules:
    """What `plain` made."""
    bounds = tuple(Bound(**each) for each in stored["bounds"])
    groups = tuple(Group(**each | {"symbols": tuple(each["symbols"])}) for each in stored["groups"])
    return replace(Rules(**{**stored, "bounds": (), "groups": ()}), bounds=bounds, groups=groups)


def _check_bounds(rules: Rules) -> None:
    if len(rules.bounds) > MOST_BOUNDS:
        raise _wrong(f"{len(rules.bounds)} bounds: give at most {MOST_BOUNDS}.", "bounds")
    _check_once([bound.symbol for bound in rules.bounds], "bounds")
    for number, bound in enumerate(rules.bounds):
        where = ("bounds", str(number))
        if bound.minimum is None and bound.maximum is None:
            raise _wrong(f"The bound of {bound.symbol} says nothing: give min, max or both.", *where)
        _check_range(bound.minimum, bound.maximum, bound.symbol, SIDES, *where)
        if not rules.short and (bound.minimum or 0) < 0:
            raise _wrong(f"{bound.symbol} may be sold short in a long-only set: say short: true.", *where, "min")
        if not rules.short and bound.maximum is not None and bound.maximum < 0:
            raise _wrong(f"{bound.symbol} must be short in a long-only set: say short: true.", *where, "max")


def _check_groups(groups: Sequence[Group]) -> None:
    if len(groups) > MOST_GROUPS:
        raise _wrong(f"{len(groups)} groups: give at most {MOST_GROUPS}.", "groups")
    _check_once([group.name for group in groups], "groups")
    for number, group in enumerate(groups):
        where = ("groups", str(number))
        if not 1 <= len(group.name) <= LONGEST_GROUP or not group.name.isprintable():
            raise _wrong(f"A group's name has 1 to {LONGEST_GROUP} printable characters.", *where, "name")
        if not 1 <= len(group.symbols) <= MOST_BOUNDS:
            raise _wrong(f"The group {group.name} needs 1 to {MOST_BOUNDS} symbols.", *where, "symbols")
        _check_once(group.symbols, *where, "symbols")
        if group.minimum is None and group.maximum is None:
            raise _wrong(f"The group {group.name} says nothing: give min, max or both.", *where)
        _check_range(group.minimum, group.maximum, f"the group {group.name}", SIDES, *where)


def _check_signs(rules: Rules) -> None:
    """In a long-only set nothing can be below 0."""
    if rules.short:
        return
    ways = "give 0 or more, or say short: true"
    for name, most in (("maxWeight", rules.maximum), ("maxTotal", rules.greatest_total)):
        if most is not None and most < 0:
            raise _wrong(f"{name} is negative in a long-only set, which can never hold: {ways}.", name)
    for number, group in enumerate(rules.groups):
        where = ("groups", str(number))
        if group.maximum is not None and group.maximum < 0:
            raise _wrong(f"The group {group.name} must be short in a long-only set: {ways}.", *where, "max")
        if group.minimum is not None and group.minimum > rules.greatest_total + NEAR:
            raise _wrong(f"The group {group.name} must weigh more than maxTotal, which can never hold.", *where, "min")


def _check_caps(rules: Rules) -> None:
    """What a weight, or some of them, must be at least is within maxPosition and leverage."""
    cap = LARGEST_WEIGHT if rules.position is None else rules.position
    lever = LARGEST_WEIGHT * MOST_BOUNDS if rules.leverage is None else rules.leverage
    least = _least(rules.minimum, rules.maximum)
    if least > min(cap, lever) + NEAR:
        raise _wrong("Each weight must be beyond maxPosition or leverage, which can never hold.", "minWeight")
    for number, bound in enumerate(rules.bounds):
        if _least(bound.minimum, bound.maximum) > min(cap, lever) + NEAR:
            told = f"{bound.symbol} must be beyond maxPosition or leverage, which can never hold."
            raise _wrong(told, "bounds", str(number))
    for number, group in enumerate(rules.groups):
        if _least(group.minimum, group.maximum) > min(cap * len(group.symbols), lever) + NEAR:
            told = f"The group {group.name} must be beyond maxPosition or leverage, which can never hold."
            raise _wrong(told, "groups", str(number))
    if rules.cardinality is not None and rules.cardinality * cap < rules.least_total - NEAR:
        told = f"{rules.cardinality} positions of maxPosition at most are less than minTotal: raise one of them."
        raise _wrong(told, "cardinality")


def _least(minimum: float | None, maximum: float | None) -> float:
    """How far from 0 a weight must be."""
    return max(minimum or 0.0, -(maximum or 0.0))


def _check_once(names: Sequence[str], *where: str) -> None:
    twice = next((name for number, name in enumerate(names) if name in names[:number]), None)
    if twice is not None:
        raise _wrong(f"{twice} is there twice: give it once.", *where)


def _check_range(
    minimum: float | None, maximum: float | None, whose: str, fields: tuple[str, str], *where: str
) -> None:
    for value, field in zip((minimum, maximum), fields, strict=True):
        if value is not None and not (isfinite(value) and abs(value) <= LARGEST_WEIGHT):
            told = f"A weight of {whose} is beyond {LARGEST_WEIGHT:g}: 1 is the whole portfolio."
            raise _wrong(told, *where, field)
    if minimum is not None and maximum is not None and minimum > maximum:
        told = f"The least weight of {whose} ({minimum:g}) is above its greatest ({maximum:g})."
        raise _wrong(told, *(where or fields[:1]))


def _wrong(message: str, *field: str) -> Refused:
    return Refused("CONSTRAINT_INVALID", message, *field)
