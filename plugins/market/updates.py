"""What live fields answer: each message has a cursor, what is new, and news about the stream itself."""

from __future__ import annotations

import strawberry

from schema.model import described, model
from schema.provenance import Provenance
from schema.scalars import Cursor
from schema.words.books import OrderBook
from schema.words.candles import Candle
from schema.words.consensus import Consensus
from schema.words.live import StreamNotice
from schema.words.quotes import Quote
from schema.words.registry import BreakerState, ProviderStatus
from schema.words.trades import Trade

CURSOR = "Give the last one back as `after` to resume."
SNAPSHOT = "Whether what is shown stands for everything before it."
NOTICES = "News about the stream itself."
SKIPPED = "How many updates were merged into this one, or left out."


@model("What is new of some quotes.")
class QuotesUpdate:
    """A message shows the quotes that changed since the last one; a snapshot all that are known."""

    cursor: Cursor = described(CURSOR)
    snapshot: bool = described(SNAPSHOT)
    quotes: list[Quote] = described("Quotes that changed, each the newest.")
    notices: list[StreamNotice] = described(NOTICES)
    skipped: int = described(SKIPPED, default=0)


@model("What is new of one instrument's candles.")
class CandleUpdate:
    """The same open time again replaces the bar, a closed one too: late trades revise it."""

    cursor: Cursor = described(CURSOR)
    snapshot: bool = described(SNAPSHOT)
    candles: list[Candle] = described("New and changed candles, ascending.")
    notices: list[StreamNotice] = described(NOTICES)
    skipped: int = described(SKIPPED, default=0)
    provenance: Provenance | None = described("Where the candles came from; null where there are none.", default=None)


@model("The newest state of one order book.")
class OrderBookUpdate:
    """A book is whole each time."""

    cursor: Cursor = described(CURSOR)
    snapshot: bool = described(SNAPSHOT)
    order_book: OrderBook | None = described("The book; null where there are only notices.", default=None)
    notices: list[StreamNotice] = described(NOTICES)
    skipped: int = described(SKIPPED, default=0)


@model("New trades of one instrument.")
class TradesUpdate:
    """Every trade comes once but for those of a snapshot; what a slow reader did not get is counted."""

    cursor: Cursor = described(CURSOR)
    snapshot: bool = described("Whether these are the last trades until now, told before or not.")
    trades: list[Trade] = described("Ascending.")
    notices: list[StreamNotice] = described(NOTICES)
    skipped: int = described(SKIPPED, default=0)


@model("What several providers' streams agree on now.")
class ConsensusUpdate:
    """Made anew whenever one of the sources has said something, at most once a period. Each is whole."""

    cursor: Cursor = described("Give the last one back in the request's `extensions.after` to resume.")
    consensus: Consensus | None = described("Null as long as fewer sources count than `quorum`.", default=None)
    notices: list[StreamNotice] = described(NOTICES)


@model("A provider's condition.")
class ProviderCondition:
    """As far as it changes by itself; the rest is `provider` in a query."""

    id: strawberry.ID = described("The provider's id.")
    status: ProviderStatus = described("Whether it can be asked.")
    status_reason: str | None = described("Why it is not READY, and the way out.", default=None)
    breaker: BreakerState = described("The worst of its capabilities' breakers.")
    error_rate: float = described("Share of its last 100 calls that failed, 0 to 1.")
    p95_ms: int | None = described("95th percentile of their latency.", default=None)


@model("Providers whose condition has changed.")
class ProviderHealthUpdate:
    """As this process knows them; a snapshot shows all that were asked for."""

    cursor: Cursor = described("Give the last one back in the request's `extensions.after` to resume.")
    snapshot: bool = described(SNAPSHOT)
    providers: list[ProviderCondition] = described("In order of routing.")
    notices: list[StreamNotice] = described(NOTICES)
