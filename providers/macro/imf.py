"""International Monetary Fund: series of its data portal. Docs: https://data.imf.org/en/Resource-Pages/IMF-API

SDMX-JSON: a series' observations are lists by number, whose first item is the value as a text or null; the numbers
lead to periods in the structure beside them. A series is `imf/<agency>/<flow>/<key>`. Status 204 is an unknown flow.
Rates of special drawing rights are a report of its old site: rights for one unit of a currency, never turned round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from providers.contract import Licence, Limit, Profile, Provider, Reply, answers
from providers.fx._reference import Rate, selected
from providers.macro._imf_rates import CODES, parse_rates
from providers.macro._periods import first_day, frequency_of, observed
from providers.row import Row
from schema.errors import NotCovered, UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass
from schema.words.economics import ECONOMIC_SERIES, EconomicSeries, EconomicSeriesAsk, Observation, own_code
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk

DAY = timedelta(days=1)
MOST_DAYS = timedelta(days=366)
# No position of a key may be empty or stand for all.
_CODE = re.compile(r"([A-Z0-9.]{2,20}/[A-Z0-9_]{2,40})/((?:[A-Z0-9_]+\.)+[A-Z0-9_]+)")


def code_of(ask: EconomicSeriesAsk) -> str | None:
    """An agency, a flow and a key; no vintages are kept."""
    code = own_code(ask.series, "imf")
    if code is None or ask.known_at is not None or ask.vintages:
        return None
    return code if _CODE.fullmatch(code) else None


def reported(ask: FxRatesAsk) -> bool:
    """A currency in rights; an answer to all of its rates would be one of these alone."""
    return ask.base in CODES and ask.quotes == ("XDR",)


def ends_of_months(first: date, last: date) -> Iterator[date]:
    """The last day of each month that a range touches."""
    day = first.replace(day=1)
    while day <= last:
        day = (day + timedelta(days=31)).replace(day=1)
        yield day - DAY


class Imf(Provider):
    """One series a call, all its periods; those to come are the fund's projections."""

    profile = Profile(
        id="imf",
        name="International Monetary Fund",
        base_url="https://api.imf.org/external/sdmx/3.0",
        hosts={"rates": "https://www.imf.org/external/np/fin/data"},
        docs="https://data.imf.org/en/Resource-Pages/IMF-API",
        asset_classes=(AssetClass.MACRO, AssetClass.FX),
        licence=Licence(
            note="Free to use with the source named; to be passed on free of charge only.",
            attribution="Source: International Monetary Fund",
        ),
        headers={"Accept": "application/json, text/*;q=0.5"},
        limits=(Limit(count=10, per=timedelta(seconds=5)),),
        delay=FeedDelay.UNKNOWN,
        priority=30,
    )

    # Two to twelve releases a year.
    @answers(ECONOMIC_SERIES, covers=lambda ask: code_of(ask) is not None, fresh_for=timedelta(hours=1))
    async def economic_series(self, ask: EconomicSeriesAsk) -> EconomicSeries:
        """In the newest version of its flow."""
        flow, _, key = (code_of(ask) or "").rpartition("/")
        params = {"dimensionAtObservation": "TIME_PERIOD", "attributes": "dsd", "measures": "all"}
        return parse_series(ask, await self.http.get(f"/data/dataflow/{flow}/+/{key}", params))

    @answers(FX_RATES, covers=reported, fresh_for=timedelta(hours=1), delay=FeedDelay.END_OF_DAY)
    async def fx_rates(self, ask: FxRatesAsk) -> tuple[FxRate, ...]:
        """The newest rate, which on the first days of a month is one of the month before; or those of a range."""
        today = self.clock.now().date()
        if ask.start is None:
            rates = await self._rates(ask, today) or await self._rates(ask, today.replace(day=1) - DAY)
            return selected(ask, [max(rates)] if rates else ())
        last = min(ask.end - DAY, today) if ask.end else today
        if last - ask.start > MOST_DAYS:
            raise NotCovered(self.profile.id, f"reports rates by the month: ask for {MOST_DAYS.days} days at most")
        return selected(ask, [rate for day in ends_of_months(ask.start, last) for rate in await self._rates(ask, day)])

    async def _rates(self, ask: FxRatesAsk, day: date) -> list[Rate]:
        params = {"SelectDate": day.isoformat(), "reportType": "SDRCV", "tsvflag": "Y"}
        return list(parse_rates(await self.http.get_text("/rms_mth.aspx", params, host="rates"), ask.base))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """An unknown flow has no body, an unknown key no series."""
        if reply.status == 204:
            return UnknownInstrument(self.profile.id, "the flow is not known")
        return None


def parse_series(ask: EconomicSeriesAsk, body: Row) -> EconomicSeries:
    """`data.dataSets[0].series["0:0:0"].observations["0"]` is `["-7.436", …]`; see `periods_of`."""
    found = body["data"]["dataSets"][0].get("series")
    if found is None or len(found) == 0:
        raise UnknownInstrument(body.provider, f"{code_of(ask)} has no series")
    if len(found) > 1:
        raise NotCovered(body.provider, f"{code_of(ask)} means several series")
    structure = body["data"]["structures"][0]
    periods = periods_of(structure)
    series = next(inner for _, inner in found.items())
    values = [(period(series, periods, index), row[0]) for index, row in series["observations"].items()]
    return EconomicSeries(
        series=ask.series,
        code=code_of(ask) or "",
        frequency=frequency_of(values[0][0].text("value")) if values else None,
        observations=observed(
            ask, (Observation(date=first_day(when, "value"), value=number(row)) for when, row in values)
        ),
    )


def periods_of(structure: Row) -> list[Row]:
    """`dimensions.observation[0].values` are `{"value": "1976"}`, in an order of their own."""
    return list(structure["dimensions"]["observation"][0]["values"])


def period(series: Row, periods: list[Row], index: str) -> Row:
    """The period with the number that an observation has as its name."""
    if not index.isdecimal() or int(index) >= len(periods):
        series.broken(f"has no period {index[:20]!r}")
    return periods[int(index)]


def number(row: Row) -> Decimal | None:
    """A text or null."""
    return None if row.value is None else row.decimal()
