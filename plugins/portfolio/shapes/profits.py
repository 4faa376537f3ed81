"""GraphQL types of profit and loss. Lots are shown by the page: a position may have thousands of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Self

import strawberry

from gateway.core.contract import Ctx
from gateway.core.quant.lots import Lot, LotMethod
from gateway.core.quant.steps import Steps
from plugins.portfolio.bench import Bench
from plugins.portfolio.money import maybe_money, money
from plugins.portfolio.shapes.holdings import PortfolioPriceFailure, failures_of
from plugins.portfolio.valuation.pnl import Profit, Profits
from schema.arguments import After, PageSize
from schema.facts import Arguments, facts
from schema.model import choices, computed, described, model
from schema.pages import cut, page_length, page_size, place_of
from schema.paging import PageInfo
from schema.provenance import Conversion

LOTS_A_POINT = 10
COUNTED = 10
"""Lines that a portfolio counts as, whatever it holds."""

choices(
    "Which units a sale takes.", name="LotMethod", AVERAGE_COST="Of all that are held alike: at their average cost.",
    FIFO="Those that were bought first.",
)(LotMethod)  # fmt: skip


@model("Units that were bought together, or at an average cost.")
class PortfolioLot:
    """Quantity and cost are negative where they are short."""

    opened_at: datetime = described("When it was opened.")
    quantity: Decimal = described("Units that are left of it.")
    cost: Decimal = described("What they have cost, before fees.")


@model("A page of lots.")
class PortfolioLotConnection:
    """Those that were opened first come first."""

    nodes: list[PortfolioLot] = described("The lots.")
    count: int = described("How many there are in all.")
    page_info: PageInfo = described("Where this page stands.")


def cost_of_lots(arguments: Arguments) -> int:
    """A point for each ten lots that the page may hold."""
    return -(-page_length(arguments) // LOTS_A_POINT)


async def resolve_lots(
    root: PortfolioPnlLine, info: Ctx, first: PageSize = 20, after: After = None
) -> PortfolioLotConnection:
    """A page, in a turn of its own: of hundreds of lines each may ask for one."""
    size, behind = page_size(first), place_of("lot", after)
    begin = 0 if behind is None else _behind(root.held, *behind)
    await info.context.service(Bench).turn()
    told = list(enumerate(root.held[begin : begin + size + 1], begin))
    shown, page = cut(told, kind="lot", size=size, after=after, position=_place)
    nodes = [
        PortfolioLot(opened_at=_opened(lot), quantity=lot.quantity, cost=money(lot.cost, root.currency))
        for _, lot in shown
    ]
    return PortfolioLotConnection(nodes=nodes, count=len(root.held), page_info=page)


def _place(told: tuple[int, Lot]) -> tuple[datetime, int]:
    number, lot = told
    return _opened(lot), number


def _opened(lot: Lot) -> datetime:
    """Lots of portfolios are opened at instants."""
    at: date = lot.opened
    if not isinstance(at, datetime):
        raise TypeError(f"a lot of {at} has no instant")
    return at


def _behind(lots: Sequence[Lot], at: datetime, number: int) -> int:
    """Where the page goes on, also where lots have gone meanwhile."""
    if number < len(lots) and lots[number].opened == at:
        return number + 1
    return bisect_right(lots, at, key=_opened)


@model("Profit and loss of one instrument, or of cash in one currency.")
class PortfolioPnlLine:
    """In its own currency; `total` = realised + unrealised + income − fees."""

    held: strawberry.Private[Sequence[Lot]]
    symbol: str | None = described("The instrument's id; null for cash.", default=None)
    currency: str = described("Currency of all amounts of the line.")
    quantity: Decimal = described("Units held.")
    cost: Decimal = described("What they have cost, before fees.")
    price: Decimal | None = described("Of a unit; null where it is not known.", default=None)
    realised: Decimal = described("Of what was closed, before fees and without income.")
    unrealised: Decimal | None = described("Of what is held; null without a price.", default=None)
    income: Decimal = described("Dividends and interest.")
    fees: Decimal = described("Costs of trades and others.")
    total: Decimal | None = described("All together.", default=None)
    lots = computed(
        resolve_lots, "What is held, by lots: those that were opened first come first.",
        metadata=facts(cost=cost_of_lots),
    )  # fmt: skip

    @classmethod
    def of(cls, line: Profit) -> Self:
        """Rounded for showing."""
        currency = line.currency
        return cls(
            held=line.lots, symbol=line.instrument, currency=currency, quantity=line.quantity,
            cost=money(line.cost, currency), price=line.price, realised=money(line.realised, currency),
            income=money(line.income, currency), unrealised=maybe_money(line.unrealised, currency),
            fees=money(line.fees, currency), total=maybe_money(line.total, currency),
        )  # fmt: skip


@model("Profit and loss of a portfolio.")
class PortfolioPnl:
    """Sums are in the portfolio's currency, each line converted at the rate of `at`."""

    method: LotMethod = described("Which units a sale takes.")
    at: datetime = described("The instant.")
    currency: str = described("Currency of the sums.")
    realised: Decimal | None = described("Null where a currency has no rate.", default=None)
    unrealised: Decimal | None = described("Null where a price or a rate is missing.", default=None)
    income: Decimal | None = described(
        "Dividends and interest, at the rate of `at`: the portfolio's own `income` has each at the rate of its day.",
        default=None,
    )
    fees: Decimal | None = described("Costs of trades and others, at the rate of `at` too.", default=None)
    total: Decimal | None = described("Realised, unrealised and income, less fees.", default=None)
    lines: list[PortfolioPnlLine] = described(
        "By instrument; cash last.", metadata=facts(cost=0, times=lambda _: COUNTED)
    )
    conversions: list[Conversion] = described("The rates by which lines in other currencies were summed.")
    failures: list[PortfolioPriceFailure] = described("What has no price or no rate, and why.")

    @classmethod
    def of(cls, found: Profits, currency: str) -> Steps[Self]:
        """Summed before anything is rounded; a line a step."""
        lines: list[PortfolioPnlLine] = []
        told = sorted(found.lines, key=lambda line: (line.instrument is None, line.instrument or "", line.currency))
        for line in told:
            lines.append(PortfolioPnlLine.of(line))
            yield
        return cls(
            method=found.method, at=found.at, currency=currency, lines=lines,
            failures=failures_of(found.marks.failures), conversions=list(found.marks.rates.values()),
            **{name: maybe_money(amount, currency) for name, amount in found.sums().items()},
        )  # fmt: skip
