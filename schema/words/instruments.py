"""Instruments: the id, what is known about it, and the listings that providers give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Protocol, cast

import strawberry
from strawberry.types.nodes import SelectedField

from schema.arguments import ConvertTo, End, Last, Length, Route, Start
from schema.capability import Capability
from schema.facts import facts
from schema.model import Direct, choices, computed, described, model
from schema.provenance import Ctx
from schema.symbols import AssetClass, InstrumentId
from schema.words.costs import cost_of_series
from schema.words.venues import Venue

if TYPE_CHECKING:
    from schema.words.candles import CandleSeries
    from schema.words.quotes import Quote


@strawberry.interface(description="Anything that can be fetched again by its id.")
class Node:
    """Relay's object identification."""

    id: strawberry.ID = strawberry.field(description="Give it to `node(id:)`.")


@choices(
    "What is traded.",
    SPOT="A pair, delivered at once.",
    PERPETUAL="A future without an end.",
    FUTURE="A future with an expiry.",
    OPTION="A right to buy or sell.",
    STOCK="A company's share.",
    ETF="A fund that is traded as a share is.",
    FUND="Another fund.",
    INDEX="A number made of many prices.",
    FX_PAIR="A pair of currencies.",
    COMMODITY="A good.",
    POOL="A pool of a decentralised exchange.",
)
class InstrumentType(StrEnum):
    """A plain pair is SPOT and is never answered from a PERPETUAL."""

    SPOT = "SPOT"
    PERPETUAL = "PERPETUAL"
    FUTURE = "FUTURE"
    OPTION = "OPTION"
    STOCK = "STOCK"
    ETF = "ETF"
    FUND = "FUND"
    INDEX = "INDEX"
    FX_PAIR = "FX_PAIR"
    COMMODITY = "COMMODITY"
    POOL = "POOL"


@model("What one provider calls an instrument.")
class VenueSymbol:
    """An inverse pair: the provider's symbol leads back to the instrument."""

    provider: str = described("The provider's id.")
    symbol: str = described("The symbol on that provider's wire.")


async def resolve_quote(
    root: Instrument, info: Ctx, route: Route = None, convert_to: ConvertTo = None
) -> Annotated[Quote, strawberry.lazy("schema.words.quotes")] | None:
    """Asked in one batch for a whole page."""
    return await info.context.quote_of(root.key, route, convert_to)


async def resolve_candles(
    root: Instrument,
    info: Ctx,
    interval: Length,
    start: Start = None,
    end: End = None,
    last: Last = None,
) -> Annotated[CandleSeries, strawberry.lazy("schema.words.candles")] | None:
    """A series of this instrument."""
    return await info.context.candles_of(root.key, interval, start, end, last)


@model("Something with a price.", implements=(Node,), kept=True)
class Instrument:
    """What the gateway knows about one instrument id; unknown facts are null."""

    key: strawberry.Private[InstrumentId]
    id: strawberry.ID = described("The canonical id, such as `crypto:BTC/USD` or `equity:VOD@XLON`.")
    symbol: str = described("The id without class and venue, such as `BTC/USD`.")
    name: str | None = described("The name in words.", default=None)
    asset_class: AssetClass = described("The class.")
    type: InstrumentType = described("What is traded.")
    base: str | None = described("The base asset of a pair.", default=None)
    quote_currency: str = described("The currency of its prices: ISO 4217 or an asset code; XXX where unknown.")
    settle: str | None = described("The asset that a derivative settles in.", default=None)
    venue: Venue | None = described("Where it is listed, if the id or its listing names one.", default=None)
    tick_size: Decimal | None = described("Smallest price step.", default=None)
    step_size: Decimal | None = described("Smallest size step, in base units.", default=None)
    min_size: Decimal | None = described("Smallest order size, in base units.", default=None)
    max_size: Decimal | None = described("Largest order size, in base units.", default=None)
    min_notional: Decimal | None = described("Smallest order value, in the quote currency.", default=None)
    contract_size: Decimal | None = described("Base units of one contract.", default=None)
    expiry: datetime | None = described("When a future or an option expires.", default=None)
    strike: Decimal | None = described("An option's strike price.", default=None)
    isin: str | None = described("International Securities Identification Number.", default=None)
    figi: str | None = described("Financial Instrument Global Identifier.", default=None)
    tradable: bool = described(
        "False where every list that has it says so: halted, delisted or not open yet, which lists do not tell apart.",
        default=True,
    )
    symbols: tuple[VenueSymbol, ...] = described(
        "What each provider calls it; `instruments(providerSymbol:)` leads back.", default=()
    )
    quote = computed(
        resolve_quote,
        "Its last price; null where nobody prices it, plus an error where asking failed.",
        metadata=facts(),
    )
    candles = computed(resolve_candles, "Its price series.", metadata=facts(cost=cost_of_series))


