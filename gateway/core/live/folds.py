"""How the values of each kind of stream become fewer: what a snapshot shows, and what waits for a slow reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from schema.words.books import ORDER_BOOK, OrderBook
from schema.words.candles import CANDLES, Candle
from schema.words.quotes import QUOTES, Quote
from schema.words.trades import TRADES, Trade

MOST_BARS = 1_000
"""Candles that wait for a slow reader, of one stream."""
MOST_TRADES = 1_000
"""Trades that wait for a slow reader, of one stream."""
SHOWN_BARS = 2
"""Candles of a snapshot: the one that forms, and the one that closed before it."""
SHOWN_TRADES = 50
"""Trades of a snapshot."""

Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """`state` is what a snapshot shows after new values; `waiting` what a reader gets, and how many it does not."""

    kind: type
    whole: bool = True
    """Whether a state stands for all values before it; else each of them counts."""
    state: Callable[[Values, Values], Values]
    waiting: Callable[[Values, Values], tuple[Values, int]]


def _newest(_: Values, new: Values) -> Values:
    return new[-1:]


def _newest_waiting(old: Values, new: Values) -> tuple[Values, int]:
    return new[-1:], len(old) + len(new) - 1


def _bars(old: Values, new: Values, most: int) -> tuple[Values, int]:
    """The same open time again replaces the bar, a closed one too: late trades revise it."""
    if not old and len(new) == 1:
        return new, 0
    by_time = {bar.open_time: bar for bar in (*old, *new)}
    kept = sorted(by_time.values(), key=attrgetter("open_time"))[-most:]
    return tuple(kept), len(old) + len(new) - len(kept)


def _trades(old: Values, new: Values, most: int) -> tuple[Values, int]:
    kept = (*old, *new)[-most:]
    return kept, len(old) + len(new) - len(kept)


FOLDS: dict[str, Fold] = {
    QUOTES.name: Fold(kind=Quote, state=_newest, waiting=_newest_waiting),
    ORDER_BOOK.name: Fold(kind=OrderBook, state=_newest, waiting=_newest_waiting),
    CANDLES.name: Fold(
        kind=Candle,
        state=lambda old, new: _bars(old, new, SHOWN_BARS)[0],
        waiting=lambda old, new: _bars(old, new, MOST_BARS),
    ),
    TRADES.name: Fold(
        kind=Trade,
        whole=False,
        state=lambda old, new: _trades(old, new, SHOWN_TRADES)[0],
        waiting=lambda old, new: _trades(old, new, MOST_TRADES),
    ),
}
"""What may be streamed, by the name of its capability."""
