"""The task `stress`; `tasks_risk` describes what requests and answers share, and offers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from gateway.core.quant.observations import Array, Prices, known, number, observe, read_prices, read_weights
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.risk_answers import missing_of
from gateway.core.quant.stress import (
    WINDOWS,
    Asset,
    Outcome,
    Shock,
    Window,
    factor_betas,
    refuse_shocks,
    replay,
    shocked,
)
from schema.errors import BadInput


def stress(request: Mapping[str, Any]) -> dict[str, Any]:
    """What windows of history and described shocks do to a portfolio.

    Request: panel, weights, and
        windows    list of names out of `stress.WINDOWS` or {name, start, end}; default all, with scenarios none
        scenarios  list of {name, shocks: [{kind: "symbol" | "class" | "currency" | "factor", key, change}]}; a factor's
                   key is a symbol of the panel, betas are taken over the whole panel
        assets     {symbol: {class, currency}} for class and currency shocks
        foreign    {currency: weight} of cash that is not in the portfolio's own currency, for currency shocks
    Answer: {symbols, weights, scenarios: [{name, kind: "window" | "shock", method, start, end: ISO | None,
        change: float | None, changes: [float | None], contributions: [float | None], drawdown: float | None,
        cash_contribution: float, count: int | None, dropped: [ISO], warnings}]}
    `drawdown` is not over 0 either, and None where closes are missing within a window and `missing` refuses.
    `count` and `dropped` are the window's dates on which all and not all have closes;
    of a shock with factors the returns of the betas' sample and its dates that were left out, of others None and [].
    `change` is the portfolio's, as a fraction (a loss is under 0); None where a held asset has no prices there, and for
    shocks of factors that the data do not allow: a warning says why.
    """
    prices = read_prices(request)
    held, weights = read_weights(request, prices.symbols)
    given = request.get("windows")
    names = list(WINDOWS) if given is None and not request.get("scenarios") else given or []
    windows = [read_window(window) for window in names]
    missing = missing_of(request)
    replays = [window_told(window, replay(prices, held, weights, window, missing)) for window in windows]
    assets = [read_asset(name, request.get("assets") or {}) for name in held]
    shocks = [shock_told(scenario, request, prices, assets, weights) for scenario in request.get("scenarios") or []]
    return {"symbols": list(held), "weights": weights.tolist(), "scenarios": [*replays, *shocks]}


def window_told(window: Window, outcome: Outcome) -> dict[str, Any]:
    return {
        "name": window.name,
        "kind": "window",
        "method": "buy and hold from the close of the first day to the close of the last",
        "start": window.start.isoformat(),
        "end": window.end.isoformat(),
        **outcome_of(outcome),
    }


def shock_told(
    scenario: Mapping[str, Any], request: Mapping[str, Any], prices: Prices, assets: Sequence[Asset], weights: Array
) -> dict[str, Any]:
    shocks = [
        Shock(kind=str(shock["kind"]), key=str(shock["key"]), change=number(shock["change"], "shocks.change"))
        for shock in scenario["shocks"]
    ]
    factors = known([shock.key for shock in shocks if shock.kind == "factor"], prices.symbols, "shocks")
    held = [asset.symbol for asset in assets]
    betas, sample = {}, None
    foreign = {name: number(weight, "foreign") for name, weight in (request.get("foreign") or {}).items()}
    try:
        if factors:
            sample = observe(prices, missing_of(request), [*held, *factors])
            betas = factor_betas(sample, held, factors)
        outcome = shocked(assets, weights, shocks, betas, foreign)
    except NotComputable as refused:
        refuse_shocks(shocks)
        nothing = (None,) * len(held)
        outcome = Outcome(change=None, changes=nothing, contributions=nothing, warnings=(refused.message,))
    span = f"; betas by least squares over {len(sample.dates)} returns" if sample else ""
    return {
        "name": str(scenario["name"]),
        "kind": "shock",
        "method": f"symbol before class before factors, then currency{span}",
        "start": sample.span()["start"] if sample else None,
        "end": sample.span()["end"] if sample else None,
        **outcome_of(outcome),
        "count": len(sample.dates) if sample else None,
        "dropped": [day.isoformat() for day in sample.dropped] if sample else [],
    }


def outcome_of(outcome: Outcome) -> dict[str, Any]:
    return {
        "change": outcome.change,
        "changes": list(outcome.changes),
        "contributions": list(outcome.contributions),
        "drawdown": outcome.drawdown,
        "cash_contribution": outcome.cash_contribution,
        "count": outcome.count,
        "dropped": [day.isoformat() for day in outcome.dropped],
        "warnings": list(outcome.warnings),
    }


def read_window(given: str | Mapping[str, Any]) -> Window:
    if isinstance(given, str):
        if given not in WINDOWS:
            raise BadInput("windows", f"{given!r} is unknown: choose among {', '.join(WINDOWS)}, or give start and end")
        return WINDOWS[given]
    return Window(
        name=str(given["name"]), start=date.fromisoformat(given["start"]), end=date.fromisoformat(given["end"])
    )


def read_asset(symbol: str, assets: Mapping[str, Mapping[str, Any]]) -> Asset:
    facts = assets.get(symbol, {})
    return Asset(symbol=symbol, asset_class=facts.get("class") or "", currency=facts.get("currency") or "")
