"""Prices and returns of assets on common dates: what statistics of risk are computed from, and what was left out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gateway.core.quant.refusals import NotComputable
from schema.errors import BadInput

Array: TypeAlias = NDArray[np.float64]

LARGEST = 10_000_000
"""Prices of one request: 1,000 assets over 20 years of sessions are half of it, and take 40 MB."""
LEAST, MOST = 1e-30, 1e30
"""Prices between these keep every moment of their returns finite."""
SPREAD = 1e-14
"""Returns that differ by less than this are one constant: quotients of prices are not known better."""
LARGEST_WEIGHT = 1_000
UNIT = 1e-6
"""Weights and cash may miss 1 by this much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Closes as they were given: a row a date, a column a symbol, NaN (never let out) where there is none."""

    symbols: tuple[str, ...]
    dates: tuple[date, ...]
    closes: Array
    periods: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """Simple returns r_t = p_t / p_{t−1} − 1: a row a period, a column a symbol, all finite."""

    symbols: tuple[str, ...]
    dates: tuple[date, ...]
    """The day on which each return ends."""
    returns: Array
    periods: int
    dropped: tuple[date, ...] = ()
    """Dates left out because a close was missing; the return after one spans it."""

    def of(self, symbol: str) -> Array:
        column: Array = self.returns[:, self.symbols.index(symbol)]
        return column

    def figure(self, value: float, method: str, *, annual: bool = False, ddof: int | None = None) -> dict[str, Any]:
        """What the model `Figure` holds; NotComputable where the value is not finite."""
        return {
            "value": finite(value, method),
            "method": method,
            "periods_per_year": self.periods if annual else None,
            "ddof": ddof,
            **self.span(),
        }

    def span(self) -> dict[str, Any]:
        """How many observations there are, from which day to which."""
        return {"count": len(self.dates), "start": self.dates[0].isoformat(), "end": self.dates[-1].isoformat()}


def finite(value: float, name: str) -> float:
    """The value; NotComputable where it is NaN or infinite."""
    if not math.isfinite(value):
        raise NotComputable(f"{name}: the result is not a finite number; the series is too extreme")
    return float(value)


# --- Reading a request ------------------------------------------------------------------------------------------------


def read_prices(request: Mapping[str, Any]) -> Prices:
    """From `symbols`, `dates`, `closes` (a series a symbol, None where there is no close) and `periods_per_year`."""
    symbols, dates = distinct(request["symbols"], "symbols"), ascending(request["dates"])
    closes = request["closes"]
    if len(symbols) * len(dates) > LARGEST:
        raise BadInput(
            "closes", f"{len(symbols)} assets on {len(dates)} dates are over {LARGEST:,} prices: ask for less"
        )
    if len(closes) != len(symbols) or any(len(series) != len(dates) for series in closes):
        raise BadInput("closes", f"one series a symbol is needed, each as long as dates ({len(dates)})")
    table: Array = np.array(closes, dtype=np.float64).T
    refuse_prices(table, symbols, dates)
    return Prices(
        symbols=symbols, dates=dates, closes=table, periods=positive(request, "periods_per_year", 252, 100_000)
    )


def distinct(names: Iterable[str], field: str) -> tuple[str, ...]:
    """The names; BadInput where there is none, or one twice."""
    listed = tuple(names)
    twice = sorted({name for name in listed if listed.count(name) > 1}) if len(set(listed)) < len(listed) else []
    if twice:
        raise BadInput(field, f"{', '.join(twice)} stands there more than once: name each once")
    if not listed:
        raise BadInput(field, "is empty: name at least one")
    return listed


def ascending(given: Iterable[str]) -> tuple[date, ...]:
    dates = tuple(date.fromisoformat(day) for day in given)
    late = next((day for before, day in pairwise(dates) if day <= before), None)
    if late is not None:
        raise BadInput("dates", f"must ascend, and {late} does not come after the date before it: sort them")
    return dates


def refuse_prices(table: Array, symbols: tuple[str, ...], dates: tuple[date, ...]) -> None:
    rows, columns = np.nonzero((table < LEAST) | (table > MOST))
    if len(rows):
        row, column = int(rows[0]), int(columns[0])
        raise NotComputable(
            f"{symbols[column]}: the close of {dates[row]} is {table[row, column]:g}, and returns need prices above 0 "
            "(and under 1e30): leave the asset or the date out"
        )


def positive(request: Mapping[str, Any], field: str, default: int, most: int) -> int:
    """A whole number of the request from 1 to `most`."""
    value = request.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise BadInput(field, f"must be a whole number from 1 to {most:,}, not {value!r}")
    return value


def one_of(request: Mapping[str, Any], field: str, choices: Iterable[str], default: str) -> str:
    """A word of the request, out of these."""
    value, offered = request.get(field) or default, tuple(choices)
    if value not in offered:
        raise BadInput(field, f"{value!r} is not offered: choose among {', '.join(offered)}")
    return str(value)


def number(value: Any, field: str) -> float:
    """A finite number; BadInput otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInput(field, f"must be a finite number, not {value!r}")
    return float(value)


