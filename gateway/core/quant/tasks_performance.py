"""Performance as tasks for worker processes: plain values in, plain values out (docs of each say which).

Shared by all: `dates` are ISO days, ascending; prices and returns are lists of floats as long as `dates`, None where
there is none. Nothing is filled: a date without a price is left out, the return to the next price spans it (`missing`
lists such dates, a warning says so). A return belongs to the date on which it ends, so a series of returns that goes
with prices begins with None. A figure is `{value, method, periods_per_year, ddof, count, start, end}` (from the day on
which the first return ends to that of the last), or None, and then a line of `warnings` begins with its name.
BadInput: a malformed request (`field` says where). NotComputable: the data do not allow the whole answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from gateway.core.quant import columns
from gateway.core.quant import performance as figures
from gateway.core.quant import performance_requests as asked
from gateway.core.quant.attribution import Matrix, drifting_weights, held_over
from gateway.core.quant.attribution import contributions as contributed
from gateway.core.quant.cashflows import YEAR, Valuation, sub_periods
from gateway.core.quant.cashflows import xirr as rate_of
from gateway.core.quant.garch import garch
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.returns import annualised, total_return
from gateway.core.quant.rolling import ewma_volatility, rolling_beta, rolling_sharpe, rolling_volatility
from gateway.core.quant.series import Observed, Track, checked_dates, from_prices, named, observed
from gateway.core.quant.sheet import Sheet, figure
from schema.errors import BadInput

ROW = (
    "total_return", "annual_return", "volatility", "sharpe", "sortino", "max_drawdown", "value_at_risk_95", "beta",
)  # fmt: skip


def report(request: Mapping[str, Any]) -> dict[str, Any]:
    """Everything about one series, against an optional benchmark.

    Request: `{dates, prices | returns, periods_per_year=252, benchmark={prices | returns, periods_per_year}|None,
    risk_free=0.0 (annual rate) | {prices | returns}, start=None, end=None (days, both inclusive), top=10 (drawdowns),
    window=None (returns in a rolling window; a quarter of `periods_per_year`), garch=False}`.
    Figures against the benchmark are of common dates, and are annualised with the smaller `periods_per_year` of both.

    Answer: `{count, periods_per_year, base (day from which the first return counts, or None), start, end,
    missing: [day], warnings: [str],
    figures: {total_return, annual_return, mean_return, volatility, ewma_volatility, garch_volatility,
    downside_deviation, sharpe, sortino, calmar, omega, hit_rate, best_return, worst_return, max_drawdown,
    value_at_risk_95, skew, skew_unbiased, kurtosis, kurtosis_unbiased; against the benchmark, None without one: beta,
    alpha, alpha_compounded, correlation, tracking_error, information_ratio, information_ratio_geometric, up_capture,
    down_capture, up_capture_compounded, down_capture_compounded},
    columns: {dates, returns, wealth (1 before the first return), drawdowns, ewma_volatility},
    drawdowns: [{peak (day, or None where it is before the first date), trough, recovery (or None), depth, length}],
    calendar: {months, quarters, years: [{year, part, value, count}]},
    rolling: {window, volatility, sharpe, beta: {dates, values} | None},
    benchmark: {dates, returns, wealth, drawdowns} | None,
    garch: {mu, omega, alpha, beta, dates, values} | None}`.
    """
    ask = asked.read(request, asked.ReportRequest)
    cut, dates = asked.span(ask.dates, ask.start, ask.end)
    periods = asked.checked_periods("periods_per_year", ask.periods_per_year)
    asked.check_between("top", ask.top, 1, asked.MOST_DRAWDOWNS)
    if ask.window is not None:
        asked.check_between("window", ask.window, 2, asked.LONGEST_WINDOW)
    risk_free = asked.risk_free(ask.risk_free, ask.dates, cut)
    main = asked.track("", ask, ask.dates).cut(cut)
    one = figures.subject(main, risk_free, dates, periods)
    sheet = Sheet()
    _say_missing(sheet, main.field, one.own)
    figures.put_risk(sheet, one)
    figures.put_more(sheet, one)
    two = _compared(sheet, ask, main, risk_free, dates, cut)
    return {
        "count": len(one.own.dates), "periods_per_year": periods,
        "base": one.own.base and one.own.base.isoformat(),
        "start": one.own.dates[0].isoformat(), "end": one.own.dates[-1].isoformat(),
        "missing": columns.days(one.own.missing),
        "columns": {
            **columns.growth(one.returns, one.own.dates),
            "ewma_volatility": ewma_volatility(one.returns, periods).tolist(),
        },
        "drawdowns": columns.worst_drawdowns(one.own, ask.top),
        "calendar": columns.calendar(one.own),
        "rolling": _rolling(sheet, one, two, ask.window),
        "benchmark": two and columns.growth(two.benchmark, two.seen.dates),
        "garch": _garch(sheet, one, ask.garch),
        "figures": sheet.figures, "warnings": sheet.warnings,
    }  # fmt: skip


def table(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Assets side by side; one that has too few prices has no figures, and the others go on.

    Request: `{dates, assets: [{symbol, prices, periods_per_year=None (the request's),
    missing=None (all dates without a price)}], periods_per_year=252,
    benchmark={prices | returns, periods_per_year}|None, risk_free=0.0 | {prices | returns}, start=None, end=None}`.

    Answer, a row an asset in the order asked: `{symbol, figures: {total_return, annual_return, volatility, sharpe,
    sortino, max_drawdown, value_at_risk_95, beta}, missing: [day], warnings: [str]}`.
    """
    ask = asked.read(request, asked.TableRequest)
    asked.check_size(len(ask.dates), len(ask.assets))
    asked.check_assets(ask.assets)
    cut, dates = asked.span(ask.dates, ask.start, ask.end)
    risk_free = asked.risk_free(ask.risk_free, ask.dates, cut)
    benchmark = asked.track("benchmark", ask.benchmark, ask.dates).cut(cut) if ask.benchmark else None
    return [_row(ask, position, benchmark, risk_free, dates, cut) for position in range(len(ask.assets))]


