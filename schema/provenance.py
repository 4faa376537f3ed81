"""Where a value came from: one immutable Provenance per upstream answer, and what a read adds to it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import strawberry

from schema.errors import FailureCode
from schema.facts import per_read
from schema.model import Direct, choices, computed, described, model

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from schema.symbols import InstrumentId
    from schema.words.candles import CandleSeries
    from schema.words.instruments import Instrument
    from schema.words.intervals import Interval
    from schema.words.quotes import Quote
    from schema.words.routes import RouteInput
    from schema.words.venues import MarketState, SessionPhase, TradingSession, VenueHoliday


@choices(
    "Whether a value is live, a replayed recording or simulated.",
    LIVE="From the provider.",
    RECORDED="A recording of the provider's answer.",
    SIMULATED="Made up by the simulated exchange.",
)
class DataMode(StrEnum):
    """Never mixed in one answer."""

    LIVE = "LIVE"
    RECORDED = "RECORDED"
    SIMULATED = "SIMULATED"


@choices(
    "The nature of a provider's feed; the age of a value is something else.",
    REALTIME="As it happens.",
    DELAYED="Late by a fixed time.",
    END_OF_DAY="Once a day.",
    UNKNOWN="The provider does not say.",
)
class FeedDelay(StrEnum):
    """How far the feed runs behind the market by design."""

    REALTIME = "REALTIME"
    DELAYED = "DELAYED"
    END_OF_DAY = "END_OF_DAY"
    UNKNOWN = "UNKNOWN"


@choices(
    "How this read got its value. HIT is our copy; just past its window it may be shown while it is being "
    "fetched anew, where the kind of data allows that, with its true age and never against `maxAgeMs`.",
    HIT="Our copy.",
    MISS="Fetched now.",
    STALE="An old copy, as fetching failed.",
    COALESCED="Another caller's fetch.",
)
class CacheStatus(StrEnum):
    """HIT: our copy; MISS: fetched now; STALE: an old copy as fetching failed; COALESCED: another caller's fetch."""

    HIT = "HIT"
    MISS = "MISS"
    STALE = "STALE"
    COALESCED = "COALESCED"


@choices(
    "In RECORDED mode: how the recording was made.",
    CAPTURE="A real answer.",
    DOCUMENTATION="An example of the provider's documentation.",
    COMPOSED="Composed in the documented format.",
)
class RecordedFrom(StrEnum):
    """A real capture, the provider's documentation, or composed in its documented format."""

    CAPTURE = "CAPTURE"
    DOCUMENTATION = "DOCUMENTATION"
    COMPOSED = "COMPOSED"


class Reader(Protocol):
    """What resolvers of the words need of an operation's context; the gateway's Context has it."""

    @property
    def now(self) -> datetime:
        """The start of the operation."""

    def cache_status(self, provenance: Provenance) -> CacheStatus:
        """How this operation got the answer that *provenance* belongs to."""

    def describe(self, instrument: InstrumentId, selected: frozenset[str]) -> Instrument | Awaitable[Instrument]:
        """The instrument with as much reference data as the *selected* fields (GraphQL names) need."""

    async def market_state(self, instrument: InstrumentId, at: datetime | None) -> MarketState:
        """Whether the instrument's market is open at an instant, by default at the start of the operation."""

    async def venue_state(self, venue: str) -> MarketState:
        """Whether a venue (MIC or provider id) trades at the start of the operation."""

    async def venue_sessions(self, venue: str, start: date, end: date) -> list[TradingSession]:
        """The venue's sessions with dates in [start, end)."""

    async def venue_phases(self, venue: str, start: date, end: date) -> list[SessionPhase]:
        """Those sessions in parts."""

    async def venue_holidays(self, venue: str, start: date, end: date) -> list[VenueHoliday]:
        """Days in [start, end) on which the venue keeps closed or closes early."""

    async def quote_of(
        self, instrument: InstrumentId, route: RouteInput | None, convert_to: str | None
    ) -> Quote | None:
        """The last price; asks of one operation are joined into one batch."""

    async def candles_of(
        self,
        instrument: InstrumentId,
        interval: Interval,
        start: datetime | None,
        end: datetime | None,
        last: int | None,
    ) -> CandleSeries | None:
        """A price series."""


