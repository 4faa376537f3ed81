"""Processes that are measured: started on loopback, ended with the block."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def server(command: list[str], port: int, env: Mapping[str, str] | None = None) -> Iterator[int]:
    """A server process, ready to answer; its pid. Its words are shown where it does not start."""
    with tempfile.TemporaryFile() as log, subprocess.Popen(command, env=env, stdout=log, stderr=log) as process:
        try:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if process.poll() is not None:
                    log.seek(0)
                    raise RuntimeError(log.read().decode(errors="replace")[-2000:])
                time.sleep(0.05)
            yield process.pid
        finally:
            process.terminate()


@contextmanager
def module(name: str, *arguments: str) -> Iterator[tuple[int, int]]:
    """`python -m name PORT …`; its port and pid."""
    port = free_port()
    with server([sys.executable, "-m", name, str(port), *arguments], port) as pid:
        yield port, pid


def environment(upstream: int, **changed: str) -> dict[str, str]:
    """A production gateway with a database of its own that asks the local upstream."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MARKETGATE_")}
    return kept | {
        "MARKETGATE_UPSTREAMS": "live",
        "MARKETGATE_UPSTREAM_BASE": f"http://127.0.0.1:{upstream}",
        "MARKETGATE_LOG_LEVEL": "warning",
        "MARKETGATE_SECRET_KEY": secrets.token_urlsafe(48),
        "MARKETGATE_DATA_DIR": tempfile.mkdtemp(prefix="marketgate"),
        **{f"MARKETGATE_{name.upper()}": value for name, value in changed.items()},
    }


@contextmanager
def gateway(env: Mapping[str, str], name: str = "gateway") -> Iterator[tuple[int, int]]:
    """One more process of the gateway, or of a module that serves it in another way; its port and pid."""
    port = free_port()
    with server([sys.executable, "-m", name, "serve"], port, {**env, "MARKETGATE_PORT": str(port)}) as pid:
        yield port, pid


def ask(port: int, query: str, key: str) -> dict[str, object]:
    """One question, asked once; an answer with errors stops the run."""
    sent = {"content-type": "application/json", "x-api-key": key}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", json.dumps({"query": query}).encode(), sent)
    answer = json.loads(urllib.request.urlopen(request).read())
    if "errors" in answer:
        raise RuntimeError(str(answer["errors"])[:1000])
    found: dict[str, object] = answer["data"]
    return found


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, threads that have ended included, in nanoseconds' resolution."""
    # The number of another process's CPU clock, as clock_getcpuclockid(3) works it out on Linux.
    return time.clock_gettime((~pid << 3) | 2)
