"""Candles of the past for a condition's trial."""

from __future__ import annotations

from datetime import timedelta

from gateway.core.contract import Context
from gateway.core.ports import Desk
from plugins.alerts.conditions import AlertKind
from plugins.alerts.evaluation.indicators import fed
from plugins.alerts.preview import DAY, MOST_BARS, TRIED, Trial, bases_of, firings
from plugins.alerts.types import AlertPreview
from schema.errors import MarketgateError
from schema.symbols import InstrumentId
from schema.words.candles import rows_of

USUAL_DAYS, MOST_DAYS = 30, 365
MOST_TIMES = 100


async def try_on_history(context: Context, trial: Trial, instrument: InstrumentId | None, days: int) -> AlertPreview:
    """How often it would have fired; without candles, why nobody knows."""
    if instrument is None or trial.condition.kind not in TRIED:
        return _unknown(days, "there is no history that it could be tried on")
    desk, reason = context.host.service(Desk), "no candles are long or short enough for it"
    for interval in bases_of(trial.condition, days):
        tried = min(days, max(1, int(MOST_BARS * interval.delta / DAY)))
        back = timedelta(days=tried)
        if trial.condition.kind is AlertKind.INDICATOR:
            back += interval.delta * fed(trial.condition.length)
        end = context.now
        try:
            series = await desk.candles(context, instrument, interval, end - back, end, None)
        except MarketgateError as error:
            reason = error.message
            continue
        if series is None or not len(series.bars):
            continue
        begin = end - timedelta(days=tried)
        times = [at for at in firings(trial, rows_of(series.bars), interval) if at >= begin]
        text = f"would have fired {_times(len(times))} in {_days(tried)}, by {interval} candles"
        return AlertPreview(
            would_have_fired=len(times), times=times[:MOST_TIMES], basis=interval, days=tried, text=text
        )  # fmt: skip
    return _unknown(days, reason)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _days(count: int) -> str:
    return "a day" if count == 1 else f"{count} days"


def _unknown(days: int, reason: str) -> AlertPreview:
    return AlertPreview(times=[], days=days, text=f"not known: {reason}")
