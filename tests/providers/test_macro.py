"""Economic series: which codes are covered, how periods are read, how pages are joined, what is documented."""

from __future__ import annotations

from collections import deque
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from providers.fx import bank_of_canada, boe, ecb
from providers.macro import _fred, _fred_rates, bls, fred, imf, oecd, us_treasury, worldbank
from providers.macro._periods import first_day, frequency_of
from providers.recording import wire
from providers.row import Row
from schema.errors import Malformed
from schema.words.economics import EconomicSeriesAsk, Frequency
from schema.words.rates import FxRatesAsk

PAGE = (Path(__file__).parents[2] / "docs" / "economic-series.md").read_text(encoding="utf-8")
MODULES = (bank_of_canada, bls, boe, ecb, fred, imf, oecd, worldbank)
FACTS = {"seriess": [{"frequency_short": "M", "seasonal_adjustment_short": "NSA"}]}


class Pages:
    """Answers each path with its bodies in turn, and keeps the offsets that were asked for."""

    def __init__(self, **bodies):
        self.bodies, self.offsets = {path: deque(each) for path, each in bodies.items()}, []

    async def get(self, path, params=None, *, host=""):
        self.offsets += [] if path == "/series" else [(params or {}).get("offset", 0)]
        return Row.json("fred", wire(self.bodies[path.rpartition("/")[2]].popleft()))


class Noon:
    def now(self):
        return datetime(2026, 11, 20, 12, tzinfo=UTC)


def page(count, *days):
    rows = [{"realtime_start": "2026-11-20", "date": day, "value": "1.5"} for day in days]
    return {"count": count, "observations": rows}


@pytest.mark.parametrize(
    ("series", "module"),
    [
        ("fred/DGS10", fred), ("bls/LNS14000000", bls), ("imf/IMF.RES/WEO/DEU.NGDP_RPCH.A", imf),
        ("worldbank/DE/SP.POP.TOTL", worldbank), ("GB.SHORT_RATE", oecd), ("XM.POPULATION", worldbank),
        ("oecd/OECD.SDD.STES,DSD_STES@DF_FINMARK,4.0/GBR.M.IRLT.PA.....", oecd), ("GB.POLICY_RATE", boe),
        ("CA.POLICY_RATE", bank_of_canada), ("bank_of_canada/BD.CDN.2YR.DQ.YLD", bank_of_canada), ("boe/IUDBEDR", boe),
        ("ecb/EXR/D.USD.EUR.SP00.A", ecb),
    ],
)  # fmt: skip
def test_a_code_belongs_to_its_provider_alone(series, module):
    covering = [each for each in MODULES if each.code_of(EconomicSeriesAsk(series=series))]

    assert covering == [module]


@pytest.mark.parametrize(
    "series",
    [
        "fred/../releases", "fred/DGS10?x=1", "bls/a b", "bls/", "imf/IMF.RES/WEO/*.NGDP_RPCH.A", "imf/WEO",
        "worldbank/all/SP.POP.TOTL", "worldbank/US;DE/SP.POP.TOTL", "worldbank/US/../x", "oecd/a/b", "US.NOSUCH",
        "ecb/EXR/D..EUR.SP00.A", "ecb/ILM/W.U2.C.A010.Z5.Z0Z", "boe/a,b", "bank_of_canada/../x", "DE.POLICY_RATE",
        "us.GDP_USD", "ZZ.LONG_RATE", "USA.GDP_USD", "us_treasury/record_date",
    ],
)  # fmt: skip
def test_what_is_no_code_of_one_series_is_not_covered(series):
    ask = EconomicSeriesAsk(series=series)

    assert [each for each in MODULES if each.code_of(ask)] == []
    assert us_treasury.column_of(ask) is None


@pytest.mark.parametrize("more", [{"vintages": True}, {"known_at": datetime(2026, 1, 1, tzinfo=UTC)}])
def test_only_one_source_keeps_vintages(more):
    names = [
        "US.CPI",
        "GB.CPI",
        "DE.GDP_USD",
        "imf/IMF.RES/WEO/DEU.NGDP_RPCH.A",
        "US.FEDERAL_DEBT",
        "XM.POLICY_RATE",
        "GB.POLICY_RATE",
        "CA.POLICY_RATE",
    ]
    asks = [EconomicSeriesAsk(series=name, **more) for name in names]

    assert [each for each in MODULES if any(map(each.code_of, asks))] == [fred]
    assert list(map(us_treasury.column_of, asks)) == [None] * 8


def test_names_that_two_sources_answer_mean_the_same_codes_of_the_source_that_measures():
    shared = set(_fred.SERIES) & set(bls.SERIES)

    assert shared == set(bls.SERIES)
    assert _fred.SERIES["US.HOURLY_EARNINGS"] == bls.SERIES["US.HOURLY_EARNINGS"]