def contributions(request: Mapping[str, Any]) -> dict[str, Any]:
    """Which asset brought how much of a portfolio's total return: profit over initial wealth, so that they sum to it.

    Request: `{dates, assets: [{symbol, prices}]}` and either `weights: [float]` (at the start) with
    `rebalance="never"` (buy and hold), "every_period", "monthly", "quarterly" or "yearly" (at the close of the last
    date in it), or `weight_path: [[float]]`, a row a date but the last: weights at that date's close, which earn the
    return to the next. Short weights are negative; what weights leave is cash without return. With `weights` only dates
    on which every asset has a price are used; with `weight_path` an asset needs prices only where it has a weight.

    Answer: `{method, total: Figure, contributions: [{symbol, value}], cash (weight at the start), base, dates, returns
    (of the portfolio), missing: [day], warnings: [str]}`.
    """
    ask = asked.read(request, asked.ContributionsRequest)
    asked.check_size(len(ask.dates), len(ask.assets))
    asked.check_assets(ask.assets)
    dates = checked_dates("dates", ask.dates)
    tracks = [from_prices(f"assets[{i}].prices", asset.prices, dates) for i, asset in enumerate(ask.assets)]
    seen, weights, method = _held(ask, tracks, dates)
    parts, portfolio = contributed(weights, seen.returns.T)
    sheet, cash = Sheet(), 1 - float(weights[0].sum())
    _say_missing(sheet, "assets", seen)
    if abs(cash) > 1e-9:
        sheet.warnings.append(f"weights: they sum to {1 - cash:.6g} at the start, the rest is cash without return")
    return {
        "method": f"{method}, profit over initial wealth (linked by wealth at the beginning of each period)",
        "total": figure(total_return(portfolio), "compounded: ∏(1 + Σ w·r) - 1", seen),
        "contributions": [{"symbol": a.symbol, "value": float(v)} for a, v in zip(ask.assets, parts, strict=True)],
        "cash": cash, "base": seen.base and seen.base.isoformat(),
        "dates": columns.days(seen.dates), "returns": portfolio.tolist(),
        "missing": columns.days(seen.missing), "warnings": sheet.warnings,
    }  # fmt: skip


