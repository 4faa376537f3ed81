"""The figures of performance of one series, of a series against a benchmark, and of many assets side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from gateway.core.quant import moments, ratios, relative
from gateway.core.quant.drawdowns import maximum_drawdown
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.returns import annual_return, per_period, total_return
from gateway.core.quant.rolling import LAMBDA, ewma_volatility
from gateway.core.quant.series import Observed, Track, Vector, observed
from gateway.core.quant.sheet import Sheet
from gateway.core.quant.tails import historical_value_at_risk

COMPARED = (
    "beta", "alpha", "alpha_compounded", "correlation", "tracking_error", "information_ratio",
    "information_ratio_geometric", "up_capture", "down_capture", "up_capture_compounded", "down_capture_compounded",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A series, alone and on the dates that it shares with a risk-free series."""

    own: Observed
    excess: Observed
    risk_free: float | Vector
    """A period; one value, or one a return of `excess`."""
    periods: int
    refusal: NotComputable | None = None
    """Why there is nothing over the risk-free series."""

    @property
    def returns(self) -> Vector:
        """All of the series' own."""
        return self.own.row(0)

    @property
    def paired(self) -> Vector:
        """Those on the dates of `excess`; NotComputable where there are none."""
        if self.refusal:
            raise self.refusal
        return self.excess.row(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A series and a benchmark between the dates that both have (and the risk-free series, where there is one)."""

    seen: Observed
    risk_free: float | Vector
    periods: int

    @property
    def returns(self) -> Vector:
        """The series'."""
        return self.seen.row(0)

    @property
    def benchmark(self) -> Vector:
        """The benchmark's."""
        return self.seen.row(1)


def subject(track: Track, risk_free: float | Track, dates: Sequence[date], periods: int) -> Subject:
    """NotComputable below two returns of its own."""
    own = observed([track], dates)
    if not isinstance(risk_free, Track):
        return Subject(own=own, excess=own, risk_free=per_period(risk_free, periods), periods=periods)
    try:
        both = observed([track, risk_free], dates)
    except NotComputable as refusal:
        return Subject(own=own, excess=own, risk_free=0.0, periods=periods, refusal=refusal)
    return Subject(own=own, excess=both, risk_free=both.row(1), periods=periods)


def pair(track: Track, benchmark: Track, risk_free: float | Track, dates: Sequence[date], periods: int) -> Pair:
    """NotComputable below two common returns."""
    if isinstance(risk_free, Track):
        seen = observed([track, benchmark, risk_free], dates)
        return Pair(seen=seen, risk_free=seen.row(2), periods=periods)
    seen = observed([track, benchmark], dates)
    return Pair(seen=seen, risk_free=per_period(risk_free, periods), periods=periods)


def put_risk(sheet: Sheet, one: Subject) -> None:
    """What a table of assets shows: return, volatility, Sharpe, Sortino, maximum drawdown, VaR."""
    n, own = one.periods, one.own
    sheet.put("total_return", lambda: total_return(one.returns), "compounded: ∏(1 + r) - 1", own)
    sheet.put("annual_return", lambda: annual_return(one.returns, n), "compounded: ∏(1 + r)^(n/N) - 1", own, periods=n)
    sheet.put("volatility", lambda: moments.volatility(one.returns, n), "standard deviation·√n", own, periods=n, ddof=1)
    _put_excess(sheet, one)
    sheet.put("max_drawdown", lambda: maximum_drawdown(one.returns), "of wealth, which starts at 1", own)
    sheet.put(
        "value_at_risk_95", lambda: historical_value_at_risk(one.returns, 0.95),
        "historical, linear quantile (R type 7), a positive loss over one period", own,
    )  # fmt: skip


def put_more(sheet: Sheet, one: Subject) -> None:
    """What a report says besides about the series itself."""
    n, own = one.periods, one.own
    sheet.put("mean_return", lambda: float(one.returns.mean()) * n, "arithmetic mean·n", own, periods=n)
    sheet.put("calmar", lambda: ratios.calmar(one.returns, n), "annual return / |maximum drawdown|", own, periods=n)
    sheet.put(
        "omega", lambda: ratios.omega(one.paired, one.risk_free), "threshold: the risk-free rate a period", one.excess
    )
    sheet.put(
        "downside_deviation", lambda: moments.downside_deviation(one.paired, one.risk_free, n),
        "below the risk-free rate, divided by all N, ·√n", one.excess, periods=n, ddof=0,
    )  # fmt: skip
    sheet.put(
        "ewma_volatility", lambda: float(ewma_volatility(one.returns, n)[-1]),
        f"EWMA λ = {LAMBDA}, zero mean, normalised weights, ·√n", own, periods=n,
    )  # fmt: skip
    sheet.put("hit_rate", lambda: moments.hit_rate(one.returns), "share of returns above 0", own)
    sheet.put("best_return", lambda: float(one.returns.max()), "highest return of a period", own)
    sheet.put("worst_return", lambda: float(one.returns.min()), "lowest return of a period", own)
    for name, compute, method in (
        ("skew", moments.skew, "population (g₁)"),
        ("skew_unbiased", moments.skew_unbiased, "unbiased (G₁)"),
        ("kurtosis", moments.kurtosis, "population excess (g₂)"),
        ("kurtosis_unbiased", moments.kurtosis_unbiased, "unbiased excess (G₂)"),
    ):
        sheet.put(name, _of(compute, one.returns), method, own)


def _put_excess(sheet: Sheet, one: Subject) -> None:
    n = one.periods
    sheet.put(
        "sharpe", lambda: ratios.sharpe(one.paired, one.risk_free, n), "mean(r - rf) / std(r - rf)·√n", one.excess,
        periods=n, ddof=1,
    )  # fmt: skip
    sheet.put(
        "sortino", lambda: ratios.sortino(one.paired, one.risk_free, n),
        "mean(r - rf)·n / downside deviation under rf, divided by all N", one.excess, periods=n, ddof=0,
    )  # fmt: skip


def put_beta(sheet: Sheet, two: Pair) -> None:
    """Beta alone."""
    sheet.put(
        "beta", lambda: relative.beta(two.returns, two.benchmark, two.risk_free), "cov(r - rf, b - rf) / var(b - rf)",
        two.seen, ddof=1,
    )  # fmt: skip


def put_comparison(sheet: Sheet, two: Pair) -> None:
    """Everything against the benchmark."""
    r, b, rf, n = two.returns, two.benchmark, two.risk_free, two.periods
    put_beta(sheet, two)
    for name, compute, method, annual, ddof in (
        ("alpha", lambda: relative.alpha(r, b, rf, n), "Jensen, arithmetic: ·n", True, 1),
        ("alpha_compounded", lambda: relative.alpha_compounded(r, b, rf, n), "Jensen, compounded: ^n", True, 1),
        ("correlation", lambda: relative.correlation(r, b), "Pearson", False, None),
        ("tracking_error", lambda: relative.tracking_error(r, b, n), "std(r - b)·√n", True, 1),
        ("information_ratio", lambda: relative.information_ratio(r, b, n), "arithmetic: mean(r - b)·n / tracking error",
         True, 1),
        ("information_ratio_geometric", lambda: relative.information_ratio_geometric(r, b, n),
         "geometric: difference of annual returns / tracking error", True, 1),
        ("up_capture", lambda: relative.capture(r, b, up=True), "arithmetic: Σr / Σb where b > 0", False, None),
        ("down_capture", lambda: relative.capture(r, b, up=False), "arithmetic: Σr / Σb where b < 0", False, None),
        ("up_capture_compounded", lambda: relative.capture_compounded(r, b, n, up=True),
         "annual compounded returns where b > 0, divided", True, None),
        ("down_capture_compounded", lambda: relative.capture_compounded(r, b, n, up=False),
         "annual compounded returns where b < 0, divided", True, None),
    ):  # fmt: skip
        sheet.put(name, compute, method, two.seen, periods=n if annual else None, ddof=ddof)


def refuse_comparison(sheet: Sheet, refusal: NotComputable | None) -> None:
    """There is no benchmark, or no common date with it."""
    sheet.figures |= dict.fromkeys(COMPARED)
    if refusal:
        sheet.warnings.append(f"benchmark: {refusal.message}")


def _of(compute: Callable[[Vector], float], returns: Vector) -> Callable[[], float]:
    return lambda: compute(returns)
