"""Perpetuals of three exchanges: names, hosts and categories of their own, and another price than the spot pair's."""

from __future__ import annotations

from tests.e2e.market import exchanges
from tests.e2e.market.exchanges import MILLIS
from tests.e2e.market.numbers import HIGH, LOW, OPEN, QUOTE_VOLUME, VOLUME, VWAP
from tests.e2e.market.upstream import Answer, Asked, plain

PRICE = "91300.000000000000000077"


def binance(asked: Asked) -> Answer:
    """https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api"""
    if not asked.path.startswith("/fapi/"):
        return exchanges.binance(asked)
    assert asked.path == "/fapi/v1/ticker/24hr"
    return plain(
        {
            "symbol": asked.params["symbol"], "priceChange": "1234.5", "priceChangePercent": "1.371",
            "weightedAvgPrice": VWAP, "lastPrice": PRICE, "lastQty": "0.001", "openPrice": OPEN, "highPrice": HIGH,
            "lowPrice": LOW, "volume": VOLUME, "quoteVolume": QUOTE_VOLUME, "openTime": MILLIS - 86_400_000,
            "closeTime": MILLIS, "firstId": 1, "lastId": 2, "count": 2,
        }
    )  # fmt: skip


def bybit(asked: Asked) -> Answer:
    """https://bybit-exchange.github.io/docs/v5/market/tickers"""
    if asked.params["category"] == "spot":
        return exchanges.bybit(asked)
    assert (asked.path, asked.params["category"]) == ("/v5/market/tickers", "linear")
    row = {
        "symbol": asked.params["symbol"], "lastPrice": PRICE, "prevPrice24h": OPEN, "price24hPcnt": "0.0137",
        "highPrice24h": HIGH, "lowPrice24h": LOW, "turnover24h": QUOTE_VOLUME, "volume24h": VOLUME,
        "bid1Price": "91299.9", "bid1Size": "1", "ask1Price": "91300.1", "ask1Size": "1",
    }  # fmt: skip
    result = {"category": "linear", "list": [row]}
    return plain({"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": MILLIS})


def okx(asked: Asked) -> Answer:
    """https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-ticker"""
    if not asked.params.get("instId", "").endswith("-SWAP"):
        return exchanges.okx(asked)
    assert asked.path == "/api/v5/market/ticker"
    row = {
        "instType": "SWAP", "instId": asked.params["instId"], "last": PRICE, "lastSz": "1", "askPx": "91300.1",
        "askSz": "1", "bidPx": "91299.9", "bidSz": "1", "open24h": OPEN, "high24h": HIGH, "low24h": LOW,
        "volCcy24h": VOLUME, "vol24h": "123456", "ts": str(MILLIS), "sodUtc0": "1", "sodUtc8": "1",
    }  # fmt: skip
    return plain({"code": "0", "msg": "", "data": [row]})