def twr(request: Mapping[str, Any]) -> dict[str, Any]:
    """True time-weighted return: sub-periods between valuations, compounded.

    Request: `{valuations: [{date, value (before the day's flow), flow=0.0 (paid in positive, taken out negative)}]}`,
    one a day, ascending, one at least on every day with a flow.

    Answer: `{total: Figure, annual: Figure | None (actual/365), dates, returns (of sub-periods, by their ends), base,
    warnings}`; `[None, *returns]` on `[base, *dates]` are the returns of a `report`, where valuations are regular.
    """
    ask = asked.read(request, asked.TwrRequest)
    asked.check_between("valuations", len(ask.valuations), 2, asked.MOST_FLOWS)
    checked_dates("valuations", [one.date for one in ask.valuations])
    for position, one in enumerate(ask.valuations):
        asked.check_finite(f"valuations[{position}].value", one.value)
        asked.check_finite(f"valuations[{position}].flow", one.flow)
    parts = sub_periods([Valuation(day=one.date, value=one.value, flow=one.flow) for one in ask.valuations])
    returns = np.array([part.value for part in parts])
    days = tuple(part.end for part in parts)
    seen = Observed(returns=returns[None, :], dates=days, base=parts[0].start, missing=())
    sheet, span = Sheet(), (days[-1] - parts[0].start).days
    growth = 1 + total_return(returns)
    total = figure(growth - 1, "true time-weighted: sub-periods at flows, compounded", seen)
    sheet.put("annual", lambda: annualised(growth, YEAR / span), "time-weighted, compounded, actual/365", seen)
    return {
        "total": total, "annual": sheet.figures["annual"], "base": parts[0].start.isoformat(),
        "dates": columns.days(days), "returns": returns.tolist(), "warnings": sheet.warnings,
    }  # fmt: skip


def xirr(request: Mapping[str, Any]) -> dict[str, Any]:
    """Money-weighted return.

    Request: `{flows: [{date, amount (paid in negative; got back, and the last value, positive)}]}`.

    Answer: `{rate: Figure}`. NotComputable where there is no rate, or several.
    """
    ask = asked.read(request, asked.XirrRequest)
    asked.check_between("flows", len(ask.flows), 2, asked.MOST_FLOWS)
    for position, flow in enumerate(ask.flows):
        asked.check_finite(f"flows[{position}].amount", flow.amount)
    rate = rate_of([(flow.date, flow.amount) for flow in ask.flows])
    days = tuple(sorted(flow.date for flow in ask.flows))
    seen = Observed(returns=np.empty((0, 0)), dates=days, base=None, missing=())
    return {"rate": figure(rate, "XIRR: net present value 0, actual/365, annual compounding", seen)}


def _held(
    ask: asked.ContributionsRequest, tracks: Sequence[Track], dates: Sequence[date]
) -> tuple[Observed, Matrix, str]:
    """Returns of the assets, their weights at the beginning of each period, and how these came about."""
    if (ask.weights is None) == (ask.weight_path is None):
        raise BadInput("weights", "give weights or weight_path, one of the two")
    if ask.weight_path is not None:
        weights = asked.weight_rows("weight_path", ask.weight_path, len(tracks), len(dates) - 1)
        return held_over(tracks, weights, dates), weights, "given weights"
    start = asked.weight_rows("weights", [ask.weights or ()], len(tracks), 1)[0]
    seen = observed(tracks, dates, fewest=1)
    kind = "buy and hold" if ask.rebalance == "never" else f"rebalanced {ask.rebalance.replace('_', ' ')}"
    return seen, drifting_weights(start, seen.returns.T, seen.dates, ask.rebalance), kind


