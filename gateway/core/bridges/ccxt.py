"""One exchange of the package ccxt as a provider: its requests go through our port, its numbers stay exact.

ccxt builds requests and reads answers; sending, limits, deadlines, retries and errors are the gateway's. Only public
data of spot markets, without a key. See docs/adr/0015-ccxt-builds-requests-and-sends-none.md.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from gateway.core.bridges.answers import parse_book, parse_markets, parse_ticker, parse_trades
from providers.contract import Clock, Http, Licence, Profile, Provider, Reply, answers, per_minute
from providers.row import Row
from schema import errors
from schema.symbols import AssetClass, InstrumentId
from schema.words.books import ORDER_BOOK, OrderBook, OrderBookAsk
from schema.words.candles import CANDLES, NO_BARS, Bars, CandlesAsk
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk, Listing
from schema.words.intervals import SHORT_FORMS, Interval
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.trades import TRADES, Trade, TradesAsk

PREFIX = "ccxt_"
BATCH = 50
ROWS = 100
"""Candles in one answer where ccxt does not say how many an exchange gives."""
PRIORITY = 80
READINGS = 512
TICK_SIZE = 4
"""ccxt's number for a precision that is a step; others count digits."""
THROTTLED = (418, 429)
NEEDED = {
    "quotes": "fetchTicker", "candles": "fetchOHLCV", "orderBook": "fetchOrderBook", "trades": "fetchTrades",
    "instruments": "fetchMarkets",
}  # fmt: skip
KINDS: Mapping[str, type[errors.UpstreamError]] = {
    "RateLimitExceeded": errors.Throttled, "DDoSProtection": errors.Throttled, "RequestTimeout": errors.Timeout,
    "ExchangeNotAvailable": errors.Overloaded, "NetworkError": errors.ConnectionFailed,
    "BadSymbol": errors.UnknownInstrument, "AuthenticationError": errors.Unauthorized,
    "RestrictedLocation": errors.Blocked, "BadResponse": errors.Malformed, "BaseError": errors.NotCovered,
}  # fmt: skip
"""What ccxt's errors mean here, by the nearest of their classes."""


class Bridged(Provider):
    """What the providers of all bridged exchanges share; `source` is ccxt's class of the exchange."""

    source: Any
    stateless = False

    def __init__(self, http: Http, clock: Clock) -> None:
        super().__init__(http, clock)
        self._readings: deque[int] = deque(maxlen=READINGS)
        self._lock = asyncio.Lock()
        self.exchange = self._opened()

    def _opened(self) -> Any:
        """A fresh one of ccxt's: it sends through our port, reads our clock and counts in texts."""
        made = opened(self.source)
        made.fetch, made.milliseconds = self._fetch, self._milliseconds
        return made

    async def listed(self) -> Mapping[str, Any]:
        """All markets, fetched anew; who asks meanwhile has the old ones."""
        with translated(self.profile.id):
            fresh = self._opened()
            markets = await fresh.fetch_markets()
            # A second of work for a large exchange.
            await asyncio.to_thread(fresh.set_markets, markets)
        self.exchange = fresh
        found: Mapping[str, Any] = fresh.markets
        return found

    async def known(self) -> Mapping[str, Any]:
        """The markets by symbol; nobody fetches them twice at once."""
        async with self._lock:
            return self.exchange.markets or await self.listed()

    async def read(self, method: str, *arguments: Any) -> Row:
        """What one of ccxt's unified methods answers, as a row whose path begins there."""
        await self.known()
        with translated(self.profile.id):
            return Row(self.profile.id, await getattr(self.exchange, method)(*arguments))

    async def tickers(self, symbols: Sequence[str]) -> Mapping[str, Row]:
        """By symbol; those that are not listed are left out, because ccxt refuses all of them for one."""
        if len(symbols) == 1:
            return {symbols[0]: await self.read("fetch_ticker", symbols[0])}
        known = await self.known()
        return dict((await self.read("fetch_tickers", [each for each in symbols if each in known])).items())

    def explain(self, reply: Reply) -> errors.UpstreamError | None:
        """Whatever ccxt knows of the exchange's own wording; of a pause the status and its headers tell more."""
        if reply.status in THROTTLED:
            return None
        body, told = plain(reply.body.value), str(reply.body.value)
        try:
            with translated(self.profile.id):
                self.exchange.handle_errors(
                    reply.status, "", "", "GET", dict(reply.headers), told, None if isinstance(body, str) else body,
                    None, None,
                )  # fmt: skip
        except errors.UpstreamError as error:
            return error
        return None

    def own_time(self, row: Row) -> bool:
        """Whether an answer carries our clock's time, which ccxt writes where the exchange tells none."""
        return row["timestamp"].value in self._readings

    def _milliseconds(self) -> int:
        reading = int(self.clock.now().timestamp() * 1000)
        self._readings.append(reading)
        return reading

    async def _fetch(self, url: str, method: str = "GET", headers: object = None, body: str | None = None) -> Any:
        """In the place of ccxt's own client. Its headers are about keys and clients: they are left behind."""
        parts = urlsplit(url)
        root = f"{parts.scheme}://{parts.netloc}"
        if root not in (self.profile.base_url, *self.profile.hosts.values()):
            raise errors.NotCovered(self.profile.id, f"would ask {parts.netloc}, which ccxt does not declare")
        host = "" if root == self.profile.base_url else parts.netloc
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        if method == "GET":
            return plain((await self.http.get(parts.path, params, host=host)).value)
        if method != "POST":
            raise errors.NotCovered(self.profile.id, f"would send {method}, and only GET and POST read")
        return plain((await self.http.post(parts.path, _json(self.profile.id, body), params, host=host)).value)


