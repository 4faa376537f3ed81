"""A stand-in for `ccxt.async_support` with one exchange, built as the package builds its own.

The tests of the bridge run against the package itself, too, where it is installed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

exchanges = ["bitso"]


class BaseError(Exception):
    """The root of the package's errors."""


class ExchangeError(BaseError):
    """A refusal in the exchange's own words."""


class BadSymbol(ExchangeError):
    """A symbol that is not listed."""


class Base:
    """Markets, and a client that must never be reached."""

    number: Any = float
    precisionMode = 4
    hostname = None

    def __init__(self, config: dict[str, Any]) -> None:
        assert config["enableRateLimit"] is False
        self.markets: dict[str, Any] | None = None

    def implode_hostname(self, url: str) -> str:
        return url

    def set_markets(self, markets: list[dict[str, Any]]) -> None:
        self.markets = {market["symbol"]: market for market in markets}

    def safe_number(self, row: dict[str, Any], key: str) -> Any:
        return self.number(row[key])

    def safe_float(self, row: dict[str, Any], key: str) -> Any:
        return float(row[key])

    def milliseconds(self) -> int:
        raise AssertionError("time comes from the gateway")

    async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        raise AssertionError("requests go through the gateway")


class bitso(Base):
    """Bitso's public endpoints."""

    id, name, rateLimit = "bitso", "Bitso", 2000
    urls = {"api": {"rest": "https://bitso.com/api"}}  # noqa: RUF012 - as the package has it
    timeframes = {"1m": "60", "1h": "3600", "1d": "86400", "1w": "604800"}  # noqa: RUF012
    features = {"spot": {"fetchOHLCV": {"limit": 300}}}  # noqa: RUF012
    has = dict.fromkeys(("fetchTicker", "fetchOHLCV", "fetchOrderBook", "fetchTrades", "fetchMarkets"), True)

    def handle_errors(
        self, code: int, reason: str, url: str, method: str, headers: Any, body: str, response: Any, *sent: Any
    ) -> None:
        if response is not None and response.get("success") is False:
            raise ExchangeError(f"bitso {response['error']['message']}")

    async def _read(self, path: str, symbol: str = "", **params: Any) -> Any:
        if symbol:
            assert self.markets is not None
            if symbol not in self.markets:
                raise BadSymbol(f"bitso does not have market symbol {symbol}")
            params = {"book": self.markets[symbol]["id"], **params}
        return (await self.fetch(f"https://bitso.com/api/v3/{path}?{urlencode(params)}", "GET"))["payload"]

    async def fetch_markets(self) -> list[dict[str, Any]]:
        return [self._market(book) for book in await self._read("available_books")]

    def _market(self, book: dict[str, Any]) -> dict[str, Any]:
        base, quote = book["book"].upper().split("_")
        return {
            "id": book["book"], "symbol": f"{base}/{quote}", "base": base, "quote": quote, "spot": True, "active": None,
            "precision": {"price": self.number(book["tick_size"]), "amount": None},
            "limits": {
                "amount": {"min": self.number(book["minimum_amount"]), "max": self.number(book["maximum_amount"])},
                "cost": {"min": self.number(book["minimum_value"])},
            },
        }  # fmt: skip

    async def fetch_ticker(self, symbol: str) -> dict[str, Any]:
        row = await self._read("ticker", symbol)
        return {
            "timestamp": stamp(row["created_at"]), "last": self.number(row["last"]), "bid": self.number(row["bid"]),
            "ask": self.number(row["ask"]), "high": self.number(row["high"]), "low": self.number(row["low"]),
            "baseVolume": self.number(row["volume"]), "bidVolume": None, "askVolume": None, "open": None,
            "quoteVolume": None,
        }  # fmt: skip

    async def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> list[list[Any]]:
        seconds = int(self.timeframes[timeframe])
        end = since + seconds * limit * 1000
        rows = await self._read("ohlc", symbol, time_bucket=seconds, start=since, end=end)
        keys = ("first_rate", "max_rate", "min_rate", "last_rate", "volume")
        return [[int(row["bucket_start_time"]), *(self.number(row[key]) for key in keys)] for row in rows]

    async def fetch_order_book(self, symbol: str) -> dict[str, Any]:
        book = await self._read("order_book", symbol)
        sides = {
            side: [[self.safe_float(row, "price"), self.safe_float(row, "amount")] for row in book[side]]
            for side in ("bids", "asks")
        }
        return {"timestamp": stamp(book["updated_at"]), "nonce": None, **sides}

    async def fetch_trades(self, symbol: str) -> list[dict[str, Any]]:
        return [
            {
                "id": str(row["tid"]), "timestamp": stamp(row["created_at"]),
                "side": "sell" if row["maker_side"] == "buy" else "buy",
                "price": self.number(row["price"]), "amount": self.number(row["amount"]),
            }
            for row in await self._read("trades", symbol)
        ]  # fmt: skip


def stamp(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)
