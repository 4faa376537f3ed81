"""Six crypto exchanges in their documented wire formats, limits and ways to say no."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from tests.e2e.market.numbers import (
    ASK,
    ASK_SIZE,
    HIGH,
    LOW,
    OPEN,
    QUOTE_VOLUME,
    STAMP,
    VOLUME,
    VWAP,
    Bar,
    bars,
    bid_of,
    is_listed,
    price_of,
)
from tests.e2e.market.upstream import Answer, Asked, plain, text

MONDAY = 4 * 86_400
LEVELS, HISTORY = 1200, 1500
MILLIS = STAMP * 1000 + 123
STEPS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
QUOTES = ("USDT", "USDC", "USD", "EUR", "BTC")
BARE = [("BTC", "USD"), ("BTC", "USDT"), ("ETH", "USD"), ("LTC", "USD")]


def split(symbol: str) -> tuple[str, str]:
    """`BTCUSDT` as its two assets."""
    quote = next((quote for quote in QUOTES if symbol.endswith(quote)), "")
    return symbol.removesuffix(quote), quote


def stamp_text(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.123456Z")


def book(depth: int) -> tuple[list[list[str]], list[list[str]]]:
    """Bids and asks from the best; the third bid is an emptied level."""
    bids = [[f"{91234 - n}.5", "0" if n == 2 else f"1.{n:03d}"] for n in range(min(depth, LEVELS))]
    asks = [[f"{91235 + n}.5", f"2.{n:03d}"] for n in range(min(depth, LEVELS))]
    return bids, asks


def trades(count: int) -> list[tuple[int, int, str, str, bool]]:
    """The newest: id, seconds, price, size and whether the taker bought; ascending."""
    numbers = range(HISTORY - count, HISTORY)
    return [(10**10 + n, STAMP - HISTORY + n, f"91234.{n:018d}", f"0.{n:04d}1", n % 2 == 0) for n in numbers]


# --- Binance ----------------------------------------------------------------------------------------------------------


def binance(asked: Asked, holes: Collection[int] = ()) -> Answer:
    """https://developers.binance.com/docs/binance-spot-api-docs/rest-api"""
    if asked.path == "/api/v3/exchangeInfo":
        return plain(
            {"timezone": "UTC", "serverTime": MILLIS, "symbols": [_binance_listing(*pair) for pair in BARE[1:2]]}
        )
    several = "symbols" in asked.params
    symbols = json.loads(asked.params["symbols"]) if several else [asked.params["symbol"]]
    if not all(is_listed(split(symbol)[0]) for symbol in symbols):
        return plain({"code": -1121, "msg": "Invalid symbol."}, 400)
    limit = int(asked.params.get("limit", 500))
    if asked.path == "/api/v3/ticker/24hr":
        found = [_binance_ticker(symbol) for symbol in symbols]
        return plain(found if several else found[0])
    if asked.path == "/api/v3/klines":
        start, end = int(asked.params["startTime"]) // 1000, (int(asked.params["endTime"]) + 1) // 1000
        code = asked.params["interval"]
        step = STEPS[code[-1]] * int(code[:-1])
        rows = bars(start, end, step, holes, MONDAY if code == "1w" else 0)
        return plain([_binance_bar(bar, step) for bar, _ in zip(rows, range(min(limit, 1000)), strict=False)])
    if asked.path == "/api/v3/depth":
        bids, asks = book(limit)
        return plain({"lastUpdateId": 78412355019, "bids": bids, "asks": asks})
    return plain(
        [
            {"a": id, "p": price, "q": size, "f": id, "l": id, "T": moment * 1000, "m": not bought, "M": True}
            for id, moment, price, size, bought in trades(min(limit, 1000))
        ]
    )


