"""Consensus: one ask put to several providers, their middle and who is off."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from schema.model import computed, described, model
from schema.provenance import ProviderFailure
from schema.symbols import InstrumentId
from schema.words.instruments import DESCRIBED, instrument_of
from schema.words.quotes import Quote


@model("One provider's part in a consensus.")
class ConsensusSource:
    """Used, an outlier, or excluded with a reason."""

    provider: str = described("The provider's id.")
    quote: Quote | None = described("What it said.", default=None)
    deviation_bps: Decimal | None = described("Distance from the median in basis points, signed.", default=None)
    outlier: bool = described("True when it is too far from the others to count.", default=False)
    excluded: ProviderFailure | None = described("Why it does not count at all.", default=None)


def consensus_id(root: Consensus) -> strawberry.ID:
    """The identity of the question."""
    return strawberry.ID(f"consensus:{root.instrument}")


@model("What several providers agree on.")
class Consensus:
    """Outliers and excluded sources do not count in median, low and high."""

    instrument: strawberry.Private[InstrumentId]
    currency: str = described("Currency of the prices.")
    median: Decimal = described("The middle of the used prices.")
    low: Decimal = described("The lowest used price.")
    high: Decimal = described("The highest used price.")
    range_bps: Decimal = described("High minus low in basis points of the median.")
    asked: int = described("How many providers were asked.")
    used: int = described("How many count.")
    sources: list[ConsensusSource] = described("Every provider that was asked.")
    outliers: list[ConsensusSource] = described("Those too far from the others.")
    id = computed(consensus_id, "Identity of the question.")
    instrument_ = computed(instrument_of, "What is priced.", name="instrument", direct=DESCRIBED)