Ctx = strawberry.Info[Reader, None]


@model("Why one provider did not answer.")
class ProviderFailure:
    """An attempt that failed."""

    provider: str = described("The provider's id.")
    code: FailureCode = described("What kind of failure it was.")
    message: str = described("The failure in words; safe to show.")
    retry_after_ms: int | None = described("When to try again, where known.", default=None)


@model("The rate that a converted value was multiplied with.")
class Conversion:
    """`convertTo` is the only way across currencies, and it says how."""

    from_currency: str = described("The currency of the provider's value.", name="from")
    to_currency: str = described("The currency of the value shown.", name="to")
    rate: Decimal = described("Units of `to` for one unit of `from`.")
    provenance: Provenance = described("Where the rate came from.")


@per_read
def age_ms(root: Provenance, info: Ctx) -> int:
    """Milliseconds from `asOf`, or from `fetchedAt` where the provider stamps nothing, to this read."""
    return age_at(root, info.context.now)


def age_at(root: Provenance, now: datetime) -> int:
    """The same at an instant."""
    delta = now - (root.as_of or root.fetched_at)
    return min(max(0, int(delta.total_seconds() * 1000)), 2**31 - 1)


@per_read
def cache_status(root: Provenance, info: Ctx) -> CacheStatus:
    """How this operation got the value."""
    return info.context.cache_status(root)


@per_read
def stale(root: Provenance, info: Ctx) -> bool:
    """Whether our old copy was served because every provider failed."""
    return info.context.cache_status(root) is CacheStatus.STALE


@model("Where a value came from, how old it is and how this read got it.", kept=True)
class Provenance:
    """Made once per upstream answer by the core; adapters never fill it."""

    provider: str = described("The id of the provider that answered.")
    mode: DataMode = described("LIVE, or honestly something else.")
    as_of: datetime | None = described("The provider's own time stamp; null when it sends none.", default=None)
    fetched_at: datetime = described("When the upstream answered; for a recording, when it was made.")
    delay: FeedDelay = described("The nature of the feed.", default=FeedDelay.UNKNOWN)
    delay_seconds: int | None = described("By how much a delayed feed runs behind.", default=None)
    latency_ms: int | None = described("How long the upstream took; null where nothing was sent.", default=None)
    fallback_from: tuple[ProviderFailure, ...] = described(
        "Who was asked before, in order, and why that did not do.", default=()
    )
    conversion: Conversion | None = described("Set when `convertTo` changed the currency.", default=None)
    attribution: str | None = described("The credit line that the provider's licence asks for.", default=None)
    recorded_from: RecordedFrom | None = described("Only in RECORDED mode.", default=None)
    age_ms = computed(
        age_ms,
        "Age at this read in milliseconds: from `asOf`, else from `fetchedAt`.",
        direct=Direct(lambda root, context, _: age_at(root, context.now)),
    )
    cache_status = computed(
        cache_status,
        "How this read got the value.",
        direct=Direct(lambda root, context, _: context.cache_status(root)),
    )
    stale = computed(
        stale,
        "True when an old copy is shown because every provider failed; not while a copy is being refreshed.",
        direct=Direct(lambda root, context, _: context.cache_status(root) is CacheStatus.STALE),
    )


UNSTAMPED = Provenance(provider="", mode=DataMode.SIMULATED, fetched_at=datetime.min.replace(tzinfo=UTC))


def providers_of(*told: Provenance) -> frozenset[str]:
    """All who have a part in these answers: those of rates of exchange too."""
    found = {each.provider for each in told}
    rates = [each.conversion.provenance for each in told if each.conversion]
    return frozenset(found | providers_of(*rates)) if rates else frozenset(found)
