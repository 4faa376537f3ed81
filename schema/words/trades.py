"""Trades: executions of one venue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from schema.capability import Capability
from schema.model import choices, described, model
from schema.provenance import UNSTAMPED, Provenance
from schema.symbols import InstrumentId


@choices("Side of an order.", BUY="To buy.", SELL="To sell.")
class Side(StrEnum):
    """Of the taker, for a trade."""

    BUY = "BUY"
    SELL = "SELL"


@model("One execution.")
class Trade:
    """Ids are texts: they outgrow 32 bits."""

    id: str = described("The venue's trade id.")
    time: datetime = described("When it happened.")
    price: Decimal = described("Price, in the quote currency.")
    size: Decimal = described("Size, in base units.")
    side: Side | None = described("Side of the taker, where the venue tells.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradesAsk:
    """The newest `last` trades; answered ascending by time (an adapter may answer more, the core cuts)."""

    instrument: InstrumentId
    last: int = 50


TRADES: Capability[TradesAsk, tuple[Trade, ...]] = Capability(
    name="trades",
    current=True,
    ask=TradesAsk,
    answer=tuple[Trade, ...],
    description="Recent executions.",
    fresh_for=timedelta(seconds=1),
    as_of=lambda trades: max((trade.time for trade in trades), default=None),
)
