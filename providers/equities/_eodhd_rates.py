"""Currencies at EODHD (`EURUSD.FOREX`): the present rate, and bars of minutes and hours in UTC without a volume."""

from __future__ import annotations

from dataclasses import replace

from providers.contract import Params
from providers.equities._listed import bars_at, is_pair
from providers.row import Row
from schema.symbols import InstrumentId
from schema.words.candles import Bars, CandlesAsk
from schema.words.intervals import Interval
from schema.words.quotes import PriceType, Quote

INTRADAY = {Interval.M1: "1m", Interval.M5: "5m", Interval.H1: "1h"}


def pair_symbol(instrument: InstrumentId) -> str | None:
    """The symbol of two currencies, or None for anything else."""
    return f"{instrument.base}{instrument.quote}.FOREX" if is_pair(instrument) else None


def charted(ask: CandlesAsk) -> bool:
    """Within a day: when a day of currencies begins is not told."""
    return is_pair(ask.instrument) and ask.interval in INTRADAY


def range_of(ask: CandlesAsk) -> Params:
    """In whole seconds, both of which are included."""
    first, last = int(ask.start.timestamp()), int(ask.end.timestamp())
    return {"interval": INTRADAY[ask.interval], "from": first, "to": last, "fmt": "json"}


def parse_rate(pair: InstrumentId, row: Row) -> Quote | None:
    """Units of the quote currency for one of the base; "NA" for a pair that is not there."""
    price = row.maybe("close")
    if price is None:
        return None
    return Quote(instrument=pair, price=price, price_type=PriceType.MID, as_of=row.maybe_epoch("timestamp"))


def parse_minutes(ask: CandlesAsk, rows: Row) -> Bars:
    """`[{"timestamp", "gmtoffset", "datetime", "open", "high", "low", "close", "volume"}]`."""
    times = tuple([row.epoch("timestamp") for row in rows])
    bars = bars_at(ask, rows, times, open="open", high="high", low="low", close="close", currency=ask.instrument.quote)
    return replace(bars, currency=None, time_zone=None)
