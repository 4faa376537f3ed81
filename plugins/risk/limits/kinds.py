"""What a limit holds down, as a value, and how it is measured on a portfolio's positions. Pure: decimals, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zlib import crc32

from schema.model import choices
from schema.symbols import AssetClass, InstrumentId

SHARDS = 16
"""Parts of all limits that processes share out among each other."""
SCALE = Decimal("0.0000000001")
"""Measures are rounded to ten digits behind the point."""


@choices(
    "What a limit holds down. Weights are fractions of the portfolio's value.",
    SINGLE_NAME="The greatest absolute weight of one instrument: max |vᵢ| / V.",
    CLASS_EXPOSURE="The absolute weights of one asset class together: Σ|vᵢ| / V.",
    LEVERAGE="The absolute weights of all positions together: Σ|vᵢ| / V.",
    CONCENTRATION="The Herfindahl index of the positions: Σ(|vᵢ| / Σ|v|)², 1 for a single one.",
    DRAWDOWN="The fall of the value from its peak since the limit was made: 1 - V / peak.",
    VALUE_AT_RISK="The loss of a day that is exceeded with a probability of 1 - confidence, of the value.",
)
class LimitKind(StrEnum):
    """Of a limit."""

    SINGLE_NAME = "SINGLE_NAME"
    CLASS_EXPOSURE = "CLASS_EXPOSURE"
    LEVERAGE = "LEVERAGE"
    CONCENTRATION = "CONCENTRATION"
    DRAWDOWN = "DRAWDOWN"
    VALUE_AT_RISK = "VALUE_AT_RISK"


@choices(
    "Where a limit stands.",
    ARMED="Not breached: the next breach is told.",
    BREACHED="Breached and told; it waits for the value to go back, by the hysteresis at least.",
)
class LimitState(StrEnum):
    """Each arming ends with at most one breach."""

    ARMED = "ARMED"
    BREACHED = "BREACHED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRule:
    """What a kind needs besides its threshold."""

    kind: LimitKind
    asset_class: AssetClass | None = None
    confidence: float = 0.95
    days: int = 365
    """Of history by the calendar, for the value at risk."""

    def text(self, threshold: Decimal) -> str:
        """In words."""
        level = format(threshold, "f")
        match self.kind:
            case LimitKind.SINGLE_NAME:
                return f"the largest single position is above {level} of the value"
            case LimitKind.CLASS_EXPOSURE:
                return f"the exposure to {self.asset_class} is above {level} of the value"
            case LimitKind.LEVERAGE:
                return f"gross exposure is above {level} times the value"
            case LimitKind.CONCENTRATION:
                return f"the Herfindahl index is above {level}"
            case LimitKind.DRAWDOWN:
                return f"the drawdown is above {level}"
            case LimitKind.VALUE_AT_RISK:
                return f"the one-day VaR at {self.confidence:.12g} is above {level} of the value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A portfolio at an instant, in its own currency. Short positions are negative."""

    values: Mapping[InstrumentId, Decimal]
    cash: Decimal = Decimal(0)

    @property
    def value(self) -> Decimal:
        """Of everything."""
        return sum(self.values.values(), self.cash)

    @property
    def gross(self) -> Decimal:
        """Σ|v|."""
        return sum((abs(value) for value in self.values.values()), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a limit's measure is; `value` is None where the portfolio's value is not above zero: beyond any limit."""

    value: Decimal | None
    subject: str | None = None


def measure(rule: LimitRule, snapshot: Snapshot, peak: Decimal) -> Measured:
    """The measure of a limit on positions; of the value at risk there is none here: ValueError."""
    value, sizes = snapshot.value, {each: abs(worth) for each, worth in snapshot.values.items()}
    if rule.kind is LimitKind.DRAWDOWN:
        return Measured(value=_share(max(peak - value, Decimal(0)), peak) if peak > 0 else Decimal(0))
    largest = max(sizes, key=lambda each: (sizes[each], str(each)), default=None)
    match rule.kind:
        case LimitKind.SINGLE_NAME:
            part, subject = (sizes[largest], str(largest)) if largest else (Decimal(0), None)
        case LimitKind.CLASS_EXPOSURE:
            mine = [size for each, size in sizes.items() if each.asset_class is rule.asset_class]
            part, subject = sum(mine, Decimal(0)), None
        case LimitKind.LEVERAGE:
            part, subject = snapshot.gross, None
        case LimitKind.CONCENTRATION:
            return Measured(value=_herfindahl(list(sizes.values())), subject=str(largest) if largest else None)
        case _:
            raise ValueError(f"{rule.kind} is not measured on positions")
    if part == 0:
        return Measured(value=Decimal(0), subject=subject)
    return Measured(value=_share(part, value) if value > 0 else None, subject=subject)


def plain(rule: LimitRule) -> dict[str, Any]:
    """As it is stored."""
    asset_class = rule.asset_class.value if rule.asset_class else None
    return {"assetClass": asset_class, "confidence": rule.confidence, "days": rule.days}


def read_rule(kind: str, stored: Mapping[str, Any]) -> LimitRule:
    """What `plain` made."""
    asset_class = stored["assetClass"]
    return LimitRule(
        kind=LimitKind(kind), asset_class=AssetClass(asset_class) if asset_class else None,
        confidence=stored["confidence"], days=stored["days"],
    )  # fmt: skip


def shard_of(portfolio: str) -> int:
    """Limits on one portfolio are evaluated by one process."""
    return crc32(portfolio.encode()) % SHARDS


def _share(part: Decimal, whole: Decimal) -> Decimal:
    return (part / whole).quantize(SCALE).normalize()


def _herfindahl(sizes: list[Decimal]) -> Decimal:
    gross = sum(sizes, Decimal(0))
    if gross == 0:
        return Decimal(0)
    return sum(((size / gross) ** 2 for size in sizes), Decimal(0)).quantize(SCALE).normalize()
