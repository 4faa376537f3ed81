"""What the address of an export asks for; BadInput names the parameter that is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from plugins.market.series import Wanted
from schema.capability import Right, Terms
from schema.errors import BadInput
from schema.scalars import parse_datetime
from schema.symbols import AssetClass, InstrumentId
from schema.words.candles import Adjustment
from schema.words.intervals import SHORT_FORMS, Interval
from schema.words.routes import LONGEST_TIMEOUT_MS, RouteInput, terms_of
from schema.words.venues import TradingHours

PARAMETERS = (
    "symbol", "assetClass", "interval", "start", "end", "adjustment", "hours", "providers", "exclude",
)  # fmt: skip
LONGEST = 2_000
E = TypeVar("E", bound=StrEnum)

Find = Callable[[str, AssetClass | None], Awaitable[InstrumentId]]


async def read_asked(pairs: Sequence[tuple[str, str]], find: Find, now: datetime) -> Wanted:
    """The whole range; its end is settled now, so that its price is that of what is sent."""
    given = _once(pairs)
    start, end = _instant("start", given), _instant("end", given)
    if start is None:
        raise BadInput("start", "is missing: give the first open time, such as 2026-01-01")
    if end is not None and not start < end:
        raise BadInput("end", "must be after start: ranges are [start, end)")
    if start > now:
        raise BadInput("start", "is in the future")
    asset_class, symbol = _word("assetClass", given, AssetClass), _needed("symbol", given)
    interval = _interval(_needed("interval", given))
    return Wanted(
        instrument=await find(symbol, asset_class), interval=interval,
        start=start, end=min(end or now, now), adjustment=_word("adjustment", given, Adjustment) or Adjustment.SPLITS,
        hours=_word("hours", given, TradingHours) or TradingHours.REGULAR, terms=_terms(given),
    )  # fmt: skip


def _once(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in PARAMETERS:
            raise BadInput(name[:40] or "?", f"is not a parameter; there are {', '.join(PARAMETERS)}")
        if name in given:
            raise BadInput(name, "is given twice")
        if len(value) > LONGEST:
            raise BadInput(name, f"is longer than {LONGEST} characters")
        if value.strip():
            given[name] = value.strip()
    return given


def _needed(name: str, given: dict[str, str]) -> str:
    if name not in given:
        raise BadInput(name, "is missing")
    return given[name]


def _instant(name: str, given: dict[str, str]) -> datetime | None:
    if name not in given:
        return None
    try:
        return parse_datetime(given[name])
    except ValueError as error:
        raise BadInput(name, str(error)) from None


def _interval(text: str) -> Interval:
    """`M1` as in GraphQL or `1m` as on the command line; case counts, because 1m and 1M are one slip apart."""
    found = SHORT_FORMS.get(text) or (Interval(text) if text in Interval.__members__ else None)
    if found is None:
        raise BadInput("interval", f"{text[:20]!r} is none; there are {' '.join(SHORT_FORMS)}")
    return found


def _word(name: str, given: dict[str, str], kind: type[E]) -> E | None:
    if name not in given:
        return None
    text = given[name].upper().replace("-", "_")
    if text not in kind.__members__:
        raise BadInput(name, f"{given[name][:40]!r} is not known; there are {', '.join(kind.__members__)}")
    return kind[text]


def _terms(given: dict[str, str]) -> Terms:
    route = RouteInput(
        providers=_list("providers", given), exclude=_list("exclude", given), timeout_ms=LONGEST_TIMEOUT_MS
    )
    # A file is kept by whoever it is for: not every licence lets that be.
    return replace(terms_of(route, prefix=""), keep=False, rights=frozenset({Right.KEEP}))


def _list(name: str, given: dict[str, str]) -> list[str] | None:
    if name not in given:
        return None
    return [part.strip() for part in given[name].split(",") if part.strip()]
