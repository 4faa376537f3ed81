"""Quotes: the last known price of one instrument, as one provider saw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import cast

import strawberry

from schema.capability import Capability, Items
from schema.errors import FailureCode
from schema.facts import facts
from schema.model import Direct, choices, computed, described, model
from schema.provenance import UNSTAMPED, Ctx, DataMode, Provenance, ProviderFailure
from schema.symbols import AssetClass, InstrumentId
from schema.words.costs import count_of_candidates
from schema.words.instruments import DESCRIBED, Instrument, instrument_of
from schema.words.venues import MarketState


@choices(
    "What `price` is.",
    LAST="Of the last trade.",
    MID="Between bid and ask.",
    CLOSE="Of the end of a session.",
    FIXING="Fixed once a day by a central bank.",
    INDEX="Made of several venues' prices.",
    MARK="By which a venue values positions.",
)
class PriceType(StrEnum):
    """FX has no last trade, a central bank gives a fixing, an aggregator an index."""

    LAST = "LAST"
    MID = "MID"
    CLOSE = "CLOSE"
    FIXING = "FIXING"
    INDEX = "INDEX"
    MARK = "MARK"


@choices(
    "What open, high, low, volume and change cover; venues differ.",
    ROLLING_24H="The last 24 hours.",
    UTC_DAY="The day in UTC.",
    SESSION="The venue's session.",
)
class StatsWindow(StrEnum):
    """The last 24 hours, the UTC day, or the venue's session."""

    ROLLING_24H = "ROLLING_24H"
    UTC_DAY = "UTC_DAY"
    SESSION = "SESSION"


def quote_id(root: Quote) -> strawberry.ID:
    """The identity of the question: instrument, pinned provider, conversion."""
    pinned = f"|{root.pinned}" if root.pinned else ""
    return strawberry.ID(f"quote:{root.instrument}{pinned}{'>' + root.currency if root.converted else ''}")


def resolve_mid(root: Quote) -> Decimal | None:
    """The provider's own, else the middle of bid and ask."""
    if root.mid is not None or root.bid is None or root.ask is None:
        return root.mid
    return (root.bid + root.ask) / 2


def resolve_change(root: Quote) -> Decimal | None:
    """The provider's own, else price minus the reference of the window."""
    reference = root.reference
    if root.change is not None or reference is None:
        return root.change
    return root.price - reference


def resolve_change_percent(root: Quote) -> Decimal | None:
    """The provider's own, else computed to four decimals."""
    reference = root.reference
    if root.change_percent is not None or not reference:
        return root.change_percent
    return ((root.price - reference) / reference * 100).quantize(Decimal("0.0001"))


def resolve_market_state(root: Quote, info: Ctx) -> MarketState:
    """The provider's own, else the venue's calendar, at the recording's time for a recording."""
    if root.market_state is not MarketState.UNKNOWN:
        return root.market_state
    made = root.provenance
    at = (made.as_of or made.fetched_at) if made.mode is DataMode.RECORDED else None
    return cast(MarketState, info.context.market_state(root.instrument, at))


