"""One broker's host, asked at the broker's pace: what comes back is an answer, or a trouble that says what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.core.clock import Clock
from gateway.core.ports import OutboundHttp, Unreachable
from plugins.trading.brokers.pacing import Pace, Urgency
from plugins.trading.brokers.port import AskedTooOften, OutcomeUnknown, Report
from plugins.trading.brokers.wire import Sending, decode

TIMEOUT_S = 8.0
LONGEST_PAUSE_S = 3 * 86_400.0
LIMITED = frozenset({418, 429})
BARRED = 403
"""Without a broker's words a firewall before it says so, of one path or one key perhaps: that key reads nothing for a
while, and orders and cancellations go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status and body; header names in lower case."""

    status: int
    headers: dict[str, str]
    content: bytes
    where: str

    def json(self) -> Any:
        """The body; AnswerUnreadable where it is none."""
        return decode(self.content, self.where)


class Link:
    """Shared by all accounts at one broker."""

    def __init__(self, http: OutboundHttp, clock: Clock, broker: str, base: str, pause_s: float) -> None:
        self._http, self._base, self._pause_s = http, base.rstrip("/"), pause_s
        self.clock, self.broker = clock, broker
        self.pace = Pace(clock.monotonic)
        self.past: dict[str, Report] = {}
        """Orders that others have replaced, which is for good, by the broker's ids."""
        self.owners: dict[str, str] = {}
        """Whose a key is, by the broker's own ids of accounts: a key is of one account for ever."""
        self.offset_ms: int | None = None
        """By how much the broker's clock is ahead of ours, where that matters; None before it was asked."""

    async def ask(self, sending: Sending, weights: dict[str, int], urgency: Urgency) -> Answer:
        """One exchange. BrokerBusy means that it was not carried out, OutcomeUnknown that nobody knows."""
        where = f"{self.broker} {sending.method} {sending.path}"
        self.pace.take(weights, urgency, self.broker)
        url = f"{self._base}{sending.path}{'?' if sending.query else ''}{sending.query}"
        try:
            found = await self._http.request(
                sending.method, url, body=sending.body, headers=sending.headers, within=TIMEOUT_S
            )
        except Unreachable as error:
            raise OutcomeUnknown(str(error)) from None
        return Answer(status=found.status, headers=dict(found.headers), content=found.content, where=where)

    def rest(self, answer: Answer, bucket: str | None) -> AskedTooOften:
        """What to raise where the broker was asked too often. For as long as it says nothing of that bucket is sent, or
        where none is named, nothing at all."""
        pause = retry_after(answer.headers, self._pause_s)
        self.pace.close(pause, bucket)
        return AskedTooOften(f"{self.broker} says that it was asked too often: again in {pause:g} s", pause)


def retry_after(headers: dict[str, str], default: float) -> float:
    """Seconds, bounded; the default where the header is none."""
    text = headers.get("retry-after", "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        return default
    return min(max(float(text), 1.0), LONGEST_PAUSE_S)