def provider_of(source: Any) -> type[Provider]:
    """The provider class of one of ccxt's exchange classes; nothing is sent."""
    facts = opened(source)
    roots = roots_of(facts)
    names, rows = intervals_of(facts), rows_of(facts)
    batch = BATCH if facts.has.get("fetchTickers") is True else 1
    venues = ("", f"{PREFIX}{facts.id}")

    def covered(instrument: InstrumentId) -> bool:
        spot = instrument.asset_class is AssetClass.CRYPTO and instrument.is_spot
        return spot and instrument.venue in venues

    class Exchange(Bridged):
        """The capabilities; one that the exchange does not have is taken away below."""

        profile = Profile(
            id=venues[1],
            name=f"{facts.name} (via ccxt)",
            base_url=roots[0],
            hosts={urlsplit(root).netloc: root for root in roots[1:]},
            docs="https://docs.ccxt.com",
            asset_classes=(AssetClass.CRYPTO,),
            licence=Licence(note=f"The terms of {facts.name}: ccxt does not tell them, so read them yourself."),
            limits=(per_minute(max(1, int(60_000 / facts.rateLimit))),),
            priority=PRIORITY,
        )

        @answers(QUOTES, covers=lambda ask: all(map(covered, ask.instruments)), max_batch=batch)
        async def quotes(self, ask: QuotesAsk) -> list[Quote]:
            rows = await self.tickers(sorted({instrument.symbol for instrument in ask.instruments}))
            found = [(each, rows[each.symbol]) for each in ask.instruments if each.symbol in rows]
            return [parse_ticker(each, row, timed=not self.own_time(row)) for each, row in found if row.get("last")]

        @answers(CANDLES, covers=lambda ask: covered(ask.instrument), intervals=tuple(names), max_rows=rows)
        async def candles(self, ask: CandlesAsk) -> Bars:
            since = int(ask.start.timestamp() * 1000)
            found = await self.read("fetch_ohlcv", ask.instrument.symbol, names[ask.interval], since, rows)
            return found.bars(time=0, open=1, high=2, low=3, close=4, volume=5) if len(found) else NO_BARS

        @answers(ORDER_BOOK, covers=lambda ask: covered(ask.instrument))
        async def order_book(self, ask: OrderBookAsk) -> OrderBook:
            row = await self.read("fetch_order_book", ask.instrument.symbol)
            return parse_book(ask.instrument, row, timed=not self.own_time(row))

        @answers(TRADES, covers=lambda ask: covered(ask.instrument))
        async def trades(self, ask: TradesAsk) -> tuple[Trade, ...]:
            return parse_trades(await self.read("fetch_trades", ask.instrument.symbol))

        @answers(INSTRUMENTS)
        async def instruments(self, _: InstrumentsAsk) -> tuple[Listing, ...]:
            markets = Row(self.profile.id, list((await self.listed()).values()))
            return parse_markets(markets, steps=facts.precisionMode == TICK_SIZE)

    Exchange.source, Exchange.__name__ = source, source.__name__
    # It stands for ccxt's module: the registry shows that as its origin, and there are no recordings beside it.
    Exchange.__module__ = source.__module__
    Exchange.offers = {name: offer for name, offer in Exchange.offers.items() if facts.has.get(NEEDED[name])}
    return Exchange


def opened(source: Any) -> Any:
    """One of ccxt's exchanges that waits for nobody (the gateway counts limits) and makes no float of a text.

    Where one made a float all the same, `Row` refuses it: an inexact number never leaves here.
    """
    made = source({"enableRateLimit": False, "options": {"defaultType": "spot"}})
    made.number = str
    # Books are read as floats whatever `number` is.
    made.safe_float = made.safe_number
    return made


def roots_of(facts: Any) -> list[str]:
    """The origins that an exchange's addresses stand on, in ccxt's order."""
    roots: dict[str, None] = {}
    waiting: list[Any] = [facts.urls.get("api")]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, str) and each.startswith("https://"):
            parts = urlsplit(facts.implode_hostname(each))
            roots[f"https://{parts.netloc}"] = None
    return list(roots)


def intervals_of(facts: Any) -> dict[Interval, str]:
    """ccxt's names of the intervals up to a day: it does not say where weeks and months begin."""
    named = {interval: name for name, interval in SHORT_FORMS.items() if name in (facts.timeframes or {})}
    return {interval: name for interval, name in named.items() if interval.seconds <= Interval.D1.seconds}


def rows_of(facts: Any) -> int:
    """Candles in one answer."""
    spot = (getattr(facts, "features", None) or {}).get("spot") or {}
    limit = (spot.get("fetchOHLCV") or {}).get("limit")
    return limit if type(limit) is int and limit > 0 else ROWS


def plain(value: Any) -> Any:
    """JSON as ccxt wants it: exact fractions as texts, which it reads like numbers."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def _json(provider: str, body: str | None) -> Any:
    try:
        return msgspec.json.decode(body or "{}")
    except msgspec.DecodeError:
        raise errors.NotCovered(provider, "would send a body that is no JSON") from None


@contextmanager
def translated(provider: str) -> Iterator[None]:
    """Errors of ccxt, and of its parsers, as ours."""
    try:
        yield
    except errors.UpstreamError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise errors.Malformed(provider, f"ccxt cannot read the answer ({type(error).__name__})") from error
    except Exception as error:
        names = [each.__name__ for each in type(error).__mro__]
        kind = next((KINDS[name] for name in names if name in KINDS), None)
        if kind is None:
            raise
        raise kind(provider, str(error)) from error
