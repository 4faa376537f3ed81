"""What a portfolio holds and is worth, now and at any instant of the past."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context as Precision
from decimal import Decimal

from gateway.core.contract import Context, Host
from gateway.core.ports import Flows, Holdings, Position
from gateway.core.quant.steps import Steps
from plugins.portfolio.bench import Bench
from plugins.portfolio.histories import Histories
from plugins.portfolio.ledger import EXACT, Held, Ratios, held_in_steps, total, weights_of
from plugins.portfolio.prices.panels import PanelDesk
from plugins.portfolio.store import PortfolioRow, PortfolioStore, TransactionRow, TransactionStore
from plugins.portfolio.transactions import FIRST, ZERO
from plugins.portfolio.valuation.marks import Mark, Marks, marks_at, marks_now
from schema.errors import BadInput
from schema.names import could_be_id
from schema.symbols import parse_instrument

_UNITS = Precision(prec=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One instrument in a portfolio; `value` is in the portfolio's currency, None without a price or a rate."""

    instrument: str
    quantity: Decimal
    mark: Mark | None
    value: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """A portfolio at an instant, with the prices and rates by which it was valued."""

    portfolio: PortfolioRow
    at: datetime
    lines: tuple[Line, ...]
    cash: Mapping[str, Decimal]
    marks: Marks
    splits: Mapping[str, Decimal] = field(default_factory=dict)
    held: Held | None = None
    """None of weights."""

    @property
    def cash_value(self) -> Decimal | None:
        """In the portfolio's currency; None where a currency has no rate."""
        return _sum(self.marks.worth(amount, currency) for currency, amount in self.cash.items())

    @property
    def invested(self) -> Decimal | None:
        """What all instruments are worth, short ones negative; None where one has no price."""
        return _sum(line.value for line in self.lines)

    @property
    def value(self) -> Decimal | None:
        """Of everything."""
        return _sum((self.invested, self.cash_value))


class Appraiser:
    """gateway.core.ports.Portfolios, and what its own fields show of it."""

    def __init__(self, host: Host, panels: PanelDesk, bench: Bench) -> None:
        self._host, self._panels, self._bench = host, panels, bench
        self._histories = Histories()
        self._rows, self._moves = PortfolioStore(), TransactionStore()

    async def holdings(self, context: Context, portfolio: str, at: datetime | None = None) -> Holdings | None:
        """See gateway.core.ports.Portfolios. Prices are in the instruments' currencies, values in the portfolio's."""
        row = await self._find(context, portfolio)
        if row is None:
            return None
        worth = await self.worth(context, row, at)
        positions = tuple(
            Position(
                instrument=parse_instrument(line.instrument), quantity=line.quantity, value=line.value,
                price=line.mark.price if line.mark else None, stale=line.mark.stale if line.mark else False,
            )
            for line in worth.lines
        )  # fmt: skip
        return Holdings(
            portfolio=row.id, name=row.name, currency=row.currency, at=worth.at, positions=positions, cash=worth.cash,
            value=worth.value, splits={parse_instrument(name): ratio for name, ratio in worth.splits.items()},
            sources=worth.marks.sources, flows=_flows(worth),
        )  # fmt: skip

    async def worth(
        self, context: Context, row: PortfolioRow, at: datetime | None, rows: Sequence[TransactionRow] | None = None
    ) -> Worth:
        """By quotes now, by the closes that were over at an instant of the past; BadInput for one that is not.

        *rows* are its transactions, where they were read already.
        """
        if at is not None and not FIRST <= at <= context.now:
            raise BadInput("at", "must be 1970 or later, and not in the future; leave it out for now")
        if row.weights is not None:
            return await self._weighted(context, row, weights_of(row.weights), at)
        rows = await self.transactions(context, row) if rows is None else rows
        held, ratios, splits = await self._bench.run_in_turns(context, _replayed, rows, at, tracks_cash=row.tracks_cash)
        cash = {currency: amount for currency, amount in sorted(held.cash.items()) if amount}
        marks = await self.marks(context, row, held.units, cash, at)
        lines = tuple(_line(name, units, marks, ratios, at) for name, units in sorted(held.units.items()))
        return Worth(
            portfolio=row, at=at or context.now, lines=lines, cash=cash, marks=marks, splits=splits, held=held
        )  # fmt: skip

    async def transactions(self, context: Context, row: PortfolioRow) -> Sequence[TransactionRow]:
        """All, in the order in which they count; in its turn."""

        async def read() -> Sequence[TransactionRow]:
            async with self._host.store.read() as tx:
                return await self._moves.all(tx, context.tenant, row.id)

        return await self._histories.read(context, (row.id, row.version), read)

    async def marks(
        self, context: Context, row: PortfolioRow, units: Mapping[str, Decimal], cash: Mapping[str, Decimal],
        at: datetime | None,
    ) -> Marks:  # fmt: skip
        """By which these are valued."""
        if at is None:
            return await marks_now(context, units, cash, row.currency)
        return await marks_at(context, self._panels, units, cash, row.currency, at)

    async def _weighted(
        self, context: Context, row: PortfolioRow, weights: Mapping[str, Decimal], at: datetime | None
    ) -> Worth:
        """Weights always hold: each is so much of the notional, and what they leave is cash."""
        marks = await self.marks(context, row, weights, {}, at)
        lines = weighted_lines(row, weights, marks)
        left = EXACT.multiply(row.notional or ZERO, EXACT.subtract(Decimal(1), total(weights.values())))
        cash = {row.currency: left} if left else {}
        return Worth(portfolio=row, at=at or context.now, lines=lines, cash=cash, marks=marks)

    async def _find(self, context: Context, portfolio: str) -> PortfolioRow | None:
        if not could_be_id(portfolio):
            return None
        async with self._host.store.read() as tx:
            return await self._rows.find(tx, context.tenant, portfolio)


