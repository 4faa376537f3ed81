# Written by `make gen` from schema.graphql and operations/*.graphql; edit there.
"""The typed questions of a client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from marketgate_client.generated import enums, inputs, models, operations
from marketgate_client.streams import Stream
from marketgate_client.wire import Operation

T = TypeVar("T")


class Questions(ABC):
    """One method for each operation; what is None is left to the gateway's defaults."""

    @abstractmethod
    def _ask(self, operation: Operation[T], variables: Mapping[str, object]) -> T: ...

    @abstractmethod
    def _stream(self, operation: Operation[T], variables: Mapping[str, object], after: str | None) -> Stream[T]: ...

    def viewer(self) -> models.Viewer | None:
        """The caller; null without a credential."""
        return self._ask(operations.VIEWER, {})

    def events(
        self, *, types: Sequence[str] | None = None, first: int | None = None, after: str | None = None
    ) -> models.EventConnection:
        """The organisation's events of the last 30 days, the oldest first: what a receiver of webhooks that was
        down has missed, with the same ids.
        """
        return self._ask(operations.EVENTS, {"types": types, "first": first, "after": after})

    def event_types(self) -> tuple[models.EventTypeInfo, ...]:
        """The catalogue: every type of event, with JSON Schema and sample."""
        return self._ask(operations.EVENT_TYPES, {})

    def portfolios(self, *, first: int | None = None, after: str | None = None) -> models.PortfolioConnection:
        """The organisation's portfolios, the oldest first."""
        return self._ask(operations.PORTFOLIOS, {"first": first, "after": after})

    def valued_portfolio(self, id: str, *, at: datetime | None = None) -> models.ValuedPortfolio | None:
        """One of the organisation's portfolios; null where there is none with this id."""
        return self._ask(operations.VALUED_PORTFOLIO, {"id": id, "at": at})

    def quote(
        self,
        symbol: str,
        *,
        asset_class: enums.AssetClass | str | None = None,
        convert_to: str | None = None,
        route: inputs.RouteInput | None = None,
    ) -> models.Quote:
        """The last price of one symbol, in its own quote currency or in `convertTo`."""
        return self._ask(
            operations.QUOTE, {"symbol": symbol, "assetClass": asset_class, "convertTo": convert_to, "route": route}
        )

    def quotes(
        self, symbols: Sequence[str], *, convert_to: str | None = None, route: inputs.RouteInput | None = None
    ) -> models.QuoteBatch:
        """Last prices of at most 200 symbols; what is missing is data, not an error."""
        return self._ask(operations.QUOTES, {"symbols": symbols, "convertTo": convert_to, "route": route})

    def consensus(
        self,
        symbol: str,
        *,
        providers: Sequence[str] | None = None,
        quorum: int | None = None,
        max_age_ms: int | None = None,
    ) -> models.Consensus:
        """The same price from several providers at once, outliers named; fixings with those of their day."""
        return self._ask(
            operations.CONSENSUS, {"symbol": symbol, "providers": providers, "quorum": quorum, "maxAgeMs": max_age_ms}
        )

    def candle_page(
        self,
        symbol: str,
        interval: enums.Interval | str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        adjustment: enums.Adjustment | str | None = None,
        hours: enums.TradingHours | str | None = None,
        fill: enums.Fill | str | None = None,
        route: inputs.RouteInput | None = None,
    ) -> models.CandleSeries:
        """A price series with open times in `[start, end)`, at most 5,000 rows; default the last 100."""
        return self._ask(
            operations.CANDLE_PAGE,
            {
                "symbol": symbol,
                "interval": interval,
                "start": start,
                "end": end,
                "first": first,
                "after": after,
                "last": last,
                "before": before,
                "adjustment": adjustment,
                "hours": hours,
                "fill": fill,
                "route": route,
            },
        )

    def order_book(
        self, symbol: str, *, depth: int | None = None, route: inputs.RouteInput | None = None
    ) -> models.OrderBook:
        """The best `depth` levels of each side, 1 to 1000."""
        return self._ask(operations.ORDER_BOOK, {"symbol": symbol, "depth": depth, "route": route})

    def trades(
        self, symbol: str, *, last: int | None = None, route: inputs.RouteInput | None = None
    ) -> tuple[models.Trade, ...]:
        """The newest `last` executions, 1 to 1000, ascending by time."""
        return self._ask(operations.TRADES, {"symbol": symbol, "last": last, "route": route})

    def instrument(self, symbol: str, *, asset_class: enums.AssetClass | str | None = None) -> models.Instrument:
        """Reference data of one instrument."""
        return self._ask(operations.INSTRUMENT, {"symbol": symbol, "assetClass": asset_class})

    def instruments(
        self,
        *,
        search: str | None = None,
        provider_symbol: str | None = None,
        asset_class: enums.AssetClass | str | None = None,
        type: enums.InstrumentType | str | None = None,
        venue: str | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> models.InstrumentConnection:
        """Search by ticker, name, ISIN, FIGI or a provider's own symbol; without a text the whole list."""
        return self._ask(
            operations.INSTRUMENTS,
            {
                "search": search,
                "providerSymbol": provider_symbol,
                "assetClass": asset_class,
                "type": type,
                "venue": venue,
                "first": first,
                "after": after,
            },
        )

    def providers(
        self,
        *,
        capability: str | None = None,
        asset_class: enums.AssetClass | str | None = None,
        status: enums.ProviderStatus | str | None = None,
    ) -> tuple[models.Provider, ...]:
        """The registry in order of routing: facts, condition, what is missing."""
        return self._ask(operations.PROVIDERS, {"capability": capability, "assetClass": asset_class, "status": status})

    def rates(
        self,
        base: str,
        *,
        quotes: Sequence[str] | None = None,
        start: date | None = None,
        end: date | None = None,
        route: inputs.RouteInput | None = None,
    ) -> models.FxRates:
        """Reference rates of a base currency: the newest, or those of each day in `[start, end)`."""
        return self._ask(operations.RATES, {"base": base, "quotes": quotes, "start": start, "end": end, "route": route})

    def convert(
        self, amount: Decimal, from_: str, to: str, *, route: inputs.RouteInput | None = None
    ) -> models.ConvertedAmount:
        """An amount in another currency, with the rate and where it came from."""
        return self._ask(operations.CONVERT, {"amount": amount, "from": from_, "to": to, "route": route})

    def funding_rate(self, symbol: str, *, route: inputs.RouteInput | None = None) -> models.FundingRate:
        """What holders of a perpetual pay each other for the running interval."""
        return self._ask(operations.FUNDING_RATE, {"symbol": symbol, "route": route})

    def company_profile(self, symbol: str, *, route: inputs.RouteInput | None = None) -> models.CompanyProfile:
        """Who is behind an instrument."""
        return self._ask(operations.COMPANY_PROFILE, {"symbol": symbol, "route": route})

    def market_status(self, *, venue: str | None = None, route: inputs.RouteInput | None = None) -> models.MarketStatus:
        """Whether a venue trades now: as a provider sees it, halts too, or by the calendar where none answers
        (`basis`). With pinned providers only theirs counts.
        """
        return self._ask(operations.MARKET_STATUS, {"venue": venue, "route": route})

    def news(
        self,
        *,
        search: str | None = None,
        symbols: Sequence[str] | None = None,
        topic: str | None = None,
        language: str | None = None,
        country: str | None = None,
        source: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        first: int | None = None,
        after: str | None = None,
        route: inputs.RouteInput | None = None,
    ) -> models.NewsArticleConnection:
        """The newest hundred articles by words, instruments or a topic, newest first. A provider that cannot
        filter by what is asked for is not asked.
        """
        return self._ask(
            operations.NEWS,
            {
                "search": search,
                "symbols": symbols,
                "topic": topic,
                "language": language,
                "country": country,
                "source": source,
                "start": start,
                "end": end,
                "first": first,
                "after": after,
                "route": route,
            },
        )

    def quotes_stream(
        self,
        symbols: Sequence[str],
        *,
        every_ms: int | None = None,
        convert_to: str | None = None,
        route: inputs.RouteInput | None = None,
        after: str | None = None,
    ) -> Stream[models.QuotesUpdate]:
        """Quotes as they change: a snapshot first, then what is new, conflated to the reader's pace."""
        return self._stream(
            operations.QUOTES_STREAM,
            {"symbols": symbols, "everyMs": every_ms, "convertTo": convert_to, "route": route},
            after,
        )

    def candles_stream(
        self,
        symbol: str,
        interval: enums.Interval | str,
        *,
        every_ms: int | None = None,
        route: inputs.RouteInput | None = None,
        after: str | None = None,
    ) -> Stream[models.CandleUpdate]:
        """Candles as they form; the same open time again replaces the bar."""
        return self._stream(
            operations.CANDLES_STREAM,
            {"symbol": symbol, "interval": interval, "everyMs": every_ms, "route": route},
            after,
        )

    def order_book_stream(
        self,
        symbol: str,
        *,
        depth: int | None = None,
        every_ms: int | None = None,
        route: inputs.RouteInput | None = None,
        after: str | None = None,
    ) -> Stream[models.OrderBookUpdate]:
        """A venue's order book as it changes, whole each time."""
        return self._stream(
            operations.ORDER_BOOK_STREAM, {"symbol": symbol, "depth": depth, "everyMs": every_ms, "route": route}, after
        )

    def trades_stream(
        self,
        symbol: str,
        *,
        every_ms: int | None = None,
        route: inputs.RouteInput | None = None,
        after: str | None = None,
    ) -> Stream[models.TradesUpdate]:
        """Trades as they happen, each once but for those of a snapshot."""
        return self._stream(operations.TRADES_STREAM, {"symbol": symbol, "everyMs": every_ms, "route": route}, after)

    def consensus_stream(
        self,
        symbol: str,
        *,
        providers: Sequence[str] | None = None,
        quorum: int | None = None,
        max_age_ms: int | None = None,
        every_ms: int | None = None,
        after: str | None = None,
    ) -> Stream[models.ConsensusUpdate]:
        """What the streams of several providers agree on, outliers named, whenever one of them has spoken.
        Without `providers` the first five that stream it, or as many as `quorum`.
        """
        return self._stream(
            operations.CONSENSUS_STREAM,
            {"symbol": symbol, "providers": providers, "quorum": quorum, "maxAgeMs": max_age_ms, "everyMs": every_ms},
            after,
        )

    def provider_health_stream(
        self, *, providers: Sequence[str] | None = None, after: str | None = None
    ) -> Stream[models.ProviderHealthUpdate]:
        """Providers whose status, breaker, error rate or latency has changed: a snapshot first."""
        return self._stream(operations.PROVIDER_HEALTH_STREAM, {"providers": providers}, after)

    def news_stream(
        self,
        *,
        search: str | None = None,
        symbols: Sequence[str] | None = None,
        topic: str | None = None,
        language: str | None = None,
        country: str | None = None,
        source: str | None = None,
        route: inputs.RouteInput | None = None,
        after: str | None = None,
    ) -> Stream[models.NewsUpdate]:
        """Articles by words, instruments or a topic as they are published, each once: the newest twenty first.
        Providers are asked as often as their answers stay fresh.
        """
        return self._stream(
            operations.NEWS_STREAM,
            {
                "search": search,
                "symbols": symbols,
                "topic": topic,
                "language": language,
                "country": country,
                "source": source,
                "route": route,
            },
            after,
        )

    def events_stream(
        self, *, types: Sequence[str] | None = None, after: str | None = None
    ) -> Stream[models.EventUpdate]:
        """The organisation's events as they happen: none missing, none twice. Without `after` from now on; with
        the cursor of the last message from behind it, 30 days back.
        """
        return self._stream(operations.EVENTS_STREAM, {"types": types}, after)

    def portfolio_stream(
        self, id: str, *, every_ms: int | None = None, after: str | None = None
    ) -> Stream[models.PortfolioUpdate]:
        """A portfolio's value, profit and exposure as prices change: a snapshot first, then what is new,
        conflated to the reader's pace. What others change of it shows with the next price.
        """
        return self._stream(operations.PORTFOLIO_STREAM, {"id": id, "everyMs": every_ms}, after)

    def account_stream(
        self, id: str, *, every_ms: int | None = None, after: str | None = None
    ) -> Stream[models.TradingAccountUpdate]:
        """A trading account as it changes: first a snapshot (standing, positions, balances, open orders), then
        what is new, conflated to the reader's pace. Fills and events come from the log: none missing, none
        twice, also behind the cursor of a message before.
        """
        return self._stream(operations.ACCOUNT_STREAM, {"id": id, "everyMs": every_ms}, after)

    def trading_accounts(
        self, *, first: int | None = None, after: str | None = None
    ) -> models.TradingAccountConnection:
        """The trading accounts that the caller may see, the oldest first."""
        return self._ask(operations.TRADING_ACCOUNTS, {"first": first, "after": after})

    def positions(
        self, account_id: str, *, first: int | None = None, after: str | None = None
    ) -> models.TradingPositionConnection | None:
        """What an account holds by the prices of now, in order of instrument; null without such an account."""
        return self._ask(operations.POSITIONS, {"accountId": account_id, "first": first, "after": after})

    def orders(
        self,
        account_id: str,
        *,
        open: bool | None = None,
        status: Sequence[enums.OrderStatus | str] | None = None,
        symbol: str | None = None,
        strategy: str | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> models.OrderConnection:
        """An account's orders, the newest first."""
        return self._ask(
            operations.ORDERS,
            {
                "accountId": account_id,
                "open": open,
                "status": status,
                "symbol": symbol,
                "strategy": strategy,
                "first": first,
                "after": after,
            },
        )

    def order_preview(self, input: inputs.OrderPlaceInput) -> models.OrderPreview:
        """What an order would cost if it were placed now: price, fee, reserve, what would be filled at once,
        what is left of the account; or why it would be refused. Nothing is kept.
        """
        return self._ask(operations.ORDER_PREVIEW, {"input": input})

    def trading_account_create(self, input: inputs.TradingAccountCreateInput) -> models.TradingAccountCreatePayload:
        """Make a trading account, with its first deposit."""
        return self._ask(operations.TRADING_ACCOUNT_CREATE, {"input": input})

    def order_place(self, input: inputs.OrderPlaceInput) -> models.OrderPlacePayload:
        """Place an order, with takeProfit or stopLoss a bracket. The same clientOrderId is the same order."""
        return self._ask(operations.ORDER_PLACE, {"input": input})

    def order_cancel(self, input: inputs.OrderCancelInput) -> models.OrderCancelPayload:
        """Cancel an order, and those that wait for it."""
        return self._ask(operations.ORDER_CANCEL, {"input": input})
