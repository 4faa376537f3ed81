"""How often a broker is asked: buckets that refill, that the broker's own counts tighten, and its pauses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from plugins.trading.brokers.port import BrokerBusy

READING = 0.2
"""Of a limit that counts all requests: three questions every 5 seconds are 36 of Alpaca's 200 a minute."""


class Urgency(Enum):
    """How much of a bucket is left for what matters more."""

    CANCEL = 0.0
    ORDER = 0.05
    READ = 0.2
    SPARE = 0.5
    """Reading beyond one's own share, out of what all others leave."""


@dataclass(slots=True)
class Bucket:
    """So many units in so many seconds; it refills evenly."""

    most: float
    seconds: float
    reading: float = 0.0
    """Which part of it is for reading, whatever else is asked for."""
    left: float = field(init=False)
    _unread: float = field(init=False)
    """So much of that part is left."""
    _at: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.left, self._unread = self.most, self.most * self.reading

    def refill(self, now: float) -> None:
        """Up to now."""
        if self._at is not None:
            more = (now - self._at) * self.most / self.seconds
            self.left = min(self.most, self.left + more)
            self._unread = min(self.most * self.reading, self._unread + more * self.reading)
        self._at = now

    def wait(self, units: float, urgency: Urgency) -> float:
        """Seconds until so many units are there above what is kept for what is more urgent, and for reading."""
        kept = self.most * urgency.value
        if urgency is Urgency.ORDER:
            kept += self._unread
        elif urgency is Urgency.READ and units <= self._unread:
            kept = self.most * Urgency.ORDER.value
        return max(units + kept - self.left, 0.0) * self.seconds / self.most

    def take(self, units: float, urgency: Urgency) -> None:
        """They are used up."""
        self.left -= units
        if urgency is Urgency.READ:
            self._unread = max(self._unread - units, 0.0)


class Pace:
    """The buckets of one broker, some of them of one key; and until when it wants to hear nothing of one of them, or
    nothing at all."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._buckets: dict[str, Bucket] = {}
        self._closed_until: dict[str | None, float] = {}

    def limit(self, name: str, most: int, seconds: float, *, reading: float = 0.0) -> None:
        """A limit that the broker has, and which part of it is kept for reading; once is enough."""
        self._buckets.setdefault(name, Bucket(most, seconds, reading))

    def wait(self, weights: dict[str, int], urgency: Urgency) -> float:
        """Seconds until these may be taken; 0 now."""
        now = self._monotonic()
        found = max(0.0, *(self._closed_until.get(name, 0.0) - now for name in (None, *weights)))
        for name, units in weights.items():
            bucket = self._buckets[name]
            bucket.refill(now)
            found = max(found, bucket.wait(units, urgency))
        return found

    def rests(self, name: str) -> bool:
        """Whether nothing may be taken out of one bucket, as the broker or what is before it says."""
        return self._closed_until.get(name, 0.0) > self._monotonic()

    def take(self, weights: dict[str, int], urgency: Urgency, where: str) -> None:
        """Take them, or BrokerBusy; nothing is taken then."""
        wait = self.wait(weights, urgency)
        if wait > 0:
            raise BrokerBusy(f"{where} takes no more requests for {wait:.1f} s", wait)
        for name, units in weights.items():
            self._buckets[name].take(units, urgency)

    def used(self, name: str, units: float) -> None:
        """What the broker has counted: it knows of others that use the same limit. It never gives back."""
        bucket = self._buckets.get(name)
        if bucket is not None:
            bucket.left = min(bucket.left, bucket.most - units)

    def left(self, name: str, units: float) -> None:
        """The same, as brokers say it that tell what is left."""
        bucket = self._buckets.get(name)
        if bucket is not None:
            bucket.left = min(bucket.left, units)

    def close(self, seconds: float, name: str | None = None) -> None:
        """Nothing for so long, out of one bucket or at all."""
        self._closed_until[name] = max(self._closed_until.get(name, 0.0), self._monotonic() + seconds)