# --- Returns ----------------------------------------------------------------------------------------------------------


def observe(prices: Prices, missing: str = "refuse", only: Iterable[str] | None = None) -> Observations:
    """Returns on the dates on which every one of the symbols has a close.

    `missing` says what becomes of other dates: `refuse` (NotComputable names them) or `drop_rows` (they are left
    out and reported, and the next return spans them). Nothing is filled.
    """
    symbols = prices.symbols if only is None else known(only, prices.symbols)
    closes = prices.closes if only is None else prices.closes[:, [prices.symbols.index(name) for name in symbols]]
    whole = [not hole for hole in np.asarray(np.isnan(closes).any(axis=1))]
    dropped = tuple(day for day, kept in zip(prices.dates, whole, strict=True) if not kept)
    if dropped and missing != "drop_rows":
        raise NotComputable(gaps(symbols, prices.dates, closes))
    dates = tuple(day for day, kept in zip(prices.dates, whole, strict=True) if kept)
    if len(dates) < 3:
        raise NotComputable(
            f"at least 2 returns are needed, that is 3 dates on which every asset has a close; there are {len(dates)}: "
            "widen the range or leave an asset out"
        )
    returns = checked(closes[whole][1:] / closes[whole][:-1] - 1.0)
    return Observations(symbols=symbols, dates=dates[1:], returns=returns, periods=prices.periods, dropped=dropped)


def gaps(symbols: tuple[str, ...], dates: tuple[date, ...], closes: Array) -> str:
    """Which assets have no close on which dates, in words that fit into an error."""
    holes = np.isnan(closes)
    lines = []
    for column in np.nonzero(holes.any(axis=0))[0][:5]:
        days = [dates[row] for row in np.nonzero(holes[:, column])[0]]
        more = f" and {len(days) - 1} more" if len(days) > 1 else ""
        lines.append(f"{symbols[column]} on {days[0]}{more}")
    return f"no close of {', '.join(lines)}: leave these dates out with missing: drop_rows, or leave the asset out"


def known(names: Iterable[str], symbols: tuple[str, ...], field: str = "symbols") -> tuple[str, ...]:
    """The names, all of which have prices."""
    listed = tuple(dict.fromkeys(names))
    for name in listed:
        if name not in symbols:
            raise BadInput(field, f"{name} has no prices in this request: add it to symbols")
    return listed


def checked(returns: Array) -> Array:
    """Returns of at least 2 periods, all finite; NotComputable otherwise."""
    if returns.ndim != 2 or returns.shape[0] < 2 or returns.shape[1] < 1:
        raise NotComputable("at least 2 returns of at least 1 asset are needed")
    if not np.isfinite(returns).all():
        raise NotComputable("a return is missing or infinite: leave that period out")
    return returns


def constant(returns: Array) -> Array:
    """Which columns never change."""
    still: Array = np.ptp(returns, axis=0) <= SPREAD
    return still


def refuse_constant(observed: Observations) -> None:
    """NotComputable where a series never changes: it has no correlation."""
    still = [observed.symbols[place] for place in np.nonzero(constant(observed.returns))[0]]
    if still:
        raise NotComputable(f"{', '.join(still[:5])}: returns that never change have no correlation: leave them out")


# --- Weights ----------------------------------------------------------------------------------------------------------


def read_weights(request: Mapping[str, Any], symbols: tuple[str, ...]) -> tuple[tuple[str, ...], Array]:
    """The held symbols and their weights from `weights` (by symbol) and `cash`; together they must sum to 1.

    Cash earns nothing and has no risk. Weights that do not sum are refused, never rescaled.
    """
    given = request.get("weights") or {}
    held = known(given, symbols, "weights")
    if not held:
        raise BadInput("weights", "is empty: give each held asset its weight")
    weights = np.array([number(given[name], f"weights.{name}") for name in held])
    if np.abs(weights).max() > LARGEST_WEIGHT:
        raise BadInput("weights", f"must lie between -{LARGEST_WEIGHT:,} and {LARGEST_WEIGHT:,}: 1 is the whole equity")
    total = math.fsum(weights) + number(request.get("cash", 0.0), "cash")
    if abs(total - 1.0) > UNIT:
        raise BadInput("weights", f"sum to {total:.6g} with cash, not to 1: give what is not invested as cash")
    return held, weights
