"""Listings: how a ticker and its exchange are spelled, what they trade in, and bars by moments or by days."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from providers.row import Key, Row
from schema.symbols import AssetClass, InstrumentId, equity
from schema.words.candles import NO_BARS, Bars, CandlesAsk
from schema.words.intervals import Interval

NEW_YORK = "America/New_York"
# Where prices come without their currency: only exchanges whose listings all trade in one. "" are the US exchanges.
TRADED_IN = {"": "USD", "XETR": "EUR", "XFRA": "EUR", "XPAR": "EUR", "XAMS": "EUR", "XBOM": "INR", "BVMF": "BRL"}

_TICKER = re.compile(r"[A-Z0-9]+(\.[A-Z0-9]+)*")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """How a provider writes `BRK.B` and `VOD@XLON`.

    `mark` stands before the class of a share, `suffixes` are those of the exchanges by MIC; "" are the US exchanges,
    an empty suffix is not written.
    """

    mark: str
    suffixes: Mapping[str, str] = field(default_factory=lambda: {"": ""})
    _mics: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_mics", {suffix: mic for mic, suffix in self.suffixes.items() if suffix})

    def symbol_of(self, instrument: InstrumentId) -> str | None:
        """The symbol of a security, or None for anything else."""
        suffix = self.suffixes.get(instrument.venue)
        if instrument.asset_class is not AssetClass.EQUITY or not instrument.is_spot or suffix is None:
            return None
        ticker = instrument.base.replace(".", self.mark)
        symbol = f"{ticker}.{suffix}" if suffix else ticker
        # Where both are written with a dot, a share of class L could be read as a listing in London.
        return symbol if self.instrument_of(symbol) == instrument else None

    def lists(self, instrument: InstrumentId) -> bool:
        """A security that has a symbol here."""
        return self.symbol_of(instrument) is not None

    def prices(self, instrument: InstrumentId) -> bool:
        """A security whose price has a known currency."""
        return instrument.venue in TRADED_IN and self.lists(instrument)

    def instrument_of(self, symbol: str) -> InstrumentId | None:
        """What a symbol means; None for exchanges that have no code here."""
        ticker, _, suffix = symbol.rpartition(".")
        venue = self._mics.get(suffix, "") if ticker else ""
        if not venue and suffix not in self._mics:
            if self.suffixes.get("") != "" or (ticker and not self._is_class(suffix)):
                return None
            ticker = symbol
        ticker = ticker.replace(self.mark, ".")
        return equity(ticker, venue) if _TICKER.fullmatch(ticker) else None

    def _is_class(self, suffix: str) -> bool:
        """Behind a dot stands the class of a share, or an exchange without a code here."""
        return self.mark == "." and (not self._mics or len(suffix) == 1)


def is_pair(instrument: InstrumentId) -> bool:
    """Two currencies, of no venue."""
    fx = instrument.asset_class is AssetClass.FX and instrument.is_spot and not instrument.venue
    return fx and all(map(_CURRENCY.fullmatch, (instrument.base, instrument.quote)))


def about(spelling: Spelling, symbols: Iterable[str]) -> tuple[str, ...]:
    """The shares that an article is about; coins among its symbols are written as `BTCUSD`."""
    shares = (spelling.instrument_of(symbol) for symbol in symbols if not (len(symbol) > 5 and symbol.endswith("USD")))
    return tuple(str(share) for share in shares if share is not None)


def first_moments(interval: Interval, days: Sequence[date]) -> tuple[datetime, ...]:
    """The first moments (UTC) of the days, or of the weeks and months that the days are in.

    A week that a provider names by its Sunday is the one that begins on the next day.
    """
    if interval is Interval.W1:
        days = [day + timedelta(days=1) if day.weekday() == 6 else day - timedelta(days=day.weekday()) for day in days]
    elif interval is Interval.MO1:
        days = [day.replace(day=1) for day in days]
    return tuple([datetime.combine(day, time(), UTC) for day in days])


def bars_at(
    ask: CandlesAsk,
    rows: Row,
    times: Sequence[datetime],
    *,
    open: Key,
    high: Key,
    low: Key,
    close: Key,
    volume: Key | None = None,
    vwap: Key | None = None,
    trade_count: Key | None = None,
    currency: str,
) -> Bars:
    """The rows of the ask's range, in whatever order they came; of two at one time the later.

    `times` are their open times, one for each row: moments, or first moments of days, weeks and months. A column of
    volumes, averages or counts that some row lacks is left out.
    """
    chosen = {moment: row for row, moment in enumerate(times) if ask.start <= moment < ask.end}
    if not chosen:
        return NO_BARS
    order = tuple(sorted(chosen))
    table = Row(rows.provider, [rows.value[chosen[moment]] for moment in order], rows, "rows")

    def complete(key: Key) -> bool:
        return all(isinstance(row, dict) and row.get(key) is not None for row in table.value)

    return Bars(
        open_time=order,
        open=table.decimals(open),
        high=table.decimals(high),
        low=table.decimals(low),
        close=table.decimals(close),
        volume=table.decimals(volume) if volume is not None and complete(volume) else None,
        vwap=table.decimals(vwap) if vwap is not None and complete(vwap) else None,
        trade_count=table.column(trade_count, int) if trade_count is not None and complete(trade_count) else None,
        session_date=tuple([moment.date() for moment in order]) if ask.interval is Interval.D1 else None,
        currency=currency,
        time_zone=None if ask.instrument.venue else NEW_YORK,
    )
