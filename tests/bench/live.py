"""Live: subscribers on sockets of their own, each told ten prices a second; what that costs, and how late it comes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.core.settings import load_settings
from tests.bench.servers import environment, gateway, memory_mb
from tests.furnished import furnish

SECONDS = 5.0
SIZES = ((500, 15.0), (2_000, 100.0))
"""Subscribers, and the goal for the 99th percentile of the delay in milliseconds."""


def cpu_s(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def measured(port: int, pid: int, key: str, subscribers: int) -> str:
    """One size, once."""
    before = memory_mb(pid)
    command = [sys.executable, "-m", "tests.bench.screens", str(port), key, str(subscribers), str(SECONDS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        if client.stdout.readline().strip() != "ready":
            raise RuntimeError("the screens could not be opened")
        each = (memory_mb(pid) - before) * 1024 / subscribers
        begun = cpu_s(pid)
        client.stdin.write("go\n")
        client.stdin.flush()
        found = json.loads(client.stdout.readline())
        spent = cpu_s(pid) - begun
    if found["errors"]:
        raise RuntimeError(str(found["errors"])[:500])
    wanted = subscribers * 10 * SECONDS
    return (
        f"{subscribers:5} x 10/s  {found['messages'] / SECONDS:7.0f}/s of {wanted / SECONDS:.0f}  "
        f"p50 {found['p50_ms']:5.1f} ms  p99 {found['p99_ms']:6.1f} ms  core {spent / SECONDS:.2f}  "
        f"{found['messages'] / spent:7.0f} messages a CPU-second  {each:4.0f} KB each"
    )


def report() -> Sequence[str]:
    """All sizes, on a fresh process each."""
    lines = ["Live, one process, 20 distinct subscriptions (targets: p99 15 and 100 ms, 45,000 a CPU-second, 40 KB)"]
    for subscribers, _ in SIZES:
        env = environment(1)
        key = furnish(load_settings(env, None).settings)
        with gateway(env, "tests.bench.ticking") as (port, pid):
            lines.append(measured(port, pid, key, subscribers))
    return lines


if __name__ == "__main__":
    print("\n".join(report()))
