"""Market capitalisation: assets ranked by what all their units are worth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import strawberry

from schema.capability import Capability
from schema.model import described, model
from schema.provenance import UNSTAMPED, Provenance


@model("One asset in the ranking by market capitalisation.")
class MarketCap:
    """`market_cap` = `price` × `circulating_supply`, as the provider counts it."""

    as_of: strawberry.Private[datetime | None] = None
    rank: int | None = described("Position by market capitalisation, 1 is the largest.", default=None)
    asset: str = described("Asset code such as BTC.")
    name: str = described("The name in words.")
    currency: str = described("Currency of all amounts.")
    price: Decimal = described("Price of one unit.")
    market_cap: Decimal | None = described("Price times circulating supply.", default=None)
    fully_diluted: Decimal | None = described("Price times total supply.", default=None)
    volume24h: Decimal | None = described("Traded value of the last 24 hours.", default=None, name="volume24h")
    change_percent24h: Decimal | None = described("In percent.", default=None, name="changePercent24h")
    circulating_supply: Decimal | None = described("Units in circulation.", default=None)
    total_supply: Decimal | None = described("Units that exist.", default=None)
    max_supply: Decimal | None = described("Units that can ever exist.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketCapsAsk:
    """The `first` largest assets, descending; an adapter may answer more."""

    currency: str = "USD"
    first: int = 100


MARKET_CAPS: Capability[MarketCapsAsk, tuple[MarketCap, ...]] = Capability(
    name="marketCaps",
    ask=MarketCapsAsk,
    answer=tuple[MarketCap, ...],
    description="Assets ranked by market capitalisation.",
    fresh_for=timedelta(seconds=60),
    revalidate_for=timedelta(seconds=60),
    keep_for=timedelta(hours=1),
)