def selected_fields(info: strawberry.Info[Any, Any]) -> frozenset[str]:
    """GraphQL names selected directly below the current field, through fragments."""
    names: set[str] = set()
    waiting = [selection for field in info.selected_fields for selection in field.selections]
    while waiting:
        selection = waiting.pop()
        if isinstance(selection, SelectedField):
            names.add(selection.name)
        else:
            waiting.extend(selection.selections)
    return frozenset(names)


class Priced(Protocol):
    """An answer about one instrument."""

    @property
    def instrument(self) -> InstrumentId:
        """What it is about."""


def instrument_of(root: Priced, info: Ctx) -> Instrument:
    """Reference data is loaded only where the selection needs it; GraphQL awaits what is not there yet."""
    return cast(Instrument, info.context.describe(root.instrument, selected_fields(info)))


# Fields that follow from the id alone; everything else needs reference data.
DERIVED = frozenset(
    {"__typename", "id", "symbol", "assetClass", "type", "base", "settle", "expiry", "strike", "quote", "candles"}
)


DESCRIBED = Direct(
    lambda root, context, selected: context.describe(root.instrument, selected),
    lasting=DERIVED - {"type", "quote", "candles"},
)
"""The short form of `instrument_of`. A list may know the type better than the id does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One row of a provider's instrument list, in the gateway's words.

    `instrument` has no venue for a currency pair (the provider is the venue) and the MIC as venue for a security
    that is not on its main US listing. `rank` orders by liquidity, 0 is the most liquid; None where unknown.
    Sizes are in base units, `min_notional` in the quote currency.
    """

    instrument: InstrumentId
    provider_symbol: str
    name: str | None = None
    type: InstrumentType = InstrumentType.SPOT
    currency: str | None = None
    venue_name: str | None = None
    tick_size: Decimal | None = None
    step_size: Decimal | None = None
    min_size: Decimal | None = None
    max_size: Decimal | None = None
    min_notional: Decimal | None = None
    contract_size: Decimal | None = None
    isin: str | None = None
    figi: str | None = None
    tradable: bool = True
    rank: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentsAsk:
    """Everything that a provider lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAsk:
    """A text to look for: a name, a ticker, an ISIN."""

    text: str
    limit: int = 20


INSTRUMENTS: Capability[InstrumentsAsk, tuple[Listing, ...]] = Capability(
    name="instruments",
    ask=InstrumentsAsk,
    answer=tuple[Listing, ...],
    description="All instruments that a provider lists, with their trading rules.",
    fresh_for=timedelta(hours=1),
    # The catalog shows its old list while it fetches the new one: here that would be late twice.
    keep_for=timedelta(days=1),
)
SEARCH: Capability[SearchAsk, tuple[Listing, ...]] = Capability(
    name="search",
    ask=SearchAsk,
    answer=tuple[Listing, ...],
    description="Instruments by name, ticker or identifier.",
    fresh_for=timedelta(hours=1),
    revalidate_for=timedelta(hours=1),
    keep_for=timedelta(days=1),
)


def expiry_of(key: InstrumentId) -> datetime | None:
    """08:00 UTC on the day for crypto derivatives, 00:00 UTC otherwise; None for what never expires."""
    if not key.expiry:
        return None
    day = date(2000 + int(key.expiry[:2]), int(key.expiry[2:4]), int(key.expiry[4:]))
    return datetime(day.year, day.month, day.day, 8 if key.asset_class is AssetClass.CRYPTO else 0, tzinfo=UTC)


def type_of(key: InstrumentId) -> InstrumentType:
    """What the id alone says; a listing may know better (an ETF is not told from a stock by its ticker)."""
    if key.right:
        return InstrumentType.OPTION
    if key.expiry:
        return InstrumentType.FUTURE
    if key.settle:
        return InstrumentType.PERPETUAL
    return {
        AssetClass.EQUITY: InstrumentType.STOCK,
        AssetClass.FX: InstrumentType.FX_PAIR,
        AssetClass.INDEX: InstrumentType.INDEX,
        AssetClass.MACRO: InstrumentType.INDEX,
        AssetClass.COMMODITY: InstrumentType.COMMODITY,
        AssetClass.DEX: InstrumentType.POOL,
    }.get(key.asset_class, InstrumentType.SPOT)