def _binance_ticker(symbol: str) -> dict[str, object]:
    base = split(symbol)[0]
    bid, bid_size = bid_of(base, "0.00000000")
    return {
        "symbol": symbol, "priceChange": "1234.5", "priceChangePercent": "1.371", "weightedAvgPrice": VWAP,
        "prevClosePrice": "89999.1", "lastPrice": price_of(base), "lastQty": "0.001", "bidPrice": bid,
        "bidQty": bid_size, "askPrice": ASK, "askQty": ASK_SIZE, "openPrice": OPEN, "highPrice": HIGH, "lowPrice": LOW,
        "volume": VOLUME, "quoteVolume": QUOTE_VOLUME, "openTime": MILLIS - 86_400_000, "closeTime": MILLIS,
        "firstId": 1, "lastId": 2, "count": 2,
    }  # fmt: skip


def _binance_bar(bar: Bar, step: int) -> list[object]:
    close = (bar.time + step) * 1000 - 1
    return [bar.time * 1000, bar.open, bar.high, bar.low, bar.close, bar.volume, close, "3200.5", 17, "1", "1000", "0"]


def _binance_listing(base: str, quote: str) -> dict[str, object]:
    return {
        "symbol": base + quote, "status": "TRADING", "baseAsset": base, "quoteAsset": quote,
        "isSpotTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01000000"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001000"},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000"},
        ],
    }  # fmt: skip


# --- Kraken -----------------------------------------------------------------------------------------------------------

LONG = {"XBTUSD": "XXBTZUSD", "ETHUSD": "XETHZUSD", "LTCUSD": "XLTCZUSD", "XBTEUR": "XXBTZEUR"}


def kraken(asked: Asked, holes: Collection[int] = ()) -> Answer:
    """https://docs.kraken.com/api/docs/rest-api"""
    if asked.path == "/0/public/AssetPairs":
        return _kraken({"XXBTZUSD": KRAKEN_PAIR})
    pairs = asked.params["pair"].split(",")
    if not all(is_listed(_kraken_base(pair)) for pair in pairs):
        return plain({"error": ["EQuery:Unknown asset pair"]})
    name = LONG.get(pairs[0], pairs[0])
    count = int(asked.params.get("count", 100))
    if asked.path == "/0/public/Ticker":
        return _kraken({LONG.get(pair, pair): _kraken_ticker(_kraken_base(pair)) for pair in pairs})
    if asked.path == "/0/public/OHLC":
        step, since = int(asked.params["interval"]) * 60, int(asked.params["since"])
        # Whatever `since` says, no more than the newest 720.
        rows = list(bars(since + 1, int(time.time()) + step, step, holes))[-720:]
        listed = [[b.time, b.open, b.high, b.low, b.close, "0.0", b.volume, 5] for b in rows]
        return _kraken({name: listed, "last": rows[-1].time if rows else 0})
    if asked.path == "/0/public/Depth":
        bids, asks = ([[*level, STAMP] for level in side] for side in book(min(count, 500)))
        return _kraken({name: {"asks": asks, "bids": bids}})
    rows_ = [
        [p, s, moment + 0.25, "b" if up else "s", "m", "", id] for id, moment, p, s, up in trades(min(count, 1000))
    ]
    return _kraken({name: rows_, "last": "1"})


def _kraken(result: object) -> Answer:
    return plain({"error": [], "result": result})


def _kraken_base(pair: str) -> str:
    base = split(pair)[0]
    return {"XBT": "BTC"}.get(base, base)


def _kraken_ticker(base: str) -> dict[str, object]:
    bid, bid_size = bid_of(base, "0.00000")
    return {
        "a": [ASK, "1", ASK_SIZE], "b": [bid, "1", bid_size], "c": [price_of(base), "0.001"], "v": ["1.5", VOLUME],
        "p": ["90001", VWAP], "t": [10, 20], "l": ["1", LOW], "h": ["2", HIGH], "o": "91000.0",
    }  # fmt: skip


