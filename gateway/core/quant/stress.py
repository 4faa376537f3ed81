"""Stress tests: what a portfolio would have lost in a known window, or would lose in a shock as described."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

import numpy as np

from gateway.core.quant.observations import Array, Observations, Prices, constant
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.windows import WINDOWS as WINDOWS
from gateway.core.quant.windows import Window as Window
from schema.errors import BadInput

STALE = timedelta(days=7)
"""A close that is older than this does not stand for a window's first or last day."""
LARGEST_CHANGE = 1_000
SPECIFIC = ("symbol", "class", "factor")
NO_CASH: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shock:
    """A sudden change: of a symbol, of all assets of a class, of a currency against the portfolio's, or of a factor."""

    kind: str
    key: str
    change: float
    """As a fraction: -0.2 is a fall by 20 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """What shocks find an asset by."""

    symbol: str
    asset_class: str = ""
    currency: str = ""
    """Empty where unknown: no shock meets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the portfolio. `changes` and `contributions` are by asset, None where one has no prices."""

    change: float | None
    """Σ w_i R_i, with what shocks do to cash; None where it cannot be reckoned."""
    changes: tuple[float | None, ...]
    contributions: tuple[float | None, ...]
    drawdown: float | None = None
    """Not over 0: -0.2 is a fall by 20 %."""
    count: int | None = None
    """Dates of the window on which all have closes."""
    cash_contribution: float = 0.0
    """Of cash, in shocks of its currencies."""
    dropped: tuple[date, ...] = ()
    """Its other dates, which the drawdown leaves out, or for which there is none."""
    warnings: tuple[str, ...] = ()


# --- Windows of history -----------------------------------------------------------------------------------------------


def replay(
    prices: Prices, symbols: Sequence[str], weights: Array, window: Window, missing: str = "drop_rows"
) -> Outcome:
    """Buy and hold through the window: R_i = P_i(end) / P_i(start) − 1, the portfolio's change Σ w_i R_i.

    P(day) is the last close on or before the day, at most 7 days old. An asset without both is not replaced by
    anything: it is named, and the portfolio's change is None. Cash stays as it is. The drawdown is the deepest fall
    from a peak of 1 + Σ w_i (P_i(t) / P_i(start) − 1) on the dates on which all have closes;
    with `missing` "refuse" there is none where any other date lies between the ends.
    """
    if window.start >= window.end:
        raise BadInput("scenarios", f"{window.name}: start {window.start} must come before end {window.end}")
    columns = [prices.symbols.index(symbol) for symbol in symbols]
    first = [close_at(prices, column, window.start) for column in columns]
    last = [close_at(prices, column, window.end) for column in columns]
    ends = list(zip(first, last, strict=True))
    changes = tuple(None if a is None or b is None else b / a - 1 for a, b in ends)
    contributions = tuple(
        None if change is None else float(weight) * change for weight, change in zip(weights, changes, strict=True)
    )
    whole, dropped = dates_within(prices, columns, window)
    absent = [symbol for symbol, change in zip(symbols, changes, strict=True) if change is None]
    if absent:
        lost = f"{window.name}: no prices of {', '.join(absent)} at both ends of {window.start} to {window.end}"
        return Outcome(
            change=None, changes=changes, contributions=contributions, count=len(whole), dropped=dropped,
            warnings=(lost,),
        )  # fmt: skip
    base = np.array(first, dtype=np.float64)
    gaps = _gaps(window, dropped) if missing == "refuse" and dropped else ()
    return Outcome(
        change=float(sum(value for value in contributions if value is not None)),
        changes=changes,
        contributions=contributions,
        drawdown=None if gaps else drawdown(prices.closes[whole][:, columns], weights, base),
        count=len(whole),
        dropped=dropped,
        warnings=gaps,
    )


def _gaps(window: Window, lacking: Sequence[date]) -> tuple[str]:
    told = f"closes are missing on {len(lacking)} dates, the first {lacking[0]}: allow to leave such dates out"
    return (f"{window.name}: no drawdown, for {told}",)


def close_at(prices: Prices, column: int, day: date) -> float | None:
    """The last close on or before the day, at most a week old."""
    for row in range(bisect_right(prices.dates, day) - 1, -1, -1):
        if day - prices.dates[row] > STALE:
            return None
        if not np.isnan(prices.closes[row, column]):
            return float(prices.closes[row, column])
    return None


def dates_within(prices: Prices, columns: list[int], window: Window) -> tuple[list[int], tuple[date, ...]]:
    """Rows of the window on which all have closes, and its other dates."""
    inside = [row for row, day in enumerate(prices.dates) if window.start <= day <= window.end]
    lacking: list[bool] = np.any(np.isnan(prices.closes[inside][:, columns]), axis=1).tolist()
    whole = [row for row, lacks in zip(inside, lacking, strict=True) if not lacks]
    return whole, tuple(prices.dates[row] for row, lacks in zip(inside, lacking, strict=True) if lacks)


def drawdown(closes: Array, weights: Array, base: Array) -> float:
    """The deepest fall of the held portfolio from a peak, not over 0: a row a date, all finite."""
    wealth = np.concatenate([[1.0], 1.0 + (closes / base - 1.0) @ weights])
    peaks = np.maximum.accumulate(wealth)
    return float((wealth / peaks - 1.0).min())


# --- Shocks -----------------------------------------------------------------------------------------------------------


def shocked(
    assets: Sequence[Asset], weights: Array, shocks: Sequence[Shock], betas: Mapping[str, Array],
    cash: Mapping[str, float] = NO_CASH,
) -> Outcome:  # fmt: skip
    """Σ w_i ((1 + p_i)(1 + x_i) − 1) + Σ c_k x_k: p the change of the price, x that of a currency, c cash by its own.

    p is the shock of the symbol; where there is none, of its class; where there is none, Σ_k β_ik change_k over the
    factors (at least −1). A shock that meets no asset changes nothing and is named.
    """
    refuse_shocks(shocks)
    by_kind = {kind: {s.key: s.change for s in shocks if s.kind == kind} for kind in (*SPECIFIC, "currency")}
    changes, warnings = [], untouched(assets, by_kind, cash)
    for place, asset in enumerate(assets):
        price = price_change(asset, by_kind, {name: float(beta[place]) for name, beta in betas.items()})
        if price < -1:
            warnings.append(f"{asset.symbol}: the factors would take it under 0; it loses everything instead")
        currency = by_kind["currency"].get(asset.currency, 0.0)
        changes.append((1 + max(price, -1.0)) * (1 + currency) - 1)
    contributions = tuple(float(weight) * change for weight, change in zip(weights, changes, strict=True))
    money = float(sum(weight * by_kind["currency"].get(currency, 0.0) for currency, weight in cash.items()))
    return Outcome(
        change=float(sum(contributions)) + money, changes=tuple(changes), contributions=contributions,
        cash_contribution=money, warnings=tuple(warnings),
    )  # fmt: skip


def refuse_shocks(shocks: Sequence[Shock]) -> None:
    seen = set()
    for shock in shocks:
        if shock.kind not in (*SPECIFIC, "currency"):
            raise BadInput("shocks", f"{shock.kind!r} is no kind of shock: choose symbol, class, currency or factor")
        if (shock.kind, shock.key) in seen:
            raise BadInput("shocks", f"{shock.kind} {shock.key} is shocked twice: give one change")
        if not -1 <= shock.change <= LARGEST_CHANGE:
            raise BadInput("shocks", f"{shock.kind} {shock.key} must change by -1 (all is lost) to {LARGEST_CHANGE:,}")
        seen.add((shock.kind, shock.key))
    if not shocks:
        raise BadInput("shocks", "is empty: describe at least one change")


def price_change(asset: Asset, by_kind: Mapping[str, Mapping[str, float]], betas: Mapping[str, float]) -> float:
    if asset.symbol in by_kind["symbol"]:
        return by_kind["symbol"][asset.symbol]
    if asset.asset_class in by_kind["class"]:
        return by_kind["class"][asset.asset_class]
    return sum(betas[name] * change for name, change in by_kind["factor"].items())


def untouched(
    assets: Sequence[Asset], by_kind: Mapping[str, Mapping[str, float]], cash: Mapping[str, float]
) -> list[str]:
    held: dict[str, set[str]] = {
        "symbol": {asset.symbol for asset in assets},
        "class": {asset.asset_class for asset in assets},
        "currency": {asset.currency for asset in assets} | {currency for currency, weight in cash.items() if weight},
    }
    return [
        f"the shock of {kind} {key} meets nothing that is held"
        for kind, names in held.items()
        for key in by_kind[kind]
        if key not in names
    ]


def factor_betas(observed: Observations, symbols: Sequence[str], factors: Sequence[str]) -> dict[str, Array]:
    """β of each symbol to each factor: least squares of its returns on all factors' returns and a constant.

    NotComputable where a factor never changes, factors say the same, or there are fewer than factors + 2 returns.
    """
    moves = np.column_stack([observed.of(name) for name in factors])
    if constant(moves).any():
        raise NotComputable(f"a factor of {', '.join(factors)} never changes, so nothing has a beta to it")
    moves = moves - moves.mean(axis=0)
    if len(moves) < len(factors) + 2 or np.linalg.matrix_rank(moves) < len(factors):
        raise NotComputable(f"{', '.join(factors)} cannot be told apart in {len(moves)} returns: shock fewer factors")
    ours = np.column_stack([observed.of(symbol) for symbol in symbols])
    betas = np.linalg.lstsq(moves, ours - ours.mean(axis=0), rcond=None)[0]
    return {name: betas[place] for place, name in enumerate(factors)}
