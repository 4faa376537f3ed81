"""U.S. Bureau of Labor Statistics: prices, employment, wages. Docs: https://www.bls.gov/developers/api_signature_v2.htm

Status is always 200: `status` and `message` say what went wrong. Newest first; `M13` and its like are averages of a
year and left out. No vintages. A key is optional and raises the limits; without one ten years are answered at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta

from providers.contract import Licence, Profile, Provider, Reply, Tier, answers, per_day, query
from providers.macro._names import latest_code
from providers.macro._periods import first_day, frequency_of, observed
from providers.row import Row
from schema.errors import NotCovered, QuotaExhausted, Unauthorized, UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass
from schema.words.economics import ECONOMIC_SERIES, EconomicSeries, EconomicSeriesAsk, Observation

SERIES = {
    "US.CORE_CPI": "CUSR0000SA0L1E", "US.CPI": "CUSR0000SA0", "US.CPI_NSA": "CUUR0000SA0",
    "US.HOURLY_EARNINGS": "CES0500000003", "US.JOB_OPENINGS": "JTS000000000000000JOL",
    "US.PARTICIPATION": "LNS11300000", "US.PAYROLLS": "CES0000000001", "US.UNEMPLOYMENT": "LNS14000000",
}  # fmt: skip
_CODE = re.compile(r"[A-Z0-9_#-]{5,40}")
FIRST_YEAR = 1913
YEARS = 10
# Averages of a year, beside the months, quarters and half-years that they are of.
_PERIOD = re.compile(r"M(?:0[1-9]|1[0-2])|Q0[1-4]|S0[12]|A01")
# By what is in the messages, first match first. The texts are never passed on: one of them repeats the key.
REFUSALS: tuple[tuple[str, type[UpstreamError], str], ...] = (
    ("threshold", QuotaExhausted, "the requests of the day are used up"),
    ("key", Unauthorized, "the key is invalid"),
    ("does not exist", UnknownInstrument, "the series does not exist"),
    ("invalid series", UnknownInstrument, "the series does not exist"),
)


def code_of(ask: EconomicSeriesAsk) -> str | None:
    """The id of a common name, or the one that was asked for; no vintages are kept."""
    return latest_code(ask, SERIES, "bls", _CODE)


class Bls(Provider):
    """One series at a time, ten years a call."""

    profile = Profile(
        id="bls",
        name="U.S. Bureau of Labor Statistics",
        base_url="https://api.bls.gov/publicAPI/v2",
        docs="https://www.bls.gov/developers/api_signature_v2.htm",
        asset_classes=(AssetClass.MACRO,),
        licence=Licence(
            note="Public domain; the source and the date of access should be named.",
            attribution="BLS.gov cannot vouch for the data or analyses derived from these data after they have been "
            "retrieved from BLS.gov.",
            redistributable=True,
        ),
        credentials=(query("registrationkey", required=False, sign_up="https://data.bls.gov/registrationEngine/"),),
        limits=(per_day(25),),
        tiers={"registered": Tier(limits=(per_day(500),))},
        delay=FeedDelay.UNKNOWN,
        priority=20,
    )

    # A release a month, and 25 requests a day.
    @answers(ECONOMIC_SERIES, covers=lambda ask: code_of(ask) is not None, fresh_for=timedelta(hours=1))
    async def economic_series(self, ask: EconomicSeriesAsk) -> EconomicSeries:
        """Without a range the newest ten years."""
        code, this_year = code_of(ask) or "", self.clock.now().year
        last = min(this_year, (ask.end - timedelta(days=1)).year) if ask.end else this_year
        first = max(ask.start.year, FIRST_YEAR) if ask.start else last - YEARS + 1
        bodies = [
            await self.http.get(
                f"/timeseries/data/{code}",
                {"startyear": begin, "endyear": min(begin + YEARS - 1, last), "catalog": "true"},
            )
            for begin in range(first, last + 1, YEARS)
        ]
        return parse_series(ask, code, bodies)

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"status": "REQUEST_NOT_PROCESSED", "message": […]}`; that an option was ignored is no refusal."""
        body = reply.body
        if "status" not in body or "message" not in body:
            return None
        said = " ".join(each.text() for each in body["message"]).lower()
        processed = body.text("status") == "REQUEST_SUCCEEDED"
        for words, kind, why in REFUSALS:
            if words in said and not (processed and kind is not UnknownInstrument):
                return kind(self.profile.id, why)
        return None if processed else NotCovered(self.profile.id, "the request was not processed")


def parse_series(ask: EconomicSeriesAsk, code: str, bodies: Iterable[Row]) -> EconomicSeries:
    """`{"Results": {"series": [{"catalog", "data": […]}]}}` for each ten years; the catalog may be missing."""
    facts: Row | None = None
    period = None
    found: list[Observation] = []
    for body in bodies:
        series = body["Results"]["series"][0]
        facts = series.get("catalog") or facts
        for row in readings(series):
            period = row.text("period")
            found.append(parse_reading(row))
    season = facts.maybe_text("seasonality") if facts else None
    return EconomicSeries(
        series=ask.series,
        code=code,
        title=facts.maybe_text("series_title") if facts else None,
        country="US",
        frequency=frequency_of(f"2000-{period}") if period else None,
        seasonally_adjusted=None if season is None else not season.lower().startswith("not"),
        source=facts.maybe_text("survey_name") if facts else None,
        observations=observed(ask, found),
    )


def readings(series: Row) -> Iterator[Row]:
    """The rows that are of a period of the series' own length."""
    return (row for row in series["data"] if _PERIOD.fullmatch(row.text("period")))


def parse_reading(row: Row) -> Observation:
    """`{"year", "period", "value", "footnotes": [{"code": "P"}]}`; a value that is withheld is a dash."""
    written = {"period": f"{row.text('year')}-{row.text('period')}"}
    notes = [note.maybe_text("code") for note in row["footnotes"]]
    return Observation(
        date=first_day(Row(row.provider, written, row, "period"), "period"),
        value=row.maybe("value"),
        preliminary="P" in notes,
    )
