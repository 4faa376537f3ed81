"""Counters of this process in Prometheus's form; whoever counts something names it here, beside its meaning."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

REGISTRY = CollectorRegistry()
"""The gateway's own: nothing that a library registers by itself is shown."""
SECONDS = Histogram.DEFAULT_BUCKETS


def counter(name: str, meaning: str, *labels: str) -> Counter:
    """Only grows; the name ends in what is counted, such as `marketgate_cache_reads`."""
    return Counter(name, meaning, labels, registry=REGISTRY)


def gauge(name: str, meaning: str, *labels: str) -> Gauge:
    """Goes up and down."""
    return Gauge(name, meaning, labels, registry=REGISTRY)


def histogram(name: str, meaning: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> Histogram:
    """Seconds, unless the name says otherwise."""
    return Histogram(name, meaning, labels, registry=REGISTRY, buckets=buckets)


class Tally(Collector):
    """A counter where even counting would cost too much: add to `value` where no other thread does."""

    def __init__(self, name: str, meaning: str) -> None:
        self._name, self._meaning = name, meaning
        self.value = 0
        REGISTRY.register(self)

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        yield CounterMetricFamily(self._name, self._meaning, value=self.value)
