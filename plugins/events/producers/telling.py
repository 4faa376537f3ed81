"""What was told of a candle, as text: a revision is measured by it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec

from schema.words.candles import Candle


class _Row(msgspec.Struct, array_like=True, frozen=True):
    provider: str
    revision: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A candle as its receivers know it."""

    provider: str
    revision: int
    candle: Candle

    def text(self) -> str:
        """To be kept."""
        bar = self.candle
        row = _Row(self.provider, self.revision, bar.open, bar.high, bar.low, bar.close, bar.volume)
        return msgspec.json.encode(row).decode()

    def differs(self, provider: str, bar: Candle) -> bool:
        """Whether a candle is a revision of it. What another provider says is another opinion, and no revision."""
        known = self.candle
        pairs = ((known.open, bar.open), (known.high, bar.high), (known.low, bar.low), (known.close, bar.close))
        volumes = known.volume is not None and bar.volume is not None and known.volume != bar.volume
        return provider == self.provider and (volumes or any(left != right for left, right in pairs))

    def next(self, bar: Candle) -> Told:
        """What is told once it was revised."""
        return Told(provider=self.provider, revision=self.revision + 1, candle=bar)


def read(text: str, opened: datetime) -> Told:
    """What `text` wrote."""
    row = msgspec.json.decode(text, type=_Row)
    candle = Candle(
        open_time=opened, open=row.open, high=row.high, low=row.low, close=row.close, volume=row.volume, closed=True
    )
    return Told(provider=row.provider, revision=row.revision, candle=candle)
