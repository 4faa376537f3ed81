"""Frankfurter: the ECB's reference rates with crosses. Docs: https://frankfurter.dev/v1/

Crosses and inverses are the upstream's own, rounded to about five digits by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from datetime import date, timedelta

from providers.contract import Licence, Profile, Provider, answers
from providers.fx._reference import (
    CURRENCIES,
    FIRST_DAY,
    Rate,
    fixing,
    has_history,
    is_crossed,
    of_base,
    selected,
    spans,
)
from providers.row import Row
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk

DAY = timedelta(days=1)
# Earlier releases of the upstream thin out a longer range to one rate a week.
LONGEST = timedelta(days=365)


def crossed(ask: FxRatesAsk) -> bool:
    """Any of its currencies in any other."""
    known = CURRENCIES | {"EUR"}
    return ask.base in known and known.issuperset(ask.quotes) and ask.base not in ask.quotes and has_history(ask)


class Frankfurter(Provider):
    """Version 1 of the interface: the ECB alone, not the newer blend of many central banks."""

    profile = Profile(
        id="frankfurter",
        name="Frankfurter",
        base_url="https://api.frankfurter.dev/v1",
        docs="https://frankfurter.dev/v1/",
        asset_classes=(AssetClass.FX,),
        licence=Licence(
            note="Open service over ECB reference rates; for information only.",
            attribution="Source: ECB statistics, by frankfurter.dev",
            redistributable=True,
        ),
        delay=FeedDelay.END_OF_DAY,
        priority=50,
    )

    # One fixing a working day: asking more often than this would be asking for nothing.
    @answers(
        QUOTES,
        covers=lambda ask: all(is_crossed(i, "frankfurter") for i in ask.instruments),
        max_batch=50,
        fresh_for=timedelta(minutes=5),
    )
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The newest fixing, by one call for each base."""
        by_base: dict[str, list[InstrumentId]] = {}
        for instrument in ask.instruments:
            by_base.setdefault(instrument.base, []).append(instrument)
        found = await asyncio.gather(*(self._of_base(*group) for group in by_base.items()))
        return [quote for quotes in found for quote in quotes]

    async def _of_base(self, base: str, instruments: list[InstrumentId]) -> list[Quote]:
        body = await self.http.get("/latest", _params(base, {i.quote for i in instruments}))
        rates = {code: (rate, day) for day, code, rate in parse_day(body, base)}
        return [fixing(i, *rates[i.quote]) for i in instruments if i.quote in rates]

    @answers(FX_RATES, covers=crossed, since=FIRST_DAY)
    async def fx_rates(self, ask: FxRatesAsk) -> tuple[FxRate, ...]:
        """The newest fixing, or every one of a range; the upstream begins a range with the last fixing before it."""
        params = _params(ask.base, ask.quotes)
        if ask.start is None:
            return selected(ask, parse_day(await self.http.get("/latest", params), ask.base))
        today = self.clock.now().date()
        last = min(ask.end - DAY, today) if ask.end else today
        pieces = spans(max(ask.start, FIRST_DAY), last, LONGEST)
        parts = await asyncio.gather(*(self._range(*piece, ask.base, params) for piece in pieces))
        return selected(ask, {rate for rates in parts for rate in rates})

    async def _range(self, first: date, last: date, base: str, params: dict[str, str]) -> list[Rate]:
        if first == last:
            return list(parse_day(await self.http.get(f"/{first}", params), base))
        return list(parse_range(await self.http.get(f"/{first}..{last}", params), base))


def _params(base: str, quotes: Collection[str]) -> dict[str, str]:
    return {"base": base, "symbols": ",".join(sorted(quotes))} if quotes else {"base": base}


def parse_day(body: Row, base: str) -> Iterator[Rate]:
    """`{"base", "date", "rates": {code: rate}}`; the date may be earlier than the one asked for."""
    day = of_base(body, base).day("date")
    return ((day, code, rate.decimal()) for code, rate in body["rates"].items())


def parse_range(body: Row, base: str) -> Iterator[Rate]:
    """`{"base", "rates": {date: {code: rate}}}`."""
    days = of_base(body, base)["rates"]
    return (
        (Row(body.provider, text, days, text).day(), code, rate.decimal())
        for text, rates in days.items()
        for code, rate in rates.items()
    )
