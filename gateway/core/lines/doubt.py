"""Whether a channel that says nothing is quiet or dead: what its provider answers over HTTP is compared with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from gateway.core.lines.grid import ending
from providers.feeds import Said, Topic
from schema.words.candles import CANDLES, Candle
from schema.words.intervals import Interval
from schema.words.quotes import QUOTES, Quote
from schema.words.trades import TRADES, Trade

FIRST_S = 10.0
"""Until a channel that has never said anything is asked for over HTTP."""
QUIET_S = 60.0
"""Until one that says nothing more is; of candles so long after the end of one, at most, as `LATE_S` says."""
LATE_S = 15.0
LONGEST_S = 1_200.0
"""Between two questions about a quiet one, which come twice as late each time."""
MARGIN = timedelta(seconds=2)
"""By which clocks, and what HTTP and the stream round, may differ."""
PUBLISHED = timedelta(seconds=5)
"""After its end a candle has been streamed."""


def patience(topic: Topic) -> float:
    """Seconds of silence until there is a doubt."""
    if topic.capability is CANDLES:
        return float(min(topic.ask.interval.seconds, QUIET_S)) + LATE_S
    return QUIET_S


def missed(topic: Topic, said: Said | None, since: datetime, found: Sequence[Any], now: datetime) -> bool:
    """Whether HTTP tells what the channel should have said: after what it said last, or else since then.

    In doubt it has not: a stream that is quiet must not be called stale.
    """
    last = said.values[-1] if said is not None and said.values else None
    if topic.capability is TRADES:
        return _missed_trade(last, since, found)
    if topic.capability is CANDLES:
        return _missed_bar(topic.ask.interval, last, since, found, now)
    return topic.capability is QUOTES and _missed_quote(last, since, found)


def _missed_trade(last: Trade | None, since: datetime, found: Sequence[Trade]) -> bool:
    bound = (last.time if last is not None else since) + MARGIN
    return any(trade.time > bound for trade in found)


def _missed_quote(last: Quote | None, since: datetime, found: Sequence[Quote]) -> bool:
    """Without a stamp nobody knows which of two prices is the newer one."""
    bound = last.as_of if last is not None else since
    if bound is None:
        return False
    newer = [each for each in found if each.as_of is not None and each.as_of > bound + MARGIN]
    return any(last is None or each.price != last.price for each in newer)


def _missed_bar(
    interval: Interval, last: Candle | None, since: datetime, found: Sequence[Candle], now: datetime
) -> bool:  # fmt: skip
    """Some venues stream running candles, others those that are done; of both, candles without trades are left out."""
    begun = last.open_time if last is not None else since
    runs = last is not None and not last.closed
    for bar in found:
        if runs and last is not None and bar.open_time == last.open_time and bar.close != last.close:
            return True
        over = ending(interval, bar.open_time) + PUBLISHED <= now
        if bar.open_time > begun and bar.volume != 0 and (runs or over):
            return True
    return False
