"""From what a caller wrote to what is kept: names, currencies, symbols, weights. Refused says what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.core.contract import Context
from gateway.core.ports import Desk
from plugins.portfolio.ledger import EXACT
from plugins.portfolio.transactions import FINEST, LARGEST, ZERO
from schema.currencies import read_currency
from schema.errors import AmbiguousInstrument, BadInput, MarketgateError
from schema.names import BadName, read_name
from schema.symbols import InstrumentId
from schema.words.problems import Refused

MOST_WEIGHTS = 500
MOST_OPENING = 500
HEAVIEST = Decimal(100)
TOLERANCE = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighted:
    """A symbol and its share of a portfolio."""

    symbol: str
    weight: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Units that a portfolio begins with, and what each had cost."""

    symbol: str
    quantity: Decimal
    price: Decimal
    currency: str | None


def name_of(text: str) -> str:
    """Trimmed."""
    try:
        return read_name(text)
    except BadName as bad:
        raise Refused("NAME_INVALID", str(bad), "name") from None


def currency_of(text: str, *field: str) -> str:
    """A code that is known, upper-cased."""
    try:
        return read_currency("currency", text)
    except BadInput as bad:
        raise Refused("CURRENCY_INVALID", f"{bad.message}.", *field) from None


async def instrument_of(context: Context, symbol: str, *field: str) -> InstrumentId:
    """What a symbol means."""
    try:
        return await context.service(Desk).find(context, symbol)
    except AmbiguousInstrument as error:
        told = f"{error.symbol!r} may mean {', '.join(error.candidates)}: write one of these."
        raise Refused("SYMBOL_AMBIGUOUS", told, *field) from None
    except MarketgateError as error:
        raise Refused("SYMBOL_INVALID", f"{error.message}.", *field) from None


async def weights_of(
    context: Context, given: Sequence[Weighted], cash: Decimal, notional: Decimal | None
) -> list[list[str]]:
    """As they are stored; with cash they sum to 1, to a millionth."""
    if not 1 <= len(given) <= MOST_WEIGHTS:
        raise Refused("WEIGHTS_INVALID", f"Give 1 to {MOST_WEIGHTS} weights.", "weights")
    if notional is None or not ZERO < notional <= LARGEST or int(notional.as_tuple().exponent) < FINEST:
        raise Refused("NOTIONAL_INVALID", "Weights need a notional above 0: what the whole is worth.", "notional")
    found: dict[str, Decimal] = {}
    for index, each in enumerate(given):
        if each.weight == 0 or abs(each.weight) > HEAVIEST or int(each.weight.as_tuple().exponent) < FINEST:
            told = f"A weight is a fraction such as 0.25, not 0, at most {HEAVIEST}."
            raise Refused("WEIGHTS_INVALID", told, "weights", str(index), "weight")
        name = str(await instrument_of(context, each.symbol, "weights", str(index), "symbol"))
        if name in found:
            raise Refused("WEIGHTS_INVALID", f"{name} is there twice: give one weight for it.", "weights", str(index))
        found[name] = each.weight
    total = cash
    for weight in found.values():
        total = EXACT.add(total, weight)
    if abs(total - 1) > TOLERANCE:
        told = f"The weights and cashWeight sum to {total:f}: they must sum to 1. Give the rest as cashWeight."
        raise Refused("WEIGHTS_INVALID", told, "weights")
    return [[name, format(weight, "f")] for name, weight in found.items()]
