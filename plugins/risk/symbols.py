"""Symbols as callers write them, read into canonical ids."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.core.contract import Context
from gateway.core.ports import Desk
from schema.errors import AmbiguousInstrument, BadInput, MarketgateError
from schema.symbols import InstrumentId
from schema.words.problems import Refused


async def read_symbol(context: Context, symbol: str, *field: str) -> InstrumentId:
    """The instrument; Refused names the field, and what the symbol may mean."""
    try:
        return await context.service(Desk).find(context, symbol)
    except AmbiguousInstrument as error:
        told = f"{error.symbol!r} may mean {', '.join(error.candidates)}: write one of these."
        raise Refused("SYMBOL_AMBIGUOUS", told, *field) from None
    except MarketgateError as error:
        raise Refused("SYMBOL_INVALID", f"{error.message}.", *field) from None


async def read_symbols(context: Context, symbols: Sequence[str], field: str, most: int) -> tuple[InstrumentId, ...]:
    """Instruments of a query, in their order; BadInput for none, too many, and one that is there twice."""
    if not 1 <= len(symbols) <= most:
        raise BadInput(field, f"give 1 to {most} symbols, not {len(symbols)}")
    found: dict[InstrumentId, str] = {}
    for symbol in symbols:
        instrument = await context.service(Desk).find(context, symbol)
        if instrument in found:
            raise BadInput(field, f"{symbol!r} and {found[instrument]!r} are both {instrument}: give it once")
        found[instrument] = symbol
    return tuple(found)
