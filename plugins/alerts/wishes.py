"""From what a caller wrote to a condition: what is wrong with it, and what can never come true. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import strawberry

from plugins.alerts.conditions import AlertKind, AlertSide, Condition, IndicatorKind
from plugins.alerts.types import (
    AlertConditionInput,
    ChangeInput,
    FundingInput,
    IndicatorInput,
    NewsInput,
    SpreadInput,
)
from schema.symbols import AssetClass, InstrumentId
from schema.words.problems import Refused

LEAST_WINDOW_MS, LONGEST_WINDOW_MS = 1_000, 604_800_000
MOST_PROVIDERS = 8
SHORTEST, LONGEST = 2, 200
LEAST_INTERVAL_S = 60
MOST_KEYWORDS, LONGEST_KEYWORD = 10, 100
LONGEST_INT = 2_147_483_647
MOST_HYSTERESIS = 9_999
LONGEST_NOTE = 500
_POSITIVE = frozenset({AssetClass.CRYPTO, AssetClass.EQUITY, AssetClass.FX, AssetClass.DEX})
"""Whose prices are always above zero."""


def read_wish(given: AlertConditionInput) -> Condition:
    """The condition as it was written; Refused where it says nothing that could be."""
    if _is(given.crosses_above):
        return Condition(kind=AlertKind.PRICE, threshold=given.crosses_above or Decimal(0))
    if _is(given.crosses_below):
        return Condition(kind=AlertKind.PRICE, side=AlertSide.BELOW, threshold=given.crosses_below or Decimal(0))
    if _is(given.volume_above):
        return Condition(kind=AlertKind.VOLUME, threshold=given.volume_above or Decimal(0))
    if isinstance(given.change_percent, ChangeInput):
        return _change(given.change_percent)
    if isinstance(given.spread_between, SpreadInput):
        return _spread(given.spread_between)
    if isinstance(given.funding, FundingInput):
        side, level = _one_level(given.funding, "funding")
        return Condition(kind=AlertKind.FUNDING, side=side, threshold=level)
    if isinstance(given.indicator, IndicatorInput):
        return _indicator(given.indicator)
    if isinstance(given.news, NewsInput):
        return _news(given.news)
    health = given.provider_health
    if not health:
        raise Refused("CONDITION_INVALID", "Give one condition.", "condition")
    return Condition(kind=AlertKind.PROVIDER_HEALTH, threshold=Decimal(1), inclusive=True, providers=(health.provider,))


def check_reason(condition: Condition, instrument: InstrumentId | None) -> None:
    """Refused for what can never come true: because a number never gets there, or because it is always there."""
    match condition.kind:
        case AlertKind.PROVIDER_HEALTH | AlertKind.NEWS:
            return
        case AlertKind.FUNDING:
            _check_funding(condition, instrument)
        case AlertKind.VOLUME if condition.threshold <= 0:
            raise _never("A volume is never below zero: give a level above it.", "volumeAbove")
        case AlertKind.PRICE if _positive(instrument) and condition.threshold <= 0:
            field = "crossesAbove" if condition.side is AlertSide.ABOVE else "crossesBelow"
            raise _never(f"The price of {instrument} is always above zero: it never crosses it.", field)
        case AlertKind.INDICATOR:
            _check_indicator(condition, instrument)


def check_periods(cooldown_ms: int, hysteresis_bps: int, note: str | None) -> None:
    """Refused for what is out of range."""
    if not 0 <= cooldown_ms <= LONGEST_INT:
        raise Refused("PERIOD_INVALID", f"cooldownMs must be 0 to {LONGEST_INT}.", "cooldownMs")
    if not 0 <= hysteresis_bps <= MOST_HYSTERESIS:
        raise Refused("PERIOD_INVALID", f"hysteresisBps must be 0 to {MOST_HYSTERESIS}.", "hysteresisBps")
    if note is not None and (len(note) > LONGEST_NOTE or "\0" in note):
        raise Refused("NOTE_INVALID", f"A note has at most {LONGEST_NOTE} characters.", "note")


def _is(given: object) -> bool:
    return given is not strawberry.UNSET and given is not None


def _never(message: str, *field: str) -> Refused:
    return Refused("NEVER_TRUE", message, "condition", *field)


def _wrong(message: str, *field: str) -> Refused:
    return Refused("CONDITION_INVALID", message, "condition", *field)


def _positive(instrument: InstrumentId | None) -> bool:
    return instrument is not None and instrument.asset_class in _POSITIVE


def _change(given: ChangeInput) -> Condition:
    if given.window_ms <= 0:
        raise _never("Nothing moves within no time: give a window.", "changePercent", "windowMs")
    if not LEAST_WINDOW_MS <= given.window_ms <= LONGEST_WINDOW_MS:
        told = f"windowMs must be {LEAST_WINDOW_MS} to {LONGEST_WINDOW_MS}."
        raise _wrong(told, "changePercent", "windowMs")
    if given.at_least == 0:
        raise _wrong(
            "A change of 0 % is always there: give a rise above 0, or a fall below.", "changePercent", "atLeast"
        )
    if given.at_least <= -100:
        raise _never("No price falls by 100 % or more.", "changePercent", "atLeast")
    side = AlertSide.ABOVE if given.at_least > 0 else AlertSide.BELOW
    return Condition(
        kind=AlertKind.CHANGE, side=side, threshold=given.at_least, inclusive=True, window_ms=given.window_ms
    )


def _spread(given: SpreadInput) -> Condition:
    providers = tuple(sorted(set(given.providers)))
    if len(providers) < 2:
        raise _never("One provider's price does not lie apart from itself: name two.", "spreadBetween", "providers")
    if len(providers) > MOST_PROVIDERS:
        raise _wrong(f"Give at most {MOST_PROVIDERS} providers.", "spreadBetween", "providers")
    if given.at_least_bps <= 0:
        raise _wrong("Prices always lie 0 bps apart or more: give a level above 0.", "spreadBetween", "atLeastBps")
    return Condition(kind=AlertKind.SPREAD, threshold=given.at_least_bps, inclusive=True, providers=providers)


def _one_level(given: FundingInput | IndicatorInput, field: str) -> tuple[AlertSide, Decimal]:
    above, below = given.crosses_above, given.crosses_below
    if above is not None and below is None:
        return AlertSide.ABOVE, above
    if below is not None and above is None:
        return AlertSide.BELOW, below
    raise _wrong("Give crossesAbove or crossesBelow, one of the two.", field)


def _indicator(given: IndicatorInput) -> Condition:
    side, level = _one_level(given, "indicator")
    if not SHORTEST <= given.length <= LONGEST:
        raise _wrong(f"length must be {SHORTEST} to {LONGEST}.", "indicator", "length")
    if given.interval.seconds < LEAST_INTERVAL_S:
        raise _wrong("Candles of an indicator last a minute or longer.", "indicator", "interval")
    return Condition(
        kind=AlertKind.INDICATOR, side=side, threshold=level, indicator=given.kind, interval=given.interval,
        length=given.length,
    )  # fmt: skip


def _news(given: NewsInput) -> Condition:
    return Condition(kind=AlertKind.NEWS, keywords=_keywords(given.keywords))


def _keywords(given: Sequence[str]) -> tuple[str, ...]:
    words = tuple(sorted({word.strip().casefold() for word in given} - {""}))
    if not words:
        raise _never("No article holds no word: give one.", "news", "keywords")
    if len(words) > MOST_KEYWORDS or any(len(word) > LONGEST_KEYWORD or "\0" in word for word in words):
        told = f"Give at most {MOST_KEYWORDS} words of at most {LONGEST_KEYWORD} characters."
        raise _wrong(told, "news", "keywords")
    return words


def _check_funding(condition: Condition, instrument: InstrumentId | None) -> None:
    if instrument is None or not instrument.settle or instrument.expiry:
        told = f"{instrument} is no perpetual, which alone have funding: write one such as crypto:BTC/USDT:USDT."
        raise _never(told, "funding")
    if not -1 < condition.threshold < 1:
        raise _never("A funding rate is a fraction between -1 and 1.", "funding")


def _check_indicator(condition: Condition, instrument: InstrumentId | None) -> None:
    if condition.indicator is IndicatorKind.RSI:
        if not 0 < condition.threshold < 100:
            raise _never("An RSI is between 0 and 100: it crosses no level outside.", "indicator")
    elif _positive(instrument) and condition.threshold <= 0:
        raise _never(f"An average of prices of {instrument} is always above zero.", "indicator")