KRAKEN_PAIR = {
    "altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "base": "XXBT", "aclass_quote": "currency",
    "quote": "ZUSD", "pair_decimals": 1, "lot_decimals": 8, "ordermin": "0.00005", "costmin": "0.5",
    "tick_size": "0.1", "status": "online",
}  # fmt: skip


# --- Coinbase Exchange ------------------------------------------------------------------------------------------------


def coinbaseexchange(asked: Asked, holes: Collection[int] = ()) -> Answer:
    """https://docs.cdp.coinbase.com/api-reference/exchange-api"""
    if asked.path == "/products":
        return plain([COINBASE_PRODUCT])
    _, _, product, what = asked.path.split("/")
    base = product.partition("-")[0]
    if not is_listed(base):
        return plain({"message": "NotFound"}, 404)
    if what == "ticker":
        return plain(_coinbase_ticker(base))
    if what == "candles":
        start, end = (int(datetime.fromisoformat(asked.params[name]).timestamp()) for name in ("start", "end"))
        step = int(asked.params["granularity"])
        if (end - start) // step > 300:
            return plain({"message": "granularity too small for the requested time range"}, 400)
        rows = [[b.time, b.low, b.high, b.open, b.close, b.volume] for b in bars(start, end + 1, step, holes)]
        # Numbers on this wire, not texts.
        listed = ",".join(f"[{time},{','.join(map(str, numbers))}]" for time, *numbers in reversed(rows))
        return text(f"[{listed}]")
    if what == "book":
        bids, asks = ([[*level, 3] for level in side] for side in book(LEVELS))
        return plain({"bids": bids, "asks": asks, "sequence": 112233445566778899, "time": stamp_text(STAMP)})
    return plain(
        [
            # The maker's side.
            {"trade_id": id, "side": "sell" if up else "buy", "size": size, "price": price, "time": stamp_text(moment)}
            for id, moment, price, size, up in reversed(trades(int(asked.params["limit"])))
        ]
    )


def _coinbase_ticker(base: str) -> dict[str, object]:
    return {
        "ask": ASK, "bid": bid_of(base)[0], "volume": VOLUME, "trade_id": 9, "price": price_of(base), "size": "0.001",
        "time": stamp_text(STAMP),
    }  # fmt: skip


COINBASE_PRODUCT = {
    "id": "BTC-USD", "base_currency": "BTC", "quote_currency": "USD", "quote_increment": "0.01",
    "base_increment": "0.00000001", "display_name": "BTC-USD", "min_market_funds": "1", "status": "online",
    "trading_disabled": False, "cancel_only": False,
}  # fmt: skip


# --- OKX --------------------------------------------------------------------------------------------------------------

OKX_STEPS = {"m": 60, "H": 3600, "D": 86_400, "W": 604_800}


def okx(asked: Asked, holes: Collection[int] = ()) -> Answer:
    """https://www.okx.com/docs-v5/en/"""
    if asked.path == "/api/v5/public/instruments":
        return _okx([OKX_INSTRUMENT])
    if asked.path == "/api/v5/market/tickers":
        return _okx([_okx_ticker(base, "USDT") for base in ("BTC", "ETH", *(f"C{n:02d}" for n in range(50)))])
    base, _, quote = asked.params["instId"].partition("-")
    if not is_listed(base):
        return plain({"code": "51001", "msg": "Instrument ID doesn't exist.", "data": []})
    if asked.path == "/api/v5/market/ticker":
        return _okx([_okx_ticker(base, quote)])
    if asked.path.endswith("candles"):
        return _okx(_okx_bars(asked, holes))
    if asked.path == "/api/v5/market/books":
        bids, asks = ([[*level, "0", "4"] for level in side] for side in book(min(int(asked.params["sz"]), 400)))
        return _okx([{"asks": asks, "bids": bids, "ts": str(MILLIS), "seqId": 123456789}])
    return _okx(
        [
            {"instId": asked.params["instId"], "side": "buy" if up else "sell", "sz": size, "px": price,
             "tradeId": str(id), "ts": str(moment * 1000)}
            for id, moment, price, size, up in reversed(trades(min(int(asked.params["limit"]), 500)))
        ]
    )  # fmt: skip


