"""GraphQL types of what a portfolio holds, has gained, earned and paid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

import strawberry

from gateway.core.quant.steps import Steps
from plugins.portfolio.ledger import EXACT, total
from plugins.portfolio.money import maybe_money, money, share
from plugins.portfolio.shapes.columns import column
from plugins.portfolio.transactions import ZERO, TransactionKind
from plugins.portfolio.valuation.daily import CASH
from plugins.portfolio.valuation.holdings import Line, Worth
from plugins.portfolio.valuation.income import Earned, summed
from plugins.portfolio.valuation.performance import Contributed, Span
from schema.errors import NoAnswer
from schema.model import described, model
from schema.provenance import Conversion, Provenance, ProviderFailure


@model("Why something has no price, or a currency no rate.")
class PortfolioPriceFailure:
    """Nothing was put in its place."""

    symbol: str = described("The instrument's id, or the currency.")
    code: str = described("The kind of failure.")
    message: str = described("The failure in words.")
    attempts: list[ProviderFailure] = described("Who was asked, in order, and why that did not do.")


def failures_of(found: Mapping[Any, NoAnswer]) -> list[PortfolioPriceFailure]:
    """By symbol."""
    return [
        PortfolioPriceFailure(symbol=str(name), code=str(e.code), message=e.message, attempts=list(e.attempts))
        for name, e in sorted(found.items(), key=lambda pair: str(pair[0]))
    ]


@model("So many units of an instrument.")
class PortfolioPosition:
    """Short ones are negative. What is not known is null."""

    symbol: str = described("The instrument's id.")
    quantity: Decimal = described("Units held.")
    price: Decimal | None = described("Of a unit, in `priceCurrency`; of the past as it was then.", default=None)
    price_currency: str | None = described("Currency of the price.", default=None)
    value: Decimal | None = described("In the portfolio's currency.", default=None)
    weight: Decimal | None = described("Share of the portfolio's value, to ten digits.", default=None)
    stale: bool = described("Whether the price is an old one.")
    provenance: Provenance | None = described("Where the price came from.", default=None)

    @classmethod
    def of(cls, line: Line, currency: str, whole: Decimal | None) -> Self:
        """From a line."""
        mark = line.mark
        return cls(
            symbol=line.instrument, quantity=line.quantity,
            price=mark.price if mark else None, price_currency=mark.currency if mark else None,
            value=maybe_money(line.value, currency), weight=share(line.value, whole),
            stale=mark.stale if mark else False, provenance=mark.provenance if mark else None,
        )  # fmt: skip


@model("Cash in one currency.")
class PortfolioCash:
    """Negative where it is owed."""

    currency: str = described("ISO 4217 code or asset code.")
    amount: Decimal = described("So much of it, to its minor unit.")
    value: Decimal | None = described("In the portfolio's currency; null without a rate.", default=None)


@model("How much of a portfolio is at risk, in its currency.")
class PortfolioExposure:
    """Null where a position has no price."""

    long: Decimal | None = described("Worth of what is held.", default=None)
    short: Decimal | None = described("Worth of what is owed, positive.", default=None)
    gross: Decimal | None = described("Both together.", default=None)
    net: Decimal | None = described("Long less short.", default=None)
    leverage: Decimal | None = described("Gross over the portfolio's value, to ten digits.", default=None)

    @classmethod
    def of(cls, lines: Iterable[Line], value: Decimal | None, currency: str) -> Self:
        """Of positions."""
        values = [line.value for line in lines]
        known = [each for each in values if each is not None]
        if len(known) < len(values):
            return cls()
        long, owed = total(each for each in known if each > 0), total(each for each in known if each < 0)
        gross, net = EXACT.subtract(long, owed), EXACT.add(long, owed)
        leverage = share(gross, value) if value is not None and value > 0 else None
        return cls(
            long=money(long, currency), short=money(-owed, currency), gross=money(gross, currency),
            net=money(net, currency), leverage=leverage,
        )  # fmt: skip


@model("What a portfolio holds and is worth at an instant.")
class PortfolioHoldings:
    """Now by quotes; of the past by the last closes that were over then. Money is rounded to the minor unit."""

    at: datetime = described("The instant.")
    currency: str = described("Currency of all values.")
    value: Decimal | None = described("Of everything; null where a position has no price.", default=None)
    invested: Decimal | None = described("Of all positions, short ones negative.", default=None)
    cash_value: Decimal | None = described("Of all cash.", default=None)
    positions: list[PortfolioPosition] = described("By instrument.")
    cash: list[PortfolioCash] = described("By currency; none where the portfolio does not track it.")
    exposure: PortfolioExposure = described("How much is at risk.")
    conversions: list[Conversion] = described("The rates by which other currencies were valued.")
    failures: list[PortfolioPriceFailure] = described("What has no price or no rate, and why.")

    @classmethod
    def of(cls, worth: Worth) -> Self:
        """Rounded for showing."""
        currency, value, marks = worth.portfolio.currency, worth.value, worth.marks
        return cls(
            at=worth.at, currency=currency, value=maybe_money(value, currency),
            invested=maybe_money(worth.invested, currency), cash_value=maybe_money(worth.cash_value, currency),
            positions=[PortfolioPosition.of(line, currency, value) for line in worth.lines],
            cash=[
                PortfolioCash(currency=c, amount=money(amount, c), value=maybe_money(marks.worth(amount, c), currency))
                for c, amount in worth.cash.items()
            ],
            exposure=PortfolioExposure.of(worth.lines, value, currency), failures=failures_of(marks.failures),
            conversions=list(marks.rates.values()),
        )  # fmt: skip


@model("What one instrument brought to a portfolio's return.")
class PortfolioContribution:
    """A fraction of the wealth at the beginning."""

    symbol: str | None = described("The instrument's id; null for cash.", default=None)
    value: float = described("Its part of the return.")


@model("Which instrument brought how much of the time-weighted return.")
class PortfolioContributions:
    """Each day's gain over the money at work, linked by the wealth before it: they sum to `total`."""

    start: date = described("First day.")
    end: date = described("Day behind the last one.")
    method: str = described("How returns are counted.")
    count: int = described("Days with a return.")
    total: float = described("The time-weighted return.")
    contributions: list[PortfolioContribution] = described("By instrument, cash last.")
    unpriced: list[date] = described("Days that could not be valued; the next ones span them.")
    failures: list[PortfolioPriceFailure] = described("What has no price or no rate, and why.")

    @classmethod
    def of(cls, found: Contributed) -> Self:
        """Cash last."""
        span = found.span
        parts = sorted(found.parts.items(), key=lambda part: (part[0] == CASH, part[0]))
        return cls(
            start=span.start, end=span.end, method=span.method, count=len(span.worked), total=float(found.total),
            contributions=[PortfolioContribution(symbol=name or None, value=float(part)) for name, part in parts],
            unpriced=list(span.course.unpriced), failures=failures_of(span.failures),
        )  # fmt: skip


