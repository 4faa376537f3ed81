"""Chains and decentralised finance."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.contract.captured.asks import Asking, Plan, refused
from tests.contract.captures import Capture

BITCOIN: dict[str, Any] = {"chain": "bitcoin"}


def coins(units: Any, decimals: int = 8) -> Decimal:
    """Whole coins of smallest units."""
    return Decimal(units).scaleb(-decimals)


def moment(seconds: Any) -> datetime:
    """A Unix time."""
    return datetime.fromtimestamp(int(seconds), UTC)


def fear_and_greed(capture: Capture) -> Plan:
    """Newest first on the wire."""
    rows = capture.body["data"][::-1]
    expected = [
        {"value": row["value"], "time": moment(row["timestamp"]), "label": row["value_classification"]} for row in rows
    ]
    return Plan(capability="sentiment", ask={"last": len(rows)}, expected=expected)


def bitcoin_prices(capture: Capture) -> Plan:
    """All seven currencies of mempool.space."""
    codes = [code for code in capture.body if code != "time"]
    expected = [
        {"symbol": code, "last": capture.body[code], "timestamp": capture.body["time"] * 1000} for code in codes
    ]
    return Plan(capability="quotes", ask={"instruments": [f"crypto:BTC/{code}" for code in codes]}, expected=expected)


LLAMA_TOKENS = {
    "coingecko:bitcoin": "crypto:BTC/USD",
    "coingecko:ethereum": "crypto:ETH/USD",
    "coingecko:matic-network": "crypto:MATIC/USD",
}


def llama_prices(capture: Capture) -> Plan:
    """By the keys of the path; an unknown token has no entry."""
    keys = capture.path.rpartition("/")[2].split(",")
    found = [(key, capture.body["coins"][key]) for key in keys if key in capture.body["coins"]]
    expected = [{"symbol": key, "last": row["price"], "timestamp": row["timestamp"] * 1000} for key, row in found]
    instruments = [LLAMA_TOKENS.get(key) or f"dex:{key.replace(':', '/')}" for key in keys]
    return Plan(capability="quotes", ask={"instruments": instruments}, expected=expected)


def llama_protocol(capture: Capture) -> Plan:
    """A bare number."""
    return Plan(capability="tvl", ask={"slug": capture.path.rpartition("/")[2]}, expected=[{"value": capture.body}])


def llama_protocols(capture: Capture) -> Plan:
    """With what changed in a day and a week."""
    expected = [
        {
            "name": row["name"], "value": row["tvl"], "category": row["category"], "symbol": row["symbol"],
            "change_percent1d": row["change_1d"], "change_percent7d": row["change_7d"],
            "chains": tuple(chain.lower() for chain in row["chains"]),
        }
        for row in capture.body
    ]  # fmt: skip
    return Plan(capability="tvl", ask={}, expected=expected)


def llama_chains(capture: Capture) -> Plan:
    """Each with its own token."""
    expected = [{"name": row["name"], "symbol": row["tokenSymbol"], "value": row["tvl"]} for row in capture.body]
    return Plan(capability="tvl", ask={"kind": "CHAIN"}, expected=expected)


def llama_yields(capture: Capture) -> Plan:
    """In percent a year."""
    expected = [
        {
            "id": row["pool"], "apy_percent": row["apy"], "base_apy_percent": row["apyBase"], "tvl": row["tvlUsd"],
            "reward_apy_percent": row["apyReward"], "chain": row["chain"].lower(), "stablecoin": row["stablecoin"],
        }
        for row in capture.body["data"]
    ]  # fmt: skip
    return Plan(capability="yields", ask={}, expected=expected)


def ether_price(capture: Capture) -> Plan:
    """In dollars and in bitcoin, each of its own time."""
    row = capture.body["result"]
    expected = [
        {"symbol": code, "last": row[code], "timestamp": int(row[f"{code}_timestamp"]) * 1000}
        for code in ("ethusd", "ethbtc")
    ]
    return Plan(capability="quotes", ask={"instruments": ["crypto:ETH/USD", "crypto:ETH/BTC"]}, expected=expected)


def ether_balance(capture: Capture) -> Plan:
    """In wei."""
    ask = {"chain": "ethereum", "address": capture.params["address"]}
    return Plan(capability="balance", ask=ask, expected={"amount": coins(capture.body["result"], 18), "asset": "ETH"})


def ether_transactions(capture: Capture) -> Plan:
    """Captured oldest first."""
    rows = capture.body["result"][::-1]
    expected = [
        {
            "hash": row["hash"], "time": moment(row["timeStamp"]), "amount": coins(row["value"], 18),
            "receiver": row["to"], "block": row["blockNumber"],
            "confirmations": int(row["confirmations"]), "failed": row["isError"] == "1",
            "fee": coins(int(row["gasUsed"]) * int(row["gasPrice"]), 18),
        }
        for row in rows
    ]  # fmt: skip
    ask = {"chain": "ethereum", "address": capture.params["address"]}
    return Plan(capability="transactions", ask=ask, expected=expected)


def node_height(capture: Capture) -> Plan:
    """Hexadecimal."""
    return Plan(
        capability="chainStatus", ask={"chain": "gnosis"}, expected={"block": str(int(capture.body["result"], 16))}
    )


OPTIMISM = {"chain": "optimism"}
VITALIK = {"chain": "ethereum", "address": "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"}

OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("alternative_me", "sentiment: latest (2021-12-20)"): (fear_and_greed,),
    ("defillama", "quote: bitcoin, ethereum"): (llama_prices,),
    ("defillama", "quote: two solana mints"): (llama_prices,),
    ("defillama", "quote: unknown token"): (llama_prices,),
    ("defillama", "quote: bsc address"): (llama_prices,),
    ("defillama", "quote: pro host"): (llama_prices,),
    ("defillama", "tvl: protocol"): (llama_protocol,),
    ("defillama", "protocols"): (llama_protocols,),
    ("defillama", "chains"): (llama_chains,),
    ("defillama", "pools: lido stETH (2025)"): (llama_yields,),
    ("etherscan", "quote: ethprice"): (ether_price,),
    ("etherscan", "balance"): (ether_balance,),
    ("etherscan", "tx_list"): (ether_transactions,),
    ("etherscan", "tx_list: v2"): (ether_transactions,),
    ("etherscan", "tx_list: empty"): (ether_transactions,),
    ("etherscan", "proxy: blockNumber"): (node_height,),
    ("etherscan", "error: chain not on free plan"): (refused("chainStatus", OPTIMISM, "NOT_COVERED"),),
    ("etherscan", "error: abi not verified"): (refused("transactions", VITALIK, "NOT_COVERED"),),
    ("mempool_space", "quote: prices"): (bitcoin_prices,),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("defillama", "historical_quote: matic 1726451200"): "the coin has been renamed: POL has an id of its own",
    ("defillama", "pool_history"): "not called: histories of yields are no capability",
    ("defillama", "stablecoins"): "not called: supplies of stable coins are no capability",
    ("etherscan", "block_by_time"): "not called: blocks by time are no capability",
    ("etherscan", "proxy: eth_call"): "not called: calls of contracts are no capability",
    ("mempool_space", "mempool"): "asked for with the newest blocks, of which there is no capture",
    ("mempool_space", "difficulty"): "asked for with the newest blocks, of which there is no capture",
    ("mempool_space", "recent"): "not called: transactions of nobody in particular",
    ("mempool_space", "mempool_blocks"): "not called: the recommended fees are made of them",
}
