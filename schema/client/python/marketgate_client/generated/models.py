# Written by `make gen` from schema.graphql and operations/*.graphql; edit there.
"""The answers of the operations: a class for each selection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from marketgate_client.generated import enums
from marketgate_client.wire import moment


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person who can sign in."""

    id: str
    """Give it to `node(id:)`."""
    email: str
    """The address, as it is compared."""

    @classmethod
    def read(cls, value: Any) -> User:
        return cls(
            id=value["id"],
            email=value["email"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit of the plan and what is left of it."""

    name: str
    """What is limited, such as `pointsPerMinute`."""
    limit: int
    """How much is allowed."""
    remaining: int
    """How much of it is left now."""
    resets_at: datetime | None
    """When it is whole again; null where nothing runs out."""

    @classmethod
    def read(cls, value: Any) -> Limit:
        return cls(
            name=value["name"],
            limit=value["limit"],
            remaining=value["remaining"],
            resets_at=None if (v0 := value["resetsAt"]) is None else moment(v0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """The organisation that the caller acts in."""

    id: str
    """Give it to `node(id:)`."""
    name: str
    """What its members call it."""
    plan: str
    """The plan, such as `free`."""
    status: enums.TenantStatus
    """Whether it works."""
    limits: tuple[Limit, ...]
    """Each limit of the plan and what is left of it."""

    @classmethod
    def read(cls, value: Any) -> Tenant:
        return cls(
            id=value["id"],
            name=value["name"],
            plan=value["plan"],
            status=enums.TenantStatus(value["status"]),
            limits=tuple([Limit.read(e0) for e0 in value["limits"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """The caller."""

    user: User | None
    """The person who is signed in; null for a key."""
    tenant: Tenant | None
    """The organisation that the caller acts in; null for a person who belongs to none, and for an operator."""
    role: enums.MemberRole | None
    """The person's role in it; null for a key."""
    scopes: tuple[str, ...]
    """What the caller may do, such as `market:read`."""

    @classmethod
    def read(cls, value: Any) -> Viewer:
        return cls(
            user=None if (v0 := value["user"]) is None else User.read(v0),
            tenant=None if (v0 := value["tenant"]) is None else Tenant.read(v0),
            role=None if (v0 := value["role"]) is None else enums.MemberRole(v0),
            scopes=tuple(value["scopes"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. Its `id` is the `webhook-id` of its deliveries."""

    id: str
    """The same in every delivery, page and stream: dedupe on it."""
    type: str
    """The event's name in the catalogue, such as `apikey.created`."""
    version: int
    """Of the type; new fields do not change it."""
    occurred_at: datetime
    """When it happened."""
    sequence: str
    """Rises with every event of the organisation, or of the markets: orders what is about one object."""
    mode: enums.DataMode
    """Whether what it tells rests on live, recorded or simulated data."""

    @classmethod
    def read(cls, value: Any) -> Event:
        return cls(
            id=value["id"],
            type=value["type"],
            version=value["version"],
            occurred_at=moment(value["occurredAt"]),
            sequence=value["sequence"],
            mode=enums.DataMode(value["mode"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool
    """Whether more follow."""
    has_previous_page: bool
    """Whether some precede."""
    start_cursor: str | None
    """Cursor of the first item."""
    end_cursor: str | None
    """Cursor of the last item."""

    @classmethod
    def read(cls, value: Any) -> PageInfo:
        return cls(
            has_next_page=value["hasNextPage"],
            has_previous_page=value["hasPreviousPage"],
            start_cursor=value["startCursor"],
            end_cursor=value["endCursor"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventConnection:
    """A page of the organisation's events, the oldest first."""

    nodes: tuple[Event, ...]
    """The events."""
    page_info: PageInfo
    """Where the page stands."""

    @classmethod
    def read(cls, value: Any) -> EventConnection:
        return cls(
            nodes=tuple([Event.read(e0) for e0 in value["nodes"]]),
            page_info=PageInfo.read(value["pageInfo"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTypeInfo:
    """A type of event: what webhooks, pages and streams of events may tell."""

    name: str
    """Such as `apikey.created`; filters take it, `apikey.*` or `*`."""
    version: int
    """New fields leave it as it is; a type whose fields go or change gets a new name."""
    description: str
    """What it tells."""
    graphql_type: str
    """Its type in this schema."""
    json_schema: str
    """JSON Schema (2020-12) of a delivery's `data`."""

    @classmethod
    def read(cls, value: Any) -> EventTypeInfo:
        return cls(
            name=value["name"],
            version=value["version"],
            description=value["description"],
            graphql_type=value["graphqlType"],
            json_schema=value["jsonSchema"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """What an organisation holds, or would hold."""

    id: str
    """Give it to `node(id:)`."""
    name: str
    """What people call it."""
    currency: str
    """In which it is valued."""
    benchmark: str | None
    """Id of the instrument that it is compared with."""
    method: enums.LotMethod
    """Which units a sale takes, where nothing else is asked."""
    tracks_cash: bool
    """Whether it holds cash."""
    notional: Decimal | None
    """What the whole of a portfolio of weights is worth."""
    version: int
    """Grows with every change, of transactions too."""
    created_at: datetime
    """When it was made."""
    changed_at: datetime
    """When it was last changed."""

    @classmethod
    def read(cls, value: Any) -> Portfolio:
        return cls(
            id=value["id"],
            name=value["name"],
            currency=value["currency"],
            benchmark=value["benchmark"],
            method=enums.LotMethod(value["method"]),
            tracks_cash=value["tracksCash"],
            notional=None if (v0 := value["notional"]) is None else Decimal(v0),
            version=value["version"],
            created_at=moment(value["createdAt"]),
            changed_at=moment(value["changedAt"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioConnection:
    """A page of portfolios."""

    nodes: tuple[Portfolio, ...]
    """The portfolios."""
    page_info: PageInfo
    """Where this page stands."""

    @classmethod
    def read(cls, value: Any) -> PortfolioConnection:
        return cls(
            nodes=tuple([Portfolio.read(e0) for e0 in value["nodes"]]),
            page_info=PageInfo.read(value["pageInfo"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioPosition:
    """So many units of an instrument."""

    symbol: str
    """The instrument's id."""
    quantity: Decimal
    """Units held."""
    price: Decimal | None
    """Of a unit, in `priceCurrency`; of the past as it was then."""
    price_currency: str | None
    """Currency of the price."""
    value: Decimal | None
    """In the portfolio's currency."""
    weight: Decimal | None
    """Share of the portfolio's value, to ten digits."""
    stale: bool
    """Whether the price is an old one."""

    @classmethod
    def read(cls, value: Any) -> PortfolioPosition:
        return cls(
            symbol=value["symbol"],
            quantity=Decimal(value["quantity"]),
            price=None if (v0 := value["price"]) is None else Decimal(v0),
            price_currency=value["priceCurrency"],
            value=None if (v0 := value["value"]) is None else Decimal(v0),
            weight=None if (v0 := value["weight"]) is None else Decimal(v0),
            stale=value["stale"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioExposure:
    """How much of a portfolio is at risk, in its currency."""

    long: Decimal | None
    """Worth of what is held."""
    short: Decimal | None
    """Worth of what is owed, positive."""
    gross: Decimal | None
    """Both together."""
    net: Decimal | None
    """Long less short."""
    leverage: Decimal | None
    """Gross over the portfolio's value, to ten digits."""

    @classmethod
    def read(cls, value: Any) -> PortfolioExposure:
        return cls(
            long=None if (v0 := value["long"]) is None else Decimal(v0),
            short=None if (v0 := value["short"]) is None else Decimal(v0),
            gross=None if (v0 := value["gross"]) is None else Decimal(v0),
            net=None if (v0 := value["net"]) is None else Decimal(v0),
            leverage=None if (v0 := value["leverage"]) is None else Decimal(v0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioPriceFailure:
    """Why something has no price, or a currency no rate."""

    symbol: str
    """The instrument's id, or the currency."""
    code: str
    """The kind of failure."""
    message: str
    """The failure in words."""

    @classmethod
    def read(cls, value: Any) -> PortfolioPriceFailure:
        return cls(
            symbol=value["symbol"],
            code=value["code"],
            message=value["message"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioHoldings:
    """What a portfolio holds and is worth at an instant."""

    at: datetime
    """The instant."""
    currency: str
    """Currency of all values."""
    value: Decimal | None
    """Of everything; null where a position has no price."""
    invested: Decimal | None
    """Of all positions, short ones negative."""
    cash_value: Decimal | None
    """Of all cash."""
    positions: tuple[PortfolioPosition, ...]
    """By instrument."""
    exposure: PortfolioExposure
    """How much is at risk."""
    failures: tuple[PortfolioPriceFailure, ...]
    """What has no price or no rate, and why."""

    @classmethod
    def read(cls, value: Any) -> PortfolioHoldings:
        return cls(
            at=moment(value["at"]),
            currency=value["currency"],
            value=None if (v0 := value["value"]) is None else Decimal(v0),
            invested=None if (v0 := value["invested"]) is None else Decimal(v0),
            cash_value=None if (v0 := value["cashValue"]) is None else Decimal(v0),
            positions=tuple([PortfolioPosition.read(e0) for e0 in value["positions"]]),
            exposure=PortfolioExposure.read(value["exposure"]),
            failures=tuple([PortfolioPriceFailure.read(e0) for e0 in value["failures"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuedPortfolio:
    """What an organisation holds, or would hold."""

    id: str
    """Give it to `node(id:)`."""
    name: str
    """What people call it."""
    currency: str
    """In which it is valued."""
    benchmark: str | None
    """Id of the instrument that it is compared with."""
    method: enums.LotMethod
    """Which units a sale takes, where nothing else is asked."""
    tracks_cash: bool
    """Whether it holds cash."""
    notional: Decimal | None
    """What the whole of a portfolio of weights is worth."""
    version: int
    """Grows with every change, of transactions too."""
    created_at: datetime
    """When it was made."""
    changed_at: datetime
    """When it was last changed."""
    holdings: PortfolioHoldings | None
    """What it holds and is worth, now or at an instant of the past."""

    @classmethod
    def read(cls, value: Any) -> ValuedPortfolio:
        return cls(
            id=value["id"],
            name=value["name"],
            currency=value["currency"],
            benchmark=value["benchmark"],
            method=enums.LotMethod(value["method"]),
            tracks_cash=value["tracksCash"],
            notional=None if (v0 := value["notional"]) is None else Decimal(v0),
            version=value["version"],
            created_at=moment(value["createdAt"]),
            changed_at=moment(value["changedAt"]),
            holdings=None if (v0 := value["holdings"]) is None else PortfolioHoldings.read(v0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteInstrument:
    """Something with a price."""

    id: str
    """The canonical id, such as `crypto:BTC/USD` or `equity:VOD@XLON`."""
    symbol: str
    """The id without class and venue, such as `BTC/USD`."""
    name: str | None
    """The name in words."""
    asset_class: enums.AssetClass
    """The class."""

    @classmethod
    def read(cls, value: Any) -> QuoteInstrument:
        return cls(
            id=value["id"],
            symbol=value["symbol"],
            name=value["name"],
            asset_class=enums.AssetClass(value["assetClass"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFailure:
    """Why one provider did not answer."""

    provider: str
    """The provider's id."""
    code: enums.FailureCode
    """What kind of failure it was."""
    message: str
    """The failure in words; safe to show."""
    retry_after_ms: int | None
    """When to try again, where known."""

    @classmethod
    def read(cls, value: Any) -> ProviderFailure:
        return cls(
            provider=value["provider"],
            code=enums.FailureCode(value["code"]),
            message=value["message"],
            retry_after_ms=value["retryAfterMs"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceConversion:
    """The rate that a converted value was multiplied with."""

    from_: str
    """The currency of the provider's value."""
    to: str
    """The currency of the value shown."""
    rate: Decimal
    """Units of `to` for one unit of `from`."""

    @classmethod
    def read(cls, value: Any) -> ProvenanceConversion:
        return cls(
            from_=value["from"],
            to=value["to"],
            rate=Decimal(value["rate"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a value came from, how old it is and how this read got it."""

    provider: str
    """The id of the provider that answered."""
    mode: enums.DataMode
    """LIVE, or honestly something else."""
    as_of: datetime | None
    """The provider's own time stamp; null when it sends none."""
    fetched_at: datetime
    """When the upstream answered; for a recording, when it was made."""
    delay: enums.FeedDelay
    """The nature of the feed."""
    delay_seconds: int | None
    """By how much a delayed feed runs behind."""
    latency_ms: int | None
    """How long the upstream took; null where nothing was sent."""
    age_ms: int
    """Age at this read in milliseconds: from `asOf`, else from `fetchedAt`."""
    cache_status: enums.CacheStatus
    """How this read got the value."""
    stale: bool
    """True when an old copy is shown because every provider failed; not while a copy is being refreshed."""
    recorded_from: enums.RecordedFrom | None
    """Only in RECORDED mode."""
    attribution: str | None
    """The credit line that the provider's licence asks for."""
    fallback_from: tuple[ProviderFailure, ...]
    """Who was asked before, in order, and why that did not do."""
    conversion: ProvenanceConversion | None
    """Set when `convertTo` changed the currency."""

    @classmethod
    def read(cls, value: Any) -> Provenance:
        return cls(
            provider=value["provider"],
            mode=enums.DataMode(value["mode"]),
            as_of=None if (v0 := value["asOf"]) is None else moment(v0),
            fetched_at=moment(value["fetchedAt"]),
            delay=enums.FeedDelay(value["delay"]),
            delay_seconds=value["delaySeconds"],
            latency_ms=value["latencyMs"],
            age_ms=value["ageMs"],
            cache_status=enums.CacheStatus(value["cacheStatus"]),
            stale=value["stale"],
            recorded_from=None if (v0 := value["recordedFrom"]) is None else enums.RecordedFrom(v0),
            attribution=value["attribution"],
            fallback_from=tuple([ProviderFailure.read(e0) for e0 in value["fallbackFrom"]]),
            conversion=None if (v0 := value["conversion"]) is None else ProvenanceConversion.read(v0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The last known price of one instrument, as one provider saw it."""

    instrument: QuoteInstrument
    """What is priced."""
    price: Decimal
    """The price, in `currency`."""
    price_type: enums.PriceType
    """What `price` is."""
    currency: str
    """ISO 4217 code or asset code; never a minor unit."""
    bid: Decimal | None
    """Best bid; null where the side is empty."""
    ask: Decimal | None
    """Best ask; null where the side is empty."""
    bid_size: Decimal | None
    """Size at the bid, in base units."""
    ask_size: Decimal | None
    """Size at the ask, in base units."""
    mid: Decimal | None
    """Middle of bid and ask."""
    last: Decimal | None
    """Price of the last trade."""
    last_size: Decimal | None
    """Size of the last trade, in base units."""
    open: Decimal | None
    """First price of the window."""
    high: Decimal | None
    """Highest price of the window."""
    low: Decimal | None
    """Lowest price of the window."""
    previous_close: Decimal | None
    """Close of the session before."""
    change: Decimal | None
    """Price minus the previous close, or minus the window's open."""
    change_percent: Decimal | None
    """In percent: "1.25" means 1.25 %."""
    volume: Decimal | None
    """Volume of the window, in base units (coins, shares)."""
    quote_volume: Decimal | None
    """Volume of the window, in the quote currency."""
    vwap: Decimal | None
    """Volume-weighted average price of the window."""
    stats_window: enums.StatsWindow | None
    """What open, high, low, volume and change cover."""
    extended_price: Decimal | None
    """Pre or post market price; `price` is the regular session's."""
    market_state: enums.MarketState
    """Whether the market is open."""
    provenance: Provenance
    """Where this came from."""

    @classmethod
    def read(cls, value: Any) -> Quote:
        return cls(
            instrument=QuoteInstrument.read(value["instrument"]),
            price=Decimal(value["price"]),
            price_type=enums.PriceType(value["priceType"]),
            currency=value["currency"],
            bid=None if (v0 := value["bid"]) is None else Decimal(v0),
            ask=None if (v0 := value["ask"]) is None else Decimal(v0),
            bid_size=None if (v0 := value["bidSize"]) is None else Decimal(v0),
            ask_size=None if (v0 := value["askSize"]) is None else Decimal(v0),
            mid=None if (v0 := value["mid"]) is None else Decimal(v0),
            last=None if (v0 := value["last"]) is None else Decimal(v0),
            last_size=None if (v0 := value["lastSize"]) is None else Decimal(v0),
            open=None if (v0 := value["open"]) is None else Decimal(v0),
            high=None if (v0 := value["high"]) is None else Decimal(v0),
            low=None if (v0 := value["low"]) is None else Decimal(v0),
            previous_close=None if (v0 := value["previousClose"]) is None else Decimal(v0),
            change=None if (v0 := value["change"]) is None else Decimal(v0),
            change_percent=None if (v0 := value["changePercent"]) is None else Decimal(v0),
            volume=None if (v0 := value["volume"]) is None else Decimal(v0),
            quote_volume=None if (v0 := value["quoteVolume"]) is None else Decimal(v0),
            vwap=None if (v0 := value["vwap"]) is None else Decimal(v0),
            stats_window=None if (v0 := value["statsWindow"]) is None else enums.StatsWindow(v0),
            extended_price=None if (v0 := value["extendedPrice"]) is None else Decimal(v0),
            market_state=enums.MarketState(value["marketState"]),
            provenance=Provenance.read(value["provenance"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFailureCandidates:
    """Something with a price."""

    id: str
    """The canonical id, such as `crypto:BTC/USD` or `equity:VOD@XLON`."""

    @classmethod
    def read(cls, value: Any) -> AskFailureCandidates:
        return cls(
            id=value["id"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AskFailure:
    """One symbol of a batch that nobody answered."""

    index: int
    """Position in the request."""
    symbol: str
    """The symbol as it was written."""
    code: enums.FailureCode
    """What kind of failure it was."""
    message: str
    """The failure in words, and the way out."""
    candidates: tuple[AskFailureCandidates, ...]
    """What an ambiguous symbol may mean."""
    attempts: tuple[ProviderFailure, ...]
    """Who was asked, in order, and why that did not do."""
    docs: str
    """Where the code is explained."""

    @classmethod
    def read(cls, value: Any) -> AskFailure:
        return cls(
            index=value["index"],
            symbol=value["symbol"],
            code=enums.FailureCode(value["code"]),
            message=value["message"],
            candidates=tuple([AskFailureCandidates.read(e0) for e0 in value["candidates"]]),
            attempts=tuple([ProviderFailure.read(e0) for e0 in value["attempts"]]),
            docs=value["docs"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteBatch:
    """Quotes in the order of the request, and what is missing."""

    nodes: tuple[Quote | None, ...]
    """One for each symbol, null where nothing came."""
    failures: tuple[AskFailure, ...]
    """Why the nulls are null."""

    @classmethod
    def read(cls, value: Any) -> QuoteBatch:
        return cls(
            nodes=tuple([None if (v1 := e0) is None else Quote.read(v1) for e0 in value["nodes"]]),
            failures=tuple([AskFailure.read(e0) for e0 in value["failures"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsensusInstrument:
    """Something with a price."""

    id: str
    """The canonical id, such as `crypto:BTC/USD` or `equity:VOD@XLON`."""

    @classmethod
    def read(cls, value: Any) -> ConsensusInstrument:
        return cls(
            id=value["id"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsensusSourceQuote:
    """The last known price of one instrument, as one provider saw it."""

    price: Decimal
    """The price, in `currency`."""
    bid: Decimal | None
    """Best bid; null where the side is empty."""
    ask: Decimal | None
    """Best ask; null where the side is empty."""
    currency: str
    """ISO 4217 code or asset code; never a minor unit."""

    @classmethod
    def read(cls, value: Any) -> ConsensusSourceQuote:
        return cls(
            price=Decimal(value["price"]),
            bid=None if (v0 := value["bid"]) is None else Decimal(v0),
            ask=None if (v0 := value["ask"]) is None else Decimal(v0),
            currency=value["currency"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsensusSource:
    """One provider's part in a consensus."""

    provider: str
    """The provider's id."""
    deviation_bps: Decimal | None
    """Distance from the median in basis points, signed."""
    outlier: bool
    """True when it is too far from the others to count."""
    quote: ConsensusSourceQuote | None
    """What it said."""
    excluded: ProviderFailure | None
    """Why it does not count at all."""

    @classmethod
    def read(cls, value: Any) -> ConsensusSource:
        return cls(
            provider=value["provider"],
            deviation_bps=None if (v0 := value["deviationBps"]) is None else Decimal(v0),
            outlier=value["outlier"],
            quote=None if (v0 := value["quote"]) is None else ConsensusSourceQuote.read(v0),
            excluded=None if (v0 := value["excluded"]) is None else ProviderFailure.read(v0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Consensus:
    """What several providers agree on."""

    instrument: ConsensusInstrument
    """What is priced."""
    currency: str
    """Currency of the prices."""
    median: Decimal
    """The middle of the used prices."""
    low: Decimal
    """The lowest used price."""
    high: Decimal
    """The highest used price."""
    range_bps: Decimal
    """High minus low in basis points of the median."""
    asked: int
    """How many providers were asked."""
    used: int
    """How many count."""
    sources: tuple[ConsensusSource, ...]
    """Every provider that was asked."""
    outliers: tuple[ConsensusSource, ...]
    """Those too far from the others."""

    @classmethod
    def read(cls, value: Any) -> Consensus:
        return cls(
            instrument=ConsensusInstrument.read(value["instrument"]),
            currency=value["currency"],
            median=Decimal(value["median"]),
            low=Decimal(value["low"]),
            high=Decimal(value["high"]),
            range_bps=Decimal(value["rangeBps"]),
            asked=value["asked"],
            used=value["used"],
            sources=tuple([ConsensusSource.read(e0) for e0 in value["sources"]]),
            outliers=tuple([ConsensusSource.read(e0) for e0 in value["outliers"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleSeriesInstrument:
    """Something with a price."""

    id: str
    """The canonical id, such as `crypto:BTC/USD` or `equity:VOD@XLON`."""

    @classmethod
    def read(cls, value: Any) -> CandleSeriesInstrument:
        return cls(
            id=value["id"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleColumns:
    """The series as columns, for charts and frames."""

    open_time: tuple[datetime, ...]
    """Starts of the intervals."""
    open: tuple[Decimal, ...]
    """First prices."""
    high: tuple[Decimal, ...]
    """Highest prices."""
    low: tuple[Decimal, ...]
    """Lowest prices."""
    close: tuple[Decimal, ...]
    """Last prices."""
    volume: tuple[Decimal | None, ...]
    """Volumes in base units."""
    closed: tuple[bool, ...]
    """False for a candle that is still forming."""

    @classmethod
    def read(cls, value: Any) -> CandleColumns:
        return cls(
            open_time=tuple([moment(e0) for e0 in value["openTime"]]),
            open=tuple([Decimal(e0) for e0 in value["open"]]),
            high=tuple([Decimal(e0) for e0 in value["high"]]),
            low=tuple([Decimal(e0) for e0 in value["low"]]),
            close=tuple([Decimal(e0) for e0 in value["close"]]),
            volume=tuple([None if (v1 := e0) is None else Decimal(v1) for e0 in value["volume"]]),
            closed=tuple(value["closed"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A range without candles while the venue was open."""

    start: datetime
    """Open time of the first missing candle."""
    end: datetime
    """Open time of the next candle that is there, or the end of the range."""
    missing: int
    """How many candles are missing."""

    @classmethod
    def read(cls, value: Any) -> Gap:
        return cls(
            start=moment(value["start"]),
            end=moment(value["end"]),
            missing=value["missing"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleSeries:
    """A price series of one instrument, ascending."""

    instrument: CandleSeriesInstrument
    """What is priced."""
    interval: enums.Interval
    """Length of each candle."""
    currency: str
    """Currency of the prices."""
    time_zone: str
    """IANA time zone that days and weeks are aligned to."""
    adjustment: enums.Adjustment
    """The adjustment that was applied."""
    hours: enums.TradingHours
    """Which trading hours are covered."""
    columns: CandleColumns
    """The candles as columns."""
    gaps: tuple[Gap, ...]
    """Missing ranges while the venue was open."""
    page_info: PageInfo
    """Where this page stands."""
    provenance: tuple[Provenance, ...]
    """One for each provider used."""

    @classmethod
    def read(cls, value: Any) -> CandleSeries:
        return cls(
            instrument=CandleSeriesInstrument.read(value["instrument"]),
            interval=enums.Interval(value["interval"]),
            currency=value["currency"],
            time_zone=value["timeZone"],
            adjustment=enums.Adjustment(value["adjustment"]),
            hours=enums.TradingHours(value["hours"]),
            columns=CandleColumns.read(value["columns"]),
            gaps=tuple([Gap.read(e0) for e0 in value["gaps"]]),
            page_info=PageInfo.read(value["pageInfo"]),
            provenance=tuple([Provenance.read(e0) for e0 in value["provenance"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBookInstrument:
    """Something with a price."""

    id: str
    """The canonical id, such as `crypto:BTC/USD` or `equity:VOD@XLON`."""

    @classmethod
    def read(cls, value: Any) -> OrderBookInstrument:
        return cls(
            id=value["id"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLevel:
    """What rests at one price."""

    price: Decimal
    """Price, in the quote currency."""
    size: Decimal
    """Size, in base units."""
    order_count: int | None
    """How many orders, where the venue tells."""

    @classmethod
    def read(cls, value: Any) -> PriceLevel:
        return cls(
            price=Decimal(value["price"]),
            size=Decimal(value["size"]),
            order_count=value["orderCount"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBook:
    """Resting orders of one venue."""

    instrument: OrderBookInstrument
    """What is traded."""
    bids: tuple[PriceLevel, ...]
    """Best first, so descending."""
    asks: tuple[PriceLevel, ...]
    """Best first, so ascending."""
    sequence: str | None
    """The venue's sequence number."""
    verified: bool
    """True when checked against the venue's checksum or sequence."""
    provenance: Provenance
    """Where this came from."""

    @classmethod
    def read(cls, value: Any) -> OrderBook:
        return cls(
            instrument=OrderBookInstrument.read(value["instrument"]),
            bids=tuple([PriceLevel.read(e0) for e0 in value["bids"]]),
            asks=tuple([PriceLevel.read(e0) for e0 in value["asks"]]),
            sequence=value["sequence"],
            verified=value["verified"],
            provenance=Provenance.read(value["provenance"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One execution."""

    id: str
    """The venue's trade id."""
    time: datetime
    """When it happened."""
    price: Decimal
    """Price, in the quote currency."""
    size: Decimal
    """Size, in base units."""
    side: enums.Side | None
    """Side of the taker, where the venue tells."""
    provenance: Provenance
    """Where this came from."""

    @classmethod
    def read(cls, value: Any) -> Trade:
        return cls(
            id=value["id"],
            time=moment(value["time"]),
            price=Decimal(value["price"]),
            size=Decimal(value["size"]),
            side=None if (v0 := value["side"]) is None else enums.Side(v0),
            provenance=Provenance.read(value["provenance"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """Where instruments trade."""

    id: str
    """ISO 10383 MIC such as XNYS, or a provider id such as binance."""
    name: str
    """The name in words."""
    time_zone: str
    """IANA time zone of its sessions."""

    @classmethod
    def read(cls, value: Any) -> Venue:
        return cls(
            id=value["id"],
            name=value["name"],
            time_zone=value["timeZone"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """Something with a price."""

    id: str
    """The canonical id, such as `crypto:BTC/USD` or `equity:VOD@XLON`."""
    symbol: str
    """The id without class and venue, such as `BTC/USD`."""
    name: str | None
    """The name in words."""
    asset_class: enums.AssetClass
    """The class."""
    type: enums.InstrumentType
    """What is traded."""
    base: str | None
    """The base asset of a pair."""
    quote_currency: str
    """The currency of its prices: ISO 4217 or an asset code; XXX where unknown."""
    settle: str | None
    """The asset that a derivative settles in."""
    venue: Venue | None
    """Where it is listed, if the id or its listing names one."""
    tick_size: Decimal | None
    """Smallest price step."""
    step_size: Decimal | None
    """Smallest size step, in base units."""
    min_size: Decimal | None
    """Smallest order size, in base units."""
    max_size: Decimal | None
    """Largest order size, in base units."""
    min_notional: Decimal | None
    """Smallest order value, in the quote currency."""
    contract_size: Decimal | None
    """Base units of one contract."""
    expiry: datetime | None
    """When a future or an option expires."""
    strike: Decimal | None
    """An option's strike price."""
    isin: str | None
    """International Securities Identification Number."""
    figi: str | None
    """Financial Instrument Global Identifier."""
    tradable: bool
    """False where every list that has it says so: halted, delisted or not open yet, which lists do not tell
    apart.
    """

    @classmethod
    def read(cls, value: Any) -> Instrument:
        return cls(
            id=value["id"],
            symbol=value["symbol"],
            name=value["name"],
            asset_class=enums.AssetClass(value["assetClass"]),
            type=enums.InstrumentType(value["type"]),
            base=value["base"],
            quote_currency=value["quoteCurrency"],
            settle=value["settle"],
            venue=None if (v0 := value["venue"]) is None else Venue.read(v0),
            tick_size=None if (v0 := value["tickSize"]) is None else Decimal(v0),
            step_size=None if (v0 := value["stepSize"]) is None else Decimal(v0),
            min_size=None if (v0 := value["minSize"]) is None else Decimal(v0),
            max_size=None if (v0 := value["maxSize"]) is None else Decimal(v0),
            min_notional=None if (v0 := value["minNotional"]) is None else Decimal(v0),
            contract_size=None if (v0 := value["contractSize"]) is None else Decimal(v0),
            expiry=None if (v0 := value["expiry"]) is None else moment(v0),
            strike=None if (v0 := value["strike"]) is None else Decimal(v0),
            isin=value["isin"],
            figi=value["figi"],
            tradable=value["tradable"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentConnection:
    """A page of instruments."""

    nodes: tuple[Instrument, ...]
    """The instruments."""
    page_info: PageInfo
    """Where this page stands."""

    @classmethod
    def read(cls, value: Any) -> InstrumentConnection:
        return cls(
            nodes=tuple([Instrument.read(e0) for e0 in value["nodes"]]),
            page_info=PageInfo.read(value["pageInfo"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderHealth:
    """How a provider's recent live calls went."""

    breaker: enums.BreakerState
    """The worst of its capabilities' breakers."""
    error_rate: float
    """Share of failed calls, 0 to 1."""
    p50_ms: int | None
    """Median latency."""
    p95_ms: int | None
    """95th percentile of latency."""
    last_success_at: datetime | None
    """When it last answered."""

    @classmethod
    def read(cls, value: Any) -> ProviderHealth:
        return cls(
            breaker=enums.BreakerState(value["breaker"]),
            error_rate=float(value["errorRate"]),
            p50_ms=value["p50Ms"],
            p95_ms=value["p95Ms"],
            last_success_at=None if (v0 := value["lastSuccessAt"]) is None else moment(v0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An upstream that the gateway can ask."""

    id: str
    """The id, such as `binance`; pin it with `route: {providers: [...]}`."""
    name: str
    """The name in words."""
    asset_classes: tuple[enums.AssetClass, ...]
    """What it covers."""
    grade: enums.Grade
    """How well its adapter is proven."""
    status: enums.ProviderStatus
    """Whether it can be asked."""
    status_reason: str | None
    """Why it is not READY, and the way out."""
    routing: str
    """When and why routing chooses it."""
    health: ProviderHealth
    """How its recent live calls went."""
    docs: str
    """Its documentation."""

    @classmethod
    def read(cls, value: Any) -> Provider:
        return cls(
            id=value["id"],
            name=value["name"],
            asset_classes=tuple([enums.AssetClass(e0) for e0 in value["assetClasses"]]),
            grade=enums.Grade(value["grade"]),
            status=enums.ProviderStatus(value["status"]),
            status_reason=value["statusReason"],
            routing=value["routing"],
            health=ProviderHealth.read(value["health"]),
            docs=value["docs"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FxRate:
    """One exchange rate."""

    base: str
    """ISO 4217 code."""
    quote: str
    """ISO 4217 code."""
    rate: Decimal
    """Units of `quote` for one unit of `base`."""
    date: date | None
    """The day that the rate is for; null for a streaming rate."""
    price_type: enums.PriceType
    """FIXING for a central bank's reference rate."""

    @classmethod
    def read(cls, value: Any) -> FxRate:
        return cls(
            base=value["base"],
            quote=value["quote"],
            rate=Decimal(value["rate"]),
            date=None if (v0 := value["date"]) is None else date.fromisoformat(v0),
            price_type=enums.PriceType(value["priceType"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FxRates:
    """Exchange rates of one base currency."""

    base: str
    """ISO 4217 code."""
    rates: tuple[FxRate, ...]
    """The rates."""
    provenance: Provenance
    """Where they came from."""

    @classmethod
    def read(cls, value: Any) -> FxRates:
        return cls(
            base=value["base"],
            rates=tuple([FxRate.read(e0) for e0 in value["rates"]]),
            provenance=Provenance.read(value["provenance"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedAmountConversion:
    """The rate that a converted value was multiplied with."""

    from_: str
    """The currency of the provider's value."""
    to: str
    """The currency of the value shown."""
    rate: Decimal
    """Units of `to` for one unit of `from`."""
    provenance: Provenance
    """Where the rate came from."""

    @classmethod
    def read(cls, value: Any) -> ConvertedAmountConversion:
        return cls(
            from_=value["from"],
            to=value["to"],
            rate=Decimal(value["rate"]),
            provenance=Provenance.read(value["provenance"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedAmount:
    """An amount in another currency."""

    amount: Decimal
    """The amount in `currency`."""
    currency: str
    """The currency converted to."""
    conversion: ConvertedAmountConversion
    """The rate and where it came from."""

    @classmethod
    def read(cls, value: Any) -> ConvertedAmount:
        return cls(
            amount=Decimal(value["amount"]),
            currency=value["currency"],
            conversion=ConvertedAmountConversion.read(value["conversion"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRateInstrument:
    """Something with a price."""

    id: str
    """The canonical id, such as `crypto:BTC/USD` or `equity:VOD@XLON`."""

    @classmethod
    def read(cls, value: Any) -> FundingRateInstrument:
        return cls(
            id=value["id"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingRate:
    """What the holders of a perpetual pay each other for one funding interval."""

    instrument: FundingRateInstrument
    """The perpetual."""
    rate: Decimal
    """Fraction of the position, for one interval: "0.0001" means 0.01 %; longs pay above 0."""
    time: datetime
    """When it is, or was, paid."""
    settled: bool
    """Whether it has been paid; else it may still change."""
    interval_ms: int | None
    """How often funding is paid."""
    mark_price: Decimal | None
    """The venue's mark price."""
    index_price: Decimal | None
    """The price of the underlying."""
    provenance: Provenance
    """Where this came from."""

    @classmethod
    def read(cls, value: Any) -> FundingRate:
        return cls(
            instrument=FundingRateInstrument.read(value["instrument"]),
            rate=Decimal(value["rate"]),
            time=moment(value["time"]),
            settled=value["settled"],
            interval_ms=value["intervalMs"],
            mark_price=None if (v0 := value["markPrice"]) is None else Decimal(v0),
            index_price=None if (v0 := value["indexPrice"]) is None else Decimal(v0),
            provenance=Provenance.read(value["provenance"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyProfileInstrument:
    """Something with a price."""

    id: str
    """The canonical id, such as `crypto:BTC/USD` or `equity:VOD@XLON`."""

    @classmethod
    def read(cls, value: Any) -> CompanyProfileInstrument:
        return cls(
            id=value["id"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyProfile:
    """Who is behind an instrument."""

    instrument: CompanyProfileInstrument
    """What it is the profile of."""
    name: str
    """The name in words."""
    description: str | None
    """What it does."""
    sector: str | None
    """In the provider's classification."""
    industry: str | None
    """In the provider's classification."""
    country: str | None
    """ISO 3166 code of its seat."""
    currency: str | None
    """Currency of `marketCap`, ISO 4217."""
    exchange: str | None
    """Main exchange, in the provider's words."""
    website: str | None
    """Its own address."""
    employees: int | None
    """How many work there."""
    listed_on: date | None
    """First day of trading."""
    market_cap: Decimal | None
    """Price times shares outstanding, in `currency` (not in millions)."""
    shares_outstanding: Decimal | None
    """Shares (not in millions)."""
    provenance: Provenance
    """Where this came from."""

    @classmethod
    def read(cls, value: Any) -> CompanyProfile:
        return cls(
            instrument=CompanyProfileInstrument.read(value["instrument"]),
            name=value["name"],
            description=value["description"],
            sector=value["sector"],
            industry=value["industry"],
            country=value["country"],
            currency=value["currency"],
            exchange=value["exchange"],
            website=value["website"],
            employees=value["employees"],
            listed_on=None if (v0 := value["listedOn"]) is None else date.fromisoformat(v0),
            market_cap=None if (v0 := value["marketCap"]) is None else Decimal(v0),
            shares_outstanding=None if (v0 := value["sharesOutstanding"]) is None else Decimal(v0),
            provenance=Provenance.read(value["provenance"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketStatus:
    """Whether a venue trades now."""

    venue: str
    """ISO 10383 MIC such as XNYS, or a provider id."""
    state: enums.MarketState
    """Whether it trades."""
    reason: str | None
    """Why not: a holiday's name, a halt."""
    basis: enums.StatusBasis
    """Who says so."""
    as_of: datetime | None
    """Of when it is; null where the provider sends no stamp."""
    next_open: datetime | None
    """When regular trading begins next; by the calendar where the provider does not tell and both agree on
    `state`.
    """
    next_close: datetime | None
    """When regular trading ends next; told likewise."""

    @classmethod
    def read(cls, value: Any) -> MarketStatus:
        return cls(
            venue=value["venue"],
            state=enums.MarketState(value["state"]),
            reason=value["reason"],
            basis=enums.StatusBasis(value["basis"]),
            as_of=None if (v0 := value["asOf"]) is None else moment(v0),
            next_open=None if (v0 := value["nextOpen"]) is None else moment(v0),
            next_close=None if (v0 := value["nextClose"]) is None else moment(v0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsArticle:
    """An article."""

    id: str
    """The provider's id; its address where it has none."""
    title: str
    """The headline."""
    url: str
    """Where it can be read."""
    published_at: datetime
    """When it was published, or first seen."""
    updated_at: datetime | None
    """When it was changed last."""
    summary: str | None
    """The first sentences, or what its provider makes of it."""
    source: str | None
    """Who published it, in words."""
    author: str | None
    """Who wrote it."""
    language: str | None
    """ISO 639-1 code, lower-case."""
    symbols: tuple[str, ...]
    """Instruments that it is about, such as `equity:AAPL`."""
    topics: tuple[str, ...]
    """In its provider's words."""
    sentiment: Decimal | None
    """-1 is bad news, 1 is good news, in its provider's opinion."""
    provenance: Provenance
    """Where this came from."""

    @classmethod
    def read(cls, value: Any) -> NewsArticle:
        return cls(
            id=value["id"],
            title=value["title"],
            url=value["url"],
            published_at=moment(value["publishedAt"]),
            updated_at=None if (v0 := value["updatedAt"]) is None else moment(v0),
            summary=value["summary"],
            source=value["source"],
            author=value["author"],
            language=value["language"],
            symbols=tuple(value["symbols"]),
            topics=tuple(value["topics"]),
            sentiment=None if (v0 := value["sentiment"]) is None else Decimal(v0),
            provenance=Provenance.read(value["provenance"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsArticleConnection:
    """A page of a list that one provider answered; behind a cursor nobody else is asked to go on with it."""

    nodes: tuple[NewsArticle, ...]
    """The rows."""
    page_info: PageInfo
    """Where this page stands."""

    @classmethod
    def read(cls, value: Any) -> NewsArticleConnection:
        return cls(
            nodes=tuple([NewsArticle.read(e0) for e0 in value["nodes"]]),
            page_info=PageInfo.read(value["pageInfo"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """News about the stream itself."""

    code: enums.NoticeCode
    """The kind of news."""
    message: str
    """The same in words."""
    symbol: str | None
    """The symbol as it was written; null for all."""
    provider: str | None
    """The provider that it is about."""
    at: datetime
    """When it was noticed."""

    @classmethod
    def read(cls, value: Any) -> Notice:
        return cls(
            code=enums.NoticeCode(value["code"]),
            message=value["message"],
            symbol=value["symbol"],
            provider=value["provider"],
            at=moment(value["at"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotesUpdate:
    """What is new of some quotes."""

    cursor: str
    """Give the last one back as `after` to resume."""
    snapshot: bool
    """Whether what is shown stands for everything before it."""
    skipped: int
    """How many updates were merged into this one, or left out."""
    quotes: tuple[Quote, ...]
    """Quotes that changed, each the newest."""
    notices: tuple[Notice, ...]
    """News about the stream itself."""

    @classmethod
    def read(cls, value: Any) -> QuotesUpdate:
        return cls(
            cursor=value["cursor"],
            snapshot=value["snapshot"],
            skipped=value["skipped"],
            quotes=tuple([Quote.read(e0) for e0 in value["quotes"]]),
            notices=tuple([Notice.read(e0) for e0 in value["notices"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """One interval of trading."""

    open_time: datetime
    """Start of the interval."""
    session_date: date | None
    """The session that a daily bar of a venue stands for."""
    open: Decimal
    """First price."""
    high: Decimal
    """Highest price."""
    low: Decimal
    """Lowest price."""
    close: Decimal
    """Last price."""
    volume: Decimal | None
    """Volume in base units."""
    quote_volume: Decimal | None
    """Volume in the quote currency."""
    vwap: Decimal | None
    """Volume-weighted average price."""
    trade_count: int | None
    """Number of trades."""
    closed: bool
    """False while the candle is still forming."""
    filled: bool
    """True where `fill` made the row."""

    @classmethod
    def read(cls, value: Any) -> Candle:
        return cls(
            open_time=moment(value["openTime"]),
            session_date=None if (v0 := value["sessionDate"]) is None else date.fromisoformat(v0),
            open=Decimal(value["open"]),
            high=Decimal(value["high"]),
            low=Decimal(value["low"]),
            close=Decimal(value["close"]),
            volume=None if (v0 := value["volume"]) is None else Decimal(v0),
            quote_volume=None if (v0 := value["quoteVolume"]) is None else Decimal(v0),
            vwap=None if (v0 := value["vwap"]) is None else Decimal(v0),
            trade_count=value["tradeCount"],
            closed=value["closed"],
            filled=value["filled"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleUpdate:
    """What is new of one instrument's candles."""

    cursor: str
    """Give the last one back as `after` to resume."""
    snapshot: bool
    """Whether what is shown stands for everything before it."""
    skipped: int
    """How many updates were merged into this one, or left out."""
    candles: tuple[Candle, ...]
    """New and changed candles, ascending."""
    provenance: Provenance | None
    """Where the candles came from; null where there are none."""
    notices: tuple[Notice, ...]
    """News about the stream itself."""

    @classmethod
    def read(cls, value: Any) -> CandleUpdate:
        return cls(
            cursor=value["cursor"],
            snapshot=value["snapshot"],
            skipped=value["skipped"],
            candles=tuple([Candle.read(e0) for e0 in value["candles"]]),
            provenance=None if (v0 := value["provenance"]) is None else Provenance.read(v0),
            notices=tuple([Notice.read(e0) for e0 in value["notices"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderBookUpdate:
    """The newest state of one order book."""

    cursor: str
    """Give the last one back as `after` to resume."""
    snapshot: bool
    """Whether what is shown stands for everything before it."""
    skipped: int
    """How many updates were merged into this one, or left out."""
    order_book: OrderBook | None
    """The book; null where there are only notices."""
    notices: tuple[Notice, ...]
    """News about the stream itself."""

    @classmethod
    def read(cls, value: Any) -> OrderBookUpdate:
        return cls(
            cursor=value["cursor"],
            snapshot=value["snapshot"],
            skipped=value["skipped"],
            order_book=None if (v0 := value["orderBook"]) is None else OrderBook.read(v0),
            notices=tuple([Notice.read(e0) for e0 in value["notices"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TradesUpdate:
    """New trades of one instrument."""

    cursor: str
    """Give the last one back as `after` to resume."""
    snapshot: bool
    """Whether these are the last trades until now, told before or not."""
    skipped: int
    """How many updates were merged into this one, or left out."""
    trades: tuple[Trade, ...]
    """Ascending."""
    notices: tuple[Notice, ...]
    """News about the stream itself."""

    @classmethod
    def read(cls, value: Any) -> TradesUpdate:
        return cls(
            cursor=value["cursor"],
            snapshot=value["snapshot"],
            skipped=value["skipped"],
            trades=tuple([Trade.read(e0) for e0 in value["trades"]]),
            notices=tuple([Notice.read(e0) for e0 in value["notices"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsensusUpdate:
    """What several providers' streams agree on now."""

    cursor: str
    """Give the last one back in the request's `extensions.after` to resume."""
    consensus: Consensus | None
    """Null as long as fewer sources count than `quorum`."""
    notices: tuple[Notice, ...]
    """News about the stream itself."""

    @classmethod
    def read(cls, value: Any) -> ConsensusUpdate:
        return cls(
            cursor=value["cursor"],
            consensus=None if (v0 := value["consensus"]) is None else Consensus.read(v0),
            notices=tuple([Notice.read(e0) for e0 in value["notices"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCondition:
    """A provider's condition."""

    id: str
    """The provider's id."""
    status: enums.ProviderStatus
    """Whether it can be asked."""
    status_reason: str | None
    """Why it is not READY, and the way out."""
    breaker: enums.BreakerState
    """The worst of its capabilities' breakers."""
    error_rate: float
    """Share of its last 100 calls that failed, 0 to 1."""
    p95_ms: int | None
    """95th percentile of their latency."""

    @classmethod
    def read(cls, value: Any) -> ProviderCondition:
        return cls(
            id=value["id"],
            status=enums.ProviderStatus(value["status"]),
            status_reason=value["statusReason"],
            breaker=enums.BreakerState(value["breaker"]),
            error_rate=float(value["errorRate"]),
            p95_ms=value["p95Ms"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderHealthUpdate:
    """Providers whose condition has changed."""

    cursor: str
    """Give the last one back in the request's `extensions.after` to resume."""
    snapshot: bool
    """Whether what is shown stands for everything before it."""
    providers: tuple[ProviderCondition, ...]
    """In order of routing."""
    notices: tuple[Notice, ...]
    """News about the stream itself."""

    @classmethod
    def read(cls, value: Any) -> ProviderHealthUpdate:
        return cls(
            cursor=value["cursor"],
            snapshot=value["snapshot"],
            providers=tuple([ProviderCondition.read(e0) for e0 in value["providers"]]),
            notices=tuple([Notice.read(e0) for e0 in value["notices"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsUpdate:
    """Articles that are new."""

    cursor: str
    """Give the last one back as `after` to resume."""
    snapshot: bool
    """Whether these are the newest articles before the stream began."""
    articles: tuple[NewsArticle, ...]
    """Newest first."""
    notices: tuple[Notice, ...]
    """News about the stream itself."""

    @classmethod
    def read(cls, value: Any) -> NewsUpdate:
        return cls(
            cursor=value["cursor"],
            snapshot=value["snapshot"],
            articles=tuple([NewsArticle.read(e0) for e0 in value["articles"]]),
            notices=tuple([Notice.read(e0) for e0 in value["notices"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventUpdate:
    """What the organisation's log has got."""

    cursor: str
    """Give the last one back as `after` to go on behind it: none missing, none twice."""
    event: Event | None
    """The event; null in the first message."""
    notices: tuple[Notice, ...]
    """News about the stream itself."""

    @classmethod
    def read(cls, value: Any) -> EventUpdate:
        return cls(
            cursor=value["cursor"],
            event=None if (v0 := value["event"]) is None else Event.read(v0),
            notices=tuple([Notice.read(e0) for e0 in value["notices"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioUpdate:
    """A portfolio as it stands."""

    cursor: str
    """Where the stream stands; a subscription always begins with a snapshot."""
    snapshot: bool
    """Whether all positions are shown."""
    skipped: int
    """How many updates were merged into this one, or left out."""
    at: datetime
    """When it was valued."""
    version: int
    """The portfolio's."""
    currency: str
    """Currency of all amounts."""
    value: Decimal | None
    """Of everything; null where a position has no price."""
    total_pnl: Decimal | None
    """Both, and income, less fees; null for weights."""
    exposure: PortfolioExposure
    """How much is at risk."""
    positions: tuple[PortfolioPosition, ...]
    """What has changed."""
    notices: tuple[Notice, ...]
    """News about the stream itself."""

    @classmethod
    def read(cls, value: Any) -> PortfolioUpdate:
        return cls(
            cursor=value["cursor"],
            snapshot=value["snapshot"],
            skipped=value["skipped"],
            at=moment(value["at"]),
            version=value["version"],
            currency=value["currency"],
            value=None if (v0 := value["value"]) is None else Decimal(v0),
            total_pnl=None if (v0 := value["totalPnl"]) is None else Decimal(v0),
            exposure=PortfolioExposure.read(value["exposure"]),
            positions=tuple([PortfolioPosition.read(e0) for e0 in value["positions"]]),
            notices=tuple([Notice.read(e0) for e0 in value["notices"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingStanding:
    """What an account amounts to by the prices of now, in its currency."""

    currency: str
    """The account's: of all amounts."""
    equity: Decimal | None
    """What it is worth: cash, what is held, what derivatives have gained."""
    balance: Decimal | None
    """Equity without what is unrealised."""
    cash: Decimal | None
    """All its money."""
    unrealised: Decimal | None
    """What its positions have gained since they were opened."""
    margin_used: Decimal | None
    """By positions and by open orders; zero in a CASH account."""
    buying_power: Decimal | None
    """What new positions may be worth."""
    exposure_gross: Decimal | None
    """Both together."""
    exposure_net: Decimal | None
    """Long less short."""
    day_pnl: Decimal | None
    """Since midnight UTC, without what was paid in or out; null where that was not noted."""
    stale: bool
    """Whether a price or a rate is an old one."""
    reason: str | None
    """Why figures are null or stale."""
    modes: tuple[enums.DataMode, ...]
    """Whether prices and rates are live, recorded or simulated; none without any."""

    @classmethod
    def read(cls, value: Any) -> TradingStanding:
        return cls(
            currency=value["currency"],
            equity=None if (v0 := value["equity"]) is None else Decimal(v0),
            balance=None if (v0 := value["balance"]) is None else Decimal(v0),
            cash=None if (v0 := value["cash"]) is None else Decimal(v0),
            unrealised=None if (v0 := value["unrealised"]) is None else Decimal(v0),
            margin_used=None if (v0 := value["marginUsed"]) is None else Decimal(v0),
            buying_power=None if (v0 := value["buyingPower"]) is None else Decimal(v0),
            exposure_gross=None if (v0 := value["exposureGross"]) is None else Decimal(v0),
            exposure_net=None if (v0 := value["exposureNet"]) is None else Decimal(v0),
            day_pnl=None if (v0 := value["dayPnl"]) is None else Decimal(v0),
            stale=value["stale"],
            reason=value["reason"],
            modes=tuple([enums.DataMode(e0) for e0 in value["modes"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingBalance:
    """Money of an account in one currency."""

    currency: str
    """ISO 4217 code or asset code."""
    cash: Decimal
    """What is there."""
    held: Decimal
    """So much of it is held by pending entries."""
    reserved: Decimal
    """What open orders in this currency reserve."""
    available: Decimal
    """Cash less what is held and reserved: what a CASH account may spend."""

    @classmethod
    def read(cls, value: Any) -> TradingBalance:
        return cls(
            currency=value["currency"],
            cash=Decimal(value["cash"]),
            held=Decimal(value["held"]),
            reserved=Decimal(value["reserved"]),
            available=Decimal(value["available"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingPosition:
    """What an account holds of an instrument."""

    id: str
    """Its identity, for client caches: account and instrument."""
    symbol: str
    """The instrument's id."""
    side: enums.TradingPositionSide
    """Which way it is."""
    quantity: Decimal
    """Units of the base asset, of derivatives too; below zero where it is short."""
    currency: str
    """Of its price, its cost and its profits."""
    entry_price: Decimal
    """The average price at which what is held was opened."""
    price: Decimal | None
    """The last price."""
    value: Decimal | None
    """Quantity times price; below zero where it is short."""
    unrealised: Decimal | None
    """Value less cost."""
    realised: Decimal
    """By what was closed of it since it was opened, before fees."""
    fees: Decimal
    """What its fills cost."""
    strategy: str | None
    """The tag of the order that opened it."""
    mode: enums.DataMode
    """Whether the prices that it was opened at were live, recorded or simulated."""
    stale: bool
    """Whether its price, or the rate of its currency, is an old one."""
    opened_at: datetime
    """When it was opened."""
    changed_at: datetime
    """When it was traded last."""

    @classmethod
    def read(cls, value: Any) -> TradingPosition:
        return cls(
            id=value["id"],
            symbol=value["symbol"],
            side=enums.TradingPositionSide(value["side"]),
            quantity=Decimal(value["quantity"]),
            currency=value["currency"],
            entry_price=Decimal(value["entryPrice"]),
            price=None if (v0 := value["price"]) is None else Decimal(v0),
            value=None if (v0 := value["value"]) is None else Decimal(v0),
            unrealised=None if (v0 := value["unrealised"]) is None else Decimal(v0),
            realised=Decimal(value["realised"]),
            fees=Decimal(value["fees"]),
            strategy=value["strategy"],
            mode=enums.DataMode(value["mode"]),
            stale=value["stale"],
            opened_at=moment(value["openedAt"]),
            changed_at=moment(value["changedAt"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order, as it stands."""

    id: str
    """Give it to `node(id:)`; the subject of its events."""
    account_id: str
    """The account that it is of."""
    number: int
    """Of the account's orders, in the order of placing, from 1."""
    client_order_id: str | None
    """The client's own id: placing it again is the same order."""
    symbol: str
    """The instrument's id."""
    side: enums.Side
    """To buy or to sell."""
    type: enums.OrderType
    """How it is priced."""
    time_in_force: enums.TimeInForce
    """How long it works."""
    quantity: Decimal | None
    """In units, or in contracts of a derivative; null while a notional waits for its price."""
    notional: Decimal | None
    """So much money is to be spent, where it was asked for so."""
    limit_price: Decimal | None
    """The worst price that it takes."""
    stop_price: Decimal | None
    """The price that triggers it."""
    currency: str
    """Of its prices."""
    status: enums.OrderStatus
    """Where it stands."""
    reason: str | None
    """Why it ended without being filled, as a code and words."""
    filled_quantity: Decimal
    """How much is filled."""
    average_price: Decimal | None
    """Of its fills; null before the first."""
    strategy: str | None
    """The tag that its placer gave it."""
    version: int
    """Grows with every change."""
    created_at: datetime
    """When it was placed."""
    changed_at: datetime
    """When it changed last."""
    ended_at: datetime | None
    """When it reached a state for good."""

    @classmethod
    def read(cls, value: Any) -> Order:
        return cls(
            id=value["id"],
            account_id=value["accountId"],
            number=value["number"],
            client_order_id=value["clientOrderId"],
            symbol=value["symbol"],
            side=enums.Side(value["side"]),
            type=enums.OrderType(value["type"]),
            time_in_force=enums.TimeInForce(value["timeInForce"]),
            quantity=None if (v0 := value["quantity"]) is None else Decimal(v0),
            notional=None if (v0 := value["notional"]) is None else Decimal(v0),
            limit_price=None if (v0 := value["limitPrice"]) is None else Decimal(v0),
            stop_price=None if (v0 := value["stopPrice"]) is None else Decimal(v0),
            currency=value["currency"],
            status=enums.OrderStatus(value["status"]),
            reason=value["reason"],
            filled_quantity=Decimal(value["filledQuantity"]),
            average_price=None if (v0 := value["averagePrice"]) is None else Decimal(v0),
            strategy=value["strategy"],
            version=value["version"],
            created_at=moment(value["createdAt"]),
            changed_at=moment(value["changedAt"]),
            ended_at=None if (v0 := value["endedAt"]) is None else moment(v0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFill:
    """What a fill was, and by whose price."""

    id: str
    """The fill's id."""
    order_id: str
    """The order that was filled."""
    symbol: str
    """The instrument's id."""
    side: enums.Side
    """Of the order."""
    quantity: Decimal
    """In units, or in contracts of a derivative."""
    price: Decimal
    """For a unit, with slippage."""
    currency: str
    """Of price, fee and profit."""
    fee: Decimal
    """Commission; below zero where it is a rebate."""
    liquidity: enums.Liquidity
    """Whether it made or took liquidity."""
    realised_pnl: Decimal
    """Profit of what it closed, before the fee."""
    provider: str
    """Whose price filled it: a provider, or the broker."""
    mode: enums.DataMode
    """Whether that price was live, recorded or simulated."""
    at: datetime
    """When it was filled."""

    @classmethod
    def read(cls, value: Any) -> OrderFill:
        return cls(
            id=value["id"],
            order_id=value["orderId"],
            symbol=value["symbol"],
            side=enums.Side(value["side"]),
            quantity=Decimal(value["quantity"]),
            price=Decimal(value["price"]),
            currency=value["currency"],
            fee=Decimal(value["fee"]),
            liquidity=enums.Liquidity(value["liquidity"]),
            realised_pnl=Decimal(value["realisedPnl"]),
            provider=value["provider"],
            mode=enums.DataMode(value["mode"]),
            at=moment(value["at"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingAccountUpdate:
    """An account as it stands, and what has happened to it since the last message."""

    cursor: str
    """Where the log of events stands: give it as `after`, and fills and events go on behind it."""
    snapshot: bool
    """Whether all positions, balances and open orders are shown."""
    skipped: int
    """How many changes of prices were merged into this message."""
    at: datetime
    """When it was valued."""
    version: int
    """The account's: grows with every change of anything of it."""
    halted: bool
    """Whether the account's kill switch is on."""
    halt_reason: str | None
    """Why."""
    standing: TradingStanding
    """What it amounts to by the newest prices."""
    balances: tuple[TradingBalance, ...]
    """All of its money, where any of it, or what is reserved, is new."""
    positions: tuple[TradingPosition, ...]
    """Those whose units or prices are new, as they are now."""
    closed: tuple[str, ...]
    """Instruments that are not held any more."""
    orders: tuple[Order, ...]
    """Those that are new, have changed or have ended, as they are now."""
    fills: tuple[OrderFill, ...]
    """What was filled, each once, in the order of the log."""
    notices: tuple[Notice, ...]
    """News about the stream itself."""

    @classmethod
    def read(cls, value: Any) -> TradingAccountUpdate:
        return cls(
            cursor=value["cursor"],
            snapshot=value["snapshot"],
            skipped=value["skipped"],
            at=moment(value["at"]),
            version=value["version"],
            halted=value["halted"],
            halt_reason=value["haltReason"],
            standing=TradingStanding.read(value["standing"]),
            balances=tuple([TradingBalance.read(e0) for e0 in value["balances"]]),
            positions=tuple([TradingPosition.read(e0) for e0 in value["positions"]]),
            closed=tuple(value["closed"]),
            orders=tuple([Order.read(e0) for e0 in value["orders"]]),
            fills=tuple([OrderFill.read(e0) for e0 in value["fills"]]),
            notices=tuple([Notice.read(e0) for e0 in value["notices"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingAccount:
    """An account that orders are placed from."""

    id: str
    """Give it to `node(id:)`, to `orderPlace`, to its other fields."""
    name: str
    """What somebody called it."""
    kind: enums.AccountKind
    """Paper or live."""
    broker: str
    """Who fills its orders: `simulator`, or a broker's id."""
    currency: str
    """The base currency: of its equity, its margin and its limits."""
    initial_balance: Decimal
    """What it began with."""
    leverage: Decimal
    """How many times its equity it may hold; 1 in a CASH account."""
    halted: bool
    """Whether its kill switch is on: no orders are taken."""
    halt_reason: str | None
    """Why."""
    version: int
    """Grows with every change of anything of it."""
    created_at: datetime
    """When it was made."""
    standing: TradingStanding
    """What it amounts to by the prices of now."""
    balances: tuple[TradingBalance, ...]
    """Its money, by currency."""

    @classmethod
    def read(cls, value: Any) -> TradingAccount:
        return cls(
            id=value["id"],
            name=value["name"],
            kind=enums.AccountKind(value["kind"]),
            broker=value["broker"],
            currency=value["currency"],
            initial_balance=Decimal(value["initialBalance"]),
            leverage=Decimal(value["leverage"]),
            halted=value["halted"],
            halt_reason=value["haltReason"],
            version=value["version"],
            created_at=moment(value["createdAt"]),
            standing=TradingStanding.read(value["standing"]),
            balances=tuple([TradingBalance.read(e0) for e0 in value["balances"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingAccountConnection:
    """A page of accounts."""

    nodes: tuple[TradingAccount, ...]
    """The accounts."""
    page_info: PageInfo
    """Where this page stands."""

    @classmethod
    def read(cls, value: Any) -> TradingAccountConnection:
        return cls(
            nodes=tuple([TradingAccount.read(e0) for e0 in value["nodes"]]),
            page_info=PageInfo.read(value["pageInfo"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingPositionConnection:
    """A page of positions."""

    nodes: tuple[TradingPosition, ...]
    """The positions."""
    page_info: PageInfo
    """Where this page stands."""

    @classmethod
    def read(cls, value: Any) -> TradingPositionConnection:
        return cls(
            nodes=tuple([TradingPosition.read(e0) for e0 in value["nodes"]]),
            page_info=PageInfo.read(value["pageInfo"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderConnection:
    """A page of orders."""

    nodes: tuple[Order, ...]
    """The orders."""
    page_info: PageInfo
    """Where this page stands."""

    @classmethod
    def read(cls, value: Any) -> OrderConnection:
        return cls(
            nodes=tuple([Order.read(e0) for e0 in value["nodes"]]),
            page_info=PageInfo.read(value["pageInfo"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaceUserError:
    """An expected refusal: what was wrong with the input, and the way out."""

    field: tuple[str, ...] | None
    """Path of the input field that it is about; null for the whole."""
    code: enums.OrderPlaceErrorCode
    """The kind of refusal."""
    message: str
    """What is wrong and what to do, in words."""

    @classmethod
    def read(cls, value: Any) -> OrderPlaceUserError:
        return cls(
            field=None if (v0 := value["field"]) is None else tuple(v0),
            code=enums.OrderPlaceErrorCode(value["code"]),
            message=value["message"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPreview:
    """What an order would be and cost, if it were placed now. Nothing is kept of it."""

    accepted: bool
    """Whether it would be taken; otherwise `userErrors` says why, as `orderPlace` would."""
    at: datetime
    """The instant that it was reckoned for."""
    symbol: str | None
    """The instrument's id."""
    status: enums.OrderStatus | None
    """Where it would stand right after placing."""
    reason: str | None
    """Why it would end at once, where it would."""
    currency: str | None
    """Of its prices, its notional, its fee and its reserve."""
    market_price: Decimal | None
    """What its side would pay or get now, without slippage."""
    quantity: Decimal | None
    """Units; of a notional, what it would buy."""
    estimated_price: Decimal | None
    """Of what would be filled at once, else its limit, its trigger, else the market's price."""
    notional: Decimal | None
    """Quantity at the estimated price."""
    fee: Decimal | None
    """Of all of it at that price."""
    buying_power_before: Decimal | None
    """Of the account; null where it cannot be valued."""
    buying_power_after: Decimal | None
    """The same with the order."""
    mode: enums.DataMode | None
    """Whether the price is live, recorded or simulated."""
    user_errors: tuple[OrderPlaceUserError, ...]
    """Why it would not be taken; empty where it would."""

    @classmethod
    def read(cls, value: Any) -> OrderPreview:
        return cls(
            accepted=value["accepted"],
            at=moment(value["at"]),
            symbol=value["symbol"],
            status=None if (v0 := value["status"]) is None else enums.OrderStatus(v0),
            reason=value["reason"],
            currency=value["currency"],
            market_price=None if (v0 := value["marketPrice"]) is None else Decimal(v0),
            quantity=None if (v0 := value["quantity"]) is None else Decimal(v0),
            estimated_price=None if (v0 := value["estimatedPrice"]) is None else Decimal(v0),
            notional=None if (v0 := value["notional"]) is None else Decimal(v0),
            fee=None if (v0 := value["fee"]) is None else Decimal(v0),
            buying_power_before=None if (v0 := value["buyingPowerBefore"]) is None else Decimal(v0),
            buying_power_after=None if (v0 := value["buyingPowerAfter"]) is None else Decimal(v0),
            mode=None if (v0 := value["mode"]) is None else enums.DataMode(v0),
            user_errors=tuple([OrderPlaceUserError.read(e0) for e0 in value["userErrors"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingAccountCreateUserError:
    """An expected refusal: what was wrong with the input, and the way out."""

    field: tuple[str, ...] | None
    """Path of the input field that it is about; null for the whole."""
    code: enums.TradingAccountCreateErrorCode
    """The kind of refusal."""
    message: str
    """What is wrong and what to do, in words."""

    @classmethod
    def read(cls, value: Any) -> TradingAccountCreateUserError:
        return cls(
            field=None if (v0 := value["field"]) is None else tuple(v0),
            code=enums.TradingAccountCreateErrorCode(value["code"]),
            message=value["message"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingAccountCreatePayload:
    """What came of `tradingAccountCreate`."""

    account: TradingAccount | None
    """The new account."""
    user_errors: tuple[TradingAccountCreateUserError, ...]
    """Why nothing happened; empty where it did."""

    @classmethod
    def read(cls, value: Any) -> TradingAccountCreatePayload:
        return cls(
            account=None if (v0 := value["account"]) is None else TradingAccount.read(v0),
            user_errors=tuple([TradingAccountCreateUserError.read(e0) for e0 in value["userErrors"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlacePayload:
    """What came of placing an order."""

    order: Order | None
    """The order, perhaps filled already."""
    fills: tuple[OrderFill, ...]
    """What was filled at once; of one that was placed before, all its fills."""
    user_errors: tuple[OrderPlaceUserError, ...]
    """Why nothing happened; empty where it did."""

    @classmethod
    def read(cls, value: Any) -> OrderPlacePayload:
        return cls(
            order=None if (v0 := value["order"]) is None else Order.read(v0),
            fills=tuple([OrderFill.read(e0) for e0 in value["fills"]]),
            user_errors=tuple([OrderPlaceUserError.read(e0) for e0 in value["userErrors"]]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelUserError:
    """An expected refusal: what was wrong with the input, and the way out."""

    field: tuple[str, ...] | None
    """Path of the input field that it is about; null for the whole."""
    code: enums.OrderCancelErrorCode
    """The kind of refusal."""
    message: str
    """What is wrong and what to do, in words."""

    @classmethod
    def read(cls, value: Any) -> OrderCancelUserError:
        return cls(
            field=None if (v0 := value["field"]) is None else tuple(v0),
            code=enums.OrderCancelErrorCode(value["code"]),
            message=value["message"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelPayload:
    """What came of `orderCancel`."""

    order: Order | None
    """The order as it is now."""
    user_errors: tuple[OrderCancelUserError, ...]
    """Why nothing happened; empty where it did."""

    @classmethod
    def read(cls, value: Any) -> OrderCancelPayload:
        return cls(
            order=None if (v0 := value["order"]) is None else Order.read(v0),
            user_errors=tuple([OrderCancelUserError.read(e0) for e0 in value["userErrors"]]),
        )
