"""GraphQL types of universes: members, prices and returns as columns, risk by asset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Self

import strawberry

from gateway.core.contract import Ctx
from gateway.core.ports import Desk, Panel, PanelAsk
from plugins.portfolio.bench import Bench
from plugins.portfolio.prices.panels import PanelDesk
from plugins.portfolio.shapes.columns import column
from plugins.portfolio.shapes.figures import dates_of, figure_of
from plugins.portfolio.shapes.holdings import PortfolioPriceFailure, failures_of
from plugins.portfolio.universes.analysis import returns_in_steps, risk_of
from plugins.portfolio.universes.desk import MOST_MEMBERS, Member, Members
from schema.arguments import says
from schema.errors import BadInput
from schema.facts import Arguments, facts
from schema.model import computed, described, model
from schema.provenance import Provenance
from schema.scopes import Scope
from schema.symbols import InstrumentId
from schema.words.candles import Adjustment
from schema.words.figures import Figure
from schema.words.instruments import DESCRIBED, instrument_of
from schema.words.intervals import Interval

ROWS_A_POINT = 1_000
LONGEST = 366 * 50

Start = Annotated[date, says("First day.")]
End = Annotated[date | None, says("Day behind the last one; by default tomorrow. Only what is over counts.")]
Length = Annotated[Interval | None, says("D1, W1 or MO1.")]
Currency = Annotated[str | None, says("Convert prices with the rate of their day; by default each stays in its own.")]
Adjusted = Annotated[Adjustment | None, says("Corporate actions that shares are adjusted for.")]
Compared = Annotated[str | None, says("An instrument that betas are against.")]
RiskFree = Annotated[float | None, says("Annual risk-free rate as a fraction, such as 0.03.")]


def cost_of_range(arguments: Arguments) -> int:
    """Of one instrument: a point for each thousand days."""
    start, end = arguments.get("start"), arguments.get("end")
    days = (end - start).days if start is not None and end is not None else 3_660
    return 1 + min(max(0, days), LONGEST) // ROWS_A_POINT


@model("An instrument of a universe.")
class UniverseMember:
    """Ranked ones know why they are here."""

    instrument: strawberry.Private[InstrumentId]
    symbol: str = described("The instrument's id.")
    rank: int | None = described(
        "By market capitalisation, as the provider has it; null where it is not ranked.", default=None
    )
    market_cap: Decimal | None = described("In dollars.", default=None)
    volume24h: Decimal | None = described("Traded in 24 hours, in dollars.", default=None, name="volume24h")
    instrument_ = computed(instrument_of, "The instrument.", name="instrument", direct=DESCRIBED)

    @classmethod
    def of(cls, member: Member) -> Self:
        """With its place in the ranking."""
        cap = member.cap
        return cls(
            instrument=member.instrument, symbol=str(member.instrument), rank=cap.rank if cap else None,
            market_cap=cap.market_cap if cap else None, volume24h=cap.volume24h if cap else None,
        )  # fmt: skip


@model("Dates on which an instrument that trades then has no price.")
class UniverseGap:
    """Nothing was put in their place."""

    symbol: str = described("The instrument's id.")
    dates: list[date] = described("Between its first and its last price.")


@model("An instrument whose series begins late or ends early.")
class UniverseLateListing:
    """By what its venue's calendar, or every day, would have."""

    symbol: str = described("The instrument's id.")
    first: date = described("Date of its first price.")
    last: date = described("Date of its last one.")


@model("What is missing of a panel.")
class UniverseCompleteness:
    """Nothing was filled."""

    gaps: list[UniverseGap] = described("Dates without a price.")
    late: list[UniverseLateListing] = described("Series that begin late or end early.")
    failures: list[PortfolioPriceFailure] = described("Instruments without any price, and why.")

    @classmethod
    def of(cls, panel: Panel) -> Self:
        """What the panel says."""
        return cls(
            gaps=[UniverseGap(symbol=str(each.instrument), dates=list(each.dates)) for each in panel.missing],
            late=[
                UniverseLateListing(symbol=str(each.instrument), first=each.first, last=each.last)
                for each in panel.late
            ],
            failures=failures_of(panel.failures or {}),
        )  # fmt: skip


@model("Closes of one instrument.")
class PriceColumn:
    """As long as `dates`."""

    symbol: str = described("The instrument's id.")
    held: strawberry.Private[Mapping[str, Sequence[Decimal | None]]]
    currency: str = described("Currency of the closes.")
    closes = column(list[Decimal | None], "closes", "A close a date; null where there is none.")


