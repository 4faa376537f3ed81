"""Hedges: how a ratio is reckoned, and what a hedge costs."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from schema.model import choices, described, model


@choices(
    "How a hedge ratio is reckoned.",
    MINIMUM_VARIANCE="cov(s, f) / var(f): the least variance of what is left.",
    BETA="(beta of the position - targetBeta) / beta of the candidate, both to the benchmark.",
)
class HedgeKind(StrEnum):
    """Of a proposal."""

    MINIMUM_VARIANCE = "MINIMUM_VARIANCE"
    BETA = "BETA"


@model("What a hedge costs: below 0 it is an income.")
class HedgeCost:
    """In the analysis's currency."""

    fees: Decimal = described("For in and out.")
    spread: Decimal = described("Half of it each way.")
    funding: Decimal = described("Over the days that it is held, at the rate of now.")
    total: Decimal = described("All together.")
    days: int = described("How long it is held.")
