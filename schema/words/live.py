"""Live: what a stream says about itself beside its values."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import strawberry

from schema.model import described, model


@strawberry.enum(description="What has happened to a stream.")
class NoticeCode(StrEnum):
    """Never silence: whoever watches a price must know when it is not one any more."""

    STALE = "STALE"
    FRESH_AGAIN = "FRESH_AGAIN"
    PROVIDER_SWITCHED = "PROVIDER_SWITCHED"
    RECONNECTING = "RECONNECTING"
    GAP = "GAP"
    MARKET_CLOSED = "MARKET_CLOSED"
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"


@model("News about the stream itself.")
class StreamNotice:
    """About one symbol of the subscription, or about all of them."""

    code: NoticeCode = described("The kind of news.")
    message: str = described("The same in words.")
    symbol: str | None = described("The symbol as it was written; null for all.", default=None)
    provider: str | None = described("The provider that it is about.", default=None)
    at: datetime = described("When it was noticed.")
