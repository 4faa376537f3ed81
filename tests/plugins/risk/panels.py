"""Small panels of closes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from gateway.core.ports import Late, Missing, Panel, PanelAsk
from schema.errors import FailureCode, NoAnswer
from schema.symbols import InstrumentId, parse_instrument

FIRST = date(2026, 11, 2)


def panel(
    closes: Mapping[str, Sequence[str | None]], *, periods: int = 252, rates: Mapping[str, Sequence[str]] | None = None
) -> Callable[[PanelAsk], Panel]:
    """Answers an ask with those of its instruments that have closes, a day apart from the second of November."""
    series = {parse_instrument(symbol): values for symbol, values in closes.items()}
    length = max(len(values) for values in series.values())
    dates = tuple(FIRST + timedelta(days=number) for number in range(length))

    def answer(ask: PanelAsk) -> Panel:
        found = [each for each in ask.instruments if each in series]
        rows = [tuple(None if close is None else Decimal(close) for close in series[each]) for each in found]
        gaps = {each: _gaps(row, dates) for each, row in zip(found, rows, strict=True)}
        return Panel(
            instruments=tuple(found), dates=dates, closes=tuple(rows),
            currencies=tuple(ask.currency or each.quote or "USD" for each in found), periods=periods,
            missing=tuple(Missing(instrument=each, dates=gap) for each, gap in gaps.items() if gap),
            late=tuple(_late(each, row, dates) for each, row in zip(found, rows, strict=True) if row[0] is None),
            failures={each: _nobody(each) for each in ask.instruments if each not in series},
            rates={name: tuple(map(Decimal, told)) for name, told in (rates or {}).items() if name in ask.money},
        )  # fmt: skip

    return answer


def _gaps(row: Sequence[Decimal | None], dates: Sequence[date]) -> tuple[date, ...]:
    return tuple(day for close, day in zip(row, dates, strict=True) if close is None)


def _late(each: InstrumentId, row: Sequence[Decimal | None], dates: Sequence[date]) -> Late:
    there = [day for close, day in zip(row, dates, strict=True) if close is not None]
    return Late(instrument=each, first=there[0], last=there[-1])


def _nobody(each: InstrumentId) -> NoAnswer:
    return NoAnswer(str(each), FailureCode.NOT_COVERED, f"nobody has candles of {each}", ())
