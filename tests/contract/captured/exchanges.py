"""Exchanges whose calls do not say what they are, and calls that are not made."""

from __future__ import annotations

from tests.contract.captured.asks import Asking, all_tickers, bybit_markets

OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("binance", "tickers"): (all_tickers,),
    ("bybit", "markets"): (bybit_markets,),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("binance", "/api/v3/trades"): "the adapter asks for aggregated trades",
    ("bitstamp", "/api/v2/trading-pairs-info"): "the adapter asks for its successor, /api/v2/markets/",
}
