"""What is to be hedged, and with what."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import strawberry

from plugins.risk.analysis.words import MissingPrices


@strawberry.input(description="A position of one instrument.")
class HedgedPositionInput:
    """Valued at the price of now."""

    symbol: str = strawberry.field(description="An id such as `crypto:BTC/USD`, or a short form.")
    quantity: Decimal = strawberry.field(description="Units; below 0 for a short position.")


@strawberry.input(description="An instrument to hedge with. What is left out comes from its quote and reference data.")
class HedgeCandidateInput:
    """A future, a perpetual, a fund."""

    symbol: str = strawberry.field(description="Such as `crypto:BTC/USDT:USDT`.")
    contract_size: Decimal | None = strawberry.field(
        description="Units of the underlying in one contract; else its own, else 1.", default=None
    )
    lot: Decimal | None = strawberry.field(
        description="The smallest step of the number of contracts; else its own, 1 where it is not divided.",
        default=None,
    )
    fee_bps: Decimal = strawberry.field(
        description="Of the value traded, each way, in basis points.", default=Decimal(0)
    )
    spread_bps: Decimal | None = strawberry.field(
        description="Ask less bid, in basis points of the price; else the quote's, else 0.", default=None
    )
    funding_per_day: Decimal | None = strawberry.field(
        description="Fraction of the value a day; above 0 longs pay shorts. Else a perpetual's running rate.",
        default=None,
    )


@strawberry.input(description="A hedge: give `portfolioId` or `position`.")
class HedgeInput:
    """In one currency."""

    portfolio_id: strawberry.ID | None = strawberry.field(description="A portfolio, as it is held now.", default=None)
    position: HedgedPositionInput | None = strawberry.field(description="One position.", default=None)
    candidates: list[HedgeCandidateInput] = strawberry.field(description="1 to 20 instruments.")
    benchmark: str | None = strawberry.field(
        description="For the beta hedge: an index or a fund; without it only the minimum-variance hedge.", default=None
    )
    target_beta: float = strawberry.field(description="What the beta hedge leaves.", default=0.0)
    days: int = strawberry.field(description="How long it is held: for its cost, 1 to 3,650.", default=30)
    currency: str | None = strawberry.field(
        description="Of all values; the portfolio's, or the position's own.", default=None
    )
    start: dt.date | None = strawberry.field(description="The first day; a year before the end.", default=None)
    end: dt.date | None = strawberry.field(description="The day behind the last one; today.", default=None)
    missing: MissingPrices = strawberry.field(description="About missing prices.", default=MissingPrices.REFUSE)
