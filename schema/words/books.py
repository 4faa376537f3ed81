"""Order books: resting bids and asks of one venue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import strawberry

from schema.capability import Capability
from schema.model import computed, described, model
from schema.provenance import UNSTAMPED, Provenance
from schema.symbols import InstrumentId
from schema.words.instruments import DESCRIBED, instrument_of


@model("What rests at one price.")
class PriceLevel:
    """Size zero never appears."""

    price: Decimal = described("Price, in the quote currency.")
    size: Decimal = described("Size, in base units.")
    order_count: int | None = described("How many orders, where the venue tells.", default=None)


def book_id(root: OrderBook) -> strawberry.ID:
    """The identity of the question."""
    return strawberry.ID(f"book:{root.instrument}{'|' + root.pinned if root.pinned else ''}")


@model("Resting orders of one venue.")
class OrderBook:
    """Bids descend, asks ascend, both from the best price."""

    instrument: strawberry.Private[InstrumentId]
    as_of: strawberry.Private[datetime | None] = None
    pinned: strawberry.Private[str] = ""
    bids: tuple[PriceLevel, ...] = described("Best first, so descending.")
    asks: tuple[PriceLevel, ...] = described("Best first, so ascending.")
    sequence: str | None = described("The venue's sequence number.", default=None)
    verified: bool = described("True when checked against the venue's checksum or sequence.", default=False)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)
    id = computed(book_id, "Identity of the question.")
    instrument_ = computed(instrument_of, "What is traded.", name="instrument", direct=DESCRIBED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBookAsk:
    """The best `depth` levels of each side; an adapter may answer more (the core cuts)."""

    instrument: InstrumentId
    depth: int = 20


ORDER_BOOK: Capability[OrderBookAsk, OrderBook] = Capability(
    name="orderBook",
    current=True,
    ask=OrderBookAsk,
    answer=OrderBook,
    description="Resting bids and asks.",
    fresh_for=timedelta(seconds=1),
    keep_for=timedelta(minutes=1),
)
