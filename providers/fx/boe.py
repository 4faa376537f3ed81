"""Bank of England: spot rates against sterling, and all other series of its database.

Docs: https://www.bankofengland.co.uk/boeapps/database/help.asp

Rates are units of a currency for one pound at 16:00 London time, indicative. The bank publishes neither inverses nor
crosses in these series, so neither are answered.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date, timedelta

from providers.contract import Licence, Profile, Provider, Reply, answers
from providers.fx._reference import Rate, fixing, is_pair, selected
from providers.macro._names import latest_code
from providers.macro._periods import observed
from providers.row import Row
from schema.errors import UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId
from schema.words.economics import ECONOMIC_SERIES, EconomicSeries, EconomicSeriesAsk, Observation
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk

DAY = timedelta(days=1)
FIRST = date(1975, 1, 2)
# A range without a day of rates is answered by a page instead of rows: ten days more always hold one.
LULL = timedelta(days=10)
SERIES = {
    "AUD": "XUDLADS", "CAD": "XUDLCDS", "CHF": "XUDLSFS", "CNY": "XUDLBK89", "CZK": "XUDLBK25", "DKK": "XUDLDKS",
    "EUR": "XUDLERS", "HKD": "XUDLHDS", "HUF": "XUDLBK33", "ILS": "XUDLBK78", "INR": "XUDLBK97", "JPY": "XUDLJYS",
    "KRW": "XUDLBK93", "MYR": "XUDLBK83", "NOK": "XUDLNKS", "NZD": "XUDLNDS", "PLN": "XUDLBK47", "RON": "XUDLZOS4",
    "SAR": "XUDLSRS", "SEK": "XUDLSKS", "SGD": "XUDLSGS", "THB": "XUDLBK87", "TRY": "XUDLBK95", "TWD": "XUDLTWS",
    "USD": "XUDLUSS", "ZAR": "XUDLZRS",
}  # fmt: skip
CURRENCIES = {code: currency for currency, code in SERIES.items()}
NAMED = {"GB.POLICY_RATE": "IUDBEDR"}
_CODE = re.compile(r"[A-Z0-9]{4,12}")
# Not by strftime, whose names of months follow the machine's language.
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def priced(instrument: InstrumentId) -> bool:
    """Sterling in another currency."""
    return is_pair(instrument, "boe") and instrument.base == "GBP" and instrument.quote in SERIES


def charted(ask: FxRatesAsk) -> bool:
    """The same for rates, from the first of them on."""
    known = ask.base == "GBP" and SERIES.keys() >= set(ask.quotes)
    return known and (ask.start is None or ask.end is None or ask.end > FIRST)


def code_of(ask: EconomicSeriesAsk) -> str | None:
    """The code of a common name's series, or the one that was asked for; no vintages are kept."""
    return latest_code(ask, NAMED, "boe", _CODE)


class Boe(Provider):
    """Rows of the statistical database, by codes of series."""

    profile = Profile(
        id="boe",
        name="Bank of England",
        base_url="https://www.bankofengland.co.uk/boeapps/database",
        docs="https://www.bankofengland.co.uk/boeapps/database/help.asp",
        asset_classes=(AssetClass.FX, AssetClass.MACRO),
        licence=Licence(
            note="Free to use with the source named; indicative rates only.",
            attribution="Source: Bank of England",
            redistributable=True,
        ),
        delay=FeedDelay.END_OF_DAY,
        priority=30,
    )

    # One rate a working day: asking more often than this would be asking for nothing.
    @answers(QUOTES, covers=lambda ask: all(map(priced, ask.instruments)), fresh_for=timedelta(minutes=5))
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The newest rate of each currency."""
        today = self.clock.now().date()
        rows = newest(await self._rows({i.quote for i in ask.instruments}, today - LULL, today))
        rates = {code: (rate, day) for day, code, rate in rows}
        return [fixing(i, *rates[i.quote]) for i in ask.instruments if i.quote in rates]

    @answers(FX_RATES, covers=charted, since=FIRST)
    async def fx_rates(self, ask: FxRatesAsk) -> tuple[FxRate, ...]:
        """The newest rates, or every one of a range."""
        today = self.clock.now().date()
        if ask.start is None:
            return selected(ask, newest(await self._rows(ask.quotes or SERIES, today - LULL, today)))
        last = min(ask.end - DAY, today) if ask.end else today
        if ask.start > last:
            return ()
        return selected(ask, await self._rows(ask.quotes or SERIES, max(ask.start - LULL, FIRST), last))

    @answers(ECONOMIC_SERIES, covers=lambda ask: code_of(ask) is not None, since=FIRST, fresh_for=timedelta(hours=1))
    async def economic_series(self, ask: EconomicSeriesAsk) -> EconomicSeries:
        """All days, or those of a range, from a little before it on."""
        code, today = code_of(ask) or "", self.clock.now().date()
        last = min(ask.end - DAY, today) if ask.end else today
        first = max(ask.start - LULL, FIRST) if ask.start else FIRST
        rows = () if first > last else parse_series(await self._table([code], first, last), code)
        return EconomicSeries(series=ask.series, code=code, country="GB", observations=observed(ask, rows))

    async def _rows(self, currencies: Collection[str], first: date, last: date) -> list[Rate]:
        return list(parse_rows(await self._table([SERIES[each] for each in sorted(currencies)], first, last)))

    async def _table(self, codes: Collection[str], first: date, last: date) -> Row:
        params = {
            "csv.x": "yes", "Datefrom": _written(first), "Dateto": _written(last), "SeriesCodes": ",".join(codes),
            "CSVF": "TN", "UsingCodes": "Y",
        }  # fmt: skip
        return await self.http.get_csv("/_iadb-fromshowcolumns.asp", params)

    def explain(self, reply: Reply) -> UpstreamError | None:
        """A code that it does not know leads to its page of errors."""
        if 300 <= reply.status < 400 and "error" in reply.headers.get("location", "").lower():
            return UnknownInstrument(self.profile.id, "there is no such series")
        return None


def newest(rows: list[Rate]) -> list[Rate]:
    """Those of the last day: a currency that has no rate then has none that is new."""
    last = max((day for day, _, _ in rows), default=None)
    return [row for row in rows if row[0] == last]


def _written(day: date) -> str:
    return f"{day.day:02}/{MONTHS[day.month - 1]}/{day.year}"


def parse_rows(body: Row) -> Iterator[Rate]:
    """`DATE` as `17 Mar 2026` and a column for each series: the day, the currency, its units for one pound."""
    for row in body:
        day = row.day("DATE", "%d %b %Y")
        for name, cell in row.items():
            if name in CURRENCIES and cell.value != "":
                yield day, CURRENCIES[name], cell.decimal()


def parse_series(body: Row, code: str) -> Iterator[Observation]:
    """`DATE` and one column, which may be empty."""
    return (Observation(date=row.day("DATE", "%d %b %Y"), value=row.maybe(code)) for row in body)
