"""Exposure of a portfolio by class, currency, sector and single name: exact money. Nothing here needs numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from gateway.core.quant.refusals import NotComputable
from schema.errors import BadInput

UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A position's value in the portfolio's currency; short ones are negative."""

    symbol: str
    value: Decimal
    asset_class: str = UNKNOWN
    currency: str = UNKNOWN
    sector: str = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Holdings that share a class, a currency, a sector or a name."""

    key: str
    long: Decimal
    short: Decimal
    """Not over 0."""
    equity: Decimal

    @property
    def net(self) -> Decimal:
        return self.long + self.short

    @property
    def gross(self) -> Decimal:
        return self.long - self.short

    @property
    def net_weight(self) -> Decimal:
        return self.net / self.equity

    @property
    def gross_weight(self) -> Decimal:
        return self.gross / self.equity


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """All groups of one kind, the largest gross first (equals by key), with their concentration."""

    name: str
    groups: tuple[Group, ...]
    concentration: Decimal | None
    """Herfindahl-Hirschman index Σ (gross_k / gross)², from 1/K to 1; None where nothing is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """A portfolio's exposure; weights are shares of its equity."""

    equity: Decimal
    cash: Decimal
    long: Decimal
    short: Decimal
    dimensions: tuple[Dimension, ...]

    @property
    def gross(self) -> Decimal:
        return self.long - self.short

    @property
    def net(self) -> Decimal:
        return self.long + self.short

    @property
    def leverage(self) -> Decimal:
        """Gross exposure over equity."""
        return self.gross / self.equity


DIMENSIONS: Mapping[str, Callable[[Holding], str]] = MappingProxyType(
    {
        "class": lambda held: held.asset_class,
        "currency": lambda held: held.currency,
        "sector": lambda held: held.sector,
        "name": lambda held: held.symbol,
    }
)


def exposure(holdings: Sequence[Holding], cash: Mapping[str, Decimal] = MappingProxyType({})) -> Exposure:
    """Long L, short S ≤ 0, gross L − S, net L + S, all over the equity E = L + S + cash; HHI by gross exposure.

    `cash` is by its currency, valued in the portfolio's; it counts in the currency dimension alone. NotComputable where
    the equity is not above 0. Source: Hirschman, The paternity of an index, American Economic Review 54 (1964).
    """
    refuse(holdings)
    long = sum((held.value for held in holdings if held.value > 0), Decimal(0))
    short = sum((held.value for held in holdings if held.value < 0), Decimal(0))
    money = sum(cash.values(), Decimal(0))
    equity = long + short + money
    if equity <= 0:
        raise NotComputable(f"the portfolio is worth {equity}: weights need an equity above 0")
    in_cash = [Holding(symbol="", value=value, currency=currency) for currency, value in cash.items() if value]
    dimensions = tuple(
        dimension(name, [*holdings, *in_cash] if name == "currency" else holdings, key, equity)
        for name, key in DIMENSIONS.items()
    )
    return Exposure(equity=equity, cash=money, long=long, short=short, dimensions=dimensions)


def refuse(holdings: Iterable[Holding]) -> None:
    seen: set[str] = set()
    for held in holdings:
        if held.symbol in seen:
            raise BadInput("holdings", f"{held.symbol} stands there more than once: net it first")
        if not held.value.is_finite():
            raise BadInput("holdings", f"{held.symbol} has no finite value: leave it out and say so")
        seen.add(held.symbol)


def dimension(name: str, holdings: Iterable[Holding], key: Callable[[Holding], str], equity: Decimal) -> Dimension:
    sides: dict[str, tuple[Decimal, Decimal]] = {}
    for held in holdings:
        long, short = sides.get(key(held), (Decimal(0), Decimal(0)))
        sides[key(held)] = (long + max(held.value, Decimal(0)), short + min(held.value, Decimal(0)))
    groups = sorted(
        (Group(key=k, long=long, short=short, equity=equity) for k, (long, short) in sides.items()),
        key=lambda group: (-group.gross, group.key),
    )
    gross = sum((group.gross for group in groups), Decimal(0))
    squares = sum((group.gross**2 for group in groups), Decimal(0))
    return Dimension(name=name, groups=tuple(groups), concentration=squares / gross**2 if gross else None)
