"""Volatility by GARCH(1,1), by the package `arch`: an optional extra, loaded only here."""

from __future__ import annotations

import importlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gateway.core.quant.moments import deviation
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.series import Vector

FEWEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Garch:
    """`σ²_t = ω + α·ε²_(t−1) + β·σ²_(t−1)`, `r = μ + ε`, normal, by maximum likelihood. Source: Bollerslev 1986."""

    mu: float
    omega: float
    alpha: float
    beta: float
    conditional: Vector
    """Volatility of each period, annual."""
    forecast: float
    """Volatility of the period after the last, annual."""


def garch(returns: Vector, periods: float) -> Garch:
    """Fit it; NotComputable below 100 returns, without the extra `garch`, and where the optimiser does not converge.

    It is fitted to returns over their deviation, so that the scale of the returns does not matter to the optimiser;
    the variance before the first return is that of the sample, as Fiorentini, Calzolari and Panattoni 1996 have it.
    """
    if returns.size < FEWEST:
        raise NotComputable(f"GARCH(1,1): {returns.size} returns, at least {FEWEST} are needed")
    scale = deviation(returns)
    model = _arch().arch_model(returns / scale, mean="Constant", vol="GARCH", p=1, q=1, dist="normal", rescale=False)
    fitted = model.fit(disp="off", show_warning=False, backcast=float(np.var(returns / scale)))
    if fitted.convergence_flag != 0:
        raise NotComputable("GARCH(1,1): the optimiser does not converge on these returns")
    mu, omega, alpha, beta = (float(fitted.params[name]) for name in ("mu", "omega", "alpha[1]", "beta[1]"))
    ahead = float(fitted.forecast(horizon=1).variance.to_numpy()[-1, 0])
    yearly = scale * math.sqrt(periods)
    return Garch(
        mu=mu * scale, omega=omega * scale**2, alpha=alpha, beta=beta,
        conditional=fitted.conditional_volatility * yearly, forecast=math.sqrt(ahead) * yearly,
    )  # fmt: skip


def _arch() -> Any:
    try:
        return importlib.import_module("arch")
    except ImportError:
        raise NotComputable("GARCH(1,1) needs the extra `garch`: install marketgate[garch]") from None
