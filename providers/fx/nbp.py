"""Narodowy Bank Polski: average rates of table A. Docs: https://api.nbp.pl/en.html

Rates are zlotys for one unit of a currency. The bank publishes neither inverses nor crosses, so neither are answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta

from providers.contract import Licence, Profile, Provider, answers
from providers.fx._reference import Rate, fixing, is_pair, selected, spans
from providers.row import Row
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk

DAY = timedelta(days=1)
FIRST = date(2002, 1, 2)
# No request may cover more than 93 days, and one without a table is answered by 404: ten days more always hold one.
LULL = timedelta(days=10)
LONGEST = timedelta(days=93) - LULL
CURRENCIES = frozenset({
    "AUD", "BRL", "CAD", "CHF", "CLP", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "ISK",
    "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PHP", "RON", "SEK", "SGD", "THB", "TRY", "UAH", "USD", "XDR", "ZAR",
    "BGN", "HRK", "RUB", "LTL", "LVL", "EEK", "SKK", "CYP", "MTL", "SIT",
})  # fmt: skip


def priced(instrument: InstrumentId) -> bool:
    """A currency in zlotys."""
    return is_pair(instrument, "nbp") and instrument.base in CURRENCIES and instrument.quote == "PLN"


def tabled(ask: FxRatesAsk) -> bool:
    """The same for rates, from the first table on."""
    known = ask.base in CURRENCIES and set(ask.quotes) <= {"PLN"}
    return known and (ask.start is None or ask.end is None or ask.end > FIRST)


class Nbp(Provider):
    """A table holds all currencies of a day; ranges are tables one after the other."""

    profile = Profile(
        id="nbp",
        name="Narodowy Bank Polski",
        base_url="https://api.nbp.pl/api",
        docs="https://api.nbp.pl/en.html",
        asset_classes=(AssetClass.FX,),
        licence=Licence(
            note="Public data, free to use with the source named.", attribution="Source: NBP", redistributable=True
        ),
        delay=FeedDelay.END_OF_DAY,
        priority=30,
    )

    # One table a working day: asking more often than this would be asking for nothing.
    @answers(QUOTES, covers=lambda ask: all(map(priced, ask.instruments)), fresh_for=timedelta(minutes=5))
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The newest table."""
        body = await self.http.get("/exchangerates/tables/A", {"format": "json"})
        rates = {code: (rate, day) for day, code, rate in parse_tables(body)}
        return [fixing(i, *rates[i.base]) for i in ask.instruments if i.base in rates]

    @answers(FX_RATES, covers=tabled, since=FIRST)
    async def fx_rates(self, ask: FxRatesAsk) -> tuple[FxRate, ...]:
        """The newest table, or every one of a range."""
        if ask.start is None:
            bodies = [await self.http.get("/exchangerates/tables/A", {"format": "json"})]
        else:
            today = self.clock.now().date()
            last = min(ask.end - DAY, today) if ask.end else today
            pieces = spans(max(ask.start, FIRST), last, LONGEST)
            paths = [f"/exchangerates/tables/A/{max(first - LULL, FIRST)}/{until}" for first, until in pieces]
            bodies = await asyncio.gather(*(self.http.get(path, {"format": "json"}) for path in paths))
        rows = {row for body in bodies for row in parse_tables(body)}
        return selected(ask, ((day, "PLN", rate) for day, code, rate in rows if code == ask.base))


def parse_tables(body: Row) -> Iterator[Rate]:
    """`[{"effectiveDate", "rates": [{"code", "mid"}]}]`, oldest first: the day, the currency, zlotys for one unit."""
    if not len(body):
        body.broken("has no table")
    return (
        (table.day("effectiveDate"), rate.text("code"), rate.decimal("mid"))
        for table in body
        for rate in table["rates"]
    )
