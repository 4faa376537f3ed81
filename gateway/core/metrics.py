"""Counters of this process in Prometheus's form; whoever counts something names it here, beside its meaning."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

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
