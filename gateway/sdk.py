"""The one import for authors of providers and plugins outside this repository; it follows semantic versioning.

A provider subclasses `Provider`, declares methods with `answers`, and is registered under the entry point group
`marketgate.providers`. A plugin is a `Plugin` value, registered under `marketgate.plugins`.
"""

from __future__ import annotations

from gateway.core.contract import CONTRACT as PLUGIN_CONTRACT
from gateway.core.contract import Context, Ctx, Host, Market, Plugin
from gateway.core.ports import Desk
from providers.contract import CONTRACT as PROVIDER_CONTRACT
from providers.contract import (
    Answer,
    Clock,
    Credential,
    Http,
    Licence,
    Limit,
    Part,
    Profile,
    Provider,
    Reply,
    Tier,
    answers,
    header,
    in_path,
    per_day,
    per_minute,
    per_second,
    query,
)
from providers.feeds import (
    Alive,
    Confirmed,
    Feed,
    Gap,
    Heartbeat,
    News,
    Out,
    Pong,
    Refused,
    Restart,
    Said,
    Stream,
    Topic,
    Wants,
    streams,
)
from providers.row import Row
from schema.arguments import After, PageSize, Route, Symbol
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
from schema.facts import Shared, facts
from schema.model import computed, described, model
from schema.paging import Connection, connected
from schema.provenance import DataMode, FeedDelay, Provenance
from schema.scopes import Scope
from schema.symbols import AssetClass, InstrumentId, parse_instrument
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk, PriceLevel
from schema.words.candles import CANDLES, NO_BARS, Adjustment, Bars, Candle, CandlesAsk
from schema.words.caps import MARKET_CAPS, MarketCap, MarketCapsAsk
from schema.words.chains import (
    BALANCE,
    CHAIN_STATUS,
    CHAINS,
    FEES,
    ORACLE_PRICES,
    TRANSACTIONS,
    Balance,
    BalanceAsk,
    ChainStatus,
    ChainStatusAsk,
    ChainTransaction,
    FeeEstimate,
    FeesAsk,
    FeeUnit,
    OraclePrice,
    OraclePricesAsk,
    TransactionsAsk,
)
from schema.words.chat import (
    CHAT,
    CHAT_MODELS,
    CHAT_STREAM,
    ChatAsk,
    ChatDelta,
    ChatMessage,
    ChatModel,
    ChatModelsAsk,
    ChatReply,
    ChatRole,
    ChatTool,
    ChatUsage,
    FinishReason,
    ToolCall,
    ToolCallDelta,
)
from schema.words.companies import (
    COMPANY_PROFILE,
    CORPORATE_ACTIONS,
    FILINGS,
    IDENTIFIERS,
    ActionKind,
    CompanyProfile,
    CompanyProfileAsk,
    CorporateAction,
    CorporateActionsAsk,
    Filing,
    FilingsAsk,
    IdentifierMapping,
    IdentifiersAsk,
    IdScheme,
)
from schema.words.curves import YIELD_CURVE, CurveKind, YieldCurve, YieldCurveAsk, YieldPoint
from schema.words.defi import (
    POOLS,
    SWAP_QUOTE,
    TVL,
    TVL_HISTORY,
    YIELDS,
    LockedIn,
    Pool,
    PoolsAsk,
    SwapQuote,
    SwapQuoteAsk,
    SwapStep,
    Token,
    Tvl,
    TvlAsk,
    TvlHistoryAsk,
    TvlPoint,
    YieldRate,
    YieldsAsk,
)
from schema.words.derivatives import (
    FUNDING_HISTORY,
    FUNDING_RATES,
    LIQUIDATIONS,
    OPEN_INTEREST,
    FundingHistoryAsk,
    FundingRate,
    FundingRatesAsk,
    Liquidation,
    LiquidationsAsk,
    OpenInterest,
    OpenInterestAsk,
)
from schema.words.economics import (
    ECONOMIC_CALENDAR,
    ECONOMIC_SERIES,
    EconomicCalendarAsk,
    EconomicEvent,
    EconomicSeries,
    EconomicSeriesAsk,
    Frequency,
    Importance,
    Observation,
    own_code,
)
from schema.words.fundamentals import (
    EARNINGS,
    FUNDAMENTALS,
    KEY_FIGURES,
    EarningsAsk,
    EarningsEvent,
    EarningsTime,
    Fundamentals,
    FundamentalsAsk,
    KeyFigures,
    KeyFiguresAsk,
    ReportPeriod,
    Statement,
)
from schema.words.history import HISTORICAL_QUOTE, PRICE_HISTORY, HistoricalQuoteAsk, PriceHistoryAsk, PricePoint
from schema.words.instruments import INSTRUMENTS, SEARCH, InstrumentsAsk, InstrumentType, Listing, SearchAsk
from schema.words.intervals import Interval
from schema.words.knowledge import end_of, known_at
from schema.words.news import NEWS, NewsArticle, NewsAsk
from schema.words.options import OPTION_CHAIN, OptionChain, OptionChainAsk, OptionContract, OptionRight
from schema.words.quotes import QUOTES, PriceType, Quote, QuotesAsk, StatsWindow
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk
from schema.words.routes import terms_of
from schema.words.sentiment import FEAR_AND_GREED, SENTIMENT, SentimentAsk, SentimentIndex
from schema.words.sessions import MARKET_STATUS, TRADING_SESSIONS, MarketStatus, MarketStatusAsk, TradingSessionsAsk
from schema.words.trades import TRADES, Side, Trade, TradesAsk
from schema.words.venues import MarketState, TradingHours
from schema.words.videos import VIDEOS, Video, VideoOrder, VideosAsk
from schema.words.websearch import WEB_SEARCH, SearchResult, WebSearchAsk

