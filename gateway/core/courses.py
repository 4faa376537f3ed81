"""How operations end and how long they take, counted without a lock: where each microsecond is one of every answer.

Add to them in the thread of the event loop only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.core.metrics import REGISTRY, declare

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds; the objective of 0.1 s is one of them."""
MOST = 1_000
OTHER = "other"
"""What is beyond so many values of a label: labels are of closed sets, and this one has a bound besides."""


class Course:
    """Of one value of the label."""

    __slots__ = ("answered", "buckets", "ends", "kept", "seconds")

    def __init__(self) -> None:
        self.ends: dict[str, int] = {}
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0
        self.answered = self.kept = 0
        """Of those that are kept bytes at once no time is taken: they are quicker than the first bound."""

    def end(self, outcome: str, seconds: float) -> None:
        """One has ended."""
        self.note(outcome)
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def answer(self, bucket: int, seconds: float) -> None:
        """One was answered: what most of them are, so that it is the shortest way."""
        self.answered += 1
        self.buckets[bucket] += 1
        self.seconds += seconds

    def note(self, outcome: str) -> None:
        """One that takes no time that says anything: a stream that was opened, or what was turned away."""
        self.ends[outcome] = self.ends.get(outcome, 0) + 1


class Courses(Collector):
    """`<name>_total` by label and outcome, `<name>_seconds` by label."""

    def __init__(self, name: str, of: str, label: str) -> None:
        self._name, self._label = name, label
        seconds = f"Seconds that {of[0].lower()}{of[1:]} took; of those that were executed."
        self._meanings = f"{of}, by how they ended.", seconds
        self._by: dict[str, Course] = {}
        declare(f"{name}_total", "counter", (label, "outcome"), self._meanings[0])
        declare(f"{name}_seconds", "histogram", (label,), self._meanings[1])
        REGISTRY.register(self)

    def of(self, value: str) -> Course:
        """Made at the first use."""
        found = self._by.get(value)
        if found is None:
            found = self._by.setdefault(value if len(self._by) < MOST else OTHER, Course())
        return found

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        count = CounterMetricFamily(self._name, self._meanings[0], labels=(self._label, "outcome"))
        seconds = HistogramMetricFamily(f"{self._name}_seconds", self._meanings[1], labels=(self._label,))
        for value, course in list(self._by.items()):
            for outcome, number in (("answered", course.answered), ("kept", course.kept), *course.ends.items()):
                count.add_metric((value, outcome), number)
            below, shown = course.kept, list[tuple[str, float]]()
            for bound, number in zip((*map(str, BOUNDS), "+Inf"), course.buckets, strict=True):
                below += number
                shown.append((bound, below))
            seconds.add_metric((value,), shown, course.seconds)
        yield count
        yield seconds
