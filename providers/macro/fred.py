"""FRED and ALFRED, of the Federal Reserve Bank of St. Louis: series with vintages, exchange rates, releases to come.

Docs: https://fred.stlouisfed.org/docs/api/fred/. Every observation has a real-time period, the days on which it was the
valid one. Asked for the newest it is cut to today, and says nothing; asked for all vintages its first day is the day of
publication. What FRED has held from the beginning is dated with the day on which it began to keep the series: later
than it was published, never earlier. Weeks are dated with their last day. A bad key is refused with status 400.
"""

from __future__ import annotations

from asyncio import gather
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta

from providers.contract import Licence, Profile, Provider, Reply, answers, per_minute, query
from providers.fx._reference import Rate, selected
from providers.macro._fred import FREQUENCIES, RELEASES, adjusted, code_of
from providers.macro._fred_rates import FIRST_DAY, params_of, parse_rates, rated, series_of
from providers.macro._periods import observed
from providers.row import Row
from schema.errors import NotCovered, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass
from schema.words.economics import (
    ECONOMIC_CALENDAR,
    ECONOMIC_SERIES,
    EconomicCalendarAsk,
    EconomicEvent,
    EconomicSeries,
    EconomicSeriesAsk,
    Observation,
)
from schema.words.knowledge import end_of, known_at
from schema.words.rates import FX_RATES, FxRate, FxRatesAsk

DAY = timedelta(days=1)
FIRST, LAST = "1776-07-04", "9999-12-31"
"""The ends of all real-time periods."""
MOST_OBSERVATIONS = 100_000
MOST_RELEASES = 1_000
# By what is in the message, first match first.
REFUSALS: tuple[tuple[str, type[UpstreamError], str], ...] = (
    ("api_key", Unauthorized, "the key is not registered, or none was sent"),
    ("does not exist", UnknownInstrument, "the series does not exist"),
    ("vintage dates", NotCovered, "the series has more vintages than are answered at once"),
    ("rate limit", Throttled, "too many requests a minute"),
)


