"""Hostile requests to a real process: the CPU that each costs it, and what a neighbour notices meanwhile.

Attacker and neighbour are processes of their own. The cost is taken while nobody else asks; then the neighbour asks
alone and beside the attacker in turn, so that a busy machine slows both alike.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from gateway.core.settings import load_settings
from tests.bench.attacks import attacks
from tests.bench.neighbour import QUOTE
from tests.bench.servers import ask, cpu_seconds, environment, gateway, module
from tests.furnished import furnish

TARGET_MS = 250
COSTED, ROUNDS, WINDOW_S, IDLE_S, SETTLED_S = 5, 5, 0.6, 0.5, 0.05
SLOW = ("dripped head", "dripped body")
"""These go on for as long as the gateway bears them."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process that answers lines with lines."""

    process: subprocess.Popen[str]

    def tell(self, line: str) -> None:
        """Have it begin."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        """Wait for its end, and what came of it."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())


@contextmanager
def child(name: str, port: int, key: str) -> Iterator[Child]:
    """`python -m tests.bench.NAME PORT KEY`."""
    command = [sys.executable, "-m", f"tests.bench.{name}", str(port), key]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Child(process)
        finally:
            process.terminate()


@dataclass(slots=True)
class Seen:
    """What an attack did; CPU and latencies in ms."""

    answer: str = ""
    costs: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)

    def line(self, name: str) -> str:
        """Its line of the table."""
        rest = "".join(f" {share(part, at):8.2f}" for at in (0.5, 0.99) for part in (self.alone, self.beside))
        ratio = share(self.beside, 0.99) / share(self.alone, 0.99)
        return f"{name:22} {self.answer:30} {median(self.costs):8.1f} {max(self.costs):8.1f}{rest} {ratio:6.1f}"


def share(values: Sequence[float], part: float) -> float:
    """The value that so large a part is not above."""
    return sorted(values)[int(len(values) * part)]


def measured(name: str, pid: int, attacker: Child, neighbour: Child) -> Seen:
    """An attack while nobody else asks, and then beside the neighbour."""
    seen, used = Seen(), cpu_seconds(pid)
    time.sleep(IDLE_S)
    idle = (cpu_seconds(pid) - used) / IDLE_S
    for _ in range(1 if name in SLOW else COSTED):
        used, begun = cpu_seconds(pid), time.perf_counter()
        attacker.tell(f"{name} 0")
        seen.answer = attacker.hear()["answer"]
        time.sleep(SETTLED_S)
        spent, lasted = cpu_seconds(pid) - used, time.perf_counter() - begun
        seen.costs.append(max(0.0, spent - idle * lasted) * 1_000)
    for _ in range(ROUNDS):
        neighbour.tell(f"{WINDOW_S}")
        seen.alone += neighbour.hear()
        attacker.tell(f"{name} {WINDOW_S}")
        neighbour.tell(f"{WINDOW_S}")
        seen.beside += neighbour.hear()
        attacker.hear()
    return seen


def report() -> Sequence[str]:
    """A line for each attack."""
    return table(tuple(attacks()))


def table(names: Sequence[str]) -> Sequence[str]:
    """A line for each of some attacks, with a heading."""
    with module("tests.bench.upstream") as (upstream, _):
        env = environment(upstream)
        key = furnish(load_settings(env, None).settings)
        with (
            gateway(env) as (port, pid),
            child("attacks", port, key) as attacker,
            child("neighbour", port, key) as other,
        ):
            ask(port, QUOTE, key)
            other.tell(f"{WINDOW_S}")
            other.hear()
            lines = [f"Hostile requests (target: < {TARGET_MS} ms of CPU; one attacker beside one neighbour's quotes)"]
            columns = "".join(f" {name:>8}" for name in ("CPU ms", "most", "p50", "beside", "p99", "beside"))
            lines.append(f"{'attack':22} {'answer':30}{columns} ratio")
            lines += [measured(name, pid, attacker, other).line(name) for name in names]
            return lines


if __name__ == "__main__":
    print("\n".join(table(sys.argv[1:]) if sys.argv[1:] else report()))
