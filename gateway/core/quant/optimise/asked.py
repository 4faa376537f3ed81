"""A request for an optimal portfolio, read and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gateway.core.quant.covariance import ESTIMATORS
from gateway.core.quant.observations import Array, Observations, observe, one_of, read_prices
from gateway.core.quant.optimise.constraints import Constraints
from gateway.core.quant.optimise.limits import read_mapping, read_names, read_number
from gateway.core.quant.optimise.moments import Moments, moments
from schema.errors import BadInput
from schema.rates import check_rate

MOST_ASSETS = 1_000
HIGHEST = 100.0
"""A return or a volatility a year beyond 10,000 % is a slip of the pen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What all objectives need."""

    observed: Observations
    moments: Moments
    constraints: Constraints
    current: Array | None

    @property
    def assets(self) -> tuple[str, ...]:
        """In the order of all arrays."""
        return self.observed.symbols

    @property
    def held(self) -> Array:
        """The weights held now; BadInput where a turnover is limited and nobody says what is held."""
        if self.current is not None:
            return self.current
        if self.constraints.turnover is not None:
            raise BadInput("current", "is missing: a turnover is counted from the weights held now")
        return np.zeros(len(self.assets))


def read(request: Mapping[str, Any]) -> Asked:
    """BadInput names what is wrong, NotComputable what the data do not allow."""
    symbols = read_names(request.get("symbols"), "symbols")
    for field in ("dates", "closes"):
        if not isinstance(request.get(field), list | tuple):
            raise BadInput(field, "is missing, or is not a list")
    constraints = Constraints.from_json(request.get("constraints") or {})
    constraints.check_assets(symbols)
    if len(symbols) > MOST_ASSETS:
        raise BadInput("symbols", f"has {len(symbols)} assets; {MOST_ASSETS} are allowed: choose the largest")
    missing = one_of(request, "missing", ("refuse", "drop_rows"), "refuse")
    observed = observe(read_prices(request), missing)
    current = request.get("current")
    return Asked(
        observed=observed, moments=_moments(request, observed), constraints=constraints,
        current=None if current is None else by_asset(current, observed.symbols, "current", default=0.0),
    )  # fmt: skip


def by_asset(value: object, assets: Sequence[str], field: str, default: float | None = None) -> Array:
    """A number an asset, in their order; BadInput for an asset that is not known or, without a default, is missing."""
    given = read_mapping(value, field)
    for name in given:
        if name not in assets:
            raise BadInput(f"{field}.{name}", "is not among the symbols: leave it out, or add the asset")
    absent = [asset for asset in assets if asset not in given]
    if absent and default is None:
        raise BadInput(f"{field}.{absent[0]}", "is missing: give a number for every asset")
    return np.array([read_number(given.get(asset, default), f"{field}.{asset}") for asset in assets])


def fraction(request: Mapping[str, Any], field: str, default: float | None = None) -> float:
    """A number that must be there, or its default."""
    value = request.get(field, default)
    if value is None:
        raise BadInput(field, "is missing: this objective needs it")
    return read_number(value, field)


def yearly(value: float, field: str) -> float:
    """A return or a volatility a year; BadInput for one that is beyond all reason."""
    if abs(value) > HIGHEST:
        raise BadInput(field, f"{value:g} a year is beyond {HIGHEST:g}: 0.08 is 8 %")
    return value


def _moments(request: Mapping[str, Any], observed: Observations) -> Moments:
    risk_free = fraction(request, "risk_free", 0.0)
    check_rate("risk_free", risk_free)
    estimator = ESTIMATORS[one_of(request, "covariance", ESTIMATORS, "sample")]
    made = moments(observed, estimator(observed.returns), risk_free)
    expected = request.get("expected_returns")
    if expected is None:
        return made
    means = by_asset(expected, observed.symbols, "expected_returns")
    for asset, mean in zip(observed.symbols, means.tolist(), strict=True):
        yearly(mean, f"expected_returns.{asset}")
    return replace(made, mean=means - made.cash)
