"""Sentiment: indices of a market's mood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from schema.capability import Capability
from schema.checks import ascending, within
from schema.model import described, model
from schema.provenance import UNSTAMPED, Provenance

FEAR_AND_GREED = "crypto.fear-and-greed"


@model("The mood of a market at an instant.")
class SentimentIndex:
    """0 is the greatest fear, 100 the greatest greed."""

    index: str = described("The index, such as `crypto.fear-and-greed`.")
    time: datetime = described("When it is of.")
    value: Decimal = described("0 is the greatest fear, 100 the greatest greed.")
    label: str | None = described("Its source's word for the value.", default=None)
    provenance: Provenance = described("Where this came from.", default=UNSTAMPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentAsk:
    """The newest `last` values of an index, ascending (an adapter may answer more, the core cuts)."""

    index: str = FEAR_AND_GREED
    last: int = 1


def check_sentiment(ask: SentimentAsk, values: Sequence[SentimentIndex]) -> Iterator[str]:
    """Ascending, 0 to 100."""
    yield from ascending("time", [each.time for each in values], unique=True)
    for each in values:
        yield from within(f"{each.time.isoformat()}: ", 0, 100, value=each.value)


SENTIMENT: Capability[SentimentAsk, tuple[SentimentIndex, ...]] = Capability(
    name="sentiment",
    ask=SentimentAsk,
    answer=tuple[SentimentIndex, ...],
    description="Indices of a market's mood.",
    fresh_for=timedelta(minutes=10),
    revalidate_for=timedelta(minutes=50),
    keep_for=timedelta(days=1),
    as_of=lambda values: max((each.time for each in values), default=None),
    check=check_sentiment,
)
