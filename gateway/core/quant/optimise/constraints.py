"""What a portfolio must keep to, as one value with a JSON form. Nothing here needs numpy.

```
{"long_only": true,                                   no weight below 0 (the default); false allows short positions
 "default": {"min": 0.0, "max": 0.3},                 of each asset that has no bounds of its own
 "bounds": {"equity:AAPL": {"min": 0.05, "max": 0.2}},
 "max_position": 0.25,                                no weight above it, no short one below its negative
 "groups": [{"name": "technology", "assets": ["equity:AAPL", "equity:MSFT"], "min": 0.1, "max": 0.4}],
 "total": {"min": 1.0, "max": 1.0},                   sum of the weights (1 by default); what is left of 1 is cash
 "leverage": 1.6,                                     sum of |weight|, at most
 "turnover": 0.3,                                     sum of |weight − current weight|, at most: 2 replaces everything
 "max_assets": 10}                                    how many are held, at most: the best of few, or by a heuristic
```

All weights are fractions of the portfolio's value. Every key may be left out, or null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core.quant.optimise.limits import Limits, read_limits, read_mapping, read_names, read_optional
from schema.errors import BadInput

OPEN, WHOLE = Limits(), Limits(min=1.0, max=1.0)
KEYS = (
    "long_only", "default", "bounds", "max_position", "groups", "total", "leverage", "turnover", "max_assets",
)  # fmt: skip
MOST_GROUPS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The sum of the weights of some assets: a sector, a class, a country."""

    name: str
    assets: tuple[str, ...]
    limits: Limits

    def to_json(self) -> dict[str, object]:
        """As `groups` has it."""
        return {"name": self.name, "assets": list(self.assets), **self.limits.to_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What the weights must keep to; the module's docstring says what each field means."""

    long_only: bool = True
    default: Limits = OPEN
    bounds: Mapping[str, Limits] = field(default_factory=dict)
    max_position: float | None = None
    groups: tuple[Group, ...] = ()
    total: Limits = WHOLE
    leverage: float | None = None
    turnover: float | None = None
    max_assets: int | None = None

    @classmethod
    def from_json(cls, value: object, where: str = "constraints") -> Constraints:
        """Read and checked; BadInput names the field that is wrong, beginning with `where`."""
        given = {key: one for key, one in read_mapping(value, where, KEYS).items() if one is not None}
        long_only = given.get("long_only", True)
        if not isinstance(long_only, bool):
            raise BadInput(f"{where}.long_only", "is neither true nor false")
        read = cls(
            long_only=long_only,
            default=read_limits(given.get("default", {}), f"{where}.default"),
            bounds=_read_bounds(given.get("bounds", {}), f"{where}.bounds"),
            max_position=_read_above_zero(given.get("max_position"), f"{where}.max_position"),
            groups=_read_groups(given.get("groups", []), f"{where}.groups"),
            total=_read_total(given.get("total"), f"{where}.total"),
            leverage=_read_above_zero(given.get("leverage"), f"{where}.leverage"),
            turnover=_read_not_negative(given.get("turnover"), f"{where}.turnover"),
            max_assets=_read_count(given.get("max_assets"), f"{where}.max_assets"),
        )
        if read.long_only:
            _check_long_only(read, where)
        return read

    def to_json(self) -> dict[str, object]:
        """What `from_json` reads back; fields at their defaults are left out."""
        told: dict[str, object] = {
            "long_only": None if self.long_only else False,
            "default": self.default.to_json() or None,
            "bounds": {asset: limits.to_json() for asset, limits in self.bounds.items()} or None,
            "max_position": self.max_position,
            "groups": [group.to_json() for group in self.groups] or None,
            "total": None if self.total == WHOLE else self.total.to_json(),
            "leverage": self.leverage,
            "turnover": self.turnover,
            "max_assets": self.max_assets,
        }
        return {key: value for key, value in told.items() if value is not None}

    def check_assets(self, assets: Sequence[str], where: str = "constraints") -> None:
        """BadInput for a bound or a group that names an asset that is not among `assets`."""
        known = set(assets)
        for asset in self.bounds:
            if asset not in known:
                raise BadInput(f"{where}.bounds.{asset}", "is not among the assets: leave it out, or add the asset")
        for group in self.groups:
            strangers = [asset for asset in group.assets if asset not in known]
            if strangers:
                told = ", ".join(strangers[:5])
                raise BadInput(f"{where}.groups.{group.name}.assets", f"{told} not among the assets: leave out, or add")

    def limits_of(self, asset: str) -> Limits:
        """Its own bounds, or the default ones."""
        return self.bounds.get(asset, self.default)


def _read_bounds(value: object, field: str) -> dict[str, Limits]:
    return {asset: read_limits(limits, f"{field}.{asset}") for asset, limits in read_mapping(value, field).items()}


def _read_groups(value: object, field: str) -> tuple[Group, ...]:
    if not isinstance(value, list | tuple):
        raise BadInput(field, "is not a list of groups")
    if len(value) > MOST_GROUPS:
        raise BadInput(field, f"has {len(value)} groups; {MOST_GROUPS} are allowed")
    groups = tuple(_read_group(one, f"{field}[{index}]") for index, one in enumerate(value))
    names = [group.name for group in groups]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise BadInput(f"{field}[{index}].name", f"{name!r} is taken: names of groups differ")
    return groups


def _read_group(value: object, field: str) -> Group:
    keys = read_mapping(value, field, ("name", "assets", "min", "max"))
    name = keys.get("name")
    if not isinstance(name, str) or not name:
        raise BadInput(f"{field}.name", "is missing: name the group")
    limits = read_limits({side: keys.get(side) for side in ("min", "max")}, field)
    if limits == OPEN:
        raise BadInput(field, f"group {name!r} has neither min nor max: set one")
    return Group(name=name, assets=read_names(keys.get("assets"), f"{field}.assets"), limits=limits)


def _read_total(value: object, field: str) -> Limits:
    return WHOLE if value is None else read_limits(value, field)


def _read_above_zero(value: object, field: str) -> float | None:
    number = read_optional(value, field)
    if number is not None and number <= 0:
        raise BadInput(field, f"must be above 0 (got {number:g})")
    return number


def _read_not_negative(value: object, field: str) -> float | None:
    number = read_optional(value, field)
    if number is not None and number < 0:
        raise BadInput(field, f"must not be negative (got {number:g})")
    return number


def _read_count(value: object, field: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadInput(field, f"is not a whole number from 1 (got {value!r:.60})")
    return value


def _check_long_only(read: Constraints, where: str) -> None:
    """Limits that no long-only portfolio can have are slips, not collisions."""
    named = [(f"{where}.default", read.default), (f"{where}.total", read.total)]
    named += [(f"{where}.bounds.{asset}", limits) for asset, limits in read.bounds.items()]
    named += [(f"{where}.groups.{group.name}", group.limits) for group in read.groups]
    for name, limits in named:
        if limits.max is not None and limits.max < 0:
            raise BadInput(f"{name}.max", "is below 0 in a long-only portfolio: raise it, or set long_only to false")
    for name, limits in [named[0], *named[2 : 2 + len(read.bounds)]]:
        if limits.min is not None and limits.min < 0:
            raise BadInput(f"{name}.min", "is below 0 in a long-only portfolio: raise it, or set long_only to false")
