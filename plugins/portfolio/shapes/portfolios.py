"""GraphQL types of portfolios and what happened in them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self

import strawberry

from gateway.core.contract import Ctx
from gateway.core.ports import Desk
from gateway.core.quant.lots import LotMethod
from gateway.core.quant.steps import Steps
from plugins.portfolio.bench import Bench
from plugins.portfolio.csvfile import csv_of
from plugins.portfolio.ledger import Ratios
from plugins.portfolio.prices.panels import PanelDesk
from plugins.portfolio.prices.rates import Rates
from plugins.portfolio.recording import TransactionDesk
from plugins.portfolio.shapes.figures import PortfolioPerformance, plain
from plugins.portfolio.shapes.holdings import (
    PortfolioContributions,
    PortfolioHoldings,
    PortfolioIncome,
    PortfolioPositionHistory,
)
from plugins.portfolio.shapes.profits import PortfolioPnl
from plugins.portfolio.store import PortfolioRow, TransactionRow
from plugins.portfolio.transactions import TransactionKind
from plugins.portfolio.valuation.daily import Prices
from plugins.portfolio.valuation.holdings import Appraiser
from plugins.portfolio.valuation.how import How
from plugins.portfolio.valuation.income import earned, within
from plugins.portfolio.valuation.performance import Performance, Performer
from plugins.portfolio.valuation.pnl import profits_of
from schema.arguments import After, PageSize, says
from schema.errors import BadInput, NoAnswer
from schema.facts import Arguments, facts
from schema.model import computed, described, model
from schema.pages import cut, page_length, page_size, place_of
from schema.paging import PageInfo
from schema.scopes import Scope
from schema.symbols import parse_instrument
from schema.words.instruments import Node

VALUED, PERFORMED, TOLD = 5, 20, 10
"""Points of a valuation, of a span of days, of all transactions."""
DAYS_A_POINT = 100
LONGEST_SPAN = 366 * 30

At = Annotated[datetime | None, says("An instant of the past; by default now.")]
SpanStart = Annotated[date | None, says("First day; by default that of the first transaction, of weights a year ago.")]
SpanEnd = Annotated[date | None, says("Day behind the last one; by default tomorrow.")]
Compared = Annotated[str | None, says("An instrument to compare with; by default the portfolio's benchmark.")]
RiskFree = Annotated[float | None, says("Annual risk-free rate as a fraction, such as 0.03.")]
Window = Annotated[int | None, says("Returns in a moving window, 2 to 2,600; by default a quarter of a year.")]
Garch = Annotated[bool | None, says("Whether a GARCH(1,1) volatility is fitted; not every gateway can.")]
Method = Annotated[LotMethod | None, says("Which units a sale takes; by default the portfolio's method.")]


def cost_of_span(arguments: Arguments) -> int:
    """A point more for each hundred days; an open span counts as ten years."""
    start, end = arguments.get("start"), arguments.get("end")
    days = (end - start).days if start is not None and end is not None else 3_660
    return PERFORMED + min(max(0, days), LONGEST_SPAN) // DAYS_A_POINT


@model("Something that happened in a portfolio.")
class PortfolioTransaction:
    """What its kind has no use for is null."""

    id: strawberry.ID = described("Give it to `portfolioTransactionDelete`.")
    kind: TransactionKind = described("What happened.")
    at: datetime = described("When.")
    symbol: str | None = described("The instrument's id.", default=None)
    quantity: Decimal | None = described("Units.", default=None)
    price: Decimal | None = described("Of a unit.", default=None)
    amount: Decimal | None = described("Cash.", default=None)
    fee: Decimal = described("What it has cost beside.")
    ratio: Decimal | None = described("Units for each one held.", default=None)
    currency: str = described("Of price, amount and fee.")
    note: str | None = described("What somebody noted.", default=None)
    owner: str = described("Who recorded it: a person's or a key's id.")
    created_at: datetime = described("When it was recorded.")

    @classmethod
    def of(cls, row: TransactionRow) -> Self:
        """From a row."""
        return cls(
            id=strawberry.ID(row.id), kind=TransactionKind(row.kind), at=row.at, symbol=row.instrument,
            quantity=row.quantity, price=row.price, amount=row.amount, fee=row.fee, ratio=row.ratio,
            currency=row.currency, note=row.note, owner=row.made_by, created_at=row.created_at,
        )  # fmt: skip


@model("A page of transactions.")
class PortfolioTransactionConnection:
    """The latest first."""

    nodes: list[PortfolioTransaction] = described("The transactions.")
    page_info: PageInfo = described("Where this page stands.")


@model("A share of a portfolio.")
class PortfolioWeight:
    """What weights leave is cash."""

    symbol: str = described("The instrument's id.")
    weight: Decimal = described("A fraction; negative where it is short.")


async def resolve_transactions(
    root: Portfolio, info: Ctx, first: PageSize = 20, after: After = None
) -> PortfolioTransactionConnection:
    """A page."""
    size, behind = page_size(first), place_of("transaction", after)
    rows = await info.context.service(TransactionDesk).page(info.context, root.row.id, size + 1, behind=behind)
    shown, page = cut(rows, kind="transaction", size=size, after=after, position=lambda row: (row.at, row.sequence))
    return PortfolioTransactionConnection(nodes=[PortfolioTransaction.of(row) for row in shown], page_info=page)


async def resolve_csv(root: Portfolio, info: Ctx) -> str:
    """Written beside the loop: thousands of rows take their time."""
    rows = await info.context.service(Appraiser).transactions(info.context, root.row)
    return await info.context.service(Bench).run_in_turns(info.context, csv_of, rows)


async def resolve_holdings(root: Portfolio, info: Ctx, at: At = None) -> PortfolioHoldings | None:
    """Valued."""
    return PortfolioHoldings.of(await info.context.service(Appraiser).worth(info.context, root.row, at))


async def resolve_pnl(root: Portfolio, info: Ctx, method: Method = None, at: At = None) -> PortfolioPnl | None:
    """By lots."""
    if root.row.weights is not None:
        raise BadInput("pnl", "a portfolio of weights has no transactions, and so no profit and loss")
    if at is not None and at > info.context.now:
        raise BadInput("at", "must not be in the future; leave it out for now")
    chosen = LotMethod(root.row.method) if method is None else method
    found = await profits_of(info.context, info.context.service(Appraiser), root.row, chosen, at)
    return await info.context.service(Bench).run_in_turns(info.context, PortfolioPnl.of, found, root.row.currency)


async def resolve_performance(
    root: Portfolio, info: Ctx, start: SpanStart = None, end: SpanEnd = None, benchmark: Compared = None,
    risk_free: RiskFree = 0.0, window: Window = None, garch: Garch = False,
) -> PortfolioPerformance | None:  # fmt: skip
    """Computed beside the loop."""
    context = info.context
    compared = parse_instrument(root.row.benchmark) if root.row.benchmark else None
    if benchmark is not None:
        compared = await context.service(Desk).find(context, benchmark)
    performer = context.service(Performer)
    how = How(benchmark=compared, risk_free=risk_free or 0.0, window=window, garch=bool(garch))
    found = await performer.performance(context, root.row, start, end, how)
    return await context.service(Bench).run_in_turns(context, _shown, found)


def _shown(found: Performance) -> Steps[PortfolioPerformance]:
    told = yield from plain(found)
    yield
    return PortfolioPerformance.of(told)


async def resolve_contributions(
    root: Portfolio, info: Ctx, start: SpanStart = None, end: SpanEnd = None
) -> PortfolioContributions | None:
    """Of the span's return."""
    found = await info.context.service(Performer).contributed(info.context, root.row, start, end)
    return PortfolioContributions.of(found)


