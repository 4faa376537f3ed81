"""`make bench`: the gateway, a bare Starlette route and plain Strawberry on the same data, in one run."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from gateway.core.settings import load_settings
from tests.bench import load, normalising
from tests.bench.upstream import FIRST, SYMBOLS
from tests.furnished import furnish

ROUNDS, SECONDS, CONNECTIONS = 3, 1.5, 32
START = datetime.fromtimestamp(FIRST / 1000, UTC)
RANGE = f'start: "{START.isoformat()}", end: "{(START + timedelta(hours=500)).isoformat()}"'
FIELDS = "price bid ask high low volume instrument { symbol } provenance { provider ageMs }"
PAIRS = json.dumps([f"crypto:{name[:-4]}/USDT" for name in SYMBOLS])
ROW = "openTime open high low close volume"
GATEWAY = {
    "quote": f'{{ quote(symbol: "crypto:C00/USDT") {{ {FIELDS} }} }}',
    "list100": f"{{ quotes(symbols: {PAIRS}) {{ nodes {{ {FIELDS} }} }} }}",
    "rows500": f'{{ candles(symbol: "crypto:C00/USDT", interval: H1, {RANGE}) {{ rows {{ {ROW} }} }} }}',
    "columns500": f'{{ candles(symbol: "crypto:C00/USDT", interval: H1, {RANGE}) {{ columns {{ {ROW} }} }} }}',
}
PLAIN = {
    "quote": f'{{ quote(symbol: "C00") {{ {FIELDS} }} }}',
    "list100": f'{{ quotes(symbols: ["C00"]) {{ nodes {{ {FIELDS} }} }} }}',
    "rows500": f'{{ candles(symbol: "C00") {{ rows {{ {ROW} }} }} }}',
    "columns500": f'{{ candles(symbol: "C00") {{ columns {{ {ROW} }} }} }}',
}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def server(command: list[str], port: int, env: dict[str, str] | None = None) -> Iterator[int]:
    """A server process on loopback, ready to answer; its pid."""
    with tempfile.TemporaryFile() as log, subprocess.Popen(command, env=env, stdout=log, stderr=log) as process:
        try:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield process.pid
        finally:
            process.terminate()


def post(query: str, key: str | None = None) -> bytes:
    """A GraphQL request."""
    return load.request_bytes("/graphql", json.dumps({"query": query}).encode(), key)


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def cold_start(port: int, env: dict[str, str], key: str) -> tuple[float, float]:
    """Seconds from the start of the process to its first answer, and its memory then."""
    begun = time.perf_counter()
    with server([sys.executable, "-m", "gateway", "serve"], port, env) as pid:
        body = json.dumps({"query": GATEWAY["quote"]}).encode()
        sent = {"content-type": "application/json", "x-api-key": key}
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, sent)
        answer = json.loads(urllib.request.urlopen(asked).read())
        if answer["data"]["quote"]["price"] != "6705.82000000":
            raise RuntimeError(answer)
        return time.perf_counter() - begun, memory_mb(pid)


async def compare(ports: dict[str, tuple[int, int]], key: str) -> None:
    """Rounds in turn, so that a busy moment hits all alike; medians."""
    width = f"{'':12} {'what':22} {'req/s':>8} {'req/CPU-s':>10} {'p50 ms':>8} {'p99 ms':>8} {'ratio to bare':>14}"
    print(width)
    for name in GATEWAY:
        kinds = {
            "bare route": (*ports["baseline"], load.request_bytes(f"/json/{name}")),
            "plain Strawberry": (*ports["baseline"], post(PLAIN[name])),
            "Marketgate, cached": (*ports["gateway"], post(GATEWAY[name], key)),
        }
        seen: dict[str, list[load.Measured]] = {kind: [] for kind in kinds}
        for _ in range(ROUNDS):
            for kind, (port, pid, request) in kinds.items():
                seen[kind].append(await load.run(port, pid, request, seconds=SECONDS, connections=CONNECTIONS))
        bare = median(m.per_cpu for m in seen["bare route"])
        for kind, found in seen.items():
            middle = [median(getattr(m, key) for m in found) for key in ("per_second", "per_cpu", "p50", "p99")]
            per_second, per_cpu, p50, p99 = middle
            print(f"{name:12} {kind:22} {per_second:8.0f} {per_cpu:10.0f} {p50:8.2f} {p99:8.2f} {per_cpu / bare:14.3f}")


def live_env() -> tuple[dict[str, str], str]:
    """A live gateway's environment but for ports, over a database of its own, and a key that nothing limits."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MARKETGATE_")} | {
        "MARKETGATE_UPSTREAMS": "live",
        "MARKETGATE_LOG_LEVEL": "warning",
        "MARKETGATE_SECRET_KEY": secrets.token_urlsafe(48),
        "MARKETGATE_DATA_DIR": tempfile.mkdtemp(prefix="marketgate"),
    }
    return env, furnish(load_settings(env, None).settings)


def main() -> None:
    """Run everything; nothing here fails on a slow machine."""
    print("Normalising, one process")
    print("\n".join(normalising.report()))
    upstream, baseline, gateway = free_port(), free_port(), free_port()
    env, key = live_env()
    env |= {"MARKETGATE_PORT": str(gateway), "MARKETGATE_UPSTREAM_BASE": f"http://127.0.0.1:{upstream}"}
    with server([sys.executable, "-m", "tests.bench.upstream", str(upstream)], upstream):
        starts = [cold_start(free := free_port(), {**env, "MARKETGATE_PORT": str(free)}, key) for _ in range(3)]
        seconds, memory = (median(column) for column in zip(*starts, strict=True))
        print(f"\nFirst answer of a cold process: {seconds:.2f} s (target < 2.4), {memory:.0f} MB (target < 110)\n")
        with (
            server([sys.executable, "-m", "tests.bench.baseline", str(baseline)], baseline) as plain,
            server([sys.executable, "-m", "gateway", "serve"], gateway, env) as ours,
        ):
            asyncio.run(compare({"baseline": (baseline, plain), "gateway": (gateway, ours)}, key))


if __name__ == "__main__":
    main()
