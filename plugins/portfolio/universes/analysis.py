"""Returns and risk of a panel: columns of floats, made of its closes without filling any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Context as Precision
from decimal import Decimal
from typing import Any

from gateway.core.contract import Context
from gateway.core.ports import Computing, Panel, PanelAsk
from gateway.core.quant.steps import Steps
from plugins.portfolio.bench import Bench
from plugins.portfolio.prices.panels import SESSIONED, PanelDesk
from schema.rates import check_rate
from schema.symbols import InstrumentId
from schema.words.intervals import Interval

TABLE = "gateway.core.quant.tasks_performance:table"
_DIVIDED = Precision(prec=20)


def returns_of(column: Sequence[Decimal | None]) -> list[float | None]:
    """Simple returns of an instrument, from each price to the next one; None on dates without a price."""
    found: list[float | None] = []
    before: Decimal | None = None
    for close in column:
        if close is None or not before:
            found.append(None)
        else:
            found.append(float(_DIVIDED.subtract(_DIVIDED.divide(close, before), 1)))
        before = before if close is None else close
    return found


def returns_in_steps(panel: Panel) -> Steps[list[list[float | None]]]:
    """Those of all, an instrument a step."""
    found = []
    for column in panel.closes:
        found.append(returns_of(column))
        yield
    return found


async def risk_of(
    context: Context, panels: PanelDesk, ask: PanelAsk, benchmark: InstrumentId | None, risk_free: float
) -> tuple[Panel, list[Mapping[str, Any]], list[str]]:
    """The panel, a row an instrument, and what is wrong with the benchmark."""
    check_rate("riskFree", risk_free)
    panel, warnings = await panels.panel(context, ask), list[str]()
    if not panel.instruments:
        return panel, [], warnings
    bench = context.service(Bench)
    request: dict[str, Any] = {
        "dates": [day.isoformat() for day in panel.dates], "periods_per_year": panel.periods, "risk_free": risk_free,
        "assets": await bench.run_in_turns(context, _assets, ask, panel),
    }  # fmt: skip
    if benchmark is not None:
        compared = await panels.panel(context, replace(ask, instruments=(benchmark,)))
        if compared.instruments:
            prices = await bench.run(context, _on, panel.dates, compared)
            request["benchmark"] = {"prices": prices, "periods_per_year": compared.periods}
        warnings += [f"benchmark: {error.message}" for error in (compared.failures or {}).values()]
    rows: list[Mapping[str, Any]] = await context.service(Computing).run(context.tenant, TABLE, request)
    return panel, rows, warnings


def _assets(ask: PanelAsk, panel: Panel) -> Steps[list[dict[str, Any]]]:
    found, lacking = [], {each.instrument: each.dates for each in panel.missing}
    for place, instrument in enumerate(panel.instruments):
        found.append(_asset(ask, panel, place, lacking.get(instrument, ())))
        yield
    return found


def _asset(ask: PanelAsk, panel: Panel, place: int, lacking: Sequence[date]) -> dict[str, Any]:
    """Each by its own year and calendar: beside shares coins still trade every day, and no share lacks a Sunday."""
    instrument = panel.instruments[place]
    daily = 252 if instrument.asset_class in SESSIONED else 365
    periods = daily if ask.interval is Interval.D1 else panel.periods
    return {
        "symbol": str(instrument), "prices": list(map(_float, panel.closes[place])), "periods_per_year": periods,
        "missing": [day.isoformat() for day in lacking],
    }  # fmt: skip


def _on(dates: Sequence[date], compared: Panel) -> list[float | None]:
    """Prices of the one instrument of another panel on these dates."""
    closes = dict(zip(compared.dates, compared.closes[0], strict=True))
    return [_float(closes.get(day)) for day in dates]


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