@model("One instrument in a portfolio on each day.")
class PositionColumn:
    """As long as `dates`; 0 where it is not held."""

    symbol: str = described("The instrument's id.")
    held: strawberry.Private[Mapping[str, Sequence[Decimal]]]
    quantities = column(list[Decimal], "quantities", "Units at the end of the day.")
    values = column(list[Decimal], "values", "What they were worth, in the portfolio's currency.")


@model("What a portfolio held and what that was worth, day by day: quantities times closes.")
class PortfolioPositionHistory:
    """What rests while others trade keeps its last close, for at most two weeks."""

    held: strawberry.Private[Mapping[str, Sequence[Any]]]
    dates = column(
        list[date], "dates", "Days that could be valued, ascending; the first is where the span begins from."
    )
    currency: str = described("Currency of all values.")
    columns: list[PositionColumn] = described("By instrument.")
    cash = column(list[Decimal], "cash", "What all cash was worth.")
    values = column(list[Decimal], "values", "What everything was worth.")
    unpriced: list[date] = described("Days that could not be valued.")
    failures: list[PortfolioPriceFailure] = described("What has no price or no rate, and why.")

    @classmethod
    def of(cls, span: Span) -> Steps[Self]:
        """Rounded for showing, a column a step."""
        days, currency = span.course.days, span.portfolio.currency
        names, columns = sorted({name for day in days for name in day.units}), list[PositionColumn]()
        for name in names:
            yield
            held = {
                "quantities": [day.units.get(name, ZERO) for day in days],
                "values": [money(day.values.get(name, ZERO), currency) for day in days],
            }
            columns.append(PositionColumn(symbol=name, held=held))
        yield
        told: dict[str, list[Any]] = {
            "dates": [day.date for day in days], "values": [money(day.value, currency) for day in days],
            "cash": [money(day.values.get(CASH, ZERO), currency) for day in days],
        }  # fmt: skip
        return cls(
            held=told,
            currency=currency,
            columns=columns,
            unpriced=list(span.course.unpriced),
            failures=failures_of(span.failures),
        )


@model("Income or costs of one kind.")
class PortfolioIncomeLine:
    """In one currency."""

    symbol: str | None = described("The instrument's id; null for what belongs to none.", default=None)
    kind: TransactionKind = described("DIVIDEND, INTEREST or FEE.")
    currency: str = described("Currency of the amount.")
    amount: Decimal = described("Fees are negative, those of trades included.")
    value: Decimal | None = described(
        "The same in the portfolio's currency, each transaction at the rate of its day; null where one has none.",
        default=None,
    )
    count: int = described("How many transactions.")


@model("What a portfolio has earned and paid over a span of days.")
class PortfolioIncome:
    """Sums are in the portfolio's currency, each transaction at the rate of its day."""

    income: Decimal | None = described(
        "Dividends and interest, each at the rate of its day; null where a currency has no rate.", default=None
    )
    fees: Decimal | None = described(
        "Costs, positive, each at the rate of its day; null where a currency has no rate.", default=None
    )
    currency: str = described("Currency of the sums.")
    lines: list[PortfolioIncomeLine] = described("By instrument and kind.")
    failures: list[PortfolioPriceFailure] = described("Which currencies have no rate, and why.")

    @classmethod
    def of(cls, lines: Iterable[Earned], currency: str, failures: Mapping[str, NoAnswer]) -> Self:
        """Summed before anything is rounded."""
        told = list(lines)
        income = summed(line.worth for line in told if line.kind is not TransactionKind.FEE)
        fees = summed(line.worth for line in told if line.kind is TransactionKind.FEE)
        return cls(
            income=maybe_money(income, currency), fees=None if fees is None else abs(money(fees, currency)),
            currency=currency, failures=failures_of(failures),
            lines=[
                PortfolioIncomeLine(
                    symbol=line.instrument, kind=line.kind, currency=line.currency, count=line.count,
                    amount=money(line.amount, line.currency), value=maybe_money(line.worth, currency),
                )
                for line in told
            ],
        )  # fmt: skip
