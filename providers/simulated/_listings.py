"""The instrument list of the simulated exchange, and the search in it."""

from __future__ import annotations

from decimal import Decimal

from providers.simulated._markets import MARKETS, Market
from schema.words.instruments import Listing

SMALLEST_ORDERS = {"BTC": Decimal("0.00005")}  # in the quote currency, where sizes have fractions
SMALLEST_ORDER = Decimal(5)  # in every other one


def listing(rank: int, market: Market) -> Listing:
    """One row of the list; only what has trades of its own has sizes."""
    own = market.turnover > 0
    return Listing(
        instrument=market.instrument, provider_symbol=market.symbol, name=market.name, type=market.type,
        currency=market.currency, tick_size=market.tick, step_size=market.step if own else None,
        min_size=market.step if own else None, min_notional=least_order(market) if own and not market.mic else None,
        isin=market.isin, figi=market.figi, rank=rank,
    )  # fmt: skip


def least_order(market: Market) -> Decimal:
    """About five dollars."""
    return SMALLEST_ORDERS.get(market.currency, SMALLEST_ORDER)


def listings() -> tuple[Listing, ...]:
    """All of them, the most liquid crypto pairs first."""
    return tuple(listing(rank, market) for rank, market in enumerate(MARKETS))


def found(text: str, limit: int) -> tuple[Listing, ...]:
    """The best matches first: an exact identifier, the beginning of one, a part of the name."""
    sought = text.strip().casefold()
    graded = [(grade(market, sought), rank, market) for rank, market in enumerate(MARKETS)]
    matches = sorted((quality, rank, market) for quality, rank, market in graded if quality is not None)
    return tuple(listing(rank, market) for _, rank, market in matches[:limit])


def grade(market: Market, sought: str) -> int | None:
    """How well a market matches a case-folded text, 0 is best; None where it does not."""
    key = market.instrument
    joined = market.symbol.replace("-", "")
    identifiers = (key.symbol, key.base, market.symbol, joined, str(key), market.isin, market.figi)
    folded = [name.casefold() for name in identifiers if name]
    if not sought:
        return None
    if sought in folded:
        return 0
    if any(name.startswith(sought) for name in folded):
        return 1
    return 2 if sought in market.name.casefold() else None
