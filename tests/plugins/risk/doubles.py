"""Portfolios, panels and computing in hand: what they answer, and what they were asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

from gateway.core.contract import Context
from gateway.core.ports import Computing, Desk, Flows, Holdings, Panel, PanelAsk, Position
from schema.symbols import InstrumentId, parse_instrument
from schema.words.quotes import PriceType, Quote

Held = Mapping[str, tuple[str, str | None]]
"""Quantity and price by symbol."""


def holdings(
    held: Held,
    *,
    cash: str = "0",
    portfolio: str = "folio_1",
    at: datetime | None = None,
    rate: str = "1",
    splits: Mapping[str, str] | None = None,
    sources: Iterable[str] = ("sandbox",),
    flows: Flows | None = None,
) -> Holdings:
    """A portfolio in dollars; *rate* is what a unit of the prices' currency costs."""
    positions = []
    for symbol, (quantity, price) in held.items():
        value = None if price is None else Decimal(quantity) * Decimal(price) * Decimal(rate)
        positions.append(
            Position(
                instrument=parse_instrument(symbol), quantity=Decimal(quantity),
                price=None if price is None else Decimal(price), value=value,
            )
        )  # fmt: skip
    values = [each.value for each in positions]
    whole = None if None in values else sum((v for v in values if v is not None), Decimal(cash))
    return Holdings(
        portfolio=portfolio, name="Growth", currency="USD", at=at or datetime(2026, 11, 20).astimezone(),
        positions=tuple(positions), cash={"USD": Decimal(cash)}, value=whole,
        splits={parse_instrument(symbol): Decimal(ratio) for symbol, ratio in (splits or {}).items()},
        sources=frozenset(sources), flows=flows,
    )  # fmt: skip


@dataclass
class HandPortfolios:
    """gateway.core.ports.Portfolios: by tenant and id."""

    held: dict[tuple[str, str], Holdings] = field(default_factory=dict)
    past: dict[datetime, Holdings] = field(default_factory=dict)
    """What was held at instants of the past."""
    reads: int = 0

    async def holdings(self, context: Context, portfolio: str, at: datetime | None = None) -> Holdings | None:
        """See `Portfolios`."""
        self.reads += 1
        if at is not None:
            return self.past.get(at)
        return self.held.get((context.tenant, portfolio))


@dataclass
class HandPanels:
    """gateway.core.ports.Panels: one answer, made of the ask."""

    answer: Callable[[PanelAsk], Panel] | None = None
    asked: list[PanelAsk] = field(default_factory=list)

    async def panel(self, context: Context, ask: PanelAsk) -> Panel:
        """See `Panels`."""
        self.asked.append(ask)
        assert self.answer is not None
        return self.answer(ask)


@dataclass
class HandComputing:
    """gateway.core.ports.Computing, in this very process; `real` is what it stands for."""

    real: Computing
    ran: list[str] = field(default_factory=list)

    async def run(self, tenant: str, task: str, *given: Any, timeout_s: float = 30.0) -> Any:
        """See `Computing`."""
        self.ran.append(task)
        module, _, name = task.partition(":")
        return getattr(import_module(module), name)(*given)


def instruments(*symbols: str) -> tuple[InstrumentId, ...]:
    """By their ids."""
    return tuple(parse_instrument(symbol) for symbol in symbols)


class HandDesk:
    """gateway.core.ports.Desk: prices in hand, everything else as the gateway has it."""

    def __init__(self, real: Desk, prices: Mapping[str, Quote]) -> None:
        self._real, self._prices = real, prices

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def quote(
        self, context: Context, instrument: InstrumentId, route: Any, convert_to: str | None
    ) -> Quote | None:
        """See `Desk`."""
        return self._prices.get(str(instrument))


def quote(symbol: str, price: str, *, bid: str | None = None, ask: str | None = None) -> Quote:
    """In dollars."""
    return Quote(
        instrument=parse_instrument(symbol), price=Decimal(price), price_type=PriceType.LAST, as_of=None,
        bid=None if bid is None else Decimal(bid), ask=None if ask is None else Decimal(ask),
    )  # fmt: skip
