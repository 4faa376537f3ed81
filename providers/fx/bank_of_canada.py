"""Bank of Canada: daily average exchange rates, and all other series that it publishes.

Docs: https://www.bankofcanada.ca/valet/docs

Rates are Canadian dollars for one unit of a currency, indicative, published once a business day by 16:30 Eastern Time.
The bank publishes neither inverses nor crosses, so neither are answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from providers.contract import Licence, Profile, Provider, answers
from providers.fx._reference import Rate, fixing, is_pair, selected
from providers.macro._names import latest_code
from providers.macro._periods import observed
from providers.row import Row
from schema.provenance import FeedDelay
from schema.symbols import AssetClass, InstrumentId
from schema.words.economics import ECONOMIC_SERIES, EconomicSeries, EconomicSeriesAsk, Observation
from schema.words.quotes import QUOTES, Quote, QuotesAsk
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk

DAY = timedelta(days=1)
FIRST = date(2017, 1, 3)
# Of each series the newest values: holidays of one country leave a hole in one of them.
RECENT = 5
CURRENCIES = frozenset({
    "AUD", "BRL", "CHF", "CNY", "EUR", "GBP", "HKD", "IDR", "INR", "JPY", "KRW", "MXN", "NOK", "NZD", "PEN", "RUB",
    "SAR", "SEK", "SGD", "TRY", "TWD", "USD", "ZAR",
})  # fmt: skip

SERIES = {"CA.POLICY_RATE": "V39079"}
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,60}")


def priced(instrument: InstrumentId) -> bool:
    """A currency in Canadian dollars."""
    return is_pair(instrument, "bank_of_canada") and instrument.base in CURRENCIES and instrument.quote == "CAD"


def averaged(ask: FxRatesAsk) -> bool:
    """The same for rates, from the first observation on."""
    known = ask.base in CURRENCIES and set(ask.quotes) <= {"CAD"}
    return known and (ask.start is None or ask.end is None or ask.end > FIRST)


def code_of(ask: EconomicSeriesAsk) -> str | None:
    """The name of a common name's series, or the one that was asked for; no vintages are kept."""
    return latest_code(ask, SERIES, "bank_of_canada", _CODE)


class BankOfCanada(Provider):
    """The group of all daily rates for quotes, one series for the rates of a currency."""

    profile = Profile(
        id="bank_of_canada",
        name="Bank of Canada",
        base_url="https://www.bankofcanada.ca/valet",
        docs="https://www.bankofcanada.ca/valet/docs",
        asset_classes=(AssetClass.FX, AssetClass.MACRO),
        licence=Licence(
            note="Free to use with the source named; indicative rates only.",
            attribution="Source: Bank of Canada",
            redistributable=True,
        ),
        delay=FeedDelay.END_OF_DAY,
        priority=30,
    )

    # One rate a business day: asking more often than this would be asking for nothing.
    @answers(QUOTES, covers=lambda ask: all(map(priced, ask.instruments)), fresh_for=timedelta(minutes=5))
    async def quotes(self, ask: QuotesAsk) -> list[Quote]:
        """The newest rate of each currency."""
        body = await self.http.get("/observations/group/FX_RATES_DAILY/json", {"recent": RECENT})
        rates = {code: (rate, day) for day, code, rate in sorted(parse_observations(body))}
        return [fixing(i, *rates[i.base]) for i in ask.instruments if i.base in rates]

    @answers(FX_RATES, covers=averaged, since=FIRST)
    async def fx_rates(self, ask: FxRatesAsk) -> tuple[FxRate, ...]:
        """The newest rate, or every one of a range."""
        params: dict[str, str | int] = {"recent": 1}
        if ask.start is not None:
            params = {"start_date": max(ask.start, FIRST).isoformat()}
            if ask.end is not None:
                params["end_date"] = (ask.end - DAY).isoformat()
        body = await self.http.get(f"/observations/FX{ask.base}CAD/json", params)
        return selected(ask, ((day, "CAD", rate) for day, code, rate in parse_observations(body) if code == ask.base))

    @answers(ECONOMIC_SERIES, covers=lambda ask: code_of(ask) is not None, fresh_for=timedelta(hours=1))
    async def economic_series(self, ask: EconomicSeriesAsk) -> EconomicSeries:
        """All days, or those of a range; an unknown series is answered with status 404."""
        code, params = code_of(ask) or "", dict[str, str | int]()
        if ask.start is not None:
            params["start_date"] = ask.start.isoformat()
        if ask.end is not None:
            params["end_date"] = (ask.end - DAY).isoformat()
        return parse_series(ask, code, await self.http.get(f"/observations/{code}/json", params))


def parse_series(ask: EconomicSeriesAsk, code: str, body: Row) -> EconomicSeries:
    """`{"seriesDetail": {code: {"label", "description"}}, "observations": [{"d", code: {"v"}}]}`, by the first day."""
    found = [Observation(date=row.day("d"), value=row[code].maybe("v")) for row in body["observations"] if code in row]
    return EconomicSeries(
        series=ask.series,
        code=code,
        title=body["seriesDetail"][code].maybe_text("label"),
        country="CA",
        observations=observed(ask, found),
    )


def parse_observations(body: Row) -> Iterator[Rate]:
    """`{"observations": [{"d", "FXUSDCAD": {"v"}}]}`: the day, the currency, Canadian dollars for one unit."""
    return (
        (row.day("d"), name[2:5], cell.decimal("v"))
        for row in body["observations"]
        for name, cell in row.items()
        if name != "d" and cell["v"].value != ""
    )
