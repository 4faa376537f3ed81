"""Nasdaq Data Link (once Quandl): series by their database and name, with a key.

Docs: https://docs.data.nasdaq.com/docs/time-series. A series is asked for as `nasdaq_data_link/EIA/PET_RBRTE_D`; of
one with several columns `nasdaq_data_link/LBMA/GOLD.1` names the first behind the date.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from providers.contract import Licence, Limit, Profile, Provider, Reply, answers, per_day, query
from providers.equities._refusals import said
from providers.row import Row
from schema.errors import Blocked, NotCovered, Throttled, Unauthorized, UnknownInstrument, UpstreamError
from schema.provenance import FeedDelay
from schema.symbols import AssetClass
from schema.words.economics import ECONOMIC_SERIES, EconomicSeries, EconomicSeriesAsk, Frequency, Observation, own_code

ID = "nasdaq_data_link"
# A period is named by its last day, and none is longer.
LONGEST = timedelta(days=366)
FREQUENCIES = {
    "daily": Frequency.DAILY, "weekly": Frequency.WEEKLY, "monthly": Frequency.MONTHLY,
    "quarterly": Frequency.QUARTERLY, "annual": Frequency.ANNUAL,
}  # fmt: skip
MONTHS = {Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3, Frequency.ANNUAL: 12}
# By the letters behind QE: https://docs.data.nasdaq.com/docs/error-codes.
REFUSALS: dict[str, tuple[type[UpstreamError], str]] = {
    "QEL": (Throttled, "too many requests"),
    "QEA": (Unauthorized, "the key is not valid"),
    "QEP": (NotCovered, "the key has no subscription to this database"),
    "QEC": (UnknownInstrument, "has no such series"),
}
_CODE = re.compile(r"([A-Z0-9_]{1,40}/[A-Z0-9_]{1,100})(?:\.([1-9][0-9]?))?")


def is_series(ask: EconomicSeriesAsk) -> bool:
    """A code of its own; no vintages are kept."""
    code = own_code(ask.series, ID)
    return code is not None and _CODE.fullmatch(code) is not None and ask.known_at is None and not ask.vintages


class NasdaqDataLink(Provider):
    """Free databases with any key, premium ones by subscription."""

    profile = Profile(
        id=ID,
        name="Nasdaq Data Link",
        base_url="https://data.nasdaq.com/api/v3",
        docs="https://docs.data.nasdaq.com",
        asset_classes=(AssetClass.MACRO,),
        licence=Licence(
            note="Each database has its own terms; premium ones are for the subscriber alone.", shareable=False
        ),
        credentials=(query("api_key", sign_up="https://data.nasdaq.com/sign-up"),),
        limits=(
            Limit(count=300, per=timedelta(seconds=10)), Limit(count=2000, per=timedelta(minutes=10)), per_day(50_000),
        ),
        delay=FeedDelay.END_OF_DAY,
        priority=50,
    )  # fmt: skip

    @answers(ECONOMIC_SERIES, covers=is_series)
    async def economic_series(self, ask: EconomicSeriesAsk) -> EconomicSeries:
        """From the first day to the end of the last period."""
        found = _CODE.fullmatch(own_code(ask.series, ID) or "")
        code, column = (found[1], found[2]) if found else ("", None)
        params = {"order": "asc"}
        if ask.start is not None:
            params["start_date"] = ask.start.isoformat()
        if ask.end is not None:
            params["end_date"] = (min(ask.end, date.max - LONGEST) + LONGEST).isoformat()
        if column:
            params["column_index"] = column
        return parse_dataset(ask, await self.http.get(f"/datasets/{code}.json", params))

    def explain(self, reply: Reply) -> UpstreamError | None:
        """`{"quandl_error": {"code": "QECx02"}}`, still under its old name; the gate before it sends a page."""
        if reply.status == 403 and "incapsula" in said(reply.body):
            return Blocked(ID, "refused by the gate before it, whatever the key")
        error = reply.body.get("quandl_error")
        code = None if error is None else error.get("code")
        if code is None or reply.status == 429:
            return None
        kind, why = REFUSALS.get(str(code.value)[:3], (NotCovered, "refused"))
        return kind(ID, f"{why} ({str(code.value)[:10]})")


def parse_dataset(ask: EconomicSeriesAsk, body: Row) -> EconomicSeries:
    """`{"dataset": {"column_names", "data": [[day, value]], "frequency", …}}`."""
    data = body["dataset"]
    if len(data["column_names"]) != 2:
        raise NotCovered(ID, f"{ask.series} has several columns: name one as {ask.series}.1")
    frequency = FREQUENCIES.get(data.maybe_text("frequency") or "", Frequency.IRREGULAR)
    values = {first_day(row[0].day(), frequency): row.maybe(1) for row in data["data"]}
    return EconomicSeries(
        series=ask.series,
        code=f"{data.text('database_code')}/{data.text('dataset_code')}",
        title=data.maybe_text("name"),
        frequency=frequency,
        updated_at=data.maybe_instant("refreshed_at"),
        observations=tuple(
            Observation(date=day, value=values[day])
            for day in sorted(values)
            if (ask.start is None or day >= ask.start) and (ask.end is None or day < ask.end)
        ),
    )


def first_day(day: date, frequency: Frequency) -> date:
    """Of the period that is named by its last day; a week's may be any, so it stays."""
    months = MONTHS.get(frequency)
    if months is None:
        return day
    return day.replace(month=day.month - (day.month - 1) % months, day=1)