@model("Closes of a universe, a column an instrument.")
class UniversePrices:
    """On the union of the dates on which any of them traded; only bars that are over."""

    dates: list[date] = described("Ascending.")
    periods_per_year: int = described("252 where any instrument keeps sessions, else 365; 52 weeks, 12 months.")
    columns: list[PriceColumn] = described("In the universe's order.")
    completeness: UniverseCompleteness = described("What is missing.")
    provenance: list[Provenance] = described("Where the prices came from, with the last rate where they are converted.")


@model("Returns of one instrument.")
class ReturnColumn:
    """As long as `dates`."""

    symbol: str = described("The instrument's id.")
    held: strawberry.Private[Mapping[str, Sequence[float | None]]]
    returns = column(
        list[float | None], "returns", "A simple return a date, from the price before; null without a price."
    )


@model("Simple returns of a universe, a column an instrument.")
class UniverseReturns:
    """From each price to the next one of the same instrument; each belongs to the date on which it ends."""

    dates: list[date] = described("Ascending.")
    periods_per_year: int = described("252 where any instrument keeps sessions, else 365; 52 weeks, 12 months.")
    columns: list[ReturnColumn] = described("In the universe's order.")
    completeness: UniverseCompleteness = described("What is missing.")
    provenance: list[Provenance] = described("Where the prices came from.")


