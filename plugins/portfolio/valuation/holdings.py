"""What a portfolio holds and is worth, now and at any instant of the past."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context as Precision
from decimal import Decimal

from gateway.core.contract import Context, Host
from gateway.core.ports import Holdings, Position
from plugins.portfolio.bench import Bench
from plugins.portfolio.ledger import EXACT, Held, Ratios, held_after, weights_of
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
        )  # fmt: skip

    async def worth(self, context: Context, row: PortfolioRow, at: datetime | None) -> Worth:
        """By quotes now, by the closes that were over at an instant of the past; BadInput for one that is not."""
        if at is not None and not FIRST <= at <= context.now:
            raise BadInput("at", "must be 1970 or later, and not in the future; leave it out for now")
        if row.weights is not None:
            return await self._weighted(context, row, weights_of(row.weights), at)
        rows = await self.transactions(context, row)
        held, ratios, splits = await self._bench.run(context.tenant, _replayed, rows, at, tracks_cash=row.tracks_cash)
        cash = {currency: amount for currency, amount in sorted(held.cash.items()) if amount}
        marks = await self.marks(context, row, held.units, cash, at)
        lines = tuple(_line(name, units, marks, ratios, at) for name, units in sorted(held.units.items()))
        return Worth(portfolio=row, at=at or context.now, lines=lines, cash=cash, marks=marks, splits=splits)

    async def transactions(self, context: Context, row: PortfolioRow) -> list[TransactionRow]:
        """All, in the order in which they count."""
        async with self._host.store.read() as tx:
            return await self._moves.all(tx, context.tenant, row.id)

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
        notional = row.notional or ZERO
        marks = await self.marks(context, row, weights, {}, at)
        lines, left = [], notional
        for name, weight in sorted(weights.items()):
            value = EXACT.multiply(weight, notional)
            left = EXACT.subtract(left, value)
            mark = marks.prices.get(name)
            one = None if mark is None else marks.worth(mark.price, mark.currency)
            units = _UNITS.divide(value, one) if one else ZERO
            lines.append(Line(instrument=name, quantity=units, mark=mark, value=value if one else None))
        cash = {row.currency: left} if left else {}
        return Worth(portfolio=row, at=at or context.now, lines=tuple(lines), cash=cash, marks=marks)

    async def _find(self, context: Context, portfolio: str) -> PortfolioRow | None:
        if not could_be_id(portfolio):
            return None
        async with self._host.store.read() as tx:
            return await self._rows.find(tx, context.tenant, portfolio)


def _replayed(
    rows: Sequence[TransactionRow], at: datetime | None, *, tracks_cash: bool
) -> tuple[Held, Ratios, dict[str, Decimal]]:
    told = [each for each in rows if at is None or each.at <= at]
    return held_after(told, tracks_cash=tracks_cash), Ratios(rows), _splits(told)


def _splits(rows: Iterable[TransactionRow]) -> dict[str, Decimal]:
    """The product of all ratios, by instrument."""
    products: dict[str, Decimal] = {}
    for row in rows:
        if row.instrument is not None and row.ratio is not None:
            products[row.instrument] = EXACT.multiply(products.get(row.instrument, Decimal(1)), row.ratio)
    return products


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
    total = ZERO
    for value in values:
        if value is None:
            return None
        total = EXACT.add(total, value)
    return total
