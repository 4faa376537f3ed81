"""Returns, contributions and income of a portfolio over a span of days."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Context as Precision
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from gateway.core.contract import Context, Host
from gateway.core.ports import Computing, PanelAsk, Progress
from gateway.core.quant.refusals import NotComputable
from gateway.core.quant.steps import Steps
from plugins.portfolio.bench import Bench
from plugins.portfolio.ledger import EXACT, Ratios, held_after, total, weights_of
from plugins.portfolio.prices.days import midnight
from plugins.portfolio.prices.panels import MOST_CELLS, SESSIONED, PanelDesk, Series, check_cells
from plugins.portfolio.prices.rates import Rates
from plugins.portfolio.store import PortfolioRow, TransactionRow
from plugins.portfolio.transactions import FIRST, ZERO
from plugins.portfolio.valuation.axis import (
    ALL_DAYS,
    SESSIONS,
    Axis,
    Stretch,
    axis_in_steps,
    idle_of,
    periods_of,
    stretches_in_steps,
)
from plugins.portfolio.valuation.daily import (
    CARRIED,
    Course,
    Day,
    Prices,
    contributions_in_steps,
    course_in_steps,
    flows_in_steps,
    return_of,
)
from plugins.portfolio.valuation.holdings import Appraiser
from plugins.portfolio.valuation.how import How
from schema.errors import BadInput, NoAnswer
from schema.symbols import InstrumentId, parse_instrument
from schema.words.candles import Adjustment

Shown = TypeVar("Shown")
A_DAY = timedelta(days=1)
USUAL = timedelta(days=365)
SATURDAY = 5
NAMED = 10
"""Of what has no price, in a refusal."""
REPORT, XIRR = "gateway.core.quant.tasks_performance:report", "gateway.core.quant.tasks_performance:xirr"
METHOD = (
    "time-weighted, daily: (value + taken out) / (value before + brought in) - 1; "
    "what comes in works from the day's beginning, what goes out to its end"
)
WEIGHTED = "constant weights, rebalanced at each close; what weights leave is cash without return"
ASKING, ASKED, VALUING, COMPUTING, COMPUTED = 0.05, 0.6, 0.65, 0.8, 0.9
"""How much is done by when, of all."""
_DIVIDED = Precision(prec=40)


def _nobody(progress: float, words: str = "") -> None:
    """Who does not look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days `[start, end)` of a portfolio, valued."""

    portfolio: PortfolioRow
    start: date
    end: date
    course: Course
    periods: int
    method: str
    """How returns are counted."""
    idle: Sequence[Stretch]
    """When nothing was held."""
    failures: Mapping[str, NoAnswer]

    @property
    def worked(self) -> list[Day]:
        """Days with a return; NotComputable says why there is none."""
        found = self.course.worked if self.course.days else []
        if not found:
            failures = sorted(self.failures.items())
            reasons = "; ".join(f"{name}: {error.message}" for name, error in failures[:NAMED])
            reasons += f"; and {len(failures) - NAMED} more" if len(failures) > NAMED else ""
            told = f"no day of [{self.start}, {self.end}) has a return: nothing was held, or something has no price"
            raise NotComputable(f"{told}; {reasons}" if reasons else told)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """What the report says of a span, and what is beside it."""

    span: Span
    report: Mapping[str, Any]
    money_weighted: Mapping[str, Any] | None
    warnings: Sequence[str]


class Performer:
    """Values spans of days and has their figures computed beside the event loop."""

    def __init__(self, host: Host, panels: PanelDesk, appraiser: Appraiser, bench: Bench) -> None:
        self._host, self._panels, self._appraiser, self._bench = host, panels, appraiser, bench

    async def span(
        self, context: Context, row: PortfolioRow, start: date | None, end: date | None, progress: Progress = _nobody,
        most: int = MOST_CELLS,
    ) -> Span:  # fmt: skip
        """Each day valued; by default since its first transaction, of weights over a year."""
        rows = await self._appraiser.transactions(context, row) if row.weights is None else []
        first, behind = _bounds(context.now, rows, start, end)
        rows = [each for each in rows if each.at.date() < behind]
        instruments = _instruments(row, rows, first)
        until = min(midnight(behind), context.now)
        series, failures = await self._series(context, instruments, first, until, progress, most)
        currencies = {each.currency for each in series} | {each.currency for each in rows}
        rates = await self._panels.rates(context, currencies - {row.currency}, row.currency, first - CARRIED, until)
        progress(VALUING, "valuing each day")
        known = {source: rate for source, rate in rates.items() if isinstance(rate, Rates)}
        failures |= {source: error for source, error in rates.items() if isinstance(error, NoAnswer)}
        prices = partial(Prices, series, known, row.currency)
        return await self._bench.run_in_turns(
            context, _valued, row, rows, series, prices, (first, behind), until.date(), failures
        )

    async def check(
        self, context: Context, row: PortfolioRow, start: date | None, end: date | None, how: How
    ) -> None:  # fmt: skip
        """BadInput for what would be refused later."""
        how.check()
        rows = await self._appraiser.transactions(context, row) if row.weights is None else []
        first, behind = _bounds(context.now, rows, start, end)
        told = _instruments(row, [each for each in rows if each.at.date() < behind], first)
        if told:
            check_cells(_asked(told, first, min(midnight(behind), context.now)), how.most)

    async def history(
        self,
        context: Context,
        row: PortfolioRow,
        start: date | None,
        end: date | None,
        show: Callable[[Span], Steps[Shown]],
    ) -> Shown:
        """What is shown of the positions on each day of a span."""
        if row.weights is not None:
            raise BadInput("positionHistory", "weights are the same on every day")
        return await self._bench.run_in_turns(context, show, await self.span(context, row, start, end))

    async def contributed(
        self, context: Context, row: PortfolioRow, start: date | None, end: date | None
    ) -> Contributed:
        """Parts of the return of a span."""
        return await self._bench.run_in_turns(context, contributed, await self.span(context, row, start, end))

    async def performance(
        self,
        context: Context,
        row: PortfolioRow,
        start: date | None,
        end: date | None,
        how: How,
        progress: Progress = _nobody,
    ) -> Performance:
        """Everything about its returns; NotComputable where there are fewer than two."""
        how.check()
        span = await self.span(context, row, start, end, progress, how.most)
        progress(COMPUTING, "computing figures")
        dates, returns = await self._bench.run_in_turns(context, _returns, span)
        warnings = _warnings(span)
        request: dict[str, Any] = {
            "dates": [day.isoformat() for day in dates], "returns": returns, "periods_per_year": span.periods,
            "risk_free": how.risk_free, "window": how.window, "garch": how.garch,
        }  # fmt: skip
        if how.benchmark is not None:
            compared, why = await self._benchmark(context, row, how.benchmark, dates)
            of_its_own = SESSIONS if how.benchmark.asset_class in SESSIONED else ALL_DAYS
            request |= {"benchmark": {"prices": compared, "periods_per_year": of_its_own}} if compared else {}
            warnings += [f"benchmark: {why}"] if why else []
        computing = self._host.service(Computing)
        report = await computing.run(context.tenant, REPORT, request)
        progress(COMPUTED, "computing the money-weighted return")
        flows = await self._bench.run_in_turns(context, _flows, span)
        rate, why = await self._money_weighted(context, span, flows)
        warnings += [f"money_weighted: {why}"] if why else []
        return Performance(span=span, report=report, money_weighted=rate, warnings=[*warnings, *report["warnings"]])

    async def _series(
        self,
        context: Context,
        instruments: Sequence[str],
        first: date,
        until: datetime,
        progress: Progress,
        most: int,
    ) -> tuple[list[Series], dict[str, NoAnswer]]:
        if not instruments:
            return [], {}
        _, series, failures = await self._panels.series(
            context, _asked(instruments, first, until),
            lambda part: progress(ASKING + part * (ASKED - ASKING), "asking for prices"), most,
        )  # fmt: skip
        return series, {str(each): error for each, error in failures.items()}

    async def _benchmark(
        self, context: Context, row: PortfolioRow, benchmark: InstrumentId, dates: Sequence[date]
    ) -> tuple[list[float | None] | None, str | None]:
        """Its closes with dividends, in the portfolio's currency, on the same dates (None: there are none), and what is
        wrong with them."""
        ask = PanelAsk(
            instruments=(benchmark,), start=midnight(dates[0]), end=min(midnight(dates[-1] + A_DAY), context.now),
            currency=row.currency,
        )  # fmt: skip
        _, series, failures = await self._panels.series(context, ask)
        if not series:
            return None, "; ".join(error.message for error in failures.values())
        closes, sessions = series[0].closes, benchmark.asset_class in SESSIONED
        due = [day for day in series[0].due if not sessions or day.weekday() < SATURDAY]
        compared = [float(closes[day]) if day in closes else None for day in dates]
        first, last = min(closes), max(closes)
        if due and (due[0] < first or last < due[-1]):
            return compared, f"has closes from {first} to {last} only: figures against it are of these days"
        return compared, None

    async def _money_weighted(
        self, context: Context, span: Span, flows: Sequence[Mapping[str, Any]]
    ) -> tuple[Mapping[str, Any] | None, str | None]:
        if span.portfolio.weights is not None:
            return None, None
        try:
            found = await self._host.service(Computing).run(context.tenant, XIRR, {"flows": flows})
        except NotComputable as error:
            return None, error.message
        rate: Mapping[str, Any] = found["rate"]
        return rate, None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributed:
    """Parts of the return of a span by instrument; an empty name is cash's."""

    span: Span
    parts: Mapping[str, Decimal]
    total: Decimal