def test_every_common_name_is_documented():
    concepts = [f"<country>.{concept}" for concept in (*oecd.SERIES, *worldbank.INDICATORS)]
    own = (*bank_of_canada.SERIES, *boe.NAMED, *ecb.SERIES)
    names = [*_fred.SERIES, *bls.SERIES, *us_treasury.DEBT, *own, *concepts]

    assert [name for name in names if f"`{name}`" not in PAGE] == []


@pytest.mark.parametrize(
    ("text", "day", "frequency"),
    [
        ("1997", date(1997, 1, 1), Frequency.ANNUAL),
        ("1972-A1", date(1972, 1, 1), Frequency.ANNUAL),
        ("2020-S2", date(2020, 7, 1), Frequency.SEMIANNUAL),
        ("2020Q4", date(2020, 10, 1), Frequency.QUARTERLY),
        ("2020-Q1", date(2020, 1, 1), Frequency.QUARTERLY),
        ("2020M11", date(2020, 11, 1), Frequency.MONTHLY),
        ("2020-M09", date(2020, 9, 1), Frequency.MONTHLY),
        ("2020-02", date(2020, 2, 1), Frequency.MONTHLY),
        ("2020-02-29", date(2020, 2, 29), None),
    ],
)
def test_a_period_is_dated_with_its_first_day(text, day, frequency):
    assert (first_day(Row("oecd", {"when": text}), "when"), frequency_of(text)) == (day, frequency)


@pytest.mark.parametrize("text", ["2020-13", "2020Q5", "2020-Q0", "2020-M00", "20", "2020-W05", "2021-02-29", "٢٠٢٠"])
def test_what_is_no_period_is_malformed(text):
    with pytest.raises(Malformed):
        first_day(Row("oecd", {"when": text}), "when")


async def test_pages_of_observations_are_joined(monkeypatch):
    monkeypatch.setattr(fred, "MOST_OBSERVATIONS", 2)
    pages = Pages(series=[FACTS], observations=[page(3, "2026-01-01", "2026-02-01"), page(3, "2026-03-01")])

    found = await fred.Fred(pages, Noon()).economic_series(EconomicSeriesAsk(series="fred/X"))  # type: ignore[arg-type]

    assert [(each.date, each.value) for each in found.observations] == [
        (date(2026, month, 1), Decimal("1.5")) for month in (1, 2, 3)
    ]
    assert pages.offsets == [0, 2]


async def test_a_full_last_page_is_not_followed_by_another_call(monkeypatch):
    monkeypatch.setattr(fred, "MOST_OBSERVATIONS", 2)
    pages = Pages(series=[FACTS], observations=[page(2, "2026-01-01", "2026-02-01")])

    await fred.Fred(pages, Noon()).economic_series(EconomicSeriesAsk(series="fred/X"))  # type: ignore[arg-type]

    assert pages.offsets == [0]


@pytest.mark.parametrize(
    ("base", "quotes", "covered"),
    [("USD", ("XDR",), True), ("USD", (), False), ("USD", ("EUR", "XDR"), False), ("XXX", ("XDR",), False)],
)
def test_drawing_rights_are_answered_alone(base, quotes, covered):
    assert imf.reported(FxRatesAsk(base=base, quotes=quotes)) is covered


def test_a_range_of_reports_has_the_last_day_of_each_of_its_months():
    found = list(imf.ends_of_months(date(2025, 12, 31), date(2026, 3, 1)))

    assert found == [date(2025, 12, 31), date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2026, 11, 3), date(2026, 11, 3), [(2026, 11)]),
        (date(2025, 12, 31), date(2026, 2, 1), [(2025, 12), (2026, 1), (2026, 2)]),
        (date(2025, 11, 30), date(2026, 2, 1), [(2025, 0), (2026, 0)]),
        (date(2026, 11, 3), date(2026, 1, 3), []),
    ],
)
def test_a_range_of_curves_is_asked_for_by_months_or_years(first, last, expected):
    assert list(us_treasury.feeds(first, last)) == expected


@pytest.mark.parametrize(
    ("base", "quotes", "covered"),
    [
        ("USD", ("CAD", "JPY"), True), ("EUR", ("USD",), True), ("USD", ("EUR",), False), ("CAD", ("USD",), False),
        ("USD", (), False), ("EUR", (), False), ("GBP", ("JPY",), False),
    ],
)  # fmt: skip
def test_fred_answers_rates_in_the_direction_of_their_series_alone(base, quotes, covered):
    assert _fred_rates.rated(FxRatesAsk(base=base, quotes=quotes)) is covered
