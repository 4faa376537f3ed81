"""Scales, points and words of charts."""

from __future__ import annotations

import math
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.report.charts import MOST_POINTS, Chart, Line, drawn, thinned
from gateway.cli.report.scales import day_ticks, scale_of

FIRST = date(2026, 1, 1)
FINITE = st.floats(min_value=-1e6, max_value=1e6)


def days(count: int) -> list[date]:
    return [FIRST + timedelta(days=number) for number in range(count)]


@pytest.mark.parametrize(
    ("values", "logarithmic", "ticks"),
    [
        ([-0.35, 0.0], False, [-0.3, -0.2, -0.1, 0.0]),
        ([0.0, 0.0], False, [0.0, 0.01, 0.02, 0.03, 0.04]),
        ([5.0, 5.0], False, [4.8, 4.9, 5.0, 5.1, 5.2]),
        ([1.0, 7.7], True, [1.0, 1.5, 2.0, 3.0, 5.0, 7.0]),
        ([0.5, 900.0], True, [1.0, 3.0, 10.0, 30.0, 100.0, 300.0]),
        ([1.0, 1.04], True, [1.0, 1.05]),
    ],
)
def test_values_are_labelled_at_round_steps(values: list[float], logarithmic: bool, ticks: list[float]):
    assert scale_of(values, logarithmic=logarithmic).ticks() == pytest.approx(ticks)


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_every_value_lies_on_the_scale_and_labels_too(values: list[float]):
    scale = scale_of(values)

    assert all(0 <= scale.share(value) <= 1 for value in values)
    assert all(-1e-6 <= scale.share(tick) <= 1 + 1e-6 for tick in scale.ticks())
    assert len(scale.ticks()) <= 7


@pytest.mark.parametrize(
    ("start", "end", "labels"),
    [
        (date(2013, 1, 2), date(2022, 12, 28), ["2014", "2016", "2018", "2020", "2022"]),
        (date(2026, 1, 15), date(2026, 4, 2), ["2026-02", "2026-03", "2026-04"]),
        (date(2026, 1, 5), date(2026, 1, 9), ["2026-01-05", "2026-01-09"]),
        (date(1600, 1, 1), date(2026, 1, 1), ["1600", "1700", "1800", "1900", "2000"]),
    ],
)
def test_days_are_labelled_at_beginnings_of_months_and_years(start: date, end: date, labels: list[str]):
    assert [words for _, words in day_ticks(start, end)] == labels


@given(st.lists(FINITE, min_size=2, max_size=5_000))
def test_thinning_keeps_the_order_both_ends_and_the_extremes(values: list[float]):
    points = list(zip(days(len(values)), values, strict=True))

    kept = thinned(points)

    assert kept == sorted(set(kept))
    assert len(kept) <= MOST_POINTS + 2
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert (min(v for _, v in kept), max(v for _, v in kept)) == (min(values), max(values))


def test_a_chart_tells_in_words_what_it_draws():
    line = Line(name="fund", dates=days(4), values=[1.0, 3.0, None, 2.0])

    root = ElementTree.fromstring(drawn(Chart(key="wealth", title="Growth", note="of 1.", lines=[line])))

    svg = root.find("div/svg")
    assert svg is not None
    assert (svg.get("role"), svg.get("aria-labelledby")) == ("img", "wealth-title wealth-told")
    assert svg.findtext("title") == "Growth"
    assert svg.findtext("desc") == (
        "fund: from 1.000 on 2026-01-01, to 2.000 on 2026-01-04, lowest 1.000 on 2026-01-01, "
        "highest 3.000 on 2026-01-02."
    )
    paths = [path.get("d") for path in svg.iter("path") if "line1" in (path.get("class") or "")]
    assert paths == ["M0.0,385.2 333.3,14.8", "M1000.0,200.0"]


def test_two_lines_differ_by_more_than_their_colour():
    lines = [Line(name=name, dates=days(2), values=[1.0, 2.0]) for name in ("fund", "index")]

    root = ElementTree.fromstring(drawn(Chart(key="wealth", title="Growth", note="of 1.", lines=lines)))

    assert ["".join(item.itertext()) for item in root.iter("li")] == ["fund (solid)", "index (dashed)"]


@pytest.mark.parametrize("values", [[], [1.0], [None, None]])
def test_too_few_values_are_said_instead_of_drawn(values: list[float | None]):
    line = Line(name="fund", dates=days(len(values)), values=values)

    told = drawn(Chart(key="wealth", title="Growth", note="of 1.", lines=[line]))

    assert told == '<p class="none">Growth: there are too few values to draw.</p>'


def test_a_total_loss_is_no_end_of_a_logarithmic_scale():
    scale = scale_of([100.0, 1e-9], logarithmic=True)

    assert math.isclose(scale.share(0.0), 0.0)
    assert 0 < scale.share(1e-3) < scale.share(100.0) < 1