def contributed(span: Span) -> Steps[Contributed]:
    """They sum to the time-weighted return."""
    parts = yield from contributions_in_steps(span.worked)
    return Contributed(span=span, parts=parts, total=total(parts.values()))


def _asked(instruments: Sequence[str], first: date, until: datetime) -> PanelAsk:
    return PanelAsk(
        instruments=tuple(map(parse_instrument, instruments)), start=midnight(first - CARRIED), end=until,
        adjustment=Adjustment.SPLITS,
    )  # fmt: skip


def _bounds(now: datetime, rows: Sequence[TransactionRow], start: date | None, end: date | None) -> tuple[date, date]:
    behind = min(end or now.date() + A_DAY, now.date() + A_DAY)
    first = start or (rows[0].at.date() if rows else now.date() - USUAL)
    if not FIRST.date() <= first < behind:
        raise BadInput("start", f"must be 1970 or later and before end: the range [{first}, {behind}) is empty")
    return first, behind


def _instruments(row: PortfolioRow, rows: Sequence[TransactionRow], first: date) -> list[str]:
    """Held when the span begins, or moved in it."""
    if row.weights is not None:
        return sorted(weights_of(row.weights))
    held = held_after((each for each in rows if each.at.date() < first), tracks_cash=False)
    return sorted({*held.units, *(each.instrument for each in rows if each.at.date() >= first and each.instrument)})


