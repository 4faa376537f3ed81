"""Chains and decentralised finance."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.contract.captured.asks import Asking, Plan, candles, refused
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


WRAPPED_ETHER = "dex:ethereum/0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
WRAPPED_SOL = "So11111111111111111111111111111111111111112"
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


def llama_past(capture: Capture) -> Plan:
    """A little earlier than was asked for."""
    at, key = capture.path.split("/")[-2:]
    row = capture.body["coins"][key]
    ask = {"instrument": LLAMA_TOKENS[key], "at": moment(at).isoformat()}
    expected = {"price": row["price"], "as_of": moment(row["timestamp"]), "currency": "USD"}
    return Plan(capability="historicalQuote", ask=ask, expected=expected)


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


SCREENER_POOL = {
    "address": "pairAddress", "dex": "dexId", "price": "priceNative", "base_price": "priceUsd",
    "market_cap": "marketCap", "fully_diluted": "fdv",
}  # fmt: skip


def screener_pool(capture: Capture) -> Plan:
    """A pool of Sui, whose tokens are named with colons."""
    row = capture.body["pair"]
    expected = {name: row[theirs] for name, theirs in SCREENER_POOL.items()}
    expected |= {
        "chain": "sui", "base.address": row["baseToken"]["address"], "quote.symbol": row["quoteToken"]["symbol"],
        "liquidity": row["liquidity"]["usd"], "volume24h": row["volume"]["h24"], "buys24h": row["txns"]["h24"]["buys"],
        "change_percent24h": row["priceChange"]["h24"], "created_at": moment(row["pairCreatedAt"] // 1000),
    }  # fmt: skip
    return Plan(capability="pools", ask={"chain": "sui", "address": row["pairAddress"]}, expected=[expected])


def terminal_pools(**ask: bool) -> Asking:
    """Pools of Ethereum."""

    def plan(capture: Capture) -> Plan:
        expected = [
            {
                "address": row["attributes"]["address"], "name": row["attributes"]["name"], "chain": "ethereum",
                "dex": row["relationships"]["dex"]["data"]["id"], "market_cap": row["attributes"]["market_cap_usd"],
                "base_price": row["attributes"]["base_token_price_usd"],
                "price": row["attributes"].get("base_token_price_quote_token"),
                "liquidity": row["attributes"]["reserve_in_usd"],
                "volume24h": row["attributes"]["volume_usd"]["h24"],
                "sells24h": row["attributes"]["transactions"]["h24"]["sells"],
                "base.address": row["relationships"]["base_token"]["data"]["id"].removeprefix("eth_"),
            }
            for row in capture.body["data"]
        ]  # fmt: skip
        return Plan(capability="pools", ask={"chain": "ethereum", **ask}, expected=expected)

    return plan


def terminal_candles(capture: Capture) -> Plan:
    """Newest first; the volume is in dollars."""
    rows = [[row[0] * 1000, *row[1:]] for row in capture.body["data"]["attributes"]["ohlcv_list"][::-1]]
    return candles(capture, WRAPPED_ETHER, rows, frozenset({"volume"}))


def mint_prices(price: str, stamped: bool) -> Asking:
    """By mint, at the top of the body or inside of `data`."""

    def plan(capture: Capture) -> Plan:
        rows = capture.body.get("data", capture.body)
        rows = {WRAPPED_SOL: rows} if price in rows else rows
        expected = [
            {"symbol": mint, "last": row[price], "timestamp": row["updateUnixTime"] * 1000 if stamped else None}
            for mint, row in rows.items()
        ]
        return Plan(
            capability="quotes", ask={"instruments": [f"dex:solana/{mint}" for mint in rows]}, expected=expected
        )

    return plan


def jupiter_swap(capture: Capture) -> Plan:
    """In lamports; the impact is a fraction."""
    row = capture.body
    expected = {
        "buy_amount": row["outAmount"], "least_buy_amount": row["otherAmountThreshold"],
        "slippage_bps": row["slippageBps"], "price_impact_percent": Decimal(row["priceImpactPct"]) * 100,
        "block": str(row["contextSlot"]), "steps.0.dex": row["routePlan"][0]["swapInfo"]["label"],
        "steps.0.percent": row["routePlan"][0]["percent"],
    }  # fmt: skip
    ask = {
        "chain": "solana", "sell_token": row["inputMint"], "buy_token": row["outputMint"],
        "sell_amount": row["inAmount"], "slippage_bps": row["slippageBps"],
    }  # fmt: skip
    return Plan(capability="swapQuote", ask=ask, expected=expected)


def jupiter_search(capture: Capture) -> Plan:
    """By mint."""
    return Plan(
        capability="search", ask={"text": capture.params["query"]}, expected=[row["id"] for row in capture.body]
    )


def birdeye_search(capture: Capture) -> Plan:
    """Its group of tokens."""
    mints = [row["address"] for row in capture.body["data"]["items"][0]["result"]]
    return Plan(capability="search", ask={"text": mints[0]}, expected=mints)


def birdeye_history(capture: Capture) -> Plan:
    """Captured with other steps than its address says."""
    rows = capture.body["data"]["items"]
    ask = {
        "instrument": f"dex:solana/{WRAPPED_SOL}", "interval": "M15", "start": moment(rows[0]["unixTime"]).isoformat(),
        "end": moment(rows[-1]["unixTime"] + 900).isoformat(),
    }  # fmt: skip
    expected = [{"time": moment(row["unixTime"]), "price": row["value"]} for row in rows]
    return Plan(capability="priceHistory", ask=ask, expected=expected)


def raydium_pool(capture: Capture) -> Plan:
    """The fee is a fraction, the yield in percent."""
    (row,) = capture.body["data"]
    expected = {
        "price": row["price"], "base.symbol": row["mintA"]["symbol"], "quote.address": row["mintB"]["address"],
        "base.decimals": row["mintA"]["decimals"], "liquidity": row["tvl"], "volume24h": row["day"]["volume"],
        "fee_percent": row["feeRate"] * 100, "apr_percent": row["day"]["apr"], "created_at": None,
    }  # fmt: skip
    return Plan(capability="pools", ask={"chain": "solana", "address": row["id"]}, expected=[expected])


OPTIMISM = {"chain": "optimism"}
VITALIK = {"chain": "ethereum", "address": "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"}

SWAPS = "not called: transactions are never built"
OWN: dict[tuple[str, str], tuple[Asking, ...]] = {
    ("alternative_me", "sentiment: latest (2021-12-20)"): (fear_and_greed,),
    ("birdeye", "quote: price"): (mint_prices("value", stamped=True),),
    ("birdeye", "quotes: multi"): (mint_prices("value", stamped=True),),
    ("birdeye", "history: prices"): (birdeye_history,),
    ("birdeye", "search"): (birdeye_search,),
    ("defillama", "quote: bitcoin, ethereum"): (llama_prices,),
    ("defillama", "quote: two solana mints"): (llama_prices,),
    ("defillama", "quote: unknown token"): (llama_prices,),
    ("defillama", "quote: bsc address"): (llama_prices,),
    ("defillama", "quote: pro host"): (llama_prices,),
    ("defillama", "historical_quote: matic 1726451200"): (llama_past,),
    ("defillama", "tvl: protocol"): (llama_protocol,),
    ("defillama", "protocols"): (llama_protocols,),
    ("defillama", "chains"): (llama_chains,),
    ("defillama", "pools: lido stETH (2025)"): (llama_yields,),
    ("dexscreener", "pools: sui cetus USDC/SUI"): (screener_pool,),
    ("etherscan", "quote: ethprice"): (ether_price,),
    ("etherscan", "balance"): (ether_balance,),
    ("etherscan", "tx_list"): (ether_transactions,),
    ("etherscan", "tx_list: v2"): (ether_transactions,),
    ("etherscan", "tx_list: empty"): (ether_transactions,),
    ("etherscan", "proxy: blockNumber"): (node_height,),
    ("etherscan", "error: chain not on free plan"): (refused("chainStatus", OPTIMISM, "NOT_COVERED"),),
    ("etherscan", "error: abi not verified"): (refused("transactions", VITALIK, "NOT_COVERED"),),
    ("geckoterminal", "pools: eth top"): (terminal_pools(),),
    ("geckoterminal", "new_pools: eth"): (terminal_pools(newest=True),),
    ("geckoterminal", "candles: eth pool 15m"): (terminal_candles,),
    ("jupiter", "quote: SOL,USDC price v3"): (mint_prices("usdPrice", stamped=False),),
    ("jupiter", "swap_quote: 0.1 SOL to USDC"): (jupiter_swap,),
    ("jupiter", "search: JUP"): (jupiter_search,),
    ("mempool_space", "quote: prices"): (bitcoin_prices,),
    ("raydium", "pools: WSOL/Neiro AMM row"): (raydium_pool,),
}

NOT_CALLED: dict[tuple[str, str], str] = {
    ("birdeye", "trending"): "not called: trends are no capability",
    ("defillama", "pool_history"): "not called: histories of yields are no capability",
    ("defillama", "stablecoins"): "not called: supplies of stable coins are no capability",
    ("etherscan", "block_by_time"): "not called: blocks by time are no capability",
    ("etherscan", "proxy: eth_call"): "not called: calls of contracts are no capability",
    ("geckoterminal", "networks"): "not called: the networks are known",
    ("geckoterminal", "dexes: network"): "not called: exchanges of a chain are no capability",
    ("jupiter", "swap: build tx"): SWAPS,
    ("jupiter", "order: ultra"): SWAPS,
    ("jupiter", "lend_positions"): "not called: positions of an account are no capability",
    ("mempool_space", "mempool"): "asked for with the newest blocks, of which there is no capture",
    ("mempool_space", "difficulty"): "asked for with the newest blocks, of which there is no capture",
    ("mempool_space", "recent"): "not called: transactions of nobody in particular",
    ("mempool_space", "mempool_blocks"): "not called: the recommended fees are made of them",
}
