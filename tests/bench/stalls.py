"""How long the event loop stands still while a list of 3,200 instruments (11 MB) is fetched, read, parsed and indexed.

A task that wakes every millisecond measures it, in the loop and with the settings of a serving process. Before: as if
no answer were large. On a busy machine a thread that is not run keeps the interpreter, so the CPU that this process
used between two wakes is measured as well: what the stall would be if the machine did nothing else.
"""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from statistics import median
from typing import Any
from unittest.mock import patch

import uvloop

from gateway.app import Gateway, build_gateway
from gateway.cli.serve import settle
from gateway.core.aside import LARGE
from gateway.core.settings import load_settings
from plugins.market.shelves import Shelf
from schema.capability import Capability, Terms
from schema.words.defi import YIELDS, YieldsAsk
from schema.words.instruments import INSTRUMENTS, InstrumentsAsk
from tests.bench.servers import environment

ROUNDS, INSTRUMENT_COUNT, POOL_COUNT = 5, 3_200, 13_000
TICK_S = 0.001
LEAST = 50
"""Rows of an answer: pools are cut to what was asked for."""
GOAL_MS = 20
NEVER = 1 << 60
QUESTIONS: Mapping[str, tuple[Capability[Any, Any], Any, str]] = {
    "instruments, 11 MB": (INSTRUMENTS, InstrumentsAsk(), "binance"),
    "yields, 13 MB": (YIELDS, YieldsAsk(), "defillama"),
}


def instrument(number: int) -> dict[str, object]:
    """In the documented shape, with permissions, which are most of the body:
    https://developers.binance.com/docs/binance-spot-api-docs/rest-api/general-endpoints"""
    base = f"C{number:04d}"
    return {
        "symbol": f"{base}USDT", "status": "TRADING", "baseAsset": base, "baseAssetPrecision": 8, "quoteAsset": "USDT",
        "quotePrecision": 8, "quoteAssetPrecision": 8, "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT"],
        "icebergAllowed": True, "ocoAllowed": True, "quoteOrderQtyMarketAllowed": True, "isSpotTradingAllowed": True,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.00000100", "maxPrice": "922327.0", "tickSize": "0.00000100"},
            {"filterType": "LOT_SIZE", "minQty": "0.00010000", "maxQty": "100000.0", "stepSize": "0.00010000"},
            {"filterType": "ICEBERG_PARTS", "limit": 10},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "2634.05", "stepSize": "0.00000000"},
            {"filterType": "TRAILING_DELTA", "minTrailingAboveDelta": 10, "maxTrailingAboveDelta": 2000},
            {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": "5", "askMultiplierDown": "0.2"},
            {"filterType": "NOTIONAL", "minNotional": "0.00010000", "applyMinToMarket": True, "avgPriceMins": 5},
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        ],
        "permissions": [], "permissionSets": [["SPOT", "MARGIN", *(f"TRD_GRP_{group:03d}" for group in range(140))]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER", "allowedSelfTradePreventionModes": ["EXPIRE_TAKER"],
    }  # fmt: skip


def pool(number: int) -> dict[str, object]:
    """In the documented shape: https://api-docs.defillama.com/#tag/yields"""
    return {
        "chain": "Ethereum", "project": f"project-{number % 500}", "symbol": "STETH", "tvlUsd": 1234567.123 + number,
        "apyBase": 2.5, "apyReward": None, "apy": 2.5123, "rewardTokens": None, "apyPct1D": 0.001, "apyPct7D": -0.1,
        "pool": f"747c1d2a-c668-4682-b9f9-{number:012d}", "stablecoin": False, "ilRisk": "no", "exposure": "single",
        "predictions": {"predictedClass": "Stable/Up", "predictedProbability": 75, "binnedConfidence": 2},
        "poolMeta": "x" * 400, "mu": 3.12345, "sigma": 0.05, "count": 900, "outlier": False,
        "underlyingTokens": ["0x0000000000000000000000000000000000000000"], "apyMean30d": 2.61, "volumeUsd1d": None,
    }  # fmt: skip


def bodies() -> Mapping[str, bytes]:
    """By provider."""
    found = {
        "binance": {"timezone": "UTC", "symbols": [instrument(number) for number in range(INSTRUMENT_COUNT)]},
        "defillama": {"status": "success", "data": [pool(number) for number in range(POOL_COUNT)]},
    }
    return {provider: json.dumps(body).encode() for provider, body in found.items()}


async def serve() -> None:
    """Print the port, then answer until the other side is gone."""
    made = bodies()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            body = made[head.split(b"/")[1].decode()]
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@asynccontextmanager
async def ticking() -> AsyncIterator[list[tuple[float, float]]]:
    """Milliseconds by which each wake of a task was late, and of CPU since the one before."""
    late: list[tuple[float, float]] = []

    async def tick() -> None:
        while True:
            begun, used = time.perf_counter(), time.process_time()
            await asyncio.sleep(TICK_S)
            lasted, spent = time.perf_counter() - begun, time.process_time() - used
            late.append(((lasted - TICK_S) * 1_000, spent * 1_000))

    task = asyncio.create_task(tick())
    yield late
    await asyncio.sleep(2 * TICK_S)
    task.cancel()


async def measure(upstream: int, large: int) -> Mapping[str, list[float]]:
    """Of each question the medians: longest stall, most CPU in a stall, wakes, milliseconds to the answer."""
    gateway = build_gateway(load_settings(environment(upstream), None).settings)
    settle()
    seen: dict[str, list[list[float]]] = {}
    with patch("gateway.core.aside.LARGE", large), patch("providers.pieces.PIECE", large // 4):
        for _ in range(ROUNDS):
            for name in QUESTIONS:
                seen.setdefault(name, []).append(await _once(gateway, name))
    await gateway.close()
    return {name: [median(column) for column in zip(*runs, strict=True)] for name, runs in seen.items()}


async def _once(gateway: Gateway, name: str) -> list[float]:
    capability, ask, provider = QUESTIONS[name]
    gateway.data.pipeline.drop(provider)
    gc.collect()
    begun = time.perf_counter()
    async with ticking() as late:
        found = await gateway.data.fetch(capability, ask, Terms(providers=(provider,), timeout=20.0))
        if capability is INSTRUMENTS:
            await Shelf().fill(found.value)
    assert len(found.value) >= LEAST
    lasted = (time.perf_counter() - begun) * 1_000
    return [max(each for each, _ in late), max(each for _, each in late), len(late), lasted]


async def compare(upstream: int) -> list[str]:
    """Before and after."""
    lines = [f"{'stalls of the loop':22} {'':8} {'worst ms':>9} {'in CPU ms':>10} {'wakes':>8} {'answer ms':>10}"]
    for what, large in (("before", NEVER), ("now", LARGE)):
        for name, (worst, used, wakes, lasted) in (await measure(upstream, large)).items():
            lines.append(f"{name:22} {what:8} {worst:9.1f} {used:10.1f} {wakes:8.0f} {lasted:10.0f}")
    return [*lines, f"goal: worst < {GOAL_MS} ms of CPU"]


def report() -> list[str]:
    """The upstream has a process of its own."""
    with subprocess.Popen([sys.executable, "-m", "tests.bench.stalls", "serve"], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(compare(int(process.stdout.readline())))
        finally:
            process.terminate()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    else:
        print("\n".join(report()))
