"""GraphQL types of live accounts."""

from __future__ import annotations

from datetime import datetime

import strawberry

from plugins.trading.orders.types import Order, OrderFill
from plugins.trading.positions.figures import TradingBalance, TradingPosition, TradingStanding
from schema.events import EventFace
from schema.model import described, model
from schema.scalars import Cursor
from schema.words.live import StreamNotice


@model("An account as it stands, and what has happened to it since the last message.")
class TradingAccountUpdate:
    """A snapshot shows all that is held and open; other messages show what is new."""

    cursor: Cursor = described(
        "Where the log of events stands: give it as `after`, and fills and events go on behind it."
    )
    snapshot: bool = described("Whether all positions, balances and open orders are shown.")
    at: datetime = described("When it was valued.")
    account_id: strawberry.ID = described("The account's id.")
    version: int = described("The account's: grows with every change of anything of it.")
    halted: bool = described("Whether the account's kill switch is on.")
    halt_reason: str | None = described("Why.", default=None)
    standing: TradingStanding = described("What it amounts to by the newest prices.")
    positions: list[TradingPosition] = described("Those whose units or prices are new, as they are now.")
    closed: list[str] = described("Instruments that are not held any more.")
    balances: list[TradingBalance] = described("All of its money, where any of it, or what is reserved, is new.")
    orders: list[Order] = described("Those that are new, have changed or have ended, as they are now.")
    fills: list[OrderFill] = described("What was filled, each once, in the order of the log.")
    events: list[EventFace] = described("What the log tells of the account, each once, in order.")
    notices: list[StreamNotice] = described("News about the stream itself.")
    skipped: int = described("How many changes of prices were merged into this message.", default=0)
