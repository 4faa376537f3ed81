"""Optimisation for other processes: plain values in, plain values out.

`optimise` and `frontier` take the panel that gateway.core.quant.tasks_risk describes, and more:

```
{"symbols": ["equity:AAPL", …], "dates": […], "closes": [[187.1, …], …], "periods_per_year": 252, "missing": "refuse",
 "covariance": "sample",                  or another estimator of gateway.core.quant.covariance
 "objective": "minimum_variance",         only `optimise`; see OBJECTIVES
 "target": 0.12,                          a year: of target_return and target_volatility
 "confidence": 0.95,                      of minimum_cvar
 "budgets": {"equity:AAPL": 0.2, …},      of risk_parity, of all assets, summing to 1; equal ones without
 "points": 20,                            only `frontier`: 2 to 100
 "risk_free": 0.0,                        a year, effective; what is not invested earns it
 "expected_returns": {"equity:AAPL": 0.08, …},   a year, arithmetic, of all assets, in place of the sample's means
 "constraints": {…},                      see gateway.core.quant.optimise.constraints
 "current": {"equity:AAPL": 0.3, …}}      weights held now, for the turnover; 0 where it names none
```

`optimise` answers

```
{"objective": "minimum_variance",
 "weights": {"equity:AAPL": 0.2, …}, "cash": 0.0,        cash = 1 − their sum
 "value": Figure,                                         of the objective, its method says what it is
 "expected_return": Figure, "volatility": Figure,         a year
 "sharpe": Figure or None,
 "risk_contributions": {"equity:AAPL": 0.15, …},          shares of the variance, summing to 1; {} without risk
 "turnover": 0.3,                                         Σ|weight − current|; None without `current`
 "binding": [{"name": "max_position", "asset": "equity:AAPL" or None, "shadow_price": -0.01}, …],
 "solver": {"name": "clarabel", "status": "Solved", "iterations": 9, "gap": 1e-11},
 "heuristic": None,                                       or what was done, where the optimum is not proven
 "dropped": ["2020-03-02", …],                            dates left out, with missing: drop_rows
 "warnings": ["…"]}
```

where a Figure is `{"value", "method", "periods_per_year", "ddof", "count", "start", "end"}`. A shadow price is what the
objective's value changes by when the limit is raised by 1, to first order; None with risk_parity.
Names of constraints: `long_only`,
`default.min`, `default.max`, `bounds.<asset>.min`, `bounds.<asset>.max`, `max_position`, `groups.<name>.min` and
`groups.<name>.max` (`groups.<name>` where the two are one), `total` (likewise), `leverage`, `turnover`, `max_assets`,
`target_return`, `target_volatility`.

`frontier` answers

```
{"points": [{"expected_return": 0.1, "volatility": 0.12, "sharpe": 0.83 or None, "weights": {…}}, …],
 "expected_return_method": "…", "covariance_method": "sample", "ddof": 1 or None, "periods_per_year": 252,
 "count", "start", "end",
 "solver": {…}, "dropped": […], "warnings": […]}
```

from the least variance to the highest expected return, in equal steps of the latter; one point where the two are one.

`rebalance` is in gateway.core.quant.optimise.rebalancing, which says what it takes and answers.

BadInput names the field that is wrong, Infeasible the constraints that collide, NotComputable what the data do not
allow. At most 1,000 assets. Nothing here loads numpy until it computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OBJECTIVES = (
    "minimum_variance", "maximum_sharpe", "risk_parity", "hierarchical_risk_parity", "minimum_cvar", "target_return",
    "target_volatility",
)  # fmt: skip


def optimise(request: Mapping[str, Any]) -> dict[str, Any]:
    """The optimal weights; shapes are in the module's docstring."""
    from gateway.core.quant.optimise.answers import optimised

    return optimised(request)


def frontier(request: Mapping[str, Any]) -> dict[str, Any]:
    """The efficient frontier; shapes are in the module's docstring."""
    from gateway.core.quant.optimise.frontiers import efficient

    return efficient(request)


def rebalance(request: Mapping[str, Any]) -> dict[str, Any]:
    """Trades that bring holdings to weights; exact decimals as strings, no numpy."""
    from gateway.core.quant.optimise.rebalancing import rebalanced

    return rebalanced(request)