class Fred(Provider):
    """A call for a series' facts and one for its observations, or one for each 100,000 of its vintages."""

    profile = Profile(
        id="fred",
        name="FRED (St. Louis Fed)",
        base_url="https://api.stlouisfed.org/fred",
        docs="https://fred.stlouisfed.org/docs/api/fred/",
        asset_classes=(AssetClass.MACRO, AssetClass.FX),
        licence=Licence(
            note="Nothing may be stored, cached or passed on; series of other owners keep their copyright.",
            attribution="This product uses the FRED API but is not endorsed or certified by the Federal Reserve Bank "
            "of St. Louis.",
            cacheable=False,
            shareable=False,
        ),
        credentials=(query("api_key", sign_up="https://fredaccount.stlouisfed.org/apikeys"),),
        limits=(per_minute(120),),
        delay=FeedDelay.UNKNOWN,
        # Behind those who measure a series themselves, and those whose calendars have figures.
        priority=60,
    )

    @answers(ECONOMIC_SERIES, covers=lambda ask: code_of(ask) is not None, weight=2)
    async def economic_series(self, ask: EconomicSeriesAsk) -> EconomicSeries:
        """As it is known now; with `known_at` or `vintages` every version, by the day of its publication."""
        code = code_of(ask) or ""
        params: dict[str, str | int] = {"series_id": code, "file_type": "json"}
        # What was published in the course of a day is known at its end.
        last = LAST if ask.known_at is None else (ask.known_at.astimezone(UTC).date() - DAY).isoformat()
        then = {} if ask.known_at is None else {"realtime_start": last, "realtime_end": last}
        ends = {"observation_start": ask.start, "observation_end": ask.end and ask.end - DAY}
        some = params | {name: day.isoformat() for name, day in ends.items() if day is not None}
        if dated(ask):
            some |= {"realtime_start": FIRST, "realtime_end": last}
        facts, rows = await gather(
            self.http.get("/series", params | then),
            self._pages("/series/observations", some, "observations", MOST_OBSERVATIONS),
        )
        return parse_series(ask, code, facts, rows)

    @answers(
        FX_RATES, covers=rated, since=FIRST_DAY, weight=lambda ask: len(set(ask.quotes)), delay=FeedDelay.END_OF_DAY
    )
    async def fx_rates(self, ask: FxRatesAsk) -> tuple[FxRate, ...]:
        """The newest rates, or every one of a range, by a call for each."""
        series = series_of(ask)
        found = await gather(*(self._rates(ask, quote, code) for quote, code in series.items()))
        return selected(ask, (rate for rates in found for rate in rates))

    async def _rates(self, ask: FxRatesAsk, quote: str, code: str) -> list[Rate]:
        body = await self.http.get("/series/observations", params_of(ask, code))
        return list(parse_rates(ask, quote, body["observations"]))

    async def _pages(self, path: str, params: Mapping[str, str | int], name: str, most: int) -> list[Row]:
        found: list[Row] = []
        while True:
            body = await self.http.get(path, {**params, "offset": len(found)} if found else params)
            rows = list(body[name])
            found += rows
            if len(rows) < most or len(found) >= body.integer("count"):
                return found

    @answers(ECONOMIC_CALENDAR, covers=lambda ask: not ask.countries or "US" in ask.countries)
    async def economic_calendar(self, ask: EconomicCalendarAsk) -> tuple[EconomicEvent, ...]:
        """Days of releases without an hour; of one country only those that are known to be its own."""
        params: dict[str, str | int] = {
            "file_type": "json", "include_release_dates_with_no_data": "true", "order_by": "release_date",
            "sort_order": "asc", "limit": MOST_RELEASES, "realtime_start": ask.start.isoformat(),
            "realtime_end": (ask.end - DAY).isoformat(),
        }  # fmt: skip
        return parse_calendar(ask, await self._pages("/releases/dates", params, "release_dates", MOST_RELEASES))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"error_code", "error_message"}`, told apart by the message alone."""
        body = reply.body
        if "error_message" not in body:
            return None
        said = body.text("error_message").lower()
        for words, kind, why in REFUSALS:
            if words in said:
                return kind(self.profile.id, why)
        return None


def dated(ask: EconomicSeriesAsk) -> bool:
    """Whether it matters when an observation was published."""
    return ask.vintages or ask.known_at is not None


def parse_series(ask: EconomicSeriesAsk, code: str, facts: Row, rows: Iterable[Row]) -> EconomicSeries:
    """`{"seriess": [{…}]}` and the observations of its pages."""
    row = facts["seriess"][0]
    found = observed(ask, (parse_observation(each, dated=dated(ask)) for each in rows))
    if ask.known_at is not None and not ask.vintages:
        found = known_at(found, ask.known_at, published=lambda each: each.published_at, of=lambda each: each.date)
    return EconomicSeries(
        series=ask.series,
        code=code,
        title=row.maybe_text("title"),
        unit=row.maybe_text("units"),
        frequency=FREQUENCIES.get(row.text("frequency_short")),
        seasonally_adjusted=adjusted(row),
        updated_at=row.maybe_instant("last_updated") if ask.known_at is None else None,
        observations=found,
    )


def parse_observation(row: Row, *, dated: bool) -> Observation:
    """`{"realtime_start", "realtime_end", "date", "value"}`; a missing value is a point."""
    published = end_of(row.day("realtime_start")) if dated else None
    return Observation(date=row.day("date"), value=row.maybe("value"), published_at=published)


def parse_calendar(ask: EconomicCalendarAsk, rows: Iterable[Row]) -> tuple[EconomicEvent, ...]:
    """`{"release_id", "release_name", "date"}`; what is not known to be of a country is of none."""
    found = sorted((row.day("date"), row.integer("release_id"), row.text("release_name")) for row in rows)
    return tuple(
        EconomicEvent(
            time=datetime.combine(day, time(), UTC),
            time_known=False,
            country="US" if number in RELEASES else None,
            name=name,
        )
        for day, number, name in found
        if ask.start <= day < ask.end and (not ask.countries or number in RELEASES)
    )
