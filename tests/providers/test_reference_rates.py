"""ECB and Frankfurter: what is covered, which file or path is asked for, what a date stands for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.fx._reference import FIRST_DAY, fixing, midnight, selected, spans
from providers.fx.ecb import Ecb, parse_csv, parse_xml
from providers.fx.frankfurter import LONGEST, Frankfurter
from providers.recording import wire
from providers.row import Row
from schema.errors import Malformed
from schema.symbols import fx, parse_instrument
from schema.words.quotes import PriceType, QuotesAsk
from schema.words.rates import FxRatesAsk

TODAY = date(2026, 11, 20)
USD = ("USD",)
XML = b"""<E xmlns:g="urn:g" xmlns="urn:x"><g:subject>Reference rates</g:subject>
<Cube><Cube time='2026-11-19'><Cube currency='USD' rate='1.1604'/></Cube></Cube></E>"""


@dataclass
class Upstream:
    """Answers every request with the same body and keeps what was asked."""

    body: Any = None
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    async def get(self, path, params=None, *, host=""):
        self.asked.append((host, path, dict(params or {})))
        return Row.json("frankfurter", wire(self.body))

    async def get_xml(self, path, params=None, *, host=""):
        self.asked.append((host, path, dict(params or {})))
        return Row.xml("ecb", XML)

    async def get_csv(self, path, params=None, *, host=""):
        self.asked.append((host, path, dict(params or {})))
        return Row.csv("ecb", b"CURRENCY,TIME_PERIOD,OBS_VALUE\nUSD,2001-01-02,0.9423\n")


class Noon:
    def now(self):
        return datetime(2026, 11, 20, 12, tzinfo=UTC)


def asks(cls, *instruments):
    return cls.offers["quotes"].covers(QuotesAsk(instruments=tuple(map(parse_instrument, instruments))))


@pytest.mark.parametrize(
    ("text", "by_ecb", "by_frankfurter"),
    [
        ("fx:EUR/USD", True, True),
        ("fx:EUR/USD@ecb", True, False),
        ("fx:EUR/USD@frankfurter", False, True),
        ("fx:USD/EUR", False, True),
        ("fx:GBP/JPY", False, True),
        ("fx:EUR/ARS", False, False),
        ("fx:EUR/USD:USD", False, False),
        ("crypto:BTC/EUR", False, False),
        ("equity:EUR", False, False),
    ],
)
def test_the_ecb_fixes_against_the_euro_and_frankfurter_crosses(text, by_ecb, by_frankfurter):
    assert asks(Ecb, text) is by_ecb
    assert asks(Frankfurter, text) is by_frankfurter


@pytest.mark.parametrize(
    ("ask", "by_ecb", "by_frankfurter"),
    [
        (FxRatesAsk(base="EUR"), True, True),
        (FxRatesAsk(base="EUR", quotes=("USD", "GBP")), True, True),
        (FxRatesAsk(base="EUR", quotes=("USD", "ARS")), False, False),
        (FxRatesAsk(base="USD"), False, True),
        (FxRatesAsk(base="USD", quotes=("USD",)), False, False),
        (FxRatesAsk(base="ARS"), False, False),
        (FxRatesAsk(base="EUR", start=date(1998, 1, 1), end=FIRST_DAY), False, False),
        (FxRatesAsk(base="EUR", start=date(1998, 1, 1), end=FIRST_DAY + timedelta(days=1)), True, True),
    ],
)
def test_rates_are_covered_for_known_currencies_since_the_euro_began(ask, by_ecb, by_frankfurter):
    assert Ecb.offers["fxRates"].covers(ask) is by_ecb
    assert Frankfurter.offers["fxRates"].covers(ask) is by_frankfurter


@given(st.dates(min_value=FIRST_DAY))
def test_a_fixing_is_stamped_with_the_midnight_of_its_date(day):
    quote = fixing(fx("EUR", "USD"), Decimal("1.16"), day)

    assert quote.price_type is PriceType.FIXING
    assert quote.as_of == midnight(day) == datetime(day.year, day.month, day.day, tzinfo=UTC)


@given(st.dates(FIRST_DAY, TODAY), st.integers(0, 4000))
def test_pieces_of_a_range_join_without_gap_or_overlap(first, length):
    last = first + timedelta(days=length)

    pieces = list(spans(first, last, LONGEST))

    assert pieces[0][0] == first
    assert pieces[-1][1] == last
    assert all(a <= b < a + timedelta(days=365) for a, b in pieces)
    assert all(right[0] - left[1] == timedelta(days=1) for left, right in pairwise(pieces))


def test_a_range_that_ends_before_it_begins_has_no_pieces():
    assert list(spans(TODAY, TODAY - timedelta(days=1), LONGEST)) == []


@given(st.lists(st.tuples(st.dates(FIRST_DAY, TODAY), st.sampled_from(["USD", "GBP", "JPY"]), st.just(Decimal(1)))))
def test_rates_come_ascending_by_day_then_code_and_only_from_the_half_open_range(rates):
    ask = FxRatesAsk(base="EUR", quotes=("USD", "GBP"), start=date(2005, 1, 1), end=date(2015, 1, 1))

    found = [(rate.date, rate.quote) for rate in selected(ask, rates)]

    wanted = [(d, c) for d, c, _ in rates if c != "JPY" and date(2005, 1, 1) <= d < date(2015, 1, 1)]
    assert found == sorted(wanted)


@pytest.mark.parametrize(
    ("start", "end", "asked"),
    [
        (None, None, ("", "/eurofxref-daily.xml", {})),
        (date(2026, 11, 1), None, ("", "/eurofxref-hist-90d.xml", {})),
        (TODAY - timedelta(days=85), date(2026, 11, 1), ("", "/eurofxref-hist-90d.xml", {})),
        (
            date(2001, 1, 1),
            date(2001, 2, 1),
            (
                "data",
                "/data/EXR/D.USD.EUR.SP00.A",
                {"startPeriod": "2000-12-25", "endPeriod": "2001-01-31", "detail": "dataonly", "format": "csvdata"},
            ),
        ),
        (
            date.min,
            None,
            (
                "data",
                "/data/EXR/D.USD.EUR.SP00.A",
                {"startPeriod": "1998-12-28", "endPeriod": "2026-11-20", "detail": "dataonly", "format": "csvdata"},
            ),
        ),
    ],
)
async def test_the_ecb_is_asked_for_the_smallest_file_that_holds_the_range(start, end, asked):
    upstream = Upstream()

    await Ecb(upstream, Noon()).fx_rates(FxRatesAsk(base="EUR", quotes=USD, start=start, end=end))  # type: ignore[arg-type]

    assert upstream.asked == [asked]


@pytest.mark.parametrize(
    ("start", "end", "paths"),
    [
        (None, None, ["/latest"]),
        (date(2026, 11, 19), date(2026, 11, 20), ["/2026-11-19"]),
        (date(2026, 11, 2), date(2026, 11, 9), ["/2026-11-02..2026-11-08"]),
        (date(2026, 11, 2), None, ["/2026-11-02..2026-11-20"]),
        (date(2026, 11, 2), date(2999, 1, 1), ["/2026-11-02..2026-11-20"]),
        (date(2025, 1, 1), date(2026, 1, 2), ["/2025-01-01..2025-12-31", "/2026-01-01"]),
        (date.min, date(1999, 1, 6), ["/1999-01-04..1999-01-05"]),
        (date(2026, 11, 21), None, []),
    ],
)
async def test_frankfurter_is_asked_for_whole_days_both_ends_included(start, end, paths):
    upstream = Upstream({"base": "EUR", "date": "1999-01-04", "rates": {}})

    found = await Frankfurter(upstream, Noon()).fx_rates(  # type: ignore[arg-type]
        FxRatesAsk(base="EUR", quotes=USD, start=start, end=end)
    )

    assert found == ()
    assert [path for _, path, _ in upstream.asked] == paths


def test_digits_of_a_rate_are_kept_as_sent():
    body = XML.replace(b"1.1604", b"1.160400000000000001")

    assert list(parse_xml(Row.xml("ecb", body))) == [(date(2026, 11, 19), "USD", Decimal("1.160400000000000001"))]


@pytest.mark.parametrize("body", [b"<E/>", b"<E><Cube/></E>", b"<html><body>busy</body></html>"])
def test_a_file_without_a_day_is_malformed(body):
    with pytest.raises(Malformed, match=r"ecb: \$ has no day"):
        list(parse_xml(Row.xml("ecb", body)))


def test_a_table_without_its_value_column_is_malformed():
    with pytest.raises(Malformed, match=r"ecb: \$\[0\] has no 'OBS_VALUE'"):
        list(parse_csv(Row.csv("ecb", b"CURRENCY,TIME_PERIOD\nUSD,2026-11-19\n")))
