"""What becomes of a delivery after an attempt: pure, so that every case is a line of a table in its test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from gateway.core.ports import Posted
from plugins.webhooks.delivery.schedule import PAUSES_ALL, Schedule, wished_s

GONE = 410
EXCERPT = 2_048
"""Characters of an answer that are kept."""


class Outcome(Enum):
    """Of one attempt, as far as the delivery is concerned."""

    SUCCEEDED = "SUCCEEDED"
    RETRYING = "RETRYING"
    EXHAUSTED = "EXHAUSTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: an answer of the receiver, or why there was none."""

    at: datetime
    """When the attempt began."""
    ended: datetime
    posted: Posted | None
    error: str | None = None

    @property
    def latency_ms(self) -> int:
        """From the beginning to the status, or to the end of hope."""
        if self.posted is not None:
            return round(self.posted.latency_s * 1_000)
        return round((self.ended - self.at).total_seconds() * 1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is written down."""

    outcome: Outcome
    due_at: datetime | None
    status: int | None
    error: str | None
    excerpt: str | None
    gone: bool = False
    """The receiver wants nothing any more."""
    hung: bool = False
    """There was no answer: not even a refusal."""
    paused_until: datetime | None = None
    """Before then the receiver wants nothing, of other deliveries neither."""


def judge(answer: Answer, failed_before: int, schedule: Schedule, chance: float) -> Verdict:
    """*failed_before*: attempts since the delivery was last sent anew. Only 2xx is success; a redirect is none."""
    posted = answer.posted
    if posted is not None and 200 <= posted.status < 300:
        return Verdict(
            outcome=Outcome.SUCCEEDED, due_at=None, status=posted.status, error=None, excerpt=excerpt_of(posted.body)
        )
    gone = posted is not None and posted.status == GONE
    wished = None if posted is None else wished_s(posted.status, posted.headers, answer.ended)
    delay = None if gone else schedule.delay_s(failed_before + 1, chance)
    if delay is not None:
        delay = max(delay, wished or 0.0)
    return Verdict(
        outcome=Outcome.EXHAUSTED if delay is None else Outcome.RETRYING,
        due_at=None if delay is None else answer.ended + timedelta(seconds=delay),
        status=None if posted is None else posted.status,
        error=answer.error if posted is None else told(posted.status),
        excerpt=None if posted is None else excerpt_of(posted.body),
        gone=gone, hung=posted is None, paused_until=_paused_until(answer, wished),
    )  # fmt: skip


def _paused_until(answer: Answer, wished: float | None) -> datetime | None:
    if wished is None or answer.posted is None or answer.posted.status not in PAUSES_ALL:
        return None
    return answer.ended + timedelta(seconds=wished)


def unjudged(answer: Answer, failed_before: int, schedule: Schedule, chance: float) -> Verdict:
    """Of an attempt whose answer the gateway could not make sense of: a failure like any other."""
    delay = schedule.delay_s(failed_before + 1, chance)
    return Verdict(
        outcome=Outcome.EXHAUSTED if delay is None else Outcome.RETRYING,
        due_at=None if delay is None else answer.ended + timedelta(seconds=delay),
        status=None if answer.posted is None else answer.posted.status,
        error="its answer could not be judged", excerpt=None,
    )  # fmt: skip


def told(status: int) -> str:
    """Why a status is no success."""
    if 300 <= status < 400:
        return f"it answered {status}: redirects are not followed"
    return f"it answered {status}"


def excerpt_of(body: bytes) -> str:
    """The beginning of a body with what cannot be printed replaced; line ends stay."""
    text = body[: 4 * EXCERPT].decode("utf-8", "replace")[:EXCERPT]
    return "".join(each if each.isprintable() or each in "\n\t" else "\N{REPLACEMENT CHARACTER}" for each in text)
