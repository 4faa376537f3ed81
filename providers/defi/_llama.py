"""DefiLlama's names: coins, chains, and how long a line of prices may be."""

from __future__ import annotations

from datetime import datetime
from math import ceil

from providers.crypto.coingecko import IDS
from providers.defi._chains import is_pair, is_token, token_of
from schema.symbols import AssetClass, InstrumentId
from schema.words.history import PriceHistoryAsk
from schema.words.intervals import Interval

CHAINS = {
    "arbitrum": "arbitrum", "avalanche": "avax", "base": "base", "bsc": "bsc", "celo": "celo", "ethereum": "ethereum",
    "fantom": "fantom", "gnosis": "xdai", "linea": "linea", "optimism": "optimism", "polygon": "polygon",
    "scroll": "scroll", "solana": "solana", "tron": "tron", "zksync": "era",
}  # fmt: skip
"""Ours to those of its prices."""

SHOWN = {
    "binance": "bsc", "op mainnet": "optimism", "xdai": "gnosis", "zksync era": "zksync", "bitcoincash": "bitcoin-cash",
    "doge": "dogecoin",
}  # fmt: skip
"""Its display names, where they are not ours in another case."""

# Renamed since, and known for its past under this id.
COINS = {**IDS, "MATIC": "matic-network"}
PERIODS = {Interval.H1: "1h", Interval.H4: "4h", Interval.D1: "1d", Interval.W1: "1w"}
LONGEST = 500


def priced(instrument: InstrumentId) -> bool:
    """A token by its address, or a coin in dollars."""
    if instrument.asset_class is AssetClass.DEX:
        return is_token(instrument, "defillama", CHAINS)
    return is_pair(instrument, "defillama", COINS, ("USD",))


def lined(ask: PriceHistoryAsk) -> bool:
    """As many points as one answer holds."""
    return priced(ask.instrument) and ask.interval in PERIODS and 0 < span_of(ask) <= LONGEST


def span_of(ask: PriceHistoryAsk) -> int:
    """How many points the range has."""
    return ceil((ask.end - ask.start) / ask.interval.delta)


def key_of(instrument: InstrumentId) -> str:
    """`coingecko:bitcoin`, `ethereum:0x…`; answers come under the key that was asked for, in its own case."""
    if instrument.asset_class is AssetClass.DEX:
        chain, address = token_of(instrument)
        return f"{CHAINS[chain]}:{address}"
    return f"coingecko:{COINS[instrument.base]}"


def chain_of(name: str) -> str:
    """Ours for a display name."""
    return SHOWN.get(name.lower(), name.lower())


def seconds(moment: datetime) -> int:
    """Unix time."""
    return int(moment.timestamp())