def _compared(
    sheet: Sheet, ask: asked.ReportRequest, main: Track, risk_free: float | Track, dates: Sequence[date], cut: slice
) -> figures.Pair | None:
    if ask.benchmark is None:
        figures.refuse_comparison(sheet, None)
        return None
    benchmark = asked.track("benchmark", ask.benchmark, ask.dates).cut(cut)
    try:
        two = figures.pair(main, benchmark, risk_free, dates, asked.joint_periods(ask.periods_per_year, ask.benchmark))
    except NotComputable as refusal:
        figures.refuse_comparison(sheet, refusal)
        return None
    figures.put_comparison(sheet, two)
    return two


def _row(
    ask: asked.TableRequest, position: int, benchmark: Track | None, risk_free: float | Track,
    dates: Sequence[date], cut: slice,
) -> dict[str, Any]:  # fmt: skip
    asset, sheet = ask.assets[position], Sheet()
    row: dict[str, Any] = {"symbol": asset.symbol, "figures": sheet.figures, "missing": [], "warnings": sheet.warnings}
    own = ask.periods_per_year if asset.periods_per_year is None else asset.periods_per_year
    periods = asked.checked_periods(f"assets[{position}].periods_per_year", own)
    sheet.figures |= dict.fromkeys(ROW)
    try:
        track = from_prices(f"assets[{position}].prices", asset.prices, ask.dates).cut(cut)
        one = figures.subject(track, risk_free, dates, periods)
    except NotComputable as refusal:
        sheet.warnings.append(f"{asset.symbol}: {refusal.message}")
        return row
    due = one.own.missing if asset.missing is None else {*asset.missing} & {*one.own.missing}
    lacking = replace(one.own, missing=tuple(sorted(due)))
    _say_missing(sheet, asset.symbol, lacking)
    figures.put_risk(sheet, one)
    if benchmark is not None and ask.benchmark is not None:
        with sheet.refusals("beta"):
            joint = asked.joint_periods(periods, ask.benchmark)
            figures.put_beta(sheet, figures.pair(track, benchmark, risk_free, dates, joint))
    return {**row, "missing": columns.days(lacking.missing)}


def _say_missing(sheet: Sheet, field: str, seen: Observed) -> None:
    if seen.missing:
        sheet.warnings.append(f"{field}: no value on {named(seen.missing)}: the return to the next date spans them")


def _rolling(sheet: Sheet, one: figures.Subject, two: figures.Pair | None, window: int | None) -> dict[str, Any]:
    length = window or max(2, round(one.periods / 4))
    found: dict[str, Any] = {"window": length, "volatility": None, "sharpe": None, "beta": None}
    with sheet.refusals("rolling volatility"):
        values = rolling_volatility(one.returns, length, one.periods)
        found["volatility"] = columns.windows(values, one.own.dates)
    with sheet.refusals("rolling sharpe"):
        values = rolling_sharpe(one.paired, one.risk_free, length, one.periods)
        found["sharpe"] = columns.windows(values, one.excess.dates)
    with sheet.refusals("rolling beta"):
        if two:
            values = rolling_beta(two.returns - two.risk_free, two.benchmark - two.risk_free, length)
            found["beta"] = columns.windows(values, two.seen.dates)
    return found


def _garch(sheet: Sheet, one: figures.Subject, wanted: bool) -> dict[str, Any] | None:
    sheet.figures["garch_volatility"] = None
    if not wanted:
        return None
    with sheet.refusals("garch_volatility"):
        fitted = garch(one.returns, one.periods)
        method = "GARCH(1,1), constant mean, normal, of the period after the last, ·√n"
        sheet.put("garch_volatility", lambda: fitted.forecast, method, one.own, periods=one.periods)
        return {
            "mu": fitted.mu, "omega": fitted.omega, "alpha": fitted.alpha, "beta": fitted.beta,
            "dates": columns.days(one.own.dates), "values": fitted.conditional.tolist(),
        }  # fmt: skip
    return None