def _valued(
    row: PortfolioRow, rows: Sequence[TransactionRow], series: Sequence[Series], priced: Callable[[Ratios], Prices],
    span: tuple[date, date], today: date, failures: Mapping[str, NoAnswer],
) -> Steps[Span]:  # fmt: skip
    (first, behind), prices = span, priced(Ratios(rows))
    weights = weights_of(row.weights) if row.weights is not None else {}
    held = {name: [(date.min, date.max)] for name in weights}
    if row.weights is None:
        held = yield from stretches_in_steps(rows, date.max, tracks_cash=row.tracks_cash)
    axis = yield from axis_in_steps(series, held, first, today + A_DAY)
    if row.weights is None:
        course, method = (yield from course_in_steps(rows, axis.days, prices, tracks_cash=row.tracks_cash)), METHOD
    else:
        course, method = (yield from _weighted(weights, row.notional or ZERO, axis.days, prices)), WEIGHTED
    idle = idle_of(held, first, behind - A_DAY)
    periods, kinds = _counted(course, axis)
    method += kinds + ("; only days on which something was held count, a year is one of such days" if idle else "")
    return Span(
        portfolio=row, start=first, end=behind, course=course, periods=periods, method=method, idle=idle,
        failures=failures,
    )  # fmt: skip


def _counted(course: Course, axis: Axis) -> tuple[int, str]:
    """Periods a year of the days with a return, and words where there are two kinds of them."""
    days = [day.date for day in course.days[1:] if day.at_work]
    others = sum(day in axis.everyday for day in days)
    sessions = len(days) - others
    periods = periods_of(sessions, others)
    if not sessions or not others:
        return periods, ""
    kinds = f"{sessions} returns are of sessions, while shares or the like are held, and {others} of all days"
    return periods, f"; {kinds}: {periods} a year in the mean"


