"""Whatever a file holds, it gives a whole page of finite numbers, or a refusal."""

from __future__ import annotations

import re
from datetime import date, timedelta
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cli.outcome import Stop
from gateway.cli.report.findings import findings_of
from gateway.cli.report.page import page_of
from gateway.cli.report.panel import panel_of
from gateway.cli.report.subject import subject_of
from gateway.cli.report.wish import Wish
from schema.errors import BadInput

PRICE = st.none() | st.floats(min_value=0, max_value=1e300) | st.sampled_from([1.0, 1.0, 1.01, 0.99])
RETURN = st.none() | st.floats(min_value=-1, max_value=1e60) | st.sampled_from([0.0, 0.01, -0.01])
NOT_FINITE = re.compile(r"(?<![a-z])(nan|inf)(?![a-z])", re.IGNORECASE)


def text_of(rows: list[list[float | None]], step: int) -> str:
    lines = ["date,A,B,C"]
    for number, row in enumerate(rows):
        cells = ["" if value is None else repr(value) for value in row]
        lines.append(",".join([str(date(2026, 1, 1) + timedelta(days=number * step)), *cells]))
    return "\n".join(lines)


def check(text: str, *, returns: bool) -> None:
    wish = Wish(benchmark="C")
    try:
        panel = panel_of(text, "x.csv", returns=returns)
        page = page_of(findings_of(panel, subject_of(panel, wish), wish, "prices"))
    except (Stop, BadInput):
        return
    root = ElementTree.fromstring(page)
    assert not NOT_FINITE.search("".join(root.find("body").itertext()))  # type: ignore[union-attr]
    assert not [path for path in root.iter("path") if NOT_FINITE.search(path.get("d", ""))]
    assert not [each for each in root.iter("data") if NOT_FINITE.search(each.get("value", ""))]


@settings(max_examples=60)
@given(st.lists(st.lists(PRICE, min_size=3, max_size=3), max_size=30), st.sampled_from([1, 7, 31, 400]))
def test_prices_give_a_page_or_a_refusal(rows: list[list[float | None]], step: int):
    check(text_of(rows, step), returns=False)


@settings(max_examples=60)
@given(st.lists(st.lists(RETURN, min_size=3, max_size=3), max_size=30), st.sampled_from([1, 7, 31, 400]))
def test_returns_give_a_page_or_a_refusal(rows: list[list[float | None]], step: int):
    check(text_of(rows, step), returns=True)


@settings(max_examples=40)
@given(st.lists(st.lists(st.floats(0.5, 2), min_size=3, max_size=3), min_size=3, max_size=200))
def test_plain_prices_always_give_a_page(rows: list[list[float]]):
    panel, wish = panel_of(text_of([list(row) for row in rows], 1), "x.csv"), Wish(benchmark="C")

    page = page_of(findings_of(panel, subject_of(panel, wish), wish, "prices"))

    assert ElementTree.fromstring(page).find("body") is not None