async def resolve_history(
    root: Portfolio, info: Ctx, start: SpanStart = None, end: SpanEnd = None
) -> PortfolioPositionHistory | None:
    """Quantities times closes."""
    performer = info.context.service(Performer)
    return await performer.history(info.context, root.row, start, end, PortfolioPositionHistory.of)


async def resolve_income(
    root: Portfolio, info: Ctx, start: SpanStart = None, end: SpanEnd = None
) -> PortfolioIncome | None:
    """Of the span; by default of all time."""
    context = info.context
    if start is not None and end is not None and not start < end:
        raise BadInput("start", f"must be before end: the range [{start}, {end}) is empty")
    rows = await context.service(Appraiser).transactions(context, root.row)
    told, currency = await context.service(Bench).run(context, within, rows, start, end), root.row.currency
    foreign = {row.currency for row in told} - {currency}
    first = min((row.at.date() for row in told), default=context.now.date())
    found = await context.service(PanelDesk).rates(context, foreign, currency, first, context.now)
    failures = {source: rates for source, rates in found.items() if isinstance(rates, NoAnswer)}
    known = {source: rates for source, rates in found.items() if isinstance(rates, Rates)}
    prices = Prices((), known, currency, Ratios(()))
    lines = await context.service(Bench).run_in_turns(context, earned, told, prices.worth)
    return PortfolioIncome.of(lines, currency, failures)


