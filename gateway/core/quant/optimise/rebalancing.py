"""Trades that bring holdings to target weights: whole lots, costs, what cash is left. Exact decimals, no numpy.

`rebalanced` takes decimals as strings

```
{"currency": "USD", "decimals": 2,             of notionals, costs and cash; 2 by default
 "weights": {"equity:AAPL": 0.25, …},          numbers or strings; what is held and not named is sold
 "positions": {"equity:AAPL": "10", …},        units held now; short ones are negative
 "prices": {"equity:AAPL": "187.15", …},       in the currency, of every asset held or wanted
 "cash": "1500.00",                            or by currency, {"USD": "1500.00", "EUR": "540.00"}: what each is worth
 "currencies": {"equity:SAP": "EUR", …},       in which an asset is traded, where it is another
 "lots": {"crypto:BTC/USD": "0.0001"},         step of a quantity; 1 where it names none
 "costs": {"basis_points": "5", "fixed": "1", "minimum": "2"},   of a trade: max(fixed + notional·bp/10,000, minimum)
 "smallest_trade": "50"}                       a notional: smaller trades are left out; 0 by default
```

and answers

```
{"currency": "USD",
 "trades": [{"asset", "side": "BUY" or "SELL", "quantity", "price", "notional", "cost"}, …],   sales first
 "value": "10371.50",                          before: cash and positions
 "costs": "3.12", "cash": "2.17", "turnover": "0.41",           after; turnover = Σ notional/value of the trades
 "conversions": [{"from", "to", "worth", "cost"}, …],           in the currency; see the module of that name
 "weights": {"equity:AAPL": "0.2492", …},      after, of the value that is left
 "warnings": ["…"]}
```

Weights are of the value less costs. Sales are rounded to the nearest whole lot and purchases down; where the cash still
does not suffice, purchases are cut by lots, the largest first. What is sold out leaves no odd lot. A conversion costs
what a trade of its worth does. Cash does not fall below 0, unless the weights sum to more than 1: then below what they
leave of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    InvalidOperation,
    localcontext,
)
from typing import Any

from gateway.core.quant.optimise.conversions import Conversion, conversions_for
from schema.errors import BadInput

ZERO, ONE, FULL = Decimal(0), Decimal(1), Decimal(10_000)
ROUNDS, FINEST_WEIGHT = 10, Decimal("0.00000001")
LARGEST, PRECISION = Decimal(10) ** 18, 80
"""Quantities, prices and costs have so many digits at most; products of them, with their decimals, fit."""
DUST = Decimal("0.000001")
"""By how much a solver's weights may miss their sum."""
KEYS = (
    "currency", "decimals", "weights", "positions", "prices", "cash", "currencies", "lots", "costs", "smallest_trade",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Of one trade, in the currency: max(fixed + notional · basis_points/10,000, minimum)."""

    basis_points: Decimal = ZERO
    fixed: Decimal = ZERO
    minimum: Decimal = ZERO

    def of(self, notional: Decimal, step: Decimal) -> Decimal:
        """Rounded half even to the currency's step."""
        charged = max(self.fixed + notional * self.basis_points / FULL, self.minimum)
        return charged.quantize(step, ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What is held, at what prices, in which lots."""

    positions: Mapping[str, Decimal]
    prices: Mapping[str, Decimal]
    lots: Mapping[str, Decimal]
    cash: Decimal
    costs: Costs = Costs()
    smallest_trade: Decimal = ZERO
    decimals: int = 2
    currency: str = ""
    balances: Mapping[str, Decimal] = field(default_factory=dict)
    """What the cash is by currency, each by its worth; of none it is in the book's."""
    currencies: Mapping[str, str] = field(default_factory=dict)
    """In which an asset is traded, where it is not the book's."""

    @property
    def step(self) -> Decimal:
        """The currency's smallest amount."""
        return ONE.scaleb(-self.decimals)

    @property
    def value(self) -> Decimal:
        """Cash and positions."""
        return self.cash + sum((self.prices[asset] * units for asset, units in self.positions.items()), ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """So many units at a price; `quantity` is negative for a sale."""

    asset: str
    quantity: Decimal
    price: Decimal
    cost: Decimal

    @property
    def notional(self) -> Decimal:
        """Always positive."""
        return abs(self.quantity) * self.price

    @property
    def outlay(self) -> Decimal:
        """What it takes from the cash."""
        return self.quantity * self.price + self.cost


def conversions_of(trades: Iterable[Trade], book: Book) -> tuple[Conversion, ...]:
    """Of the cash that the trades need in other currencies than it is in."""
    changes: dict[str, Decimal] = {book.currency: ZERO}
    for trade in trades:
        traded = book.currencies.get(trade.asset, book.currency)
        changes[traded] = changes.get(traded, ZERO) - trade.quantity * trade.price
        changes[book.currency] -= trade.cost
    if not changes.keys() - {book.currency} and not book.balances.keys() - {book.currency}:
        return ()
    balances = book.balances or {book.currency: book.cash}
    return conversions_for(balances, changes, book.currency, book.step, lambda worth: book.costs.of(worth, book.step))


def costs_of(trades: Iterable[Trade], book: Book) -> Decimal:
    """Of all trades, and of the conversions that they need."""
    made = list(trades)
    converted = sum((each.cost for each in conversions_of(made, book)), ZERO)
    return sum((trade.cost for trade in made), ZERO) + converted


def _cash_after(trades: Iterable[Trade], book: Book) -> Decimal:
    made = list(trades)
    return book.cash - sum((each.quantity * each.price for each in made), ZERO) - costs_of(made, book)


def trades_to(weights: Mapping[str, Decimal], book: Book) -> tuple[Trade, ...]:
    """Sales, then purchases, each by asset."""
    borrowed = sum(weights.values(), ZERO) - ONE
    floor = -borrowed * book.value if borrowed > DUST else ZERO
    charged, trades = ZERO, _trades(weights, book, book.value)
    for _ in range(ROUNDS):
        spent = costs_of(trades, book)
        if spent == charged:
            break
        charged = spent
        trades = _trades(weights, book, max(book.value - charged, ZERO))
    return _affordable(trades, book, floor)


def _trades(weights: Mapping[str, Decimal], book: Book, value: Decimal) -> list[Trade]:
    made = []
    for asset in sorted({*weights, *book.positions}):
        price, held = book.prices[asset], book.positions.get(asset, ZERO)
        trade = _trade(
            asset, _rounded(weights.get(asset, ZERO) * value / price - held, held, book.lots.get(asset, ONE)), book
        )
        if trade.quantity and trade.notional >= book.smallest_trade:
            made.append(trade)
    return sorted(made, key=lambda trade: trade.quantity > 0)


def _trade(asset: str, quantity: Decimal, book: Book) -> Trade:
    price = book.prices[asset]
    return Trade(asset=asset, quantity=quantity, price=price, cost=book.costs.of(abs(quantity) * price, book.step))


def _rounded(change: Decimal, held: Decimal, lot: Decimal) -> Decimal:
    """Whole lots: purchases down, sales to the nearest, but rounding makes no long position short."""
    if change == -held:
        return change
    if change > 0:
        return (change / lot).to_integral_value(ROUND_DOWN) * lot
    whole = (change / lot).to_integral_value(ROUND_HALF_DOWN) * lot
    return -held if -whole > held >= -change else whole


def _affordable(trades: list[Trade], book: Book, floor: Decimal) -> tuple[Trade, ...]:
    """Without the lots that the cash does not reach for."""
    kept = {trade.asset: trade for trade in trades}
    for trade in sorted(trades, key=lambda one: (-one.outlay, one.asset)):
        short = floor - _cash_after(kept.values(), book)
        if short <= 0 or trade.quantity < 0:
            break
        lot = book.lots.get(trade.asset, ONE)
        fewer = min((short / (lot * trade.price)).to_integral_value(ROUND_CEILING) * lot, trade.quantity)
        left = _trade(trade.asset, trade.quantity - fewer, book)
        if left.quantity and left.notional >= book.smallest_trade:
            kept[trade.asset] = left
        else:
            del kept[trade.asset]
    return tuple(kept.values())


def rebalanced(request: Mapping[str, Any]) -> dict[str, Any]:
    """See the module's docstring for both shapes; BadInput names the field that is wrong."""
    with localcontext(Context(prec=PRECISION)):
        weights, book = _read(request)
        trades = trades_to(weights, book)
        return _told(request["currency"], weights, book, trades)


def _told(currency: str, weights: Mapping[str, Decimal], book: Book, trades: Iterable[Trade]) -> dict[str, Any]:
    made = list(trades)
    costs = costs_of(made, book)
    if costs >= book.value:
        told = (
            f"of these trades are {plain(costs)}, and the portfolio is worth {plain(book.value)}: nothing would be left"
        )
        raise BadInput("costs", f"{told}; give lower ones, or leave small trades out")
    after = dict(book.positions)
    for trade in made:
        after[trade.asset] = after.get(trade.asset, ZERO) + trade.quantity
    cash = _cash_after(made, book)
    left = replace(book, positions=after, cash=cash).value
    warnings = []
    if cash < 0 and sum(weights.values(), ZERO) - ONE <= DUST:
        warnings.append(_debt(book, cash))
    return {
        "currency": currency,
        "trades": [_trade_told(trade, book.step) for trade in made],
        "conversions": [
            {"from": each.source, "to": each.target, "worth": plain(each.worth.normalize()), "cost": plain(each.cost)}
            for each in conversions_of(made, book)
        ],
        "value": plain(book.value.quantize(book.step, ROUND_HALF_EVEN)),
        "costs": plain(costs),
        "cash": plain(cash.quantize(book.step, ROUND_HALF_EVEN)),
        "turnover": plain(_share(sum((trade.notional for trade in made), ZERO), book.value)),
        "weights": {
            asset: plain(_share(units * book.prices[asset], left)) for asset, units in sorted(after.items()) if units
        },
        "warnings": warnings,
    }


def _debt(book: Book, cash: Decimal) -> str:
    if book.cash < 0:
        return "Cash stays below 0 though nothing more is bought: pay some in, or sell by hand."
    owed = plain(-cash.quantize(book.step, ROUND_HALF_EVEN))
    return f"The trades cost more than they bring: cash falls {owed} below 0. Do not trade so, or give lower costs."


def _trade_told(trade: Trade, step: Decimal) -> dict[str, str]:
    return {
        "asset": trade.asset,
        "side": "BUY" if trade.quantity > 0 else "SELL",
        "quantity": plain(abs(trade.quantity).normalize()),
        "price": plain(trade.price),
        "notional": plain(trade.notional.quantize(step, ROUND_HALF_EVEN)),
        "cost": plain(trade.cost),
    }


def plain(number: Decimal) -> str:
    """Without an exponent."""
    return f"{number:f}"


def _share(part: Decimal, whole: Decimal) -> Decimal:
    return (part / whole).quantize(FINEST_WEIGHT, ROUND_HALF_EVEN) if whole else ZERO


def _read(request: Mapping[str, Any]) -> tuple[dict[str, Decimal], Book]:
    for key in request:
        if key not in KEYS:
            raise BadInput(key, f"is not known; there are {', '.join(KEYS)}")
    if not isinstance(request.get("currency"), str):
        raise BadInput("currency", "is missing: name the currency of cash and prices")
    decimals = request.get("decimals", 2)
    if isinstance(decimals, bool) or not isinstance(decimals, int) or not 0 <= decimals <= 18:
        raise BadInput("decimals", f"is not a whole number from 0 to 18 (got {decimals!r:.60})")
    costs = _decimals(request.get("costs") or {}, "costs", least=ZERO, most=LARGEST)
    strange = set(costs) - {"basis_points", "fixed", "minimum"}
    if strange:
        raise BadInput(f"costs.{min(strange)}", "is not known; there are basis_points, fixed, minimum")
    weights = _decimals(request.get("weights"), "weights")
    cash, balances = _cash(request.get("cash", "0"))
    book = Book(
        positions=_decimals(request.get("positions") or {}, "positions"),
        prices=_decimals(request.get("prices"), "prices", above=ZERO),
        lots=_decimals(request.get("lots") or {}, "lots", above=ZERO),
        cash=cash,
        balances=balances,
        currency=request["currency"],
        currencies=_currencies(request.get("currencies") or {}),
        costs=Costs(**costs),
        smallest_trade=decimal(request.get("smallest_trade", "0"), "smallest_trade", least=ZERO, most=LARGEST),
        decimals=decimals,
    )
    for asset in sorted({*weights, *book.positions}):
        if asset not in book.prices:
            raise BadInput(f"prices.{asset}", "is missing: nothing can be traded without a price")
    if book.value <= 0:
        raise BadInput("positions", f"are worth {plain(book.value)} with the cash: nothing can be divided")
    return weights, book


def _cash(given: object) -> tuple[Decimal, dict[str, Decimal]]:
    if not isinstance(given, Mapping):
        return decimal(given, "cash"), {}
    balances = _decimals(given, "cash")
    return sum(balances.values(), ZERO), balances


def _currencies(given: object) -> dict[str, str]:
    if not isinstance(given, Mapping) or not all(isinstance(each, str) for each in given.values()):
        raise BadInput("currencies", "is not an object of currencies by asset")
    return dict(given)


def _decimals(
    value: object,
    field: str,
    *,
    above: Decimal | None = None,
    least: Decimal | None = None,
    most: Decimal | None = None,
) -> dict[str, Decimal]:
    if not isinstance(value, Mapping):
        raise BadInput(field, "is not an object of numbers by asset")
    return {name: decimal(one, f"{field}.{name}", above=above, least=least, most=most) for name, one in value.items()}


def decimal(
    value: object,
    field: str,
    *,
    above: Decimal | None = None,
    least: Decimal | None = None,
    most: Decimal | None = None,
) -> Decimal:
    """A finite decimal of a string or a number; a float means its shortest decimal."""
    try:
        number = Decimal(str(value)) if isinstance(value, str | int | float | Decimal) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or isinstance(value, bool):
        raise BadInput(field, f"is not a finite decimal (got {value!r:.60})")
    if above is not None and number <= above:
        raise BadInput(field, f"must be above {above} (got {number})")
    if least is not None and number < least:
        raise BadInput(field, f"must be {least} at least (got {number})")
    if most is not None and number > most:
        raise BadInput(field, f"must be {most:f} at most")
    return number
