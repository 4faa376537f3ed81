"""How instruments move together: correlation and principal components."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import strawberry

from gateway.core.contract import Context, Ctx
from plugins.risk.analysis.basis import RISK, Basis, Span, read_panel, read_span
from plugins.risk.analysis.data import PriceData, dates_of, figure_of, sure_figure
from plugins.risk.analysis.words import ComponentBasis, CorrelationMethod, MissingPrices, word
from plugins.risk.symbols import read_symbols
from schema.errors import BadInput
from schema.model import described, model
from schema.words.figures import Figure

MOST_CORRELATED = 200
MOST_ROLLED = 50_000
"""Values of rolling correlations in one answer: pairs times days."""
MOST_COMPONENTS = 20


@model("The correlation of two instruments over a moving window.")
class RollingPair:
    """A column."""

    first: str = described("One instrument's id.")
    second: str = described("The other's.")
    values: list[float | None] = described("By the report's dates; null where one never changes in the window.")


@model("Correlation over a moving window.")
class RollingCorrelation:
    """Columns of one length."""

    window: int = described("Returns in each window.")
    dates: list[dt.date] = described("The day on which each window ends.")
    pairs: list[RollingPair] = described("Every pair once.")


@model("How the returns of instruments go together.")
class CorrelationReport:
    """All from the same dates."""

    symbols: list[str] = described("Ids, in the order of rows and columns.")
    method: CorrelationMethod = described("How they were correlated.")
    matrix: list[list[float]] = described("Row by row; 1 on the diagonal.")
    average: Figure | None = described("Mean over all pairs; null for a single instrument.", default=None)
    rolling: RollingCorrelation | None = described("Null where no window was asked for.", default=None)
    count: int = described("Returns of each.")
    start: dt.date = described("The day on which the first return ends.")
    end: dt.date = described("The day on which the last one ends.")
    dropped: list[dt.date] = described("Dates left out because a close is missing.")
    warnings: list[str] = described("What the figures are to be taken with.")
    data: PriceData = described("The prices that they were computed from.")


@model("The components that explain most of the variance of returns.")
class PrincipalComponents:
    """Loadings have length 1, their largest entry is positive; all variances sum to the total."""

    symbols: list[str] = described("Ids, in the order of loadings.")
    basis: ComponentBasis = described("Which matrix was taken apart.")
    total_variance: Figure = described("The trace, per period.")
    variances: list[float] = described("Of each component, the largest first, per period, ddof 1.")
    ratios: list[float] = described("Of the total.")
    rank: int = described("How many components are not 0.")
    loadings: list[list[float]] = described("A row a component.")
    dates: list[dt.date] = described("The days of the factor returns.")
    factor_returns: list[list[float]] = described("A row a component, a value a date.")
    dropped: list[dt.date] = described("Dates left out because a close is missing.")
    warnings: list[str] = described("What the figures are to be taken with.")
    data: PriceData = described("The prices that they were computed from.")


def _says(description: str) -> object:
    return strawberry.argument(description=description)


Symbols = Annotated[list[str], _says("Ids such as `equity:AAPL`, or short forms, each once.")]
Start = Annotated[dt.date | None, _says("The first day; a year before the end.")]
End = Annotated[dt.date | None, _says("The day behind the last one; today.")]
Currency = Annotated[str | None, _says("Prices are converted into it; without it each in its own.")]
Missing = Annotated[MissingPrices, _says("About missing prices.")]


async def resolve_correlation(
    info: Ctx,
    symbols: Symbols,
    start: Start = None,
    end: End = None,
    method: Annotated[CorrelationMethod, _says("How they are correlated.")] = CorrelationMethod.PEARSON,
    window: Annotated[int | None, _says("Returns of a moving window, 3 or more.")] = None,
    currency: Currency = None,
    missing: Missing = MissingPrices.REFUSE,
) -> CorrelationReport:
    """Of every pair."""
    if window is not None:
        _check_window(window, len(symbols), read_span(info.context, start, end))
    told, data = await _asked(info.context, symbols, start, end, currency, missing, "correlation", {
        "method": word(method), "window": window,
    })  # fmt: skip
    rolling = told["rolling"]
    return CorrelationReport(
        symbols=told["symbols"], method=method, matrix=told["matrix"], average=figure_of(told["average"]),
        rolling=None if rolling is None else RollingCorrelation(
            window=rolling["window"], dates=dates_of(rolling["dates"]),
            pairs=[RollingPair(**pair) for pair in rolling["pairs"]],
        ),
        count=told["count"], start=dt.date.fromisoformat(told["start"]), end=dt.date.fromisoformat(told["end"]),
        dropped=dates_of(told["dropped"]), warnings=told["warnings"], data=data,
    )  # fmt: skip


async def resolve_components(
    info: Ctx,
    symbols: Symbols,
    start: Start = None,
    end: End = None,
    basis: Annotated[ComponentBasis, _says("Which matrix is taken apart.")] = ComponentBasis.COVARIANCE,
    components: Annotated[int, _says(f"How many, 1 to {MOST_COMPONENTS}.")] = 5,
    currency: Currency = None,
    missing: Missing = MissingPrices.REFUSE,
) -> PrincipalComponents:
    """The largest."""
    if not 1 <= components <= MOST_COMPONENTS:
        raise BadInput("components", f"must be 1 to {MOST_COMPONENTS}, not {components}")
    told, data = await _asked(info.context, symbols, start, end, currency, missing, "principal_components", {
        "on": word(basis), "components": components,
    })  # fmt: skip
    returns = told["factor_returns"]
    return PrincipalComponents(
        symbols=told["symbols"], basis=basis, total_variance=sure_figure(told["total_variance"]),
        variances=told["variances"], ratios=told["ratios"], rank=told["ranks"], loadings=told["loadings"],
        dates=dates_of(returns["dates"]), factor_returns=returns["values"], dropped=dates_of(told["dropped"]),
        warnings=told["warnings"], data=data,
    )  # fmt: skip


def _check_window(window: int, symbols: int, span: Span) -> None:
    if window < 3:
        raise BadInput("window", f"must be 3 or more, not {window}")
    values = symbols * (symbols - 1) // 2 * (span.end - span.start).days
    if values > MOST_ROLLED:
        told = f"{symbols} symbols over so long may have {values:,} values: at most {MOST_ROLLED:,}; ask for less"
        raise BadInput("window", told)


async def _asked(
    context: Context,
    symbols: list[str],
    start: dt.date | None,
    end: dt.date | None,
    currency: str | None,
    missing: MissingPrices,
    task: str,
    more: dict[str, Any],
) -> tuple[dict[str, Any], PriceData]:
    span = read_span(context, start, end)
    instruments = await read_symbols(context, symbols, "symbols", MOST_CORRELATED)
    panel = await read_panel(context, instruments, span, currency)
    basis = Basis(context=context, panel=panel, missing=missing)
    told: dict[str, Any] = await basis.run(f"{RISK}:{task}", instruments, **more)
    return told, PriceData.of(panel)
