"""What importing all adapters costs on top of Strawberry's own import: CPU time and memory of fresh interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

ROUNDS = 7
GOAL_S, GOAL_MB = 0.5, 40
SCRIPT = """
import os, time
import strawberry
from tests.bench.servers import memory_mb
memory, begun = memory_mb(os.getpid()), time.process_time()
from providers import discover
found = discover(third_party=False)
print(time.process_time() - begun, memory_mb(os.getpid()) - memory, len(found.classes))
"""


def measured() -> tuple[float, float, int]:
    """CPU seconds, MB and the number of adapters."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    shown = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
    seconds, memory, adapters = shown.stdout.split()
    return float(seconds), float(memory), int(adapters)


def report() -> list[str]:
    """Medians; the round before them compiles what has changed."""
    measured()
    seconds, memory, adapters = (median(column) for column in zip(*(measured() for _ in range(ROUNDS)), strict=True))
    return [
        f"Import of {adapters:.0f} adapters on top of Strawberry's own: {seconds:.2f} s of CPU (target < {GOAL_S}),"
        f" {memory:.0f} MB (target < {GOAL_MB})"
    ]
