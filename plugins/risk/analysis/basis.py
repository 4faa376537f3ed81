"""Prices of a question, ready for the processes that compute: fetched once, asked of as often as fields want."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from gateway.core.contract import Context
from gateway.core.ports import Computing, Panel, PanelAsk, Panels
from gateway.core.quant.refusals import NotComputable
from plugins.risk.analysis.words import MissingPrices, word
from schema.currencies import read_currency
from schema.errors import BadInput
from schema.symbols import InstrumentId

USUAL = timedelta(days=365)
LONGEST = timedelta(days=365 * 40)
EVERY_DAY = 365
"""Periods a year of what trades every day, as cash does."""
RISK = "gateway.core.quant.tasks_risk"
OPTIMISE = "gateway.core.quant.tasks_optimise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Days in `[start, end)`."""

    start: date
    end: date


def read_span(context: Context, start: date | None, end: date | None) -> Span:
    """A year until today where nothing is given; BadInput for a range that is turned, empty or too long."""
    until = end or context.now.date()
    since = start or until - USUAL
    if since >= until:
        raise BadInput("start", f"{since} does not come before the end {until}: ranges are [start, end)")
    if until - since > LONGEST:
        raise BadInput("start", f"{since} to {until} is longer than 40 years: ask for less")
    return Span(start=since, end=until)


@dataclass(slots=True, kw_only=True, eq=False)
class Basis:
    """A panel and what of it is asked. `request` is what tasks take; `run` asks the same task once."""

    context: Context
    panel: Panel
    missing: MissingPrices
    _request: asyncio.Task[dict[str, Any]] | None = None
    _asked: dict[str, asyncio.Task[Any]] = field(default_factory=dict)
    _waiting: Counter[str] = field(default_factory=Counter)

    async def request(self, wanted: Sequence[InstrumentId]) -> dict[str, Any]:
        """The panel as plain values; NotComputable names instruments that nobody has prices of."""
        failures = self.panel.failures or {}
        lost = [f"{each} ({failures[each].message})" for each in wanted if each in failures]
        if lost:
            raise NotComputable(f"no prices of {'; '.join(lost[:3])}: leave out what has none, or ask later")
        if self._request is None:
            self._request = asyncio.ensure_future(plain(self.panel, self.missing))
        return await asyncio.shield(self._request)

    async def run(self, task: str, wanted: Sequence[InstrumentId], **more: Any) -> Any:
        """What a task makes of the panel and more; the same question is asked once, for as long as anybody waits."""
        key = f"{task} {sorted(more.items(), key=lambda pair: pair[0])!r}"
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.ensure_future(self._run(task, wanted, more))
        self._waiting[key] += 1
        try:
            return await asyncio.shield(asked)
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                asked.cancel()

    async def _run(self, task: str, wanted: Sequence[InstrumentId], more: Mapping[str, Any]) -> Any:
        given = {**await self.request(wanted), **more}
        return await self.context.service(Computing).run(self.context.tenant, task, given)


async def read_panel(
    context: Context, instruments: Sequence[InstrumentId], span: Span, currency: str | None, money: Sequence[str] = ()
) -> Panel:
    """Daily closes, and rates of *money*; BadInput for a currency that is none. Of no instruments there are none, and
    nobody is asked."""
    if not instruments:
        return Panel(instruments=(), dates=(), closes=(), currencies=(), periods=EVERY_DAY)
    ask = PanelAsk(
        instruments=tuple(instruments), start=midnight(span.start), end=midnight(span.end),
        currency=None if currency is None else read_currency("currency", currency), money=tuple(money),
    )  # fmt: skip
    return await context.service(Panels).panel(context, ask)


async def plain(panel: Panel, missing: MissingPrices) -> dict[str, Any]:
    """Floats and ISO dates; rates are series by the name of their currency. A series after the other: a long panel lets
    others have their turn between."""
    closes = []
    for series in (*panel.closes, *panel.rates.values()):
        closes.append([None if close is None else float(close) for close in series])
        await asyncio.sleep(0)
    return {
        "symbols": [*map(str, panel.instruments), *panel.rates], "dates": [day.isoformat() for day in panel.dates],
        "closes": closes, "periods_per_year": panel.periods, "missing": word(missing),
    }  # fmt: skip


def midnight(day: date) -> datetime:
    """Its beginning, UTC."""
    return datetime.combine(day, time(), UTC)
