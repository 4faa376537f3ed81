"""Thresholds of a month's quota."""

from __future__ import annotations

from enum import StrEnum

from schema.model import choices


@choices(
    "How much of a month's quota was used.",
    HALF="Half of the hard quota.",
    FOUR_FIFTHS="Four fifths of the hard quota.",
    USED_UP="All of the hard quota.",
    SOFT="All of the soft quota.",
)
class QuotaThreshold(StrEnum):
    """Parts of the hard quota, and the soft one."""

    HALF = "HALF"
    FOUR_FIFTHS = "FOUR_FIFTHS"
    USED_UP = "USED_UP"
    SOFT = "SOFT"


PERCENT = {QuotaThreshold.HALF: 50, QuotaThreshold.FOUR_FIFTHS: 80, QuotaThreshold.USED_UP: 100}