def weighted_lines(row: PortfolioRow, weights: Mapping[str, Decimal], marks: Marks) -> tuple[Line, ...]:
    """What each weight is worth, and so many units by these prices: a dearer one is held with fewer of them."""
    lines = []
    for name, weight in sorted(weights.items()):
        value, mark = EXACT.multiply(weight, row.notional or ZERO), marks.prices.get(name)
        one = None if mark is None else marks.worth(mark.price, mark.currency)
        units = _UNITS.divide(value, one) if one else ZERO
        lines.append(Line(instrument=name, quantity=units, mark=mark, value=value if one else None))
    return tuple(lines)


def _replayed(
    rows: Sequence[TransactionRow], at: datetime | None, *, tracks_cash: bool
) -> Steps[tuple[Held, Ratios, dict[str, Decimal]]]:
    told = [each for each in rows if at is None or each.at <= at]
    held = yield from held_in_steps(told, tracks_cash=tracks_cash)
    return held, Ratios(rows), _splits(told)


def _splits(rows: Iterable[TransactionRow]) -> dict[str, Decimal]:
    """The product of all ratios, by instrument."""
    products: dict[str, Decimal] = {}
    for row in rows:
        if row.instrument is not None and row.ratio is not None:
            products[row.instrument] = EXACT.multiply(products.get(row.instrument, Decimal(1)), row.ratio)
    return products


def _flows(worth: Worth) -> Flows | None:
    if worth.held is None:
        return None
    rates = {currency: rate.rate for currency, rate in worth.marks.rates.items()}
    return Flows(
        cash={currency: amount for currency, amount in worth.held.came.items() if amount},
        units={parse_instrument(name): units for name, units in worth.held.moved.items() if units},
        rates={**rates, worth.portfolio.currency: Decimal(1)},
    )  # fmt: skip


def _line(name: str, units: Decimal, marks: Marks, ratios: Ratios, at: datetime | None) -> Line:
    mark = marks.prices.get(name)
    if mark is None:
        return Line(instrument=name, quantity=units, mark=None, value=None)
    if at is not None:
        # Closes come adjusted for splits; the portfolio's own splits say what a unit was then.
        price = EXACT.multiply(mark.price, ratios.since(name, at))
        mark = Mark(price=price, currency=mark.currency, provenance=mark.provenance, stale=mark.stale)
    return Line(
        instrument=name, quantity=units, mark=mark, value=marks.worth(EXACT.multiply(units, mark.price), mark.currency)
    )


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    found = ZERO
    for value in values:
        if value is None:
            return None
        found = EXACT.add(found, value)
    return found