@model("Risk of one asset; null where a figure cannot be computed, and a warning says why.")
class AssetRisk:
    """Each annualised by its own year: 252 sessions, or 365 days."""

    symbol: str = described("The instrument's id.")
    total_return: Figure | None = described("All returns compounded.", default=None)
    annual_return: Figure | None = described("The compounded return of a year.", default=None)
    volatility: Figure | None = described("Annual standard deviation of returns.", default=None)
    sharpe: Figure | None = described("Mean excess return over its deviation, annual.", default=None)
    sortino: Figure | None = described("Mean excess return over the downside deviation, annual.", default=None)
    max_drawdown: Figure | None = described("The deepest fall from a peak, negative.", default=None)
    value_at_risk95: Figure | None = described(
        "Loss of one period that is exceeded in 5 of 100, positive.", default=None, name="valueAtRisk95"
    )
    beta: Figure | None = described("Against the benchmark.", default=None)
    missing: list[date] = described("Dates without a price on which it trades; the return to the next one spans them.")
    warnings: list[str] = described("What could not be computed, and why.")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of the table."""
        figures = {name.replace("_95", "95"): figure_of(told) for name, told in row["figures"].items()}
        return cls(symbol=row["symbol"], missing=dates_of(row["missing"]), warnings=list(row["warnings"]), **figures)


@model("Risk of a universe, a row an asset.")
class UniverseRisk:
    """Simple returns; standard deviations with ddof 1."""

    assets: list[AssetRisk] = described("In the universe's order.")
    completeness: UniverseCompleteness = described("What is missing.")
    warnings: list[str] = described("What is wrong with the benchmark.")
    provenance: list[Provenance] = described("Where the prices came from.")


async def resolve_prices(
    root: Universe, info: Ctx, start: Start, end: End = None, interval: Length = Interval.D1, currency: Currency = None,
    adjustment: Adjusted = Adjustment.SPLITS_AND_DIVIDENDS,
) -> UniversePrices | None:  # fmt: skip
    """A panel as it is."""
    panel = await info.context.service(PanelDesk).panel(
        info.context, _ask(root, info, start, end, interval, currency, adjustment)
    )
    columns = [
        PriceColumn(symbol=str(each), currency=money, held={"closes": closes})
        for each, money, closes in zip(panel.instruments, panel.currencies, panel.closes, strict=True)
    ]
    return UniversePrices(
        dates=list(panel.dates), periods_per_year=panel.periods, columns=columns,
        completeness=UniverseCompleteness.of(panel), provenance=list(panel.provenance),
    )  # fmt: skip


async def resolve_returns(
    root: Universe, info: Ctx, start: Start, end: End = None, interval: Length = Interval.D1, currency: Currency = None,
    adjustment: Adjusted = Adjustment.SPLITS_AND_DIVIDENDS,
) -> UniverseReturns | None:  # fmt: skip
    """Of a panel."""
    panel = await info.context.service(PanelDesk).panel(
        info.context, _ask(root, info, start, end, interval, currency, adjustment)
    )
    bench = info.context.service(Bench)
    told = await bench.run_in_turns(info.context, returns_in_steps, panel)
    return UniverseReturns(
        dates=list(panel.dates), periods_per_year=panel.periods,
        columns=[
            ReturnColumn(symbol=str(each), held={"returns": returns})
            for each, returns in zip(panel.instruments, told, strict=True)
        ],
        completeness=UniverseCompleteness.of(panel), provenance=list(panel.provenance),
    )  # fmt: skip


async def resolve_risk(
    root: Universe, info: Ctx, start: Start, end: End = None, interval: Length = Interval.D1, currency: Currency = None,
    adjustment: Adjusted = Adjustment.SPLITS_AND_DIVIDENDS, benchmark: Compared = None, risk_free: RiskFree = 0.0,
) -> UniverseRisk | None:  # fmt: skip
    """Computed beside the loop."""
    context = info.context
    compared = None if benchmark is None else await context.service(Desk).find(context, benchmark)
    ask = _ask(root, info, start, end, interval, currency, adjustment)
    panel, rows, warnings = await risk_of(context, context.service(PanelDesk), ask, compared, risk_free or 0.0)
    return UniverseRisk(
        assets=[AssetRisk.of(row) for row in rows], completeness=UniverseCompleteness.of(panel), warnings=warnings,
        provenance=list(panel.provenance),
    )  # fmt: skip


def _ask(
    root: Universe, info: Ctx, start: date, end: date | None, interval: Interval | None, currency: str | None,
    adjustment: Adjustment | None,
) -> PanelAsk:  # fmt: skip
    if not root.held.members:
        raise BadInput("input", "names no instrument that is known: see `failures`")
    behind = end or info.context.now.date() + timedelta(days=1)
    return PanelAsk(
        instruments=tuple(member.instrument for member in root.held.members), start=_midnight(start),
        end=_midnight(behind), interval=interval or Interval.D1, currency=currency,
        adjustment=adjustment or Adjustment.SPLITS_AND_DIVIDENDS,
    )  # fmt: skip


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


_RANGE = facts(cost=cost_of_range, needs=Scope.MARKET_READ)


@model("Instruments that are looked at together.")
class Universe:
    """Series of many at once travel side by side, within the providers' limits."""

    held: strawberry.Private[Members]
    name: str | None = described("Of a saved one.", default=None)
    members: list[UniverseMember] = described("In the order of the ranking or the list.")
    failures: list[PortfolioPriceFailure] = described("Symbols that cannot be read, and why.")
    left_out: list[str] = described("Ranked assets whose codes are no symbols here.")
    provenance: Provenance | None = described("Who ranked them; null for a list.", default=None)
    prices = computed(resolve_prices, "Closes on common dates.", metadata=_RANGE)
    returns = computed(resolve_returns, "Simple returns on common dates.", metadata=_RANGE)
    risk = computed(resolve_risk, "Volatility, ratios, drawdown, beta and value at risk of each.", metadata=_RANGE)

    @classmethod
    def of(cls, held: Members) -> Self:
        """As it was found."""
        failures = [
            PortfolioPriceFailure(symbol=symbol, code=str(error.code), message=error.message, attempts=[])
            for symbol, error in held.strangers
        ]
        return cls(
            held=held, name=held.name, members=[UniverseMember.of(each) for each in held.members], failures=failures,
            left_out=list(held.left_out), provenance=held.provenance,
        )  # fmt: skip


@strawberry.input(description="Which instruments: one of these.", one_of=True)
class UniverseInput:
    """Exactly one."""

    top_by_market_cap: int | None = strawberry.field(
        description=f"The largest crypto assets, 1 to {MOST_MEMBERS}, as a provider of `marketCaps` ranks them.",
        default=strawberry.UNSET,
    )
    top_by_volume: int | None = strawberry.field(
        description=f"The most traded ones of 24 hours, 1 to {MOST_MEMBERS}, among the thousand largest.",
        default=strawberry.UNSET,
    )
    symbols: list[str] | None = strawberry.field(
        description=f"These, 1 to {MOST_MEMBERS}, each once.", default=strawberry.UNSET
    )
    saved: strawberry.ID | None = strawberry.field(description="A saved universe.", default=strawberry.UNSET)