def _okx(data: Sequence[object]) -> Answer:
    return plain({"code": "0", "msg": "", "data": data})


def _okx_ticker(base: str, quote: str) -> dict[str, object]:
    bid, bid_size = bid_of(base, "")
    return {
        "instType": "SPOT", "instId": f"{base}-{quote}", "last": price_of(base), "lastSz": "0.001", "askPx": ASK,
        "askSz": ASK_SIZE, "bidPx": bid, "bidSz": bid_size, "open24h": OPEN, "high24h": HIGH, "low24h": LOW,
        "volCcy24h": QUOTE_VOLUME, "vol24h": VOLUME, "ts": str(MILLIS), "sodUtc0": "1", "sodUtc8": "1",
    }  # fmt: skip


def _okx_bars(asked: Asked, holes: Collection[int]) -> list[list[str]]:
    """The newest 300 that are older than `after` and newer than `before`."""
    code = asked.params["bar"].removesuffix("utc")
    step = OKX_STEPS[code[-1]] * int(code[:-1])
    before, after = int(asked.params["before"]), int(asked.params["after"])
    rows = list(bars(before // 1000 + 1, after // 1000, step, holes, MONDAY if code == "1W" else 0))
    closed = [row for row in rows if row.time + step <= time.time()]
    chosen = closed if "history" in asked.path else rows
    return [
        [str(b.time * 1000), b.open, b.high, b.low, b.close, b.volume, "3200.5", "3200.5", str(int(b in closed))]
        for b in reversed(chosen[-300:])
    ]


OKX_INSTRUMENT = {
    "baseCcy": "BTC", "quoteCcy": "USDT", "instId": "BTC-USDT", "instType": "SPOT", "lotSz": "0.00000001",
    "maxLmtSz": "9999999999", "minSz": "0.00001", "state": "live", "tickSz": "0.1",
}  # fmt: skip


# --- Bitstamp ---------------------------------------------------------------------------------------------------------


def bitstamp(asked: Asked, holes: Collection[int] = ()) -> Answer:
    """https://www.bitstamp.net/api/"""
    if asked.path == "/api/v2/markets/":
        return plain([BITSTAMP_MARKET])
    if asked.path == "/api/v2/ticker/":
        return plain([_bitstamp_ticker(*pair) for pair in BARE])
    _, _, _, what, symbol, _ = asked.path.split("/")
    base, quote = split(symbol.upper())
    if not is_listed(base):
        return plain({"code": "404.002", "error": "Currency pair not found"}, 404)
    if what == "ticker":
        return plain(_bitstamp_ticker(base, quote))
    if what == "ohlc":
        start, end, step = (int(asked.params[name]) for name in ("start", "end", "step"))
        rows = list(bars(start, end + 1, step, holes))[-int(asked.params["limit"]) :]
        listed = [
            {
                "timestamp": str(b.time),
                "open": b.open,
                "high": b.high,
                "low": b.low,
                "close": b.close,
                "volume": b.volume,
            }
            for b in rows
        ]
        return plain({"data": {"pair": f"{base}/{quote}", "ohlc": listed}})
    if what == "order_book":
        bids, asks = book(LEVELS)
        return plain({"timestamp": str(STAMP), "microtimestamp": f"{STAMP}123456", "bids": bids, "asks": asks})
    return plain(
        [
            {"date": str(moment), "tid": str(id), "price": price, "type": "0" if up else "1", "amount": size}
            for id, moment, price, size, up in reversed(trades(HISTORY))
        ]
    )


def _bitstamp_ticker(base: str, quote: str) -> dict[str, object]:
    bid, _ = bid_of(base)
    return {
        "timestamp": str(STAMP), "open": "91000", "high": HIGH, "low": LOW, "last": price_of(base), "volume": VOLUME,
        "vwap": VWAP, "bid": bid, "ask": ASK, "side": "0", "open_24": OPEN, "percent_change_24": "1.37",
        "pair": f"{base}/{quote}",
    }  # fmt: skip


BITSTAMP_MARKET = {
    "name": "BTC/USD", "market_symbol": "btcusd", "base_currency": "BTC", "base_decimals": 8, "counter_currency": "USD",
    "counter_decimals": 0, "minimum_order_value": "10", "trading": "Enabled", "description": "Bitcoin / U.S. dollar",
    "market_type": "SPOT",
}  # fmt: skip


# --- Bybit ------------------------------------------------------------------------------------------------------------

BYBIT_STEPS = {"D": 86_400, "W": 604_800}


def bybit(asked: Asked, holes: Collection[int] = ()) -> Answer:
    """https://bybit-exchange.github.io/docs/v5/intro"""
    if asked.path == "/v5/market/instruments-info":
        return _bybit({"category": "spot", "list": [BYBIT_INSTRUMENT]})
    symbol = asked.params.get("symbol")
    if symbol is not None and not is_listed(split(symbol)[0]):
        return plain(
            {"retCode": 10001, "retMsg": "Not supported symbols", "result": {}, "retExtInfo": {}, "time": MILLIS}
        )
    if asked.path == "/v5/market/tickers":
        names = [symbol] if symbol else ["BTCUSDT", "ETHUSDT", *(f"C{n:02d}USDT" for n in range(50))]
        return _bybit({"category": "spot", "list": [_bybit_ticker(name) for name in names]})
    if asked.path == "/v5/market/kline":
        code = asked.params["interval"]
        step = BYBIT_STEPS.get(code) or int(code) * 60
        start, end = int(asked.params["start"]) // 1000, (int(asked.params["end"]) + 1) // 1000
        rows = list(bars(start, end, step, holes, MONDAY if code == "W" else 0))[-int(asked.params["limit"]) :]
        listed = [[str(b.time * 1000), b.open, b.high, b.low, b.close, b.volume, "3200.5"] for b in reversed(rows)]
        return _bybit({"category": "spot", "symbol": symbol, "list": listed})
    limit = int(asked.params["limit"])
    if asked.path == "/v5/market/orderbook":
        bids, asks = book(min(limit, 200))
        return _bybit({"s": symbol, "a": asks, "b": bids, "ts": MILLIS, "u": 555, "seq": 1})
    listed_ = [
        {"execId": str(id), "symbol": symbol, "price": price, "size": size, "side": "Buy" if up else "Sell",
         "time": str(moment * 1000), "isBlockTrade": False}
        for id, moment, price, size, up in reversed(trades(min(limit, 60)))
    ]  # fmt: skip
    return _bybit({"category": "spot", "list": listed_})


def _bybit(result: object) -> Answer:
    return plain({"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": MILLIS})


def _bybit_ticker(symbol: str) -> dict[str, object]:
    base = split(symbol)[0]
    bid, bid_size = bid_of(base, "")
    return {
        "symbol": symbol, "bid1Price": bid, "bid1Size": bid_size, "ask1Price": ASK, "ask1Size": ASK_SIZE,
        "lastPrice": price_of(base), "prevPrice24h": OPEN, "price24hPcnt": "0.0137", "highPrice24h": HIGH,
        "lowPrice24h": LOW, "turnover24h": QUOTE_VOLUME, "volume24h": VOLUME,
    }  # fmt: skip


BYBIT_INSTRUMENT = {
    "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "status": "Trading",
    "lotSizeFilter": {"basePrecision": "0.000001", "minOrderQty": "0.000011", "maxLimitOrderQty": "83",
    "minOrderAmt": "5"},
    "priceFilter": {"tickSize": "0.01"},
}  # fmt: skip
