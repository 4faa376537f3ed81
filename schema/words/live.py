"""Live: what a stream says about itself beside its values."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from schema.model import choices, described, model


@choices(
    "What has happened to a stream.",
    STALE="Nothing new comes: what is shown may be old.",
    FRESH_AGAIN="What is shown is new again.",
    PROVIDER_SWITCHED="Another provider feeds the stream.",
    RECONNECTING="The provider's connection is being made anew.",
    GAP="Something is missing: it was lost, or cannot be shown.",
    MARKET_CLOSED="The venue is closed.",
    UNKNOWN_INSTRUMENT="Nobody streams the symbol.",
)
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
