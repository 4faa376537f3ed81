"""The one import for authors of providers and plugins outside this repository; it follows semantic versioning.

A provider subclasses `Provider`, declares methods with `answers`, and is registered under the entry point group
`marketgate.providers`. A plugin is a `Plugin` value, registered under `marketgate.plugins`.
"""

from __future__ import annotations

from gateway.core.contract import CONTRACT as PLUGIN_CONTRACT
from gateway.core.contract import Context, Ctx, Host, Market, Plugin
from providers.contract import CONTRACT as PROVIDER_CONTRACT
from providers.contract import (
    Answer,
    Clock,
    Credential,
    Http,
    Licence,
    Limit,
    Profile,
    Provider,
    Reply,
    Tier,
    answers,
    header,
    per_day,
    per_minute,
    per_second,
    query,
)
from providers.row import Row
from schema.capability import Capability, Items, Ranges, Terms
from schema.errors import (
    BadInput,
    Blocked,
    Malformed,
    MarketgateError,
    NoAnswer,
    NotCovered,
    Overloaded,
    QuotaExhausted,
    Throttled,
    Unauthorized,
    UnknownInstrument,
    UpstreamError,
)
from schema.model import computed, described, model
from schema.provenance import DataMode, FeedDelay, Provenance
from schema.symbols import AssetClass, InstrumentId, parse_instrument
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk, PriceLevel
from schema.words.candles import CANDLES, NO_BARS, Adjustment, Bars, CandlesAsk
from schema.words.caps import MARKET_CAPS, MarketCap, MarketCapsAsk
from schema.words.instruments import INSTRUMENTS, SEARCH, InstrumentsAsk, InstrumentType, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk
from schema.words.trades import TRADES, Side, Trade, TradesAsk
from schema.words.venues import MarketState, TradingHours

__all__ = [
    "CANDLES",
    "FX_RATES",
    "INSTRUMENTS",
    "MARKET_CAPS",
    "NO_BARS",
    "ORDER_BOOK",
    "PLUGIN_CONTRACT",
    "PROVIDER_CONTRACT",
    "QUOTES",
    "SEARCH",
    "TRADES",
    "Adjustment",
    "Answer",
    "AssetClass",
    "BadInput",
    "Bars",
    "Blocked",
    "CandlesAsk",
    "Capability",
    "Clock",
    "Context",
    "Credential",
    "Ctx",
    "DataMode",
    "FeedDelay",
    "FxRate",
    "FxRatesAsk",
    "Host",
    "Http",
    "InstrumentId",
    "InstrumentType",
    "InstrumentsAsk",
    "Interval",
    "Items",
    "Licence",
    "Limit",
    "Listing",
    "Malformed",
    "Market",
    "MarketCap",
    "MarketCapsAsk",
    "MarketState",
    "MarketgateError",
    "NoAnswer",
    "NotCovered",
    "OrderBook",
    "OrderBookAsk",
    "Overloaded",
    "Plugin",
    "PriceLevel",
    "PriceType",
    "Profile",
    "Provenance",
    "Provider",
    "QuotaExhausted",
    "Quote",
    "QuotesAsk",
    "Ranges",
    "Reply",
    "Row",
    "SearchAsk",
    "Side",
    "StatsWindow",
    "Terms",
    "Throttled",
    "Tier",
    "Trade",
    "TradesAsk",
    "TradingHours",
    "Unauthorized",
    "UnknownInstrument",
    "UpstreamError",
    "answers",
    "computed",
    "described",
    "header",
    "model",
    "parse_instrument",
    "per_day",
    "per_minute",
    "per_second",
    "query",
]
