"""The double's world: every provider that has an upstream, as it is on a good day."""

from __future__ import annotations

from collections.abc import Mapping

from tests.e2e.market import exchanges, perpetuals, reference_sources
from tests.e2e.market.upstream import Script

KEY = "SECRET-KEY-0123456789"
WORLD: Mapping[str, Script] = {
    "binance": perpetuals.binance,
    "kraken": exchanges.kraken,
    "coinbaseexchange": exchanges.coinbaseexchange,
    "okx": perpetuals.okx,
    "bitstamp": exchanges.bitstamp,
    "bybit": perpetuals.bybit,
    "coingecko": reference_sources.coingecko,
    "frankfurter": reference_sources.frankfurter,
    "ecb": reference_sources.ecb,
    "yahoo": reference_sources.yahoo,
    "alphavantage": reference_sources.alphavantage,
}