__all__ = [
    "BALANCE", "CANDLES", "CHAINS", "CHAIN_STATUS", "CHAT", "CHAT_MODELS", "CHAT_STREAM", "COMPANY_PROFILE",
    "CORPORATE_ACTIONS", "EARNINGS", "ECONOMIC_CALENDAR", "ECONOMIC_SERIES", "FEAR_AND_GREED", "FEES", "FILINGS",
    "FUNDAMENTALS", "FUNDING_HISTORY", "FUNDING_RATES", "FX_RATES", "HISTORICAL_QUOTE", "IDENTIFIERS",
    "INSTRUMENTS", "KEY_FIGURES", "LIQUIDATIONS", "MARKET_CAPS", "MARKET_STATUS", "NEWS", "NO_BARS",
    "OPEN_INTEREST", "OPTION_CHAIN", "ORACLE_PRICES", "ORDER_BOOK", "PLUGIN_CONTRACT", "POOLS", "PRICE_HISTORY",
    "PROVIDER_CONTRACT", "QUOTES", "SEARCH", "SENTIMENT", "SWAP_QUOTE", "TRADES", "TRADING_SESSIONS",
    "TRANSACTIONS", "TVL", "TVL_HISTORY", "VIDEOS", "WEB_SEARCH", "YIELDS", "YIELD_CURVE", "ActionKind",
    "Adjustment", "After", "Alive", "Answer", "AssetClass", "BadInput", "Balance", "BalanceAsk", "Bars", "Blocked",
    "Candle", "CandlesAsk", "Capability", "ChainStatus", "ChainStatusAsk", "ChainTransaction", "ChatAsk",
    "ChatDelta", "ChatMessage", "ChatModel", "ChatModelsAsk", "ChatReply", "ChatRole", "ChatTool", "ChatUsage",
    "Clock", "CompanyProfile", "CompanyProfileAsk", "Confirmed", "Connection", "Context", "CorporateAction",
    "CorporateActionsAsk", "Credential", "Ctx", "CurveKind", "DataMode", "Desk", "EarningsAsk", "EarningsEvent",
    "EarningsTime", "EconomicCalendarAsk", "EconomicEvent", "EconomicSeries", "EconomicSeriesAsk", "FeeEstimate",
    "FeeUnit", "Feed", "FeedDelay", "FeesAsk", "Filing", "FilingsAsk", "FinishReason", "Frequency", "Fundamentals",
    "FundamentalsAsk", "FundingHistoryAsk", "FundingRate", "FundingRatesAsk", "FxRate", "FxRatesAsk", "Gap",
    "Heartbeat", "HistoricalQuoteAsk", "Host", "Http", "IdScheme", "IdentifierMapping", "IdentifiersAsk",
    "Importance", "InstrumentId", "InstrumentType", "InstrumentsAsk", "Interval", "Items", "KeyFigures",
    "KeyFiguresAsk", "Licence", "Limit", "Liquidation", "LiquidationsAsk", "Listing", "LockedIn", "Malformed",
    "Market", "MarketCap", "MarketCapsAsk", "MarketState", "MarketStatus", "MarketStatusAsk", "MarketgateError",
    "News", "NewsArticle", "NewsAsk", "NoAnswer", "NotCovered", "Observation", "OpenInterest", "OpenInterestAsk",
    "OptionChain", "OptionChainAsk", "OptionContract", "OptionRight", "OraclePrice", "OraclePricesAsk", "OrderBook",
    "OrderBookAsk", "Out", "Overloaded", "PageSize", "Part", "Plugin", "Pong", "Pool", "PoolsAsk",
    "PriceHistoryAsk", "PriceLevel", "PricePoint", "PriceType", "Profile", "Provenance", "Provider",
    "QuotaExhausted", "Quote", "QuotesAsk", "Ranges", "Refused", "Reply", "ReportPeriod", "Restart", "Route", "Row",
    "Said", "Scope", "SearchAsk", "SearchResult", "SentimentAsk", "SentimentIndex", "Shared", "Side", "Statement",
    "StatsWindow", "Stream", "SwapQuote", "SwapQuoteAsk", "SwapStep", "Symbol", "Terms", "Throttled", "Tier",
    "Token", "ToolCall", "ToolCallDelta", "Topic", "Trade", "TradesAsk", "TradingHours", "TradingSessionsAsk",
    "TransactionsAsk", "Tvl", "TvlAsk", "TvlHistoryAsk", "TvlPoint", "Unauthorized", "UnknownInstrument",
    "UpstreamError", "Video", "VideoOrder", "VideosAsk", "Wants", "WebSearchAsk", "YieldCurve", "YieldCurveAsk",
    "YieldPoint", "YieldRate", "YieldsAsk", "answers", "computed", "connected", "described", "end_of", "facts",
    "header", "in_path", "known_at", "model", "own_code", "parse_instrument", "per_day", "per_minute", "per_second",
    "query", "streams", "terms_of",
]  # fmt: skip
