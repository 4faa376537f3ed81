"""Whether the US market trades: parsers of any JSON of the right kind answer a state or raise the error tree."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.equities._venue_status import parse_finnhub, parse_polygon
from providers.row import Row
from schema.errors import Malformed
from schema.words.venues import MarketState

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from(["open", "closed", "extended-hours", "regular", ""])
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "session": ANYTHING, "isOpen": ANYTHING, "t": ANYTHING, "holiday": ANYTHING, "earlyHours": ANYTHING,
        "afterHours": ANYTHING, "serverTime": ANYTHING,
        "exchanges": st.one_of(ANYTHING, st.dictionaries(st.sampled_from(["nyse", "nasdaq"]), ANYTHING)),
    },
)  # fmt: skip


@given(BODIES)
def test_a_body_is_read_or_refused(body: dict[str, Any]) -> None:
    for parse in (parse_finnhub, parse_polygon):
        with suppress(Malformed):
            assert parse("XNYS", Row("p", body)).venue == "XNYS"


@pytest.mark.parametrize(
    ("open_", "session", "state"),
    [
        (False, None, MarketState.CLOSED), (True, None, MarketState.UNKNOWN), (True, "regular", MarketState.REGULAR),
        (False, "regular", MarketState.UNKNOWN), (False, "pre-market", MarketState.PRE),
        (False, "post-market", MarketState.POST), (False, "overnight", MarketState.UNKNOWN),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_unknown(open_: bool, session: str | None, state: MarketState) -> None:
    body = {"isOpen": open_, "session": session, "t": 1795176000, "holiday": ""}

    found = parse_finnhub("XNYS", Row("finnhub", body))

    assert (found.state, found.reason) == (state, None)


@pytest.mark.parametrize(("early", "late"), [(True, True), (False, False)])
def test_extended_hours_of_both_ends_or_neither_are_unknown(early: bool, late: bool) -> None:
    body = {
        "exchanges": {"nyse": "extended-hours"}, "earlyHours": early, "afterHours": late,
        "serverTime": "2026-11-20T07:00:00-05:00",
    }  # fmt: skip

    assert parse_polygon("XNYS", Row("polygon", body)).state is MarketState.UNKNOWN