@model("What an organisation holds, or would hold.", implements=(Node,))
class Portfolio:
    """What it holds follows from its transactions, or from its weights."""

    row: strawberry.Private[PortfolioRow]
    id: strawberry.ID = described("Give it to `node(id:)`.")
    name: str = described("What people call it.")
    currency: str = described("In which it is valued.")
    benchmark: str | None = described("Id of the instrument that it is compared with.", default=None)
    method: LotMethod = described("Which units a sale takes, where nothing else is asked.")
    tracks_cash: bool = described("Whether it holds cash.")
    weights: list[PortfolioWeight] | None = described(
        "Shares that always hold; null where transactions say what is held.", default=None
    )
    notional: Decimal | None = described("What the whole of a portfolio of weights is worth.", default=None)
    version: int = described("Grows with every change, of transactions too.")
    owner: str = described("Who made it: a person's or a key's id.")
    created_at: datetime = described("When it was made.")
    changed_at: datetime = described("When it was last changed.")
    holdings = computed(
        resolve_holdings, "What it holds and is worth, now or at an instant of the past.",
        metadata=facts(cost=VALUED, needs=Scope.MARKET_READ),
    )  # fmt: skip
    transactions = computed(
        resolve_transactions, "What happened in it, the latest first.", metadata=facts(times=page_length)
    )
    csv = computed(
        resolve_csv, "All transactions as comma-separated values, in the form that `portfolioImport` reads.",
        metadata=facts(cost=TOLD),
    )  # fmt: skip
    pnl = computed(
        resolve_pnl, "Profit and loss by lots.", metadata=facts(cost=VALUED, needs=Scope.MARKET_READ)
    )  # fmt: skip
    performance = computed(
        resolve_performance, "Time- and money-weighted returns, and figures of them, over a span of days.",
        metadata=facts(cost=cost_of_span, needs=Scope.MARKET_READ),
    )  # fmt: skip
    position_history = computed(
        resolve_history, "What it held and what that was worth, day by day, as columns.",
        metadata=facts(cost=cost_of_span, needs=Scope.MARKET_READ),
    )  # fmt: skip
    contributions = computed(
        resolve_contributions, "Which instrument brought how much of the return.",
        metadata=facts(cost=cost_of_span, needs=Scope.MARKET_READ),
    )  # fmt: skip
    income = computed(
        resolve_income, "What it has earned and paid.", metadata=facts(cost=VALUED, needs=Scope.MARKET_READ)
    )

    @classmethod
    def of(cls, row: PortfolioRow) -> Self:
        """From a row."""
        weights = None
        if row.weights is not None:
            weights = [PortfolioWeight(symbol=name, weight=Decimal(weight)) for name, weight in row.weights]
        return cls(
            row=row, id=strawberry.ID(row.id), name=row.name, currency=row.currency, benchmark=row.benchmark,
            method=LotMethod(row.method), tracks_cash=row.tracks_cash, weights=weights, notional=row.notional,
            version=row.version, owner=row.made_by, created_at=row.created_at, changed_at=row.changed_at,
        )  # fmt: skip


@model("A page of portfolios.")
class PortfolioConnection:
    """The oldest first."""

    nodes: list[Portfolio] = described("The portfolios.")
    page_info: PageInfo = described("Where this page stands.")
