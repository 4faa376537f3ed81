"""CoinGecko's captures."""

from __future__ import annotations

from datetime import timedelta

from tests.contract.captured.asks import Asking, Plan, candles, refused
from tests.contract.captures import Capture

YESTERDAY = {
    "instrument": "crypto:BTC/USD",
    "interval": "H4",
    "start": "2026-11-19T00:00:00Z",
    "end": "2026-11-20T00:00:00Z",
}


def coin_prices(*pairs: str) -> Asking:
    """Simple prices of CoinGecko, read by coin and currency."""
    coins = {"BTC": "bitcoin", "ETH": "ethereum"}

    def plan(capture: Capture) -> Plan:
        expected = []
        for base, quote in (symbol.split("/") for symbol in pairs):
            price = capture.body.get(coins[base], {}).get(quote.lower())
            expected += [{"symbol": f"{base}/{quote}", "last": price}] if price is not None else []
        ask = {"instruments": [f"crypto:{symbol}" for symbol in pairs]}
        return Plan(capability="quotes", ask=ask, expected=expected)

    return plan


def coin_caps(currency: str) -> Asking:
    """The ranking of CoinGecko."""

    def plan(capture: Capture) -> Plan:
        expected = [
            {
                "asset": row["symbol"].upper(), "name": row["name"], "rank": row["market_cap_rank"],
                "price": row["current_price"], "market_cap": row["market_cap"], "volume24h": row["total_volume"],
                "circulating_supply": row["circulating_supply"],
            }
            for row in capture.body
        ]  # fmt: skip
        ask = {"currency": currency, "first": len(expected)}
        return Plan(capability="marketCaps", ask=ask, expected=expected)

    return plan


def coin_candles(capture: Capture) -> Plan:
    """CoinGecko stamps a candle with its end."""
    step = int(timedelta(hours=4).total_seconds() * 1000)
    rows = [[row[0] - step, *row[1:]] for row in capture.body]
    return candles(capture, "crypto:BTC/USD", rows, frozenset({"volume"}))


def coin_search(capture: Capture) -> Plan:
    """Found coins by their ids, as far as the adapter knows them."""
    ids = [row["id"] for row in capture.body["coins"]]
    return Plan(capability="search", ask={"text": capture.params["query"]}, expected=ids)


OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("coingecko", "quote: bitcoin usd"): (coin_prices("BTC/USD"),),
    ("coingecko", "quote: space in ids drops ethereum"): (coin_prices("BTC/USD", "ETH/USD"),),
    ("coingecko", "quote: bad vs_currency"): (coin_prices("BTC/ETH"),),
    ("coingecko", "quote: pro host ethereum btc"): (coin_prices("ETH/BTC"),),
    ("coingecko", "market_cap: coins/markets bitcoin usd"): (coin_caps("USD"),),
    ("coingecko", "market_cap: coins/markets bitcoin,ethereum in eth"): (coin_caps("ETH"),),
    ("coingecko", "candles: ohlc bitcoin usd 7d"): (coin_candles,),
    ("coingecko", "search: ethereum"): (coin_search,),
    ("coingecko", "error: markets without vs_currency"): (refused("marketCaps", {}, "NOT_COVERED"),),
    ("coingecko", "error: ohlc 500"): (refused("candles", YESTERDAY, "UPSTREAM_UNAVAILABLE"),),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("coingecko", "history: market_chart bitcoin usd 90d daily"): "not called: closes alone are no candles",
    ("coingecko", "historical_quote: ethereum 01-01-2024"): "not called: a quote is the newest price",
    ("coingecko", "key: usage"): "not called: usage of a paid key",
}
