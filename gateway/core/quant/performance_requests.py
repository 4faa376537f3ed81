"""What the tasks of performance are asked, read from plain values: BadInput names the field that is wrong."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

import msgspec
import numpy as np

from gateway.core.quant.attribution import Matrix, Rebalance
from gateway.core.quant.series import Track, checked_dates, from_prices, from_returns
from schema.errors import BadInput
from schema.rates import check_rate

MOST_DATES = 50_000
"""137 years of days."""
MOST_ASSETS = 2_000
MOST_PRICES = 10_000_000
MOST_FLOWS = 20_000
MOST_DRAWDOWNS = 1_000
LONGEST_WINDOW = 2_600
"""Ten years of sessions."""


class SeriesRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices, or simple returns: one of the two, a value a date, None where there is none."""

    prices: tuple[float | None, ...] | None = None
    returns: tuple[float | None, ...] | None = None
    periods_per_year: int | None = None


class ReportRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See `tasks_performance.report`."""

    dates: tuple[date, ...]
    prices: tuple[float | None, ...] | None = None
    returns: tuple[float | None, ...] | None = None
    periods_per_year: int = 252
    benchmark: SeriesRequest | None = None
    risk_free: float | SeriesRequest = 0.0
    start: date | None = None
    end: date | None = None
    top: int = 10
    window: int | None = None
    garch: bool = False


class AssetRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One asset's prices on the request's dates."""

    symbol: str
    prices: tuple[float | None, ...]
    periods_per_year: int | None = None
    missing: tuple[date, ...] | None = None
    """By its own calendar; None: on each date it should have one."""


class TableRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See `tasks_performance.table`."""

    dates: tuple[date, ...]
    assets: tuple[AssetRequest, ...]
    periods_per_year: int = 252
    benchmark: SeriesRequest | None = None
    risk_free: float | SeriesRequest = 0.0
    start: date | None = None
    end: date | None = None


class ContributionsRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See `tasks_performance.contributions`."""

    dates: tuple[date, ...]
    assets: tuple[AssetRequest, ...]
    weights: tuple[float, ...] | None = None
    weight_path: tuple[tuple[float, ...], ...] | None = None
    rebalance: Rebalance = "never"


class ValuationRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value before the flow of its day."""

    date: date
    value: float
    flow: float = 0.0


class TwrRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See `tasks_performance.twr`."""

    valuations: tuple[ValuationRequest, ...]


class FlowRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money paid in (negative) or got back (positive)."""

    date: date
    amount: float


class XirrRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See `tasks_performance.xirr`."""

    flows: tuple[FlowRequest, ...]


Asked = TypeVar("Asked", bound=msgspec.Struct)


def read(request: Mapping[str, Any], kind: type[Asked]) -> Asked:
    """The request as its type; BadInput where its shape is wrong."""
    try:
        return msgspec.convert(request, kind)
    except msgspec.ValidationError as wrong:
        words, _, path = str(wrong).partition(" - at ")
        raise BadInput(path.strip("`").removeprefix("$.") or "request", words) from None


def track(field: str, request: SeriesRequest | ReportRequest, dates: tuple[date, ...]) -> Track:
    """Levels of one series; BadInput unless exactly one of prices and returns is given."""
    prefix = f"{field}." if field else ""
    if (request.prices is None) == (request.returns is None):
        raise BadInput(f"{prefix}prices", "give prices or returns, one of the two")
    if request.prices is not None:
        return from_prices(f"{prefix}prices", request.prices, dates)
    return from_returns(f"{prefix}returns", request.returns or (), dates)


def check_between(field: str, value: int, low: int, high: int) -> None:
    """BadInput where a number or a count is out of its range."""
    if not low <= value <= high:
        raise BadInput(field, f"{value}: take {low} to {high}")


def checked_periods(field: str, periods: int) -> int:
    """Periods a year: 252 for sessions, 365 for all days, 12 for months."""
    check_between(field, periods, 1, 366)
    return periods


def check_size(dates: int, assets: int = 1) -> None:
    """BadInput where it is too much for one process."""
    if dates > MOST_DATES:
        raise BadInput("dates", f"{dates} dates, at most {MOST_DATES}: take a longer interval or a shorter span")
    if assets > MOST_ASSETS or dates * assets > MOST_PRICES:
        words = f"at most {MOST_ASSETS} and {MOST_PRICES} prices in all"
        raise BadInput("assets", f"{assets} of {dates} prices each, {words}: take fewer assets or a shorter span")


def span(dates: Sequence[date], start: date | None, end: date | None) -> tuple[slice, tuple[date, ...]]:
    """What lies between two days, both inclusive; BadInput where the first is after the second."""
    axis = checked_dates("dates", dates)
    check_size(len(axis))
    if start and end and start > end:
        raise BadInput("start", f"{start} is after end ({end})")
    cut = slice(bisect_left(axis, start) if start else 0, bisect_right(axis, end) if end else len(axis))
    return cut, axis[cut]


def risk_free(given: float | SeriesRequest, dates: tuple[date, ...], cut: slice) -> float | Track:
    """An annual rate, or a series on the same dates."""
    if isinstance(given, SeriesRequest):
        return track("risk_free", given, dates).cut(cut)
    check_rate("risk_free", given)
    return given


def joint_periods(own: int, benchmark: SeriesRequest) -> int:
    """The smaller number of periods a year: common dates are those of the series that has fewer."""
    if benchmark.periods_per_year is None:
        return own
    return min(own, checked_periods("benchmark.periods_per_year", benchmark.periods_per_year))


def check_finite(field: str, value: float) -> None:
    """BadInput where it is NaN or infinite."""
    if not math.isfinite(value):
        raise BadInput(field, f"{value} is not a number")


def check_assets(assets: Sequence[AssetRequest]) -> None:
    """BadInput where there are none, or one twice."""
    seen: set[str] = set()
    if not assets:
        raise BadInput("assets", "give at least one")
    for position, asset in enumerate(assets):
        if asset.symbol in seen:
            raise BadInput(f"assets[{position}].symbol", f"{asset.symbol} is there twice")
        seen.add(asset.symbol)


def weight_rows(field: str, rows: Sequence[Sequence[float]], assets: int, wanted: int) -> Matrix:
    """Weights as a matrix; BadInput where there is not one an asset in so many rows, or one is not finite."""
    if len(rows) != wanted or any(len(row) != assets for row in rows):
        raise BadInput(field, f"give {wanted} rows of {assets} weights: one an asset, in the order of assets")
    found = np.array(rows, dtype=np.float64).reshape(wanted, assets)
    if not np.isfinite(found).all():
        raise BadInput(field, "a weight is not a number")
    return found