def _weighted(weights: Mapping[str, Decimal], notional: Decimal, axis: Sequence[date], prices: Prices) -> Steps[Course]:
    """Each instrument gains its weight times its return, every day on the same notional."""
    days: list[Day] = []
    unpriced: list[date] = []
    before: Mapping[str, Decimal] = {}
    for day in axis:
        yield
        told = {name: prices.price(name, day) for name in weights}
        now = {name: price for name, price in told.items() if price}
        if len(now) < len(weights):
            unpriced.append(day)
            continue
        made = Day(date=day, value=notional)
        if before:
            gains = {name: _gained(weights[name], notional, before[name], now[name]) for name in weights}
            made = replace(made, gains=gains, at_work=notional)
        days.append(made)
        before = now
    return Course(days=tuple(days), unpriced=tuple(unpriced))


def _gained(weight: Decimal, notional: Decimal, before: Decimal, now: Decimal) -> Decimal:
    return _DIVIDED.multiply(EXACT.multiply(weight, notional), _DIVIDED.subtract(_DIVIDED.divide(now, before), 1))


def _returns(span: Span) -> Steps[tuple[list[date], list[float | None]]]:
    """The day from which the first return counts, with none, and each day with its return."""
    worked, days = span.worked, span.course.days
    dates, returns = [days[days.index(worked[0]) - 1].date], list[float | None]([None])
    for day in worked:
        dates.append(day.date)
        returns.append(float(return_of(day)))
        yield
    return dates, returns


def _flows(span: Span) -> Steps[list[dict[str, Any]]]:
    """Of the money-weighted return, as its task reads them."""
    flows = yield from flows_in_steps(span.course)
    return [{"date": day.isoformat(), "amount": float(amount)} for day, amount in flows]


def _warnings(span: Span) -> list[str]:
    found = [f"{name}: {error.message}" for name, error in sorted(span.failures.items())]
    if span.idle:
        times = ", ".join(f"on {a}" if a == b else f"from {a} to {b}" for a, b in span.idle[:10])
        more = f" and {len(span.idle) - 10} times more" if len(span.idle) > 10 else ""
        found.append(f"nothing was held {times}{more}: these days are in no figure")
    return found + _unvalued(span)


def _unvalued(span: Span) -> list[str]:
    """Days that have no value, and whether any return spans them."""
    first, last, found = span.course.days[0].date, span.course.days[-1], list[str]()
    unpriced = span.course.unpriced
    if any(day < first for day in unpriced):
        found.append(f"not valued before {first}, as something held had no price or rate: figures begin there")
    if inside := [day for day in unpriced if first < day < last.date]:
        told = ", ".join(map(str, inside[:10])) + (f" and {len(inside) - 10} more" if len(inside) > 10 else "")
        found.append(f"not valued, as something held had no price or rate: {told}; the next day spans them")
    if any(day > last.date for day in unpriced):
        found.append(f"not valued after {last.date}, as something held had no price or rate: figures end there")
    elif last.value and span.end - last.date > CARRIED:
        found.append(f"nothing that is held has a close after {last.date}: figures end there")
    if late := span.course.late:
        told = ", ".join(map(str, late[:10])) + (f" and {len(late) - 10} more" if len(late) > 10 else "")
        found.append(f"what came or went after {last.date}, the last day with a value, is in no figure: {told}")
    return found