@model("The last known price of one instrument, as one provider saw it.", kept=True)
class Quote:
    """Adapters fill values and `as_of`; the core stamps `provenance`.

    Currency and market state have a sensible default for pairs: the quote asset, and REGULAR for crypto,
    which never closes. `change_percent` is in percent: 1.25 means 1.25 %.
    """

    instrument: strawberry.Private[InstrumentId]
    as_of: strawberry.Private[datetime | None] = None
    mid: strawberry.Private[Decimal | None] = None
    change: strawberry.Private[Decimal | None] = None
    change_percent: strawberry.Private[Decimal | None] = None
    pinned: strawberry.Private[str] = ""
    converted: strawberry.Private[bool] = False
    delay_seconds: strawberry.Private[int | None] = None
    market_state: strawberry.Private[MarketState] = MarketState.UNKNOWN
    price: Decimal = described("The price, in `currency`.")
    price_type: PriceType = described("What `price` is.")
    currency: str = described("ISO 4217 code or asset code; never a minor unit.", default="")
    bid: Decimal | None = described("Best bid; null where the side is empty.", default=None)
    ask: Decimal | None = described("Best ask; null where the side is empty.", default=None)
    bid_size: Decimal | None = described("Size at the bid, in base units.", default=None)
    ask_size: Decimal | None = described("Size at the ask, in base units.", default=None)
    last: Decimal | None = described("Price of the last trade.", default=None)
    last_size: Decimal | None = described("Size of the last trade, in base units.", default=None)
    open: Decimal | None = described("First price of the window.", default=None)
    high: Decimal | None = described("Highest price of the window.", default=None)
    low: Decimal | None = described("Lowest price of the window.", default=None)
    previous_close: Decimal | None = described("Close of the session before.", default=None)
    volume: Decimal | None = described("Volume of the window, in base units (coins, shares).", default=None)
    quote_volume: Decimal | None = described("Volume of the window, in the quote currency.", default=None)
    vwap: Decimal | None = described("Volume-weighted average price of the window.", default=None)
    stats_window: StatsWindow | None = described("What open, high, low, volume and change cover.", default=None)
    extended_price: Decimal | None = described(
        "Pre or post market price; `price` is the regular session's.", default=None
    )
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)
    id = computed(quote_id, "Identity of the question, for client caches: it survives a failover.")
    instrument_ = computed(instrument_of, "What is priced.", name="instrument", direct=DESCRIBED)
    mid_ = computed(resolve_mid, "Middle of bid and ask.", name="mid")
    change_ = computed(resolve_change, "Price minus the previous close, or minus the window's open.", name="change")
    market_state_ = computed(
        resolve_market_state,
        "Whether the market is open.",
        name="marketState",
        direct=Direct(lambda root, *_: None if root.market_state is MarketState.UNKNOWN else root.market_state),
    )
    change_percent_ = computed(resolve_change_percent, 'In percent: "1.25" means 1.25 %.', name="changePercent")

    def __post_init__(self) -> None:
        if not self.currency:
            if not self.instrument.quote:
                raise ValueError(f"a quote of {self.instrument} needs a currency")
            object.__setattr__(self, "currency", self.instrument.quote)
        if self.market_state is MarketState.UNKNOWN and self.instrument.asset_class is AssetClass.CRYPTO:
            object.__setattr__(self, "market_state", MarketState.REGULAR)

    @property
    def reference(self) -> Decimal | None:
        """What change is measured against: the previous close, else the window's open."""
        return self.previous_close if self.previous_close is not None else self.open


@model("One symbol of a batch that nobody answered.")
class AskFailure:
    """Failures of a batch are data: popular clients drop everything when `errors` is there."""

    index: int = described("Position in the request.")
    symbol: str = described("The symbol as it was written.")
    code: FailureCode = described("What kind of failure it was.")
    message: str = described("The failure in words, and the way out.")
    candidates: tuple[Instrument, ...] = described(
        "What an ambiguous symbol may mean.", default=(), metadata=facts(cost=0, times=count_of_candidates)
    )
    attempts: tuple[ProviderFailure, ...] = described("Who was asked, in order, and why that did not do.", default=())
    docs: str = described("Where the code is explained.")


@model("Quotes in the order of the request, and what is missing.")
class QuoteBatch:
    """`nodes` has the length and order of `symbols`."""

    nodes: list[Quote | None] = described("One for each symbol, null where nothing came.")
    failures: list[AskFailure] = described("Why the nulls are null.")


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotesAsk:
    """Last prices of some instruments, each in its own quote currency.

    An adapter answers those that its upstream knows and leaves the others out: the core asks the next provider.
    """

    instruments: tuple[InstrumentId, ...]


QUOTES: Capability[QuotesAsk, Quote] = Capability(
    name="quotes",
    current=True,
    ask=QuotesAsk,
    answer=Quote,
    description="Last prices with bid, ask and day statistics.",
    fresh_for=timedelta(seconds=2),
    items=Items(
        of=lambda ask: ask.instruments,
        only=lambda ask, items: QuotesAsk(instruments=items),
        key=lambda quote: quote.instrument,
    ),
)
