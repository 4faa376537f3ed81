"""What every export has in common: its columns, its head, and what is counted on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from plugins.market.series import Wanted
from schema.errors import MarketgateError
from schema.provenance import Provenance
from schema.scalars import datetime_text
from schema.words.candles import Bars, CandleSeries

NAMES = {
    "openTime": "open_time", "sessionDate": "session_date", "open": "open", "high": "high", "low": "low",
    "close": "close", "volume": "volume", "quoteVolume": "quote_volume", "vwap": "vwap", "tradeCount": "trade_count",
    "closed": "closed",
}  # fmt: skip
"""Columns by their names in GraphQL; `provider` follows them."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was written so far."""

    rows: int = 0
    missing: int = 0

    def count(self, series: CandleSeries) -> None:
        """One page more."""
        self.rows += len(series.bars)
        self.missing += sum(gap.missing for gap in series.gaps)


class Writer(Protocol):
    """Makes bytes of pages; runs beside the loop, so that nobody waits for it."""

    def begin(self, facts: Mapping[str, Any], origin: Mapping[str, Any] | None) -> bytes:
        """What stands before the first row; *origin* is where that comes from, where there is one."""

    def page(self, series: CandleSeries, origin: Mapping[str, Any] | None) -> bytes:
        """The rows of a page; *origin* where they come from elsewhere than those before."""

    def end(self, tally: Tally) -> bytes:
        """What stands behind the last row, and shows that the range is whole."""

    def broken(self, error: MarketgateError) -> bytes:
        """What can still be said where the range breaks off."""


def facts_of(wanted: Wanted, series: CandleSeries) -> dict[str, Any]:
    """What holds for every row."""
    start, end = (datetime_text(bound) if bound else None for bound in (wanted.start, wanted.end))
    return {
        "instrument": str(series.instrument), "interval": series.interval.value, "currency": series.currency,
        "timeZone": series.time_zone, "adjustment": series.adjustment.value, "hours": series.hours.value,
        "start": start, "end": end,
    }  # fmt: skip


def origin_of(made: Provenance) -> dict[str, Any]:
    """Where rows come from."""
    return {
        "provider": made.provider, "mode": made.mode.value, "asOf": datetime_text(made.as_of) if made.as_of else None,
        "fetchedAt": datetime_text(made.fetched_at), "delay": made.delay.value, "attribution": made.attribution,
        "fallbackFrom": [{"provider": f.provider, "code": f.code.value} for f in made.fallback_from],
        "recordedFrom": made.recorded_from.value if made.recorded_from else None,
    }  # fmt: skip


def columns_of(bars: Bars) -> dict[str, Sequence[Any]]:
    """Every column of NAMES; one that is not there is empty."""
    nothing = (None,) * len(bars)
    return {name: getattr(bars, column) or nothing for name, column in NAMES.items()}


def provider_of(series: CandleSeries) -> str:
    """Of all rows of a page."""
    return series.provenance[0].provider if series.provenance else ""
