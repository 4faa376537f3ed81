"""Daily closes of what is traded, asked of a gateway where no file has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from gateway.cli import candles
from gateway.cli.link import Where, connect, say_origin
from gateway.cli.outcome import Stop, usage
from gateway.cli.report.panel import Panel
from gateway.cli.series import Page
from gateway.core.clock import Clock
from plugins.portfolio.prices.panels import SESSIONED
from schema.symbols import parse_instrument
from schema.words.candles import Adjustment
from schema.words.intervals import Interval

EARLIER = timedelta(days=7)
"""Closes from so long before the first transaction: the benchmark's first return begins there."""


@dataclass(slots=True)
class Closes:
    """A series as it comes in."""

    rows: dict[date, float] = field(default_factory=dict)
    currency: str | None = None
    sessions: bool = False

    def page(self, page: Page) -> None:
        """See `series.Writer`."""
        self.currency = page["currency"]
        self.sessions = parse_instrument(page["instrument"]["id"]).asset_class in SESSIONED
        for row in page["rows"]:
            if row["closed"]:
                self.rows[date.fromisoformat(row["sessionDate"] or row["openTime"][:10])] = float(row["close"])

    def end(self, gaps: Sequence[Any], provenance: Sequence[Any]) -> None:
        """Nothing is left to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Closes with their currency, and who gave them."""

    panel: Panel
    currency: str | None
    origin: str


async def closes_of(where: Where, symbols: Sequence[str], first: date, currency: str | None, clock: Clock) -> Asked:
    """A column a symbol, adjusted for splits, in one currency; Stop where one has no series."""
    start = datetime.combine(first, time(), UTC) - EARLIER
    found: dict[str, Closes] = {}
    made: list[Any] = []
    async with connect(where) as link:
        for symbol in symbols:
            wish = candles.Wish(symbol=symbol, interval=Interval.D1, start=start, adjustment=Adjustment.SPLITS)
            found[symbol] = Closes()
            series = candles.Series(wish, found[symbol])
            await candles.collect(series, candles.Fetcher(link, wish, clock), candles.pieces_of(wish, clock))
            made += series.made.values()
        say_origin(link, made)
    for symbol, closes in found.items():
        if not closes.rows:
            raise Stop(f"{symbol}: the market has no closes since {start.date()}: give them with --prices")
        currency = currency or closes.currency
        if closes.currency != currency:
            told = f"its closes are in {closes.currency}, not in {currency}: give converted ones with --prices"
            raise usage(f"{symbol}: {told}")
    return Asked(panel=_panel(found), currency=currency, origin=_origin(made))


def _origin(made: Sequence[Any]) -> str:
    """Simulated prices are never shown as real ones."""
    modes, names = (sorted({one[name] for one in made}) for name in ("mode", "provider"))
    return f"{' and '.join(modes)} closes from {', '.join(names)}"


def _panel(found: dict[str, Closes]) -> Panel:
    """Dates are those of sessions, where there are any: what trades every day is valued on them."""
    leading = [closes for closes in found.values() if closes.sessions] or list(found.values())
    dates = tuple(sorted({day for closes in leading for day in closes.rows}))
    columns = {symbol: tuple(closes.rows.get(day) for day in dates) for symbol, closes in found.items()}
    return Panel(file="the market", dates=dates, columns=columns)
