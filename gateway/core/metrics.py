"""Counters of this process in Prometheus's form; whoever counts something names it here, beside its meaning.

Labels are of closed sets, such as providers and capabilities: never a symbol, a tenant, or what a caller has written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

REGISTRY = CollectorRegistry()
"""The gateway's own: nothing that a library registers by itself is shown."""
SECONDS = Histogram.DEFAULT_BUCKETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A metric as its page lists it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


DECLARED: dict[str, Declared] = {}
"""Every metric of the modules that are loaded, by its name in the text."""


def counter(name: str, meaning: str, *labels: str) -> Counter:
    """Only grows; the name ends in what is counted, such as `marketgate_cache_reads`."""
    declare(f"{name.removesuffix('_total')}_total", "counter", labels, meaning)
    return Counter(name, meaning, labels, registry=REGISTRY)


def gauge(name: str, meaning: str, *labels: str) -> Gauge:
    """Goes up and down."""
    declare(name, "gauge", labels, meaning)
    return Gauge(name, meaning, labels, registry=REGISTRY)


def histogram(name: str, meaning: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> Histogram:
    """Seconds, unless the name says otherwise."""
    declare(name, "histogram", labels, meaning)
    return Histogram(name, meaning, labels, registry=REGISTRY, buckets=buckets)


class Tally(Collector):
    """A counter where even counting would cost too much: add to `value` where no other thread does."""

    def __init__(self, name: str, meaning: str) -> None:
        self._name, self._meaning = name, meaning
        self.value = 0
        declare(f"{name.removesuffix('_total')}_total", "counter", (), meaning)
        REGISTRY.register(self)

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        yield CounterMetricFamily(self._name, self._meaning, value=self.value)


class Readings(Collector):
    """A gauge whose values are read when they are asked for: naming where to read one costs next to nothing."""

    def __init__(self, name: str, meaning: str, *labels: str) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self._sources: dict[tuple[str, ...], Callable[[], float]] = {}
        declare(name, "gauge", labels, meaning)
        REGISTRY.register(self)

    def watch(self, source: Callable[[], float], *values: str) -> None:
        """Read there for these labels' values, and no longer where it was read before."""
        self._sources[values] = source

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        family = GaugeMetricFamily(self._name, self._meaning, labels=self._labels)
        for values, source in list(self._sources.items()):
            family.add_metric(values, source())
        yield family


def exposition() -> bytes:
    """Everything as text, with what the process itself uses."""
    _of_the_process()
    return generate_latest(REGISTRY)


def declare(name: str, kind: str, labels: tuple[str, ...], meaning: str) -> None:
    """Name a metric for its page; the functions above do."""
    DECLARED[name] = Declared(name=name, kind=kind, labels=labels, meaning=meaning)


@cache
def _of_the_process() -> None:
    ProcessCollector(registry=REGISTRY)
    PlatformCollector(registry=REGISTRY)
    GCCollector(registry=REGISTRY)
