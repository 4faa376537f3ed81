"""How one provider does at one capability now: rates and latencies that fade, so that the last minute says most."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import exp

TAU_S = 30.0
"""After so many seconds a call counts for 1/e of a new one."""
JUDGED, JUDGED_STILL = 10.0, 2.0
"""Calls (faded) that are needed to call somebody failing, and to go on doing so."""
FAILING, RECOVERED = 0.3, 0.15
MEASURED, MEASURED_STILL = 2.5, 1.0
SLOW_MS, QUICK_MS = 1_000.0, 700.0
SLOWER, STILL_SLOWER, NOTICED_MS = 3.0, 2.0, 300.0
"""Who takes three times as long as the quickest, and so long that a person notices, until it takes less than twice."""
SAMPLE = 100
P95_SAMPLES = 20
P95_UNKNOWN_S = 0.25


@dataclass(slots=True, kw_only=True)
class Pulse:
    """Sums that fade with time; two thresholds each way, so that near equals do not change places all the time."""

    at: float = 0.0
    calls: float = 0.0
    failures: float = 0.0
    answers: float = 0.0
    latency: float = 0.0
    failing: bool = False
    slow: bool = False
    slower: bool = False
    sample: deque[int] = field(default_factory=lambda: deque(maxlen=SAMPLE))

    def succeeded(self, now: float, latency_ms: int | None) -> None:
        """A call that the upstream answered; without a latency where nothing was sent."""
        self._fade(now)
        self.calls += 1
        if latency_ms is not None:
            self.answers += 1
            self.latency += latency_ms
            self.sample.append(latency_ms)

    def failed(self, now: float) -> None:
        """A call that failed by the provider's fault."""
        self._fade(now)
        self.calls += 1
        self.failures += 1

    @property
    def error_rate(self) -> float:
        """Share of failed calls, 0 to 1: they fade alike."""
        return self.failures / self.calls if self.calls else 0.0

    def mean_ms(self, now: float) -> float | None:
        """Latency, where enough was measured of late."""
        self._fade(now)
        return self.latency / self.answers if self.answers >= MEASURED_STILL else None

    def judge(self, now: float) -> str | None:
        """Why it is to be asked after the others, if it is."""
        self._fade(now)
        rate = self.error_rate
        if self.failing:
            self.failing = self.calls >= JUDGED_STILL and rate >= RECOVERED
        else:
            self.failing = self.calls >= JUDGED and rate >= FAILING
        mean = self.latency / self.answers if self.answers else 0.0
        if self.slow:
            self.slow = self.answers >= MEASURED_STILL and mean >= QUICK_MS
        else:
            self.slow = self.answers >= MEASURED and mean >= SLOW_MS
        if self.failing:
            return f"{rate:.0%} of its calls of late failed"
        return f"it takes {mean:.0f} ms of late" if self.slow else None

    def compare(self, now: float, quickest_ms: float) -> bool:
        """Whether it is far slower than the quickest of those that cover an ask."""
        mean = self.mean_ms(now)
        factor = STILL_SLOWER if self.slower else SLOWER
        enough = self.answers >= (MEASURED_STILL if self.slower else MEASURED)
        self.slower = mean is not None and enough and mean >= max(NOTICED_MS, factor * quickest_ms)
        return self.slower

    @property
    def quiet(self) -> bool:
        """Whether nothing speaks against it, without a look at the clock: what fades speaks for it."""
        judged = self.failing or self.slow or self.slower
        return not judged and self.failures < JUDGED * FAILING and self.latency <= NOTICED_MS * self.answers

    def p95_s(self) -> float:
        """Seconds in which nineteen of twenty calls were answered; a guess where too few were."""
        if len(self.sample) < P95_SAMPLES:
            return P95_UNKNOWN_S
        return sorted(self.sample)[int(0.95 * len(self.sample))] / 1000

    def p50_s(self) -> float | None:
        """Seconds in which half of the calls were answered; None where too few were."""
        return sorted(self.sample)[len(self.sample) // 2] / 1000 if len(self.sample) >= P95_SAMPLES else None

    def _fade(self, now: float) -> None:
        passed = now - self.at
        if passed > 0:
            left = exp(-passed / TAU_S)
            self.calls *= left
            self.failures *= left
            self.answers *= left
            self.latency *= left
            self.at = now
