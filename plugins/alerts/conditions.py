"""What an alert waits for, as a value: which number is measured, and on which side of which threshold it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zlib import crc32

from schema.model import choices
from schema.symbols import AssetClass, InstrumentId
from schema.words.intervals import Interval
from schema.words.quotes import PriceType

SHARDS = 16
"""Parts of all alerts that processes share out among each other."""


@choices(
    "What an alert looks at.",
    PRICE="The price crosses a level.",
    CHANGE="The price has moved by so many percent within a time.",
    SPREAD="Providers' prices lie apart.",
    VOLUME="The volume of the quote's window is above a level.",
    FUNDING="The funding rate of a perpetual crosses a level.",
    INDICATOR="An indicator over closed candles crosses a level.",
    NEWS="An article holds a word.",
    PROVIDER_HEALTH="A provider cannot be asked.",
)
class AlertKind(StrEnum):
    """The family of a condition."""

    PRICE = "PRICE"
    CHANGE = "CHANGE"
    SPREAD = "SPREAD"
    VOLUME = "VOLUME"
    FUNDING = "FUNDING"
    INDICATOR = "INDICATOR"
    NEWS = "NEWS"
    PROVIDER_HEALTH = "PROVIDER_HEALTH"


PRICED = frozenset({AlertKind.PRICE, AlertKind.CHANGE, AlertKind.SPREAD})
"""Of which a price is measured, of a type that may be chosen."""


@choices(
    "An indicator over the closes of closed candles.",
    SMA="Simple moving average.",
    EMA="Exponential moving average.",
    RSI="Relative strength index, 0 to 100.",
)
class IndicatorKind(StrEnum):
    """As talipp reckons them."""

    SMA = "SMA"
    EMA = "EMA"
    RSI = "RSI"


@choices("On which side of its threshold a condition is true.", ABOVE="Above it.", BELOW="Below it.")
class AlertSide(StrEnum):
    """Of a threshold."""

    ABOVE = "ABOVE"
    BELOW = "BELOW"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number of the markets that goes up and down; all alerts on it share one look at it."""

    kind: AlertKind
    instrument: InstrumentId | None = None
    price_type: PriceType | None = None
    window_ms: int = 0
    providers: tuple[str, ...] = ()
    indicator: IndicatorKind | None = None
    interval: Interval | None = None
    length: int = 0
    keywords: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The same in every process."""
        parts = (
            self.kind, self.instrument or "", self.price_type or "", self.window_ms or "", *self.providers,
            self.indicator or "", self.interval or "", self.length or "", *self.keywords,
        )  # fmt: skip
        return " ".join(str(part) for part in parts if part != "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition. `inclusive` counts the threshold itself as true: "at least"."""

    kind: AlertKind
    side: AlertSide = AlertSide.ABOVE
    threshold: Decimal = Decimal(0)
    inclusive: bool = False
    window_ms: int = 0
    providers: tuple[str, ...] = ()
    indicator: IndicatorKind | None = None
    interval: Interval | None = None
    length: int = 0
    keywords: tuple[str, ...] = ()

    def measure(self, instrument: InstrumentId | None, price_type: PriceType | None) -> Measure:
        """What is measured for it."""
        return Measure(
            kind=self.kind, instrument=instrument, price_type=price_type if self.kind in PRICED else None,
            window_ms=self.window_ms, providers=self.providers, indicator=self.indicator, interval=self.interval,
            length=self.length, keywords=self.keywords,
        )  # fmt: skip

    @property
    def text(self) -> str:
        """In words."""
        level, way = format(self.threshold, "f"), self.side.value.lower()
        match self.kind:
            case AlertKind.PRICE:
                return f"price crosses {way} {level}"
            case AlertKind.CHANGE:
                return f"price changes by {level} % or more within {self.window_ms} ms"
            case AlertKind.SPREAD:
                return f"prices of {', '.join(self.providers)} lie {level} bps or more apart"
            case AlertKind.VOLUME:
                return f"volume rises above {level}"
            case AlertKind.FUNDING:
                return f"funding rate crosses {way} {level}"
            case AlertKind.INDICATOR:
                return f"{self.indicator}({self.length}) of {self.interval} candles crosses {way} {level}"
            case AlertKind.NEWS:
                return f"an article holds {' or '.join(map(repr, self.keywords))}"
            case AlertKind.PROVIDER_HEALTH:
                return f"{self.providers[0]} cannot be asked"


def plain(condition: Condition) -> dict[str, Any]:
    """As it is stored."""
    return {
        "kind": condition.kind.value, "side": condition.side.value, "threshold": format(condition.threshold, "f"),
        "inclusive": condition.inclusive, "windowMs": condition.window_ms, "providers": list(condition.providers),
        "indicator": condition.indicator, "interval": condition.interval, "length": condition.length,
        "keywords": list(condition.keywords),
    }  # fmt: skip


def read_condition(stored: Mapping[str, Any]) -> Condition:
    """What `plain` made."""
    indicator, interval = stored["indicator"], stored["interval"]
    return Condition(
        kind=AlertKind(stored["kind"]), side=AlertSide(stored["side"]), threshold=Decimal(stored["threshold"]),
        inclusive=stored["inclusive"], window_ms=stored["windowMs"], providers=tuple(stored["providers"]),
        indicator=IndicatorKind(indicator) if indicator else None, interval=Interval(interval) if interval else None,
        length=stored["length"], keywords=tuple(stored["keywords"]),
    )  # fmt: skip


def shard_of(condition: Condition, instrument: InstrumentId | None) -> int:
    """Alerts on one instrument are evaluated by one process."""
    subject = str(instrument) if instrument else " ".join((*condition.providers, *condition.keywords))
    return crc32(subject.encode()) % SHARDS


def usual_price(instrument: InstrumentId) -> PriceType:
    """Which price counts where nobody says: FX has no last trade."""
    return PriceType.MID if instrument.asset_class is AssetClass.FX else PriceType.LAST
