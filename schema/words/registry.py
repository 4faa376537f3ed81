"""Providers as the gateway's users see them: facts, condition, and what is missing to use them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import strawberry

from schema.model import choices, described, model
from schema.provenance import FeedDelay, ProviderFailure
from schema.symbols import AssetClass
from schema.words.instruments import Node
from schema.words.intervals import Interval


@choices(
    "How well an adapter is proven. BRONZE: recordings in the documented format. SILVER: captured answers "
    "are read exactly. GOLD: captured streams too, or this process measures that its live answers are as fresh as the "
    "feed declares. Computed, never typed.",
    BRONZE="Recordings in the documented format are read exactly.",
    SILVER="Captured answers are, too.",
    GOLD="Captured streams are, too, or live answers are measured to be as fresh as declared.",
)
class Grade(StrEnum):
    """BRONZE: recordings in the documented format; SILVER: captured bytes; GOLD: streams or measured freshness."""

    BRONZE = "BRONZE"
    SILVER = "SILVER"
    GOLD = "GOLD"


@choices(
    "Whether a provider can be asked.",
    READY="It can be asked.",
    KEY_MISSING="It needs a key and none is set.",
    KEY_INVALID="It refuses the key.",
    DEGRADED="Many of its recent calls failed.",
    PAUSED="It is not asked for now.",
    DISABLED="It is switched off.",
    FAILED_TO_LOAD="Its adapter cannot be loaded.",
)
class ProviderStatus(StrEnum):
    """One word for its condition; `statusReason` says more."""

    READY = "READY"
    KEY_MISSING = "KEY_MISSING"
    KEY_INVALID = "KEY_INVALID"
    DEGRADED = "DEGRADED"
    PAUSED = "PAUSED"
    DISABLED = "DISABLED"
    FAILED_TO_LOAD = "FAILED_TO_LOAD"


@choices(
    "State of a circuit breaker.",
    CLOSED="All calls go through.",
    OPEN="No call goes through.",
    HALF_OPEN="One call goes through, as a trial.",
)
class BreakerState(StrEnum):
    """CLOSED lets all calls through, OPEN none, HALF_OPEN one."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


@choices(
    "Whose credential is used.",
    NONE="None is set.",
    PLATFORM="The gateway's own.",
    TENANT="The organisation's own.",
)
class CredentialSource(StrEnum):
    """NONE: none is set."""

    NONE = "NONE"
    PLATFORM = "PLATFORM"
    TENANT = "TENANT"


@model("A part of a provider's key: names only, never values.")
class Credential:
    """What to set, and where to get it."""

    name: str = described("The part's name.")
    setting: str = described("The setting that holds it.")
    required: bool = described("False where the provider answers without, perhaps less.")
    source: CredentialSource = described("Whose credential is used now.")
    sign_up: str | None = described("Where to get one.", default=None)


@model("A circuit breaker, beyond its state.")
class Circuit:
    """As this process sees it; where breakers are shared, the whole fleet."""

    state: BreakerState = described("CLOSED lets all calls through, OPEN none, HALF_OPEN one.")
    trips: int = described("How often it opened since the process started.")
    opened_at: datetime | None = described("When it opened last; null while it is closed.", default=None)
    reason: str | None = described("Why it is open.", default=None)
    next_trial_at: datetime | None = described("From when one trial call may pass.", default=None)


@model("What a provider answers.")
class ProviderCapability:
    """One declared capability and its facts."""

    name: str = described("The capability's name, such as `quotes`.")
    streaming: bool = described("Whether it also streams.")
    intervals: list[Interval] = described("Candle intervals; empty for other capabilities.")
    history_from: date | None = described("First day of its history, where it is bounded and known.", default=None)
    delay: FeedDelay = described("The nature of the feed.")
    max_batch: int | None = described("Most items of one upstream call.", default=None)
    breaker: BreakerState = described("State of this capability's circuit breaker.")
    circuit: Circuit = described("This capability's circuit breaker: since when it is open, and why.")


@model("How a provider's recent live calls went.")
class ProviderHealth:
    """The last 100 calls of this process; recorded and simulated ones do not count."""

    breaker: BreakerState = described("The worst of its capabilities' breakers.")
    circuit: Circuit = described("The worst of its capabilities' breakers; `trips` are those of all of them.")
    error_rate: float = described("Share of failed calls, 0 to 1.")
    p50_ms: int | None = described("Median latency.", default=None)
    p95_ms: int | None = described("95th percentile of latency.", default=None)
    last_success_at: datetime | None = described("When it last answered.", default=None)
    last_failure: ProviderFailure | None = described("The last failure.", default=None)


@model("How late a provider's live answers were, as this process measured them.")
class ProviderFreshness:
    """From the provider's stamp to the arrival, of the last 200 calls within a day; recorded ones do not count."""

    capability: str = described("Of which answers.")
    samples: int = described("How many calls were measured.")
    median_lag_ms: int = described("Median; negative where the provider's clock is ahead.")
    p95_lag_ms: int = described("95th percentile.")
    fresh: bool = described(
        "Whether there are 30 samples or more, and half of them or more are within the declared delay plus 60 s."
    )


@model("An upstream's own limit.")
class UpstreamLimit:
    """In the upstream's own units."""

    unit: str = described("What is counted, such as `requests` or `weight`.")
    limit: int = described("How many in a window.")
    window_seconds: int = described("Length of the window.")


@model("What is left of an upstream's own limit, as this process last knew.")
class UpstreamQuota:
    """Of the platform's key, or of the tenant's own where it has one."""

    unit: str = described("What is counted, such as `requests` or `weight`.")
    limit: int = described("How many in a window.")
    remaining: int = described("How many of them may still be sent now; a margin is left unused.")
    resets_at: datetime | None = described("When it is whole again; null where nothing is used.", default=None)


@model("What may be done with a provider's data.")
class Licence:
    """As far as the gateway has to know."""

    note: str = described("The terms in short.")
    attribution: str | None = described("The credit line that is asked for.", default=None)
    cacheable: bool = described("Whether an answer may be kept at all.")
    shareable: bool = described("Whether an answer fetched for one tenant may serve another.")
    redistributable: bool = described("Whether the data may be passed on to others than one's own users.")


@model("An upstream that the gateway can ask.", implements=(Node,), name="Provider")
class ProviderInfo:
    """Facts, condition and what is missing."""

    id: strawberry.ID = described("The id, such as `binance`; pin it with `route: {providers: [...]}`.")
    name: str = described("The name in words.")
    asset_classes: list[AssetClass] = described("What it covers.")
    grade: Grade = described("How well its adapter is proven.")
    status: ProviderStatus = described("Whether it can be asked.")
    status_reason: str | None = described("Why it is not READY, and the way out.", default=None)
    routing: str = described("When and why routing chooses it.")
    credentials: list[Credential] = described("The parts of its key.")
    capabilities: list[ProviderCapability] = described("What it answers.")
    health: ProviderHealth = described("How its recent live calls went.")
    freshness: list[ProviderFreshness] = described("How late its live answers were; empty where none was measured.")
    limits: list[UpstreamLimit] = described("Its own limits.")
    quota: list[UpstreamQuota] = described("What is left of them; empty where nothing is sent.")
    licence: Licence = described("What may be done with its data.")
    origin: str = described("`builtin`, or the package that it came with.")
    docs: str = described("Its documentation.")
