"""Economic series, releases and yield curves through GraphQL, spoken by a fake."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.macro.query import shown_of
from schema.words.curves import YIELD_CURVE, CurveKind, YieldCurve, YieldCurveAsk, YieldPoint
from schema.words.economics import (
    ECONOMIC_CALENDAR,
    ECONOMIC_SERIES,
    EconomicCalendarAsk,
    EconomicEvent,
    EconomicSeries,
    EconomicSeriesAsk,
    Importance,
    Observation,
)
from schema.words.knowledge import end_of
from tests.plugins.speakers import Room, Speaker, speaker

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


def seen(day: date, value: int, published: date | None) -> Observation:
    return Observation(date=day, value=Decimal(value), published_at=None if published is None else end_of(published))


VINTAGES = (
    seen(JANUARY, 100, date(2026, 2, 10)),
    seen(JANUARY, 101, date(2026, 3, 10)),
    seen(FEBRUARY, 102, date(2026, 3, 10)),
    seen(FEBRUARY, 103, None),
)


def series(ask: EconomicSeriesAsk) -> EconomicSeries:
    # A careless adapter: it answers all that it has, whatever was known when.
    return EconomicSeries(
        series=ask.series, code="CPIAUCSL", title="Prices", updated_at=end_of(date(2026, 3, 10)), observations=VINTAGES
    )


def releases(ask: EconomicCalendarAsk) -> tuple[EconomicEvent, ...]:
    return tuple(
        EconomicEvent(
            time=datetime(2026, 11, 20, hour, tzinfo=UTC), name=importance.value, importance=importance, country="US"
        )
        for hour, importance in enumerate(Importance)
    )


def curves(ask: YieldCurveAsk) -> tuple[YieldCurve, ...]:
    points = (YieldPoint(tenor="1.5M", months=Decimal("1.5"), yield_percent=Decimal("3.78")),)
    return tuple(
        YieldCurve(country=ask.country, currency="USD", kind=ask.kind, date=date(2026, 11, day), points=points)
        for day in (17, 18, 19)
    )


@pytest.fixture(scope="module")
def alpha() -> type[Speaker]:
    return speaker({ECONOMIC_SERIES: series, ECONOMIC_CALENDAR: releases, YIELD_CURVE: curves})


@pytest.fixture(scope="module")
def room(alpha: type[Speaker]) -> Room:
    return Room(alpha)


async def test_a_series_as_it_was_known_is_of_the_newest_vintage_of_then(room: Room, alpha: type[Speaker]) -> None:
    query = """query($at: DateTime) { economicSeries(series: "US.CPI", knownAt: $at) {
      code updatedAt observations { date value publishedAt } provenance { provider } } }"""

    before = await room.data(query, at="2026-02-10T23:59:59Z")
    first = await room.data(query, at="2026-02-11T00:00:00Z")
    later = await room.data(query, at="2026-11-20T12:00:00Z")

    assert before["observations"] == []
    assert first["observations"] == [{"date": "2026-01-01", "value": "100", "publishedAt": "2026-02-11T00:00:00Z"}]
    assert [each["value"] for each in later["observations"]] == ["101", "102"]
    assert later["provenance"] == {"provider": "alpha"}
    assert [each["updatedAt"] for each in (before, first, later)] == [None, None, "2026-03-11T00:00:00Z"]
    assert {ask.known_at for ask in alpha.asked if isinstance(ask, EconomicSeriesAsk)} == {
        datetime(2026, 2, 10, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 2, 11, tzinfo=UTC),
        datetime(2026, 11, 20, 12, tzinfo=UTC),
    }


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 9), timezones=st.just(UTC))  # noqa: DTZ001
SEEN = st.builds(
    Observation, date=st.dates(date(2026, 1, 1), date(2026, 1, 4)), value=st.builds(Decimal, st.integers(0, 9)),
    published_at=st.none() | MOMENTS,
)  # fmt: skip


@given(st.lists(SEEN, max_size=12), MOMENTS, st.booleans())
def test_nothing_that_was_published_later_is_ever_shown(
    told: list[Observation], moment: datetime, vintages: bool
) -> None:
    shown = shown_of(EconomicSeriesAsk(series="x", known_at=moment, vintages=vintages), tuple(told))

    known = [each for each in told if each.published_at is not None and each.published_at <= moment]
    newest = {
        day: max(each.published_at for each in known if each.published_at and each.date == day)
        for day in {each.date for each in known}
    }
    if vintages:
        assert list(shown) == known
    else:
        assert {each.date: each.published_at for each in shown} == newest
        assert len(shown) == len(newest)


async def test_vintages_are_all_shown_that_were_published_by_then(room: Room) -> None:
    found = await room.data(
        """{ economicSeries(series: "US.CPI", vintages: true, knownAt: "2026-03-11T00:00:00Z") {
          observations { value } } }"""
    )

    assert [each["value"] for each in found["observations"]] == ["100", "101", "102"]


async def test_a_series_is_cut_to_its_range_and_to_the_newest(room: Room) -> None:
    ranged = await room.data('{ economicSeries(series: "x/y", start: "2026-02-01") { series observations { value } } }')
    newest = await room.data('{ economicSeries(series: "x/y", last: 1) { observations { value } } }')

    assert ranged == {"series": "x/y", "observations": [{"value": "102"}, {"value": "103"}]}
    assert newest == {"observations": [{"value": "103"}]}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('series: " "', "series: give 1 to 128 characters"),
        ('series: "x", knownAt: "2026-11-20T12:00:01Z"', "knownAt: is in the future"),
        ('series: "x", last: 0', "last: must be 1 to 5000, not 0"),
        (
            'series: "x", start: "2026-01-02", end: "2026-01-02"',
            "end: must be after start: the range [2026-01-02, 2026-01-02) is empty",
        ),
    ],
)
async def test_a_series_that_cannot_be_asked_for_is_refused(room: Room, arguments: str, told: str) -> None:
    assert await room.error(f"{{ economicSeries({arguments}) {{ code }} }}") == ("BAD_USER_INPUT", told)


async def test_releases_are_those_of_the_week_that_begins_today(room: Room, alpha: type[Speaker]) -> None:
    found = await room.data(
        '{ economicCalendar(countries: ["us", "DE"], minImportance: MEDIUM) { nodes { name time actual timeKnown } } }'
    )

    assert found["nodes"] == [
        {"name": "MEDIUM", "time": "2026-11-20T01:00:00Z", "actual": None, "timeKnown": True},
        {"name": "HIGH", "time": "2026-11-20T02:00:00Z", "actual": None, "timeKnown": True},
    ]
    asked = [ask for ask in alpha.asked if isinstance(ask, EconomicCalendarAsk)]
    assert asked == [EconomicCalendarAsk(start=date(2026, 11, 20), end=date(2026, 11, 27), countries=("DE", "US"))]


async def test_a_country_that_is_no_code_is_refused(room: Room) -> None:
    code, told = await room.error('{ economicCalendar(countries: ["USA"]) { nodes { name } } }')

    assert (code, told) == ("BAD_USER_INPUT", "countries: 'USA' is no code of two letters")


async def test_the_newest_curve_or_those_of_a_range(room: Room) -> None:
    newest = await room.data(
        "{ yieldCurve { date kind points { tenor months yieldPercent } provenance { provider } } }"
    )
    ranged = await room.data('{ yieldCurve(start: "2026-11-18", kind: REAL) { date kind } }')

    assert newest == [
        {
            "date": "2026-11-19",
            "kind": CurveKind.PAR.value,
            "points": [{"tenor": "1.5M", "months": "1.5", "yieldPercent": "3.78"}],
            "provenance": {"provider": "alpha"},
        }
    ]
    assert ranged == [{"date": "2026-11-18", "kind": "REAL"}, {"date": "2026-11-19", "kind": "REAL"}]


async def test_a_provider_without_vintages_is_not_asked_for_the_past() -> None:
    plain = speaker({ECONOMIC_SERIES: series}, covers=lambda ask: ask.known_at is None)

    code, _ = await Room(plain).error('{ economicSeries(series: "x", knownAt: "2026-01-01T00:00:00Z") { code } }')

    assert (code, plain.asked) == ("NOT_COVERED", [])
